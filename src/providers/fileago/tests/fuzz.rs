//! Answers that are nearly right, or not at all: they are read without a panic, and reported without a control character or a
//! token.

use proptest::prelude::*;

use crate::model::RemotePath;
use crate::protocols::http::response::HttpReply;
use crate::providers::fileago::wire::{Group, Node, PathStep};
use crate::providers::fileago::{answer, auth, entry, jwt};
use crate::testing::arbitrary;

const GRANTED: &str = include_str!("../../../../fixtures/fileago/auth.json");
const TOKEN: &str = "fSYkeR4LBEp_Z2n7vIWvUIl_Y_EJd01MT9UFiziij-w";
const KEY: &str = "6dba6924-ad66-42de-8ed2-8008f2c7c06e";
const UPLOAD_TOKEN: &str = r#"{"status":"success","token":"0123456789abcdef0123456789abcdef","msg":"for 5 seconds"}"#;

const ANSWERS: &[&str] = &[
    GRANTED,
    UPLOAD_TOKEN,
    include_str!("../../../../fixtures/fileago/details.json"),
    include_str!("../../../../fixtures/fileago/dirlist.json"),
    include_str!("../../../../fixtures/fileago/path.json"),
    include_str!("../../../../fixtures/fileago/upload.json"),
];

/// Every question that is ever asked of a reply.
fn read(reply: &HttpReply) {
    let folder = RemotePath::parse("/a/b").unwrap();
    let shown = [
        answer::verdict(reply).err(),
        answer::check_upload(reply).err(),
        answer::upload_token(reply).err(),
        auth::parse_token(reply).err(),
        answer::parse_one::<Node>(reply).err(),
        answer::many::<PathStep>(reply).err(),
        answer::many::<Group>(reply).err(),
        answer::many::<String>(reply).err(),
    ];
    shown.iter().flatten().for_each(arbitrary::assert_error_is_safe);
    for node in answer::many::<Node>(reply).into_iter().flatten().chain(answer::parse_one::<Node>(reply).ok()) {
        match entry::of_node(node, Some(&folder)) {
            Ok(entry) => assert_eq!(entry.path.parent().as_ref(), Some(&folder), "{entry:?}"),
            Err(error) => arbitrary::assert_error_is_safe(&error),
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
    fn no_token_is_shown((reply, fresh) in arbitrary::replies_with_secret(GRANTED, &[TOKEN, KEY])) {
        for error in [answer::verdict(&reply).err(), auth::parse_token(&reply).err()].into_iter().flatten() {
            arbitrary::assert_secret_masked(&error, &fresh);
        }
    }

    #[test]
    fn any_token_has_an_age(text in arbitrary::text(), claims in arbitrary::body(&[r#"{"exp":1538706022,"username":"x"}"#]), seconds in any::<i64>()) {
        use base64::Engine;
        let now = chrono::DateTime::UNIX_EPOCH;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        let exact = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{seconds}}}"));
        let _ = (jwt::is_old(&text, now), jwt::is_old(&format!("{text}.{encoded}.{text}"), now));
        let is_old = jwt::is_old(&format!("a.{exact}.c"), now);
        prop_assert!(!is_old || seconds <= 60);
    }
}
