//! A temporary certificate authority and a server certificate for loopback, as PEM files.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::error::{Error, Kind, Result};

pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Writes `ca.pem`, `cert.pem` and `key.pem` into the folder.
pub fn write(folder: &Path) -> Result<Certificate> {
    let (authority, chain, private) =
        generate().map_err(|e| Error::new(Kind::Other, "the certificate of the sandbox could not be made").with_cause(e))?;
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(folder.join("ca.pem"), authority)?;
    std::fs::write(&cert, chain)?;
    std::fs::write(&key, private)?;
    Ok(Certificate { cert, key })
}

fn generate() -> Result<(String, String, String), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "haul sandbox");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);

    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let chain = params.signed_by(&key, &issuer)?.pem();
    Ok((authority, chain, key.serialize_pem()))
}
