//! Answers that are nearly right, or not at all: they are read without a panic, and reported without a control character or a
//! token.

use proptest::prelude::*;
use reqwest::Url;

use crate::contract::Network;
use crate::model::{Place, RemotePath, Root};
use crate::protocols::ftp::Security;
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::row_stream::{object, split};
use crate::providers::iogates::answer;
use crate::providers::iogates::tree::{Seeds, Tree, root_entry};
use crate::providers::iogates::upload::methods::{Method, UploadMethods};
use crate::providers::iogates::wire::examples::*;
use crate::providers::iogates::wire::{AuthInfo, File, Files, Share, SignedIn};
use crate::testing::arbitrary;
use crate::testing::server::reply;

const KNOWN: &str = "123-BodrEJHrC43KejPcM0nzTl05gUMi3i8ruzGN";
const ANSWERS: &[&str] = &[TOKEN, AUTHINFO, AUTHINFO_BLANK_SERVERS, AUTHINFO_PHP_HABITS, FILE_CREATED, FILE_UPLOADED, FILES, SHARE];
/// A tree with a circle, twins, an orphan and a name that is a path.
const TREE: &str = r#"{"files":[
    {"id":1,"type":"dir","name":"a","parent":3},{"id":2,"type":"dir","name":"b","parent":1},{"id":3,"type":"dir","name":"c","parent":2},
    {"id":4,"type":"dir","name":"d","parent":4},{"id":5,"name":"e","parent":99},{"id":6,"name":"../f","parent":1},
    {"id":7,"name":"g","parent":0,"size":"18446744073709551615"},{"id":7,"name":"g"},{"id":0,"type":"dir"},{"name":"h"}]}"#;

/// Every question that is ever asked of a reply.
fn read(reply: &HttpReply) {
    let shown = [
        answer::read_sign_in::<SignedIn>(reply).err(),
        answer::read::<File>(reply).err(),
        answer::read::<Share>(reply).err(),
        answer::read::<crate::providers::iogates::comments::WireThread>(reply).err(),
        answer::read::<AuthInfo>(reply).map(check_offer).err(),
        answer::read::<Files>(reply).err(),
    ];
    shown.iter().flatten().for_each(arbitrary::assert_error_is_safe);
    assert_tree_is_sound(&tree(&reply.body));
}

fn tree(body: &[u8]) -> Tree {
    let mut seeds = Seeds::default();
    split(body, &[&["files"]], |_, row| seeds.add(object(row)));
    seeds.tree().unwrap()
}

/// Nothing is sent in clear text, and no part of an answer becomes a command.
fn check_offer(info: AuthInfo) {
    let network = Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure: false };
    let offers = UploadMethods::new(info, &Url::parse("https://iogates.example/").unwrap(), &network);
    let at_home = crate::protocols::http::is_loopback;
    for offer in offers.usable {
        match offer.way {
            Method::Tus { endpoint: url, chunk_size } | Method::Plupload { url, chunk_size } => {
                assert!(url.scheme() == "https" || url.scheme() == "http" && at_home(&url), "{url}");
                assert_ne!(chunk_size, Some(0));
            }
            Method::Ftp(server) => {
                assert!(server.security != Security::Plain || crate::protocols::http::is_loopback_host(&server.host));
                let words = [server.host.as_str(), &server.user, server.password.expose()];
                assert!(!words.iter().any(|word| word.contains(['\r', '\n', '\0'])), "{words:?}");
            }
        }
    }
    offers.closed.iter().for_each(|(_, why)| arbitrary::assert_escaped(&crate::model::escape::escape_control(why)));
}

/// Every entry is met once, at its own address.
fn assert_tree_is_sound(tree: &Tree) {
    let (mut open, mut met) = (vec![root_entry()], std::collections::HashSet::new());
    while let Some(folder) = open.pop() {
        for entry in tree.list(&folder).unwrap() {
            assert!(met.insert(entry.id.clone()), "{entry:?} is met twice");
            assert_eq!(entry.path.parent().as_ref(), Some(&folder.path), "{entry:?}");
            let by_id = tree.stat(&Place { root: Root::Id(entry.id.clone()), path: RemotePath::root() }).unwrap();
            assert_eq!((by_id.path, by_id.size), (entry.path.clone(), entry.size));
            if entry.is_folder() {
                open.push(entry);
            }
        }
    }
}

#[test]
fn answers_cut_at_any_byte_are_read() {
    arbitrary::read_cut_at_every_byte(ANSWERS, read);
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn answers_of_any_form_are_read(replies in arbitrary::replies(ANSWERS)) {
        replies.iter().for_each(read);
    }

    #[test]
    fn every_tree_has_an_end(body in arbitrary::mutated_answer(TREE)) {
        read(&reply(200, body));
    }

    #[test]
    fn parents_in_any_order(parents in prop::collection::vec(0..30_u32, 0..30)) {
        let row = |(id, parent): (usize, &u32)| format!(r#"{{"id":{},"type":"dir","name":"{}","parent":{parent}}}"#, id + 1, id % 7);
        let rows: Vec<String> = parents.iter().enumerate().map(row).collect();
        let tree = tree(format!(r#"{{"files":[{}]}}"#, rows.join(",")).as_bytes());
        assert_tree_is_sound(&tree);
        prop_assert!((1..=parents.len()).all(|id| tree.holds(&id.to_string())));
    }

    #[test]
    fn no_token_is_shown((reply, fresh) in arbitrary::replies_with_secret(TOKEN, &[KNOWN])) {
        if let Err(error) = answer::read_sign_in::<SignedIn>(&reply) {
            arbitrary::assert_secret_masked(&error, &fresh);
        }
    }

    #[test]
    fn comments_of_any_form_are_read(body in arbitrary::mutated_answer(COMMENTS)) {
        let clock = serde_json::from_slice::<crate::providers::iogates::comments::WireThread>(&body).ok().and_then(crate::providers::iogates::comments::WireThread::clock).flatten();
        let mut comments = Vec::new();
        split(&body, &[&["comments"]], |_, row| comments.extend(crate::providers::iogates::comments::comment(row)));
        for span in comments.iter().flat_map(|comment| &comment.times) {
            prop_assert!(span.end_ms.is_none_or(|end| end > span.start_ms), "{span:?}");
            let _ = clock.as_ref().map(|clock| (clock.label(span.start_ms), clock.source_label(span.start_ms)));
        }
    }
}

const COMMENTS: &str = r#"{"timecode": {"source": "01:00:00:00", "fps": "25", "offset": 0}, "comments": {
    "0": {"id": 12, "owner": {"realname": "", "username": "ann"}, "removed": false, "parent": 0,
          "created": "2020-07-07T10:14:21+0200", "text": "a", "tc": [{"in": 12200, "out": "13000"}, {"in": 5}]},
    "2": {"id": "13", "owner": "Bob", "removed": "1", "parent": "12", "text": null, "tc": null}}}"#;
