//! Who owns what, and that nothing is lost or taken twice when that changes in good order.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use kafka_testkit::Broker;
use stream::{Commit, GroupEvent, ReadError, ReadLimit, StoredRecord};

use crate::member::{
    LONG_SESSION_MS, PATIENCE, Place, SHORT_SESSION_MS, Worker, check_each_once, numbered,
    wait_for_gain, wait_until,
};

pub(crate) fn one_member(broker: &Broker) {
    let place = Place::new(broker, "alone", 4, LONG_SESSION_MS);
    let client = broker.client();
    client.produce(&place.topic, &numbered(0..4000, 4));
    let started = Instant::now();
    let worker = Worker::start(&place);
    wait_until("everything is taken", || worker.look(|seen| seen.taken.len() >= 4000));
    println!("joined and took 4000 records within {} ms", started.elapsed().as_millis());
    let taken = worker.leave();
    let mut sorted = taken.clone();
    // Stable, so what is of one partition stays in the order in which it was taken.
    sorted.sort_by_key(|&(partition, _)| partition);
    assert!(sorted.is_sorted(), "out of order");
    check_each_once(taken, 4, 1000);
    assert_eq!(client.lag(&place.group(), &place.topic), 0);

    let (member, events) = place.join_and_listen();
    wait_for_gain(&events, 4);
    let source = place.source(3);
    let committed = member.committed(std::slice::from_ref(&source), PATIENCE).expect("commits");
    let expected = Commit { offset: 1000, note: "answers=2000".to_owned() };
    assert_eq!(committed, [Some(expected)]);
    client.produce(&place.topic, &numbered(4000..4040, 4));
    let more = take_until(&events, 10, || member.take(&source, ReadLimit::default()));
    assert_eq!(
        more.iter().map(|stored| stored.offset).collect::<Vec<_>>(),
        Vec::from_iter(1000..1010)
    );
    assert_eq!(more[0].record.value, "4003");
    assert_eq!(more[0].record.key.as_deref(), Some(&b"key 4003"[..]));
    wait_until("the end is known", || member.extent(&source) == (0, 1010));

    member.rewind(&source, 990).expect("it is ours");
    let again = take_until(&events, 20, || member.take(&source, ReadLimit::default()));
    assert_eq!(
        again.iter().map(|stored| stored.offset).collect::<Vec<_>>(),
        Vec::from_iter(990..1010)
    );
    let strange = place.source(4);
    assert!(matches!(member.take(&strange, ReadLimit::default()), Err(ReadError::NotOwned)));
    assert_eq!((member.tenure(&strange), member.extent(&strange)), (None, (0, 0)));
}

/// Takes until there are so many, and waits for what is said to be readable.
fn take_until(
    events: &Receiver<GroupEvent>,
    count: usize,
    take: impl Fn() -> Result<Vec<StoredRecord>, ReadError>,
) -> Vec<StoredRecord> {
    let mut taken = take().expect("it is ours");
    while taken.len() < count {
        let event = events.recv_timeout(PATIENCE).expect("news");
        assert!(matches!(event, GroupEvent::Readable(_)), "found {event:?}");
        taken.extend(take().expect("it is ours"));
    }
    taken
}

pub(crate) fn moving_partitions(broker: &Broker) {
    let place = Place::new(broker, "moving", 4, LONG_SESSION_MS);
    let client = broker.client();
    let producer = client.producer();
    let mut sent = 0;
    let mut send_until = |what: &str, is_so: &dyn Fn() -> bool| {
        wait_until(what, || {
            numbered(sent..sent + 8, 4).iter().for_each(|it| producer.send(&place.topic, it));
            sent += 8;
            is_so()
        });
    };
    let owns = |worker: &Worker, count| worker.look(|seen| seen.owned.len() == count);
    let first = Worker::start(&place);
    send_until("the first owns all", &|| owns(&first, 4));
    let second = Worker::start(&place);
    send_until("they share", &|| owns(&first, 2) && owns(&second, 2));
    let third = Worker::start(&place);
    send_until("three share", &|| owns(&third, 1));
    let mut taken = first.leave();
    send_until("two share", &|| owns(&second, 2) && owns(&third, 2));
    assert_eq!(second.look(|seen| seen.lost) + third.look(|seen| seen.lost), 0);
    assert!(producer.finish().iter().all(Result::is_ok));
    let took = |worker: &Worker| worker.look(|seen| seen.taken.len());
    wait_until("everything is taken", || {
        taken.len() + took(&second) + took(&third) >= sent as usize
    });
    taken.extend(second.leave());
    taken.extend(third.leave());
    check_each_once(taken, 4, u64::from(sent / 4));
    assert_eq!(client.lag(&place.group(), &place.topic), 0);
}

pub(crate) fn a_stubborn_member(broker: &Broker) {
    let place = Place::new(broker, "stubborn", 2, SHORT_SESSION_MS);
    let (stubborn, events) = place.join_and_listen();
    wait_for_gain(&events, 2);
    let (_second, others) = place.join_and_listen();
    // Held until the end of the test.
    let mut held = Vec::new();
    let lost = loop {
        match events.recv_timeout(PATIENCE).expect("news") {
            GroupEvent::Revoked(sources, release) => held.push((sources, release)),
            GroupEvent::Lost(sources) => break sources,
            event => assert!(matches!(event, GroupEvent::Readable(_)), "found {event:?}"),
        }
    };
    let (handed_over, _) = &held[0];
    assert_eq!((held.len(), handed_over), (1, &lost));
    assert!(matches!(stubborn.take(&lost[0], ReadLimit::default()), Err(ReadError::NotOwned)));
    wait_for_gain(&others, 1);
    // What it commits now changes nothing.
    stubborn.commit(&lost[0], &Commit { offset: 7, note: String::new() });
    stubborn.flush_commits(PATIENCE).expect("nothing is under way");
    let committed = stubborn.committed(&lost, PATIENCE).expect("commits");
    assert_eq!(committed, [None]);
    drop(held);
    let quiet = events.recv_timeout(Duration::ZERO);
    assert!(matches!(quiet, Err(RecvTimeoutError::Timeout)), "found {quiet:?}");
}
