//! The two halves of an upload: sending the bytes, and finding the file.

use haul::contract::{Chunking, Kind, UploadSession};
use haul::model::Protocol;
use haul::transfer::put::confirmation_queue::ConfirmationQueue;
use haul::transfer::upload::upload;
use tokio::time::Instant;

use super::{at, request};
use crate::support::fixture::{Fixture, by_id, each, each_of_all, each_with_tokens};
use haul::testing::{MemorySource, bytes};

/// Sends all of it, as the engine would without failures.
async fn carry(session: &mut dyn UploadSession, content: &[u8]) {
    let source = MemorySource::new(content.to_vec());
    let mut at = 0;
    loop {
        let end = match session.chunking() {
            Chunking::Whole => content.len() as u64,
            Chunking::Parts(most) => (at + most).min(content.len() as u64),
        };
        at = session.send(source.part(at, end)).await.unwrap();
        assert_eq!(at, end);
        if at == content.len() as u64 {
            return session.finish().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protocol_on_offer_brings_the_bytes() {
    each_of_all(async |fixture: Fixture| {
        let folder = fixture.folder("up").await;
        for protocol in fixture.provider.sign_in().await.unwrap().protocols {
            for size in [1, 100_000, 250_001] {
                let (name, content) = (format!("{protocol}-{size}.bin"), bytes(size));
                let item = request(&folder, &name, &content, Some(protocol));
                let mut opened = fixture.provider.open_upload(&item).await.unwrap();
                assert_eq!(opened.session.protocol(), protocol, "{}", fixture.id());
                let looks = fixture.provider.abilities().find_uploaded.is_some();
                assert!(
                    !looks || fixture.provider.find_uploaded(&opened.ticket, Instant::now()).await.unwrap().is_none(),
                    "{} {name}: nothing was sent",
                    fixture.id()
                );
                carry(opened.session.as_mut(), &content).await;
                let landed = match looks {
                    true => fixture.provider.find_uploaded(&opened.ticket, Instant::now()).await.unwrap(),
                    // The server's answers are all that is known of the file.
                    false => opened.ticket.confirmed_entry.get().cloned(),
                };
                let landed = landed.unwrap_or_else(|| panic!("{} {name}: it is there", fixture.id()));
                assert_eq!(landed.path.to_string(), format!("/up/{name}"), "{}", fixture.id());
                assert!(landed.size.is_none_or(|told| told == size), "{} {name}", fixture.id());
                assert!(landed.md5.is_none_or(|told| told == format!("{:x}", md5::compute(&content))), "{} {name}", fixture.id());
                assert!(fixture.read_stored(&format!("/up/{name}")).unwrap() == content, "{} {name}", fixture.id());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_not_finished_has_not_arrived() {
    each_of_all(async |fixture: Fixture| {
        let folder = fixture.folder("up").await;
        let content = bytes(250_000);
        let mut opened = fixture.provider.open_upload(&request(&folder, "half.bin", &content, None)).await.unwrap();
        if let Chunking::Parts(most) = opened.session.chunking() {
            opened.session.send(MemorySource::new(content.clone()).part(0, most)).await.unwrap();
        }
        if fixture.provider.abilities().find_uploaded.is_some() {
            assert!(fixture.provider.find_uploaded(&opened.ticket, Instant::now()).await.unwrap().is_none(), "{}", fixture.id());
        }
        opened.session.abort().await;
        assert_eq!(fixture.read_stored("/up/half.bin"), None, "{}", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_there_before_is_not_taken_for_ours() {
    each(async |fixture: Fixture| {
        fixture.fill("/up", &["same.bin"]);
        let folder = fixture.provider.stat(&at("/up")).await.unwrap();
        let mut item = request(&folder, "same.bin", b"content", None);
        item.replaces = Some(fixture.provider.stat(&at("/up/same.bin")).await.unwrap());
        item.siblings = fixture.provider.list(&folder).await.unwrap().into();
        let opened = fixture.provider.open_upload(&item).await.unwrap();
        assert!(fixture.provider.find_uploaded(&opened.ticket, Instant::now()).await.unwrap().is_none(), "{}", fixture.id());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_dies_under_eight_workers_is_renewed_once() {
    each_with_tokens(async |fixture: Fixture| {
        let folder = fixture.folder("up").await;
        let client = fixture.client();
        fixture.script(":expired");
        let uploads = (0..8).map(|n| {
            let (client, folder) = (client.clone(), folder.clone());
            tokio::spawn(async move {
                upload(&client, n, request(&folder, &format!("{n}.bin"), &bytes(1000 + n), None), true, None, &ConfirmationQueue::default())
                    .await
            })
        });
        for (n, done) in futures_util::future::join_all(uploads).await.into_iter().enumerate() {
            assert_eq!(done.unwrap().unwrap().size, 1000 + n as u64, "{}", fixture.id());
        }
        let counts = fixture.sandbox.counts();
        assert_eq!(counts.sign_ins(fixture.id()), 2, "{}: the first, and one for all eight", fixture.id());
        assert_eq!(fixture.sandbox.arrivals().len(), 8, "{}", fixture.id());
        assert!(fixture.sandbox.faults().remaining().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_protocol_that_nobody_speaks_is_refused_before_anything_is_made() {
    each_of_all(async |fixture: Fixture| {
        let folder = fixture.folder("up").await;
        let created = fixture.sandbox.counts().created_count(fixture.id());
        let error = match fixture.provider.open_upload(&request(&folder, "a.bin", b"x", Some(Protocol::Ftp))).await {
            Err(error) => error,
            // The provider leaves the check to the engine where it has one protocol only.
            Ok(opened) => return assert_eq!(fixture.provider.info().protocols, [opened.session.protocol()], "{}", fixture.id()),
        };
        assert_eq!(error.kind(), Kind::Unsupported, "{}: {error}", fixture.id());
        assert_eq!(fixture.sandbox.counts().created_count(fixture.id()), created, "{}", fixture.id());
    })
    .await;
}

/// Where nothing is listed, what was uploaded is found and removed by the id that its receipt has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_listed_nowhere_is_found_by_its_id() {
    each_of_all(async |fixture: Fixture| {
        if fixture.provider.abilities().browse.is_some() {
            return;
        }
        let (folder, content) = (fixture.folder("up").await, bytes(250_001));
        let item = request(&folder, "a.bin", &content, None);
        let uploaded = upload(&fixture.client(), 1, item, true, None, &ConfirmationQueue::default()).await.unwrap();
        assert_eq!(uploaded.size, 250_001, "{}", fixture.id());
        let there = fixture.provider.stat(&by_id(&uploaded.entry.id)).await.unwrap();
        assert_eq!((there.size, there.incomplete, there.name.as_str()), (Some(250_001), false, "a.bin"), "{}", fixture.id());
        assert!(fixture.read_stored("/up/a.bin").unwrap() == content, "{}", fixture.id());
        let asked = fixture.sandbox.request_kinds(fixture.id()).len();
        assert_eq!(fixture.provider.stat(&at("/up/a.bin")).await.unwrap_err().kind(), Kind::Unsupported, "{}", fixture.id());
        assert_eq!(fixture.sandbox.request_kinds(fixture.id()).len(), asked, "{}: nothing is sent for that", fixture.id());
        let Some(deletions) = fixture.provider.abilities().deletions else { return };
        deletions.remove(&there).await.unwrap();
        assert_eq!(fixture.provider.stat(&by_id(&uploaded.entry.id)).await.unwrap_err().kind(), Kind::NotFound, "{}", fixture.id());
    })
    .await;
}
