//! Connections that are encrypted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use front::{
    Caller, FrontLimits, Guard, Key, Keyring, Pem, Proof, Scope, Scopes, ServeError, Tls, digest,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
};

use crate::client::{Client, DOCUMENT, get, post};
use crate::rig::Rig;

/// A root, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("keys can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("a root can be made"))
    }

    fn sign(&self) -> Identity {
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name is a name");
        let key = KeyPair::generate().expect("keys can be made");
        let certificate = params.signed_by(&key, &self.0).expect("a root can sign");
        Identity { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    fn pem(&self, client_ca: Option<&Self>) -> Pem {
        let identity = self.sign();
        Pem {
            certificate: identity.pem.into_bytes(),
            key: identity.key.serialize_pem().into_bytes(),
            client_ca: client_ca.map(|root| root.0.pem().into_bytes()),
        }
    }
}

/// How a caller begins.
struct Beginning<'a> {
    trusts: &'a Authority,
    shows: Option<&'a Identity>,
    version: &'static SupportedProtocolVersion,
}

impl Beginning<'_> {
    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusts.0.der().clone()).expect("a root is a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("the versions are known")
            .with_root_certificates(roots);
        let mut config = match self.shows {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::try_from(identity.key.serialize_der());
                let key = key.expect("a key is a key");
                let chain = vec![identity.certificate.clone()];
                builder.with_client_auth_cert(chain, key).expect("the key fits")
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(address).await.expect("the listener is there");
        let name = ServerName::try_from("localhost").expect("a name is a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn client(&self, address: SocketAddr) -> Client {
        Client::over(self.connect(address).await.expect("the handshake succeeds"))
    }
}

fn caller<'a>(trusts: &'a Authority, shows: Option<&'a Identity>) -> Beginning<'a> {
    Beginning { trusts, shows, version: &TLS13 }
}

async fn start(tls: Tls) -> Rig {
    Rig::guarded(FrontLimits::default(), Guard::open(), Some(tls)).await
}

#[tokio::test]
async fn calls_are_answered_over_both_versions() {
    let root = Authority::new();
    let rig = start(Tls::new(&root.pem(None)).unwrap()).await;
    for (version, expected) in
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)]
    {
        let caller = Beginning { version, ..caller(&root, None) };
        let stream = caller.connect(rig.address).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let mut client = Client::over(stream);
        assert_eq!(client.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
        assert_eq!(client.call("nonsense\r\n\r\n").await.status, 400);
    }
    rig.end().await.unwrap();
}

#[tokio::test]
async fn new_certificates_are_for_new_connections() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = Tls::new(&old.pem(None)).unwrap();
    let rig = start(tls.clone()).await;
    let mut open = caller(&old, None).client(rig.address).await;
    assert_eq!(open.call(get("/v2")).await.status, 200);
    tls.replace(&new.pem(None)).unwrap();
    assert_eq!(open.call(get("/v2")).await.status, 200);
    assert!(caller(&old, None).connect(rig.address).await.is_err());
    let mut fresh = caller(&new, None).client(rig.address).await;
    assert_eq!(fresh.call(get("/v2")).await.status, 200);
}

#[tokio::test]
async fn a_caller_without_the_right_certificate_does_not_get_a_word() {
    let (root, other) = (Authority::new(), Authority::new());
    let rig = start(Tls::new(&root.pem(Some(&root))).unwrap()).await;
    let foreign = other.sign();
    for shows in [None, Some(&foreign)] {
        for version in [&TLS12, &TLS13] {
            let caller = Beginning { version, ..caller(&root, shows) };
            // With TLS 1.3 a caller believes in the connection until it reads from it.
            let Ok(stream) = caller.connect(rig.address).await else { continue };
            let mut client = Client::over(stream);
            client.send(get("/v2")).await;
            assert!(client.try_receive().await.is_none());
        }
    }
    assert!(rig.host.statuses.lock().expect("no test panics here").is_empty());
}

#[tokio::test]
async fn a_certificate_can_be_an_identity() {
    let root = Authority::new();
    let (known, unknown) = (root.sign(), root.sign());
    let guard = Guard::open();
    let scopes = Scopes::of(&[Scope::Infer]);
    let robot = Caller { name: "robot".into(), tenant: None, scopes };
    let proof = Proof::Certificate(digest(&known.certificate));
    let keys = vec![Key { caller: robot, proof, expires: None }];
    guard.lock(Keyring { keys, ..Keyring::default() });
    let tls = Tls::new(&root.pem(Some(&root))).unwrap();
    let rig = Rig::guarded(FrontLimits::default(), guard, Some(tls)).await;
    let mut client = caller(&root, Some(&known)).client(rig.address).await;
    assert_eq!(client.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
    let mut client = caller(&root, Some(&unknown)).client(rig.address).await;
    assert_eq!(client.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 401);
    assert_eq!(client.call(get("/v2/health/live")).await.status, 200);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_gives_its_place_back() {
    let handshake_time = Duration::from_millis(50);
    let limits = FrontLimits { handshake_time, connections_max: 1, ..FrontLimits::default() };
    let root = Authority::new();
    let tls = Tls::new(&root.pem(None)).unwrap();
    let rig = Rig::guarded(limits, Guard::open(), Some(tls)).await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let mut client = caller(&root, None).client(rig.address).await;
    assert_eq!(client.call(get("/v2")).await.status, 200);
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_handshakes() {
    let root = Authority::new();
    let limits = FrontLimits { connections_max: 1, ..FrontLimits::default() };
    let tls = Tls::new(&root.pem(None)).unwrap();
    let rig = Rig::guarded(limits, Guard::open(), Some(tls)).await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let ended: Result<(), ServeError> = rig.end().await;
    ended.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
}
