//! The TLS configuration of the program: rustls with ring, the system's certificates, and those of `ca_file`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Kind, Result};

/// A client configuration with its own session store. FTPS makes one for each control connection: servers refuse a data
/// connection that resumes another connection's session (providers.md 6.4).
pub fn client_config(ca_file: Option<&Path>, versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(ca_file, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|e| Error::new(Kind::Other, "TLS can't be set up").with_cause(e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// The verifiers by `ca_file`; none: only the system's certificates.
type Verifiers = HashMap<Option<PathBuf>, Arc<dyn ServerCertVerifier>>;

/// By `ca_file`. Reading the system's certificates takes longer than a connection, and an FTP server gets a connection for each
/// file in progress.
static VERIFIERS: LazyLock<Mutex<Verifiers>> = LazyLock::new(Mutex::default);

fn verifier(ca_file: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    // Locked during the read, so that no other task reads the same certificates.
    let mut known = VERIFIERS.lock();
    let key = ca_file.map(Path::to_owned);
    if let Some(verifier) = known.get(&key) {
        return Ok(verifier.clone());
    }
    let roots = match ca_file {
        Some(file) => read_roots(file)?,
        None => Vec::new(),
    };
    let has_roots = !roots.is_empty();
    let verifier: Arc<dyn ServerCertVerifier> = match Verifier::new_with_extra_roots(roots.iter().cloned(), provider.clone()) {
        Ok(verifier) => Arc::new(NamedOrVerified { verifier, named: roots }),
        Err(e) if has_roots => return Err(Error::new(Kind::Usage, "the trusted certificates can't be used").with_cause(e)),
        // Plain http needs no certificates.
        Err(_) => Arc::new(NoRoots(provider.clone())),
    };
    known.insert(key, verifier.clone());
    Ok(verifier)
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |why: String| {
        Error::new(Kind::Usage, format!("ca_file can't be used: {why}"))
            .with_subject(file.display().to_string())
            .with_hint("name a PEM file with certificates")
    };
    let roots: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(|e| bad(e.to_string()))?
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| bad(e.to_string()))?;
    if roots.is_empty() {
        return Err(bad("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

/// As the platform's verifier, but also trusts a server's certificate that the user has named itself. A self-signed certificate
/// as `openssl req -x509` makes it says that it is an authority, and no authority is accepted as a server.
#[derive(Debug)]
struct NamedOrVerified {
    verifier: Verifier,
    /// The certificates of `ca_file`.
    named: Vec<CertificateDer<'static>>,
}

impl NamedOrVerified {
    fn is_named(&self, certificate: &CertificateDer<'_>, refusal: &rustls::Error) -> bool {
        let is_in_file = || self.named.iter().any(|named| named == certificate);
        match refusal {
            // An authority can make a certificate for any name, so its own names do not matter. Its dates were checked before.
            rustls::Error::InvalidCertificate(CertificateError::Other(_)) => is_in_file() || is_in_environment(certificate),
            // Without any name in it, the file of the remote says which server it is for.
            rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
                presented.is_empty() && is_in_file()
            }
            _ => false,
        }
    }
}

/// The certificates of `SSL_CERT_FILE` count as the system's.
fn is_in_environment(certificate: &CertificateDer<'_>) -> bool {
    let Some(file) = std::env::var_os("SSL_CERT_FILE") else { return false };
    let Ok(named) = CertificateDer::pem_file_iter(file) else { return false };
    named.flatten().any(|named| named == *certificate)
}

impl ServerCertVerifier for NamedOrVerified {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        match self.verifier.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(refusal) if self.is_named(certificate, &refusal) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// The hint for a certificate that nobody known has signed.
const TRUST_YOUR_OWN: &str =
    "if the server is your own, name its certificate, or its authority's, as a PEM file: as `ca_file` of the remote, or by SSL_CERT_FILE";

/// Accepts no certificate: the machine has none to check others with.
#[derive(Debug)]
struct NoRoots(Arc<CryptoProvider>);

/// The error of [`NoRoots`] for each certificate.
#[derive(Debug)]
struct NothingTrusted;

impl std::fmt::Display for NothingTrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no certificates to trust others by")
    }
}

impl std::error::Error for NothingTrusted {}

impl NothingTrusted {
    fn refuse<T>() -> std::result::Result<T, rustls::Error> {
        Err(rustls::Error::Other(OtherError(Arc::new(NothingTrusted))))
    }

    fn untrusted_error() -> Error {
        let set = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| std::env::var_os(name).is_some());
        match set {
            Some(name) => Error::new(Kind::Usage, format!("{name} names no certificates, so that no server can be trusted"))
                .with_hint("unset it, or name a PEM file with certificates by SSL_CERT_FILE"),
            None => Error::new(Kind::Usage, "this machine has no certificates to trust a server by")
                .with_hint("install the package ca-certificates, or name a PEM file by SSL_CERT_FILE or as the remote's `ca_file`"),
        }
    }
}

impl ServerCertVerifier for NoRoots {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        NothingTrusted::refuse()
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        NothingTrusted::refuse()
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        NothingTrusted::refuse()
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The error, when the certificate is not trusted: a retry would not help.
pub fn untrusted_certificate_error(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let nothing = |e: &rustls::Error| matches!(e, rustls::Error::Other(OtherError(inner)) if inner.is::<NothingTrusted>());
    if of_tls(error, nothing).is_some() {
        return Some(NothingTrusted::untrusted_error());
    }
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext};
    let Some(rustls::Error::InvalidCertificate(refused)) = of_tls(error, |e| matches!(e, rustls::Error::InvalidCertificate(_))) else {
        return None;
    };
    let (why, hint) = match refused {
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => (
            "the server's certificate is out of date",
            "check this machine's clock; if it is right, ask the server's operators for a new one",
        ),
        NotValidForName | NotValidForNameContext { .. } => {
            ("the server's certificate is for another name", "check the host in the remote's url; `ca_file` does not help here")
        }
        _ => ("the server's certificate is not trusted", TRUST_YOUR_OWN),
    };
    Some(Error::new(Kind::Untrusted, why).with_hint(hint))
}

/// True if plain text came where TLS should begin.
pub fn is_clear(error: &(dyn std::error::Error + 'static)) -> bool {
    of_tls(error, |e| matches!(e, rustls::Error::InvalidMessage(_))).is_some()
}

/// Finds the TLS error among the causes, if `is_it` accepts it.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static), is_it: fn(&rustls::Error) -> bool) -> Option<&'a rustls::Error> {
    let mut step = Some(error);
    while let Some(e) = step {
        if let Some(found) = e.downcast_ref().filter(|e| is_it(e)) {
            return Some(found);
        }
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && let Some(found) = io.get_ref().and_then(|inner| of_tls(inner, is_it))
        {
            return Some(found);
        }
        step = e.source();
    }
    None
}
