//! Encrypted listeners, and the commands that talk to them.

use std::fs;
use std::path::Path;

use harness::{Host, Models, Options, infer_body, understudy, wait};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{Keys, WATCH};

/// A root that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate for this machine, and its key.
    fn issue(&self, certificate: &Path, key: &Path) {
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let pair = KeyPair::generate().unwrap();
        fs::write(certificate, params.signed_by(&pair, &self.0).unwrap().pem()).unwrap();
        fs::write(key, pair.serialize_pem()).unwrap();
    }

    fn write(&self, file: &Path) {
        fs::write(file, self.0.pem()).unwrap();
    }
}

/// What a command says: its output where it went well, else its error.
fn run(line: &[&str]) -> Result<String, String> {
    let ended = understudy(line.iter().copied());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if ended.status.success() { Ok(text(ended.stdout)) } else { Err(text(ended.stderr)) }
}

fn start(models: &Models, config: &str) -> (Host, String) {
    let config = format!("{WATCH}{config}");
    let host = Host::start(&models.path(), Options { config, data: None });
    let data = host.data().display().to_string();
    (host, data)
}

/// Waits until a page of the status has the endpoint: files that have just been written may count
/// as unfinished at the start.
fn wait_for_endpoint(host: &Host, page: impl Fn() -> String) {
    let is_there = || page().contains("e: 0 requests").then_some(());
    wait::until("the endpoint is there", || host.log(), is_there);
}

#[test]
fn commands_talk_to_an_encrypted_host_and_certificates_change_while_it_runs() {
    let models = Models::with_champion("e", "times-2");
    let keys = Keys::new();
    let file = |name: &str| keys.path(name);
    let text = |name: &str| keys.path(name).display().to_string();
    let (old, new) = (Authority::new(), Authority::new());
    old.issue(&file("host.pem"), &file("host.key"));
    old.write(&file("old.pem"));
    new.write(&file("new.pem"));
    let config =
        format!("[tls]\ncertificate = '{}'\nkey = '{}'\n", text("host.pem"), text("host.key"));
    let (host, data) = start(&models, &config);
    assert!(host.announced().iter().any(|line| line.starts_with("admin: https://")));
    wait_for_endpoint(&host, || run(&["status", "--data", &data]).unwrap());
    fs::write(file("requests.ndjson"), infer_body("1", 1.0)).unwrap();
    run(&["write", "e", &text("requests.ndjson"), "--data", &data]).unwrap();
    assert_eq!(host.topic("e", "requests").len(), 1);

    let admin = host.admin().to_string();
    let by = |root: &str| run(&["status", "--admin", &admin, "--ca", &text(root)]);
    by("old.pem").unwrap();
    assert!(by("new.pem").unwrap_err().contains("certificate"));
    assert!(run(&["status", "--admin", &format!("http://{admin}")]).is_err());

    new.issue(&file("host.pem"), &file("host.key"));
    wait::until("the new certificate is shown", || host.log(), || by("new.pem").ok());
    assert!(by("old.pem").is_err());
    fs::write(file("host.key"), "nonsense").unwrap();
    let status = wait::until(
        "the problem is told",
        || host.log(),
        || by("new.pem").ok().filter(|status| status.contains("no private key in PEM")),
    );
    assert!(status.contains("problem: "), "{status}");
    host.stop();
}

#[test]
fn a_certificate_stands_for_a_token_where_callers_show_one() {
    let models = Models::with_champion("e", "times-2");
    let keys = Keys::new();
    let file = |name: &str| keys.path(name);
    let text = |name: &str| keys.path(name).display().to_string();
    let root = Authority::new();
    root.write(&file("root.pem"));
    for name in ["host", "known", "unknown"] {
        root.issue(&file(&format!("{name}.pem")), &file(&format!("{name}.key")));
    }
    keys.make("eyes", &["--scope", "observe", "--certificate", &text("known.pem")]);
    let config = format!(
        "tokens = '{}'\n[admin_tls]\ncertificate = '{}'\nkey = '{}'\nclient_ca = '{}'\n",
        keys.file(),
        text("host.pem"),
        text("host.key"),
        text("root.pem"),
    );
    let (host, data) = start(&models, &config);
    let show = |name: &str| {
        let (certificate, key) = (text(&format!("{name}.pem")), text(&format!("{name}.key")));
        run(&["status", "--data", &data, "--certificate", &certificate, "--key", &key])
    };
    wait_for_endpoint(&host, || show("known").unwrap());
    assert!(show("unknown").unwrap_err().contains("the host wants a token"));
    assert!(run(&["status", "--data", &data]).is_err());
}
