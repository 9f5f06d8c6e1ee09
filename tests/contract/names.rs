//! Names as people make them, from one end to the other.

use haul::contract::Kind;
use haul::transfer::put::awaiting_confirmation::Berths;
use haul::transfer::upload::upload;

use super::{at, request, sorted_names};
use crate::support::fixture::{World, each};

#[tokio::test]
async fn strange_names_arrive_as_they_are() {
    let long = format!("{}.txt", "x".repeat(196));
    let mut names =
        ["-rf.txt", "größe ✓ 日本.txt", "it's \"quoted\".txt", "two  blanks.txt", "a%20b+c&d=e#f.txt", "dots..txt", "e\u{301}.txt", &long];
    names.sort_unstable();
    each(async |world: World| {
        let folder = world.folder("names").await;
        for (n, name) in names.iter().enumerate() {
            world.provider.check_name(name).unwrap();
            let content = format!("content of {n}");
            let done = upload(&world.desk(), n as u64, request(&folder, name, content.as_bytes(), None), false, None, &Berths::default())
                .await
                .unwrap();
            assert_eq!(&done.entry.name, name, "{}", world.id());
            let there = world.provider.stat(&at(&format!("/names/{name}"))).await.unwrap();
            assert_eq!((&there.name.as_str(), &there.id), (name, &done.entry.id), "{}", world.id());
            assert_eq!(world.stored(&format!("/names/{name}")).unwrap(), content.as_bytes(), "{} {name}", world.id());
        }
        let folder = world.provider.stat(&at("/names")).await.unwrap();
        assert_eq!(sorted_names(world.provider.list(&folder).await.unwrap()), names, "{}", world.id());
    })
    .await;
}

#[tokio::test]
async fn names_that_would_break_a_protocol_are_refused_unsent() {
    each(async |world: World| {
        for name in ["a\r\nDELE b", "a\nb", "a\rb", "a\0b", "a/b", "..", ".", ""] {
            assert_eq!(world.provider.check_name(name).unwrap_err().kind(), Kind::Refused, "{} {name:?}", world.id());
        }
        assert_eq!(world.sandbox.counts().all_requests(world.id()), 0);
    })
    .await;
}
