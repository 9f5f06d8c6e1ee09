//! FTP and FTPS with vsftpd and ProFTPD, which both demand TLS session reuse on data connections.

use std::fs;
use std::sync::Arc;

use haul::contract::{Recovery, UploadSession};
use haul::model::{Protocol, Secret};
use haul::protocols::ftp::{FtpPool, FtpServer, FtpTarget, Security, open};
use haul::{Kind, Result};

use crate::support::ftp_servers::{MIB, Software, explicit, open_session, server, start, start_on, target};
use haul::testing::{MemorySource, bytes};

const BOTH: [Software; 2] = [Software::Vsftpd, Software::Proftpd];

async fn upload(pool: &Arc<FtpPool>, name: &str, content: &[u8]) -> Result<()> {
    let mut session = open(pool, target(name, content.len() as u64)).await?;
    assert_eq!(session.send(MemorySource::new(content.to_vec()).part_from(0)).await?, content.len() as u64);
    session.finish().await
}

fn implicit_option(software: Software) -> &'static str {
    match software {
        Software::Vsftpd => "implicit_ssl=YES",
        Software::Proftpd => "TLSOptions UseImplicitSSL",
        Software::PureFtpd => "--tls=3",
        Software::Pyftpdlib => unreachable!("it knows explicit TLS only"),
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
    assert_eq!((running.sign_ins(), running.failed_uploads()), (sign_ins, 0));
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
    assert_eq!((error.kind(), error.status_code()), (Kind::Unsupported, Some(530)), "{error}");
    assert_eq!(running.sign_ins(), 0);
}

#[tokio::test]
async fn sign_ins_that_fail() {
    for software in BOTH {
        let Some(running) = start(software, &[]) else { return };
        let wrong = FtpPool::new(FtpServer { password: Secret::new("tunafish-2"), ..server(&running, Security::Explicit) });
        let error = open(&wrong, target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!((error.kind(), error.status_code()), (Kind::Auth, Some(530)), "{error}");
        assert!(!error.to_string().contains("tunafish"), "{error}");

        let stranger = FtpPool::new(FtpServer { ca_file: None, ..server(&running, Security::Explicit) });
        let error = open(&stranger, target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Untrusted, "{error}");

        let error = open(&FtpPool::new(server(&running, Security::Implicit)), target("in/a.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        assert!(error.to_string().contains("try ftps:// in the url"), "{error}");
    }
}

#[tokio::test]
async fn a_server_crowded_by_others_is_busy() {
    for (software, option) in [(Software::Vsftpd, "max_clients=1"), (Software::Proftpd, "MaxClients 1")] {
        let Some(running) = start(software, &[option]) else { return };
        let (one, other) = (explicit(&running), explicit(&running));
        // The look at the port may still be counted as a client.
        let first = loop {
            match open(&one, target("in/a.bin", 0)).await {
                Ok(session) => break session,
                Err(e) => assert_eq!(e.kind(), Kind::Busy, "{e}"),
            }
        };
        let error = open(&other, target("in/b.bin", 0)).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        drop(first);
    }
}

/// More files at once than the server has places: nobody gives up, and no place stays empty while somebody waits.
#[tokio::test]
async fn files_wait_for_places() {
    for (software, option) in [
        (Software::Vsftpd, "max_clients=3"),
        (Software::Proftpd, "MaxClients 3"),
        // One process is the server's own look at the port, or the next connection's.
        (Software::Proftpd, "MaxInstances 4"),
    ] {
        let Some(running) = start(software, &[option]) else { return };
        let pool = explicit(&running);
        // The look at the port may still be counted.
        while open(&pool, target("in/0", 0)).await.is_err() {}
        let content = bytes(200_000);
        let files = (0..24).map(|n| {
            let (pool, content) = (pool.clone(), content.clone());
            tokio::spawn(async move { upload(&pool, &format!("in/{n}"), &content).await })
        });
        for file in futures_util::future::join_all(files).await {
            file.unwrap().unwrap_or_else(|e| panic!("{option}: {e}"));
        }
        assert_eq!(running.names().len(), 24);
        assert!(running.sign_ins() <= 5, "{option}: {} sign-ins", running.sign_ins());
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
async fn a_refused_rename_names_what_is_left() {
    let Some(running) = start(Software::Proftpd, &["AllowOverwrite off"]) else { return };
    running.put("in/a.bin", b"older");
    let mut session = open(&explicit(&running), target("in/a.bin", 5)).await.unwrap();
    assert_eq!(session.send(MemorySource::new(b"newer".to_vec()).part_from(0)).await.unwrap(), 5);
    let error = session.finish().await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::Refused, Some(550)), "{error}");
    assert_eq!(session.abort().await, None, "the error has named it");
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
    session.send(MemorySource::new(&b"abc"[..]).part_from(0)).await.unwrap();
    session.finish().await.unwrap();
    // What is finished is not removed any more.
    assert_eq!(session.abort().await, None);
    assert_eq!(running.names(), ["ä 💾 \"x\".bin"]);
}

#[tokio::test]
async fn a_wrong_size_is_found_and_removed() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let mut session = open_session(&explicit(&running), 4).await;
    session.send(MemorySource::new(&b"abc"[..]).part_from(0)).await.unwrap();
    let error = session.finish().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity);
    assert!(error.to_string().contains("3 bytes of 4"), "{error}");
    assert!(running.names().is_empty(), "{:?}", running.names());
}

/// A command is written when tokio's budget of this task has just been used up: tokio-rustls keeps it until a flush.
#[tokio::test]
async fn a_command_is_sent_however_busy_the_task_was() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let mut session = open_session(&explicit(&running), 1).await;
    let failure = haul::Error::new(Kind::Interrupted, "test");
    for spent in 0..128 {
        tokio::task::yield_now().await;
        for _ in 0..spent {
            tokio::task::consume_budget().await;
        }
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(0), "after {spent}");
    }
}
