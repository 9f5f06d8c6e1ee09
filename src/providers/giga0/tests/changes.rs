//! Changes against the scripted site: what leaves, and which answers are believed.

use super::*;
use crate::contract::{Changes, Copies, Edits, Imports, Moves, Visibility};

const NO_TARGET: &str = r#"{"_status":"error","response":"Could not find the destination folder id defined by new_parent_folder_id."}"#;

fn folder(id: &str, path: &str) -> Entry {
    Entry::new(EntryKind::Folder, id, RemotePath::parse(path).unwrap())
}

/// A site that answers every change alike.
async fn answering(answer: &'static str) -> (TestServer, Giga0) {
    let server = TestServer::start(move |asked| match asked.line.ends_with("/authorize") {
        true => ok(AUTHORIZE),
        false => ok(answer),
    })
    .await;
    let giga0 = open_at(&server.url, &Arc::default());
    (server, giga0)
}

fn sent_requests(server: &TestServer) -> Vec<String> {
    let asked = server.asked.lock();
    let calls = asked.iter().filter(|a| !a.line.ends_with("/authorize"));
    calls.map(|a| format!("{}?{}", a.line.trim_start_matches("POST /api/v2/"), a.body.split("158642&").last().unwrap())).collect()
}

#[tokio::test]
async fn the_root_is_null_or_zero() {
    let server = TestServer::start(|asked| match asked.body.ends_with("=null") {
        true => ok(NO_TARGET),
        false if asked.line.ends_with("/authorize") => ok(AUTHORIZE),
        false => ok(r#"{"_status":"success","data":{"id":"9","filename":"a.jpg","folderId":null}}"#),
    })
    .await;
    let giga0 = open_at(&server.url, &Arc::default());
    let root = folder("", "/");
    assert!(giga0.move_into(&file(9, "a.jpg"), &root).await.unwrap().is_none(), "null may be the root, or not told");
    giga0.move_into(&folder("7", "/d"), &root).await.unwrap();
    giga0.copy_into(&file(9, "a.jpg"), &root).await.unwrap();
    giga0.move_into(&file(9, "a.jpg"), &folder("7", "/d")).await.unwrap();
    assert_eq!(
        sent_requests(&server),
        [
            "file/move?file_id=9&new_parent_folder_id=null",
            "file/move?file_id=9&new_parent_folder_id=0",
            "folder/move?folder_id=7&new_parent_folder_id=null",
            "folder/move?folder_id=7&new_parent_folder_id=0",
            "file/copy?file_id=9&copy_to_folder_id=null",
            "file/copy?file_id=9&copy_to_folder_id=0",
            "file/move?file_id=9&new_parent_folder_id=7",
        ]
    );
}

#[tokio::test]
async fn the_answer_to_a_move_is_compared() {
    let to = folder("7", "/d");
    let (_, giga0) = answering(r#"{"_status":"success","data":{"id":"9","filename":"a.jpg","folderId":"7"}}"#).await;
    let moved = giga0.move_into(&file(9, "a.jpg"), &to).await.unwrap().unwrap();
    assert_eq!((moved.path.to_string(), moved.id.as_str()), ("/d/a.jpg".to_owned(), "file:9"));
    let (_, giga0) = answering(r#"{"_status":"success","data":{"id":"9","filename":"a.jpg","folderId":"8"}}"#).await;
    let e = giga0.move_into(&file(9, "a.jpg"), &to).await.unwrap_err();
    assert!(e.kind() == Kind::Refused && e.to_string().contains("@8"), "{e}");
    for vague in [r#"{"_status":"success"}"#, r#"{"_status":"success","data":[]}"#, r#"{"_status":"success","data":{"id":"9"}}"#] {
        let (_, giga0) = answering(vague).await;
        assert!(giga0.move_into(&file(9, "a.jpg"), &to).await.unwrap().is_none(), "{vague}");
        assert!(giga0.copy_into(&file(9, "a.jpg"), &to).await.unwrap().is_none(), "{vague}");
        assert!(giga0.rename(&file(9, "a.jpg"), "b").await.is_ok(), "{vague}");
    }
}

#[tokio::test]
async fn a_copy_is_named_by_its_own_row() {
    let to = folder("7", "/d");
    let (_, giga0) = answering(
        r#"{"response":"File successfully copyied.","original_file":{"data":{"id":"9","filename":"a.jpg","folderId":null}},
            "new_file":{"data":{"id":"10","filename":"a.jpg","folderId":"7","fileSize":"5"}},"_status":"success"}"#,
    )
    .await;
    let copy = giga0.copy_into(&file(9, "a.jpg"), &to).await.unwrap().unwrap();
    assert_eq!((copy.id.as_str(), copy.path.to_string(), copy.size), ("file:10", "/d/a.jpg".to_owned(), Some(5)));
    let (_, giga0) = answering(r#"{"new_file":{"data":{"id":"10","filename":"a.jpg","folderId":"8"}},"_status":"success"}"#).await;
    let e = giga0.copy_into(&file(9, "a.jpg"), &to).await.unwrap_err();
    assert!(e.to_string().contains("@file:10 is in the folder @8"), "{e}");
    // The original, once more.
    let (_, giga0) = answering(r#"{"new_file":{"data":{"id":"9","filename":"a.jpg","folderId":"7"}},"_status":"success"}"#).await;
    assert!(giga0.copy_into(&file(9, "a.jpg"), &to).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_is_what_the_answer_says() {
    let (server, giga0) = answering(r#"{"_status":"success","data":{"id":"9","filename":"ac","folderName":"ac"}}"#).await;
    assert_eq!(giga0.rename(&file(9, "x"), "a<b>c ").await.unwrap().unwrap().name, "ac");
    assert_eq!(giga0.rename(&folder("9", "/d/x"), "ac").await.unwrap().unwrap().path.to_string(), "/d/ac");
    let e = giga0.rename(&file(9, "x"), "other").await.unwrap_err();
    assert!(e.kind() == Kind::Refused && e.to_string().contains("it is named \"ac\""), "{e}");
    assert_eq!(sent_requests(&server)[1], "folder/edit?folder_id=9&folder_name=ac");
}

fn password(text: &str) -> Changes {
    Changes { folder_password: Some(Secret::new(text)), ..Changes::default() }
}

#[tokio::test]
async fn a_folders_password_must_be_seen_in_the_answer() {
    let open = r#"{"_status":"success","data":{"id":"7","folderName":"d","accessPassword":null}}"#;
    let closed = r#"{"_status":"success","data":{"id":"7","folderName":"d","accessPassword":"5f4dcc3b5aa765d61d8327deb882cf99"}}"#;
    let d = folder("7", "/d");
    let (server, giga0) = answering(closed).await;
    giga0.edit(&d, &password("password")).await.unwrap().unwrap();
    assert_eq!(sent_requests(&server), ["folder/edit?folder_id=7&access_password=5f4dcc3b5aa765d61d8327deb882cf99"]);
    assert!(giga0.edit(&d, &password("")).await.unwrap_err().to_string().contains("kept the folder's password"));
    let (server, giga0) = answering(open).await;
    assert!(giga0.edit(&d, &password("password")).await.unwrap_err().to_string().contains("not protected"));
    giga0.edit(&d, &password("")).await.unwrap().unwrap();
    assert_eq!(sent_requests(&server)[1], "folder/edit?folder_id=7&folder_name=d&access_password=null", "alone it would change nothing");
    let (_, giga0) = answering(r#"{"_status":"success"}"#).await;
    assert_eq!(giga0.edit(&d, &password("password")).await.unwrap_err().kind(), Kind::Unknown);
}

#[tokio::test]
async fn fields_that_the_site_leaves_alone() {
    let public = Changes { visibility: Some(Visibility::Public), ..Changes::default() };
    let (server, giga0) = answering(r#"{"_status":"success","data":{"id":"7","folderName":"d","isPublic":"0"}}"#).await;
    assert!(giga0.edit(&folder("7", "/d"), &public).await.unwrap_err().to_string().contains("visibility"));
    assert_eq!(sent_requests(&server), ["folder/edit?folder_id=7&is_public=2"]);
    let typed = Changes { file_type: Some("text/plain".into()), ..Changes::default() };
    let (_, giga0) = answering(r#"{"_status":"success","data":{"id":"9","filename":"a","fileType":"image/png"}}"#).await;
    assert!(giga0.edit(&file(9, "a"), &typed).await.unwrap_err().to_string().contains("image/png"));
    assert_eq!(giga0.check(EntryKind::File, &public).unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(giga0.check(EntryKind::Folder, &typed).unwrap_err().kind(), Kind::Unsupported);
}

#[tokio::test]
async fn an_import_travels_in_base64() {
    let (server, giga0) = answering(r#"{"_status":"success","data":{"scheduled_item_id":52,"url":"x"}}"#).await;
    let import = giga0.start("https://h/a?b=>>>", &folder("7", "/d")).await.unwrap();
    assert_eq!((import.id.as_deref(), import.done, import.status.as_str()), (Some("52"), false, "scheduled"));
    giga0.start("https://h/", &folder("", "/")).await.unwrap();
    giga0.status("52").await.unwrap();
    assert_eq!(
        sent_requests(&server),
        [
            "file/url_upload_add?file_url_base64=aHR0cHM6Ly9oL2E%2FYj0%2BPj4%3D&folder_id=7".to_owned(),
            "file/url_upload_add?file_url_base64=aHR0cHM6Ly9oLw%3D%3D".to_owned(),
            "file/url_upload_status?scheduled_item_id=52".to_owned(),
        ]
    );
    let (_, older) = answering(r#"{"0":"No method found in /file/url_upload_add","_status":"error"}"#).await;
    let e = older.start("https://h/", &folder("", "/")).await.unwrap_err();
    assert!(e.kind() == Kind::Unsupported && e.hint().unwrap().contains("older version"), "{e}");
}
