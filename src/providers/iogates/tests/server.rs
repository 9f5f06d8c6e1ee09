//! For the tests of this folder: settings from a list, tokens in memory, and a server that plays back answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::contract::{BoxFuture, Network, ProviderContext, RemoteSettings, Result, StoredToken, TokenStore};
use crate::model::Secret;

pub struct MapSettings(HashMap<&'static str, String>);

impl MapSettings {
    pub fn new(told: &[(&'static str, &str)]) -> MapSettings {
        MapSettings(told.iter().map(|(key, value)| (*key, (*value).to_owned())).collect())
    }
}

impl RemoteSettings for MapSettings {
    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn secret(&self, key: &str) -> Result<Option<Secret>> {
        Ok(self.0.get(key).map(Secret::new))
    }
    fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

#[derive(Default)]
struct MemoryTokens(Mutex<HashMap<String, StoredToken>>);

impl TokenStore for MemoryTokens {
    fn load(&self, account: &str) -> Result<Option<StoredToken>> {
        Ok(self.0.lock().unwrap().get(account).cloned())
    }
    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.0.lock().unwrap().insert(account.to_owned(), token.clone());
        Ok(())
    }
    fn forget(&self, account: &str) -> Result<()> {
        self.0.lock().unwrap().remove(account);
        Ok(())
    }
    fn lock<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        Box::pin(async { Ok(Box::new(()) as Box<dyn Send>) })
    }
}

pub fn opening(told: MapSettings) -> ProviderContext {
    let network = Network { timeout: Duration::from_secs(5), ca_file: None, insecure: false };
    ProviderContext { remote: "studio-a".into(), secrets: Arc::new(told), tokens: Arc::new(MemoryTokens::default()), network }
}

/// Gives its answers (status and body) in order, one connection each, and keeps what it was asked. Status 0 closes the
/// connection without an answer.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn with(answers: &[(u16, &str)]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        let answers: Vec<(u16, String)> = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        tokio::spawn(async move {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                kept.lock().unwrap().push(request);
                if status > 0 {
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                }
            }
        });
        Server { url, asked }
    }

    /// The requests so far, whole: head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Only `METHOD path` of each.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|r| r.split(" HTTP/").next().unwrap().to_owned()).collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&piece[..n]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if n == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}
