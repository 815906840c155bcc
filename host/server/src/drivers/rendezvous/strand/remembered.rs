//! Ids that were answered and may come again.

use std::collections::{HashMap, VecDeque};

use message::RequestId;

/// The ids that were answered lately and may come again, with the offsets at which their answers are at the
/// earliest.
pub(in super::super) struct Remembered {
    /// None until the answer has an offset.
    answer_offset: HashMap<RequestId, Option<u64>>,
    order: VecDeque<RequestId>,
    limit: usize,
}

impl Remembered {
    pub(super) fn new(limit: usize) -> Self {
        Self { answer_offset: HashMap::new(), order: VecDeque::new(), limit }
    }

    /// The offset of the answer of this id, if it was answered; none where it has none yet.
    pub(in super::super) fn offset_of(&self, id: &RequestId) -> Option<Option<u64>> {
        self.answer_offset.get(id).copied()
    }

    pub(in super::super) fn insert(&mut self, id: RequestId, answer_offset: Option<u64>) {
        if self.answer_offset.insert(id.clone(), answer_offset).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > self.limit {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.answer_offset.remove(&oldest));
        }
    }
}
