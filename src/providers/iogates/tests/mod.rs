//! Whole conversations with a server that plays back answers: what is asked, how often, and what is made of it.

#[cfg(test)]
pub(crate) mod fuzz;

use std::sync::Arc;

use tokio::time::Instant;

use super::upload::entry_pool::EmptyEntry;
use super::upload::make_entry::entry_for;
use super::{IoGates, upload};
use crate::contract::{Browse, Checksum, FindUploaded, Kind, Lookup, Provider, Result, UploadHandle, UploadRequest};
use crate::model::{Entry, EntryKind, Place, Protocol, RemotePath, Root};
use crate::providers::iogates::wire::examples::*;
use crate::testing::server::{TestServer, provider_context};
use crate::testing::{MemorySource, upload_request};

const ONE_FOLDER: &str = r#"{"files": [{"id": 1, "name": "Show", "type": "dir", "parent": null}], "map": []}"#;
const WITH_NEW_ENTRY: &str = r#"{"files": [
    {"id": 1, "name": "Show", "type": "dir", "parent": null},
    {"id": 61463, "name": "clip.mp4", "type": "video/mp4", "parent": "1", "download": null, "md5": null}
], "map": []}"#;
const TWINS: &str = r#"{"files": [
    {"id": 1, "name": "Show", "type": "dir", "parent": null},
    {"id": 2, "name": "Show", "type": "dir", "parent": null}
], "map": []}"#;

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

fn item(folder_id: &str) -> UploadRequest {
    let folder = Entry::new(EntryKind::Folder, folder_id, path("/Show"));
    let checksum = Checksum { md5: Some("2d53a2f20ffc76c89848b6a47c97d5d8".into()), from_remote: false };
    UploadRequest { checksum, ..upload_request(MemorySource::only_size(Some(1234)), folder, "clip.mp4") }
}

fn empty_entry() -> EmptyEntry {
    EmptyEntry { id: "61463".into(), upload_name: "56f06ba8311c2".into(), size: None, md5: None }
}

/// Signed in with a token, so that each conversation begins with what it is about.
fn with_token(server: &TestServer) -> IoGates {
    IoGates::new(provider_context(&[("url", &server.url), ("token", "33c666119")], &Arc::default())).unwrap()
}

fn with_password(server: &TestServer) -> IoGates {
    IoGates::new(provider_context(&[("url", &server.url), ("username", "ann"), ("password", "correct horse")], &Arc::default())).unwrap()
}

fn with_share(server: &TestServer) -> IoGates {
    IoGates::new(provider_context(&[("share_url", &format!("{}/show/15/ab12cd34/ef56", server.url))], &Arc::default())).unwrap()
}

async fn make(host: &IoGates, item: &UploadRequest) -> Result<EmptyEntry> {
    entry_for(host, item, &item.path().unwrap()).await.map(|(_, made)| made)
}

#[tokio::test]
async fn a_user_signs_in_once_and_shows_the_token_in_every_spelling() {
    let server = TestServer::in_order(&[(200, TOKEN), (200, AUTHINFO), (200, FILES)]).await;
    let host = with_password(&server);
    let account = host.sign_in().await.unwrap();
    assert_eq!(account.account.as_deref(), Some("ann"));
    assert_eq!(host.stat(&Place::at(path("/Show"))).await.unwrap().id, "61460");
    let token = "123-BodrEJHrC43KejPcM0nzTl05gUMi3i8ruzGN";
    assert_eq!(server.lines(), ["POST /api/authtoken", &format!("GET /api/authinfo/{token}"), "GET /api/files"]);
    let asked = server.texts();
    assert!(asked[0].contains(r#"{"username":"ann","password":"correct horse","deviceId":"haul-"#), "{}", asked[0]);
    assert!(!asked[0].contains("authori"), "{}", asked[0]);
    for request in &asked[1..] {
        for header in [format!("authorization: Bearer {token}"), format!("authorisation: Bearer {token}"), format!("token: {token}")] {
            assert!(request.contains(&format!("\r\n{header}\r\n")), "{header} in {request}");
        }
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_reported_and_not_repeated() {
    let server = TestServer::in_order(&[(403, r#"{"message": "wrong: correct horse"}"#)]).await;
    let error = with_password(&server).sign_in().await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::Auth, Some(403)));
    assert_eq!(server.lines(), ["POST /api/authtoken"]);
}

#[tokio::test]
async fn a_stale_token_is_expired_and_renewed_once() {
    let server = TestServer::in_order(&[(200, TOKEN), (401, ""), (200, r#"{"token": "124-New"}"#), (200, FILES)]).await;
    let host = with_password(&server);
    let root = Place::at(RemotePath::root());
    assert_eq!(host.stat(&root).await.unwrap_err().kind(), Kind::Expired);
    host.renew_token().await.unwrap();
    host.renew_token().await.unwrap();
    assert_eq!(host.stat(&root).await.unwrap().id, "0");
    assert_eq!(server.lines(), ["POST /api/authtoken", "GET /api/files", "POST /api/authtoken", "GET /api/files"]);
    assert!(server.texts()[3].contains("\r\ntoken: 124-New\r\n"));
    let device = |request: &str| request.split_once("deviceId").map(|(_, rest)| rest[..40].to_owned());
    assert_eq!(device(&server.texts()[0]), device(&server.texts()[2]));
}

#[tokio::test]
async fn a_share_that_wants_an_sms_code_says_so() {
    let server = TestServer::in_order(&[(200, r#"{"token": "77-Share"}"#), (401, ""), (200, r#"{"two_factor": true}"#)]).await;
    let error = with_share(&server).sign_in().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.to_string().contains("SMS"), "{error}");
    assert_eq!(server.lines(), ["POST /api/authtoken", "GET /api/authinfo/77-Share", "GET /api/share"]);
    let body = format!(r#"{{"url":"{}/show/15/ab12cd34/ef56","deviceId":"#, server.url);
    assert!(server.texts()[0].contains(&body), "{}", server.texts()[0]);
}

#[tokio::test]
async fn a_share_for_downloads_only_can_still_be_listed() {
    let answers = [(200, r#"{"token": "78-Share"}"#), (403, "{}"), (200, SHARE), (200, FILES), (200, SHARE)];
    let server = TestServer::in_order(&answers).await;
    let host = with_share(&server);
    let account = host.sign_in().await.unwrap();
    assert_eq!((account.account.as_deref(), account.limits.may_upload), (Some("Rushes for the editor"), Some(false)));
    let root = host.stat(&Place::at(RemotePath::root())).await.unwrap();
    assert_eq!(host.list(&root).await.unwrap().len(), 3);
    let day = host.stat(&Place { root: Root::Id("61462".into()), path: RemotePath::root() }).await.unwrap();
    assert_eq!(host.list(&day).await.unwrap().len(), 1);
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /api/files").count(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_listing_is_not_an_empty_account() {
    let server = TestServer::in_order(&[(200, r#"{"message": "later"}"#)]).await;
    let error = with_token(&server).stat(&Place::at(path("/Show"))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn an_entry_is_made_with_path_type_size_and_md5() {
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (201, FILE_CREATED)]).await;
    let made = make(&with_token(&server), &item("1")).await.unwrap();
    assert_eq!((made.id.as_str(), made.upload_name.as_str(), made.size), ("61463", "56f06ba8311c2", Some(1234)));
    let request = server.texts().pop().unwrap();
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, r#"{"name":"Show/clip.mp4","type":"video/mp4","size":1234,"md5":"2d53a2f20ffc76c89848b6a47c97d5d8"}"#);
}

#[tokio::test]
async fn a_folder_whose_path_is_not_its_own_is_named_by_id() {
    let server = TestServer::in_order(&[(200, TWINS), (200, FILE_CREATED)]).await;
    make(&with_token(&server), &item("2")).await.unwrap();
    let request = server.texts().pop().unwrap();
    assert!(request.contains(r#"{"name":"clip.mp4","type":"video/mp4","parent":"2","#), "{request}");

    let server = TestServer::in_order(&[(200, TWINS)]).await;
    assert_eq!(make(&with_token(&server), &item("")).await.unwrap_err().kind(), Kind::Ambiguous);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_the_entry_is_not_made_twice() {
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (0, ""), (200, WITH_NEW_ENTRY), (200, FILE_CREATED)]).await;
    assert_eq!(make(&with_token(&server), &item("1")).await.unwrap(), empty_entry());
    assert_eq!(server.lines(), ["GET /api/files", "POST /api/file", "GET /api/files", "GET /api/file/61463"]);
}

/// As the documentation's example of `GET /api/file/{id}` has it.
#[tokio::test]
async fn an_entry_that_does_not_tell_its_upload_name_again_is_left_and_told() {
    let silent = FILE_CREATED.replace("upload_filename", "none");
    let second = FILE_CREATED.replace("61463", "61464");
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (0, ""), (200, WITH_NEW_ENTRY), (200, &silent), (200, &second)]).await;
    let host = with_token(&server);
    assert_eq!(make(&host, &item("1")).await.unwrap_err().kind(), Kind::Interrupted, "made again by the next try");
    assert_eq!(make(&host, &item("1")).await.unwrap().id, "61464");
    assert_eq!(server.lines().iter().filter(|line| *line == "POST /api/file").count(), 2);
    assert_eq!(host.making.orphans(), ["61463"]);
}

#[tokio::test]
async fn a_lost_answer_that_made_nothing_may_be_repeated() {
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (502, "<html>"), (200, ONE_FOLDER), (200, FILE_CREATED)]).await;
    let host = with_token(&server);
    assert_eq!(make(&host, &item("1")).await.unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(make(&host, &item("1")).await.unwrap().id, "61463");
    assert_eq!(server.lines(), ["GET /api/files", "POST /api/file", "GET /api/files", "POST /api/file"]);
}

#[tokio::test]
async fn a_doubt_that_could_not_be_cleared_is_cleared_first() {
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (0, ""), (0, ""), (200, WITH_NEW_ENTRY), (200, FILE_CREATED)]).await;
    let host = with_token(&server);
    assert_eq!(make(&host, &item("1")).await.unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(make(&host, &item("1")).await.unwrap(), empty_entry());
    assert_eq!(server.lines().iter().filter(|line| *line == "POST /api/file").count(), 1);
}

#[tokio::test]
async fn a_lost_answer_without_the_right_to_look_stays_unknown() {
    let server = TestServer::in_order(&[(403, "{}"), (0, "")]).await;
    assert_eq!(make(&with_token(&server), &item("1")).await.unwrap_err().kind(), Kind::Unknown);
}

#[tokio::test]
async fn an_entry_without_bytes_is_used_again() {
    let server = TestServer::in_order(&[(200, ONE_FOLDER), (200, FILE_CREATED)]).await;
    let host = with_token(&server);
    let item = item("1");
    let (spot, first) = entry_for(&host, &item, &item.path().unwrap()).await.unwrap();
    host.making.release(spot, first.clone());
    assert_eq!(make(&host, &item).await.unwrap(), first);
    let ticket =
        UploadHandle { path: item.path().unwrap(), id: Some("9".into()), upload_name: Some("abc".into()), ..UploadHandle::default() };
    let again = UploadRequest { reusable: Some(ticket), ..item };
    assert_eq!(make(&host, &again).await.unwrap().upload_name, "abc");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn names_to_upload_under_that_would_break_a_command_are_refused() {
    for name in [r"a\r\nDELE x", "../a", "a/b", r"a\u0000", ".."] {
        let created = FILE_CREATED.replace("56f06ba8311c2", name);
        let server = TestServer::in_order(&[(200, ONE_FOLDER), (200, &created)]).await;
        assert_eq!(make(&with_token(&server), &item("1")).await.unwrap_err().kind(), Kind::Protocol, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_leaves_no_entry_behind() {
    let server = TestServer::in_order(&[(200, AUTHINFO)]).await;
    let host = with_token(&server);
    let large = UploadRequest { source: MemorySource::only_size(Some(600_000_000)), ..item("1") };
    assert_eq!(host.open_upload(&large).await.err().unwrap().kind(), Kind::Refused);
    let forced = UploadRequest { protocol: Some(Protocol::Ftp), ..item("1") };
    let error = host.open_upload(&forced).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().ends_with("use one on offer: tus, plupload, ftps"), "{error}");
    assert_eq!(server.lines(), ["GET /api/authinfo/33c666119"]);
}

#[tokio::test]
async fn an_upload_has_arrived_when_the_server_knows_its_md5() {
    let server = TestServer::in_order(&[(200, FILE_CREATED), (200, FILE_UPLOADED)]).await;
    let host = with_token(&server);
    let ticket = UploadHandle { path: path("/Show/clip.mp4"), id: Some("61463".into()), ..UploadHandle::default() };
    assert!(upload::find_uploaded(&host, &ticket).await.unwrap().is_none());
    let entry = host.find_uploaded(&ticket, Instant::now()).await.unwrap().unwrap();
    assert_eq!((entry.path.to_string().as_str(), entry.id.as_str(), entry.size), ("/Show/clip.mp4", "61463", None));
    assert_eq!(entry.md5.as_deref(), Some("2d53a2f20ffc76c89848b6a47c97d5d8"));
    assert_eq!(server.lines(), ["GET /api/file/61463", "GET /api/file/61463"]);
}
