//! What the kit promises to the tests that use it.

use std::path::Path;
use std::process::{Command, Stdio};

use kafka_testkit::{Broker, Client, Listener, Message, Options, PLAIN_USER, SCRAM_USER, unique};

#[test]
fn records_come_back_as_they_were_written() {
    let client = Broker::shared().client();
    let topic = unique("kit");
    client.create_topic(&topic, 3, &[("retention.ms", "60000")]);
    assert_eq!(client.partitions(&topic), 3);
    let message = Message::new("hello").key("k").header("a", "1").header("a", "2").to(2);
    let written = client.produce(&topic, &[message.clone(), Message::new("again").to(2)]);
    assert_eq!(written, [(2, 0), (2, 1)]);
    let read = client.read_all(&topic);
    let time_ms = read[0].time_ms;
    assert_eq!(read[0], Message { offset: 0, time_ms, ..message });
    assert_eq!(read[1].text(), "again");
    assert_eq!(client.ends(&topic), [(0, 0), (0, 0), (0, 2)]);
    assert_eq!(client.committed("nobody", &topic), [None, None, None]);
    assert_eq!(client.lag("nobody", &topic), 2);
    client.delete_topic(&topic);
}

#[test]
fn a_record_that_is_too_large_says_so() {
    let client = Broker::shared().client();
    let topic = unique("small");
    client.create_topic(&topic, 1, &[("max.message.bytes", "1000")]);
    let large = Message::new(vec![7; 2000]);
    let became = client.try_produce(&topic, &[large]);
    assert!(became[0].as_ref().is_err_and(|error| error.contains("MessageSizeTooLarge")));
    assert_eq!(client.produce(&topic, &[Message::new("small")]), [(0, 0)]);
}

#[test]
fn a_broker_of_ones_own_can_be_troubled() {
    let broker = Broker::start_with(&Options::default().proxied());
    let client = broker.client();
    client.create_topic("kept", 1, &[]);
    client.produce("kept", &[Message::new("before")]);
    broker.kill();
    broker.restart();
    client.produce("kept", &[Message::new("after")]);
    let outside = Client::new(broker.bootstrap());
    let texts = |client: &Client| -> Vec<String> {
        client.read_all("kept").iter().map(Message::text).collect()
    };
    assert_eq!(texts(&outside), ["before", "after"]);
    broker.proxy().cut();
    let hasty = outside.with("message.timeout.ms", "500");
    assert!(hasty.try_produce("kept", &[Message::new("lost")])[0].is_err());
    broker.proxy().mend();
    assert_eq!(texts(&client), ["before", "after"]);

    let cluster = broker.cluster();
    cluster.fill_disk(1, 4 << 20);
    let hasty = client.clone().with("message.timeout.ms", "1000");
    let large = vec![Message::new(vec![7; 500_000]); 16];
    assert!(hasty.try_produce("kept", &large).iter().any(Result::is_err));
    cluster.wait_until_ended(1);
    assert!(cluster.log(1).contains("File too large"), "{}", cluster.log(1));
    broker.restart();
    assert_eq!(texts(&client)[..2], ["before", "after"]);
}

#[test]
fn each_way_in_asks_for_what_it_should() {
    let broker = Broker::start_with(&Options::default().secured());
    broker.client().create_topic("secret", 1, &[]);
    let certificates = broker.certificates();
    let ca = |client: Client| client.with("ssl.ca.location", &path(&certificates.ca));
    let sasl = |client: Client, mechanism: &str, (user, password): (&str, &str)| {
        client
            .with("sasl.mechanism", mechanism)
            .with("sasl.username", user)
            .with("sasl.password", password)
    };
    let at = |listener, protocol: &str| {
        Client::new(&broker.listener(listener)).with("security.protocol", protocol)
    };
    let tls = || ca(at(Listener::Tls, "ssl"));
    let sasl_tls = || ca(at(Listener::SaslTls, "sasl_ssl"));
    let sasl_open = || at(Listener::SaslPlaintext, "sasl_plaintext");
    let with_certificate = tls()
        .with("ssl.certificate.location", &path(&certificates.client))
        .with("ssl.key.location", &path(&certificates.client_key));
    let let_in = [
        tls(),
        with_certificate,
        sasl(sasl_tls(), "SCRAM-SHA-256", SCRAM_USER),
        sasl(sasl_tls(), "SCRAM-SHA-512", SCRAM_USER),
        sasl(sasl_tls(), "PLAIN", PLAIN_USER),
        sasl(sasl_open(), "SCRAM-SHA-256", SCRAM_USER),
        sasl(sasl_open(), "PLAIN", PLAIN_USER),
    ];
    for client in let_in {
        client.produce("secret", &[Message::new("in")]);
    }
    let refused = [
        at(Listener::Tls, "ssl").with("ssl.ca.location", &path(&certificates.other_ca)),
        sasl(sasl_tls(), "PLAIN", (PLAIN_USER.0, "guessed")),
        sasl(sasl_open(), "SCRAM-SHA-256", (SCRAM_USER.0, "guessed")),
    ];
    for client in refused {
        let hasty = client.with("message.timeout.ms", "1000");
        assert!(hasty.try_produce("secret", &[Message::new("out")])[0].is_err());
    }
    assert_eq!(broker.client().read_all("secret").len(), 7);
}

/// Says where its broker is and what it was started as, then stands still until it is killed.
#[test]
fn nothing_outlives_a_test_that_is_killed() {
    const INSIDE: &str = "KAFKA_TESTKIT_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        let broker = Broker::start();
        println!("port {}", broker.bootstrap());
        loop {
            std::thread::park();
        }
    }
    let me = std::env::current_exe().unwrap();
    let mut command = Command::new(me);
    command.args(["--exact", "--nocapture", "nothing_outlives_a_test_that_is_killed"]);
    let mut child = command.env(INSIDE, "1").stdout(Stdio::piped()).spawn().unwrap();
    let said = std::io::BufReader::new(child.stdout.take().unwrap());
    let lines = std::io::BufRead::lines(said).map_while(Result::ok);
    let mut ports = lines.filter_map(|line| Some(line.split_once("port ")?.1.to_owned()));
    let bootstrap = ports.next().unwrap();
    let reached = || std::net::TcpStream::connect(&bootstrap).is_ok();
    assert!(reached());
    child.kill().unwrap();
    child.wait().unwrap();
    while reached() {
        std::thread::yield_now();
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
