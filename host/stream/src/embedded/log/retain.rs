//! Retention: old segments go, oldest first.

use std::io;

use message::Time;

use super::{Log, Scope};
use crate::{AppendError, Retention};

/// What retention knows of a sealed segment.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    bytes: u64,
    /// The first offset behind it.
    end: u64,
    last_time: Time,
}

impl Log {
    /// Applies the retention of the topic, and returns the first offset that is kept.
    pub(in crate::embedded) fn retain(&self, now: Time) -> Result<u64, AppendError> {
        self.seal_if_expired(now)?;
        let candidates = self.candidates();
        let lowest = self.readers.lock().lowest();
        let retention = &self.options.retention;
        let count = forgettable(&candidates, self.size_bytes(), retention, now, lowest);
        let Some(last) = count.checked_sub(1) else { return Ok(self.chain.start()) };
        // The first segment that stays must be there whatever happens: it knows where the log is.
        self.sync(Scope::Everything)?;
        for segment in self.chain.forget_below(candidates[last].end) {
            // Each is gone for good before the next one goes, so that nothing leaves a hole.
            if let Err(error) = self.remove(&segment.path) {
                let file = segment.path.display();
                tracing::warn!(topic = self.topic, %file, %error, "could not remove a segment");
                break;
            }
        }
        Ok(self.chain.start())
    }

    fn remove(&self, path: &std::path::Path) -> io::Result<()> {
        self.storage.remove(path)?;
        self.storage.sync_directory(&self.directory)
    }

    /// Seals the active segment if everything in it is too old, so that it can go.
    fn seal_if_expired(&self, now: Time) -> Result<(), AppendError> {
        let Some(age) = self.options.retention.age else { return Ok(()) };
        let mut writer = self.writer.lock();
        writer.check_open()?;
        let expired = !writer.is_empty() && now.since(writer.last_time) > age;
        if expired {
            self.rotate(&mut writer);
        }
        Ok(())
    }

    fn candidates(&self) -> Vec<Candidate> {
        let segments = self.chain.segments();
        let pairs = segments.iter().zip(&segments[1..]);
        pairs
            .map(|(segment, next)| Candidate {
                bytes: segment.length(),
                end: next.base,
                // Where nobody knows how old it is, it stays until there is too much.
                last_time: next.header.map_or(Time::NEVER, |header| header.time_before),
            })
            .collect()
    }
}

/// How many of the oldest segments may go.
fn forgettable(
    candidates: &[Candidate],
    total_bytes: u64,
    retention: &Retention,
    now: Time,
    lowest_commit: Option<u64>,
) -> usize {
    let mut left_bytes = total_bytes;
    let may_go = |candidate: &&Candidate| {
        let over = |limit: Option<u64>| limit.is_some_and(|limit| left_bytes > limit);
        let expired = retention.age.is_some_and(|age| now.since(candidate.last_time) > age);
        let awaited = lowest_commit.is_some_and(|commit| commit < candidate.end);
        let goes = over(retention.hard_bytes) || (!awaited && (expired || over(retention.bytes)));
        left_bytes -= candidate.bytes;
        goes
    };
    candidates.iter().take_while(may_go).count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Three segments of 100 bytes and 10 records each, their last records at 10, 20 and 30 s, and an
    /// active one of 50 bytes.
    fn check(retention: Retention, now_s: u64, lowest_commit: Option<u64>, expected: usize) {
        let segment = |index: u64| Candidate {
            bytes: 100,
            end: index * 10,
            last_time: Time::from_us(index * 10_000_000),
        };
        let candidates = [segment(1), segment(2), segment(3)];
        let now = Time::from_us(now_s * 1_000_000);
        assert_eq!(forgettable(&candidates, 350, &retention, now, lowest_commit), expected);
    }

    const NONE: Retention = Retention { age: None, bytes: None, hard_bytes: None };

    #[test]
    fn without_limits_everything_stays() {
        check(NONE, u64::MAX / 1_000_000, None, 0);
    }

    #[test]
    fn segments_go_when_their_last_record_is_too_old() {
        let retention = Retention { age: Some(Duration::from_secs(5)), ..NONE };
        check(retention, 15, None, 0);
        check(retention, 16, None, 1);
        check(retention, 26, None, 2);
    }

    #[test]
    fn segments_go_until_the_rest_is_small_enough() {
        check(Retention { bytes: Some(350), ..NONE }, 0, None, 0);
        check(Retention { bytes: Some(349), ..NONE }, 0, None, 1);
        check(Retention { bytes: Some(150), ..NONE }, 0, None, 2);
        check(Retention { bytes: Some(0), ..NONE }, 0, None, 3);
    }

    #[test]
    fn readers_are_waited_for_up_to_the_hard_limit() {
        let retention = Retention { bytes: Some(0), ..NONE };
        check(retention, 0, Some(9), 0);
        check(retention, 0, Some(10), 1);
        check(retention, 0, Some(29), 2);
        check(Retention { hard_bytes: Some(249), ..retention }, 0, Some(0), 2);
    }
}
