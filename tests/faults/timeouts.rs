//! How long haul waits, for what, and on which connection: very slow connections, old connections that close, servers on the
//! wrong port.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::command::{Home, Ran};
use crate::support::env::{TestEnv, bytes};
use crate::support::fixed_answers::{answers, refusal, remote, tls_server};

/// A line to `target` on which each connection dies, without a byte, at the second request.
fn dies_at_the_second_request(target: String) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, deaths) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(0)));
    let (counted, front) = (deaths.clone(), url.clone());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&target)) else { continue };
            let (answered, counted) = (Arc::new(Mutex::new(false)), counted.clone());
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (mut to, mut forth, seen) = (client, server, answered.clone());
            let (at, front) = (target.clone(), front.clone());
            std::thread::spawn(move || {
                pass(&mut back, &mut to, |_, piece| {
                    *seen.lock().unwrap() = true;
                    redirect(piece, &at, &front);
                })
            });
            std::thread::spawn(move || {
                pass(&mut from, &mut forth, |from, _| {
                    if *answered.lock().unwrap() {
                        *counted.lock().unwrap() += 1;
                        let _ = from.shutdown(Shutdown::Both);
                    }
                });
            });
        }
    });
    (url, deaths)
}

/// Addresses that the server tells lead over the front, too.
fn redirect(piece: &mut [u8], target: &str, front: &str) {
    let (target, front) = (target.as_bytes(), front.trim_start_matches("http://").as_bytes());
    assert_eq!(target.len(), front.len(), "ports of one length");
    for at in 0..piece.len().saturating_sub(target.len() - 1) {
        if &piece[at..at + target.len()] == target {
            piece[at..at + target.len()].copy_from_slice(front);
        }
    }
}

fn pass(from: &mut TcpStream, to: &mut TcpStream, mut first: impl FnMut(&TcpStream, &mut [u8])) {
    let mut piece = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        first(from, &mut piece[..read]);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// It costs no try: with a single one everything gets through.
#[test]
fn a_kept_connection_that_dies_costs_no_try() {
    let env = TestEnv::new();
    let content = bytes(3 << 20, 7);
    for (name, protocol) in [("giga0", "multipart"), ("fileago", "multipart"), ("iogates", "tus"), ("iogates", "plupload")] {
        let variable = format!("HAUL_REMOTE_{}_URL", name.to_uppercase());
        let url = env.sandbox.env().into_iter().find(|(n, _)| *n == variable).unwrap().1;
        let url = reqwest::Url::parse(&url).unwrap();
        let (front, deaths) = dies_at_the_second_request(format!("127.0.0.1:{}", url.port().unwrap()));
        let home = Home::new().env(env.sandbox.env()).env([(variable, format!("{front}{}", url.path()))]);
        home.file("f.bin", &content.0);
        let to = format!("{name}:/{protocol}.bin");
        let put = ["put", "--json", "--retries", "2", "--protocol", protocol, "--chunk-size", "512K", "f.bin", &to];
        let put = home.run(&put).ends_with(0);
        assert_eq!(env.arrivals(name)[&format!("/{protocol}.bin")], content, "{name} {protocol}: {}", put.stderr);
        for verb in [&["ls", "--retries", "1", &format!("{name}:/")][..], &["stat", "--retries", "1", &to]] {
            home.run(verb).ends_with(0);
        }
        assert!(*deaths.lock().unwrap() > 0, "{name} {protocol}: no connection was kept");
    }
}

/// Begins an answer and goes on with it, a little now and then, as long as anybody listens.
fn trickles(begin: &'static str, on: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let mut more = stream.write_all(begin.as_bytes());
                while more.is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                    more = stream.write_all(on.as_bytes());
                }
            });
        }
    });
    url
}

/// Each byte came within the time-out; the whole never ended.
#[test]
fn an_answer_that_trickles_is_bounded_as_a_whole() {
    for (begin, on) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{", " "),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\n \r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 403 No\r\ncontent-length: 100000\r\n\r\n", "no "),
    ] {
        let home = Home::new().env(remote(&trickles(begin, on)));
        let begun = std::time::Instant::now();
        let ls = home.run(&["ls", "--timeout", "1s", "--retries", "2", "r:/"]);
        assert!(matches!(ls.status, 5 | 8 | 4), "{begin:?} {on:?}: {} {}", ls.status, ls.stderr);
        assert!(begun.elapsed() < Duration::from_secs(60), "{begin:?} {on:?}: {:?}", begun.elapsed());
    }
}

/// All of it lies in the system's buffers, and nobody reads on.
#[test]
fn a_form_that_is_never_answered_ends_with_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut piece = [0; 1024];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                let Ok(read @ 1..) = stream.read(&mut piece) else { break };
                head.extend_from_slice(&piece[..read]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let answer = match head.split(' ').nth(1).unwrap_or_default() {
                path if path.ends_with("authorize") => r#"{"data":{"access_token":"t0ken-of-ann","account_id":"1"},"_status":"success"}"#,
                path if path.ends_with("file/upload") => {
                    held.push(stream);
                    continue;
                }
                _ => r#"{"data":{"folders":[],"files":[]},"_status":"success"}"#,
            };
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        }
    });
    let home = Home::new().env(remote(&url));
    home.file("f.bin", vec![7; 100_000]);
    let begun = std::time::Instant::now();
    let put = home.run(&["put", "--timeout", "2s", "--retries", "1", "f.bin", "r:/"]);
    assert!(matches!(put.status, 5 | 13), "{} {}", put.status, put.stderr);
    assert!(put.stderr.contains("the server gave no answer for 2s"), "{}", put.stderr);
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn a_scheme_that_does_not_fit_the_port_is_reported() {
    let in_clear = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n";
    let nginx = "<html><center>The plain HTTP request was sent to HTTPS port</center></html>";
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let says = |body: &str| format!("{in_clear}content-length: {}\r\n\r\n{body}", body.len());
    for answer in [says(nginx), says(go), "\x15\x03\x01\x00\x02\x02\x46".to_owned()] {
        let (url, seen) = answers(answer.clone());
        let ls = Home::new().env(remote(&url)).run(&["ls", "r:/"]).ends_with(5).says("write https:// in the remote's url");
        assert_eq!(seen.lock().unwrap().len(), 1, "{answer:?}: asked once: {}", ls.stderr);
    }
    let https = trickles("HTTP/1.1 400 Bad Request\r\n\r\n", "no ").replace("http://", "https://");
    let ls = Home::new().env(remote(&https)).run(&["ls", "r:/"]).ends_with(5).says("the server does not speak TLS at this port");
    assert!(!ls.stderr.contains("waiting"), "asked once: {}", ls.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_that_trusts_nobody_is_reported_by_what() {
    let (url, _) = answers(refusal("403 No", ""));
    let home = Home::new().env(remote(&url));
    let without = |home: &Home| Ran::of(home.command(&["ls", "r:/"]).env("SSL_CERT_FILE", "").output().unwrap());
    // Plain http needs no certificates.
    without(&home).ends_with(4).says("the server refused permission");
    let server = tls_server(&["localhost"], false, refusal("403 No", ""));
    let home = Home::new().env(remote(&server.url.replace("127.0.0.1", "localhost")));
    without(&home).ends_with(2).says("SSL_CERT_FILE names no certificates").says("unset it");
}

/// Whose answer it is, and what it was.
#[test]
fn a_proxy_that_lets_nobody_through_is_named() {
    let (through, wants) = ("does not let us through", "wants a user and a password");
    for (status, says, tries) in [(403, through, 1), (407, wants, 1), (502, through, 2)] {
        let (proxy, seen) = answers(refusal(&format!("{status} No"), ""));
        let named = format!("the proxy {}", proxy.trim_start_matches("http://"));
        let with = |url: &str, more: &[(&str, &str)]| {
            let home = Home::new().env(remote(url));
            let mut command = home.command(&["ls", "--retries", "2", "r:/"]);
            Ran::of(command.env("HTTPS_PROXY", &proxy).env("http_proxy", &proxy).envs(more.iter().copied()).output().unwrap())
        };
        let tunnel = with("https://haul.invalid", &[]).ends_with(5).says(&format!("{named} {says} (HTTP {status})"));
        // Each try is followed by a second question, only to hear the status.
        let questions = if status == 407 { tries } else { 2 * tries };
        assert_eq!(seen.lock().unwrap().len(), questions, "{status}: {}", tunnel.stderr);
        let in_clear = with("http://localhost:1", &[]);
        assert!(in_clear.stderr.contains(&named) && in_clear.stderr.contains(&format!("HTTP {status}")), "{status}: {}", in_clear.stderr);
        let asked = seen.lock().unwrap().len();
        for none_for in ["*", "localhost:1", "x.example, localhost"] {
            let past = with("http://localhost:1", &[("NO_PROXY", none_for)]).ends_with(5).says("the server can't be reached");
            assert!(!past.stderr.contains("proxy"), "{none_for}: {}", past.stderr);
        }
        assert_eq!(seen.lock().unwrap().len(), asked, "nobody asked the proxy");
    }
}

/// A line to `target`. In place of an answer to an upload `answer` is asked to write to the client, and the line ends with it.
fn answers_uploads(target: String, answer: impl Fn(&mut TcpStream, &[u8]) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let front = url.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&target)) else { continue };
            let uploads = Arc::new(Mutex::new(false));
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (mut to, mut forth, seen) = (client, server, uploads.clone());
            let (at, front, answer) = (target.clone(), front.clone(), answer.clone());
            std::thread::spawn(move || {
                let mut piece = [0; 16 << 10];
                while let Ok(read @ 1..) = from.read(&mut piece) {
                    *seen.lock().unwrap() |= piece[..read].starts_with(b"POST /handlers/upload");
                    if forth.write_all(&piece[..read]).is_err() {
                        break;
                    }
                }
            });
            std::thread::spawn(move || {
                let mut piece = [0; 16 << 10];
                while let Ok(read @ 1..) = back.read(&mut piece) {
                    redirect(&mut piece[..read], &at, &front);
                    if *uploads.lock().unwrap() {
                        return answer(&mut to, &piece[..read]);
                    }
                    if to.write_all(&piece[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// Only its first bytes go through, and then the line is reset.
fn reset(to: &mut TcpStream, answer: &[u8]) {
    let _ = to.write_all(&answer[..answer.len().min(20)]);
    // A reset, once the other thread has let go, too.
    let _ = socket2::SockRef::from(&*to).set_linger(Some(Duration::ZERO));
    let _ = to.shutdown(Shutdown::Read);
}

/// ioGates with the answers to its uploads as `answer` writes them.
fn iogates_behind(env: &TestEnv, answer: impl Fn(&mut TcpStream, &[u8]) + Clone + Send + 'static) -> Home {
    let url = env.sandbox.env().into_iter().find(|(n, _)| n == "HAUL_REMOTE_IOGATES_URL").unwrap().1;
    let url = reqwest::Url::parse(&url).unwrap();
    let front = answers_uploads(format!("127.0.0.1:{}", url.port().unwrap()), answer);
    Home::new().env(env.sandbox.env()).env([("HAUL_REMOTE_IOGATES_URL".to_owned(), front + url.path())])
}

/// Whatever comes in place of an answer to a chunk, each wait has an end.
#[test]
fn an_answer_to_a_chunk_is_bounded_as_a_whole() {
    for (begin, on) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", ""),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{", " "),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\n \r\n"),
        ("HTTP/1.1 503 Later\r\ncontent-length: 100000\r\n\r\n", "no "),
    ] {
        let env = TestEnv::new();
        let home = iogates_behind(&env, move |to, _| {
            let mut more = to.write_all(begin.as_bytes());
            while more.is_ok() && !has_left(to) {
                std::thread::sleep(Duration::from_millis(50));
                more = to.write_all(on.as_bytes());
            }
        });
        for chunk in ["8M", "100K"] {
            home.file("f.bin", vec![7; 300_000]);
            let begun = std::time::Instant::now();
            let put = ["put", "--timeout", "1s", "--retries", "2", "--protocol", "plupload", "--chunk-size", chunk, "f.bin", "iogates:/"];
            let put = home.run(&put);
            assert!(matches!(put.status, 0 | 5 | 13), "{begin:?} {on:?}: {} {}", put.status, put.stderr);
            assert!(begun.elapsed() < Duration::from_secs(60), "{begin:?} {on:?} {chunk}: {:?} {}", begun.elapsed(), put.stderr);
        }
    }
}

/// The other side has closed the connection.
fn has_left(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let seen = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    matches!(seen, Ok(0))
}

/// The file has arrived each time; nobody waits minutes to learn it.
#[test]
fn answers_that_are_reset_after_their_first_bytes_are_looked_into() {
    let env = TestEnv::new();
    let home = iogates_behind(&env, reset);
    for (name, chunk, status) in [("whole.bin", "8M", 0), ("parts.bin", "100K", 5)] {
        home.file(name, vec![7; 300_000]);
        let begun = std::time::Instant::now();
        let put = ["put", "--retries", "3", "--protocol", "plupload", "--chunk-size", chunk, name, "iogates:/"];
        let put = home.run(&put).ends_with(status);
        assert!(begun.elapsed() < Duration::from_secs(60), "{name}: {:?} {}", begun.elapsed(), put.stderr);
    }
}
