//! Every way into a cluster, and what an operator reads where it is shut.

use std::fs;

use harness::{Host, Models, Options};
use kafka_testkit::{Listener, PLAIN_USER, SCRAM_USER, unique};

use crate::{Site, broker, text};

/// The start of a configuration for a listener.
fn at(listener: Listener) -> String {
    format!(
        "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['{}']\nprefix = '{}.'\n",
        broker().listener(listener),
        unique("operating")
    )
}

/// The section for a protocol and what belongs to it.
fn section(protocol: &str, rest: &str) -> String {
    format!("[stream.kafka.security]\nprotocol = '{protocol}'\n{rest}")
}

/// The keys for a user whose password lies in the file `password`.
fn user(mechanism: &str, name: &str) -> String {
    format!("mechanism = '{mechanism}'\nusername = '{name}'\npassword_file = 'password'\n")
}

fn ca() -> String {
    format!("ca = '{}'\n", text(&broker().certificates().ca))
}

/// Whether the brokers let in who comes like this.
fn check(listener: Listener, section: &str, password: &str) {
    let site = Site::new(&format!("{}{section}", at(listener)));
    site.write("password", password);
    let said = site.run(&["check", "@", "--online"]);
    assert!(said.success().contains("replies"), "{}", said.out);
}

#[test]
fn passwords_let_in_by_every_mechanism() {
    let (scram, plain) = (SCRAM_USER, PLAIN_USER);
    for (mechanism, (name, password)) in
        [("plain", plain), ("scram-sha-256", scram), ("scram-sha-512", scram)]
    {
        let user = user(mechanism, name);
        let encrypted = section("sasl-ssl", &format!("{user}{}", ca()));
        check(Listener::SaslTls, &encrypted, &format!("{password}\n"));
        check(Listener::SaslPlaintext, &section("sasl-plaintext", &user), password);
    }
}

#[test]
fn certificates_let_in_with_ours_and_without() {
    check(Listener::Tls, &section("ssl", &ca()), "");
    let certificates = broker().certificates();
    let ours = format!(
        "{}certificate = '{}'\nkey = '{}'\n",
        ca(),
        text(&certificates.client),
        text(&certificates.client_key)
    );
    check(Listener::Tls, &section("ssl", &ours), "");
}

#[test]
fn a_wrong_password_and_strange_certificates_are_named_as_such() {
    let wrong = |listener, section: &str, words: &[&str]| {
        let site = Site::new(&format!("{}{section}", at(listener)));
        site.write("password", "wrong");
        let said = site.run(&["check", "@", "--online"]).failure();
        for word in words {
            assert!(said.to_lowercase().contains(word), "no {word:?} in {said}");
        }
        assert!(!said.contains("alice-secret"), "{said}");
    };
    let user = user("scram-sha-256", SCRAM_USER.0);
    wrong(Listener::SaslPlaintext, &section("sasl-plaintext", &user), &["authentication"]);
    let strange = format!("ca = '{}'\n", text(&broker().certificates().other_ca));
    wrong(Listener::Tls, &section("ssl", &strange), &["certificate", "verif"]);
}

#[test]
fn a_password_that_is_mended_lets_the_host_in_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "wrong").unwrap();
    let section = format!(
        "[stream.kafka.security]\nprotocol = 'sasl-ssl'\nmechanism = 'scram-sha-512'\n\
         username = '{}'\npassword_file = '{}'\n{}",
        SCRAM_USER.0,
        text(&password),
        ca()
    );
    let host = mended(&format!("{}{section}", at(Listener::SaslTls)), "credentials", || {
        fs::write(&password, SCRAM_USER.1).unwrap();
    });
    assert!(!host.log().contains("alice-secret"), "{}", host.log());
}

#[test]
fn certificates_that_are_mended_let_the_host_in_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::copy(&broker().certificates().other_ca, &ca).unwrap();
    let section = section("ssl", &format!("ca = '{}'\n", text(&ca)));
    mended(&format!("{}{section}", at(Listener::Tls)), "tls", || {
        fs::copy(&broker().certificates().ca, &ca).unwrap();
    });
}

/// Starts a host that is not let in, sees that it says so once, mends what is wrong, and waits for an answer.
fn mended(config: &str, class: &str, mend: impl FnOnce()) -> Host {
    let models = Models::with_champion("e", "times-2");
    let config = format!("{config}[watch]\nperiod = '100ms'\n");
    let host = Host::start(&models.path(), Options { config, ..Options::default() });
    let trouble = host.wait_for("the trouble is known", |host| {
        let status = host.status();
        let mut troubles = status["stream"]["troubles"].as_array()?.iter();
        troubles.find(|trouble| trouble["class"] == class).cloned()
    });
    let readiness = host.client().get("/v2/health/ready").unwrap();
    assert_eq!(readiness.status, 503, "{}", readiness.text());
    assert!(readiness.text().contains("brokers are away"), "{}", readiness.text());
    assert!(trouble["reason"].as_str().unwrap().len() > 10, "{trouble}");
    let log = host.log();
    let lines = || log.lines().filter(|line| line.contains("trouble with Kafka"));
    let of_class = lines().filter(|line| line.contains(&format!("trouble=\"{class}\""))).count();
    assert_eq!(of_class, 1, "{log}");
    mend();
    host.wait_until_settled("e");
    host.wait_for("it is ready", |host| {
        (host.client().get("/v2/health/ready").ok()?.status == 200).then_some(())
    });
    host.wait_for("an answer", |host| {
        host.client().infer("e", 3.0).ok().filter(|response| response.y() == Some(6.0))
    });
    host
}
