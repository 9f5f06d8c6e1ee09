//! Servers that give every request the same answer, with and without TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A giga0 remote `r` at this address, with a password.
pub fn remote(url: &str) -> Vec<(String, String)> {
    let key = |key: &str, value: &str| (format!("HAUL_REMOTE_R_{key}"), value.to_owned());
    vec![key("PROVIDER", "giga0"), key("URL", url), key("USERNAME", "ann"), key("PASSWORD", "swordfish-1")]
}

/// Serves one request after the other: reads it to the end of its head and sends the answer. Returns the address and the
/// requests so far.
pub fn answers(answer: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, seen) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let kept = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let head = head_of(&mut stream);
            kept.lock().unwrap().push(head);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, seen)
}

fn head_of(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

pub fn refusal(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
}

/// Answers every request with the same bytes, as long as the test lives.
pub fn one_file_server(content: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap() == 0 {
                    break;
                }
                asked.extend(byte);
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
            let _ = stream.write_all(&[head.as_bytes(), content].concat());
        }
    });
    address
}

/// An authority, and the certificate of its server.
pub struct TlsServer {
    pub folder: tempfile::TempDir,
    pub url: String,
    pub requests: Arc<Mutex<Vec<String>>>,
}

/// `names` are the names in the certificate; `over` makes it an expired one.
pub fn tls_server(names: &[&str], over: bool, answer: String) -> TlsServer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if over {
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2020, 2, 1));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    serve_tls(&authority, &certificate, &key, answer)
}

/// A server whose certificate signs itself, as `openssl req -x509` makes it by default: it says that it is an authority. The
/// certificate is in `ca.pem`.
pub fn self_signed_server(names: &[&str], is_authority: bool, answer: String) -> TlsServer {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    serve_tls(&certificate, &certificate, &key, answer)
}

fn serve_tls(authority: &str, certificate: &str, key: &KeyPair, answer: String) -> TlsServer {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority).unwrap();

    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, requests) = (format!("https://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let kept = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), Ok(tls)) = (stream, rustls::ServerConnection::new(config.clone())) else { return };
            let mut stream: rustls::StreamOwned<_, TcpStream> = rustls::StreamOwned::new(tls, stream);
            let head = head_of(&mut stream);
            kept.lock().unwrap().push(head);
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    TlsServer { folder, url, requests }
}
