//! One suite that runs against every provider of the registry: what the contract promises, asked of each adapter in
//! process, with its stand-in on the other side. A provider that is registered without a stand-in fails the suite.

mod failures;
mod folders;
mod missing_entries;
mod names;
mod uploads;

use haul::contract::{Entries, Kind, UploadRequest};
use haul::model::{Entry, Place, Protocol, RemotePath};
use haul::providers::REGISTRY;
use haul::sandbox::Sandbox;
use haul::testing::{MemorySource, upload_request};

use crate::support::fixture::{World, by_id, each};

fn at(path: &str) -> Place {
    Place::at(RemotePath::parse(path).unwrap())
}

/// A new file in `folder`, in parts of 100,000 bytes.
fn request(folder: &Entry, name: &str, content: &[u8], protocol: Option<Protocol>) -> UploadRequest {
    let request = upload_request(MemorySource::new(content.to_vec()), folder.clone(), name);
    UploadRequest { protocol, chunk_size: Some(100_000), ..request }
}

fn sorted_names(mut entries: Entries) -> Vec<String> {
    entries.sort();
    entries.map(|e| e.name).collect()
}

#[tokio::test]
async fn every_registered_provider_has_its_stand_in() {
    let sandbox = Sandbox::start().await.unwrap();
    for info in REGISTRY {
        assert!(sandbox.of(info.id).is_some(), "write src/sandbox/{}/ and name it in names.rs and registry.rs", info.id);
    }
}

#[tokio::test]
async fn a_sign_in_tells_account_limits_and_protocols() {
    each(async |world: World| {
        let is_limited = world.stand_in().limit_file_size(4321);
        let account = world.provider.sign_in().await.unwrap();
        assert_eq!(account.account.as_deref(), Some(world.setting("username")), "{}", world.id());
        assert_eq!(account.limits.file_size, is_limited.then_some(4321), "{}", world.id());
        assert_ne!(account.limits.may_upload, Some(false));
        assert!(!account.protocols.is_empty() && account.protocols.iter().all(|p| world.provider.info().protocols.contains(p)));
        assert_eq!(world.sandbox.counts().sign_ins(world.id()), 1);
        world.provider.sign_in().await.unwrap();
        assert_eq!(world.sandbox.counts().sign_ins(world.id()), 1, "{}: the token in hand still works", world.id());
    })
    .await;
}

#[tokio::test]
async fn the_root_is_an_empty_folder_and_nothing_else_is_there() {
    each(async |world: World| {
        let root = world.provider.stat(&at("/")).await.unwrap();
        assert!(root.is_folder() && root.path.is_root(), "{}: {root:?}", world.id());
        assert_eq!(root.size, None);
        assert!(world.provider.list(&root).await.unwrap().is_empty(), "{}", world.id());
        for missing in ["/nope", "/nope/deeper"] {
            let error = world.provider.stat(&at(missing)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::NotFound, "{}: {error}", world.id());
            assert!(error.message().starts_with(missing), "{}: {error}", world.id());
        }
    })
    .await;
}

#[tokio::test]
async fn folders_that_are_made_are_listed() {
    each(async |world: World| {
        let Some(folders) = world.provider.abilities().folders else { return };
        let root = world.provider.stat(&at("/")).await.unwrap();
        let made = folders.create(&root, "new größe").await.unwrap();
        let inner = folders.create(&made, "inner").await.unwrap();
        assert_eq!((made.path.to_string().as_str(), inner.path.to_string().as_str()), ("/new größe", "/new größe/inner"));
        assert!(made.is_folder() && inner.is_folder(), "{}", world.id());
        assert_eq!(sorted_names(world.provider.list(&root).await.unwrap()), ["new größe"], "{}", world.id());
        assert_eq!(world.provider.stat(&at("/new größe/inner")).await.unwrap().id, inner.id, "{}", world.id());
        assert!(world.provider.list(&inner).await.unwrap().is_empty(), "{}", world.id());
    })
    .await;
}

#[tokio::test]
async fn a_listing_continues_its_folders_path_and_an_id_names_the_same() {
    each(async |world: World| {
        world.fill("/a/b", &["x", "y"]);
        world.fill("/a", &["z"]);
        let folder = world.provider.stat(&at("/a")).await.unwrap();
        let listed = world.provider.list(&folder).await.unwrap();
        assert_eq!(listed.len(), 2, "{}", world.id());
        for entry in listed {
            assert_eq!(entry.path.to_string(), format!("/a/{}", entry.name), "{}", world.id());
            let by_path = world.provider.stat(&Place::at(entry.path.clone())).await.unwrap();
            assert_eq!((&by_path.id, by_path.kind), (&entry.id, entry.kind), "{}", world.id());
            let by_id = world.provider.stat(&by_id(&entry.id)).await.unwrap();
            assert_eq!((&by_id.id, by_id.kind, &by_id.name), (&entry.id, entry.kind, &entry.name), "{}", world.id());
            assert!(!serde_json::to_string(&entry).unwrap().contains(world.setting("password")));
        }
        let file = world.provider.stat(&at("/a/b/x")).await.unwrap();
        assert!(!file.is_folder(), "{}", world.id());
        assert_eq!(world.provider.stat(&at("/a/b/x/y")).await.unwrap_err().kind(), Kind::NotFound, "{}", world.id());
        assert_eq!(world.provider.stat(&by_id("4711")).await.unwrap_err().kind(), Kind::NotFound, "{}", world.id());
    })
    .await;
}

#[tokio::test]
async fn two_entries_of_one_name_are_ambiguous_where_one_can_be_removed() {
    each(async |world: World| {
        world.fill("/twice", &["same", "same"]);
        let folder = world.provider.stat(&at("/twice")).await.unwrap();
        let ids: Vec<String> = world.provider.list(&folder).await.unwrap().map(|e| e.id).collect();
        assert_eq!(ids.len(), 2, "{}", world.id());
        let found = world.provider.stat(&at("/twice/same")).await;
        for id in &ids {
            match (&found, world.provider.abilities().deletions) {
                (Err(error), Some(_)) => assert!(error.kind() == Kind::Ambiguous && error.message().contains(&format!("@{id}")), "{error}"),
                (Ok(newest), None) => assert_eq!((&newest.id, newest.passed_over), (ids.iter().max().unwrap(), 1)),
                other => panic!("{}: {:?}", world.id(), other.0),
            }
            assert_eq!(world.provider.stat(&by_id(id)).await.unwrap().id, *id);
        }
    })
    .await;
}
