//! FTP commands that need no answer in between go out together, and every server that does not bear that gets its file all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use haul::contract::UploadSession;
use haul::model::Secret;
use haul::protocols::ftp::{FtpPool, FtpServer, FtpTarget, Security, open};
use haul::testing::{MemorySource, bytes};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How a server takes two commands at once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    InOrder,
    /// What is quick is answered before SIZE, as libunftp does.
    SizeLast,
    /// The answer to EPSV comes before the one to the rename.
    PassiveFirst,
    /// What came before an answer was sent is thrown away.
    Flushes,
    /// A port is open for the very next command only.
    PortCloses,
    /// The connection is closed when a second command is there already.
    HangsUp,
}

#[derive(Default)]
struct Seen {
    files: HashMap<String, Vec<u8>>,
    commands: Vec<String>,
    /// How often the server had to wait for a command.
    turns: usize,
}

struct Lone {
    server: FtpServer,
    seen: Arc<Mutex<Seen>>,
}

async fn lone(habit: Habit) -> Lone {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = FtpServer {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        user: "user".to_owned(),
        password: Secret::new("swordfish-7"),
        security: Security::Plain,
        ca_file: None,
        timeout: Duration::from_secs(4),
    };
    let seen = Arc::<Mutex<Seen>>::default();
    let kept = seen.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(socket, habit, kept.clone()));
        }
    });
    Lone { server, seen }
}

async fn converse(socket: TcpStream, habit: Habit, seen: Arc<Mutex<Seen>>) -> std::io::Result<()> {
    let mut control = BufReader::new(socket);
    control.write_all(b"220 ready\r\n").await?;
    let (mut passive, mut from) = (None::<TcpListener>, String::new());
    let mut command = String::new();
    loop {
        if control.buffer().is_empty() {
            seen.lock().unwrap().turns += 1;
        }
        command.clear();
        if control.read_line(&mut command).await? == 0 {
            return Ok(());
        }
        let line = command.trim_end().to_owned();
        seen.lock().unwrap().commands.push(line.clone());
        // What comes together must have come.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = tokio::time::timeout(Duration::from_millis(20), control.fill_buf()).await;
        let has_more = !control.buffer().is_empty();
        if has_more && habit == Habit::Flushes {
            let waiting = control.buffer().len();
            control.consume(waiting);
        }
        if has_more && habit == Habit::HangsUp {
            return Ok(());
        }
        let (verb, name) = line.split_once(' ').unwrap_or((&line, ""));
        if habit == Habit::PortCloses && !matches!(verb, "STOR" | "EPSV") {
            passive = None;
        }
        let mut answer = match verb {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "RNFR" => {
                from = name.to_owned();
                "350 more".to_owned()
            }
            "RNTO" => {
                let mut seen = seen.lock().unwrap();
                match seen.files.remove(&from) {
                    Some(content) => {
                        seen.files.insert(name.to_owned(), content);
                        "250 renamed".to_owned()
                    }
                    None => "550 no such file".to_owned(),
                }
            }
            "SIZE" => match seen.lock().unwrap().files.get(name) {
                Some(content) => format!("213 {}", content.len()),
                None => "550 no such file".to_owned(),
            },
            "EPSV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let port = listener.local_addr()?.port();
                passive = Some(listener);
                format!("229 Extended (|||{port}|)")
            }
            "STOR" => match passive.take() {
                Some(listener) => {
                    control.write_all(b"150 send\r\n").await?;
                    let (mut data, _) = listener.accept().await?;
                    let mut content = Vec::new();
                    data.read_to_end(&mut content).await?;
                    seen.lock().unwrap().files.insert(name.to_owned(), content);
                    "226 done".to_owned()
                }
                None => "425 no data connection".to_owned(),
            },
            _ => "200 fine".to_owned(),
        };
        let is_held_back = has_more && matches!((habit, verb), (Habit::SizeLast, "SIZE") | (Habit::PassiveFirst, "RNTO"));
        if is_held_back {
            // The next command is harmless: its answer goes first.
            command.clear();
            control.read_line(&mut command).await?;
            let next = command.trim_end().to_owned();
            seen.lock().unwrap().commands.push(next.clone());
            let first = if let Some(name) = next.strip_prefix("RNFR ") {
                from = name.to_owned();
                "350 more".to_owned()
            } else {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let port = listener.local_addr()?.port();
                passive = Some(listener);
                format!("229 Extended (|||{port}|)")
            };
            answer = format!("{first}\r\n{answer}");
        }
        control.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn send(pool: &Arc<FtpPool>, number: usize) -> haul::Result<()> {
    let (name, size) = (format!("file-{number}.bin"), 3_000 + number as u64);
    let target = FtpTarget { temporary: Some(format!("{name}.download")), name, size: Some(size), ..FtpTarget::default() };
    let mut session = open(pool, target).await?;
    session.send(MemorySource::new(bytes(size)).part_from(0)).await?;
    session.finish().await
}

/// Sends files one after the other; returns how often the server waited for a command in the last one.
async fn sends(habit: Habit, files: usize) -> (Lone, usize) {
    let lone = lone(habit).await;
    let pool = FtpPool::new(lone.server.clone());
    let mut last = 0;
    for number in 0..files {
        let before = lone.seen.lock().unwrap().turns;
        send(&pool, number).await.unwrap_or_else(|error| panic!("{habit:?}, file {number}: {error}"));
        last = lone.seen.lock().unwrap().turns - before;
    }
    (lone, last)
}

#[tokio::test]
async fn a_file_takes_four_turns_on_the_control_connection() {
    let (lone, turns) = sends(Habit::InOrder, 4).await;
    // STOR; SIZE and RNFR; RNTO and EPSV. The server waits once more before it sees the next one.
    assert!(turns <= 4, "{turns} turns: {:?}", lone.seen.lock().unwrap().commands);
}

#[tokio::test]
async fn every_habit_of_a_server_gets_every_file_once() {
    for habit in [Habit::InOrder, Habit::SizeLast, Habit::PassiveFirst, Habit::Flushes, Habit::PortCloses, Habit::HangsUp] {
        let (lone, _) = sends(habit, 5).await;
        let seen = lone.seen.lock().unwrap();
        let there: HashMap<String, usize> = seen.files.iter().map(|(name, content)| (name.clone(), content.len())).collect();
        let wanted = (0..5).map(|n| (format!("file-{n}.bin"), 3_000 + n)).collect();
        assert_eq!(there, wanted, "{habit:?}: {:?}", seen.commands);
        let renames = seen.commands.iter().filter(|command| command.starts_with("RNTO ")).count();
        assert!(renames <= 6, "{habit:?}: {renames} renames of five files");
    }
}
