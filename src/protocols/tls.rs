//! The one TLS set-up of the program: rustls with ring, the system's roots, and `ca_file` besides them.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Kind, Result};

/// A client configuration with a session store of its own. FTPS makes one for each control connection: servers refuse
/// a data connection that resumes another connection's session (baselines: ProFTPD, 3 of 4 fail).
pub fn client_config(ca_file: Option<&Path>, versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match ca_file {
        Some(file) => read_roots(file)?,
        None => Vec::new(),
    };
    let verifier = Verifier::new_with_extra_roots(roots, provider.clone())
        .map_err(|e| Error::new(Kind::Usage, "the trusted certificates can't be used").cause(e))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|e| Error::new(Kind::Other, "TLS can't be set up").cause(e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |why: String| {
        Error::new(Kind::Usage, format!("ca_file can't be used: {why}"))
            .on(file.display().to_string())
            .hint("name a PEM file with certificates")
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

/// The failure, when it is a certificate that is not trusted: waiting does not help.
pub fn untrusted(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext};
    let (why, hint) = match refused(error)? {
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => (
            "the server's certificate is out of date",
            "check this machine's clock; if it is right, ask the server's operators for a new one",
        ),
        NotValidForName | NotValidForNameContext { .. } => {
            ("the server's certificate is for another name", "check the host in the remote's url; `ca_file` does not help here")
        }
        _ => ("the server's certificate is not trusted", "if it is your own, name its authority's PEM file as `ca_file`"),
    };
    Some(Error::new(Kind::Untrusted, why).hint(hint))
}

fn refused<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a CertificateError> {
    let mut step = Some(error);
    while let Some(e) = step {
        if let Some(rustls::Error::InvalidCertificate(why)) = e.downcast_ref::<rustls::Error>() {
            return Some(why);
        }
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && let Some(why) = io.get_ref().and_then(|inner| refused(inner))
        {
            return Some(why);
        }
        step = e.source();
    }
    None
}
