//! One suite for every provider of the registry: each promise of the contract is checked with each adapter in this process, and
//! its stand-in on the other side. A registered provider without a stand-in fails the suite.

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

use crate::support::fixture::{Fixture, by_id, each};

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
async fn a_sign_in_reports_account_limits_and_protocols() {
    each(async |fixture: Fixture| {
        let is_limited = fixture.stand_in().limit_file_size(4321);
        let account = fixture.provider.sign_in().await.unwrap();
        assert_eq!(account.account.as_deref(), Some(fixture.setting("username")), "{}", fixture.id());
        assert_eq!(account.limits.file_size, is_limited.then_some(4321), "{}", fixture.id());
        assert_ne!(account.limits.may_upload, Some(false));
        assert!(!account.protocols.is_empty() && account.protocols.iter().all(|p| fixture.provider.info().protocols.contains(p)));
        assert_eq!(fixture.sandbox.counts().sign_ins(fixture.id()), 1);
        fixture.provider.sign_in().await.unwrap();
        assert_eq!(fixture.sandbox.counts().sign_ins(fixture.id()), 1, "{}: the token in hand still works", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn the_root_is_an_empty_folder_and_nothing_else_is_there() {
    each(async |fixture: Fixture| {
        let root = fixture.provider.stat(&at("/")).await.unwrap();
        assert!(root.is_folder() && root.path.is_root(), "{}: {root:?}", fixture.id());
        assert_eq!(root.size, None);
        assert!(fixture.provider.list(&root).await.unwrap().is_empty(), "{}", fixture.id());
        for missing in ["/nope", "/nope/deeper"] {
            let error = fixture.provider.stat(&at(missing)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::NotFound, "{}: {error}", fixture.id());
            assert!(error.message().starts_with(missing), "{}: {error}", fixture.id());
        }
    })
    .await;
}

#[tokio::test]
async fn folders_that_are_made_are_listed() {
    each(async |fixture: Fixture| {
        let Some(folders) = fixture.provider.abilities().folders else { return };
        let root = fixture.provider.stat(&at("/")).await.unwrap();
        let made = folders.create(&root, "new größe").await.unwrap();
        let inner = folders.create(&made, "inner").await.unwrap();
        assert_eq!((made.path.to_string().as_str(), inner.path.to_string().as_str()), ("/new größe", "/new größe/inner"));
        assert!(made.is_folder() && inner.is_folder(), "{}", fixture.id());
        assert_eq!(sorted_names(fixture.provider.list(&root).await.unwrap()), ["new größe"], "{}", fixture.id());
        assert_eq!(fixture.provider.stat(&at("/new größe/inner")).await.unwrap().id, inner.id, "{}", fixture.id());
        assert!(fixture.provider.list(&inner).await.unwrap().is_empty(), "{}", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn a_listing_continues_its_folders_path_and_an_id_names_the_same() {
    each(async |fixture: Fixture| {
        fixture.fill("/a/b", &["x", "y"]);
        fixture.fill("/a", &["z"]);
        let folder = fixture.provider.stat(&at("/a")).await.unwrap();
        let listed = fixture.provider.list(&folder).await.unwrap();
        assert_eq!(listed.len(), 2, "{}", fixture.id());
        for entry in listed {
            assert_eq!(entry.path.to_string(), format!("/a/{}", entry.name), "{}", fixture.id());
            let by_path = fixture.provider.stat(&Place::at(entry.path.clone())).await.unwrap();
            assert_eq!((&by_path.id, by_path.kind), (&entry.id, entry.kind), "{}", fixture.id());
            let by_id = fixture.provider.stat(&by_id(&entry.id)).await.unwrap();
            assert_eq!((&by_id.id, by_id.kind, &by_id.name), (&entry.id, entry.kind, &entry.name), "{}", fixture.id());
            assert!(!serde_json::to_string(&entry).unwrap().contains(fixture.setting("password")));
        }
        let file = fixture.provider.stat(&at("/a/b/x")).await.unwrap();
        assert!(!file.is_folder(), "{}", fixture.id());
        assert_eq!(fixture.provider.stat(&at("/a/b/x/y")).await.unwrap_err().kind(), Kind::NotFound, "{}", fixture.id());
        assert_eq!(fixture.provider.stat(&by_id("4711")).await.unwrap_err().kind(), Kind::NotFound, "{}", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn two_entries_of_one_name_are_ambiguous_where_one_can_be_removed() {
    each(async |fixture: Fixture| {
        fixture.fill("/twice", &["same", "same"]);
        let folder = fixture.provider.stat(&at("/twice")).await.unwrap();
        let ids: Vec<String> = fixture.provider.list(&folder).await.unwrap().map(|e| e.id).collect();
        if ids.len() == 1 {
            // Its disk holds one file of a name.
            return assert!(!fixture.provider.abilities().allows_duplicate_names, "{}", fixture.id());
        }
        assert_eq!(ids.len(), 2, "{}", fixture.id());
        let found = fixture.provider.stat(&at("/twice/same")).await;
        for id in &ids {
            match (&found, fixture.provider.abilities().deletions) {
                (Err(error), Some(_)) => assert!(error.kind() == Kind::Ambiguous && error.message().contains(&format!("@{id}")), "{error}"),
                (Ok(newest), None) => assert_eq!((&newest.id, newest.passed_over), (ids.iter().max().unwrap(), 1)),
                other => panic!("{}: {:?}", fixture.id(), other.0),
            }
            assert_eq!(fixture.provider.stat(&by_id(id)).await.unwrap().id, *id);
        }
    })
    .await;
}
