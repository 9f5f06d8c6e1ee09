//! Unusual replies of FTP servers, from a small scripted server: refusals in the middle of a file, lost answers, refused TLS
//! sessions.

mod noise;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use haul::Kind;
use haul::contract::{Recovery, UploadSession};
use haul::model::Secret;
use haul::protocols::ftp::{FtpPool, FtpServer, FtpTarget, Security, open};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::ftp_servers::target;
use haul::testing::{MemorySource, bytes};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What the server knows when it decides on an answer.
struct FtpRequest<'a> {
    command: &'a str,
    /// Control connections so far, this one counted.
    connection: usize,
    tls13: bool,
}

/// None: the usual answer. `150 ...|552 ...` ends a transfer early, `150 ...|!552 ...` leaves its data connection open;
/// `150 ...|~226 ...` shows a stranger's certificate there; `*150 ...|226 ...` answers only after the handshake there. An empty answer closes the connection, [`SILENCE`] leaves it
/// open. In an answer to EPSV or PASV `{port}`, `{high}` and `{low}` stand for a port that is open.
type Answers = Arc<dyn Fn(&FtpRequest) -> Option<&'static str> + Send + Sync>;

const SILENCE: &str = "(silence)";

struct Played {
    server: FtpServer,
    commands: Arc<Mutex<Vec<String>>>,
    _authority: Option<tempfile::TempDir>,
}

impl Played {
    fn pool(&self) -> Arc<FtpPool> {
        FtpPool::new(self.server.clone())
    }

    fn count(&self, command: &str) -> usize {
        self.commands.lock().unwrap().iter().filter(|c| c.split(' ').next() == Some(command)).count()
    }
}

async fn env(security: Security, answers: impl Fn(&FtpRequest) -> Option<&'static str> + Send + Sync + 'static) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = (security != Security::Plain).then(crate::support::ftp_servers::authority);
    let strangers = (security != Security::Plain).then(crate::support::ftp_servers::authority);
    let acceptor = |dir: &tempfile::TempDir| {
        let certificate = CertificateDer::from_pem_file(dir.path().join("server.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(dir.path().join("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
    };
    let (acceptor, stranger) = (authority.as_ref().map(acceptor), strangers.as_ref().map(acceptor));
    let server = FtpServer {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        user: "user".to_owned(),
        password: Secret::new("swordfish-3"),
        security,
        user_chooses: true,
        ca_file: authority.as_ref().map(|dir| dir.path().join("ca.crt")),
        timeout: Duration::from_secs(10),
    };
    let commands = Arc::new(Mutex::new(Vec::new()));
    let (answers, seen): (Answers, _) = (Arc::new(answers), commands.clone());
    tokio::spawn(async move {
        for connection in 1.. {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptors = (acceptor.clone(), stranger.clone());
            tokio::spawn(converse(socket, connection, acceptors, answers.clone(), seen.clone()));
        }
    });
    Played { server, commands, _authority: authority }
}

/// One control connection; ends, with whatever error, when the client is gone.
async fn converse(
    socket: TcpStream,
    connection: usize,
    (acceptor, stranger): (Option<TlsAcceptor>, Option<TlsAcceptor>),
    answers: Answers,
    seen: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut control: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(socket));
    let mut secured = None;
    let (mut passive, mut left_open) = (None, Vec::new());
    let mut command = "greeting".to_owned();
    loop {
        seen.lock().unwrap().push(command.clone());
        let asked = FtpRequest { command: &command, connection, tls13: secured == Some(rustls::ProtocolVersion::TLSv1_3) };
        let verb = command.split(' ').next().unwrap();
        let usual = match verb {
            "greeting" => "220-hello\r\n 220 is not the end\r\n220 ready",
            "AUTH" => "234 go on",
            "PBSZ" | "PROT" => "200 fine",
            "USER" => "331 password",
            "PASS" => "230 in",
            "FEAT" => "211-Features:\r\n REST STREAM\r\n UTF8\r\n211 End",
            "STOR" | "APPE" => "150 send|226 done",
            "RNFR" | "REST" => "350 more",
            "SIZE" => "550 nothing there",
            _ => "250 fine",
        };
        let answer = answers(&asked).unwrap_or(usual);
        if answer.is_empty() {
            return Ok(());
        }
        if answer == SILENCE {
            std::future::pending::<()>().await;
        }
        let (first, last) = match answer.split_once('|') {
            Some((first, last)) if !matches!(verb, "EPSV" | "PASV") => (first, Some(last)),
            _ => (answer, None),
        };
        let first = match verb {
            "EPSV" if answer == usual => "229 Extended (|||{port}|)",
            "PASV" if answer == usual => "227 Passive (192,0,2,1,{high},{low})",
            _ => first,
        };
        let mut first = first.to_owned();
        if first.contains('{') {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            passive = Some(listener);
            for (word, value) in [("{port}", port), ("{high}", port / 256), ("{low}", port % 256)] {
                first = first.replace(word, &value.to_string());
            }
        }
        let (first, is_late) = match first.strip_prefix('*') {
            Some(first) => (first.to_owned(), true),
            None => (first, false),
        };
        if !is_late {
            control.write_all(format!("{first}\r\n").as_bytes()).await?;
        }
        if verb == "AUTH" && first.starts_with("234") {
            let tcp = acceptor.as_ref().unwrap().accept(control.into_inner()).await?;
            secured = tcp.get_ref().1.protocol_version();
            control = BufReader::new(Box::new(tcp));
        }
        if let Some(last) = last
            && let Some(listener) = passive.take()
        {
            let (socket, _) = listener.accept().await?;
            let (acceptor, last) = match last.strip_prefix('~') {
                Some(last) => (&stranger, last),
                None => (&acceptor, last),
            };
            let mut data: Box<dyn Stream> = match (acceptor, secured) {
                (Some(acceptor), Some(_)) => match acceptor.accept(socket).await {
                    Ok(data) => Box::new(data),
                    Err(_) => {
                        control.write_all(b"426 the data connection failed\r\n").await?;
                        return Ok(());
                    }
                },
                _ => Box::new(socket),
            };
            if is_late {
                control.write_all(format!("{first}\r\n").as_bytes()).await?;
            }
            // What stands between two `^` is sent, and the line ends without a close_notify; between two `$` with one, and the
            // client's is waited for.
            let tidy = |last: &'static str| Some((last.strip_prefix('$')?.split_once('$')?, true));
            let untidy = |last: &'static str| Some((last.strip_prefix('^')?.split_once('^')?, false));
            if let Some(((content, last), is_tidy)) = untidy(last).or_else(|| tidy(last)) {
                data.write_all(content.as_bytes()).await?;
                data.flush().await?;
                if is_tidy {
                    data.shutdown().await?;
                    let is_closed = matches!(data.read(&mut [0; 16]).await, Ok(0));
                    seen.lock().unwrap().push(if is_closed { "(close_notify)" } else { "(cut)" }.to_owned());
                }
                drop(data);
                control.write_all(format!("{last}\r\n").as_bytes()).await?;
                command.clear();
                if control.read_line(&mut command).await? == 0 {
                    return Ok(());
                }
                command.truncate(command.trim_end().len());
                continue;
            }
            // What stands between two `&` is sent a little later than the reply.
            if let Some((content, last)) = last.strip_prefix('&').and_then(|last| last.split_once('&')) {
                control.write_all(format!("{last}\r\n").as_bytes()).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
                data.write_all(content.as_bytes()).await?;
                data.shutdown().await?;
                drop(data);
                command.clear();
                if control.read_line(&mut command).await? == 0 {
                    return Ok(());
                }
                command.truncate(command.trim_end().len());
                continue;
            }
            let last = match last.strip_prefix('!') {
                Some(last) => {
                    if matches!(verb, "STOR" | "APPE") {
                        let _ = data.read(&mut [0; 4096]).await;
                    }
                    left_open.push(data);
                    last
                }
                None => {
                    take(data, last.starts_with('2')).await;
                    last
                }
            };
            control.write_all(format!("{last}\r\n").as_bytes()).await?;
        }
        command.clear();
        if control.read_line(&mut command).await? == 0 {
            return Ok(());
        }
        command.truncate(command.trim_end().len());
    }
}

/// All of the file, or only its beginning.
async fn take(mut data: Box<dyn Stream>, all: bool) {
    let mut buffer = vec![0; 4096];
    while matches!(data.read(&mut buffer).await, Ok(n) if n > 0 && all) {}
}

async fn upload(played: &Played, size: u64) -> haul::Result<()> {
    let mut session = open(&played.pool(), FtpTarget { size: None, ..target("a.bin", size) }).await?;
    session.send(MemorySource::new(bytes(size)).part_from(0)).await?;
    session.finish().await
}

fn says(on: &'static str, answer: &'static str) -> impl Fn(&FtpRequest) -> Option<&'static str> + Send + Sync + 'static {
    move |asked| asked.command.starts_with(on).then_some(answer)
}

#[tokio::test]
async fn the_reason_survives_a_broken_data_connection() {
    for security in [Security::Plain, Security::Explicit] {
        let played = env(security, says("STOR", "150 send|552 Quota exceeded")).await;
        let error = upload(&played, 32 << 20).await.unwrap_err();
        assert_eq!((error.kind(), error.status_code()), (Kind::Refused, Some(552)), "{error}");
        assert!(error.to_string().contains("Quota exceeded"), "{error}");
    }
}

/// The data connection stays open and takes no more: only the control connection tells, and is listened to.
#[tokio::test]
async fn a_refusal_is_heard_while_bytes_are_sent() {
    for security in [Security::Plain, Security::Explicit] {
        for (answer, kind) in [
            ("150 send|!552 Quota exceeded", Kind::Refused),
            ("150 send|!451 the disk is bad", Kind::Interrupted),
            ("150 send|!110 mark\r\n552 full", Kind::Refused),
            ("150 send|!226 enough", Kind::Interrupted),
        ] {
            let played = env(security, says("STOR", answer)).await;
            // Longer than anybody waits: an error after this time would be no answer.
            let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(600), ..played.server.clone() });
            let mut session = open(&pool, target("a.bin", 64 << 20)).await.unwrap();
            let sent = tokio::time::timeout(Duration::from_secs(120), session.send(MemorySource::new(bytes(64 << 20)).part_from(0))).await;
            let error = sent.expect("the reply is not heard").unwrap_err();
            let status = answer.split(['!', '\n']).next_back().unwrap()[..3].parse::<u16>().ok().filter(|status| *status != 226);
            assert_eq!((error.kind(), error.status_code()), (kind, status), "{error}");
        }
    }
}

/// The same at the end, when all bytes are out and the server does not close.
#[tokio::test]
async fn the_end_is_heard_while_the_data_connection_stays_open() {
    for (answer, done) in [("150 send|!226 done", true), ("150 send|!552 full", false)] {
        let played = env(Security::Plain, says("STOR", answer)).await;
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(600), ..played.server.clone() });
        let mut session = open(&pool, target("a.bin", 10)).await.unwrap();
        let sent = tokio::time::timeout(Duration::from_secs(120), session.send(MemorySource::new(bytes(10)).part_from(0))).await;
        assert_eq!(sent.expect("the reply is not heard").map_err(|e| e.status_code()), if done { Ok(10) } else { Err(Some(552)) });
    }
}

#[tokio::test]
async fn only_the_last_reply_is_success() {
    let played = env(Security::Plain, says("STOR", "150 send|250 done")).await;
    upload(&played, 1000).await.unwrap();
    let played = env(Security::Plain, says("STOR", "150 send|426 Failure reading network stream")).await;
    assert_eq!(upload(&played, 1000).await.unwrap_err().kind(), Kind::Interrupted);
}

/// On a slow line each file would wait for one round trip more.
#[tokio::test]
async fn tls_begins_before_the_command_is_answered_where_data_connections_have_worked() {
    let stored = std::sync::atomic::AtomicUsize::new(0);
    let played = env(Security::Explicit, move |asked| {
        let is_later = asked.command.starts_with("STOR") && stored.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0;
        is_later.then_some("*150 send|226 done")
    })
    .await;
    let pool = played.pool();
    for name in ["a.bin", "b.bin", "c.bin"] {
        let mut session = open(&pool, target(name, 1000)).await.unwrap();
        session.send(MemorySource::new(bytes(1000)).part_from(0)).await.unwrap();
        session.finish().await.unwrap();
    }
    assert_eq!((played.count("PASS"), played.count("STOR")), (1, 3));
}

#[tokio::test]
async fn a_refused_session_is_tried_once_with_the_newer_tls() {
    let refused = "150 send|522 SSL connection failed: session reuse required";
    let played = env(Security::Explicit, move |asked| (asked.command.starts_with("STOR") && !asked.tls13).then_some(refused)).await;
    upload(&played, 3 << 20).await.unwrap();
    assert_eq!((played.count("PASS"), played.count("STOR")), (2, 2));

    let played = env(Security::Explicit, says("STOR", refused)).await;
    let error = upload(&played, 3 << 20).await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::Unsupported, Some(522)), "{error}");
    assert!(error.to_string().contains("session reuse required"), "{error}");
    assert_eq!((played.count("PASS"), played.count("STOR")), (2, 2));
}

/// A server that can't reach us back, or a port that a firewall keeps shut: no word of sessions.
#[tokio::test]
async fn a_425_that_blames_no_session_is_a_broken_line() {
    let refused = "425 Failed to establish connection.";
    let played = env(Security::Explicit, says("STOR", refused)).await;
    let error = upload(&played, 1000).await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::Unreachable, Some(425)), "{error}");
    assert_eq!(played.count("STOR"), 2, "the other TLS version was tried");
}

#[tokio::test]
async fn a_strange_certificate_on_the_data_connection_is_reported_as_such() {
    let played = env(Security::Explicit, says("STOR", "150 send|~226 done")).await;
    let error = upload(&played, 1000).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Untrusted, "{error}");
    assert!(error.to_string().contains("certificate is not trusted"), "{error}");
    assert_eq!(played.count("STOR"), 1);
}

/// pure-ftpd: it may not rename, and will not.
#[tokio::test]
async fn a_local_error_at_the_rename_is_final_and_names_what_is_left() {
    let played = env(Security::Plain, says("RNTO", "451 Rename/move failure: Operation not permitted")).await;
    let mut session = open(&played.pool(), FtpTarget { size: None, ..target("a.bin", 10) }).await.unwrap();
    session.send(MemorySource::new(bytes(10)).part_from(0)).await.unwrap();
    let error = session.finish().await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::Refused, Some(451)), "{error}");
    assert!(error.to_string().contains("rename a.bin.download on the server"), "{error}");
    session.abort().await;
    assert_eq!(played.count("DELE"), 0, "the whole file stays");
}

#[tokio::test]
async fn protection_in_other_words() {
    for answer in ["232 fine", "202 superfluous", "234-well\r\n234 fine"] {
        let played = env(Security::Explicit, move |asked| {
            asked.command.starts_with("P").then_some(answer).filter(|_| !asked.command.starts_with("PAS"))
        })
        .await;
        upload(&played, 1000).await.unwrap();
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_epsv_pasv_is_asked() {
    for answer in ["425 no", "229 nonsense", "229 Extended (|||1|)", "500 what", "200 fine", "522 not this protocol", SILENCE, ""] {
        let played = env(Security::Plain, says("EPSV", answer)).await;
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(4), ..played.server.clone() });
        for name in ["a.bin", "b.bin"] {
            let mut session = open(&pool, FtpTarget { size: None, ..target(name, 1000) }).await.unwrap();
            session.send(MemorySource::new(bytes(1000)).part_from(0)).await.unwrap_or_else(|e| panic!("{answer}: {e}"));
            session.finish().await.unwrap();
        }
        assert_eq!((played.count("EPSV"), played.count("PASV")), (1, 2), "{answer}");
    }
    for (command, answer) in
        [("EPSV", "227 Passive (192,0,2,1,{high},{low})"), ("EPSV", "229 Extended (|||{port}"), ("PASV", "229 Extended (|||{port}|)")]
    {
        let played = env(Security::Plain, move |asked| match asked.command {
            asked if asked == command => Some(answer),
            "EPSV" => Some("502 what"),
            _ => None,
        })
        .await;
        upload(&played, 1000).await.unwrap();
        assert_eq!(played.count("PASV"), usize::from(command == "PASV"), "{answer}");
    }
    // Neither: the failure of the one that the server knows.
    let played = env(Security::Plain, |asked| match asked.command {
        "EPSV" => Some("229 Extended (|||1|)"),
        "PASV" => Some("502 what"),
        _ => None,
    })
    .await;
    let error = upload(&played, 10).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("data connection to port 1"), "{error}");
}

/// vsftpd says nothing to STOR while a dead session holds the file. One waiter, then another name.
#[tokio::test]
async fn a_name_that_another_session_holds_is_left() {
    for way in ["STOR", "APPE"] {
        let played = env(Security::Plain, move |asked| match (asked.command.split_once(' '), way) {
            (Some(("STOR" | "APPE", "a.bin.download")), _) => Some(SILENCE),
            (Some(("SIZE", "a.bin.download")), "APPE") => Some("213 600"),
            (Some(("REST", _)), "APPE") => Some("502 what"),
            _ => None,
        })
        .await;
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(2), ..played.server.clone() });
        let source = MemorySource::new(bytes(1000));
        let mut session = open(&pool, FtpTarget { size: None, ..target("a.bin", 1000) }).await.unwrap();
        let failure = session.send(source.part_from(if way == "APPE" { 600 } else { 0 })).await.unwrap_err();
        assert_eq!(failure.kind(), Kind::Interrupted);
        assert!(failure.message().contains("another session may still hold the file"), "{failure}");
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
        session.abort().await;
        let mut session = open(&pool, FtpTarget { size: None, ..target("a.bin", 1000) }).await.unwrap();
        assert_eq!(session.note().as_deref(), Some("a.bin.2.download"));
        assert_eq!(session.send(source.part_from(0)).await.unwrap(), 1000);
        session.finish().await.unwrap();
        let waiters = played.commands.lock().unwrap().iter().filter(|c| *c == &format!("{way} a.bin.download")).count();
        assert_eq!((waiters, played.count("RNTO")), (1, 1));
    }
}

/// The watch over a transfer drops it at the same time: that is no other case.
#[tokio::test]
async fn a_silent_server_is_left_also_when_the_sending_was_dropped() {
    let played = env(Security::Plain, says("STOR a.bin.download", SILENCE)).await;
    let mut session = open(&played.pool(), target("a.bin", 1000)).await.unwrap();
    let source = MemorySource::new(bytes(1000));
    let dropped = async {
        while played.count("STOR") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        sent = session.send(source.part_from(0)) => panic!("{sent:?}"),
        () = dropped => {}
    }
    assert_eq!(session.recover(&haul::Error::new(Kind::Interrupted, "test")).await.unwrap(), Recovery::StartOver);
}

/// Gigabytes are worth one wait for the lock, which the server asks for as it were.
#[tokio::test]
async fn much_that_another_session_holds_is_waited_for_once() {
    let played = env(Security::Plain, |asked| match asked.command.split(' ').next() {
        Some("SIZE") => Some("213 3000000000"),
        Some("STOR") => Some(SILENCE),
        _ => None,
    })
    .await;
    let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(2), ..played.server.clone() });
    let mut session = open(&pool, FtpTarget { size: Some(4_000_000_000), ..target("a.bin", 0) }).await.unwrap();
    let cut = haul::Error::new(Kind::Interrupted, "test");
    let at = Recovery::ResumeAt(3_000_000_000);
    assert_eq!(session.recover(&cut).await.unwrap(), at);
    let rest = || MemorySource::new(bytes(10)).part(3_000_000_000, 4_000_000_000);
    let failure = session.send(rest()).await.unwrap_err();
    let wait = session.recover(&failure).await.unwrap_err();
    assert_eq!((wait.kind(), wait.retry_after()), (Kind::Busy, Some(Duration::from_secs(330))), "{wait}");
    assert_eq!(session.recover(&wait).await.unwrap(), at);
    let failure = session.send(rest()).await.unwrap_err();
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
}

/// A remnant that can't be removed, and one that only the server sees (ProFTPD's HiddenStores).
#[tokio::test]
async fn a_name_that_can_t_be_written_is_left() {
    for (refusal, dele, size) in [
        ("553 Could not create file.", "550 Permission denied", "213 600"),
        ("550 Temporary hidden file .in.a.bin. already exists", "550 nothing there", "550 nothing there"),
    ] {
        let played = env(Security::Plain, move |asked| match asked.command {
            "STOR a.bin.download" => Some(refusal),
            "DELE a.bin.download" => Some(dele),
            "SIZE a.bin.download" => Some(size),
            _ => None,
        })
        .await;
        let pool = played.pool();
        let mut session = open(&pool, target("a.bin", 1000)).await.unwrap();
        let failure = session.send(MemorySource::new(bytes(1000)).part_from(0)).await.unwrap_err();
        assert_eq!(failure.kind(), Kind::Interrupted, "{failure}");
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
        let mut session = open(&pool, FtpTarget { size: None, ..target("a.bin", 1000) }).await.unwrap();
        assert_eq!(session.send(MemorySource::new(bytes(1000)).part_from(0)).await.unwrap(), 1000, "{refusal}");
        session.finish().await.unwrap();
    }
    // A folder that may not be written to is in the way of every name.
    let played = env(Security::Plain, |asked| match asked.command.split(' ').next() {
        Some("STOR") => Some("550 Permission denied"),
        Some("DELE") => Some("550 nothing there"),
        _ => None,
    })
    .await;
    assert_eq!(upload(&played, 10).await.unwrap_err().kind(), Kind::Refused);
}

/// pure-ftpd hides a file that is gone on with; its dead session may put it back later, over ours.
#[tokio::test]
async fn a_file_that_vanishes_while_it_is_resumed_is_left() {
    let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = gone.clone();
    let played = env(Security::Plain, move |asked| match asked.command {
        "SIZE a.bin.download" if !seen.load(std::sync::atomic::Ordering::Relaxed) => Some("213 600"),
        "STOR a.bin.download" => Some("150 send|426 cut"),
        _ => None,
    })
    .await;
    let pool = played.pool();
    let mut session = open(&pool, target("a.bin", 1000)).await.unwrap();
    let failure = session.send(MemorySource::new(bytes(1000)).part_from(600)).await.unwrap_err();
    gone.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    assert_eq!(open(&pool, target("a.bin", 1000)).await.unwrap().note().as_deref(), Some("a.bin.2.download"));
}

#[tokio::test]
async fn a_rename_without_an_answer_is_looked_up() {
    // Done: the old name is gone.
    let played = env(Security::Plain, says("RNTO", "")).await;
    upload(&played, 10).await.unwrap();
    assert_eq!((played.count("RNTO"), played.count("SIZE")), (1, 1));

    // Not done: the old name is there, and the rename is asked for again.
    let played = env(Security::Plain, |asked| match (asked.command, asked.connection) {
        ("RNTO a.bin", 1) => Some(""),
        ("SIZE a.bin.download", _) => Some("213 10"),
        _ => None,
    })
    .await;
    upload(&played, 10).await.unwrap();
    assert_eq!(played.count("RNTO"), 2);

    // Nobody knows.
    let played = env(Security::Plain, |asked| match asked.command {
        "RNTO a.bin" => Some(""),
        "SIZE a.bin.download" => Some("502 no SIZE"),
        _ => None,
    })
    .await;
    assert_eq!(upload(&played, 10).await.unwrap_err().kind(), Kind::Unknown);
}

/// ioGates takes a file in when it is renamed: to send it again would be a second file onto the first.
#[tokio::test]
async fn a_file_that_may_be_taken_in_is_not_sent_again_without_a_look() {
    // The rename is done, the line dies, and the server is away for a moment.
    let played = env(Security::Plain, |asked| match (asked.command, asked.connection) {
        ("RNTO a.bin", _) | ("greeting", 2) => Some(""),
        _ => None,
    })
    .await;
    let mut session = open(&played.pool(), FtpTarget { size: None, ..target("a.bin", 10) }).await.unwrap();
    session.send(MemorySource::new(bytes(10)).part_from(0)).await.unwrap();
    let error = session.finish().await.unwrap_err();
    assert_eq!((error.kind(), played.count("RNTO")), (Kind::Interrupted, 1), "the rename may have arrived: {error}");
    assert_eq!(session.recover(&error).await.unwrap(), Recovery::StartOver);

    // A file without a travelling name is there with its last byte.
    let played = env(Security::Plain, says("STOR", "150 send|426 cut")).await;
    let mut session = open(&played.pool(), FtpTarget { temporary: None, ..target("a.bin", 10) }).await.unwrap();
    let error = session.send(MemorySource::new(bytes(10)).part_from(0)).await.unwrap_err();
    assert_eq!((error.kind(), session.recover(&error).await.unwrap()), (Kind::Interrupted, Recovery::StartOver));
}

/// A file of another remote fails as its line does: that may pass, and what lies there is gone on with.
#[tokio::test]
async fn a_source_fails_by_its_own_kind() {
    for kind in [Kind::Interrupted, Kind::Auth, Kind::Integrity] {
        let played = env(Security::Plain, |_| None).await;
        let source = MemorySource::new(bytes(1000));
        source.on_read_at(0, move || Err(std::io::Error::other(haul::Error::new(kind, "the other side is gone"))));
        let mut session = open(&played.pool(), target("a.bin", 1000)).await.unwrap();
        let error = session.send(source.part_from(0)).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (kind, "memory: the other side is gone".to_owned()));
    }
}

#[tokio::test]
async fn silence_hints_at_implicit_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let played = env(Security::Explicit, |_| None).await;
    for user_chooses in [true, false] {
        let server = FtpServer { port, user_chooses, timeout: Duration::from_millis(200), ..played.server.clone() };
        let error = open(&FtpPool::new(server), target("a.bin", 1)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Unreachable);
        assert!(error.to_string().contains("no answer from the server within 200ms"), "{error}");
        assert_eq!(error.to_string().contains("; try ftps+implicit:// in the url"), user_chooses, "{error}");
    }
}

/// A name that is cut in the middle would be another name.
#[tokio::test]
async fn a_listing_that_breaks_off_within_a_line_is_not_the_whole() {
    const WHOLE: &str = "150 here|^drwxr-xr-x 2 a a 4096 Jan 01 00:00 one\r\ndrwxr-xr-x 2 a a 4096 Jan 01 00:00 other\r\n^226 done";
    const CUT: &str = "150 here|^drwxr-xr-x 2 a a 4096 Jan 01 00:00 one\r\ndrwxr-xr-x 2 a a 4096 Jan 01 00:00 oth^226 done";
    for (answer, whole) in [(WHOLE, true), (CUT, false)] {
        let played = env(Security::Explicit, says("LIST", answer)).await;
        let mut names = Vec::new();
        let listed = haul::protocols::ftp::listing::list(&played.pool(), "in", |row| {
            names.extend(row.ok().map(|file| file.name));
            Ok(())
        })
        .await;
        match whole {
            true => assert_eq!((listed.is_ok(), names), (true, vec!["one".to_owned(), "other".to_owned()])),
            false => assert_eq!(listed.unwrap_err().kind(), Kind::Interrupted),
        }
    }
}

/// Rebex answers 426 to a client that ends a listing or a download without a close_notify of its own.
#[tokio::test]
async fn every_data_connection_ends_with_a_close_notify() {
    let played = env(Security::Explicit, |asked| match asked.command.split(' ').next() {
        Some("LIST") => Some("150 here|$drwxr-xr-x 2 a a 4096 Jan 01 00:00 one\r\n$226 done"),
        Some("RETR") => Some("150 here|$content$226 done"),
        _ => None,
    })
    .await;
    let pool = played.pool();
    haul::protocols::ftp::listing::list(&pool, "in", |_| Ok(())).await.unwrap();
    let reading = haul::protocols::ftp::reading::open_reading(&pool, "RETR a", 0, "the download").await.unwrap();
    let read: Vec<_> = futures_util::StreamExt::collect(reading.chunks()).await;
    assert_eq!(read.into_iter().map(|piece| piece.unwrap()).collect::<Vec<_>>().concat(), b"content");
    assert_eq!((played.count("(close_notify)"), played.count("(cut)")), (2, 0));
}

/// The text names the setting of the server, for listings and downloads, too.
#[tokio::test]
async fn a_session_that_is_never_accepted_names_the_servers_setting() {
    const REUSE: [&str; 2] =
        ["150 send|522 SSL connection failed; session reuse required", "150 here|$$522 SSL connection failed; session reuse required"];
    const NOT_PERMITTED: [&str; 2] = [
        "150 send|425 Unable to build data connection: Operation not permitted",
        "150 here|$$425 Unable to build data connection: Operation not permitted",
    ];
    for [stored, read] in [REUSE, NOT_PERMITTED] {
        let played = env(Security::Explicit, move |asked| match asked.command.split(' ').next() {
            Some("LIST" | "RETR") => Some(read),
            Some("STOR") => Some(stored),
            _ => None,
        })
        .await;
        let listed = haul::protocols::ftp::listing::list(&played.pool(), "in", |_| Ok(())).await.unwrap_err();
        let reading = haul::protocols::ftp::reading::open_reading(&played.pool(), "RETR a", 0, "the download").await.unwrap();
        let read = haul::protocols::ftp::reading::read_lines(reading.chunks(), |_| Ok(())).await.unwrap_err();
        for error in [listed, read, upload(&played, 3 << 20).await.unwrap_err()] {
            assert_eq!(error.kind(), Kind::Unsupported, "{error}");
            let hint = error.hint().unwrap_or_default();
            assert!(["require_ssl_reuse=NO", "NoSessionReuseRequired", "FileZilla"].iter().all(|word| hint.contains(word)), "{error}");
        }
    }
}

/// The same while the data connection stays open and no byte comes: only the control connection tells.
#[tokio::test]
async fn a_refusal_is_heard_while_bytes_are_waited_for() {
    use haul::protocols::ftp::reading::{open_reading, read_lines};
    for (security, answer, kind, status) in [
        (Security::Plain, "150 here|!425 no data connection", Kind::Unreachable, 425),
        (Security::Plain, "150 here|!426 broken", Kind::Interrupted, 426),
        (Security::Explicit, "150 here|!426 broken", Kind::Interrupted, 426),
        (Security::Explicit, "150 here|!522 SSL connection failed; session reuse required", Kind::Unsupported, 522),
    ] {
        let played = env(security, move |asked| ["LIST", "RETR"].contains(&asked.command.split(' ').next()?).then_some(answer)).await;
        // Longer than anybody waits: an error after this time would be no answer.
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(600), ..played.server.clone() });
        let read = async {
            let listed = haul::protocols::ftp::listing::list(&pool, "in", |_| Ok(())).await;
            let file = async { read_lines(open_reading(&pool, "RETR a", 0, "the download").await?.chunks(), |_| Ok(())).await };
            [listed, file.await]
        };
        for outcome in tokio::time::timeout(Duration::from_secs(120), read).await.expect("the reply is not heard") {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.status_code()), (kind, Some(status)), "{error}");
            assert_eq!(error.hint().unwrap_or_default().contains("require_ssl_reuse=NO"), status == 522, "{error}");
        }
    }
}

/// A server may confirm a download before its last bytes have arrived. They are read, and the connection is used again.
#[tokio::test]
async fn an_early_confirmation_stops_no_bytes() {
    let played = env(Security::Plain, says("RETR", "150 here|&content&226 all of it")).await;
    let pool = played.pool();
    for _ in 0..2 {
        let reading = haul::protocols::ftp::reading::open_reading(&pool, "RETR a", 0, "the download").await.unwrap();
        let read: Vec<_> = futures_util::StreamExt::collect(reading.chunks()).await;
        assert_eq!(read.into_iter().map(|piece| piece.unwrap()).collect::<Vec<_>>().concat(), b"content");
    }
    assert_eq!(played.count("PASS"), 1);
}

#[tokio::test]
async fn nothing_goes_out_in_clear() {
    for (refused, answer) in [("AUTH", "502 no TLS"), ("PROT", "536 not private"), ("PBSZ", "500 what")] {
        let played = env(Security::Explicit, says(refused, answer)).await;
        let error = open(&played.pool(), target("a.bin", 1)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        assert_eq!((played.count("USER"), played.count("PASS")), (0, 0));
    }
}

/// Somebody on the way puts an answer behind the one to AUTH, to be read as the server's within TLS.
#[tokio::test]
async fn what_comes_in_clear_behind_the_answer_to_auth_is_an_attack() {
    for injected in ["234 go on\r\n200 fine", "234 go on\r\n230 you are in\r\n"] {
        let played = env(Security::Explicit, says("AUTH", injected)).await;
        let error = open(&played.pool(), target("a.bin", 1)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Untrusted, "{error}");
        assert!(error.to_string().contains("is not secure"), "{error}");
        assert_eq!((played.count("USER"), played.count("PASS"), played.count("greeting")), (0, 0, 1));
    }
}

#[tokio::test]
async fn greetings_that_are_none() {
    for (greeting, kind) in [
        ("421 There are too many connections from your internet address.", Kind::Busy),
        ("421 Going down", Kind::Unreachable),
        ("SSH-2.0-OpenSSH_9.2", Kind::Protocol),
        ("", Kind::Unreachable),
    ] {
        let played = env(Security::Explicit, says("greeting", greeting)).await;
        assert_eq!(open(&played.pool(), target("a.bin", 1)).await.err().unwrap().kind(), kind, "{greeting}");
    }
}

#[tokio::test]
async fn success_in_other_words() {
    let played = env(Security::Plain, |asked| match asked.command.split(' ').next() {
        Some("USER") => Some("232 already known"),
        Some("TYPE" | "RNTO") => Some("202 superfluous"),
        Some("FEAT") => Some("500 what"),
        _ => None,
    })
    .await;
    upload(&played, 10).await.unwrap();
    assert_eq!(played.count("PASS"), 0);
    for greeting in ["120 in a moment\r\n220 ready", "220-hello\r\n12345 visitors so far\r\n220-\r\n220 ready"] {
        upload(&env(Security::Explicit, says("greeting", greeting)).await, 10).await.unwrap();
    }
    // bftpd and glFTPd: the last line has another code than the first.
    let played = env(Security::Plain, |asked| match asked.command.split(' ').next() {
        Some("STOR") => Some("125 send|226-well\r\n 550 is not the end\r\n250 done"),
        Some("TYPE") => Some("200-well\r\n226 done"),
        _ => None,
    })
    .await;
    upload(&played, 10).await.unwrap();
    let played = env(Security::Plain, says("PASS", "332 account?")).await;
    assert_eq!(upload(&played, 10).await.unwrap_err().kind(), Kind::Auth);
}

#[tokio::test]
async fn append_where_restart_is_not_offered() {
    let played = env(Security::Plain, |asked| match asked.command {
        "FEAT" => Some("211 none"),
        "SIZE a.bin.download" => Some("213 600"),
        _ => None,
    })
    .await;
    let mut session = open(&played.pool(), target("a.bin", 1000)).await.unwrap();
    let source = MemorySource::new(bytes(1000));
    assert_eq!(session.recover(&haul::Error::new(Kind::Interrupted, "test")).await.unwrap(), Recovery::ResumeAt(600));
    assert_eq!(session.send(source.part_from(600)).await.unwrap(), 1000, "counted from the start of the file");
    assert_eq!((played.count("REST"), played.count("STOR"), played.count("APPE")), (0, 0, 1));
}

/// Some servers keep the offset of REST until a transfer succeeds: the next file would begin there.
#[tokio::test]
async fn the_offset_of_a_refused_restart_is_left_behind_with_its_connection() {
    let played = env(Security::Plain, |asked| match (asked.command, asked.connection) {
        ("SIZE a.bin.download", _) => Some("213 600"),
        ("STOR a.bin.download", 1) => Some("150 send|550 no restart here"),
        _ => None,
    })
    .await;
    let pool = played.pool();
    let mut session = open(&pool, target("a.bin", 1000)).await.unwrap();
    let source = MemorySource::new(bytes(1000));
    assert_eq!(session.send(source.part_from(600)).await.unwrap_err().kind(), Kind::Interrupted);
    session.abort().await;
    let mut session = open(&pool, FtpTarget { size: None, ..target("a.bin", 1000) }).await.unwrap();
    assert_eq!(session.send(source.part_from(0)).await.unwrap(), 1000);
}

#[tokio::test]
async fn a_server_without_epsv_is_asked_once() {
    let played = env(Security::Plain, says("EPSV", "502 what")).await;
    let pool = played.pool();
    for name in ["a", "b"] {
        let mut session = open(&pool, FtpTarget { size: None, ..target(name, 10) }).await.unwrap();
        session.send(MemorySource::new(bytes(10)).part_from(0)).await.unwrap();
        session.finish().await.unwrap();
    }
    assert_eq!((played.count("EPSV"), played.count("PASV"), played.count("PASS")), (1, 2, 1));
}

#[tokio::test]
async fn names_that_would_be_commands_are_never_sent() {
    let played = env(Security::Plain, |_| None).await;
    for name in ["a\r\nDELE b", "a\nb", "a\0b", ""] {
        let final_name = FtpTarget { temporary: Some("t".to_owned()), ..target(name, 1) };
        let temporary = FtpTarget { temporary: Some(name.to_owned()), ..target("a", 1) };
        for target in [final_name, temporary] {
            assert_eq!(open(&played.pool(), target).await.err().unwrap().kind(), Kind::Refused);
        }
    }
    assert!(played.commands.lock().unwrap().is_empty());
}

#[tokio::test]
async fn sizes_that_make_no_sense() {
    for answer in ["213 -1", "213 +7", "213 99999999999999999999", "213 many"] {
        let played = env(Security::Plain, says("SIZE", answer)).await;
        let mut session = open(&played.pool(), target("a.bin", 10)).await.unwrap();
        let error = session.recover(&haul::Error::new(Kind::Interrupted, "test")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{answer}: {error}");
    }
}
