//! A small HTTP server, one request for each connection, and a proxy that cuts the connection.

use std::collections::HashMap;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub struct RawRequest {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl RawRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Stops at the end of the test.
pub struct Raw {
    pub url: Url,
    seen: Arc<Mutex<Vec<RawRequest>>>,
    task: JoinHandle<()>,
}

impl Raw {
    pub fn requests(&self) -> Vec<RawRequest> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|s| s.method == method).count()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads each whole request and sends the result of `answer`, which gets the request and the number of earlier ones: the status
/// line without `HTTP/1.1`, headers, an empty line, a body. None: closes without an answer.
pub async fn serve(answer: impl Fn(usize, &RawRequest) -> Option<String> + Send + 'static) -> Raw {
    let (listener, url) = listen().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Ok(request) = read_request(&mut stream).await else { continue };
            let before = kept.lock().unwrap().len();
            let reply = answer(before, &request);
            let head_only = request.method == "HEAD";
            kept.lock().unwrap().push(request);
            if let Some(reply) = reply {
                let _ = stream.write_all(frame(&reply, head_only).as_bytes()).await;
            }
        }
    });
    Raw { url, seen, task }
}

pub async fn listen() -> (TcpListener, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/files/", listener.local_addr().unwrap())).unwrap();
    (listener, url)
}

pub fn frame(reply: &str, head_only: bool) -> String {
    let (head, body) = reply.split_once("\n\n").unwrap_or((reply, ""));
    let head = head.trim().replace('\n', "\r\n");
    let body = if head_only { "" } else { body };
    let length = if head.starts_with("204") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {head}\r\n{length}Connection: close\r\n\r\n{body}")
}

/// The head of a request, and the number of bytes of its body that came with it.
pub async fn read_head(stream: &mut TcpStream) -> Result<RawRequest> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let headers = lines.filter_map(|l| l.split_once(':')).map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_owned()));
    Ok(RawRequest {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: bytes.split_off(end + 4),
    })
}

async fn read_request(stream: &mut TcpStream) -> Result<RawRequest> {
    let mut seen = read_head(stream).await?;
    let length: usize = seen.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    while seen.body.len() < length {
        if stream.read_buf(&mut seen.body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(seen)
}

/// A proxy to `target` that cuts the connection once, after `cut_after` bytes of the client; later connections work.
pub async fn cutting_proxy(target: &Url, cut_after: u64) -> Raw {
    let (listener, mut url) = listen().await;
    url.set_path(target.path());
    let address = format!("127.0.0.1:{}", target.port().unwrap());
    let task = tokio::spawn(async move {
        let mut left = Some(cut_after);
        while let Ok((mut client, _)) = listener.accept().await {
            let Ok(mut server) = TcpStream::connect(&address).await else { continue };
            match left.take() {
                None => drop(tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await })),
                Some(most) => {
                    let ((from, mut to), (mut back, mut forth)) = (client.split(), server.split());
                    let mut limited = from.take(most);
                    tokio::select! {
                        _ = tokio::io::copy(&mut limited, &mut forth) => {}
                        _ = tokio::io::copy(&mut back, &mut to) => {}
                    }
                }
            }
        }
    });
    Raw { url, seen: Arc::default(), task }
}

/// An address where no server listens, and no other program can while the socket is held.
pub fn refusing_port() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}
