//! The lobby over streams in memory, which settle at once what is handed in.

use bytes::Bytes;
use message::{Request, Time};
use monitor::{Build, CallTotals, Metrics};
use stream::{Headers, MemoryStream, ReadLimit, Stream, TopicOptions};
use tokio::sync::oneshot;

use super::*;
use crate::endpoint::{Answered, Appended};

type Heard = oneshot::Receiver<Result<Answered, Unanswered>>;

const PARTITIONS: u32 = 4;
const SLACK: Duration = Duration::from_secs(1);

/// A lobby of one host whose requests have four partitions.
struct Rig {
    lobby: Lobby,
    metrics: CallMetrics,
    replies: Arc<Replies>,
    requests: Vec<Arc<dyn Partition>>,
    _stream: MemoryStream,
}

fn rig(limit: usize) -> Rig {
    let stream = MemoryStream::new();
    let options = TopicOptions { record_limit_bytes: 1_000, ..TopicOptions::default() };
    let topic = |partition| stream.open(&format!("e{partition}/requests"), &options).unwrap();
    let requests: Vec<_> = (0..PARTITIONS).map(topic).collect();
    let metrics = Metrics::new(Build { version: "0", wasmtime: "0" });
    let metrics = metrics.endpoint(&"e".into()).calls();
    let replies = Arc::new(Replies::default());
    let lobby = Lobby::new(
        "e".into(),
        Arc::clone(&replies),
        requests.clone(),
        limit,
        SLACK,
        metrics.clone(),
    );
    Rig { lobby, metrics, replies, requests, _stream: stream }
}

impl Rig {
    /// How many records each partition has.
    fn counts(&self) -> Vec<u64> {
        self.requests.iter().map(|partition| partition.readable_end()).collect()
    }

    fn call(&mut self, id: &str, key: Option<&str>, own: &[u32]) -> Heard {
        let (reply, heard) = Reply::new(false);
        self.lobby.accept(vec![Call { ask: self.ask(id, key), reply }], own);
        heard
    }

    /// A request whose caller waits on this host.
    fn ask(&self, id: &str, key: Option<&str>) -> Ask {
        let host = self.replies.host();
        ask(id, key, &format!("host:0/{host}"), "?")
    }

    fn bring(&mut self, asks: Vec<Ask>) -> oneshot::Receiver<Result<Appended, Unanswered>> {
        let (reply, heard) = oneshot::channel();
        let count = asks.len();
        self.lobby.bring(Records { asks: asks.into(), first_offset: None, count, reply });
        heard
    }

    /// Every record there is.
    fn records(&self) -> Vec<Record> {
        let read = |it: &Arc<dyn Partition>| it.read(0, ReadLimit::default()).unwrap();
        self.requests.iter().flat_map(read).map(|stored| stored.record).collect()
    }
}

fn ask(id: &str, key: Option<&str>, return_to: &str, value: &str) -> Ask {
    let time = Time::from_us(1_000);
    let request = Request {
        id: RequestId::from(id),
        tenant: None,
        caller_id: None,
        time,
        deadline: Time::from_us(2_000),
        key: key.map(Into::into),
        inputs: Vec::new(),
        parameters: message::Parameters::new(),
        outputs: Vec::new(),
    };
    let headers = Headers::of([(header::RETURN_TO, return_to.as_bytes())]);
    let key = key.map(|key| Bytes::copy_from_slice(key.as_bytes()));
    let value = Bytes::copy_from_slice(value.as_bytes());
    let record = Record { time, key, headers, value };
    Ask { request, record, may_repeat: true, priority: 0 }
}

fn text(heard: &mut Heard) -> Option<String> {
    match heard.try_recv().ok()? {
        Ok(answered) => Some(String::from_utf8(answered.document.to_vec()).unwrap()),
        Err(unanswered) => Some(unanswered.to_string()),
    }
}

fn answer(text: &'static str) -> Answered {
    Answered { document: Bytes::from(text), response: None, is_error: false }
}

const SOON: Time = Time::from_us(3_000);

#[test]
fn a_key_has_its_partition_and_what_has_none_goes_to_our_own() {
    let mut rig = rig(100);
    for number in 0..8 {
        drop(rig.call(&format!("k{number}"), Some("HA"), &[1]));
    }
    let of_key = partition_of_key(b"HA", PARTITIONS) as usize;
    let mut expected = vec![0; PARTITIONS as usize];
    expected[of_key] = 8;
    assert_eq!(rig.counts(), expected);
    for number in 0..8 {
        drop(rig.call(&format!("o{number}"), None, &[0, 2]));
    }
    expected[0] += 4;
    expected[2] += 4;
    assert_eq!(rig.counts(), expected);
    for number in 0..8 {
        drop(rig.call(&format!("a{number}"), None, &[]));
    }
    expected.iter_mut().for_each(|count| *count += 2);
    assert_eq!(rig.counts(), expected);
}

#[test]
fn whoever_calls_is_told_by_this_hosts_driver_or_by_another_host() {
    let mut rig = rig(100);
    let (mut one, mut two) = (rig.call("a", None, &[]), rig.call("b", None, &[]));
    for record in rig.records() {
        assert!(rig.lobby.reply_to(&record, &"a".into()).is_some());
    }
    let reply = rig.lobby.reply_to(&rig.records()[0], &"a".into()).unwrap();
    assert!(reply.send(Ok(answer("here"))).is_ok());
    let elsewhere = |id: &str| Delivered { id: id.into(), said: Ok(answer("elsewhere")) };
    rig.lobby.deliver(vec![elsewhere("b"), elsewhere("gone")]);
    rig.lobby.tell(SOON);
    assert_eq!(text(&mut one).as_deref(), Some("here"));
    assert_eq!(text(&mut two).as_deref(), Some("elsewhere"));
    let expected = CallTotals {
        answered_here: 1,
        answered_elsewhere: 1,
        replies_read: 2,
        replies_unclaimed: 1,
        ..CallTotals::default()
    };
    assert_eq!(rig.metrics.totals(), expected);
}

#[test]
fn nobody_waits_for_a_record_without_the_address_of_a_host() {
    let rig = rig(1);
    for return_to in ["topic", "call", "topic:orders", "host:x"] {
        let record = ask("a", None, return_to, "?").record;
        assert!(rig.lobby.reply_to(&record, &"a".into()).is_none(), "{return_to}");
    }
    let other = ask("a", None, "host:0/another", "?").record;
    assert!(rig.lobby.reply_to(&other, &"a".into()).is_some());
}

#[test]
fn an_answer_that_cannot_be_sent_is_counted() {
    let mut rig = rig(1);
    let other = ask("a", None, "host:0/another", "?").record;
    let reply = rig.lobby.reply_to(&other, &"a".into()).unwrap();
    assert!(reply.send(Ok(answer("yes"))).is_ok());
    rig.lobby.tell(SOON);
    assert_eq!(rig.metrics.totals(), CallTotals { replies_unsent: 1, ..CallTotals::default() });
}

#[test]
fn calls_with_the_same_id_are_one_request() {
    let mut rig = rig(100);
    let mut calls = [rig.call("a", Some("k"), &[]), rig.call("a", Some("k"), &[])];
    assert_eq!(rig.counts().iter().sum::<u64>(), 1);
    let reply = rig.lobby.reply_to(&rig.records()[0], &"a".into()).unwrap();
    assert!(reply.send(Ok(answer("yes"))).is_ok());
    rig.lobby.tell(SOON);
    assert_eq!(calls.each_mut().map(text), [Some("yes".into()), Some("yes".into())]);
}

#[test]
fn beyond_the_limit_callers_are_refused_and_after_the_slack_given_up() {
    let mut rig = rig(1);
    let (mut one, mut two) = (rig.call("a", None, &[]), rig.call("b", None, &[]));
    assert_eq!(text(&mut two), Some(Unanswered::Busy.to_string()));
    let due = Time::from_us(2_000) + SLACK;
    rig.lobby.tell(due - Duration::from_micros(1));
    assert_eq!(text(&mut one), None);
    assert_eq!(rig.metrics.totals().waiting, 1);
    rig.lobby.tell(due);
    assert_eq!(text(&mut one), Some(Unanswered::NoAnswer.to_string()));
    assert_eq!(rig.metrics.totals(), CallTotals { unanswered: 1, ..CallTotals::default() });
}

#[test]
fn a_request_that_is_too_large_spoils_no_other() {
    let mut rig = rig(100);
    let large = "x".repeat(2_000);
    let values = [("a", "?"), ("b", &*large), ("c", "?")];
    let mut heard = Vec::new();
    let calls = values.map(|(id, value)| {
        let (reply, receiver) = Reply::new(false);
        heard.push(receiver);
        Call { ask: ask(id, Some("k"), "host:0/h", value), reply }
    });
    rig.lobby.accept(calls.into(), &[]);
    assert_eq!(rig.counts().iter().sum::<u64>(), 2);
    let [a, b, c] = &mut heard[..] else { panic!("three calls") };
    assert_eq!((text(a), text(c)), (None, None));
    assert!(text(b).unwrap().contains("at most 1000"));
}

#[test]
fn of_calls_that_came_together_those_of_a_higher_priority_are_handed_in_first() {
    let mut rig = rig(2);
    let mut heard = Vec::new();
    let calls = [("low", 0), ("high", 1), ("usual", 5)].map(|(id, priority)| {
        let (reply, receiver) = Reply::new(false);
        heard.push(receiver);
        let ask = Ask { priority, ..ask(id, Some("k"), "host:0/h", id) };
        Call { ask, reply }
    });
    rig.lobby.accept(calls.into(), &[]);
    let values: Vec<_> = rig.records().into_iter().map(|record| record.value).collect();
    assert_eq!(values, ["high", "usual"]);
    let [low, high, usual] = &mut heard[..] else { panic!("three calls") };
    assert_eq!((text(high), text(usual)), (None, None));
    assert_eq!(text(low), Some(Unanswered::Busy.to_string()));
}

#[test]
fn what_is_brought_is_spread_by_key_and_told_when_all_of_it_is_kept() {
    let mut rig = rig(1);
    let key = |number: usize| format!("k{}", number % 10);
    let asks = (0..3_000).map(|number| ask("a", Some(&key(number)), "topic", "?")).collect();
    let mut heard = rig.bring(asks);
    while rig.counts().iter().sum::<u64>() < 3_000 {
        assert!(heard.try_recv().is_err());
        rig.lobby.hand_in_brought();
        rig.lobby.tell(SOON);
    }
    let appended = heard.try_recv().unwrap().unwrap();
    assert_eq!(appended.count, 3_000);
    let mut counts = vec![0; PARTITIONS as usize];
    (0..3_000).for_each(|number| {
        counts[partition_of_key(key(number).as_bytes(), PARTITIONS) as usize] += 1;
    });
    for part in &appended.parts {
        assert_eq!((part.first_offset, part.count), (0, counts[part.partition as usize]));
    }
    assert_eq!(rig.counts(), counts);
}

#[test]
fn whoever_brings_what_is_too_large_is_told_and_so_is_everybody_at_the_end() {
    let mut rig = rig(1);
    let large = "x".repeat(2_000);
    let mut heard = rig.bring(vec![ask("a", None, "topic", &large)]);
    rig.lobby.hand_in_brought();
    rig.lobby.tell(SOON);
    let expected = Unanswered::TooLarge { found: 2_022, limit: 1_000 };
    assert_eq!(heard.try_recv().unwrap().unwrap_err(), expected);
    let mut brought = rig.bring(vec![ask("a", None, "topic", "?")]);
    let mut call = rig.call("a", None, &[]);
    rig.lobby.close();
    assert_eq!(brought.try_recv().unwrap().unwrap_err(), Unanswered::Stopping);
    assert_eq!(text(&mut call), Some(Unanswered::Stopping.to_string()));
}
