//! What goes wrong with a cluster, and that nothing is lost by it.

use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_testkit::{Broker, Message, unique};
use message::Time;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::{Class, Delivery, KafkaConfig, KafkaStream, Profile, TopicPolicy};
use crate::conformance::PATIENCE;
use crate::{AppendError, Health, OpenError, Partition, ReadLimit, Record, Stream, TopicOptions};

fn config(bootstrap: &str) -> KafkaConfig {
    KafkaConfig {
        brokers: vec![bootstrap.to_owned()],
        prefix: format!("{}.", unique("trouble")),
        topics: TopicPolicy { partitions: 1, ..TopicPolicy::default() },
        ..KafkaConfig::default()
    }
}

fn open(stream: &KafkaStream) -> Arc<dyn Partition> {
    stream.open("topic", &TopicOptions::default()).unwrap()
}

fn record(number: u64) -> Record {
    Record::new(Time::from_us(1_700_000_000_000_000), number.to_string())
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn values(partition: &dyn Partition) -> Vec<String> {
    let mut values = Vec::new();
    let mut next = 0;
    loop {
        let found = partition.read(next, ReadLimit::default()).unwrap();
        let Some(last) = found.last() else { return values };
        next = last.offset + 1;
        values
            .extend(found.iter().map(|it| String::from_utf8_lossy(&it.record.value).into_owned()));
    }
}

#[test]
fn what_is_handed_in_while_the_broker_is_gone_is_there_once_and_in_order_when_it_is_back() {
    let broker = Broker::start();
    let delivery = Delivery { waiting_records: 3000, ..Delivery::default() };
    let config = KafkaConfig { delivery, ..config(broker.bootstrap()) };
    let stream = KafkaStream::connect(config).unwrap();
    let topic = open(&stream);
    let mut handed_in = 0;
    let mut hand_in = |count: u64| {
        (0..count).try_for_each(|_| {
            assert_eq!(topic.submit(&[record(handed_in)])?, handed_in);
            handed_in += 1;
            Ok::<_, AppendError>(())
        })
    };
    hand_in(500).unwrap();
    until("nothing was delivered", || topic.settled() > 0);
    broker.kill();
    let refused = hand_in(10_000);
    assert!(matches!(refused, Err(AppendError::Busy { .. })), "found {refused:?}");
    until("the broker is away and nobody says so", || {
        matches!(topic.health(), Health::Away { .. })
    });
    assert!(stream.telemetry().troubles.iter().any(|it| it.class == Class::Unreachable));
    assert!(stream.telemetry().waiting_records <= 3000);
    broker.restart();
    until("what waits is not delivered", || topic.settled() == handed_in);
    let expected: Vec<_> = (0..handed_in).map(|number| number.to_string()).collect();
    assert_eq!(values(&*topic), expected);
    assert_eq!(topic.offset_of(handed_in - 1), Some(handed_in - 1));
    assert_eq!((topic.take_failed(), stream.telemetry().waiting_records), (Vec::new(), 0));
    until("the broker is back and nobody says so", || topic.health() == Health::Ready);
    broker.pause();
    let ticket = topic.submit(&[record(7)]).unwrap();
    let is_stuck = || stream.telemetry().troubles.iter().any(|it| it.class == Class::Stuck);
    // The trouble of before may not be over yet, so it alone says nothing.
    until("the broker stands still and nobody says so", || {
        is_stuck() && matches!(topic.health(), Health::Away { .. })
    });
    broker.resume();
    until("the broker goes on and has not taken the record", || topic.settled() > ticket);
    until("the broker goes on and nobody says so", || {
        topic.health() == Health::Ready && !is_stuck()
    });
}

#[test]
fn a_record_that_is_too_large_fails_alone() {
    let broker = Broker::shared();
    let stream = KafkaStream::connect(config(broker.bootstrap())).unwrap();
    let topic = open(&stream);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap();
    let name = stream.topic_name("topic");
    let smaller =
        AlterConfig::new(ResourceSpecifier::Topic(&name)).set("max.message.bytes", "2000");
    super::asker::wait_for(admin.alter_configs(&[smaller], &AdminOptions::new())).unwrap();
    let large = Record::new(Time::EPOCH, vec![7; 5000]);
    until("the limit of the topic is not applied", || {
        topic.append(slice::from_ref(&large)).is_err()
    });
    let begin = topic.watermarks().end;
    let first = topic.submit(&[record(0), record(1), large, record(2), record(3)]).unwrap();
    until("the others are not delivered", || topic.settled() == first + 5);
    let failed = topic.take_failed();
    assert!(
        matches!(&failed[..], [(ticket, AppendError::Refused { .. })] if *ticket == first + 2),
        "found {failed:?}"
    );
    let offsets = [0, 1, 3, 4].map(|ticket| topic.offset_of(first + ticket));
    assert_eq!(offsets, [0, 1, 2, 3].map(|offset| Some(begin + offset)));
    assert_eq!(stream.telemetry().waiting_bytes, 0);
    assert!(stream.telemetry().errors.contains_key(&Class::Record));
}

#[test]
fn a_topic_that_vanishes_is_missed_and_written_again_when_it_is_back() {
    let broker = Broker::shared();
    let stream = KafkaStream::connect(config(broker.bootstrap())).unwrap();
    let topic = open(&stream);
    topic.append(&[record(0)]).unwrap();
    let name = stream.topic_name("topic");
    broker.client().delete_topic(&name);
    until("the topic is gone and nobody says so", || matches!(topic.health(), Health::Away { .. }));
    let ticket = topic.submit(&[record(1)]).unwrap();
    broker.client().create_topic(&name, 1, &[]);
    until("the topic is back and not written", || topic.settled() > ticket);
    assert_eq!(topic.take_failed(), []);
    let found = broker.client().read_all(&name);
    assert_eq!(found.iter().map(Message::text).collect::<Vec<_>>(), ["1"]);
    until("the topic is back and nobody says so", || topic.health() == Health::Ready);
}

#[test]
fn topics_that_may_not_be_made_are_named_with_the_command_that_makes_them() {
    let mut config = config(Broker::shared().bootstrap());
    config.topics.create = false;
    let stream = KafkaStream::connect(config).unwrap();
    let error = stream.open("topic", &TopicOptions::default()).err().unwrap().to_string();
    let command = format!("--create --topic {} --partitions 1", stream.topic_name("topic"));
    assert!(error.contains(&command), "found {error}");
    assert_eq!(stream.topics().unwrap(), [""; 0]);
}

#[test]
fn nobody_is_waited_for_while_there_is_no_broker() {
    let delivery = Delivery { answer_timeout: Duration::from_secs(1), ..Delivery::default() };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let stream = KafkaStream::connect(KafkaConfig { delivery, ..config(&address) }).unwrap();
    let error = stream.open("topic", &TopicOptions::default()).err().unwrap();
    assert!(matches!(error, OpenError::Away { .. }), "found {error}");
    assert!(error.to_string().contains("Connection refused"), "found {error}");
    assert!(!stream.telemetry().is_reachable());
}

#[test]
fn records_of_transactions_are_read_when_they_are_committed_and_never_when_they_are_given_up() {
    let broker = Broker::shared();
    let stream = KafkaStream::connect(config(broker.bootstrap())).unwrap();
    let topic = open(&stream);
    let name = stream.topic_name("topic");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("transactional.id", &name)
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    let write = |value: &str| {
        producer.send(BaseRecord::<(), str>::to(&name).payload(value)).map_err(|it| it.0).unwrap();
    };
    for (value, is_kept) in [("a", true), ("b", false), ("c", true), ("d", false)] {
        producer.begin_transaction().unwrap();
        write(value);
        producer.flush(PATIENCE).unwrap();
        let ended = if is_kept {
            producer.commit_transaction(PATIENCE)
        } else {
            producer.abort_transaction(PATIENCE)
        };
        ended.unwrap();
    }
    assert_eq!(topic.wait(7, PATIENCE), 8);
    assert_eq!(values(&*topic), ["a", "c"]);
    let found = topic.read(1, ReadLimit::default()).unwrap();
    assert_eq!(found.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [4]);
    assert_eq!(topic.read(5, ReadLimit::default()).unwrap(), []);
    assert_eq!(topic.append(&[record(9)]), Ok(8));
    assert_eq!(values(&*topic), ["a", "c", "9"]);
}

#[test]
fn a_client_that_cannot_go_on_is_made_anew_and_what_waited_is_written() {
    let mock = MockCluster::new(1).unwrap();
    let config = config(&mock.bootstrap_servers());
    mock.create_topic(&format!("{}topic", config.prefix), 1, 1).unwrap();
    // Whoever may not write once and in order may not write at all: to librdkafka that is the end.
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    mock.request_errors(RDKafkaApiKey::InitProducerId, &[refusal, refusal]);
    let stream = KafkaStream::connect(config).unwrap();
    let topic = open(&stream);
    for number in 0..100 {
        assert_eq!(topic.submit(&[record(number)]), Ok(number));
    }
    until("what waited is not written", || topic.settled() == 100);
    assert_eq!(topic.take_failed(), []);
    assert_eq!(
        (0..100).map(|it| topic.offset_of(it)).collect::<Vec<_>>(),
        (0..100).map(Some).collect::<Vec<_>>()
    );
    assert_eq!(stream.telemetry().clients_remade, 2);
    assert!(stream.telemetry().errors.contains_key(&Class::Fatal));
}

#[test]
fn many_partitions_are_followed_at_once() {
    let mut config = config(Broker::shared().bootstrap());
    config.topics.partitions = 4;
    config.profile = Profile::Throughput;
    let (writer, reader) =
        (KafkaStream::connect(config.clone()).unwrap(), KafkaStream::connect(config).unwrap());
    let options = TopicOptions::default();
    assert_eq!(writer.partitions("topic", &options).unwrap(), 4);
    let of = |stream: &KafkaStream| {
        [0, 1, 2, 3].map(|number| stream.open_partition("topic", number, &options).unwrap())
    };
    let (written, followed) = (of(&writer), of(&reader));
    for round in 0..20 {
        for (number, partition) in written.iter().enumerate() {
            partition.submit(&[record(round * 4 + number as u64)]).unwrap();
        }
        for (number, partition) in followed.iter().enumerate() {
            assert!(partition.wait(round, PATIENCE) > round, "nothing came");
            let found = partition.read(round, ReadLimit::default()).unwrap();
            assert_eq!(found[0].record, record(round * 4 + number as u64));
        }
    }
    assert!(writer.open_partition("topic", 4, &options).is_err());
}
