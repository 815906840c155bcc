//! Answers to requests with the same key leave in the order of the requests.
//!
//! That is so where nobody waits for them: a caller is not held up by what others have asked with the same
//! key. An answer that has to wait waits for decisions only, and each of those has its deadline.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::strand::Unwritten;

/// The requests of a strand whose answers keep their order.
pub(super) struct Order<Answer = Unwritten> {
    /// Those of each key that are open, or that wait for one that is, by offset.
    places: HashMap<Bytes, VecDeque<Place<Answer>>>,
    held: usize,
}

struct Place<Answer> {
    offset: u64,
    /// None while there is none.
    answer: Option<Answer>,
}

impl<Answer> Default for Order<Answer> {
    fn default() -> Self {
        Self { places: HashMap::new(), held: 0 }
    }
}

impl<Answer> Order<Answer> {
    /// A request has been opened, behind all that were before it.
    pub(super) fn enter(&mut self, key: Bytes, offset: u64) {
        self.places.entry(key).or_default().push_back(Place { offset, answer: None });
    }

    /// The request at an offset has its answer. `leaving` gets those that may leave now.
    pub(super) fn pass(
        &mut self,
        key: &Bytes,
        offset: u64,
        answer: Answer,
        leaving: &mut Vec<Answer>,
    ) {
        let Some(places) = self.places.get_mut(key) else { return leaving.push(answer) };
        let Ok(position) = places.binary_search_by_key(&offset, |place| place.offset) else {
            return leaving.push(answer);
        };
        places[position].answer = Some(answer);
        self.held += 1;
        while let Some(answer) = places.front_mut().and_then(|first| first.answer.take()) {
            leaving.push(answer);
            self.held -= 1;
            places.pop_front();
        }
        if places.is_empty() {
            self.places.remove(key);
        }
    }

    /// How many answers wait for others.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Lets go of everything: somebody else answers these requests.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens requests `key offset`, then answers them in another order; each answer is its offset.
    fn check(opened: &[(&'static str, u64)], answered: &[u64], expected: &[&[u64]]) {
        let mut order = Order::default();
        opened.iter().for_each(|(key, offset)| order.enter(Bytes::from(*key), *offset));
        let key_of = |offset| opened.iter().find(|it| it.1 == offset).unwrap().0;
        for (&offset, expected) in answered.iter().zip(expected) {
            let mut leaving = Vec::new();
            order.pass(&Bytes::from(key_of(offset)), offset, offset, &mut leaving);
            assert_eq!(leaving, *expected, "after {offset}");
        }
        assert_eq!((order.held(), order.places.len()), (0, 0));
    }

    #[test]
    fn an_answer_waits_for_those_before_it() {
        check(&[("a", 3), ("a", 4), ("a", 7)], &[7, 4, 3], &[&[], &[], &[3, 4, 7]]);
        check(&[("a", 3), ("a", 4), ("a", 7)], &[4, 3, 7], &[&[], &[3, 4], &[7]]);
    }

    #[test]
    fn keys_do_not_wait_for_each_other() {
        check(&[("a", 1), ("b", 2), ("a", 3)], &[2, 3, 1], &[&[2], &[], &[1, 3]]);
    }

    #[test]
    fn what_never_entered_leaves_at_once() {
        let (mut order, mut leaving) = (Order::default(), Vec::new());
        order.enter(Bytes::from("a"), 1);
        order.pass(&Bytes::from("a"), 2, "two", &mut leaving);
        order.pass(&Bytes::from("b"), 3, "three", &mut leaving);
        assert_eq!(leaving, ["two", "three"]);
    }

    #[test]
    fn nothing_is_held_after_a_clear() {
        let (mut order, mut leaving) = (Order::default(), Vec::new());
        order.enter(Bytes::from("a"), 1);
        order.enter(Bytes::from("a"), 2);
        order.pass(&Bytes::from("a"), 2, "two", &mut leaving);
        assert_eq!(order.held(), 1);
        order.clear();
        assert_eq!((order.held(), leaving.len()), (0, 0));
    }
}
