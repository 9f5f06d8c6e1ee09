//! Names that people use, through a whole upload and download.

use haul::contract::Kind;
use haul::transfer::put::confirmation_queue::ConfirmationQueue;
use haul::transfer::upload::upload;

use super::{at, request, sorted_names};
use crate::support::fixture::{Fixture, each};

#[tokio::test]
async fn strange_names_arrive_as_they_are() {
    let long = format!("{}.txt", "x".repeat(196));
    let mut names =
        ["-rf.txt", "größe ✓ 日本.txt", "it's \"quoted\".txt", "two  blanks.txt", "a%20b+c&d=e#f.txt", "dots..txt", "e\u{301}.txt", &long];
    names.sort_unstable();
    each(async |fixture: Fixture| {
        let folder = fixture.folder("names").await;
        for (n, name) in names.iter().enumerate() {
            fixture.provider.check_name(name).unwrap();
            let content = format!("content of {n}");
            let done = upload(
                &fixture.client(),
                n as u64,
                request(&folder, name, content.as_bytes(), None),
                false,
                None,
                &ConfirmationQueue::default(),
            )
            .await
            .unwrap();
            assert_eq!(&done.entry.name, name, "{}", fixture.id());
            let there = fixture.provider.stat(&at(&format!("/names/{name}"))).await.unwrap();
            assert_eq!((&there.name.as_str(), &there.id), (name, &done.entry.id), "{}", fixture.id());
            assert_eq!(fixture.read_stored(&format!("/names/{name}")).unwrap(), content.as_bytes(), "{} {name}", fixture.id());
        }
        let folder = fixture.provider.stat(&at("/names")).await.unwrap();
        assert_eq!(sorted_names(fixture.provider.list(&folder).await.unwrap()), names, "{}", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn names_that_would_break_a_protocol_are_refused_unsent() {
    each(async |fixture: Fixture| {
        for name in ["a\r\nDELE b", "a\nb", "a\rb", "a\0b", "a/b", "..", ".", ""] {
            assert_eq!(fixture.provider.check_name(name).unwrap_err().kind(), Kind::Refused, "{} {name:?}", fixture.id());
        }
        assert_eq!(fixture.sandbox.counts().all_requests(fixture.id()), 0);
    })
    .await;
}
