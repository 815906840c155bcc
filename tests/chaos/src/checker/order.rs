//! Requests of one key are answered in their order.
//!
//! That holds for what one owner of the partition answers by the preferred model: an answer that waits for no model overtakes
//! others, and a later owner answers what the one before it has left.

use std::collections::HashMap;

use message::Reason;

use super::Report;
use super::answers::{Answer, Answers};
use super::requests::Requests;
use crate::{History, Kind};

pub(super) fn check(
    history: &History,
    requests: &Requests<'_>,
    answers: &Answers<'_>,
    report: &mut Report,
) {
    let mut official: Vec<&Answer<'_>> = answers.official.values().collect();
    official.retain(|answer| answer.says.reason == Reason::Preferred);
    official.sort_unstable_by_key(|answer| (answer.record.partition, answer.record.offset));
    let mut last: HashMap<(String, u64, &[u8]), &Answer<'_>> = HashMap::new();
    for answer in official {
        let place = &answer.place;
        let mut same = requests.by_id.get(answer.id()).into_iter().flatten();
        let key = same.find(|request| request.place == *place);
        let Some(key) = key.and_then(|request| request.record.key.as_deref()) else { continue };
        let before = last.insert((place.source(), answer.epoch, key), answer);
        if let Some(before) = before.filter(|before| before.place.offset > place.offset) {
            report.counts.overtaken += 1;
            if !history.rules.keeps_order {
                continue;
            }
            let message = format!(
                "found the answer to {place} behind that to {} of the same key: {} and {}",
                before.place, before.record, answer.record
            );
            report.found_of(answer.id(), Kind::OutOfOrder, message);
        }
    }
}
