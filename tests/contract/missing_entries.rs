//! The servers' answers about missing entries: the adapters with the sandbox, without the engine, which would check first.
//! Texts that only a broken client causes are tested in the adapters' own `answer.rs`.

use haul::contract::{Changes, Visibility};
use haul::model::{Entry, EntryKind, RemotePath};
use haul::{Error, Kind};

use crate::support::env::TestEnv;
use crate::support::fixture::{OpenedProvider, stat};

fn file(id: &str) -> Entry {
    Entry::new(EntryKind::File, id, RemotePath::parse("/gone.txt").unwrap())
}

fn folder(id: &str) -> Entry {
    Entry::new(EntryKind::Folder, id, RemotePath::parse("/gone").unwrap())
}

#[track_caller]
fn says<T: std::fmt::Debug>(outcome: haul::Result<T>, kind: Kind, words: &str) {
    let e: Error = outcome.unwrap_err();
    assert!(e.kind() == kind && e.to_string().contains(words), "{words:?}: {:?} {e}", e.kind());
}

const NO_FILE: &str = "Could not find file based on file_id";
const NO_FOLDER: &str = "Could not find folder based on folder_id";

#[test]
fn giga0s_texts_about_what_is_not_there() {
    let env = TestEnv::with_files("giga0", &["/a.txt", "/d/x"]);
    let provider = OpenedProvider::open(&env, "giga0");
    // The same in every shape that errors are known to have.
    for form in ["", "giga0:error-form=status", "giga0:error-form=result", "giga0:error-form=success", "giga0:error-form=http"] {
        env.sandbox.faults().clear();
        env.script(form);
        provider.run(async |p| {
            let (there, d, root) = (stat(p, "/a.txt").await, stat(p, "/d").await, stat(p, "/").await);
            let (gone, no_folder) = (file("file:99"), folder("98"));
            let (removal, moves, copies, editing) = (
                p.abilities().deletions().unwrap(),
                p.abilities().moves().unwrap(),
                p.abilities().copies().unwrap(),
                p.abilities().edits().unwrap(),
            );
            says(removal.remove(&gone).await, Kind::NotFound, NO_FILE);
            says(removal.remove(&no_folder).await, Kind::NotFound, NO_FOLDER);
            for to in [&d, &root] {
                says(moves.move_into(&gone, to).await, Kind::NotFound, NO_FILE);
                says(moves.move_into(&no_folder, to).await, Kind::NotFound, NO_FOLDER);
                says(copies.copy_into(&gone, to).await, Kind::NotFound, NO_FILE);
            }
            let no_target = |parameter| format!("Could not find the destination folder id defined by {parameter}");
            says(moves.move_into(&there, &no_folder).await, Kind::NotFound, &no_target("new_parent_folder_id"));
            says(moves.move_into(&d, &no_folder).await, Kind::NotFound, &no_target("new_parent_folder_id"));
            says(copies.copy_into(&there, &no_folder).await, Kind::NotFound, &no_target("copy_to_folder_id"));
            says(moves.move_into(&d, &d).await, Kind::Refused, "Could not move the folder into itself");
            says(moves.rename(&gone, "x").await, Kind::NotFound, NO_FILE);
            says(moves.rename(&no_folder, "x").await, Kind::NotFound, NO_FOLDER);
            let changes = Changes { visibility: Some(Visibility::Public), ..Changes::default() };
            says(editing.edit(&no_folder, &changes).await, Kind::NotFound, NO_FOLDER);
            says(moves.parent(&gone).await, Kind::NotFound, NO_FILE);
            says(copies.copy_into(&d, &root).await, Kind::Refused, "this is a folder, not a file");
            let importing = p.abilities().imports().unwrap();
            says(importing.start("no url at all", &d).await, Kind::Refused, "Could not parse the file_url_base64 parameter");
            says(importing.status("97").await, Kind::NotFound, "Could not find the scheduled item");
            for top in [removal.remove(&root).await.err(), moves.rename(&root, "x").await.err(), moves.move_into(&root, &d).await.err()] {
                assert_eq!(top.unwrap().kind(), Kind::Refused);
            }
        });
    }
}

#[test]
fn fileagos_refusals() {
    let env = TestEnv::with_files("fileago", &["/a.txt", "/d/a.txt", "/d/e/x"]);
    let provider = OpenedProvider::open(&env, "fileago");
    for pages in ["", "fileago:html-errors"] {
        env.script(pages);
        let words = |text: &'static str| if pages.is_empty() { text } else { "" };
        provider.run(async |p| {
            let (there, d, root) = (stat(p, "/a.txt").await, stat(p, "/d").await, stat(p, "/").await);
            let inner = stat(p, "/d/e").await;
            let gone = file("0a0a0a0a-0000-4000-8000-000000000000");
            let (removal, moves, copies) =
                (p.abilities().deletions().unwrap(), p.abilities().moves().unwrap(), p.abilities().copies().unwrap());
            says(removal.remove(&gone).await, Kind::NotFound, words("Node not found"));
            says(moves.move_into(&gone, &d).await, Kind::NotFound, words("Node not found"));
            says(moves.move_into(&there, &folder(&gone.id)).await, Kind::NotFound, words("Node not found"));
            says(moves.rename(&gone, "x").await, Kind::NotFound, words("Node not found"));
            says(copies.copy_into(&gone, &d).await, Kind::NotFound, words("Node not found"));
            says(p.abilities().stars().unwrap().star(&gone, true).await, Kind::NotFound, words("Node not found"));
            says(moves.move_into(&there, &d).await, Kind::Exists, words("already exists"));
            says(copies.copy_into(&there, &root).await, Kind::Exists, words("already exists"));
            says(moves.rename(&there, "d").await, Kind::Exists, words("already exists"));
            says(moves.move_into(&d, &inner).await, Kind::Refused, words("can't go into itself"));
            says(moves.move_into(&there, &inner_file(&d)).await, Kind::Refused, words("permission"));
            let stranger = ["no-such-user".to_owned()];
            says(p.abilities().shares().unwrap().share_copy(&there, &stranger).await, Kind::Refused, words("Unknown user or group"));
            for top in [removal.remove(&root).await.err(), moves.rename(&root, "x").await.err(), moves.move_into(&root, &d).await.err()] {
                assert_eq!(top.unwrap().kind(), Kind::Refused);
            }
        });
    }
}

/// The trash takes nothing that is not removed.
fn inner_file(like: &Entry) -> Entry {
    Entry { id: "trash".to_owned(), ..like.clone() }
}
