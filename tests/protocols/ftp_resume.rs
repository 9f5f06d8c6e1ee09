//! FTPS uploads that are cut, resumed, started over or aborted, with vsftpd and ProFTPD.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use haul::Kind;
use haul::contract::{Recovery, UploadSession};
use haul::protocols::ftp::{FtpPool, FtpServer, FtpSession, FtpTarget, Security, open};

use crate::support::ftp_servers::{MIB, Running, Software, explicit, open_session, server, start, target};
use haul::testing::{MemorySource, bytes};

/// Uploads until the server's processes die at `place`; returns the session, the source and where it may go on.
async fn cut_at(running: &Arc<Running>, pool: &Arc<FtpPool>, content: &[u8], place: u64) -> (FtpSession, Arc<MemorySource>, Recovery) {
    let source = MemorySource::new(content.to_vec());
    let victim = running.clone();
    source.on_read_at(place, move || {
        victim.cut_connections();
        Ok(())
    });
    let mut session = open_session(pool, content.len() as u64).await;
    let failure = session.send(source.part_from(0)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted, "{failure}");
    let recovery = session.recover(&failure).await.unwrap();
    (session, source, recovery)
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
        assert_eq!(session.send(source.part_from(held)).await.unwrap(), 24 * MIB);
        session.finish().await.unwrap();
        assert_eq!(running.names(), ["a.bin"]);
        assert!(fs::read(running.file("in/a.bin")).unwrap() == content, "{software:?} {options:?}: the bytes differ");
    }
}

/// vsftpd: the frozen session holds the file's lock, and whoever wants to go on with it waits behind. One try waits, the
/// next file travels under another name.
#[tokio::test]
async fn a_line_that_dies_in_silence_costs_one_waiter() {
    for tls in [true, false] {
        let Some(running) = start(Software::Vsftpd, if tls { &[] } else { &["ssl_enable=NO"] }).map(Arc::new) else { return };
        let security = if tls { Security::Explicit } else { Security::Plain };
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_secs(5), ..server(&running, security) });
        let content = bytes(24 * MIB);
        let source = MemorySource::new(content.clone());
        let victim = running.clone();
        source.on_read_at(8 * MIB, move || {
            victim.freeze_connections();
            Ok(())
        });
        let (mut session, mut from, mut failures) = (open_session(&pool, 24 * MIB).await, 0, Vec::new());
        // As the engine does: ask where to go on, or open another.
        while let Err(failure) = session.send(source.part_from(from)).await {
            assert!(failures.len() < 3, "{failures:?}");
            from = match session.recover(&failure).await.unwrap() {
                Recovery::ResumeAt(offset) => offset,
                Recovery::StartOver => {
                    assert_eq!(session.abort().await, None);
                    session = open_session(&pool, 24 * MIB).await;
                    0
                }
            };
            failures.push(failure.to_string());
        }
        session.finish().await.unwrap();
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(failures[1].contains("another session may still hold the file"), "{failures:?}");
        assert_eq!(running.names(), ["a.bin"]);
        assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
    }
}

#[tokio::test]
async fn without_restart_it_starts_over() {
    let Some(running) = start(Software::Proftpd, &["AllowStoreRestart off", "AllowOverwrite off"]).map(Arc::new) else { return };
    let pool = explicit(&running);
    let content = bytes(24 * MIB);
    let (mut session, source, recovery) = cut_at(&running, &pool, &content, 20 * MIB).await;
    let Recovery::ResumeAt(held) = recovery else { panic!("{recovery:?}") };
    let failure = session.send(source.part_from(held)).await.unwrap_err();
    assert!(failure.kind().is_transient(), "{failure:?}");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    // The remnant is in the way of a STOR, and goes.
    assert_eq!(running.names(), ["a.bin.download"]);
    assert_eq!(session.send(source.part_from(0)).await.unwrap(), 24 * MIB);
    session.finish().await.unwrap();
    assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
}

#[tokio::test]
async fn nothing_there_more_than_the_file_and_all_of_it() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let pool = explicit(&running);
    let failure = haul::Error::new(Kind::Interrupted, "test");
    let mut session = open_session(&pool, 5).await;
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(0));
    running.put("in/a.bin.download", b"123456");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    running.put("in/a.bin.download", b"12345");
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(5));
    assert_eq!(session.send(MemorySource::new(&b"12345"[..]).part_from(5)).await.unwrap(), 5);
    session.finish().await.unwrap();
    assert_eq!(running.names(), ["a.bin"]);
}

#[tokio::test]
async fn no_hole_is_left_by_a_restart_beyond_the_end() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    running.put("in/a.bin.download", b"12");
    let mut session = open_session(&explicit(&running), 5).await;
    let failure = session.send(MemorySource::new(&b"12345"[..]).part_from(4)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted);
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(2));
}

#[tokio::test]
async fn giving_up_removes_what_was_sent() {
    for (options, left) in [(&[][..], None), (&["cmds_denied=DELE"], Some("in/a.bin.download".to_owned()))] {
        let Some(running) = start(Software::Vsftpd, options) else { return };
        let source = MemorySource::new(bytes(24 * MIB));
        source.on_read_at(20 * MIB, || Err(std::io::Error::other("the disk is gone")));
        let mut session = open_session(&explicit(&running), 24 * MIB).await;
        let error = session.send(source.part_from(0)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Local, "{error}");
        assert_eq!(session.abort().await, left);
        assert_eq!(running.names().len(), left.iter().count());
    }
}

#[tokio::test]
async fn parts_without_a_known_end_travel_as_one_stream() {
    let Some(running) = start(Software::Proftpd, &["AllowStoreRestart off"]) else { return };
    let content = bytes(3 * MIB);
    let source = MemorySource::new(content.clone());
    let mut session = open(&explicit(&running), FtpTarget { size: None, ..target("in/a.bin", 0) }).await.unwrap();
    for (from, to) in [(0, MIB), (MIB, 2 * MIB), (2 * MIB, 3 * MIB)] {
        assert_eq!(session.send(source.part(from, to)).await.unwrap(), to);
    }
    session.finish().await.unwrap();
    assert!(fs::read(running.file("in/a.bin")).unwrap() == content);
}

/// The user stops in the middle: the future is dropped wherever it is.
#[tokio::test]
async fn a_dropped_upload_can_be_given_up() {
    let Some(running) = start(Software::Vsftpd, &[]) else { return };
    let pool = explicit(&running);
    let mut session = open_session(&pool, 24 * MIB).await;
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let source = MemorySource::new(bytes(24 * MIB));
    source.on_read_at(8 * MIB, move || stop.send(()).map_err(std::io::Error::other));
    tokio::select! {
        biased;
        _ = stopped.recv() => {}
        sent = session.send(source.part_from(0)) => panic!("{sent:?}"),
    }
    assert_eq!(running.names(), ["a.bin.download"]);
    assert_eq!(session.abort().await, None);
    assert!(running.names().is_empty());
    // What it left behind does not disturb the next file.
    let mut next = open(&pool, target("in/b.bin", 3)).await.unwrap();
    assert_eq!(next.send(MemorySource::new(&b"abc"[..]).part_from(0)).await.unwrap(), 3);
    next.finish().await.unwrap();
    assert_eq!(running.names(), ["b.bin"]);
}
