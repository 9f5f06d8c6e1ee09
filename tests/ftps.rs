//! FTP and FTPS against vsftpd and ProFTPD, both demanding TLS session reuse on data connections.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use haul::contract::{BoxFuture, Chunks, Part, Recovery, Source, UploadSession};
use haul::model::{Protocol, Secret};
use haul::protocols::ftps::{FtpPool, FtpServer, FtpSession, FtpTarget, Security, open};
use haul::{Kind, Result};

use crate::servers::{PASSWORD, Running, Software, start, start_on};

const BOTH: [Software; 2] = [Software::Vsftpd, Software::Proftpd];
const MIB: u64 = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(20);

type Hook = Box<dyn FnOnce() -> std::io::Result<()> + Send>;

/// Bytes in memory, with something that happens once when they are read up to a place.
pub struct Memory {
    bytes: Bytes,
    hook: Arc<Mutex<Option<(u64, Hook)>>>,
}

impl Memory {
    pub fn new(bytes: impl Into<Bytes>) -> Arc<Memory> {
        Arc::new(Memory { bytes: bytes.into(), hook: Arc::default() })
    }

    pub fn at(&self, place: u64, hook: impl FnOnce() -> std::io::Result<()> + Send + 'static) {
        *self.hook.lock().unwrap() = Some((place, Box::new(hook)));
    }

    pub fn part(self: &Arc<Self>, offset: u64, end: u64) -> Part {
        Part { source: self.clone(), offset, len: end - offset, last: end == self.bytes.len() as u64 }
    }

    pub fn from(self: &Arc<Self>, offset: u64) -> Part {
        self.part(offset, self.bytes.len() as u64)
    }
}

impl Source for Memory {
    fn name(&self) -> &str {
        "memory"
    }
    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
    fn read(&self, from: u64, len: u64) -> Chunks {
        let piece = self.bytes.slice(from as usize..(from + len) as usize);
        let hook = self.hook.clone();
        let pieces = (0..piece.len()).step_by(256 * 1024).map(move |at| {
            let mut hook = hook.lock().unwrap();
            if let Some((_, act)) = hook.take_if(|(place, _)| from + at as u64 >= *place) {
                act()?;
            }
            Ok(piece.slice(at..piece.len().min(at + 256 * 1024)))
        });
        Box::pin(futures_util::stream::iter(pieces))
    }
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok((self.bytes.len() as u64 - from).min(most)) })
    }
    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

/// Bytes without a pattern that a lost or doubled block could hide in.
pub fn bytes(len: u64) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut out = Vec::with_capacity(len as usize + 8);
    while out.len() < len as usize {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(len as usize);
    out
}

fn server(running: &Running, security: Security) -> FtpServer {
    FtpServer {
        host: "127.0.0.1".to_owned(),
        port: running.port,
        user: "anonymous".to_owned(),
        password: Secret::new(PASSWORD),
        security,
        ca_file: Some(running.ca_file()),
        timeout: TIMEOUT,
    }
}

fn explicit(running: &Running) -> Arc<FtpPool> {
    FtpPool::new(server(running, Security::Explicit))
}

pub fn target(name: &str, size: u64) -> FtpTarget {
    FtpTarget { name: name.to_owned(), temporary: Some(format!("{name}.download")), size: Some(size) }
}

async fn opened(pool: &Arc<FtpPool>, size: u64) -> FtpSession {
    open(pool, target("in/a.bin", size)).await.unwrap()
}

async fn upload(pool: &Arc<FtpPool>, name: &str, content: &[u8]) -> Result<()> {
    let mut session = open(pool, target(name, content.len() as u64)).await?;
    assert_eq!(session.send(Memory::new(content.to_vec()).from(0)).await?, content.len() as u64);
    session.finish().await
}

/// Uploads until the server's processes die at `place`; returns the session, the source and where it may go on.
async fn cut_at(running: &Arc<Running>, pool: &Arc<FtpPool>, content: &[u8], place: u64) -> (FtpSession, Arc<Memory>, Recovery) {
    let source = Memory::new(content.to_vec());
    let victim = running.clone();
    source.at(place, move || {
        victim.cut_connections();
        Ok(())
    });
    let mut session = opened(pool, content.len() as u64).await;
    let failure = session.send(source.from(0)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted, "{failure}");
    let recovery = session.recover(&failure).await.unwrap();
    (session, source, recovery)
}

fn implicit_option(software: Software) -> &'static str {
    match software {
        Software::Vsftpd => "implicit_ssl=YES",
        Software::Proftpd => "TLSOptions UseImplicitSSL",
    }
}

/// Ten files of one pool: the bytes are the same, and the sign-ins are as few as the TLS version allows.
async fn ten_files(software: Software, tls: &str, security: Security, sign_ins: usize) {
    let mut options = vec![tls];
    if security == Security::Implicit {
        options.push(implicit_option(software));
    }
    let Some(running) = start(software, &options) else { return };
    let pool = FtpPool::new(server(&running, security));
    for n in 0..10_u64 {
        let content = bytes(n * 300_001);
        let name = format!("in/{n}.bin");
        upload(&pool, &name, &content).await.unwrap();
        assert!(fs::read(running.file(&name)).unwrap() == content, "{name} differs");
    }
    assert_eq!(running.names().len(), 10, "{:?}", running.names());
    assert_eq!(running.sign_ins(), sign_ins);
}

#[tokio::test]
async fn vsftpd_with_tls_1_2() {
    ten_files(Software::Vsftpd, "TLS=1.2", Security::Explicit, 1).await;
    ten_files(Software::Vsftpd, "TLS=1.2", Security::Implicit, 1).await;
}

#[tokio::test]
async fn vsftpd_with_tls_1_3_only() {
    ten_files(Software::Vsftpd, "TLS=1.3", Security::Explicit, 1).await;
    ten_files(Software::Vsftpd, "TLS=1.3", Security::Implicit, 1).await;
}

#[tokio::test]
async fn proftpd_with_tls_1_2() {
    ten_files(Software::Proftpd, "TLS=1.2", Security::Explicit, 1).await;
    ten_files(Software::Proftpd, "TLS=1.2", Security::Implicit, 1).await;
}

/// Two tickets for each control connection, and none after: five sign-ins for ten files.
#[tokio::test]
async fn proftpd_with_tls_1_3_only() {
    ten_files(Software::Proftpd, "TLS=1.3", Security::Explicit, 5).await;
    ten_files(Software::Proftpd, "TLS=1.3", Security::Implicit, 5).await;
}

#[tokio::test]
async fn four_files_at_once_have_a_session_each() {
    for software in BOTH {
        let Some(running) = start(software, &[]) else { return };
        let pool = explicit(&running);
        let content = bytes(2 * MIB);
        let files = (0..4).map(|n| {
            let (pool, content) = (pool.clone(), content.clone());
            tokio::spawn(async move { upload(&pool, &format!("in/{n}"), &content).await })
        });
        for file in futures_util::future::join_all(files).await {
            file.unwrap().unwrap();
        }
        assert_eq!(running.names(), ["0", "1", "2", "3"]);
        assert!((0..4).all(|n| fs::read(running.file(&format!("in/{n}"))).unwrap() == content));
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_cut() {
    for (software, options) in [
        (Software::Vsftpd, &[][..]),
        (Software::Vsftpd, &["TLS=1.3"]),
        // REST is refused: APPE.
        (Software::Vsftpd, &["cmds_denied=REST"]),
        (Software::Proftpd, &[]),
        (Software::Proftpd, &["TLS=1.3"]),
    ] {
        let Some(running) = start(software, options).map(Arc::new) else { return };
        let pool = explicit(&running);
        let content = bytes(24 * MIB);
        let (mut session, source, recovery) = cut_at(&running, &pool, &content, 20 * MIB).await;
        let Recovery::ResumeAt(held) = recovery else { panic!("{software:?} {options:?}: {recovery:?}") };
        assert!(held > 0 && held <= 20 * MIB, "{held}");
        assert_eq!(session.send(source.from(held)).await.unwrap(), 24 * MIB - held);
        session.finish().await.unwrap();
        assert_eq!(running.names(), ["a.bin"]);
        assert!(fs::read(running.file("in/a.bin")).unwrap() == content, "{software:?} {options:?}: the bytes differ");
    }
}

#[tokio::test]
async fn without_restart_it_starts_over() {
    let Some(running) = start(Software::Proftpd, &["AllowStoreRestart off", "AllowOverwrite off"]).map(Arc::new) else { return };
    let pool = explicit(&running);
    let content = bytes(24 * MIB);
    let (mut session, source, recovery) = cut_at(&running, &pool, &content, 20 * MIB).await;
    let Recovery::ResumeAt(held) = recovery else { panic!("{recovery:?}") };
    let failure = session.send(source.from(held)).await.unwrap_err();
    assert!(failure.kind().may_pass(), "{failure:?}");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    // The remnant is in the way of a STOR, and goes.
    assert_eq!(running.names(), ["a.bin.download"]);
    assert_eq!(session.send(source.from(0)).await.unwrap(), 24 * MIB);
    session.finish().await.unwrap();
    assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
}

#[tokio::test]
async fn nothing_there_more_than_the_file_and_all_of_it() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let pool = explicit(&running);
    let failure = haul::Error::new(Kind::Interrupted, "test");
    let mut session = opened(&pool, 5).await;
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(0));
    running.put("in/a.bin.download", b"123456");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    running.put("in/a.bin.download", b"12345");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(5));
    assert_eq!(session.send(Memory::new(&b"12345"[..]).from(5)).await.unwrap(), 0);
    session.finish().await.unwrap();
    assert_eq!(running.names(), ["a.bin"]);
}

#[tokio::test]
async fn no_hole_is_left_by_a_restart_beyond_the_end() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    running.put("in/a.bin.download", b"12");
    let mut session = opened(&explicit(&running), 5).await;
    let failure = session.send(Memory::new(&b"12345"[..]).from(4)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted);
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(2));
}

/// The data connection goes to the control connection's host, by EPSV or, where that is refused, by PASV whose address
/// leads nowhere.
#[tokio::test]
async fn a_wrong_passive_address_is_ignored() {
    for (software, options) in [
        (Software::Vsftpd, &["cmds_denied=EPSV", "pasv_address=192.0.2.1"][..]),
        (Software::Proftpd, &["<Limit EPSV>\nDenyAll\n</Limit>", "MasqueradeAddress 192.0.2.1"]),
    ] {
        let Some(running) = start(software, options) else { return };
        upload(&explicit(&running), "in/a.bin", b"content").await.unwrap();
        assert_eq!(fs::read(running.file("in/a.bin")).unwrap(), b"content");
    }
}

#[tokio::test]
async fn ip_version_6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no ::1");
        return;
    }
    let options = ["listen=NO", "listen_ipv6=YES", "listen_address6=::1"];
    let Some(running) = start_on("::1", Software::Vsftpd, &options) else { return };
    for host in ["::1", "[::1]"] {
        let pool = FtpPool::new(FtpServer { host: host.to_owned(), ..server(&running, Security::Explicit) });
        upload(&pool, "in/a.bin", b"content").await.unwrap();
        assert_eq!(fs::read(running.file("in/a.bin")).unwrap(), b"content");
    }
}

#[tokio::test]
async fn in_clear_when_told_so() {
    let Some(running) = start(Software::Vsftpd, &["ssl_enable=NO"]) else { return };
    let pool = FtpPool::new(server(&running, Security::Plain));
    let session = open(&pool, target("in/b.bin", 0)).await.unwrap();
    assert_eq!(session.protocol(), Protocol::Ftp);
    let content = bytes(3 * MIB + 7);
    upload(&pool, "in/a.bin", &content).await.unwrap();
    assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
}

#[tokio::test]
async fn no_password_goes_out_in_clear() {
    let Some(running) = start(Software::Vsftpd, &["ssl_enable=NO"]) else { return };
    let error = open(&explicit(&running), target("in/a.bin", 0)).await.err().unwrap();
    assert_eq!((error.kind(), error.http_or_ftp_status()), (Kind::Unsupported, Some(530)), "{error}");
    assert_eq!(running.sign_ins(), 0);
}

#[tokio::test]
async fn sign_ins_that_fail() {
    for software in BOTH {
        let Some(running) = start(software, &[]) else { return };
        let wrong = FtpPool::new(FtpServer { password: Secret::new("tunafish-2"), ..server(&running, Security::Explicit) });
        let error = open(&wrong, target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!((error.kind(), error.http_or_ftp_status()), (Kind::Auth, Some(530)), "{error}");
        assert!(!error.to_string().contains("tunafish"), "{error}");

        let stranger = FtpPool::new(FtpServer { ca_file: None, ..server(&running, Security::Explicit) });
        let error = open(&stranger, target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Untrusted, "{error}");

        let error = open(&FtpPool::new(server(&running, Security::Implicit)), target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        assert!(error.to_string().contains("try explicit FTPS"), "{error}");
    }
}

#[tokio::test]
async fn a_crowded_server_is_busy() {
    for (software, option) in [(Software::Vsftpd, "max_clients=1"), (Software::Proftpd, "MaxClients 1")] {
        let Some(running) = start(software, &[option]) else { return };
        let pool = explicit(&running);
        // The look at the port may still be counted as a client.
        let first = loop {
            match open(&pool, target("in/a.bin", 0)).await {
                Ok(session) => break session,
                Err(e) => assert_eq!(e.kind(), Kind::Busy, "{e}"),
            }
        };
        let error = open(&pool, target("in/b.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        drop(first);
    }
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_replaced() {
    for software in BOTH {
        let Some(running) = start(software, &[]) else { return };
        let pool = explicit(&running);
        upload(&pool, "in/a.bin", b"one").await.unwrap();
        running.cut_connections();
        upload(&pool, "in/b.bin", b"two").await.unwrap();
        assert_eq!(fs::read(running.file("in/b.bin")).unwrap(), b"two");
        assert_eq!(running.sign_ins(), 2);
    }
}

#[tokio::test]
async fn parts_without_a_known_end_travel_as_one_stream() {
    let Some(running) = start(Software::Proftpd, &["AllowStoreRestart off"]) else { return };
    let content = bytes(3 * MIB);
    let source = Memory::new(content.clone());
    let mut session = open(&explicit(&running), FtpTarget { size: None, ..target("in/a.bin", 0) }).await.unwrap();
    for (from, to) in [(0, MIB), (MIB, 2 * MIB), (2 * MIB, 3 * MIB)] {
        assert_eq!(session.send(source.part(from, to)).await.unwrap(), MIB);
    }
    session.finish().await.unwrap();
    assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
}

#[tokio::test]
async fn a_refused_rename_names_what_is_left() {
    let Some(running) = start(Software::Proftpd, &["AllowOverwrite off"]) else { return };
    running.put("in/a.bin", b"older");
    let error = upload(&explicit(&running), "in/a.bin", b"newer").await.unwrap_err();
    assert_eq!((error.kind(), error.http_or_ftp_status()), (Kind::Refused, Some(550)), "{error}");
    assert!(error.to_string().contains("rename in/a.bin.download on the server"), "{error}");
    assert_eq!(running.names(), ["a.bin", "a.bin.download"]);
    assert_eq!(fs::read(running.file("in/a.bin")).unwrap(), b"older");
}

#[tokio::test]
async fn the_final_name_is_replaced_where_the_server_allows_it() {
    for software in BOTH {
        let Some(running) = start(software, &[]) else { return };
        running.put("in/a.bin", b"older");
        upload(&explicit(&running), "in/a.bin", b"newer").await.unwrap();
        assert_eq!(fs::read(running.file("in/a.bin")).unwrap(), b"newer");
        assert_eq!(running.names(), ["a.bin"]);
    }
}

#[tokio::test]
async fn straight_to_the_final_name() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let pool = explicit(&running);
    let mut session = open(&pool, FtpTarget { temporary: None, ..target("in/ä 💾 \"x\".bin", 3) }).await.unwrap();
    session.send(Memory::new(&b"abc"[..]).from(0)).await.unwrap();
    session.finish().await.unwrap();
    // What is finished is not removed any more.
    assert_eq!(session.abort().await, None);
    assert_eq!(running.names(), ["ä 💾 \"x\".bin"]);
}

#[tokio::test]
async fn a_wrong_size_is_found_and_removed() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let mut session = opened(&explicit(&running), 4).await;
    session.send(Memory::new(&b"abc"[..]).from(0)).await.unwrap();
    let error = session.finish().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity);
    assert!(error.to_string().contains("3 bytes of 4"), "{error}");
    assert!(running.names().is_empty(), "{:?}", running.names());
}

#[tokio::test]
async fn giving_up_removes_what_was_sent() {
    for (options, left) in [(&[][..], None), (&["cmds_denied=DELE"], Some("in/a.bin.download".to_owned()))] {
        let Some(running) = start(Software::Vsftpd, options) else { return };
        let source = Memory::new(bytes(24 * MIB));
        source.at(20 * MIB, || Err(std::io::Error::other("the disk is gone")));
        let mut session = opened(&explicit(&running), 24 * MIB).await;
        let error = session.send(source.from(0)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Local, "{error}");
        assert_eq!(session.abort().await, left);
        assert_eq!(running.names().len(), left.iter().count());
    }
}

/// A command is written when tokio's budget of this task has just been used up: tokio-rustls keeps it until a flush.
#[tokio::test]
async fn a_command_is_sent_however_busy_the_task_was() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let mut session = opened(&explicit(&running), 1).await;
    let failure = haul::Error::new(Kind::Interrupted, "test");
    for spent in 0..128 {
        tokio::task::yield_now().await;
        for _ in 0..spent {
            tokio::task::consume_budget().await;
        }
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(0), "after {spent}");
    }
}
