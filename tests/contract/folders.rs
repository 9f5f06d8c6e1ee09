//! The folder cache of one run, with every provider.

use haul::model::{RemotePath, Root};
use haul::transfer::folder_cache::FolderCache;

use crate::support::fixture::{Fixture, each};

#[tokio::test]
async fn a_name_that_was_given_stays_given_when_a_folder_is_looked_at_again() {
    each(async |fixture: Fixture| {
        fixture.fill("/v", &["a.mov"]);
        let path = RemotePath::parse("/v").unwrap();
        let folders = FolderCache::new(fixture.client(), Root::Top, false);
        let before = folders.ensure(&path).await.unwrap();
        assert!(before.reserve_name("a (2).mov"));
        fixture.fill("/v", &["b.mov"]);
        let again = folders.refresh(&path).await.unwrap();
        assert!(again.find_by_name("b.mov").next().is_some(), "{}: it is looked at", fixture.id());
        assert!(!again.reserve_name("a (2).mov"), "{}", fixture.id());
        assert!(again.reserve_name("a (3).mov"), "{}", fixture.id());
        assert!(!before.reserve_name("a (3).mov"), "{}: whichever of the two is asked", fixture.id());
        assert!(!folders.refresh(&path).await.unwrap().reserve_name("a (3).mov"), "{}", fixture.id());
    })
    .await;
}
