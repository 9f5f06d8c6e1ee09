//! The one TLS set-up of the program: rustls with ring, the system's roots, and `ca_file` besides them.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, SupportedProtocolVersion};
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

/// Is this failure a certificate that is not trusted? Then waiting does not help.
pub fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut step = Some(error);
    while let Some(e) = step {
        if let Some(rustls::Error::InvalidCertificate(_)) = e.downcast_ref::<rustls::Error>() {
            return true;
        }
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
            && is_untrusted(inner)
        {
            return true;
        }
        step = e.source();
    }
    false
}
