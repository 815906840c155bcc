//! Blocks of the file, and where the pipeline has their columns.

use std::collections::BTreeMap;

use trained::ops::{Join, Op, Select};
use trained::{Kind, Pipeline, Slot, ValueType};

use crate::assembly::{Assembly, Results};
use crate::value::Node;
use crate::{ReadError, ReadOptions, TrainedColumn, limits};

/// A column of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// The slot that holds it.
    slot: Slot,
    /// Which of its columns it is.
    column: u32,
    /// How many columns the slot has.
    width: u32,
    /// What it holds.
    holds: Holds,
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Doubles,
    OtherNumbers,
    Texts,
}

impl Cell {
    /// Whether it is a text.
    pub(super) fn is_text(self) -> bool {
        self.holds == Holds::Texts
    }
}

/// The blocks so far.
#[derive(Debug)]
pub(super) struct Blocks {
    assembly: Assembly,
    blocks: Vec<Vec<Cell>>,
    /// Slots with columns that were put beside each other: what a step looks at, the next often does too.
    together: BTreeMap<Vec<Cell>, Slot>,
    /// How many columns steps have read and made.
    cells: usize,
}

impl Blocks {
    pub(super) fn new(assembly: Assembly) -> Self {
        let width = assembly.columns().len() as u32;
        let cell = |(number, column): (usize, &TrainedColumn)| {
            let holds = match column.kind {
                Kind::F64 => Holds::Doubles,
                Kind::Text => Holds::Texts,
                _ => Holds::OtherNumbers,
            };
            vec![if assembly.is_matrix() {
                Cell { slot: 0, column: number as u32, width, holds }
            } else {
                Cell { slot: number as Slot, column: 0, width: 1, holds }
            }]
        };
        let blocks = assembly.columns().iter().enumerate().map(cell).collect();
        Self { assembly, blocks, together: BTreeMap::new(), cells: 0 }
    }

    /// The columns of a list like `[7, [2, 0, 1]]`: block 7, and columns 0 and 1 of block 2.
    pub(super) fn cells(&mut self, list: &Node<'_>) -> Result<Vec<Cell>, ReadError> {
        let mut cells = Vec::new();
        for piece in list.list()? {
            // Each block can be named several times, and a step can double its width so.
            self.count(cells.len(), list)?;
            if let Ok(number) = piece.count() {
                cells.extend(self.block(&piece, number)?);
                continue;
            }
            let numbers = piece.list()?;
            let (block, columns) = numbers.split_first().ok_or_else(|| piece.wrong("a block"))?;
            let block_cells = self.block(block, block.count()?)?;
            for column in columns {
                let cell = block_cells.get(column.count()?);
                let expected = || column.wrong(&format!("a column of {}", block_cells.len()));
                cells.push(*cell.ok_or_else(expected)?);
            }
        }
        self.count(cells.len(), list)?;
        self.cells += cells.len();
        Ok(cells)
    }

    /// Fails where so many columns more are too many.
    fn count(&self, more: usize, node: &Node<'_>) -> Result<(), ReadError> {
        let all = self.cells.saturating_add(more);
        limits::check(&node.place, all, "columns for all of its steps", limits::CELLS)
    }

    fn block(&self, node: &Node<'_>, number: usize) -> Result<&[Cell], ReadError> {
        let expected = || node.wrong(&format!("one of the {} blocks before", self.blocks.len()));
        Ok(self.blocks.get(number).ok_or_else(expected)?)
    }

    /// The slot that has these columns beside each other, as numbers of double precision.
    pub(super) fn numbers(&mut self, cells: &[Cell], node: &Node<'_>) -> Result<Slot, ReadError> {
        if let Some(slot) = self.together.get(cells) {
            return Ok(*slot);
        }
        if cells.iter().any(|cell| cell.is_text()) {
            return Err(node.wrong("columns of numbers, and there are texts among them"));
        }
        let mut slots = Vec::new();
        for cells in cells.chunk_by(|a, b| a.slot == b.slot) {
            slots.push(self.selected(cells));
        }
        let doubles = cells.iter().all(|cell| cell.holds == Holds::Doubles);
        let slot = match slots[..] {
            [slot] if doubles => slot,
            _ => self.assembly.step(Op::Join(Join { into: ValueType::F64 }), slots),
        };
        self.together.insert(cells.to_vec(), slot);
        Ok(slot)
    }

    /// A slot of its own for each column.
    pub(super) fn apart(
        &mut self,
        cells: &[Cell],
        node: &Node<'_>,
    ) -> Result<Vec<Slot>, ReadError> {
        let slot = |cell: &Cell| match cell.is_text() {
            true => Ok(self.selected(&[*cell])),
            false => self.numbers(&[*cell], node),
        };
        cells.iter().map(slot).collect()
    }

    /// The slot that has these columns of one slot, and no others.
    fn selected(&mut self, cells: &[Cell]) -> Slot {
        let Cell { slot, width, .. } = cells[0];
        let columns: Vec<_> = cells.iter().map(|cell| cell.column).collect();
        if columns.iter().copied().eq(0..width) {
            return slot;
        }
        self.assembly.step(Op::Select(Select { columns }), vec![slot])
    }

    /// Adds a step that makes numbers, and returns its slot.
    pub(super) fn step(&mut self, op: Op, inputs: Vec<Slot>) -> Slot {
        self.assembly.step(op, inputs)
    }

    /// The next block is what this slot holds: numbers of double precision.
    pub(super) fn push_numbers(
        &mut self,
        slot: Slot,
        width: usize,
        step: &Node<'_>,
    ) -> Result<(), ReadError> {
        self.count(width, step)?;
        self.cells += width;
        let width = width as u32;
        let cell = |column| Cell { slot, column, width, holds: Holds::Doubles };
        self.blocks.push((0..width).map(cell).collect());
        Ok(())
    }

    /// The next block is what these slots hold: a column of texts each.
    pub(super) fn push_texts(&mut self, slots: Vec<Slot>) {
        let cell = |slot| Cell { slot, column: 0, width: 1, holds: Holds::Texts };
        self.blocks.push(slots.into_iter().map(cell).collect());
    }

    /// The pipeline and its columns.
    pub(super) fn finish(
        self,
        results: &Results,
        options: &ReadOptions,
    ) -> Result<(Pipeline, Vec<TrainedColumn>), ReadError> {
        self.assembly.finish(results, options)
    }
}
