//! What is written and committed as one, by members that live, die, or come back too late.

use std::time::Instant;

use kafka_testkit::Broker;
use message::Time;
use rustix::process::Signal;
use stream::{Commit, Member, Output, Record, TransactError};

use crate::child::{Victim, output};
use crate::member::{LONG_SESSION_MS, PATIENCE, Place, SHORT_SESSION_MS, wait_for_gain};

pub(crate) fn whole_or_not(broker: &Broker) {
    let place = Place::new(broker, "whole", 2, LONG_SESSION_MS);
    let (member, events) = place.join_and_listen();
    wait_for_gain(&events, 2);
    let source = place.source(0);
    let commit = |offset| (source.clone(), Commit { offset, note: "é".to_owned() });
    let committed = || member.committed(std::slice::from_ref(&source), PATIENCE).expect("commits");

    let large = Record::new(Time::EPOCH, vec![0; 2 << 20]);
    let outputs = [output(&place, "never"), Output { to: place.source(1), records: vec![large] }];
    let refused = member.transact(&outputs, &[commit(1)]);
    assert!(matches!(refused, Err(TransactError::Refused { .. })), "found {refused:?}");
    let refused = member.transact_while(&[output(&place, "never")], &[commit(2)], &|| false);
    assert!(matches!(refused, Err(TransactError::NotOwned { .. })), "found {refused:?}");
    assert_eq!(committed(), [None]);

    let both = [output(&place, "a"), Output { to: place.source(0), ..output(&place, "b") }];
    let firsts = member.transact(&both, &[commit(3)]).expect("a transaction");
    assert_eq!(committed(), [Some(commit(3).1)]);
    let found = broker.client().read_all(&place.topic);
    let found: Vec<_> = found.iter().map(|it| (it.partition, it.offset, it.text())).collect();
    let at = |index: usize| firsts[index].cast_signed();
    assert_eq!(found, [(Some(0), at(1), "b".to_owned()), (Some(1), at(0), "a".to_owned())]);

    // Parts of a transaction may be missing, and an empty one costs nothing.
    assert_eq!(member.transact(&[], &[]), Ok(Vec::new()));
    assert_eq!(member.transact(&[], &[commit(4)]), Ok(Vec::new()));
    assert_eq!(committed(), [Some(commit(4).1)]);
    member.transact(&[output(&place, "alone")], &[]).expect("a transaction");
    measure(&*member, &place);
}

/// Says what a fence costs; nobody asserts it.
fn measure(member: &dyn Member, place: &Place) {
    let mut times: Vec<_> = (0..20)
        .map(|number| {
            let started = Instant::now();
            let commit = Commit { offset: number, note: String::new() };
            let commits = [(place.source(0), commit)];
            member.transact(&[output(place, "fence")], &commits).expect("a transaction");
            started.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    println!(
        "a transaction of one record and one commit: p50 {} us, worst {} us",
        times[10], times[19]
    );
}

pub(crate) fn a_death(broker: &Broker) {
    let place = Place::new(broker, "death", 2, SHORT_SESSION_MS);
    let mut victim = Victim::start(&place);
    victim.wait_for("written 5");
    victim.kill();
    let died = Instant::now();
    let (member, events) = place.join_and_listen();
    wait_for_gain(&events, 2);
    println!("partitions of a dead member were gained after {} ms", died.elapsed().as_millis());
    // Waits until what it left open is settled.
    let committed = member.committed(&[place.source(0)], PATIENCE).expect("commits");
    let last = committed[0].as_ref().expect("a commit").offset;
    assert!(last >= 5, "found {last}");
    let expected: Vec<_> = (1..=last).map(|number| format!("child {number}")).collect();
    assert_eq!(texts(broker, &place), expected);
}

pub(crate) fn a_standstill(broker: &Broker) {
    let place = Place::new(broker, "standstill", 2, SHORT_SESSION_MS);
    let mut victim = Victim::start(&place);
    victim.wait_for("written 5");
    victim.signal(Signal::STOP);
    let (member, events) = place.join_and_listen();
    wait_for_gain(&events, 2);
    let source = place.source(0);
    let committed = member.committed(std::slice::from_ref(&source), PATIENCE).expect("commits");
    let commit = committed[0].clone().expect("a commit");
    member.transact(&[output(&place, "fence")], &[(source, commit)]).expect("a transaction");
    victim.signal(Signal::CONT);
    victim.wait_for("refused");
    victim.wait();
    assert_eq!(texts(broker, &place).pop().as_deref(), Some("fence"));
}

fn texts(broker: &Broker, place: &Place) -> Vec<String> {
    broker.client().read_all(&place.topic).iter().map(|message| message.text()).collect()
}
