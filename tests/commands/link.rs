//! `haul link`.

use crate::support::env::{TestEnv, text};
use crate::support::remotes::that_can;

#[test]
fn a_link_downloads_the_file() {
    let env = TestEnv::new();
    for remote in that_can(&["link"]) {
        env.store(remote, "/f.txt", &text("linked"));
        let place = format!("{remote}:/f.txt");
        let url = env.home.run(&["link", &place]).ends_with(0).stdout.trim_end().to_owned();
        let ran = env.home.run(&["link", "--json", &place]).ends_with(0);
        let event = &ran.events("link")[0];
        assert_eq!((&event["path"], event["url"].as_str().unwrap().split('?').next()), (&"/f.txt".into(), url.split('?').next()));
        assert_eq!(fetch(&url), "linked", "{remote}");
        env.home.run(&["link", &format!("{remote}:/")]).ends_with(2).says("folder");
        env.home.run(&["link", &format!("{remote}:/nope")]).ends_with(3);
    }
    env.home.run(&["link", "fileago:/x"]).ends_with(10).says("ioGates and giga0 can");
}

/// By a client of others: one request, by hand.
fn fetch(url: &str) -> String {
    use std::io::{Read, Write};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
