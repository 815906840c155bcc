//! Encryption of a listener, and the certificates of those who call.
//!
//! What a connection uses is settled when it begins: new certificates are for new connections, and
//! those that are open go on.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::guard;

/// The encryption of a listener. `Clone` gives another handle of the same.
#[derive(Clone)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

/// The certificates and keys of a listener, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The server's certificate, followed by those that lead to its root.
    pub certificate: Vec<u8>,
    /// The key of the first of them.
    pub key: Vec<u8>,
    /// The roots of the certificates that callers must show; without it they show none.
    pub client_ca: Option<Vec<u8>>,
}

/// Why certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// Because there is none.
    #[error("no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// Because there is no key.
    #[error("no private key in PEM (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    /// Because there is no root for the certificates of callers.
    #[error("no root for the certificates of callers in PEM")]
    NoRoot,
    /// Because they do not fit together, or are of a kind that is not known here.
    #[error("a certificate and a key that cannot be used together ({0})")]
    Unfit(String),
}

impl Tls {
    /// Encryption with these certificates.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn new(pem: &Pem) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(config(pem)?))))
    }

    /// Uses these certificates for connections from now on.
    ///
    /// # Errors
    /// When they cannot be used; the ones before stay.
    pub fn replace(&self, pem: &Pem) -> Result<(), TlsError> {
        self.0.store(Arc::new(config(pem)?));
        Ok(())
    }

    /// Agrees with the other side on a key.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }
}

/// The SHA-256 of the first certificate in a PEM file, by which its bearer is known.
///
/// # Errors
/// When there is none.
pub fn certificate_digest(pem: &[u8]) -> Result<[u8; 32], TlsError> {
    let chain = certificates(pem).ok_or(TlsError::NoCertificate)?;
    chain.first().map(|certificate| guard::digest(certificate)).ok_or(TlsError::NoCertificate)
}

/// The SHA-256 of the certificate that the other side has shown.
pub(crate) fn fingerprint(stream: &TlsStream<TcpStream>) -> Option<[u8; 32]> {
    let (_, connection) = stream.get_ref();
    connection.peer_certificates()?.first().map(|certificate| guard::digest(certificate))
}

fn config(pem: &Pem) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&pem.certificate).ok_or(TlsError::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|_| TlsError::NoKey)?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(unfit)?;
    let builder = match &pem.client_ca {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let mut store = RootCertStore::empty();
            for root in certificates(roots).ok_or(TlsError::NoRoot)? {
                store.add(root).map_err(unfit)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|_| TlsError::NoRoot)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

fn unfit(error: rustls::Error) -> TlsError {
    TlsError::Unfit(error.to_string())
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> Pem {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Pem {
            certificate: made.cert.pem().into_bytes(),
            key: made.signing_key.serialize_pem().into_bytes(),
            client_ca: None,
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let nothing = || b"nothing".to_vec();
        let check = |pem: Pem, expected| assert_eq!(Tls::new(&pem).err(), Some(expected));
        check(Pem { certificate: nothing(), ..pem() }, TlsError::NoCertificate);
        check(Pem { key: nothing(), ..pem() }, TlsError::NoKey);
        check(Pem { client_ca: Some(nothing()), ..pem() }, TlsError::NoRoot);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_and_the_pair_before_stays() {
        let tls = Tls::new(&pem()).unwrap();
        let before = tls.0.load_full();
        let error = tls.replace(&Pem { key: pem().key, ..pem() }).unwrap_err();
        assert!(matches!(error, TlsError::Unfit(_)), "{error}");
        assert!(Arc::ptr_eq(&before, &tls.0.load_full()));
        tls.replace(&pem()).unwrap();
        assert!(!Arc::ptr_eq(&before, &tls.0.load_full()));
    }
}
