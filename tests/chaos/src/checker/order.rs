//! Requests of one key are answered in their order.
//!
//! That holds for records that nobody waits for, whoever owns the partition: a caller is not held up by others.

use std::collections::HashMap;

use message::record::header;

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
    official.sort_unstable_by_key(|answer| (answer.record.partition, answer.record.offset));
    let mut last: HashMap<(String, &[u8]), &Answer<'_>> = HashMap::new();
    for answer in official {
        let place = &answer.place;
        let mut same = requests.by_id.get(answer.id()).into_iter().flatten();
        let Some(request) = same.find(|request| request.place == *place) else { continue };
        let is_call = request
            .record
            .header(header::RETURN_TO)
            .is_some_and(|it| !it.starts_with(header::TOPIC_PREFIX) && it != "topic");
        let Some(key) = request.record.key.as_deref().filter(|_| !is_call) else { continue };
        let before = last.insert((place.source(), key), answer);
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
