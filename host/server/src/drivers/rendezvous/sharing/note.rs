//! The few words beside a commit: what the next owner of a partition has to know.

/// How many fences are said at the most: a commit has room for some thousand characters.
const FENCES: usize = 16;

/// What stands beside a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Note {
    /// Where the answers to what is not done can be at the earliest.
    pub(super) answers_from: Option<u64>,
    /// Under which epoch it was committed.
    pub(super) epoch: Option<u64>,
    /// The last fences before `answers_from`, the oldest first, and none of those between is missing. Who
    /// reads from there on finds all others by itself.
    pub(super) fences: Vec<u64>,
    /// Where the requests are a topic of answers: the last fence of each of their sources before the commit.
    pub(super) passed: Vec<(String, u64)>,
}

impl Note {
    /// What an owner notes who knows these fences, the oldest first.
    pub(super) fn of(answers_from: u64, epoch: Option<u64>, fences: &[u64]) -> Self {
        let before = &fences[..fences.partition_point(|fence| *fence < answers_from)];
        let fences = before[before.len().saturating_sub(FENCES)..].to_vec();
        Self { answers_from: Some(answers_from), epoch, fences, passed: Vec::new() }
    }

    /// Reads what [`text`](Self::text) wrote. What it does not know it leaves alone.
    pub(super) fn read(text: &str) -> Self {
        let mut note = Self::default();
        let mut fences = None;
        for (name, value) in text.split(' ').filter_map(|word| word.split_once('=')) {
            match name {
                "answers" => note.answers_from = value.parse().ok(),
                "epoch" => note.epoch = value.parse().ok(),
                "fences" => fences = value.split(',').map(|fence| fence.parse().ok()).collect(),
                "passed" => note.passed = value.split(',').filter_map(passed).collect(),
                _ => {}
            }
        }
        // Behind one's own fence there is no other.
        let is_before = |epoch: &u64| note.answers_from.is_some_and(|from| *epoch < from);
        note.fences = fences.unwrap_or_else(|| note.epoch.filter(is_before).into_iter().collect());
        note
    }

    /// The words.
    pub(super) fn text(&self) -> String {
        let answers = self.answers_from.map(|offset| format!("answers={offset}"));
        let epoch = self.epoch.map(|offset| format!("epoch={offset}"));
        let fences: Vec<String> = self.fences.iter().map(u64::to_string).collect();
        let fences = (!fences.is_empty()).then(|| format!("fences={}", fences.join(",")));
        let passed = self.passed.iter().map(|(source, fence)| format!("{source}@{fence}"));
        let passed: Vec<String> = passed.collect();
        let passed = (!passed.is_empty()).then(|| format!("passed={}", passed.join(",")));
        let words: Vec<String> = [answers, epoch, fences, passed].into_iter().flatten().collect();
        words.join(" ")
    }
}

fn passed(word: &str) -> Option<(String, u64)> {
    let (source, fence) = word.rsplit_once('@')?;
    Some((source.to_owned(), fence.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_strange_words_are_left_alone() {
        let check = |text: &str, answers_from, epoch, fences: &[u64]| {
            let fences = fences.to_vec();
            let expected = Note { answers_from, epoch, fences, passed: Vec::new() };
            assert_eq!(Note::read(text), expected, "{text:?}");
        };
        let mut note = Note::of(7, Some(5), &[2, 5]);
        assert_eq!(note.text(), "answers=7 epoch=5 fences=2,5");
        note.passed = vec![("a/requests/3".into(), 9), ("orders/0".into(), 2)];
        assert_eq!(note.text(), "answers=7 epoch=5 fences=2,5 passed=a/requests/3@9,orders/0@2");
        assert_eq!(Note::read(&note.text()), note);
        check("answers=7 epoch=5 fences=2,5", Some(7), Some(5), &[2, 5]);
        check("answers=7 epoch=9 fences=2,5 host=a", Some(7), Some(9), &[2, 5]);
        check("answers=7 epoch=9 fences=2,x", Some(7), Some(9), &[]);
        check("", None, None, &[]);
        check("by another program", None, None, &[]);
    }

    #[test]
    fn a_note_without_fences_knows_the_one_of_its_epoch() {
        assert_eq!(Note::read("answers=7 epoch=5").fences, [5]);
        // What was read from an older one on had fences that this does not tell.
        assert_eq!(Note::read("answers=7 epoch=7").fences, [0_u64; 0]);
        assert_eq!(Note::read("epoch=5 host=a answers=x").fences, [0_u64; 0]);
    }

    #[test]
    fn the_last_fences_before_what_has_to_be_read_are_noted() {
        let all: Vec<u64> = (0..40).collect();
        assert_eq!(Note::of(30, Some(39), &all).fences, all[14..30]);
        assert_eq!(Note::of(2, Some(39), &all).fences, [0, 1]);
        assert_eq!(Note::of(0, Some(0), &all).text(), "answers=0 epoch=0");
    }
}
