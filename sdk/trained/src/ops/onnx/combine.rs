//! Two operands, element by element, and one of them by a third.

use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// What two operands give, element by element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Combine {
    /// What is done.
    pub combination: Combination,
    /// The first operand.
    pub left: Operand,
    /// The second operand.
    pub right: Operand,
    /// How many values the result has in a row.
    pub width: u32,
}

/// What is done to two values, by the name that ONNX has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the operators")]
pub enum Combination {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Xor,
}

/// One of two values each: the first where the condition is true, else the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choose {
    /// Truth values.
    pub condition: Operand,
    /// The first operand.
    pub left: Operand,
    /// The second operand.
    pub right: Operand,
    /// How many values the result has in a row.
    pub width: u32,
}

/// Where an operand comes from, and which of its elements meets an element of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operand {
    /// The operand itself, where it is the same for every row; else it is the next of the blocks.
    pub constant: Option<Constant>,
    /// For each element of the result the element of the operand; none where they are the same.
    pub spread: Option<Vec<u32>>,
}

/// Values that a graph holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    /// Numbers of double precision.
    F64(Vec<f64>),
    /// Numbers of single precision.
    F32(Vec<f32>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Texts.
    Text(Vec<String>),
}

impl Constant {
    /// The type of the values.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::F64(_) => ValueType::F64,
            Self::F32(_) => ValueType::F32,
            Self::I64(_) => ValueType::I64,
            Self::Text(_) => ValueType::Text,
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Operand {
    /// The type of the operand; takes its block from those that are left.
    fn shape(
        &self,
        blocks: &mut std::slice::Iter<'_, Shape>,
        width: u32,
    ) -> Result<ValueType, String> {
        let shape = match &self.constant {
            Some(constant) => Shape { values: constant.value_type(), width: constant.len() },
            None => *blocks.next().ok_or("an operand has no block")?,
        };
        let reach = match &self.spread {
            Some(spread) if spread.len() != width as usize => {
                return Err(format!(
                    "an operand is spread over {} of {width} values",
                    spread.len()
                ));
            }
            Some(spread) => spread.iter().map(|at| *at as usize + 1).max().unwrap_or(0),
            None => width as usize,
        };
        if reach > shape.width || (self.spread.is_none() && shape.width != width as usize) {
            return Err(format!("an operand of {} values is read up to {reach}", shape.width));
        }
        Ok(shape.values)
    }

    fn bind<'a>(&'a self, blocks: &mut std::slice::Iter<'_, &'a Block>) -> Bound<'a> {
        let (values, stride) = match &self.constant {
            Some(Constant::F64(values)) => (Slice::F64(values), 0),
            Some(Constant::F32(values)) => (Slice::F32(values), 0),
            Some(Constant::I64(values)) => (Slice::I64(values), 0),
            Some(Constant::Text(values)) => (Slice::Text(values), 0),
            None => {
                let block = blocks.next().expect("invariant: the number of blocks was checked");
                let values = match &block.values {
                    Values::F64(values) => Slice::F64(values),
                    Values::F32(values) => Slice::F32(values),
                    Values::I64(values) => Slice::I64(values),
                    Values::Text(values) => Slice::Text(values),
                };
                (values, block.width)
            }
        };
        Bound { values, stride, spread: self.spread.as_deref() }
    }
}

enum Slice<'a> {
    F64(&'a [f64]),
    F32(&'a [f32]),
    I64(&'a [i64]),
    Text(&'a [String]),
}

/// An operand and its values. The values of a row begin at the number of the row times `stride`.
struct Bound<'a> {
    values: Slice<'a>,
    stride: usize,
    spread: Option<&'a [u32]>,
}

impl Bound<'_> {
    fn at(&self, row: usize, column: usize) -> usize {
        row * self.stride + self.spread.map_or(column, |spread| spread[column] as usize)
    }
}

impl Combine {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let mut blocks = inputs.iter();
        let left = self.left.shape(&mut blocks, self.width)?;
        let right = self.right.shape(&mut blocks, self.width)?;
        if blocks.next().is_some() {
            return Err(format!("{:?} takes fewer than {} blocks", self.combination, inputs.len()));
        }
        let text = left == ValueType::Text && self.combination != Combination::Equal;
        if left != right || text || (self.combination.is_logic() && left != ValueType::I64) {
            return Err(format!(
                "{:?} cannot be taken of {left:?} and {right:?}",
                self.combination
            ));
        }
        let values = if self.combination.is_truth() { ValueType::I64 } else { left };
        Ok(Shape { values, width: self.width as usize })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let mut blocks = inputs.iter();
        let left = self.left.bind(&mut blocks);
        let right = self.right.bind(&mut blocks);
        let width = self.width as usize;
        let it = self.combination;
        let values = match (&left.values, &right.values) {
            (Slice::F32(a), Slice::F32(b)) if it.is_truth() => {
                Values::I64(each((&left, a), (&right, b), width, rows, |a, b| it.compare(a, b)))
            }
            (Slice::F64(a), Slice::F64(b)) if it.is_truth() => {
                Values::I64(each((&left, a), (&right, b), width, rows, |a, b| it.compare(a, b)))
            }
            (Slice::I64(a), Slice::I64(b)) if it.is_truth() => {
                Values::I64(each((&left, a), (&right, b), width, rows, |a, b| it.compare(a, b)))
            }
            (Slice::Text(a), Slice::Text(b)) => {
                Values::I64(each((&left, a), (&right, b), width, rows, |a, b| i64::from(a == b)))
            }
            (Slice::F32(a), Slice::F32(b)) => {
                Values::F32(it.single((&left, a), (&right, b), width, rows))
            }
            (Slice::F64(a), Slice::F64(b)) => {
                Values::F64(each((&left, a), (&right, b), width, rows, |a, b| it.double(*a, *b)))
            }
            (Slice::I64(a), Slice::I64(b)) => {
                Values::I64(each((&left, a), (&right, b), width, rows, |a, b| it.whole(*a, *b)))
            }
            _ => unreachable!("checked: operands of one type"),
        };
        Block { width, values }
    }
}

fn each<A, B, C>(
    left: (&Bound<'_>, &[A]),
    right: (&Bound<'_>, &[B]),
    width: usize,
    rows: usize,
    combine: impl Fn(&A, &B) -> C,
) -> Vec<C> {
    let mut values = Vec::with_capacity(width * rows);
    for row in 0..rows {
        if left.0.spread.is_none() && right.0.spread.is_none() {
            let left = &left.1[row * left.0.stride..][..width];
            let right = &right.1[row * right.0.stride..][..width];
            values.extend(left.iter().zip(right).map(|(a, b)| combine(a, b)));
        } else {
            values.extend((0..width).map(|column| {
                combine(&left.1[left.0.at(row, column)], &right.1[right.0.at(row, column)])
            }));
        }
    }
    values
}

impl Combination {
    fn is_truth(self) -> bool {
        self.is_logic() || self.is_comparison()
    }

    fn is_logic(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Xor)
    }

    fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }

    fn compare<T: PartialOrd + Default>(self, a: &T, b: &T) -> i64 {
        let zero = T::default();
        i64::from(match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::And => *a != zero && *b != zero,
            Self::Or => *a != zero || *b != zero,
            Self::Xor => (*a != zero) != (*b != zero),
            _ => a == b,
        })
    }

    fn single(
        self,
        left: (&Bound<'_>, &[f32]),
        right: (&Bound<'_>, &[f32]),
        width: usize,
        rows: usize,
    ) -> Vec<f32> {
        match self {
            Self::Add => each(left, right, width, rows, |a, b| a + b),
            Self::Sub => each(left, right, width, rows, |a, b| a - b),
            Self::Mul => each(left, right, width, rows, |a, b| a * b),
            Self::Div => each(left, right, width, rows, |a, b| a / b),
            Self::Pow => each(left, right, width, rows, |a, b| match *b {
                2.0 => a * a,
                3.0 => a * a * a,
                b => libm::powf(*a, b),
            }),
            Self::Max => each(left, right, width, rows, |a, b| greater(*a, *b)),
            _ => each(left, right, width, rows, |a, b| -greater(-*a, -*b)),
        }
    }

    fn double(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow if b == 2.0 => a * a,
            Self::Pow if b == 3.0 => a * a * a,
            Self::Pow => libm::pow(a, b),
            Self::Max => greater(a, b),
            _ => -greater(-a, -b),
        }
    }

    fn whole(self, a: i64, b: i64) -> i64 {
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::Div => a.checked_div(b).unwrap_or(0),
            Self::Pow => a.wrapping_pow(u32::try_from(b).unwrap_or(0)),
            Self::Max => a.max(b),
            _ => a.min(b),
        }
    }
}

/// The greater value; a missing one where there is one.
fn greater<T: PartialOrd>(a: T, b: T) -> T {
    // Written so that a missing value on either side is what comes out.
    #[allow(
        clippy::neg_cmp_op_on_partial_ord,
        clippy::eq_op,
        reason = "a missing value differs from itself"
    )]
    if a > b || a != a { a } else { b }
}

impl Choose {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let mut blocks = inputs.iter();
        let condition = self.condition.shape(&mut blocks, self.width)?;
        let left = self.left.shape(&mut blocks, self.width)?;
        let right = self.right.shape(&mut blocks, self.width)?;
        if condition != ValueType::I64 || left != right || blocks.next().is_some() {
            return Err(format!("Where cannot choose by {condition:?} of {left:?} and {right:?}"));
        }
        Ok(Shape { values: left, width: self.width as usize })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let mut blocks = inputs.iter();
        let condition = self.condition.bind(&mut blocks);
        let left = self.left.bind(&mut blocks);
        let right = self.right.bind(&mut blocks);
        let width = self.width as usize;
        let Slice::I64(truth) = &condition.values else { unreachable!("checked: truth values") };
        let chosen = |row: usize, column: usize| truth[condition.at(row, column)] != 0;
        let places = || (0..rows).flat_map(|row| (0..width).map(move |column| (row, column)));
        macro_rules! choose {
            ($a:expr, $b:expr) => {
                places()
                    .map(|(row, column)| match chosen(row, column) {
                        true => $a[left.at(row, column)].clone(),
                        false => $b[right.at(row, column)].clone(),
                    })
                    .collect()
            };
        }
        let values = match (&left.values, &right.values) {
            (Slice::F64(a), Slice::F64(b)) => Values::F64(choose!(a, b)),
            (Slice::F32(a), Slice::F32(b)) => Values::F32(choose!(a, b)),
            (Slice::I64(a), Slice::I64(b)) => Values::I64(choose!(a, b)),
            (Slice::Text(a), Slice::Text(b)) => Values::Text(choose!(a, b)),
            _ => unreachable!("checked: operands of one type"),
        };
        Block { width, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Operand {
        Operand { constant: None, spread: None }
    }

    #[test]
    fn operands_are_combined_element_by_element() {
        let combine = |combination, constant: Vec<f32>, spread| Combine {
            combination,
            left: block(),
            right: Operand { constant: Some(Constant::F32(constant)), spread },
            width: 2,
        };
        let rows = Block::f32(2, vec![1.0, 2.0, f32::NAN, 4.0]);
        let run = |combine: Combine| {
            combine.check(&[Shape { values: ValueType::F32, width: 2 }]).unwrap();
            format!("{:?}", combine.run(&[&rows], 2).values)
        };
        assert_eq!(
            run(combine(Combination::Sub, vec![1.0, 3.0], None)),
            "F32([0.0, -1.0, NaN, 1.0])"
        );
        assert_eq!(
            run(combine(Combination::Max, vec![2.0], Some(vec![0, 0]))),
            "F32([2.0, 2.0, NaN, 4.0])"
        );
        assert_eq!(
            run(combine(Combination::Less, vec![2.0], Some(vec![0, 0]))),
            "I64([1, 0, 0, 0])"
        );
    }

    #[test]
    fn one_of_two_is_chosen_by_a_third() {
        let choose = Choose {
            condition: block(),
            left: Operand { constant: Some(Constant::F32(vec![7.0])), spread: Some(vec![0, 0]) },
            right: block(),
            width: 2,
        };
        let truth = Block { width: 2, values: Values::I64(vec![0, 1]) };
        let values = choose.run(&[&truth, &Block::f32(2, vec![1.0, 2.0])], 1);
        assert_eq!(values, Block::f32(2, vec![1.0, 7.0]));
    }

    #[test]
    fn an_operand_that_is_too_short_is_refused() {
        let combine = Combine {
            combination: Combination::Add,
            left: block(),
            right: Operand { constant: Some(Constant::F32(vec![1.0])), spread: Some(vec![0, 1]) },
            width: 2,
        };
        let why = combine.check(&[Shape { values: ValueType::F32, width: 2 }]).unwrap_err();
        assert_eq!(why, "an operand of 1 values is read up to 2");
    }
}
