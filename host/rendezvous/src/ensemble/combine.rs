//! How predictions become one: element by element, over outputs of the same name, type and shape.

use half::{bf16, f16};
use message::{Combine, Contents, Datatype, Tensor};
use thiserror::Error;

/// Why predictions cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CombineError {
    /// Because there is no prediction.
    #[error("found no prediction, expected at least one")]
    Nothing,
    /// Because two predictions have different outputs.
    #[error("found outputs {found:?} of member {member}, expected {expected:?} as of the first")]
    Outputs {
        /// Which prediction, from 0.
        member: usize,
        /// The names of its outputs.
        found: Vec<String>,
        /// The names of the outputs of the first.
        expected: Vec<String>,
    },
    /// Because an output differs in type or shape.
    #[error(
        "output {output:?}: found {found} of member {member}, expected {expected} as of the first"
    )]
    Form {
        /// The output.
        output: String,
        /// Which prediction, from 0.
        member: usize,
        /// Its type and shape.
        found: String,
        /// Type and shape in the first.
        expected: String,
    },
    /// Because there is no such combination of this type.
    #[error("output {output:?}: found {datatype}, expected a type of which there is a {combine}")]
    Datatype {
        /// The output.
        output: String,
        /// Its type.
        datatype: Datatype,
        /// How it was to be combined.
        combine: Combine,
    },
    /// Because the weights of all that came are 0.
    #[error("found no weight among the predictions that came, expected some")]
    NoWeight,
}

/// Whether elements of this type can be combined this way.
///
/// A vote can be about anything. A mean is only of floating-point numbers: that of whole numbers is
/// seldom one. A median is of any numbers.
pub const fn can_combine(combine: Combine, datatype: Datatype) -> bool {
    match combine {
        Combine::Majority | Combine::WeightedVote => true,
        Combine::Median => !matches!(datatype, Datatype::Bool | Datatype::Text | Datatype::Blob),
        Combine::Mean | Combine::WeightedMean => {
            matches!(datatype, Datatype::Fp16 | Datatype::Bf16 | Datatype::Fp32 | Datatype::Fp64)
        }
    }
}

/// Makes one prediction of several, each with its weight, in the order in which they stand.
///
/// With the values `x` of an element and the weights `w`, in that order:
///
/// - [`Mean`](Combine::Mean): `Σx / n`
/// - [`WeightedMean`](Combine::WeightedMean): `Σwx / Σw`
/// - [`Median`](Combine::Median): the middle one; of an even number of values the mean of the two in
///   the middle, and of whole numbers the lower of them
/// - [`Majority`](Combine::Majority): the value that is given most often
/// - [`WeightedVote`](Combine::WeightedVote): the value with the largest sum of weights
///
/// Of values with as many votes, that one wins which stands first. Floating-point numbers are summed
/// up in `FP64` and rounded once. A NaN among the values makes a mean or a median NaN; in a vote all
/// NaNs are one value, and so are both zeros.
///
/// # Errors
/// When the predictions differ in the names, types or shapes of their outputs, or a type cannot be
/// combined this way.
///
/// ```
/// use message::{Combine, Contents, Tensor};
/// use rendezvous::ensemble::combine;
///
/// let delayed = |p| vec![Tensor::new("delayed", [1], Contents::F64s(vec![p]))];
/// let (a, b) = (delayed(0.25), delayed(0.75));
/// let both = combine(&[(&a[..], 3.0), (&b, 1.0)], Combine::WeightedMean)?;
/// assert_eq!(both, delayed(0.375));
/// # Ok::<(), rendezvous::ensemble::CombineError>(())
/// ```
pub fn combine(
    predictions: &[(&[Tensor], f64)],
    combine: Combine,
) -> Result<Vec<Tensor>, CombineError> {
    let (first, _) = *predictions.first().ok_or(CombineError::Nothing)?;
    let has_weight = predictions.iter().any(|&(_, weight)| weight > 0.0);
    if combine == Combine::WeightedMean && !has_weight {
        return Err(CombineError::NoWeight);
    }
    for (member, (outputs, _)) in predictions.iter().enumerate() {
        if outputs.len() != first.len() {
            return Err(different_outputs(member, outputs, first));
        }
    }
    let mut column = Vec::with_capacity(predictions.len());
    let one = |output: &Tensor| {
        column.clear();
        for (member, &(outputs, weight)) in predictions.iter().enumerate() {
            let same = outputs.iter().find(|other| other.name == output.name);
            let same = same.ok_or_else(|| different_outputs(member, outputs, first))?;
            if form(same) != form(output) {
                return Err(different_forms(member, same, output));
            }
            column.push((&same.contents, weight));
        }
        let contents = contents(&column, combine).ok_or_else(|| CombineError::Datatype {
            output: output.name.clone(),
            datatype: output.contents.datatype(),
            combine,
        })?;
        Ok(Tensor { contents, ..without_contents(output) })
    };
    first.iter().map(one).collect()
}

fn different_outputs(member: usize, found: &[Tensor], expected: &[Tensor]) -> CombineError {
    let names = |outputs: &[Tensor]| outputs.iter().map(|output| output.name.clone()).collect();
    CombineError::Outputs { member, found: names(found), expected: names(expected) }
}

fn different_forms(member: usize, found: &Tensor, expected: &Tensor) -> CombineError {
    let shown = |tensor: &Tensor| format!("{} {:?}", tensor.contents.datatype(), tensor.shape);
    let output = expected.name.clone();
    CombineError::Form { output, member, found: shown(found), expected: shown(expected) }
}

fn form(tensor: &Tensor) -> (Datatype, &[u32], usize) {
    (tensor.contents.datatype(), &tensor.shape, tensor.contents.len())
}

fn without_contents(tensor: &Tensor) -> Tensor {
    Tensor {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        contents: Contents::Bools(Vec::new()),
        parameters: tensor.parameters.clone(),
    }
}

/// Combines contents of one type and length, or gives `None` where their type cannot be.
fn contents(column: &[(&Contents, f64)], combine: Combine) -> Option<Contents> {
    /// The elements of each, which are known to be of this case.
    macro_rules! rows {
        ($case:ident) => {
            column.iter().filter_map(|(contents, weight)| match contents {
                Contents::$case(them) => Some((&them[..], *weight)),
                _ => None,
            })
        };
    }
    macro_rules! floats {
        ($case:ident, $widen:expr, $narrow:expr) => {{
            let rows: Vec<_> = rows!($case).collect();
            Contents::$case(elements(&rows, |values| float(values, combine, $widen, $narrow))?)
        }};
    }
    macro_rules! wholes {
        ($case:ident) => {{
            let rows: Vec<_> = rows!($case).collect();
            Contents::$case(elements(&rows, |values| whole(values, combine))?)
        }};
    }
    macro_rules! others {
        ($case:ident) => {{
            let rows: Vec<_> = rows!($case).collect();
            Contents::$case(elements(&rows, |values| other(values, combine))?)
        }};
    }
    Some(match column.first()?.0 {
        Contents::F16s(_) => {
            floats!(F16s, |bits| f16::from_bits(bits).into(), |x| f16::from_f64(x).to_bits())
        }
        Contents::Bf16s(_) => {
            floats!(Bf16s, |bits| bf16::from_bits(bits).into(), |x| bf16::from_f64(x).to_bits())
        }
        Contents::F32s(_) => floats!(F32s, f64::from, |x| x as f32),
        Contents::F64s(_) => floats!(F64s, |x| x, |x| x),
        Contents::U8s(_) => wholes!(U8s),
        Contents::U16s(_) => wholes!(U16s),
        Contents::U32s(_) => wholes!(U32s),
        Contents::U64s(_) => wholes!(U64s),
        Contents::S8s(_) => wholes!(S8s),
        Contents::S16s(_) => wholes!(S16s),
        Contents::S32s(_) => wholes!(S32s),
        Contents::S64s(_) => wholes!(S64s),
        Contents::Bools(_) => others!(Bools),
        Contents::Texts(_) => others!(Texts),
        Contents::Blobs(_) => others!(Blobs),
    })
}

/// Combines each element on its own.
fn elements<'a, T, U>(
    rows: &[(&'a [T], f64)],
    combined: impl Fn(&mut Vec<(&'a T, f64)>) -> Option<U>,
) -> Option<Vec<U>> {
    let mut values = Vec::with_capacity(rows.len());
    let count = rows.iter().map(|(row, _)| row.len()).min()?;
    let one = |index: usize| {
        values.clear();
        values.extend(rows.iter().map(|(row, weight)| (&row[index], *weight)));
        combined(&mut values)
    };
    (0..count).map(one).collect()
}

fn float<T: Copy>(
    values: &mut [(&T, f64)],
    combine: Combine,
    widen: impl Fn(T) -> f64,
    narrow: impl Fn(f64) -> T,
) -> Option<T> {
    let wide = values.iter().map(|&(&value, weight)| (widen(value), weight));
    let (sum, weights) = match combine {
        Combine::Mean => wide.fold((0.0, 0.0), |(sum, count), (x, _)| (sum + x, count + 1.0)),
        Combine::WeightedMean => {
            wide.fold((0.0, 0.0), |(sum, weights), (x, w)| (sum + w * x, weights + w))
        }
        Combine::Median => return Some(narrow(median(wide.map(|(x, _)| x).collect()))),
        Combine::Majority | Combine::WeightedVote => {
            let same = |left: &T, right: &T| {
                let (left, right) = (widen(*left), widen(*right));
                left == right || (left.is_nan() && right.is_nan())
            };
            return vote(values, combine, same).copied();
        }
    };
    Some(narrow(sum / weights))
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

fn whole<T: Copy + Ord>(values: &mut [(&T, f64)], combine: Combine) -> Option<T> {
    match combine {
        Combine::Mean | Combine::WeightedMean => None,
        Combine::Median => {
            values.sort_unstable_by_key(|&(value, _)| *value);
            values.get(values.len().saturating_sub(1) / 2).map(|&(value, _)| *value)
        }
        Combine::Majority | Combine::WeightedVote => vote(values, combine, T::eq).copied(),
    }
}

fn other<T: Clone + PartialEq>(values: &mut [(&T, f64)], combine: Combine) -> Option<T> {
    match combine {
        Combine::Mean | Combine::WeightedMean | Combine::Median => None,
        Combine::Majority | Combine::WeightedVote => vote(values, combine, T::eq).cloned(),
    }
}

/// The value with most votes; of several, the one that stands first.
fn vote<'a, T>(
    values: &[(&'a T, f64)],
    combine: Combine,
    same: impl Fn(&T, &T) -> bool,
) -> Option<&'a T> {
    let votes = |value: &T| -> f64 {
        let agreeing = values.iter().filter(|(other, _)| same(value, other));
        agreeing.map(|&(_, w)| if combine == Combine::WeightedVote { w } else { 1.0 }).sum()
    };
    let mut won: Option<(&T, f64)> = None;
    for &(value, _) in values {
        let votes = votes(value);
        if won.is_none_or(|(_, most)| votes > most) {
            won = Some((value, votes));
        }
    }
    won.map(|(value, _)| value)
}

#[cfg(test)]
mod tests;
