//! For unit tests only: a server on loopback that answers as a function says and records the requests, and the context to open
//! a provider.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{MapSettings, MemoryTokens};
use crate::contract::{Network, ProviderContext};
use crate::protocols::http::response::HttpReply;

#[derive(Clone, Debug)]
pub struct TestRequest {
    /// `POST /api/v2/authorize`
    pub line: String,
    /// The body as it was sent.
    pub head: String,
    pub body: String,
}

impl TestRequest {
    /// Head and body as they were sent.
    pub fn text(&self) -> String {
        format!("{}\r\n\r\n{}", self.head, self.body)
    }
}

/// Status, extra header lines (each with its line end), body. Status 0: the connection is closed without an answer.
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

    /// Gives these answers (status and body) in order, then closes each connection without an answer.
    pub async fn in_order(answers: &[(u16, &str)]) -> TestServer {
        let answers: Vec<(u16, String)> = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let answers = Mutex::new(answers.into_iter());
        TestServer::start(move |_| answers.lock().next().map_or((0, "", String::new()), |(status, body)| (status, "", body))).await
    }

    /// The requests so far, head and body.
    pub fn texts(&self) -> Vec<String> {
        self.asked.lock().iter().map(TestRequest::text).collect()
    }

    /// The request lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked.lock().iter().map(|a| a.line.clone()).collect()
    }

    pub fn last(&self) -> TestRequest {
        self.asked.lock().last().unwrap().clone()
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
    log.lock().push(asked);
    if status == 0 {
        return;
    }
    let text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
}

/// The context to open a provider; the remote is called `my-remote`.
pub fn provider_context(settings: &[(&str, &str)], tokens: &Arc<MemoryTokens>) -> ProviderContext {
    ProviderContext {
        remote: "my-remote".to_owned(),
        secrets: Arc::new(MapSettings::new(settings)),
        tokens: tokens.clone(),
        network: Network { timeout: std::time::Duration::from_secs(10), ca_file: None, insecure: false },
    }
}

/// An answer that was read to its end.
pub fn reply(status: u16, body: impl AsRef<[u8]>) -> HttpReply {
    let url = "https://site.example/api/v2/x".parse().unwrap();
    HttpReply { status: status.try_into().unwrap(), headers: Default::default(), url, body: bytes::Bytes::copy_from_slice(body.as_ref()) }
}
