//! Independent FTP commands are sent together, and every server that does not support that still gets its file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use haul::contract::UploadSession;
use haul::error::Kind;
use haul::model::{Entry, EntryKind, RemotePath, Secret};
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
struct SeenCommands {
    files: HashMap<String, Vec<u8>>,
    commands: Vec<String>,
    /// How often the server had to wait for a command.
    turns: usize,
    /// Bytes of each file that the server loses without a word.
    loses: usize,
}

struct Lone {
    server: FtpServer,
    seen: Arc<Mutex<SeenCommands>>,
}

async fn lone(habit: Habit) -> Lone {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = FtpServer {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        user: "user".to_owned(),
        password: Secret::new("swordfish-7"),
        security: Security::Plain,
        user_chooses: true,
        ca_file: None,
        timeout: Duration::from_secs(4),
    };
    let seen = Arc::<Mutex<SeenCommands>>::default();
    let kept = seen.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(socket, habit, kept.clone()));
        }
    });
    Lone { server, seen }
}

/// What one connection knows.
#[derive(Default)]
struct Session {
    passive: Option<TcpListener>,
    from: String,
}

async fn converse(socket: TcpStream, habit: Habit, seen: Arc<Mutex<SeenCommands>>) -> std::io::Result<()> {
    let mut control = BufReader::new(socket);
    control.write_all(b"220 ready\r\n").await?;
    let mut session = Session::default();
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
        let verb = line.split(' ').next().unwrap_or_default();
        if habit == Habit::PortCloses && !matches!(verb, "STOR" | "EPSV") {
            session.passive = None;
        }
        let mut answer = session.answer(&line, &mut control, &seen).await?;
        let is_held_back = has_more && matches!((habit, verb), (Habit::SizeLast, "SIZE") | (Habit::PassiveFirst, "RNTO"));
        if is_held_back {
            // The next command is harmless: its answer goes first.
            command.clear();
            control.read_line(&mut command).await?;
            let next = command.trim_end().to_owned();
            seen.lock().unwrap().commands.push(next.clone());
            let first = session.answer(&next, &mut control, &seen).await?;
            answer = format!("{first}\r\n{answer}");
        }
        control.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

impl Session {
    async fn answer(&mut self, line: &str, control: &mut BufReader<TcpStream>, seen: &Mutex<SeenCommands>) -> std::io::Result<String> {
        let (verb, name) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match verb {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "RNFR" => {
                name.clone_into(&mut self.from);
                "350 more".to_owned()
            }
            "RNTO" => {
                let mut seen = seen.lock().unwrap();
                match seen.files.remove(&self.from) {
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
                self.passive = Some(listener);
                format!("229 Extended (|||{port}|)")
            }
            "STOR" => match self.passive.take() {
                Some(listener) => {
                    control.write_all(b"150 send\r\n").await?;
                    let (mut data, _) = listener.accept().await?;
                    let mut content = Vec::new();
                    data.read_to_end(&mut content).await?;
                    let mut seen = seen.lock().unwrap();
                    let kept = content.split_off(seen.loses.min(content.len()));
                    seen.files.insert(name.to_owned(), kept);
                    "226 done".to_owned()
                }
                None => "425 no data connection".to_owned(),
            },
            "DELE" => match seen.lock().unwrap().files.remove(name) {
                Some(_) => "250 gone".to_owned(),
                None => "550 no such file".to_owned(),
            },
            _ => "200 fine".to_owned(),
        })
    }
}

/// How the caller hears that the file is there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    ByItself,
    WithTheRename,
}

async fn send(pool: &Arc<FtpPool>, number: usize, look: Look) -> haul::Result<Option<Entry>> {
    let (name, size) = (format!("file-{number}.bin"), 3_000 + number as u64);
    let told = Arc::<OnceLock<Entry>>::default();
    let entry = Entry::new(EntryKind::File, &name, RemotePath::parse(&name)?);
    let confirmed = (look == Look::WithTheRename).then(|| (entry, told.clone()));
    let temporary = Some(format!("{name}.download"));
    let target = FtpTarget { temporary, name, size: Some(size), must_be_free: true, confirmed, ..FtpTarget::default() };
    let mut session = open(pool, target).await?;
    session.send(MemorySource::new(bytes(size)).part_from(0)).await?;
    let sent = session.finish().await;
    if sent.is_err() {
        session.abort().await;
    }
    sent.map(|()| told.get().cloned())
}

/// Sends files one after the other; returns how often the server waited for a command in the last one.
async fn sends(habit: Habit, files: usize, look: Look) -> (Lone, usize) {
    let lone = lone(habit).await;
    let pool = FtpPool::new(lone.server.clone());
    let mut last = 0;
    for number in 0..files {
        let before = lone.seen.lock().unwrap().turns;
        let told = send(&pool, number, look).await.unwrap_or_else(|error| panic!("{habit:?}, file {number}: {error}"));
        if habit == Habit::InOrder && look == Look::WithTheRename {
            assert_eq!(told.and_then(|entry| entry.size), Some(3_000 + number as u64));
        }
        last = lone.seen.lock().unwrap().turns - before;
    }
    (lone, last)
}

#[tokio::test]
async fn a_file_takes_four_turns_on_the_control_connection_and_three_where_it_is_looked_at_there() {
    // STOR; SIZE, SIZE and RNFR; RNTO and EPSV. The server waits once more before it sees the next one.
    let (lone, turns) = sends(Habit::InOrder, 4, Look::ByItself).await;
    assert!(turns <= 4, "{turns} turns: {:?}", lone.seen.lock().unwrap().commands);
    // SIZE and STOR; RNFR, RNTO, SIZE and EPSV.
    let (lone, turns) = sends(Habit::InOrder, 4, Look::WithTheRename).await;
    assert!(turns <= 3, "{turns} turns: {:?}", lone.seen.lock().unwrap().commands);
}

#[tokio::test]
async fn every_habit_of_a_server_gets_every_file_once() {
    for habit in [Habit::InOrder, Habit::SizeLast, Habit::PassiveFirst, Habit::Flushes, Habit::PortCloses, Habit::HangsUp] {
        for look in [Look::ByItself, Look::WithTheRename] {
            let (lone, _) = sends(habit, 5, look).await;
            let seen = lone.seen.lock().unwrap();
            let there: HashMap<String, usize> = seen.files.iter().map(|(name, content)| (name.clone(), content.len())).collect();
            let wanted = (0..5).map(|n| (format!("file-{n}.bin"), 3_000 + n)).collect();
            assert_eq!(there, wanted, "{habit:?} {look:?}: {:?}", seen.commands);
            let renames = seen.commands.iter().filter(|command| command.starts_with("RNTO ")).count();
            assert!(renames <= 6, "{habit:?} {look:?}: {renames} renames of five files");
        }
    }
}

#[tokio::test]
async fn a_name_that_somebody_has_by_now_stays_theirs() {
    let lone = lone(Habit::InOrder).await;
    let pool = FtpPool::new(lone.server.clone());
    for number in 0..3 {
        let theirs = format!("file-{number}.bin");
        lone.seen.lock().unwrap().files.insert(theirs.clone(), b"theirs".to_vec());
        let error = send(&pool, number, Look::WithTheRename).await.expect_err("the name is taken");
        assert_eq!(error.kind(), Kind::Exists, "file {number}");
        // A file of ours, after which the server is known to keep the order.
        send(&pool, 10 + number, Look::WithTheRename).await.unwrap();
        let seen = lone.seen.lock().unwrap();
        assert_eq!(seen.files.get(&theirs).map(Vec::as_slice), Some(&b"theirs"[..]), "file {number}: {:?}", seen.commands);
    }
}

#[tokio::test]
async fn a_file_that_lost_bytes_on_its_way_is_not_left_under_its_name() {
    let lone = lone(Habit::InOrder).await;
    let pool = FtpPool::new(lone.server.clone());
    for number in 0..3 {
        lone.seen.lock().unwrap().loses = 7;
        let error = send(&pool, number, Look::WithTheRename).await.expect_err("seven bytes are missing");
        assert_eq!(error.kind(), Kind::Integrity, "file {number}");
        lone.seen.lock().unwrap().loses = 0;
        send(&pool, 10 + number, Look::WithTheRename).await.unwrap();
        let seen = lone.seen.lock().unwrap();
        assert_eq!(seen.files.len(), 1 + number, "file {number}: {:?}", seen.commands);
    }
}
