//! Whether values of columns are among others, for trees that ask it: columns of zeros and ones behind those of the rows.

use trained::Slot;
use trained::ops::onnx::{
    Cast, Combination, Combine, Concat, Constant, Function, Onnx, Operand, Reduce, Reduction, Span,
};
use trained::ops::{Op, Select};

use super::forest::Branch;
use crate::onnx::lower::{Lowering, Rows};
use crate::onnx::tensor::Element;

/// Columns that say whether another one has one of some values.
pub(super) struct Members {
    /// How many columns there are without them.
    width: u32,
    them: Vec<Key>,
}

/// What one of them asks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    column: u32,
    /// The bits of the values.
    among: Vec<u64>,
    /// Whether what is behind the point is cut off first.
    whole: bool,
    /// Whether a missing value counts as well.
    missing: bool,
}

impl Members {
    pub(super) fn of(nodes: &[Branch<'_>], width: u32) -> Self {
        let tests = nodes.iter().filter(|branch| !branch.among.is_empty());
        let mut them: Vec<_> = tests.map(Key::of).collect();
        them.sort_unstable();
        them.dedup();
        Self { width, them }
    }

    /// How many columns there are.
    pub(super) fn count(&self) -> usize {
        self.them.len()
    }

    /// How many comparisons a row takes.
    pub(super) fn cells(&self) -> usize {
        self.longest().saturating_mul(self.them.len())
    }

    fn longest(&self) -> usize {
        self.them.iter().map(|key| key.among.len()).max().unwrap_or(1)
    }

    /// The column of a node.
    pub(super) fn column(&self, branch: &Branch<'_>) -> u32 {
        let at = self.them.binary_search(&Key::of(branch));
        self.width + at.expect("invariant: each node that asks has its column") as u32
    }

    /// Adds the steps that put these columns behind the others, and returns the block of all.
    pub(super) fn add(&self, graph: &mut Lowering, rows: &Rows) -> Slot {
        if self.them.is_empty() {
            return rows.slot;
        }
        let double = rows.element == Element::F64;
        let step = |graph: &mut Lowering, op, inputs| graph.step(Op::Onnx(op), inputs);
        let width = self.them.len() as u32;
        // All are as long as the longest, by having a value more than once.
        let longest = self.longest();
        let repeated = self.them.iter().flat_map(|key| {
            let column = key.column + if key.whole { self.width } else { 0 };
            let values = key.among.iter().cycle().take(longest);
            values.map(move |bits| (column, f64::from_bits(*bits)))
        });
        let (columns, numbers): (Vec<u32>, Vec<f64>) = repeated.unzip();
        let (numbers, cast) = match double {
            true => (Constant::F64(numbers), Cast::F64),
            false => (Constant::F32(numbers.into_iter().map(|it| it as f32).collect()), Cast::F32),
        };
        let mut from = rows.slot;
        if self.them.iter().any(|key| key.whole) {
            let whole = step(graph, Onnx::Cast(Cast::I32), vec![from]);
            let whole = step(graph, Onnx::Cast(cast), vec![whole]);
            let chunks = vec![self.width; 2];
            from = step(graph, Onnx::Concat(Concat { chunks }), vec![from, whole]);
        }
        let chosen = graph.step(Op::Select(Select { columns }), vec![from]);
        let equal = combine(Combination::Equal, Some(numbers), width * longest as u32);
        let truth = step(graph, equal, vec![chosen]);
        let mut truth = step(graph, Onnx::Cast(cast), vec![truth]);
        if longest > 1 {
            let span = Span { outer: width, length: longest as u32, inner: 1 };
            let any = Onnx::Reduce(Reduce { reduction: Reduction::Max, span });
            truth = step(graph, any, vec![truth]);
        }
        if self.them.iter().any(|key| key.missing) {
            let missing = self.missing(graph, rows, cast);
            truth = step(graph, combine(Combination::Max, None, width), vec![truth, missing]);
        }
        let chunks = vec![self.width, width];
        step(graph, Onnx::Concat(Concat { chunks }), vec![rows.slot, truth])
    }

    /// Ones where a value is missing and that counts.
    fn missing(&self, graph: &mut Lowering, rows: &Rows, cast: Cast) -> Slot {
        let columns = self.them.iter().map(|key| key.column).collect();
        let chosen = graph.step(Op::Select(Select { columns }), vec![rows.slot]);
        let counts = self.them.iter().map(|key| i64::from(key.missing)).collect();
        let counts = combine(Combination::And, Some(Constant::I64(counts)), self.them.len() as u32);
        let steps = [Onnx::Function(Function::IsNan), counts, Onnx::Cast(cast)];
        steps.into_iter().fold(chosen, |slot, op| graph.step(Op::Onnx(op), vec![slot]))
    }
}

impl Key {
    fn of(branch: &Branch<'_>) -> Self {
        Self {
            column: branch.column,
            among: branch.among.iter().map(|value| value.to_bits()).collect(),
            whole: branch.mode == "BRANCH_MEMBER" && !is_small(&branch.among),
            // A missing value is unequal to everything, so that only a test for equality can send it elsewhere.
            missing: branch.mode != "BRANCH_NEQ" && branch.missing,
        }
    }
}

/// Onnxruntime compares with each value of such a set; of others it compares whole numbers of 32 bits.
fn is_small(among: &[f64]) -> bool {
    among.len() <= 30 && among.iter().all(|value| (0.0..=30.0).contains(value))
}

fn combine(combination: Combination, right: Option<Constant>, width: u32) -> Onnx {
    let operand = |constant| Operand { constant, spread: None };
    Onnx::Combine(Combine { combination, left: operand(None), right: operand(right), width })
}
