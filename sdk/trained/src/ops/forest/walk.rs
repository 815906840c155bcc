//! The way from the roots to the leaves.
//!
//! The two children of a node lie beside each other, so that a step is `child + (value is not at most the threshold)`. A leaf leads to
//! itself: its threshold is not a number, and it is the second of its "children". So several walks go on at once without a branch, until
//! the longest is over, and the processor overlaps them.

use serde::{Deserialize, Serialize};

use crate::packed::Fixed;

/// How many walks go on at once.
pub(super) const LANES: usize = 8;
/// How many steps are done before it is looked whether all walks are over.
const STRIDE: u32 = 4;
/// The bit of a column's number that says that the test is a set of categories.
const SET: u16 = 1 << 15;
/// The most columns that a forest can read.
pub(super) const COLUMN_LIMIT: usize = SET as usize;
/// The upper bits of a leaf's threshold, which make it no number. The lower ones are the number of the leaf.
const LEAF: u64 = 0x7ff8_0000_0000_0000;

/// All trees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Walk {
    #[serde(with = "crate::packed")]
    nodes: Vec<Node>,
    #[serde(with = "crate::packed")]
    trees: Vec<Tree>,
    /// The trees by their depth, so that those that are walked together are done together.
    #[serde(with = "crate::packed")]
    by_depth: Vec<u32>,
    /// The words of the sets of categories.
    #[serde(with = "crate::packed")]
    words: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// The bits of the threshold; of a set where its words begin (upper half) and how many they are (lower half).
    test: u64,
    /// The left child; the right one comes next.
    child: u32,
    column: u16,
    /// Of a set: on which side what is missing goes is known by the value, and this is unused.
    _unused: u16,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Tree {
    root: u32,
    depth: u32,
}

impl Node {
    pub(super) fn at_most(threshold: f64, column: u16) -> Self {
        Self { test: threshold.to_bits(), child: 0, column, _unused: 0 }
    }

    fn leaf(number: u32, itself: u32) -> Self {
        Self { test: LEAF | u64::from(number), child: itself - 1, column: 0, _unused: 0 }
    }

    fn leaf_number(self) -> u32 {
        self.test as u32
    }

    fn is_leaf(self, itself: u32) -> bool {
        self.column & SET == 0 && self.test & LEAF == LEAF && self.child == itself - 1
    }
}

impl Walk {
    pub(super) fn tree_count(&self) -> usize {
        self.trees.len()
    }

    pub(super) fn has_sets(&self) -> bool {
        !self.words.is_empty()
    }

    /// A test for the words of a set.
    pub(super) fn in_set(&mut self, words: &[u32], column: u16) -> Node {
        let test = (self.words.len() as u64) << 32 | words.len().max(1) as u64;
        self.words.extend_from_slice(words);
        if words.is_empty() {
            self.words.push(0);
        }
        Node { test, child: 0, column: column | SET, _unused: 0 }
    }

    /// Room for the root of a tree. The first node of all is nobody's, so that every leaf has one before it.
    pub(super) fn room_for_root(&mut self) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push(Node::at_most(0.0, 0));
        }
        self.nodes.push(Node::at_most(0.0, 0));
        self.nodes.len() as u32 - 1
    }

    /// Puts a test into its place, and returns the places of its children, left and right.
    pub(super) fn put_test(&mut self, place: u32, test: Node) -> (u32, u32) {
        let child = self.nodes.len() as u32;
        self.nodes.extend([Node::at_most(0.0, 0); 2]);
        self.nodes[place as usize] = Node { child, ..test };
        (child, child + 1)
    }

    pub(super) fn put_leaf(&mut self, place: u32, number: u32) {
        self.nodes[place as usize] = Node::leaf(number, place);
    }

    pub(super) fn put_tree(&mut self, root: u32, depth: u32) {
        self.by_depth.push(self.trees.len() as u32);
        self.trees.push(Tree { root, depth });
    }

    /// To be called when all trees are there.
    pub(super) fn finish(&mut self) {
        let trees = &self.trees;
        self.by_depth.sort_by_key(|tree| trees[*tree as usize].depth);
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Checks that no walk leaves the nodes, the columns, the sets and the leaves.
    pub(super) fn check(&self, columns: usize, leaves: usize) -> Result<(), String> {
        let count = self.nodes.len();
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let set = node.column & SET != 0;
            let words_end = (node.test >> 32) + u64::from(node.test as u32);
            let fits = (node.child as usize) + 1 < count
                && (!set || words_end <= self.words.len() as u64)
                && if node.is_leaf(number as u32) {
                    (node.leaf_number() as usize) < leaves
                } else {
                    usize::from(node.column & !SET) < columns && node.child as usize > number
                };
            if !fits {
                return Err(format!("node {number} of a forest leads out of it"));
            }
        }
        let trees = self.trees.iter().all(|it| it.root > 0 && (it.root as usize) < count);
        let mut seen = vec![false; self.trees.len()];
        for tree in &self.by_depth {
            match seen.get_mut(*tree as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err("the trees of a forest are in disorder".to_owned()),
            }
        }
        if trees && seen.iter().all(|it| *it) {
            Ok(())
        } else {
            Err("a tree of a forest has no root".to_owned())
        }
    }

    /// The leaf of each tree for one row: several trees at once.
    pub(super) fn one_row(&self, values: &[f64], leaves: &mut Vec<u32>) {
        leaves.clear();
        leaves.resize(self.trees.len(), 0);
        for trees in self.by_depth.chunks(LANES) {
            // The last one is walked again where there are too few.
            let tree_of = |lane: usize| trees[lane.min(trees.len() - 1)] as usize;
            let mut places = std::array::from_fn(|lane| self.trees[tree_of(lane)].root);
            let depth = self.trees[tree_of(LANES)].depth;
            self.go(&mut places, depth, values, &[0; LANES]);
            for (tree, place) in trees.iter().zip(places) {
                leaves[*tree as usize] = self.nodes[place as usize].leaf_number();
            }
        }
    }

    /// The leaf of one tree for each of some rows: several rows at once.
    pub(super) fn one_tree(&self, tree: usize, rows: &[f64], count: usize, leaves: &mut Vec<u32>) {
        let Tree { root, depth } = self.trees[tree];
        let columns = rows.len() / count;
        leaves.clear();
        for first in (0..count).step_by(LANES) {
            let mut places = [root; LANES];
            let starts = std::array::from_fn(|lane| (first + lane).min(count - 1) * columns);
            self.go(&mut places, depth, rows, &starts);
            let of_rows = places.into_iter().take(count - first);
            leaves.extend(of_rows.map(|place| self.nodes[place as usize].leaf_number()));
        }
    }

    #[inline]
    fn go(&self, places: &mut [u32; LANES], depth: u32, values: &[f64], starts: &[usize; LANES]) {
        if self.has_sets() {
            self.steps::<true>(places, depth, values, starts);
        } else {
            self.steps::<false>(places, depth, values, starts);
        }
    }

    #[inline(always)]
    fn steps<const SETS: bool>(
        &self,
        places: &mut [u32; LANES],
        depth: u32,
        values: &[f64],
        starts: &[usize; LANES],
    ) {
        let mut done = 0;
        while done < depth {
            let before = *places;
            for _ in 0..STRIDE.min(depth - done) {
                for lane in 0..LANES {
                    let node = self.nodes[places[lane] as usize];
                    places[lane] = node.child + self.right::<SETS>(node, values, starts[lane]);
                }
            }
            if *places == before {
                return;
            }
            done += STRIDE;
        }
    }

    #[inline(always)]
    fn right<const SETS: bool>(&self, node: Node, values: &[f64], start: usize) -> u32 {
        if SETS && node.column & SET != 0 {
            return u32::from(
                !self.is_in_set(node, values[start + usize::from(node.column & !SET)]),
            );
        }
        let at_most = values[start + usize::from(node.column)] <= f64::from_bits(node.test);
        u32::from(!at_most)
    }

    /// Whether a category goes to the left: it is in the set, or missing and minus infinity.
    fn is_in_set(&self, node: Node, category: f64) -> bool {
        if category.is_nan() || category == f64::NEG_INFINITY {
            return !category.is_nan();
        }
        let category = category as u32;
        let (first, count) = ((node.test >> 32) as usize, node.test as u32);
        category / 32 < count
            && self.words[first + (category / 32) as usize] >> (category % 32) & 1 == 1
    }
}

impl Fixed for Node {
    const BYTES: usize = 14;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.test.write(bytes);
        self.child.write(bytes);
        self.column.write(bytes);
    }

    fn read(bytes: &[u8]) -> Self {
        Self {
            test: u64::read(&bytes[..8]),
            child: u32::read(&bytes[8..12]),
            column: u16::read(&bytes[12..14]),
            _unused: 0,
        }
    }
}

impl Fixed for Tree {
    const BYTES: usize = 8;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.root.write(bytes);
        self.depth.write(bytes);
    }

    fn read(bytes: &[u8]) -> Self {
        Self { root: u32::read(&bytes[..4]), depth: u32::read(&bytes[4..]) }
    }
}
