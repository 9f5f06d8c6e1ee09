//! The adapter against a scripted server: which requests leave, and what becomes of the answers.

#[cfg(test)]
pub(crate) mod fuzz;

mod changes;
mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::contract::{Kind, StoredToken};
use crate::model::{Address, EntryKind, RemotePath, Secret};
use crate::testing::MemoryTokens;
use crate::testing::server::{Answer, TestRequest, TestServer, ok, provider_context};

const DIRLIST: &str = include_str!("../../../../fixtures/fileago/dirlist.json");
const INVOICE: &str = "1339025b-d6e4-4c1e-9c62-85fc65ee0118";

fn auth() -> Answer {
    ok(r#"{"status":"success","msg":"Login successful.","token":"session-token","fileaccesskey":"file-access-key","uuid":"u"}"#)
}

fn server(asked: &TestRequest) -> Answer {
    match asked.line.as_str() {
        "POST /auth" => auth(),
        "GET /api/groups/" => ok(r#"{"status":"success","data":[{"group_name":"Editors","group_uuid":"g1"}]}"#),
        "GET /api/nodes/home" => ok(include_str!("../../../../fixtures/fileago/details.json")),
        "GET /api/nodes/home/dirlist" | "GET /api/nodes/home:g1/dirlist" | "GET /api/nodes/trash/dirlist" => ok(DIRLIST),
        "GET /api/nodes/d27fd3e2-2a5e-40c2-abc3-74f6734b190f" => ok(include_str!("../../../../fixtures/fileago/details.json")),
        line if line.ends_with("/upload") => ok(include_str!("../../../../fixtures/fileago/upload_token.json")),
        "POST /api/nodes/home" => (204, "", String::new()),
        _ => (404, "", r#"{"status":"error","msg":"Node not found"}"#.to_owned()),
    }
}

fn open_at(url: &str, tokens: &Arc<MemoryTokens>) -> FileAgo {
    FileAgo::new(provider_context(&[("url", url), ("username", "a@b.c"), ("password", "p&ss")], tokens)).unwrap()
}

fn place(text: &str) -> Place {
    Address::parse(text).unwrap().unwrap().place
}

#[tokio::test]
async fn signs_in_with_json_and_keeps_the_token() {
    let (server, tokens) = (TestServer::start(server).await, Arc::new(MemoryTokens::default()));
    let account = open_at(&server.url, &tokens).sign_in().await.unwrap();
    assert_eq!((account.account.as_deref(), account.extra["fullname"].as_str()), (Some("a@b.c"), Some("John Doe")));
    assert!(account.warnings.is_empty());
    open_at(&server.url, &tokens).sign_in().await.unwrap();
    let (home, groups) = ("GET /api/nodes/home", "GET /api/groups/");
    assert_eq!(server.lines(), ["POST /auth", home, groups, home, groups]);
    assert_eq!(account.extra["groups"], serde_json::json!([{"name": "Editors", "uuid": "g1"}]));
    let first = server.asked.lock()[0].clone();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&first.body).unwrap(),
        serde_json::json!({"username": "a@b.c", "password": "p&ss"})
    );
    assert!(first.head.to_lowercase().contains("content-type: application/json") && !first.head.to_lowercase().contains("authorization"));
    assert!(server.last().head.to_lowercase().contains("authorization: bearer session-token"));
    let token = tokens.get(&format!("fileago|{}/|a@b.c", server.url)).unwrap();
    assert_eq!(token.field("fileaccesskey").unwrap().expose(), "file-access-key");
}

#[tokio::test]
async fn the_admin_is_warned() {
    let server = TestServer::start(|asked| if asked.line == "POST /auth" { auth() } else { (404, "", String::new()) }).await;
    let settings = [("url", server.url.as_str()), ("username", "admin"), ("password", "pw")];
    let account = FileAgo::new(provider_context(&settings, &Arc::default())).unwrap().sign_in().await.unwrap();
    assert!(account.warnings[0].contains("no storage"));
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = TestServer::start(server).await;
    for settings in [vec![("url", server.url.as_str())], vec![("url", &server.url), ("username", "a@b.c")]] {
        let e = FileAgo::new(provider_context(&settings, &Arc::default())).unwrap().sign_in().await.unwrap_err();
        assert_eq!(e.kind(), Kind::Auth);
        assert!(e.to_string().contains("`haul login my-remote`"), "{e}");
    }
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn a_refused_sign_in_is_asked_once() {
    let server = TestServer::start(|_| (401, "", r#"{"status":"error","msg":"Invalid password"}"#.to_owned())).await;
    let fileago = open_at(&server.url, &Arc::default());
    for _ in 0..3 {
        assert_eq!(fileago.sign_in().await.unwrap_err().kind(), Kind::Auth);
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_rejected_token_is_reported_and_renewed_on_demand() {
    let calls = AtomicUsize::new(0);
    let server = TestServer::start(move |asked| match asked.line.as_str() {
        "GET /api/nodes/home/dirlist" if calls.fetch_add(1, Ordering::SeqCst) == 0 => (401, "", String::new()),
        _ => server(asked),
    })
    .await;
    let fileago = open_at(&server.url, &Arc::default());
    let home = fileago.stat(&place("w:")).await.unwrap();
    assert_eq!(fileago.list(&home).await.unwrap_err().kind(), Kind::Expired);
    fileago.renew_token().await.unwrap();
    assert_eq!(fileago.list(&home).await.unwrap().len(), 2);
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| *l == "POST /auth").count(), 2, "{lines:?}");
}

/// The token of an earlier run may have been made for another address; a refusal of a fresh one is a refusal.
#[tokio::test]
async fn a_kept_token_that_meets_403_is_renewed_once() {
    let page = || (403, "", "<html>Forbidden".to_owned());
    let server = TestServer::start(move |asked| match asked.line.as_str() {
        "GET /api/nodes/no-right" => page(),
        line if line != "POST /auth" && asked.head.contains("kept-token") => page(),
        _ => server(asked),
    })
    .await;
    let tokens = Arc::new(MemoryTokens::default());
    let account = format!("fileago|{}/|a@b.c", server.url);
    tokens.put(&account, StoredToken { token: Secret::new("kept-token"), fields: vec![] });
    let fileago = open_at(&server.url, &tokens);
    let home = fileago.stat(&place("w:")).await.unwrap();
    assert_eq!(fileago.list(&home).await.unwrap_err().kind(), Kind::Expired);
    fileago.renew_token().await.unwrap();
    assert_eq!(fileago.list(&home).await.unwrap().len(), 2);
    assert_eq!(fileago.stat(&place("w:@no-right")).await.unwrap_err().kind(), Kind::Refused);
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| *l == "POST /auth").count(), 1, "{lines:?}");
}

/// Where haul can't sign in, a refusal stays a refusal, and the rest of the run goes on with the kept token.
#[tokio::test]
async fn a_kept_token_that_meets_403_and_cannot_be_renewed_stays_in_use() {
    let server = TestServer::start(move |asked| match asked.line.as_str() {
        "POST /auth" => (401, "", r#"{"status":"error","msg":"Invalid password"}"#.to_owned()),
        "GET /api/nodes/no-right" => (403, "", r#"{"status":"error","msg":"You have no read permission"}"#.to_owned()),
        "GET /api/nodes/ended" => (401, "", String::new()),
        _ => server(asked),
    })
    .await;
    let without = vec![("url", server.url.as_str()), ("username", "a@b.c")];
    let wrong = [without.clone(), vec![("password", "old")]].concat();
    for (settings, sign_ins) in [(without, 0), (wrong, 1)] {
        let tokens = Arc::new(MemoryTokens::default());
        let kept = StoredToken { token: Secret::new("kept-token"), fields: vec![] };
        tokens.put(&format!("fileago|{}/|a@b.c", server.url), kept.clone());
        server.asked.lock().clear();
        let fileago = FileAgo::new(provider_context(&settings, &tokens)).unwrap();
        let home = fileago.stat(&place("w:")).await.unwrap();
        assert_eq!(fileago.api.details("no-right").await.err().unwrap().kind(), Kind::Expired, "it may be of another address");
        // Who asked because a download was refused tells the same once more.
        fileago.api.reject(&kept).await;
        assert_eq!(fileago.list(&home).await.unwrap().len(), 2, "another worker");
        fileago.renew_token().await.unwrap();
        let refused = fileago.api.details("no-right").await.err().unwrap();
        assert_eq!((refused.kind(), refused.status_code()), (Kind::Refused, Some(403)), "{refused}");
        assert_eq!(fileago.list(&home).await.unwrap().len(), 2);
        let lines = server.lines();
        assert_eq!(lines.iter().filter(|l| *l == "POST /auth").count(), sign_ins, "{lines:?}");
        assert_eq!(fileago.api.details("ended").await.err().unwrap().kind(), Kind::Expired);
        assert_eq!(fileago.renew_token().await.unwrap_err().kind(), Kind::Auth, "this one has really ended");
    }
}

fn jwt_until(seconds: i64) -> String {
    format!("e30.{}.sig{seconds}", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{seconds}}}"#)))
}

#[tokio::test]
async fn a_kept_token_that_has_ended_is_renewed_before_it_is_used() {
    let (server, tokens) = (TestServer::start(server).await, Arc::new(MemoryTokens::default()));
    let account = format!("fileago|{}/|a@b.c", server.url);
    tokens.put(&account, StoredToken { token: Secret::new(jwt_until(1_538_706_022)), fields: vec![] });
    open_at(&server.url, &tokens).sign_in().await.unwrap();
    assert_eq!(server.lines(), ["POST /auth", "GET /api/nodes/home", "GET /api/groups/"]);
}

#[tokio::test]
async fn clocks_that_differ_cause_no_flood_of_sign_ins() {
    let server = TestServer::start(|asked| match asked.line.as_str() {
        "POST /auth" => ok(serde_json::json!({"status": "success", "token": jwt_until(1_538_706_022)}).to_string()),
        _ => server(asked),
    })
    .await;
    let fileago = open_at(&server.url, &Arc::default());
    for _ in 0..3 {
        fileago.sign_in().await.unwrap();
    }
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| *l == "POST /auth").count(), 1, "{lines:?}");
}

#[tokio::test]
async fn addresses() {
    let server = TestServer::start(|asked| match asked.line.strip_prefix("GET /api/nodes/") {
        Some(id) if id == INVOICE => ok(format!(r#"{{"data":{{"name":"Invoice.docx","type":"File","uuid":"{INVOICE}"}}}}"#)),
        Some(id) if id == format!("{INVOICE}/path") => {
            ok(format!(r#"{{"data":[{{"name":"Home","uuid":"home"}},{{"name":"Invoice.docx","uuid":"{INVOICE}"}}]}}"#))
        }
        Some("alone") => ok(r#"{"data":{"name":"x","type":"File","uuid":"alone"}}"#),
        Some("alone/path") => (403, "", String::new()),
        _ => server(asked),
    })
    .await;
    let fileago = open_at(&server.url, &Arc::default());
    let home = fileago.stat(&place("w:")).await.unwrap();
    assert_eq!((home.id.as_str(), home.name.as_str()), ("home", "/"));
    let file = fileago.stat(&place("w:/Invoice.docx")).await.unwrap();
    assert_eq!((file.id.as_str(), file.size, file.path.to_string()), (INVOICE, Some(493_135), "/Invoice.docx".to_owned()));
    let group = fileago.stat(&place("w:@home:g1/My Documents")).await.unwrap();
    assert_eq!((group.is_folder(), group.size), (true, None));
    assert_eq!(server.last().line, "GET /api/nodes/home:g1/dirlist");
    let trash = fileago.stat(&place("w:@trash")).await.unwrap();
    assert_eq!((trash.id.as_str(), trash.name.as_str(), fileago.list(&trash).await.unwrap().len()), ("trash", "trash", 2));
    let folder = fileago.stat(&place("w:@d27fd3e2-2a5e-40c2-abc3-74f6734b190f")).await.unwrap();
    assert_eq!((folder.name.as_str(), folder.path.is_root()), ("Misc", true));
    let by_id = fileago.stat(&place(&format!("w:@{INVOICE}"))).await.unwrap();
    assert_eq!((by_id.size, by_id.extra["revision"].as_u64()), (Some(493_135), Some(1)), "from the folder's list");
    let alone = fileago.stat(&place("w:@alone")).await.unwrap();
    assert_eq!((alone.name.as_str(), alone.size), ("x", None), "the folder may not be seen");
    for missing in ["w:/none", "w:@nothing", &format!("w:@{INVOICE}/x"), "w:/Invoice.docx/x", "w:@.."] {
        assert_eq!(fileago.stat(&place(missing)).await.unwrap_err().kind(), Kind::NotFound, "{missing}");
    }
}

#[tokio::test]
async fn a_new_folder_is_known_by_the_list() {
    let server = TestServer::start(server).await;
    let fileago = open_at(&server.url, &Arc::default());
    let home = fileago.stat(&place("w:")).await.unwrap();
    let made = fileago.create(&home, "My Documents").await.unwrap();
    assert_eq!((made.id.as_str(), made.is_folder()), ("50a3495d-9da5-469a-a971-57f2fe97a6fa", true));
    let asked = server.asked.lock().iter().find(|a| a.line == "POST /api/nodes/home").cloned().unwrap();
    assert_eq!(asked.body, r#"{"new_dir":"My Documents"}"#);
    assert_eq!(fileago.create(&home, "never listed").await.unwrap_err().kind(), Kind::Protocol);
}

#[tokio::test]
async fn a_folder_that_somebody_else_made_first_is_taken() {
    let server = TestServer::start(|asked| match asked.line.as_str() {
        "POST /api/nodes/home" => (400, "", r#"{"status":"error","msg":"A node with this name already exists"}"#.to_owned()),
        _ => server(asked),
    })
    .await;
    let fileago = open_at(&server.url, &Arc::default());
    let home = fileago.stat(&place("w:")).await.unwrap();
    assert_eq!(fileago.create(&home, "My Documents").await.unwrap().name, "My Documents");
    // A file of that name is no folder.
    assert_eq!(fileago.create(&home, "Invoice.docx").await.unwrap_err().kind(), Kind::Exists);
}

#[tokio::test]
async fn signing_out_only_forgets() {
    let (server, tokens) = (TestServer::start(server).await, Arc::new(MemoryTokens::default()));
    let fileago = open_at(&server.url, &tokens);
    fileago.sign_in().await.unwrap();
    assert!(!fileago.sign_out().await.unwrap());
    assert!(tokens.accounts().is_empty());
    assert_eq!(server.lines().len(), 3);
}
