//! Trees of CatBoost, of both shapes.

use trained::ops::bins::{Bins, Split};
use trained::ops::{Asymmetric, Child, Ends, Oblivious, Op};

use super::bins::{BinPlan, Question};
use super::features::list;
use crate::ReadError;
use crate::value::{Node, Value};

/// The trees of a file, which are all of one shape.
#[derive(Debug)]
pub(super) enum Trees {
    /// All nodes of a depth ask the same.
    Oblivious(Oblivious),
    /// Every node asks for itself.
    Asymmetric(Asymmetric),
}

impl Trees {
    /// The step, over these bins.
    pub(super) fn op(&self, bins: Bins) -> Op {
        match self {
            Self::Oblivious(trees) => Op::Oblivious(Box::new(Oblivious { bins, ..trees.clone() })),
            Self::Asymmetric(trees) => {
                Op::Asymmetric(Box::new(Asymmetric { bins, ..trees.clone() }))
            }
        }
    }

    /// What they are called.
    pub(super) fn shape(&self) -> &'static str {
        match self {
            Self::Oblivious(_) => "oblivious",
            Self::Asymmetric(_) => "non-symmetric",
        }
    }
}

/// What becomes of the sums.
pub(super) fn ends(file: &Node<'_>) -> Result<Ends, ReadError> {
    let both = file.get("scale_and_bias")?;
    let parts = both.list()?;
    let [scale, bias] = &parts[..] else { return Err(both.wrong("a scale and a list of biases")) };
    let bias = match bias.value {
        // Older files have one number.
        Value::Digits(_) => vec![bias.f64()?],
        _ => bias.f64s()?,
    };
    if bias.is_empty() {
        return Err(both.wrong("a bias for each output"));
    }
    Ok(Ends { scale: scale.f64()?, bias })
}

/// Reads the trees; all that they ask for is then in the plan. Returns how many there are too.
pub(super) fn read(
    file: &Node<'_>,
    plan: &mut BinPlan<'_>,
    ends: Ends,
) -> Result<(Trees, usize), ReadError> {
    if let Some(trees) = file.find("oblivious_trees")? {
        let trees = trees.list()?;
        return Ok((Trees::Oblivious(oblivious(&trees, plan, ends)?), trees.len()));
    }
    let trees = file.get("trees")?.list()?;
    Ok((Trees::Asymmetric(asymmetric(&trees, plan, ends)?), trees.len()))
}

fn oblivious(
    trees: &[Node<'_>],
    plan: &mut BinPlan<'_>,
    ends: Ends,
) -> Result<Oblivious, ReadError> {
    let (mut depths, mut questions, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    for tree in trees {
        let splits = list(tree, "splits")?;
        for split in &splits {
            questions.push(plan.ask(split)?);
        }
        let values = tree.get("leaf_values")?;
        let expected = u32::try_from(splits.len())
            .ok()
            .and_then(|depth| 1_usize.checked_shl(depth))
            .and_then(|leaves| leaves.checked_mul(ends.bias.len()));
        let values_here = values.f64s()?;
        if Some(values_here.len()) != expected {
            let outputs = ends.bias.len();
            let expected =
                format!("a value for each leaf of {} splits and {outputs} outputs", splits.len());
            return Err(values.wrong(&expected));
        }
        leaves.extend(values_here);
        depths.push(splits.len() as u8);
    }
    let splits = splits(plan, questions);
    Ok(Oblivious { bins: Bins::default(), depths, splits, leaves, ends })
}

fn asymmetric(
    trees: &[Node<'_>],
    plan: &mut BinPlan<'_>,
    ends: Ends,
) -> Result<Asymmetric, ReadError> {
    let mut forest = Grown { questions: Vec::new(), children: Vec::new(), leaves: Vec::new() };
    let mut roots = Vec::new();
    for tree in trees {
        roots.push(forest.grow(tree, plan, ends.bias.len())?);
    }
    let splits = splits(plan, forest.questions);
    let (children, leaves) = (forest.children, forest.leaves);
    Ok(Asymmetric { bins: Bins::default(), roots, splits, children, leaves, ends })
}

/// Trees as they are put together, nodes before their children.
struct Grown {
    questions: Vec<Question>,
    children: Vec<[Child; 2]>,
    leaves: Vec<f64>,
}

impl Grown {
    fn grow(
        &mut self,
        node: &Node<'_>,
        plan: &mut BinPlan<'_>,
        outputs: usize,
    ) -> Result<Child, ReadError> {
        let Some(split) = node.find("split")? else {
            let value = node.get("value")?;
            let values = match value.value {
                Value::Digits(_) => vec![value.f64()?],
                _ => value.f64s()?,
            };
            if values.len() != outputs {
                return Err(value.wrong(&format!("a value for each of {outputs} outputs")));
            }
            let leaf = self.leaves.len() / outputs;
            self.leaves.extend(values);
            return Ok(!(leaf as Child));
        };
        let number = self.questions.len();
        self.questions.push(plan.ask(&split)?);
        self.children.push([0; 2]);
        // What is true goes to the right.
        let no = self.grow(&node.get("left")?, plan, outputs)?;
        let yes = self.grow(&node.get("right")?, plan, outputs)?;
        self.children[number] = [no, yes];
        Ok(number as Child)
    }
}

fn splits(plan: &BinPlan<'_>, questions: Vec<Question>) -> Vec<Split> {
    let split = plan.splits();
    questions.into_iter().map(split).collect()
}
