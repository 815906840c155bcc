//! What became of records that are no requests: each is a dead letter, and nothing else is.

use std::collections::BTreeMap;

use message::record::header;

use super::Report;
use super::requests::{Content, Requests};
use crate::{History, Kind, Place, Record};

pub(super) fn check(history: &History, requests: &Requests<'_>, report: &mut Report) {
    let mut letters: BTreeMap<Place, u64> = BTreeMap::new();
    for record in &history.dead_letters {
        report.counts.dead_letters += 1;
        let Some(place) = place_of(record) else {
            report.found(Kind::Unreadable, format!("a dead letter from nowhere: {record}"));
            continue;
        };
        match requests.at.get(&place) {
            Some(Content::Garbage(garbage)) if garbage.value == record.value => {}
            Some(Content::Garbage(garbage)) => {
                let message = format!("found {record}, expected what {garbage} says");
                report.found(Kind::LetterInvented, message);
            }
            Some(Content::Request(id)) => {
                let message = format!("found a good request there: {record}");
                report.found_of(id, Kind::LetterInvented, message);
            }
            None => report.found(Kind::LetterInvented, format!("found {record}")),
        }
        *letters.entry(place).or_default() += 1;
    }
    for (place, content) in &requests.at {
        let Content::Garbage(garbage) = content else { continue };
        match letters.get(place) {
            None => report.found(Kind::LetterMissing, format!("found none for {place}: {garbage}")),
            Some(2..) if history.rules.exactly_once => {
                report.found(Kind::Repeated, format!("found several dead letters for {place}"));
            }
            Some(_) => {}
        }
    }
}

/// The record that a dead letter was.
pub(super) fn place_of(record: &Record) -> Option<Place> {
    let topic = record.header(header::SOURCE_TOPIC)?;
    let partition = u32::try_from(record.number(header::SOURCE_PARTITION)?).ok()?;
    Some(Place::named(topic, partition, record.number(header::SOURCE_OFFSET)?))
}
