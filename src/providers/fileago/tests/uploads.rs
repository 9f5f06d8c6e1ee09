//! Uploads against the scripted server, up to the form and from its answer on.

use super::*;
use crate::protocols::multipart::FormTarget;
use crate::testing::server::reply;
use crate::testing::{MemorySource, upload_request};

fn item(name: &str, size: Option<u64>) -> UploadRequest {
    upload_request(MemorySource::only_size(size), Entry::new(EntryKind::Folder, "home", RemotePath::root()), name)
}

async fn list_siblings(fileago: &FileAgo) -> crate::contract::Siblings {
    fileago.list(&Entry::new(EntryKind::Folder, "home", RemotePath::root())).await.unwrap().into()
}

#[tokio::test]
async fn a_new_file_goes_to_its_folder_with_a_token_of_its_own() {
    let server = TestServer::start(server).await;
    let fileago = open_at(&server.url, &Arc::default());
    let (ticket, target, size) = fileago.prepare(&item("new.docx", Some(0))).unwrap();
    assert_eq!((size, ticket.id.as_deref(), ticket.folder.as_deref(), ticket.known_ids.len()), (0, None, Some("home"), 0));
    assert!(!server.lines().iter().any(|l| l.ends_with("/upload")), "the token is asked for when the form is about to leave");
    for _ in 0..2 {
        let form = target.form().await.unwrap();
        assert_eq!(form.url.as_str(), format!("{}/upload/UPLOADTOKEN", server.url));
        assert!(form.headers.is_empty() && form.fields.is_empty());
        assert_eq!((form.file_field.as_str(), form.file_name.as_str()), ("file", "new.docx"));
    }
    assert_eq!(server.lines().iter().filter(|l| *l == "GET /api/nodes/home/upload").count(), 2);
    assert_eq!(crate::model::secret::mask("/upload/UPLOADTOKEN"), "/upload/***");
}

#[tokio::test]
async fn a_replacement_is_a_revision_of_the_file() {
    let server = TestServer::start(server).await;
    let fileago = open_at(&server.url, &Arc::default());
    let old = fileago.stat(&place("w:/Invoice.docx")).await.unwrap();
    let replacing = UploadRequest { replaces: Some(old), siblings: list_siblings(&fileago).await, ..item("Invoice.docx", Some(493_135)) };
    let (ticket, target, _) = fileago.prepare(&replacing).unwrap();
    assert_eq!(ticket.known_ids, [format!("{INVOICE}#1#1538224353000")]);
    assert_eq!((ticket.id.as_deref(), target.node.as_str(), target.name.as_str()), (Some(INVOICE), INVOICE, "Invoice.docx"));
    target.form().await.unwrap();
    assert_eq!(server.last().line, format!("GET /api/nodes/{INVOICE}/upload"));
    assert!(fileago.find_uploaded(&ticket, Instant::now()).await.unwrap().is_none(), "the old revision is not ours, whatever its size");
}

#[tokio::test]
async fn what_is_refused_before_a_token_is_asked_for() {
    let server = TestServer::start(server).await;
    let fileago = open_at(&server.url, &Arc::default());
    let refused = |item: UploadRequest| fileago.prepare(&item).err().unwrap().kind();
    assert_eq!(refused(item("x", None)), Kind::NeedsSize);
    assert_eq!(refused(UploadRequest { protocol: Some(Protocol::Tus), ..item("x", Some(1)) }), Kind::Unsupported);
    assert!(server.lines().is_empty());
    let siblings = list_siblings(&fileago).await;
    let taken = |name: &str| UploadRequest { siblings: siblings.clone(), ..item(name, Some(1)) };
    assert_eq!(refused(taken("Invoice.docx")), Kind::Exists);
    assert_eq!(refused(taken("My Documents")), Kind::Exists);
    assert_eq!(fileago.check_name("~$letter.docx").unwrap_err().kind(), Kind::Refused);
    assert_eq!(fileago.check_name("a/b").unwrap_err().kind(), Kind::Refused);
    fileago.check_name("ü \"quoted\" <b>.docx").unwrap();
}

#[tokio::test]
async fn a_list_that_fails_is_no_answer() {
    let server = TestServer::start(|asked| if asked.line == "POST /auth" { auth() } else { (502, "", "<html>".to_owned()) }).await;
    let ticket =
        UploadHandle { path: RemotePath::parse("/x").unwrap(), folder: Some("home".into()), size: Some(1), ..UploadHandle::default() };
    let e = open_at(&server.url, &Arc::default()).find_uploaded(&ticket, Instant::now()).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Interrupted);
}

#[tokio::test]
async fn an_answer_is_judged_by_what_it_says() {
    let server = TestServer::start(server).await;
    let fileago = open_at(&server.url, &Arc::default());
    let (_, target, _) = fileago.prepare(&item("new.docx", Some(1))).unwrap();
    target.check_reply(reply(200, include_str!("../../../../fixtures/fileago/upload.json"))).unwrap();
    let e = target.check_reply(reply(200, r#"{"status":"error","msg":"Quota exceeded"}"#)).unwrap_err();
    assert_eq!((e.kind(), e.to_string()), (Kind::Refused, "/new.docx: the server refused: Quota exceeded".to_owned()));
}
