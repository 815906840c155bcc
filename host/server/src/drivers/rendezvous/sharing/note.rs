//! The few words beside a commit: what the next owner of a partition has to know.

/// What stands beside a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Note {
    /// Where the answers to what is not done can be at the earliest.
    pub(super) answers_from: Option<u64>,
    /// Under which epoch it was committed.
    pub(super) epoch: Option<u64>,
}

impl Note {
    /// Reads what [`text`](Self::text) wrote. What it does not know it leaves alone.
    pub(super) fn read(text: &str) -> Self {
        let mut note = Self::default();
        for (name, value) in text.split(' ').filter_map(|word| word.split_once('=')) {
            match name {
                "answers" => note.answers_from = value.parse().ok(),
                "epoch" => note.epoch = value.parse().ok(),
                _ => {}
            }
        }
        note
    }

    /// The words.
    pub(super) fn text(&self) -> String {
        let answers = self.answers_from.map(|offset| format!("answers={offset}"));
        let epoch = self.epoch.map(|offset| format!("epoch={offset}"));
        let words: Vec<String> = [answers, epoch].into_iter().flatten().collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_strange_words_are_left_alone() {
        let check = |text: &str, answers_from, epoch| {
            assert_eq!(Note::read(text), Note { answers_from, epoch }, "{text:?}");
        };
        let note = Note { answers_from: Some(7), epoch: Some(5) };
        assert_eq!(note.text(), "answers=7 epoch=5");
        check("answers=7 epoch=5", Some(7), Some(5));
        check("epoch=5 host=a answers=x", None, Some(5));
        check("", None, None);
        check("by another program", None, None);
    }
}
