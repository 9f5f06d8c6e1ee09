//! Changes against the scripted server: one request each, and nothing read into a bare 204.

use super::*;
use crate::contract::{Changes, Copies, Deletions, Edits, Moves, Shares, Stars};

fn file(uuid: &str) -> Entry {
    Entry::new(EntryKind::File, uuid, RemotePath::parse("/a.txt").unwrap())
}

async fn answering(answer: Answer) -> (TestServer, FileAgo) {
    let server = TestServer::start(move |asked| if asked.line == "POST /auth" { auth() } else { answer.clone() }).await;
    let fileago = open_at(&server.url, &Arc::default());
    (server, fileago)
}

#[tokio::test]
async fn what_leaves_for_each_change() {
    for answer in [(204, "", String::new()), ok(r#"{"status":"success","msg":"done","data":{"uuid":"u1"}}"#)] {
        let (server, fileago) = answering(answer).await;
        let (a, d) = (file("u1"), Entry::new(EntryKind::Folder, "u2", RemotePath::parse("/d").unwrap()));
        assert!(fileago.rename(&a, "b \"q\".txt").await.unwrap().is_none());
        assert!(fileago.move_into(&a, &d).await.unwrap().is_none());
        assert!(fileago.copy_into(&a, &d).await.unwrap().is_none());
        fileago.share_copy(&a, &["x".to_owned(), "y".to_owned()]).await.unwrap();
        fileago.star(&a, true).await.unwrap();
        fileago.star(&a, false).await.unwrap();
        fileago.remove(&a).await.unwrap();
        let asked: Vec<String> = server.asked.lock().iter().skip(1).map(|a| format!("{} {}", a.line, a.body)).collect();
        assert_eq!(
            asked,
            [
                r#"POST /api/nodes/u1 {"new_name":"b \"q\".txt"}"#,
                r#"POST /api/nodes/u1 {"move_to":"u2"}"#,
                r#"POST /api/nodes/u1 {"copy_to":"u2"}"#,
                r#"POST /api/nodes/u1 {"share_copy_with":["x","y"]}"#,
                r#"POST /api/nodes/u1 {"starred":true}"#,
                r#"POST /api/nodes/u1 {"starred":false}"#,
                "DELETE /api/nodes/u1 ",
            ]
        );
    }
}

#[tokio::test]
async fn top_folders_stay() {
    let (server, fileago) = answering((204, "", String::new())).await;
    for id in ["home", "trash", "home:g1", "favorites"] {
        let top = Entry::new(EntryKind::Folder, id, RemotePath::root());
        assert!(fileago.is_top(&top), "{id}");
        assert_eq!(fileago.remove(&top).await.unwrap_err().kind(), Kind::Refused);
        assert_eq!(fileago.rename(&top, "x").await.unwrap_err().kind(), Kind::Refused);
    }
    let only_name = Changes { name: Some("x".into()), ..Changes::default() };
    fileago.check(EntryKind::File, &only_name).unwrap();
    let more = Changes { file_type: Some("x/y".into()), ..only_name };
    assert_eq!(fileago.check(EntryKind::File, &more).unwrap_err().kind(), Kind::Unsupported);
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn a_server_without_groups_has_none() {
    for answer in [(404, "", String::new()), (405, "", String::new()), (403, "", r#"{"status":"error","msg":"no"}"#.to_owned())] {
        let server = TestServer::start(move |asked| if asked.line.contains("groups") { answer.clone() } else { server(asked) }).await;
        let account = open_at(&server.url, &Arc::default()).sign_in().await.unwrap();
        assert!(!account.extra.contains_key("groups"));
    }
}
