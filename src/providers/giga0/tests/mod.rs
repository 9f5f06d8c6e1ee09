//! The adapter against a scripted site: which requests leave, and what becomes of the answers.

#[cfg(test)]
pub(crate) mod fuzz;

mod changes;
mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::contract::{Kind, StoredToken};
use crate::model::{Address, EntryKind, RemotePath, Secret};
use crate::testing::MemoryTokens;
use crate::testing::server::{Answer, TestRequest, TestServer, ok, provider_context};

const AUTHORIZE: &str = include_str!("../../../../fixtures/giga0/authorize.json");
const LISTING: &str = include_str!("../../../../fixtures/giga0/folder_listing.json");
const STALE: &str =
    r#"{"response":"Could not validate access_token and account_id, please reauthenticate or try again.","_status":"error"}"#;

fn site(asked: &TestRequest) -> Answer {
    ok(match asked.line.trim_start_matches("POST /api/v2/") {
        "authorize" => AUTHORIZE,
        "account/info" => include_str!("../../../../fixtures/giga0/account_info.json"),
        "account/package" => include_str!("../../../../fixtures/giga0/account_package.json"),
        "folder/listing" => LISTING,
        "folder/info" => include_str!("../../../../fixtures/giga0/folder_info.json"),
        "folder/create" => include_str!("../../../../fixtures/giga0/folder_create.json"),
        "file/info" => include_str!("../../../../fixtures/giga0/file_info.json"),
        "file/download" => include_str!("../../../../fixtures/giga0/file_download.json"),
        "file/delete" => include_str!("../../../../fixtures/giga0/file_delete.json"),
        "file/edit" => include_str!("../../../../fixtures/giga0/file_edit.json"),
        "disable_access_token" => include_str!("../../../../fixtures/giga0/disable_access_token.json"),
        other => panic!("{other}"),
    })
}

fn open_at(url: &str, tokens: &Arc<MemoryTokens>) -> Giga0 {
    Giga0::new(provider_context(&[("url", url), ("username", "ann"), ("password", "p&ss wörd")], tokens)).unwrap()
}

fn place(text: &str) -> Place {
    Address::parse(text).unwrap().unwrap().place
}

fn file(id: u64, name: &str) -> Entry {
    Entry::new(EntryKind::File, format!("file:{id}"), RemotePath::root().join(name).unwrap())
}

#[tokio::test]
async fn signs_in_once_and_keeps_the_token() {
    let (server, tokens) = (TestServer::start(site).await, Arc::default());
    let account = open_at(&server.url, &tokens).sign_in().await.unwrap();
    assert_eq!(account.limits.file_size, Some(1 << 30));
    open_at(&server.url, &tokens).sign_in().await.unwrap();
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| l.ends_with("/authorize")).count(), 1, "{lines:?}");
    let asked = server.asked.lock()[0].clone();
    assert_eq!(asked.body, "username=ann&password=p%26ss+w%C3%B6rd");
    assert!(asked.head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"));
    assert!(server.last().body.starts_with("access_token=lGoVSof0") && server.last().body.ends_with("&account_id=158642"));
    let account = tokens.accounts().remove(0);
    assert_eq!(account, format!("giga0|{}/api/v2|ann", server.url));
}

#[tokio::test]
async fn keys_go_before_a_password() {
    let (server, tokens) = (TestServer::start(site).await, Arc::default());
    let settings = [("url", server.url.as_str()), ("username", "ann"), ("password", "pw"), ("key1", "1111"), ("key2", "2222")];
    Giga0::new(provider_context(&settings, &tokens)).unwrap().sign_in().await.unwrap();
    assert_eq!(server.asked.lock()[0].body, "key1=1111&key2=2222");
    assert!(!tokens.accounts().iter().any(|k| k.contains("1111")));
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = TestServer::start(site).await;
    for settings in
        [vec![("url", server.url.as_str())], vec![("url", &server.url), ("username", "ann")], vec![("url", &server.url), ("key1", "x")]]
    {
        let e = Giga0::new(provider_context(&settings, &Arc::default())).unwrap().sign_in().await.unwrap_err();
        assert_eq!(e.kind(), Kind::Auth);
        assert!(e.to_string().contains("`haul login my-remote`") && e.to_string().contains("HAUL_REMOTE_MY_REMOTE_"), "{e}");
    }
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn a_refused_sign_in_is_asked_once() {
    let server = TestServer::start(|_| ok(include_str!("../../../../fixtures/giga0/error.json"))).await;
    let giga0 = open_at(&server.url, &Arc::default());
    for _ in 0..3 {
        assert_eq!(giga0.sign_in().await.unwrap_err().kind(), Kind::Auth);
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_old_token_is_reported_and_renewed_on_demand() {
    let calls = AtomicUsize::new(0);
    let server = TestServer::start(move |asked| match asked.line.as_str() {
        "POST /api/v2/folder/listing" if calls.fetch_add(1, Ordering::SeqCst) == 0 => ok(STALE),
        _ => site(asked),
    })
    .await;
    let giga0 = open_at(&server.url, &Arc::default());
    let root = giga0.stat(&place("c:")).await.unwrap();
    assert_eq!(giga0.list(&root).await.unwrap_err().kind(), Kind::Expired);
    giga0.api.renew().await.unwrap();
    assert_eq!(giga0.list(&root).await.unwrap().len(), 6);
    giga0.api.renew().await.unwrap();
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|l| l.ends_with("/authorize")).count(), 2, "{lines:?}");
}

#[tokio::test]
async fn addresses() {
    let (server, tokens) = (TestServer::start(site).await, Arc::default());
    let giga0 = open_at(&server.url, &tokens);
    let found = giga0.stat(&place("c:/My Folder 1")).await.unwrap();
    assert_eq!((found.id.as_str(), found.path.to_string()), ("123", "/My Folder 1".to_owned()));
    let by_id = giga0.stat(&place("c:@123")).await.unwrap();
    assert_eq!((by_id.name.as_str(), by_id.path.is_root(), by_id.is_folder()), ("My Folder 1", true, true));
    assert!(server.last().body.ends_with("&folder_id=123&parent_folder_id=123"));
    let inside = giga0.stat(&place("c:@123/button_back.gif")).await.unwrap();
    assert_eq!((inside.id.as_str(), inside.size), ("file:1161", Some(1116)));
    assert_eq!(giga0.stat(&place("c:@file:1253")).await.unwrap().id, "file:1253");
    assert_eq!(giga0.stat(&place("c:@short:2Vv")).await.unwrap().name, "sample4_l.jpg");
    assert!(server.lines().contains(&"POST /api/v2/file/download".to_owned()));
    for missing in ["c:/none", "c:@999", "c:@file:1253/x", "c:/button_back.gif/x"] {
        assert_eq!(giga0.stat(&place(missing)).await.unwrap_err().kind(), Kind::NotFound, "{missing}");
    }
    assert_eq!(giga0.list(&file(1161, "button_back.gif")).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn the_trash_is_not_listed() {
    let server = TestServer::start(|asked| match asked.line.ends_with("folder/listing") {
        true => ok(r#"{"_status":"success","data":{"folders":false,"files":[
            {"id":1,"filename":"a","fileSize":"3","status":"active"},{"id":2,"filename":"b","status":"trash"},{"id":3,"filename":"c"}]}}"#),
        false => site(asked),
    })
    .await;
    let giga0 = open_at(&server.url, &Arc::default());
    let listed = giga0.list(&giga0.stat(&place("c:")).await.unwrap()).await.unwrap();
    assert_eq!(listed.iter().map(|e| e.name).collect::<Vec<_>>(), ["a", "c"]);
}

#[tokio::test]
async fn a_folder_is_private_and_known_by_the_answers_id() {
    let server = TestServer::start(site).await;
    let giga0 = open_at(&server.url, &Arc::default());
    let root = giga0.stat(&place("c:")).await.unwrap();
    let made = giga0.create(&root, "My New Folder").await.unwrap();
    assert_eq!((made.id.as_str(), made.path.to_string(), made.is_folder()), ("125", "/My New Folder".to_owned(), true));
    assert!(server.last().body.ends_with("&folder_name=My+New+Folder&is_public=0"), "{}", server.last().body);
    giga0.create(&made, "x").await.unwrap();
    assert!(server.last().body.ends_with("&folder_name=x&is_public=0&parent_id=125"));
}

#[tokio::test]
async fn a_swap_trashes_the_old_and_renames_the_new() {
    let server = TestServer::start(site).await;
    let giga0 = open_at(&server.url, &Arc::default());
    let mut new = file(1253, "sample4 (2).jpg");
    (new.size, new.md5) = (Some(5), Some("0".repeat(32)));
    let placed = giga0.replace(&file(9, "sample4.jpg"), &new, "sample4.jpg").await.unwrap();
    assert_eq!(
        (placed.id.as_str(), placed.name.as_str(), placed.path.to_string()),
        ("file:1253", "sample4.jpg", "/sample4.jpg".to_owned())
    );
    assert_eq!((placed.size, placed.md5), (Some(5), new.md5.clone()));
    let bodies: Vec<String> = server.asked.lock().iter().skip(1).map(|a| a.body.split("158642&").last().unwrap().to_owned()).collect();
    assert_eq!(bodies, ["file_id=9", "file_id=1253&filename=sample4.jpg"]);
}

#[tokio::test]
async fn a_failed_swap_says_what_is_left() {
    for (call, answer, kind, said) in [
        (
            "file/delete",
            r#"{"_status":"error","response":"Not allowed"}"#,
            Kind::Refused,
            "the older one, \"a.jpg\" (@file:9), could not be removed",
        ),
        (
            "file/edit",
            r#"{"_status":"error","response":"Not allowed"}"#,
            Kind::Refused,
            "still named \"a (2).jpg\" (@file:10) instead of \"a.jpg\"",
        ),
        (
            "file/edit",
            r#"{"_status":"success","data":{"id":"10","filename":"a (2).jpg"}}"#,
            Kind::Refused,
            "the older one (@file:9) is in the trash",
        ),
    ] {
        let server = TestServer::start(move |asked| if asked.line.ends_with(call) { ok(answer) } else { site(asked) }).await;
        let giga0 = open_at(&server.url, &Arc::default());
        let e = giga0.replace(&file(9, "a.jpg"), &file(10, "a (2).jpg"), "a.jpg").await.unwrap_err();
        assert_eq!(e.kind(), kind);
        assert!(e.to_string().contains(said), "{e}");
    }
    // Gone already: an earlier try has removed it.
    let server = TestServer::start(|asked| match asked.line.ends_with("file/delete") {
        true => ok(r#"{"_status":"error","response":"Could not find file based on file_id."}"#),
        false => site(asked),
    })
    .await;
    let placed = open_at(&server.url, &Arc::default()).replace(&file(9, "sample4.jpg"), &file(1253, "x (2)"), "sample4.jpg").await;
    assert_eq!(placed.unwrap().name, "sample4.jpg");
}

#[tokio::test]
async fn signing_out_revokes_the_token() {
    let (server, tokens) = (TestServer::start(site).await, Arc::new(MemoryTokens::default()));
    let giga0 = open_at(&server.url, &tokens);
    assert!(!giga0.sign_out().await.unwrap(), "nothing to revoke");
    assert!(server.lines().is_empty());
    giga0.sign_in().await.unwrap();
    assert!(giga0.sign_out().await.unwrap());
    assert_eq!(server.last().line, "POST /api/v2/disable_access_token");
    assert!(tokens.accounts().is_empty());
}

#[tokio::test]
async fn a_kept_token_without_its_account_is_replaced() {
    let (server, tokens) = (TestServer::start(site).await, Arc::new(MemoryTokens::default()));
    let label = format!("giga0|{}/api/v2|ann", server.url);
    tokens.put(&label, StoredToken { token: Secret::new("half-a-token"), fields: vec![] });
    let giga0 = open_at(&server.url, &tokens);
    assert_eq!(giga0.sign_in().await.unwrap_err().kind(), Kind::Expired);
    giga0.renew_token().await.unwrap();
    giga0.sign_in().await.unwrap();
}
