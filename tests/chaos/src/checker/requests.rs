//! What was asked: whether everything that was acknowledged is there, and nothing else.

use std::collections::{BTreeMap, HashMap};

use message::record::header;
use serde_json::Value;

use super::Report;
use crate::{History, Kind, Place, Record};

/// Every record that asks something, or should not.
pub(super) struct Requests<'h> {
    /// Requests by their ids, each id in the order of places.
    pub(super) by_id: BTreeMap<String, Vec<Request<'h>>>,
    /// What is where.
    pub(super) at: BTreeMap<Place, Content<'h>>,
}

/// A record that is a request.
pub(super) struct Request<'h> {
    pub(super) place: Place,
    pub(super) record: &'h Record,
    /// What it asks.
    pub(super) x: f64,
}

/// What a record is.
pub(super) enum Content<'h> {
    /// A request of this id.
    Request(String),
    /// Something that was written to be none.
    Garbage(&'h Record),
}

/// What some bytes were meant to be.
struct Origin {
    is_garbage: bool,
    /// How often they were sent, and not yet found.
    left: u64,
}

impl<'h> Requests<'h> {
    pub(super) fn read(history: &'h History, report: &mut Report) -> Self {
        let mut origins = origins(history);
        let mut requests = Self { by_id: BTreeMap::new(), at: BTreeMap::new() };
        for (topic, records) in &history.sources {
            for record in records {
                let (partition, offset) = (record.partition, record.offset);
                let place = Place { topic: topic.clone(), partition, offset };
                requests.take(place, record, &mut origins, report);
            }
        }
        requests.check_acknowledged(history, report);
        requests.check_partitions(report);
        report.counts.ids = requests.by_id.len() as u64;
        requests
    }

    fn take(
        &mut self,
        place: Place,
        record: &'h Record,
        origins: &mut HashMap<&'h [u8], Origin>,
        report: &mut Report,
    ) {
        let Some(origin) = origins.get_mut(record.value.as_slice()) else {
            let message = format!("{place}: found what nobody sent: {record}");
            return report.found(Kind::RequestInvented, message);
        };
        if origin.left == 0 {
            let message = format!("{place}: found oftener than it was sent: {record}");
            report.found(Kind::RequestInvented, message);
        }
        origin.left = origin.left.saturating_sub(1);
        if origin.is_garbage {
            report.counts.garbage += 1;
            self.at.insert(place, Content::Garbage(record));
            return;
        }
        report.counts.requests += 1;
        match (id_of(record), x_of(&record.value)) {
            (Some(id), Some(x)) => {
                let same = self.by_id.entry(id.clone()).or_default();
                if same.first().is_some_and(|first| first.x != x) {
                    let message = format!("{place}: found another request of the same id");
                    report.found_of(&id, Kind::RequestInvented, message);
                }
                same.push(Request { place: place.clone(), record, x });
                self.at.insert(place, Content::Request(id));
            }
            _ => report.found(Kind::Unreadable, format!("{place}: found {record}")),
        }
    }

    /// What was acknowledged is where it was said to be.
    fn check_acknowledged(&self, history: &History, report: &mut Report) {
        for sent in &history.sent {
            let Some((partition, offset)) = sent.acknowledged else { continue };
            let place = Place { topic: sent.source.clone(), partition, offset };
            let value = match self.at.get(&place) {
                Some(Content::Request(id)) => {
                    let mut same = self.by_id[id].iter();
                    same.find(|request| request.place == place).map(|found| &found.record.value)
                }
                Some(Content::Garbage(record)) => Some(&record.value),
                None => None,
            };
            if value != Some(&sent.value) {
                let found = value.map_or("nothing".into(), |value| String::from_utf8_lossy(value));
                let expected = String::from_utf8_lossy(&sent.value);
                let message = format!("{place}: found {found}, expected {expected}");
                let (id, kind) = (sent.id.clone(), Kind::Lost);
                report.violations.push(crate::Violation { kind, id, message });
            }
        }
    }

    /// Requests of one id, and those of one key, are in one partition of their topic.
    fn check_partitions(&self, report: &mut Report) {
        let mut homes: HashMap<(&str, &[u8]), u32> = HashMap::new();
        for (id, same) in &self.by_id {
            for request in same {
                let place = &request.place;
                let first = &same[0].place;
                if (&first.topic, first.partition) != (&place.topic, place.partition) {
                    let message = format!("found one at {first} and one at {place}");
                    report.found_of(id, Kind::Scattered, message);
                }
                let Some(key) = &request.record.key else { continue };
                let home = homes.entry((&place.topic, key)).or_insert(place.partition);
                if *home != place.partition {
                    let key = String::from_utf8_lossy(key);
                    let message = format!("key {key}: found it at {place} and in {home}");
                    report.found_of(id, Kind::Scattered, message);
                }
            }
        }
    }
}

fn origins(history: &History) -> HashMap<&[u8], Origin> {
    let mut origins: HashMap<&[u8], Origin> = HashMap::new();
    let sent = history.sent.iter().map(|sent| (sent.value.as_slice(), sent.id.is_none()));
    let calls = history.calls.iter().map(|call| (call.body.as_slice(), false));
    for (value, is_garbage) in sent.chain(calls) {
        origins.entry(value).or_insert(Origin { is_garbage, left: 0 }).left += 1;
    }
    origins
}

/// The header `id`, else the document's own.
fn id_of(record: &Record) -> Option<String> {
    let document = || {
        let document: Value = serde_json::from_slice(&record.value).ok()?;
        document["id"].as_str().map(str::to_owned)
    };
    record.header(header::ID).map(str::to_owned).or_else(document)
}

/// What a request asks.
pub(super) fn x_of(value: &[u8]) -> Option<f64> {
    let document: Value = serde_json::from_slice(value).ok()?;
    document["inputs"][0]["data"][0].as_f64()
}
