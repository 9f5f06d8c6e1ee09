//! For unit tests only: a server on loopback that answers as a function says and keeps what it was asked, and a world
//! (settings, tokens) to open a provider in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::contract::{BoxFuture, Network, ProviderContext, RemoteSettings, Result, StoredToken, TokenStore};
use crate::model::Secret;

#[derive(Clone, Debug)]
pub struct TestRequest {
    /// `POST /api/v2/authorize`
    pub line: String,
    /// As sent, names in lower case.
    pub head: String,
    pub body: String,
}

/// Status, extra header lines (each with its line end), body.
pub type Answer = (u16, &'static str, String);

pub fn ok(body: impl Into<String>) -> Answer {
    (200, "", body.into())
}

pub struct TestServer {
    pub url: String,
    pub asked: Arc<Mutex<Vec<TestRequest>>>,
}

impl TestServer {
    pub async fn start(answer: impl Fn(&TestRequest) -> Answer + Send + Sync + 'static) -> TestServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (answer.clone(), log.clone());
                tokio::spawn(async move { serve(stream, &*answer, &log).await });
            }
        });
        TestServer { url, asked }
    }

    /// The request lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|a| a.line.clone()).collect()
    }

    pub fn last(&self) -> TestRequest {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(&TestRequest) -> Answer + Send + Sync), log: &Mutex<Vec<TestRequest>>) {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    while bytes.len() < head_end + 4 + length.unwrap_or(0) {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let asked = TestRequest { line, head, body: String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned() };
    let (status, headers, body) = answer(&asked);
    log.lock().unwrap().push(asked);
    let text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
}

/// Settings in a map: secret or not, one and the same.
struct Settings(HashMap<&'static str, String>);

impl RemoteSettings for Settings {
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
pub struct Tokens(pub Mutex<HashMap<String, StoredToken>>);

impl TokenStore for Tokens {
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

/// What a provider is opened with: the remote is called `my-remote`.
pub fn provider_context(settings: &[(&'static str, &str)], tokens: &Arc<Tokens>) -> ProviderContext {
    ProviderContext {
        remote: "my-remote".to_owned(),
        secrets: Arc::new(Settings(settings.iter().map(|(k, v)| (*k, (*v).to_owned())).collect())),
        tokens: tokens.clone(),
        network: Network { timeout: std::time::Duration::from_secs(10), ca_file: None, insecure: false },
    }
}
