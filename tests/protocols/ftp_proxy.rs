//! FTP(S) through the proxy in ALL_PROXY, and over a connection that is lost without a notice: vsftpd behind a proxy that can
//! stop forwarding. The client runs in a separate process, because the environment belongs to the process.

use std::net::{TcpListener as Listener, TcpStream as Stream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use haul::contract::{Recovery, UploadSession};
use haul::protocols::ftp::{FtpPool, FtpServer, FtpTarget, Security, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::ftp_servers::{MIB, PASSWORD, Running, Software, start, target};
use haul::testing::{MemorySource, bytes};

/// SOCKS5 and CONNECT on one port.
struct Proxy {
    port: u16,
    seen: Arc<ProxyState>,
}

#[derive(Default)]
struct ProxyState {
    connections: AtomicUsize,
    /// Bytes that came from the client.
    bytes: AtomicUsize,
    /// After so many of them, what is open falls silent; nothing is closed, and what comes later works.
    silent_after: AtomicUsize,
    was_silent: AtomicBool,
}

impl Proxy {
    fn start(silent_after: usize) -> Proxy {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(ProxyState { silent_after: silent_after.into(), ..ProxyState::default() });
        let counted = seen.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(lead(client, counted.clone()));
                }
            });
        });
        Proxy { port, seen }
    }
}

async fn lead(mut client: TcpStream, seen: Arc<ProxyState>) -> std::io::Result<()> {
    let first = client.read_u8().await?;
    let mut server = if first == 5 {
        let mut methods = vec![0; usize::from(client.read_u8().await?)];
        client.read_exact(&mut methods).await?;
        client.write_all(&[5, 0]).await?;
        let mut request = [0; 4];
        client.read_exact(&mut request).await?;
        let host = match request[3] {
            1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
            _ => {
                let mut name = vec![0; usize::from(client.read_u8().await?)];
                client.read_exact(&mut name).await?;
                String::from_utf8(name).unwrap()
            }
        };
        let server = TcpStream::connect((host, client.read_u16().await?)).await?;
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
        server
    } else {
        let mut head = vec![first];
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let to = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
        let mut server = TcpStream::connect(to).await?;
        // The server may be quicker than the proxy's answer is read: both come at once.
        let mut answer = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n".to_vec();
        let _ = tokio::time::timeout(Duration::from_millis(300), server.read_buf(&mut answer)).await;
        client.write_all(&answer).await?;
        server
    };
    seen.connections.fetch_add(1, Ordering::Relaxed);
    let silent_after = seen.silent_after.load(Ordering::Relaxed);
    if silent_after == 0 || seen.was_silent.load(Ordering::Relaxed) {
        return copy_bidirectional(&mut client, &mut server).await.map(drop);
    }
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    while !seen.was_silent.load(Ordering::Relaxed) {
        tokio::select! {
            n = client.read(&mut up) => match n? {
                0 => return Ok(()),
                n => {
                    server.write_all(&up[..n]).await?;
                    if seen.bytes.fetch_add(n, Ordering::Relaxed) + n >= silent_after {
                        seen.was_silent.store(true, Ordering::Relaxed);
                    }
                }
            },
            n = server.read(&mut down) => match n? {
                0 => return Ok(()),
                n => client.write_all(&down[..n]).await?,
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
    std::future::pending().await
}

/// Uploads by a process with these variables.
fn upload(running: &Running, security: &str, size: u64, proxies: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "protocols::ftp_proxy::client", "--ignored", "--nocapture"])
        .env("HAUL_TEST_FTP", format!("{} {security} {size}", running.port))
        .env("HAUL_TEST_CA", running.ca_file())
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(proxies.iter().copied())
        .output()
        .unwrap()
}

#[tokio::test]
#[ignore = "the other process of the tests here"]
async fn client() {
    let told = std::env::var("HAUL_TEST_FTP").unwrap();
    let [port, security, size] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let pool = FtpPool::new(FtpServer {
        host: "127.0.0.1".to_owned(),
        port: port.parse().unwrap(),
        user: "anonymous".to_owned(),
        password: haul::model::Secret::new(PASSWORD),
        security: match security {
            "implicit" => Security::Implicit,
            "explicit" => Security::Explicit,
            _ => Security::Plain,
        },
        user_chooses: true,
        ca_file: Some(std::env::var_os("HAUL_TEST_CA").unwrap().into()),
        timeout: Duration::from_secs(6),
    });
    let size: u64 = size.parse().unwrap();
    let (source, mut failures, mut from) = (MemorySource::new(bytes(size)), Vec::new(), 0);
    let fresh = || async { open(&pool, FtpTarget { size: Some(size), ..target("in/a.bin", size) }).await.unwrap() };
    let mut session = fresh().await;
    // As the engine does: ask where to go on, or open another.
    while let Err(failure) = session.send(source.part_from(from)).await {
        failures.push(failure.to_string());
        assert!(failures.len() < 4, "{failures:?}");
        from = match session.recover(&failure).await.unwrap() {
            Recovery::ResumeAt(offset) => offset,
            Recovery::StartOver => {
                session.abort().await;
                session = fresh().await;
                0
            }
        };
    }
    session.finish().await.unwrap();
    println!("failures: {failures:?}");
}

fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_connection_goes_through_the_proxy() {
    for (security, option) in [("explicit", None), ("implicit", Some("implicit_ssl=YES")), ("plain", Some("ssl_enable=NO"))] {
        let options: Vec<&str> = option.into_iter().collect();
        let Some(running) = start(Software::Vsftpd, &options) else { return };
        for scheme in ["socks5", "socks5h", "http"] {
            let proxy = Proxy::start(0);
            let output = upload(&running, security, MIB, &[("ALL_PROXY", &format!("{scheme}://127.0.0.1:{}", proxy.port))]);
            assert!(output.status.success(), "{security} {scheme}: {}", output_text(&output));
            assert!(std::fs::read(running.file("in/a.bin")).unwrap() == bytes(MIB), "{security} {scheme}");
            assert_eq!(proxy.seen.connections.load(Ordering::Relaxed), 2, "{security} {scheme}: control and data");
        }
        let proxy = Proxy::start(0);
        let all = format!("http://127.0.0.1:{}", proxy.port);
        let output = upload(&running, security, MIB, &[("ALL_PROXY", &all), ("NO_PROXY", "127.0.0.0/8")]);
        assert!(output.status.success(), "{}", output_text(&output));
        assert_eq!(proxy.seen.connections.load(Ordering::Relaxed), 0, "exempt");
    }
}

#[test]
fn a_proxy_that_does_not_lead_on_is_named() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket: Stream = socket.unwrap();
            let _ = std::io::Read::read(&mut socket, &mut [0; 1024]);
            let _ = std::io::Write::write_all(&mut socket, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    for (all, says) in [
        (format!("http://{address}"), format!("the proxy {address}: it did not connect us (HTTP 403)")),
        (format!("socks5://{address}"), format!("the proxy {address}: it did not connect us")),
        ("https://127.0.0.1:9".to_owned(), "FTP can't go through the proxy in ALL_PROXY".to_owned()),
        ("http://127.0.0.1:1".to_owned(), "the proxy 127.0.0.1:1: it can't be reached".to_owned()),
    ] {
        let output = upload(&running, "explicit", 10, &[("ALL_PROXY", &all)]);
        assert!(!output.status.success() && output_text(&output).contains(&says), "{all}: {}", output_text(&output));
    }
}

/// No FIN, no RST: vsftpd keeps the dead session and its lock on the file for five minutes.
#[test]
fn a_line_that_falls_silent_is_survived_in_the_same_run() {
    for (security, option) in [("explicit", None), ("plain", Some("ssl_enable=NO"))] {
        let options: Vec<&str> = option.into_iter().collect();
        let Some(running) = start(Software::Vsftpd, &options) else { return };
        let proxy = Proxy::start(8 << 20);
        let output = upload(&running, security, 24 * MIB, &[("ALL_PROXY", &format!("socks5://127.0.0.1:{}", proxy.port))]);
        assert!(output.status.success(), "{security}: {}", output_text(&output));
        assert!(proxy.seen.was_silent.load(Ordering::Relaxed));
        assert_eq!(
            output_text(&output).matches("another session may still hold the file").count(),
            1,
            "one waiter: {}",
            output_text(&output)
        );
        assert_eq!(running.names(), ["a.bin"]);
        assert!(std::fs::read(running.file("in/a.bin")).unwrap() == bytes(24 * MIB), "{security}");
    }
}
