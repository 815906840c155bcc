//! Steps that make columns of columns: products, bins, interpolation, and means.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Products of columns, as polynomial features are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Products {
    /// For each result its factors, as numbers of columns, in the order of multiplication. Without factors it is 1.
    pub products: Vec<Vec<u32>>,
}

/// For each column how many edges are no greater than its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digitize {
    /// The edges of each column, in ascending order.
    pub edges: Vec<Vec<f64>>,
}

/// A line through points, for every value. Outside of them it goes on level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interpolate {
    /// Where the points are, in ascending order.
    pub x: Vec<f64>,
    /// How high they are.
    pub y: Vec<f64>,
}

/// The mean of several groups of columns beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mean {
    /// How many groups there are.
    pub of: u32,
}

fn one(step: &str, inputs: &[Shape]) -> Result<usize, String> {
    match inputs {
        [input] if input.values == ValueType::F64 => Ok(input.width),
        _ => Err(format!("{step} takes one block of F64, found {inputs:?}")),
    }
}

fn shape(width: usize) -> Shape {
    Shape { values: ValueType::F64, width }
}

fn values(block: &Block) -> &[f64] {
    match &block.values {
        Values::F64(values) => values,
        _ => unreachable!("checked: F64"),
    }
}

impl Products {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let width = one("products", inputs)?;
        match self.products.iter().flatten().find(|factor| **factor as usize >= width) {
            Some(factor) => Err(format!("products takes column {factor} of {width}")),
            None => Ok(shape(self.products.len())),
        }
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let (width, values) = (inputs[0].width, values(inputs[0]));
        let mut made = Vec::with_capacity(rows * self.products.len());
        for row in 0..rows {
            let row = &values[row * width..][..width];
            made.extend(self.products.iter().map(|factors| {
                let mut factors = factors.iter().map(|factor| row[*factor as usize]);
                let first = factors.next().unwrap_or(1.0);
                factors.fold(first, |product, factor| product * factor)
            }));
        }
        Block::f64(self.products.len(), made)
    }
}

impl Digitize {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let width = one("digitize", inputs)?;
        if self.edges.len() != width {
            return Err(format!(
                "digitize has edges for {} columns, found {width}",
                self.edges.len()
            ));
        }
        Ok(shape(width))
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        let width = inputs[0].width;
        let bins = values(inputs[0])
            .chunks_exact(width.max(1))
            .flat_map(|row| row.iter().zip(&self.edges))
            .map(|(value, edges)| edges.partition_point(|edge| edge <= value) as f64);
        Block::f64(width, bins.collect())
    }
}

impl Interpolate {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let width = one("interpolate", inputs)?;
        if self.x.is_empty() || self.x.len() != self.y.len() {
            return Err(format!(
                "interpolate has points at {} x and {} y",
                self.x.len(),
                self.y.len()
            ));
        }
        Ok(shape(width))
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        let heights = values(inputs[0]).iter().map(|value| self.at(*value));
        Block::f64(inputs[0].width, heights.collect())
    }

    /// The height at a place, by the formula of NumPy's `interp`.
    fn at(&self, x: f64) -> f64 {
        let last = self.x.len() - 1;
        if x.is_nan() {
            return x;
        }
        let after = self.x.partition_point(|point| *point <= x);
        if after == 0 {
            return self.y[0];
        }
        let at = after - 1;
        if at == last || self.x[at] == x {
            return self.y[at];
        }
        let slope = (self.y[after] - self.y[at]) / (self.x[after] - self.x[at]);
        let height = slope * (x - self.x[at]) + self.y[at];
        if !height.is_nan() {
            return height;
        }
        let height = slope * (x - self.x[after]) + self.y[after];
        if height.is_nan() && self.y[at] == self.y[after] { self.y[at] } else { height }
    }
}

impl Mean {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        let width = one("mean", inputs)?;
        if self.of == 0 || !width.is_multiple_of(self.of as usize) {
            return Err(format!("mean takes {} groups, found {width} columns", self.of));
        }
        Ok(shape(width / self.of as usize))
    }

    pub(crate) fn run(self, inputs: &[&Block], rows: usize) -> Block {
        let (count, wide) = (self.of as usize, inputs[0].width);
        let (width, values) = (wide / count, values(inputs[0]));
        let mut means = Vec::with_capacity(rows * width);
        for row in 0..rows {
            for column in 0..width {
                let group = |group: usize| values[row * wide + group * width + column];
                let sum = (0..count).fold(0.0, |sum, at| sum + group(at));
                means.push(sum / f64::from(self.of));
            }
        }
        Block::f64(width, means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_multiplied() {
        let products = Products { products: vec![vec![], vec![1], vec![1, 0, 0]] };
        let found = products.run(&[&Block::f64(2, vec![2.0, 3.0, -1.0, 5.0])], 2);
        assert_eq!(found, Block::f64(3, vec![1.0, 3.0, 12.0, 1.0, 5.0, 5.0]));
    }

    #[test]
    fn a_value_on_an_edge_is_in_the_bin_above() {
        let digitize = Digitize { edges: vec![vec![1.0, 2.0]] };
        let found = digitize.run(&[&Block::f64(1, vec![0.5, 1.0, 1.5, 2.0, 9.0])]);
        assert_eq!(found, Block::f64(1, vec![0.0, 1.0, 1.0, 2.0, 2.0]));
    }

    #[test]
    fn a_line_goes_through_the_points_and_on_level() {
        let line = Interpolate { x: vec![0.0, 1.0, 3.0], y: vec![0.25, 0.5, 1.0] };
        let found = line.run(&[&Block::f64(1, vec![-5.0, 0.0, 0.5, 1.0, 2.0, 3.0, 7.0])]);
        assert_eq!(found, Block::f64(1, vec![0.25, 0.25, 0.375, 0.5, 0.75, 1.0, 1.0]));
    }

    #[test]
    fn groups_have_a_mean() {
        let found = Mean { of: 2 }.run(&[&Block::f64(4, vec![1.0, 2.0, 3.0, 6.0])], 1);
        assert_eq!(found, Block::f64(2, vec![2.0, 4.0]));
        assert!(Mean { of: 3 }.check(&[shape(4)]).is_err());
    }
}
