//! Uploads against the scripted server, up to the form and from its answer on.

use super::*;
use crate::protocols::multipart::FormTarget;
use crate::testing::server::reply;
use crate::testing::{MemorySource, upload_request};

fn item(size: u64) -> UploadRequest {
    let folder = Entry::new(EntryKind::Folder, "125", RemotePath::parse("/x").unwrap());
    upload_request(MemorySource::only_size(Some(size)), folder, "button_back.gif")
}

async fn beside(giga0: &Giga0, item: UploadRequest) -> UploadRequest {
    UploadRequest { siblings: giga0.list(&item.folder).await.unwrap().into(), ..item }
}

#[tokio::test]
async fn an_upload_is_one_form_and_its_answer_names_the_file() {
    let server = TestServer::start(site).await;
    let giga0 = open_at(&server.url, &Arc::default());
    let (target, size) = giga0.prepare(&beside(&giga0, item(149_084)).await).await.unwrap();
    assert_eq!((size, target.ticket.known_ids.as_slice()), (149_084, ["file:1161".to_owned()].as_slice()));
    let form = target.form().await.unwrap();
    assert_eq!(form.url.as_str(), format!("{}/api/v2/file/upload", server.url));
    assert_eq!(form.fields.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["access_token", "account_id", "folder_id"]);
    assert_eq!((form.fields[2].1.as_str(), form.file_field.as_str(), form.file_name.as_str()), ("125", "upload_file", "button_back.gif"));

    let ticket = target.ticket.clone();
    assert!(giga0.find_uploaded(&ticket, Instant::now()).await.unwrap().is_none());
    target.check_reply(reply(200, include_str!("../../../../fixtures/giga0/file_upload.json"))).unwrap();
    let stored = giga0.find_uploaded(&ticket, Instant::now()).await.unwrap().unwrap();
    assert_eq!((stored.id.as_str(), stored.path.to_string()), ("file:1253", "/x/sample4_l.jpg".to_owned()), "the stored name counts");
    assert_eq!((stored.size, stored.md5.as_deref()), (Some(149_084), Some("2f4105bc2c626232544275c2d890168b")));

    giga0.prepare(&item(1)).await.unwrap();
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| l.ends_with("/account/package")).count(), 1, "{lines:?}");
    assert_eq!(giga0.prepare(&item((1 << 30) + 1)).await.err().unwrap().kind(), Kind::Refused);
}

#[tokio::test]
async fn a_lost_answer_is_found_in_the_folder() {
    let server = TestServer::start(site).await;
    let giga0 = open_at(&server.url, &Arc::default());
    let mut ticket = giga0.prepare(&beside(&giga0, item(1116)).await).await.unwrap().0.ticket;
    assert!(giga0.find_uploaded(&ticket, Instant::now()).await.unwrap().is_none(), "it was there before");
    ticket.known_ids.clear();
    assert_eq!(giga0.find_uploaded(&ticket, Instant::now()).await.unwrap().unwrap().id, "file:1161");
}

#[tokio::test]
async fn a_lost_upload_is_not_another_file_of_the_run() {
    let server = TestServer::start(|asked| match asked.line.as_str() {
        "POST /api/v2/folder/listing" => ok(LISTING.replace("1161", "1253").replace("button_back.gif", "button_back (2).gif")),
        _ => site(asked),
    })
    .await;
    let giga0 = open_at(&server.url, &Arc::default());
    let replacing = UploadRequest { replaces: Some(file(1161, "button_back.gif")), ..item(1116) };
    let lost = giga0.prepare(&replacing).await.unwrap().0.ticket;
    let other = giga0.prepare(&UploadRequest { name: "button_back (2).gif".into(), ..item(1116) }).await.unwrap().0;
    let answer = include_str!("../../../../fixtures/giga0/file_upload.json").replace("sample4_l.jpg", "button_back (2).gif");
    other.check_reply(reply(200, answer)).unwrap();
    assert!(giga0.find_uploaded(&lost, Instant::now()).await.unwrap().is_none());
    assert_eq!(giga0.find_uploaded(&other.ticket, Instant::now()).await.unwrap().unwrap().id, "file:1253");
}

#[tokio::test]
async fn an_upload_with_an_old_token_renews_it_once() {
    let server = TestServer::start(site).await;
    let giga0 = open_at(&server.url, &Arc::default());
    let (target, _) = giga0.prepare(&item(5)).await.unwrap();
    target.form().await.unwrap();
    assert_eq!(target.check_reply(reply(200, STALE)).unwrap_err().kind(), Kind::Expired);
    giga0.renew_token().await.unwrap();
    giga0.renew_token().await.unwrap();
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| l.ends_with("/authorize")).count(), 2, "{lines:?}");
}
