//! A proxy to a stand-in that changes some of its answers, the same ones for one seed.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::random::Random;

#[derive(Clone, Copy, Debug)]
enum Change {
    Silence,
    Closed,
    Garbage,
    Cut,
    ManyHeaders,
    LongHeader,
    EndlessRefusal,
    Longer,
    Shorter,
    Gzip,
    DeepLists,
    DeepMaps,
    Status,
    Page,
    Notice,
    Field,
    Header,
}

/// What costs a time-out is drawn less often.
const CHANGES: &[Change] = &[
    Change::Silence,
    Change::Closed,
    Change::Garbage,
    Change::Cut,
    Change::Cut,
    Change::ManyHeaders,
    Change::LongHeader,
    Change::EndlessRefusal,
    Change::Longer,
    Change::Shorter,
    Change::Gzip,
    Change::DeepLists,
    Change::DeepMaps,
    Change::Status,
    Change::Status,
    Change::Status,
    Change::Page,
    Change::Notice,
    Change::Field,
    Change::Field,
    Change::Field,
    Change::Field,
    Change::Field,
    Change::Field,
    Change::Header,
    Change::Header,
];

const STATUSES: &[&str] = &[
    "204 None",
    "206 Part",
    "301 Moved\r\nLocation: https://other.example/\u{9b}31m",
    "302 Found\r\nLocation: /error?e=%1b%5b2J%0d%0await+99999999999999999999+hours",
    "304 Same",
    "400 Bad",
    "401 Who",
    "403 No",
    "404 None",
    "409 There",
    "413 Large",
    "416 Range\r\nContent-Range: bytes */18446744073709551616",
    "429 Slow\r\nRetry-After: 18446744073709551616",
    "500 Failed",
    "503 Later\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 +9999",
    "599 Odd",
];

const FIELDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551615",
    "18446744073709551616",
    "\"\"",
    "\"-7\"",
    "\"+5\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "\"\\u001b[2J\\u009b31m\\u202e\\r\\n\"",
    "\"../../evil\"",
    "\"a/b\"",
    "\"http://127.0.0.1:1/x\"",
    "\"\\ud800\"",
    "\"2020-02-30T25:61:61+9999\"",
    "{\"a\":1,\"a\":2}",
];

const HEADERS: &[&str] = &[
    "Location: http://127.0.0.1:1/",
    "Location: //",
    "Location: ../../..?\u{9b}",
    "Upload-Offset: 18446744073709551616",
    "Upload-Offset: -1",
    "Upload-Offset: 99999999",
    "Upload-Length: x",
    "Upload-Expires: never",
    "Tus-Max-Size: -1",
    "Tus-Extension: ,,,creation-defer-length,\u{9b}",
    "Content-Range: bytes 5-4/3",
    "Content-Range: bytes 0-18446744073709551615/*",
    "Content-Type: text/html",
    "Content-Length: 3",
    "Content-Disposition: attachment; filename=\"../../x\u{1b}\"",
    "Transfer-Encoding: chunked",
    "Retry-After: -1",
];

pub struct Line {
    pub address: String,
    log: Arc<Mutex<Vec<String>>>,
}

struct Ends {
    own: String,
    server: String,
    random: Mutex<Random>,
    /// So many answers pass first.
    passing: usize,
    answered: Mutex<usize>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Line {
    /// Fewer than `passing` answers come through before the first that may be changed.
    pub fn to(server: &str, seed: u64, passing: usize) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut random = Random::new(seed ^ 0x5eed);
        let passing = random.below(passing);
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let ends = Arc::new(Ends {
            own: address.clone(),
            server: server.to_owned(),
            random: Mutex::new(random),
            passing,
            answered: Mutex::default(),
            log: log.clone(),
        });
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let ends = ends.clone();
                std::thread::spawn(move || ends.converse(client));
            }
        });
        Line { address, log }
    }

    pub fn change_count(&self) -> u64 {
        self.log.lock().unwrap().len() as u64
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Ends {
    fn converse(&self, mut client: TcpStream) -> Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (head, body) = request(&mut client)?;
        let mut server = TcpStream::connect(&self.server)?;
        let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        server.write_all(lines.collect::<Vec<_>>().join("\r\n").as_bytes())?;
        server.write_all(b"\r\nConnection: close\r\n\r\n")?;
        server.write_all(&body)?;
        let mut answer = Vec::new();
        let _ = server.read_to_end(&mut answer);
        let answer = replace(&answer, self.server.as_bytes(), self.own.as_bytes());
        let Some((change, mut random)) = self.next_change() else { return client.write_all(&answer) };
        self.log.lock().unwrap().push(format!("{change:?} for {}", head.split("\r\n").next().unwrap_or_default()));
        let written = change.write(&mut client, answer, &mut random);
        // What the client still says is heard, else the answer would be lost with the connection.
        let _ = client.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut client, &mut std::io::sink());
        written
    }

    fn next_change(&self) -> Option<(Change, Random)> {
        let mut answered = self.answered.lock().unwrap();
        *answered += 1;
        let mut random = self.random.lock().unwrap();
        let hit = *answered > self.passing && random.below(3) > 0;
        let change = *random.of(CHANGES);
        hit.then(|| (change, Random::new(random.below(usize::MAX) as u64)))
    }
}

impl Change {
    fn write(self, to: &mut TcpStream, answer: Vec<u8>, random: &mut Random) -> Result<()> {
        let at = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        let (head, body) = (String::from_utf8_lossy(&answer[..at]).into_owned(), &answer[at..]);
        let json = |status: &str, body: &[u8]| {
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.as_bytes(), body].concat()
        };
        match self {
            Change::Closed => Ok(()),
            // Until the other side has had enough.
            Change::Silence => std::io::copy(to, &mut std::io::sink()).map(drop),
            Change::Garbage => to.write_all(&(0..300).map(|_| random.below(256) as u8).collect::<Vec<_>>()),
            Change::Cut => to.write_all(&answer[..random.below(answer.len())]),
            Change::ManyHeaders => {
                to.write_all(b"HTTP/1.1 200 OK\r\n")?;
                (0..100_000).try_for_each(|n| to.write_all(format!("X-{n}: {}\r\n", "x".repeat(80)).as_bytes()))
            }
            Change::LongHeader => {
                to.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
                (0..160).try_for_each(|_| to.write_all(&[b'x'; 64 << 10]))
            }
            Change::EndlessRefusal => {
                to.write_all(b"HTTP/1.1 500 Failed\r\nContent-Type: application/json\r\n\r\n")?;
                loop {
                    to.write_all(&[b'['; 64 << 10])?;
                }
            }
            Change::Longer | Change::Shorter => {
                let length = if matches!(self, Change::Longer) { body.len() + 1000 } else { body.len() / 2 };
                let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
                let head = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\r\n");
                to.write_all(format!("{head}\r\nContent-Length: {length}\r\n\r\n").as_bytes())?;
                to.write_all(body)
            }
            Change::Gzip => {
                let noise: Vec<u8> = [0x1f, 0x8b, 8, 0].into_iter().chain((0..200).map(|_| random.below(256) as u8)).collect();
                to.write_all(&json("200 OK\r\nContent-Encoding: gzip", &noise))
            }
            Change::DeepLists => to.write_all(&json("200 OK", &vec![b'['; 200_000])),
            Change::DeepMaps => to.write_all(&json("200 OK", "{\"data\":".repeat(50_000).as_bytes())),
            Change::Status => to.write_all(&json(random.text(STATUSES), body)),
            Change::Page => {
                let page = "<html><title>\x1b[2J\u{9b}31m\u{202e}Down</title>\0\r\n<style><script><b>for \x07maintenance";
                to.write_all(&json(random.text(&["200 OK", "403 No", "502 Bad"]), page.as_bytes()))
            }
            Change::Notice => to.write_all(&json("200 OK", &[b"<br />\n<b>Notice</b>: \x1b]0;x\x07 ", body].concat())),
            Change::Field => {
                to.write_all(&json(head.get(9..).and_then(|h| h.split("\r\n").next()).unwrap_or("200 OK"), &mutate(body, random)))
            }
            Change::Header => {
                let header = random.text(HEADERS);
                let name = header.split(':').next().unwrap_or_default().to_ascii_lowercase() + ":";
                let kept = head.trim_end().split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with(&name));
                to.write_all((kept.collect::<Vec<_>>().join("\r\n") + "\r\n" + header + "\r\n\r\n").as_bytes())?;
                to.write_all(body)
            }
        }
    }
}

/// One to three values of a JSON body replaced.
fn mutate(body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for _ in 0..=random.below(3) {
        let values: Vec<usize> = text.match_indices(':').map(|(at, _)| at + 1).filter(|at| text[..*at].ends_with("\":")).collect();
        if values.is_empty() {
            break;
        }
        let from = *random.of(&values);
        // Names and words hold no comma at the stand-ins; where one does, the JSON is broken as well.
        let to = text[from..].find([',', '}', ']']).map_or(text.len(), |len| from + len);
        text.replace_range(from..to, random.text(FIELDS));
    }
    text.into_bytes()
}

fn request(client: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        more(client, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut body = bytes.split_off(end + 4);
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    while body.len() < length.unwrap_or(0) {
        more(client, &mut body)?;
    }
    Ok((head, body))
}

fn more(client: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    let mut piece = [0; 64 << 10];
    match client.read(&mut piece)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        n => {
            bytes.extend_from_slice(&piece[..n]);
            Ok(())
        }
    }
}

/// Addresses of one length, so that no other number changes.
fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = rest.windows(from.len()).position(|w| w == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
