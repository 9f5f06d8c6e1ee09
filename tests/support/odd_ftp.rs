//! A small FTP server with the habits of others: IIS, old FileZilla, ProFTPD and pure-ftpd in various configurations. Without
//! TLS, on loopback, with its files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The format of listings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Listing {
    /// MLSD and MLST.
    Facts,
    /// The format of `ls -l`.
    Unix,
    /// The format of DIR.
    Dos,
    /// Exactly these lines, whatever the folder contains.
    Lines(&'static str),
}

#[derive(Clone, Debug)]
pub struct Habits {
    /// Lines of FEAT.
    pub features: &'static str,
    pub listing: Listing,
    /// The answer to RNTO for a name that is taken; none: the file is overwritten.
    pub taken: Option<&'static str>,
    /// The answer to STOR after REST, and to APPE; none: both work.
    pub no_restart: Option<&'static str>,
    /// A cut upload is deleted.
    pub deletes_cut: bool,
    /// STOR for a name that is taken writes to NAME.1.
    pub renames_itself: bool,
    /// EPSV is unknown, and PASV returns a wrong address.
    pub foreign_address: bool,
    /// The first upload is cut after this number of bytes.
    pub cut: Option<usize>,
    /// The first upload is kept whole, and answered with this.
    pub doubts: Option<&'static str>,
    /// A download begins without a 150, and its end is told before its bytes.
    pub omits_150: bool,
    /// This folder can't be opened: LIST of it has its own row, and success (vsftpd).
    pub unreadable: Option<&'static str>,
    /// At its first use this command is done, and the connection is closed without an answer.
    pub loses: Option<&'static str>,
    /// Sent before any other answer.
    pub answers: fn(&str) -> Option<&'static str>,
}

impl Default for Habits {
    fn default() -> Habits {
        Habits {
            features: "REST STREAM",
            listing: Listing::Unix,
            taken: None,
            no_restart: None,
            deletes_cut: false,
            renames_itself: false,
            foreign_address: false,
            cut: None,
            doubts: None,
            omits_150: false,
            unreadable: None,
            loses: None,
            answers: |_| None,
        }
    }
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeSet<String>,
    commands: Vec<String>,
    was_cut: bool,
    has_lost: bool,
}

pub struct OddFtp {
    pub port: u16,
    disk: Arc<Mutex<Disk>>,
}

impl OddFtp {
    pub fn start(habits: Habits) -> OddFtp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let disk = Arc::<Mutex<Disk>>::default();
        let kept = disk.clone();
        // Ends with the process: the thread only waits for connections.
        std::thread::spawn(move || {
            for line in listener.incoming().flatten() {
                let (habits, disk) = (habits.clone(), kept.clone());
                std::thread::spawn(move || Session { habits, disk, passive: None, from: String::new(), at: 0 }.serve(line));
            }
        });
        OddFtp { port, disk }
    }

    /// The URL of a place there, without TLS.
    pub fn url(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}/{path}", self.port)
    }

    pub fn put(&self, path: &str, content: &[u8]) {
        self.disk.lock().unwrap().files.insert(path.to_owned(), content.to_vec());
    }

    pub fn make_folder(&self, path: &str) {
        self.disk.lock().unwrap().folders.insert(path.to_owned());
    }

    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.disk.lock().unwrap().files.clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.disk.lock().unwrap().files.keys().cloned().collect()
    }

    pub fn commands(&self) -> Vec<String> {
        self.disk.lock().unwrap().commands.clone()
    }

    pub fn count(&self, verb: &str) -> usize {
        self.commands().iter().filter(|command| command.split(' ').next() == Some(verb)).count()
    }
}

struct Session {
    habits: Habits,
    disk: Arc<Mutex<Disk>>,
    passive: Option<TcpListener>,
    from: String,
    at: usize,
}

const CLOSED: &str = "";
/// Everything was said, or nothing ever is.
pub const NOTHING: &str = "(nothing)";

impl Session {
    fn serve(mut self, line: TcpStream) {
        let mut out = line.try_clone().unwrap();
        let mut lines = BufReader::new(line);
        if out.write_all(b"220 ready\r\n").is_err() {
            return;
        }
        let mut command = String::new();
        while lines.read_line(&mut command).is_ok_and(|read| read > 0) {
            let line = command.trim_end_matches(['\r', '\n']).to_owned();
            command.clear();
            self.disk.lock().unwrap().commands.push(line.clone());
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let is_lost = self.habits.loses == Some(verb) && !std::mem::replace(&mut self.disk.lock().unwrap().has_lost, true);
            let answer = match (self.habits.answers)(&line) {
                Some(answer) => answer.to_owned(),
                None => self.answer(verb, rest, &mut out),
            };
            if answer == NOTHING {
                continue;
            }
            if is_lost || answer == CLOSED || out.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, verb: &str, rest: &str, out: &mut TcpStream) -> String {
        let path = rest.trim_matches('/').to_owned();
        let facts = self.habits.listing == Listing::Facts;
        match verb {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "TYPE" | "OPTS" => "200 fine".to_owned(),
            "FEAT" => {
                let lines: String = self.habits.features.lines().map(|line| format!(" {line}\r\n")).collect();
                format!("211-Features:\r\n{lines}{}211 End", if facts { " MLST type*;size*;modify*;\r\n" } else { "" })
            }
            "EPSV" if !self.habits.foreign_address => format!("229 Extended (|||{}|)", self.listen()),
            "PASV" => {
                let port = self.listen();
                let address = if self.habits.foreign_address { "203,0,113,9" } else { "127,0,0,1" };
                format!("227 Passive ({address},{},{})", port / 256, port % 256)
            }
            "REST" => {
                self.at = rest.parse().unwrap();
                "350 more".to_owned()
            }
            "SIZE" => {
                self.disk.lock().unwrap().files.get(&path).map_or("550 no such file".to_owned(), |file| format!("213 {}", file.len()))
            }
            "XMD5" | "HASH" => match self.disk.lock().unwrap().files.get(&path) {
                Some(file) if verb == "XMD5" => format!("250 {:X}", md5::compute(file)),
                Some(file) => format!("213 MD5 0-{} {:x} {rest}", file.len(), md5::compute(file)),
                None => "550 no such file".to_owned(),
            },
            "MLST" if facts => match self.row(&path) {
                Some(row) => format!("250-here\r\n {row}\r\n250 end"),
                None => "550 nothing there".to_owned(),
            },
            "MLSD" if facts || matches!(self.habits.listing, Listing::Lines(_)) => {
                self.send(out, |session| session.listing(&path).map(String::into_bytes))
            }
            "LIST" if self.habits.unreadable == Some(&path) => {
                let name = path.rsplit('/').next().unwrap();
                let row = format!("drwx------    2 0        0            4096 Nov 26 20:15 {name}\r\n");
                self.send(out, |_| Some(row.clone().into_bytes()))
            }
            "LIST" => self.send(out, |session| session.listing(&path).map(String::into_bytes)),
            "RETR" => {
                let at = std::mem::take(&mut self.at);
                self.send(out, |session| {
                    session.disk.lock().unwrap().files.get(&path).map(|file| file.get(at..).unwrap_or_default().to_vec())
                })
            }
            "STOR" | "APPE" => self.store(verb, path, out),
            "RNFR" => {
                let disk = self.disk.lock().unwrap();
                let is_there = disk.files.contains_key(&path) || disk.folders.contains(&path);
                self.from = path;
                if is_there { "350 more".to_owned() } else { "550 nothing there".to_owned() }
            }
            "RNTO" => self.rename(path),
            "DELE" => self.disk.lock().unwrap().files.remove(&path).map_or("550 no such file".to_owned(), |_| "250 gone".to_owned()),
            "MKD" => if self.disk.lock().unwrap().folders.insert(path) { "257 made" } else { "550 it exists" }.to_owned(),
            "RMD" => {
                let mut disk = self.disk.lock().unwrap();
                let below = format!("{path}/");
                let is_empty = !disk.files.keys().chain(&disk.folders).any(|name| name.starts_with(&below));
                if is_empty && disk.folders.remove(&path) { "250 gone" } else { "550 not empty, or not there" }.to_owned()
            }
            "CWD" => if self.disk.lock().unwrap().folders.contains(&path) { "250 in" } else { "550 no" }.to_owned(),
            "MFMT" => "213 kept".to_owned(),
            _ => "500 what".to_owned(),
        }
    }

    fn listen(&mut self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        self.passive = Some(listener);
        port
    }

    fn send(&mut self, out: &mut TcpStream, content: impl Fn(&Session) -> Option<Vec<u8>>) -> String {
        let Some(content) = content(self) else { return "550 nothing there".to_owned() };
        let Some(listener) = self.passive.take() else { return "425 no data connection".to_owned() };
        let start: &[u8] = if self.habits.omits_150 { b"226 all of it\r\n" } else { b"150 here it comes\r\n" };
        let _ = out.write_all(start);
        let (mut data, _) = listener.accept().unwrap();
        match data.write_all(&content) {
            Ok(()) if self.habits.omits_150 => NOTHING.to_owned(),
            Ok(()) => "226 all of it".to_owned(),
            Err(_) => "426 broken".to_owned(),
        }
    }

    fn store(&mut self, verb: &str, mut path: String, out: &mut TcpStream) -> String {
        let at = std::mem::take(&mut self.at);
        if let Some(refusal) = self.habits.no_restart.filter(|_| at > 0 || verb == "APPE") {
            return refusal.to_owned();
        }
        let Some(listener) = self.passive.take() else { return "425 no data connection".to_owned() };
        if self.habits.renames_itself && self.disk.lock().unwrap().files.contains_key(&path) && at == 0 {
            path.push_str(".1");
        }
        let _ = out.write_all(b"150 send\r\n");
        let (data, _) = listener.accept().unwrap();
        let most = self.habits.cut.filter(|_| !self.disk.lock().unwrap().was_cut);
        let mut content = self.disk.lock().unwrap().files.get(&path).cloned().unwrap_or_default();
        content.truncate(if verb == "APPE" { content.len() } else { at });
        let before = content.len();
        let _ = data.take(most.unwrap_or(usize::MAX) as u64).read_to_end(&mut content);
        let is_cut = most.is_some_and(|most| content.len() - before == most);
        let mut disk = self.disk.lock().unwrap();
        let doubt = self.habits.doubts.filter(|_| !std::mem::replace(&mut disk.was_cut, true));
        if is_cut {
            disk.was_cut = true;
        }
        match is_cut && self.habits.deletes_cut {
            true => disk.files.remove(&path),
            false => disk.files.insert(path, content),
        };
        match doubt {
            _ if is_cut => CLOSED.to_owned(),
            Some(doubt) => doubt.to_owned(),
            None => "226 all of it".to_owned(),
        }
    }

    fn rename(&mut self, to: String) -> String {
        let mut disk = self.disk.lock().unwrap();
        if let Some(refusal) = self.habits.taken.filter(|_| disk.files.contains_key(&to)) {
            return refusal.to_owned();
        }
        if let Some(file) = disk.files.remove(&self.from) {
            disk.files.insert(to, file);
            return "250 renamed".to_owned();
        }
        let below = format!("{}/", self.from);
        let moved: Vec<String> = disk.files.keys().filter(|name| name.starts_with(&below)).cloned().collect();
        for name in moved {
            let file = disk.files.remove(&name).unwrap();
            disk.files.insert(name.replacen(&self.from, &to, 1), file);
        }
        disk.folders.remove(&self.from);
        disk.folders.insert(to);
        "250 renamed".to_owned()
    }

    fn row(&self, path: &str) -> Option<String> {
        let disk = self.disk.lock().unwrap();
        match disk.files.get(path) {
            Some(file) => Some(format!("type=file;size={};modify=20261126201500; {path}", file.len())),
            None if path.is_empty() || disk.folders.contains(path) => Some(format!("type=dir;modify=20261126201500; {path}")),
            None => None,
        }
    }

    fn listing(&self, folder: &str) -> Option<String> {
        let disk = self.disk.lock().unwrap();
        if let Listing::Lines(lines) = self.habits.listing {
            return Some(lines.to_owned());
        }
        if !folder.is_empty() && !disk.folders.contains(folder) {
            return None;
        }
        let top = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let within = |name: &str| name.strip_prefix(&top).filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned);
        let files = disk.files.iter().filter_map(|(name, file)| Some((within(name)?, Some(file.len()))));
        let folders = disk.folders.iter().filter_map(|name| Some((within(name)?, None)));
        let rows = files.chain(folders).map(|(name, size)| match (self.habits.listing, size) {
            (Listing::Facts, Some(size)) => format!("type=file;size={size};modify=20261126201500; {name}\r\n"),
            (Listing::Facts, None) => format!("type=dir;modify=20261126201500; {name}\r\n"),
            (Listing::Dos, Some(size)) => format!("11-26-26  08:15PM {size:>20} {name}\r\n"),
            (Listing::Dos, None) => format!("11-26-26  08:15PM       <DIR>          {name}\r\n"),
            (_, Some(size)) => format!("-rw-r--r--    1 1000     1000     {size:>8} Nov 26 20:15 {name}\r\n"),
            (_, None) => format!("drwxr-xr-x    2 1000     1000         4096 Nov 26 20:15 {name}\r\n"),
        });
        Some(rows.collect())
    }
}
