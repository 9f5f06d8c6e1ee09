//! The command with real servers: the ioGates stand-in offers them as its upload methods, and reads their folders to see what
//! arrived.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use haul::model::Protocol;
use haul::sandbox::FtpElsewhere;

use crate::support::command::{Home, Ran};
use crate::support::env::{TestEnv, bytes};
use crate::support::ftp_servers::{PASSWORD, Running, Software, start};
use crate::support::stand_ins::StandIns;
use crate::support::web_servers::tus_without_locks;

const WAIT: Duration = Duration::from_secs(120);

/// What makes a vsftpd's own top folder one that may be written: ioGates tells names without a folder.
const TOP: &str = "LOCAL=YES";

/// The stand-in's FTPS server is `running`. With the folder in which files arrive.
fn play_at(software: Software, running: &Running) -> (TestEnv, PathBuf) {
    let (username, folder) = match software {
        Software::Vsftpd => ("daemon", running.file("in")),
        Software::Proftpd => {
            let owner = fs::metadata(running.file("in")).unwrap();
            fs::remove_dir(running.file("in")).unwrap();
            chown(running.file(""), Some(owner.uid()), Some(owner.gid())).unwrap();
            ("anonymous", running.file(""))
        }
        Software::PureFtpd | Software::Pyftpdlib => (software.user(), running.file("in")),
    };
    let mut env = TestEnv::new();
    let ca_file = running.ca_file().display().to_string();
    env.home = Home::new().env(env.sandbox.env()).env([("HAUL_REMOTE_IOGATES_CA_FILE".to_owned(), ca_file)]);
    env.sandbox.iogates().set(|settings| {
        settings.available = vec!["ftp".to_owned()];
        settings.ftp_elsewhere = Some(FtpElsewhere { port: running.port, username: username.into(), password: PASSWORD.into() });
    });
    (env, folder)
}

/// Does `then` while `complete` is looked for files and their upload names, which go to the stand-in. Tells when each came.
fn handing_over<T>(
    env: &TestEnv,
    protocol: Protocol,
    complete: impl Fn() -> Vec<(String, PathBuf)> + Sync,
    then: impl FnOnce() -> T,
) -> (T, Vec<Instant>) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clerk = scope.spawn(|| {
            let (mut known, mut times) = (BTreeSet::new(), Vec::new());
            while !over.load(Ordering::Relaxed) {
                for (name, file) in complete() {
                    // It may go while we look.
                    if !known.contains(&name) && env.sandbox.iogates().came_in(&name, &file, protocol).unwrap_or(false) {
                        times.push(Instant::now());
                        known.insert(name);
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            times
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(then));
        over.store(true, Ordering::Relaxed);
        let times = clerk.join().unwrap();
        (done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)), times)
    })
}

/// What has its last name.
fn find_renamed(folder: &Path) -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    named.filter(|(name, _)| !name.ends_with(".download")).collect()
}

/// Bytes of the one file that is on its way there.
fn under_way(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().flatten().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

#[test]
fn more_jobs_than_the_server_has_places() {
    for (software, place) in
        [(Software::Vsftpd, "max_clients=8"), (Software::Proftpd, "MaxClients 8"), (Software::Proftpd, "MaxInstances 8")]
    {
        let options = if software == Software::Vsftpd { vec![place, TOP] } else { vec![place] };
        let Some(running) = start(software, &options) else { return };
        let (env, folder) = play_at(software, &running);
        for n in 0..100 {
            env.home.file(&format!("d/{n:02}.bin"), bytes(100_000, n + 1).0);
        }
        let begun = Instant::now();
        let put = || env.home.run(&["put", "--json", "-j", "64", "--protocol", "ftps", "d", "iogates:/"]);
        let (ran, mut times) = handing_over(&env, Protocol::Ftps, || find_renamed(&folder), put);
        assert_eq!(ran.ends_with(0).events("uploaded").len(), 100, "{place}");
        assert_eq!(env.arrivals("iogates").len(), 100, "{place}");
        times.insert(0, begun);
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest < Duration::from_secs(45), "{place}: nothing came for {longest:?}");
        println!("{place}: {:?} in all, at most {longest:?} without a file", begun.elapsed());
    }
}

/// vsftpd ends each session after the password.
#[test]
fn a_server_that_lets_nobody_in_is_told_at_once() {
    let Some(running) = start(Software::Vsftpd, &[TOP, "allow_writeable_chroot=NO"]) else { return };
    let (env, folder) = play_at(Software::Vsftpd, &running);
    (0..20).for_each(|n| drop(env.home.file(&format!("d/{n:02}.bin"), bytes(100_000, n + 1).0)));
    let begun = Instant::now();
    let put = || env.home.run(&["put", "--json", "-j", "64", "--protocol", "ftps", "d", "iogates:/"]);
    let (ran, _) = handing_over(&env, Protocol::Ftps, || find_renamed(&folder), put);
    // Its words come in clear, inside of TLS.
    let ran = ran.ends_with(5).says("the connection to the server was lost");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}: {}", begun.elapsed(), ran.stderr);
}

/// vsftpd, in mid-upload, for so long. Tells how long the upload went on after that.
fn stands_still(options: &[&str], still: Duration) -> Option<(Duration, Ran)> {
    let running = start(Software::Vsftpd, &[TOP])?;
    let (env, folder) = play_at(Software::Vsftpd, &running);
    let content = bytes(30_000_000, 7);
    env.home.file("film.bin", &content.0);
    let args = [&["put", "--json", "-v", "--protocol", "ftps", "--bwlimit", "5M"], options, &["film.bin", "iogates:/"]].concat();
    let put = || {
        let mut command = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while under_way(&folder) < 5_000_000 {
            assert!(begun.elapsed() < WAIT && command.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(20));
        }
        running.stand_still();
        std::thread::sleep(still);
        running.go_on();
        let goes_on = Instant::now();
        let ran = Ran::of(command.wait_with_output().unwrap());
        (goes_on.elapsed(), ran)
    };
    let ((after, ran), _) = handing_over(&env, Protocol::Ftps, || find_renamed(&folder), put);
    let ran = ran.ends_with(0);
    assert_eq!(env.arrivals("iogates")["/film.bin"], content, "{}", ran.stderr);
    println!("{still:?} of stand-still, over {after:?} later: {}", ran.stderr);
    Some((after, ran))
}

#[test]
fn a_server_that_stands_still_for_a_while_gets_the_file_soon_after() {
    let Some((after, ran)) = stands_still(&["--timeout", "4s"], Duration::from_secs(9)) else { return };
    assert!(after < Duration::from_secs(60), "{after:?}: {}", ran.stderr);
}

#[test]
#[ignore = "takes two minutes: the stand-still is longer than the default time-out"]
fn a_server_that_stands_still_for_longer_than_the_default_time_out() {
    let Some((after, ran)) = stands_still(&[], Duration::from_secs(90)) else { return };
    assert!(after < Duration::from_secs(60), "{after:?}: {}", ran.stderr);
}

/// A line that takes bytes faster than it hands them on while `is_slow`, and hands on what it has when the sender is dead.
fn holding_line(target: String, is_slow: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&target)) else { continue };
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (mut to, mut forth) = (client, server);
            let (held, hand_on) = channel::<Vec<u8>>();
            let is_slow = is_slow.load(Ordering::Relaxed);
            std::thread::spawn(move || drop(std::io::copy(&mut back, &mut to).map(|_| to.shutdown(Shutdown::Both))));
            std::thread::spawn(move || {
                let mut piece = vec![0; 16 << 10];
                while let Ok(read @ 1..) = from.read(&mut piece) {
                    if held.send(piece[..read].to_vec()).is_err() {
                        return;
                    }
                }
            });
            std::thread::spawn(move || {
                for piece in hand_on {
                    if forth.write_all(&piece).is_err() {
                        return;
                    }
                    if is_slow {
                        std::thread::sleep(Duration::from_secs(1) * piece.len() as u32 / 700_000);
                    }
                }
                let _ = forth.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

/// The uploads that have their announced size, with the names that they were created for.
fn whole_uploads(folder: &Path) -> Vec<(String, PathBuf)> {
    let notes = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let whole = notes.filter_map(|note| {
        let told: serde_json::Value = serde_json::from_slice(&fs::read(&note).ok()?).ok()?;
        let (content, name) = (note.with_extension(""), told["metadata"]["filename"].as_str()?.to_owned());
        (content.metadata().ok()?.len() == told["size"].as_u64()?).then_some((name, content))
    });
    whole.collect()
}

/// What the dead process had sent still comes in, at a server that lets two write to one upload.
#[test]
fn killed_and_typed_again_at_once_at_a_server_without_locks() {
    let Some(server) = tus_without_locks() else { return };
    let is_slow = Arc::new(AtomicBool::new(true));
    let line = holding_line(format!("127.0.0.1:{}", server.url.port().unwrap()), is_slow.clone());
    let env = TestEnv::new();
    env.sandbox.iogates().set(|settings| {
        settings.available = vec!["tus".to_owned()];
        settings.tus_elsewhere = Some(format!("http://127.0.0.1:{line}/files"));
    });
    let (content, folder) = (bytes(12_000_000, 3), server.stored_path(""));
    env.home.file("film.bin", &content.0);
    let put = || {
        let first = ["put", "--bwlimit", "3M", "--protocol", "tus", "film.bin", "iogates:/"];
        let mut first = env.home.command(&first).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while under_way(&folder) < 1_000_000 {
            assert!(begun.elapsed() < WAIT);
            std::thread::sleep(Duration::from_millis(20));
        }
        first.kill().unwrap();
        first.wait().unwrap();
        let at_the_kill = under_way(&folder);
        is_slow.store(false, Ordering::Relaxed);
        (at_the_kill, env.home.run(&["put", "--json", "-v", "--protocol", "tus", "film.bin", "iogates:/"]))
    };
    let ((at_the_kill, ran), _) = handing_over(&env, Protocol::Tus, || whole_uploads(&folder), put);
    let uploaded = ran.ends_with(0).events("uploaded").remove(0);
    assert_eq!((&uploaded["md5"], &uploaded["size"]), (&format!("{:x}", md5::compute(&content.0)).into(), &12_000_000.into()));
    let resumed_from = uploaded["resumed_from"].as_u64().unwrap();
    assert!(resumed_from > at_the_kill + 100_000, "{resumed_from}: nothing came in after the kill at {at_the_kill}");
    let stored: Vec<_> = whole_uploads(&folder).into_iter().map(|(_, file)| fs::read(file).unwrap() == content.0).collect();
    assert_eq!((stored, env.arrivals("iogates")["/film.bin"].clone()), (vec![true], content));
}
