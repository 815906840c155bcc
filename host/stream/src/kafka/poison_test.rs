//! What no client of ours would write, but what anybody can: it is read without harm.

use std::io::{Read, Write};
use std::net::TcpStream;

use crc_fast::CrcAlgorithm::Crc32Iscsi;
use kafka_testkit::{Broker, unique};
use message::Time;

use super::{KafkaConfig, KafkaStream, TopicPolicy};
use crate::conformance::PATIENCE;
use crate::{Headers, ReadLimit, Record, Stream, TopicOptions};

/// A whole number as records have it.
fn varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// A batch of one record without a key, with one header.
fn batch(value: &[u8], header: (&[u8], &[u8])) -> Vec<u8> {
    let mut record = vec![0, 0, 0];
    varint(&mut record, -1);
    varint(&mut record, value.len() as i64);
    record.extend(value);
    varint(&mut record, 1);
    for part in [header.0, header.1] {
        varint(&mut record, part.len() as i64);
        record.extend(part);
    }
    let mut checked = Vec::new();
    checked.extend([0; 6]); // Attributes, and how many offsets more than one.
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend([0xff; 14]); // No producer with a number.
    checked.extend(1_i32.to_be_bytes());
    varint(&mut checked, record.len() as i64);
    checked.extend(record);
    let mut batch = vec![0; 8];
    batch.extend((checked.len() as i32 + 9).to_be_bytes());
    batch.extend((-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend((crc_fast::checksum(Crc32Iscsi, &checked) as u32).to_be_bytes());
    batch.extend(checked);
    batch
}

/// Has a broker write a batch to partition 0 of a topic, by hand, and returns what it says to it.
fn produce(bootstrap: &str, topic: &str, batch: &[u8]) -> i16 {
    let mut request = Vec::new();
    request.extend([0, 0, 0, 7]); // Produce, version 7.
    request.extend(1_i32.to_be_bytes());
    request.extend((-1_i16).to_be_bytes()); // No name of the client,
    request.extend((-1_i16).to_be_bytes()); // no transaction,
    request.extend((-1_i16).to_be_bytes()); // and every copy.
    request.extend(10_000_i32.to_be_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend((topic.len() as i16).to_be_bytes());
    request.extend(topic.as_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend(0_i32.to_be_bytes());
    request.extend((batch.len() as i32).to_be_bytes());
    request.extend(batch);
    let mut broker = TcpStream::connect(bootstrap).unwrap();
    broker.set_read_timeout(Some(PATIENCE)).unwrap();
    broker.write_all(&(request.len() as i32).to_be_bytes()).unwrap();
    broker.write_all(&request).unwrap();
    let mut length = [0; 4];
    broker.read_exact(&mut length).unwrap();
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    broker.read_exact(&mut answer).unwrap();
    // Behind its number, the count of topics, the name, the count of partitions and the partition.
    let at = 4 + 4 + 2 + topic.len() + 4 + 4;
    i16::from_be_bytes([answer[at], answer[at + 1]])
}

#[test]
fn headers_whose_names_are_no_text_are_left_out_and_the_record_is_read() {
    let bootstrap = Broker::shared().bootstrap();
    let config = KafkaConfig {
        brokers: vec![bootstrap.to_owned()],
        prefix: format!("{}.", unique("poison")),
        topics: TopicPolicy { partitions: 1, ..TopicPolicy::default() },
        ..KafkaConfig::default()
    };
    let stream = KafkaStream::connect(config).unwrap();
    let topic = stream.open("topic", &TopicOptions::default()).unwrap();
    let name = stream.topic_name("topic");
    assert_eq!(produce(bootstrap, &name, &batch(b"poison", (b"\xff\xfe", b"x"))), 0);
    assert_eq!(produce(bootstrap, &name, &batch(b"well", (b"id", b"7"))), 0);
    assert_eq!(topic.wait(1, PATIENCE), 2);
    let found = topic.read(0, ReadLimit::default()).unwrap();
    let time = Time::from_us(1_700_000_000_000_000);
    let well = Record { headers: Headers::new().with("id", "7"), ..Record::new(time, "well") };
    let records: Vec<_> = found.into_iter().map(|stored| stored.record).collect();
    assert_eq!(records, [Record::new(time, "poison"), well]);
}
