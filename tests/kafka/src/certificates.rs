//! Certificates for the listeners with TLS, as files.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// What a client needs for TLS, as PEM files.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Whom to trust.
    pub ca: PathBuf,
    /// Somebody whom the brokers have nothing to do with.
    pub other_ca: PathBuf,
    /// The certificate of a client.
    pub client: PathBuf,
    /// The key of that certificate.
    pub client_key: PathBuf,
}

impl Certificates {
    pub(crate) fn write(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder for certificates");
        let authority = authority("the authority of the tests");
        let other = self::authority("nobody");
        let file = |name: &str, text: String| {
            let file = folder.join(name);
            fs::write(&file, text).expect("a file for a certificate");
            file
        };
        let (certificate, key) = issue(&authority, "broker");
        // Kafka wants the key first and the chain behind it, in one file.
        file("server-both.pem", format!("{key}{certificate}{}", authority.pem()));
        let (certificate, key) = issue(&authority, "client");
        Self {
            ca: file("ca.pem", authority.pem()),
            other_ca: file("other-ca.pem", other.pem()),
            client: file("client.pem", certificate),
            client_key: file("client.key", key),
        }
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pair = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, pair).expect("a certificate")
}

/// A certificate for this machine and its key, both as PEM.
fn issue(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (String, String) {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut params = CertificateParams::new(names).expect("names of this machine");
    params.distinguished_name.push(DnType::CommonName, name);
    let pair = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&pair, authority).expect("a certificate");
    (certificate.pem(), pair.serialize_pem())
}
