//! Runs brokers until standard input ends or the program is interrupted: for trying things by hand.

use std::io::{self, Read};
use std::process::ExitCode;

use kafka_testkit::{Cluster, Listener, Options, PLAIN_USER, SCRAM_USER};

const USAGE: &str = "\
usage: cargo run --release --package kafka-testkit -- [--brokers N] [--secured]

Starts brokers of Apache Kafka on free ports of this machine and says which. They end with this program, and nothing of
them stays. --secured has them listen with TLS and SASL too.";

fn main() -> ExitCode {
    let (mut brokers, mut options) = (1, Options::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--secured" => options = options.secured(),
            "--brokers" => match arguments.next().and_then(|count| count.parse().ok()) {
                Some(count @ 1..=9) => brokers = count,
                _ => return usage(),
            },
            _ => return usage(),
        }
    }
    let cluster = Cluster::start(brokers, &options);
    println!("brokers: {}", cluster.bootstrap());
    if options.secured {
        let certificates = cluster.certificates();
        println!("tls: {}", cluster.listener(Listener::Tls));
        println!("sasl over tls: {}", cluster.listener(Listener::SaslTls));
        println!("sasl: {}", cluster.listener(Listener::SaslPlaintext));
        println!("scram user and password: {} {}", SCRAM_USER.0, SCRAM_USER.1);
        println!("plain user and password: {} {}", PLAIN_USER.0, PLAIN_USER.1);
        println!("ca: {}", certificates.ca.display());
        println!("certificate: {}", certificates.client.display());
        println!("key: {}", certificates.client_key.display());
    }
    // Until there is nothing more to read, whatever it is.
    io::copy(&mut io::stdin().take(u64::MAX), &mut io::sink()).ok();
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}
