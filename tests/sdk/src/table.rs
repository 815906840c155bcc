//! The table: one request a line, of which only what is not empty is written down.

use std::collections::{BTreeMap, HashSet};

use message::{Contents, Datatype, Request, Tensor, Time};
use serde::Deserialize;
use serde_json::Value;

use crate::elements;

/// The names of the fifteen vectors, in the order of [`Datatype::ALL`].
pub(crate) const VECTORS: [&str; 15] = [
    "boolean", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "fp16",
    "bf16", "fp32", "fp64", "text", "blob",
];

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// The request, whose id is its number in the table.
    pub request: Request,
    /// Whether the host refuses it, so that no model sees it.
    pub host_refuses: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    mode: String,
    #[serde(default)]
    argument: String,
    #[serde(default)]
    inputs: BTreeMap<String, Input>,
    #[serde(default)]
    host_refuses: bool,
}

/// An input, in one of the forms of the table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Vector(Vec<Value>),
    Shaped(Shaped),
    One(Value),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shaped {
    shape: Option<Vec<u32>>,
    data: Option<Vec<Value>>,
    random: Option<usize>,
    #[serde(default)]
    finite: bool,
}

/// The rows of the table.
///
/// # Panics
///
/// Where the table is not what its page says.
pub fn rows() -> Vec<Row> {
    let path = crate::repository().join("sdk/conformance/requests.jsonl");
    let text = std::fs::read_to_string(&path).expect("the table of requests");
    let row = |(number, line): (usize, &str)| {
        let line: Line = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), number + 1));
        row(number, line)
    };
    let rows: Vec<Row> = text.lines().enumerate().map(row).collect();
    let names: HashSet<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    rows
}

fn row(number: usize, mut line: Line) -> Row {
    let mut inputs = vec![one_text("mode", line.mode), one_text("argument", line.argument)];
    let vectors = VECTORS.into_iter().zip(Datatype::ALL).map(|(name, of)| (name, of, vec![0]));
    let others = [
        ("scalar", Datatype::Fp64, vec![]),
        ("matrix", Datatype::Fp32, vec![0, 0]),
        ("cube", Datatype::Int32, vec![2, 0, 2]),
    ];
    for (name, datatype, empty) in vectors.chain(others) {
        let seed = format!("{} {name}", line.name);
        let tensor = match line.inputs.remove(name) {
            None if name == "scalar" => Tensor::new(name, empty, Contents::F64s(vec![0.0])),
            None => Tensor::new(name, empty, elements::contents(datatype, &[])),
            Some(input) => tensor(name, datatype, input, &seed),
        };
        inputs.push(tensor);
    }
    assert!(line.inputs.is_empty(), "{}: there are no inputs {:?}", line.name, line.inputs.keys());
    let request = Request {
        id: format!("row-{number}").into(),
        time: Time::from_us(1_700_000_000_000_000 + number as u64),
        deadline: Time::NEVER,
        key: None,
        tenant: None,
        caller_id: None,
        inputs,
        parameters: BTreeMap::new(),
        outputs: Vec::new(),
    };
    Row { name: line.name, request, host_refuses: line.host_refuses }
}

fn one_text(name: &str, text: String) -> Tensor {
    Tensor::new(name, [1], Contents::Texts(vec![text]))
}

fn tensor(name: &str, datatype: Datatype, input: Input, seed: &str) -> Tensor {
    let (shape, contents) = match input {
        Input::Vector(data) => (None, elements::contents(datatype, &data)),
        Input::One(element) => (Some(vec![]), elements::contents(datatype, &[element])),
        Input::Shaped(Shaped { shape, data: Some(data), random: None, finite: false }) => {
            (shape, elements::contents(datatype, &data))
        }
        Input::Shaped(Shaped { shape, data: None, random: Some(count), finite }) => {
            (shape, elements::random(datatype, count, finite, seed))
        }
        Input::Shaped(shaped) => panic!("{seed}: found {shaped:?}, expected data or random"),
    };
    let shape = shape.unwrap_or_else(|| vec![contents.len() as u32]);
    assert_eq!(Tensor::element_count(&shape), Some(contents.len()), "{seed}: {shape:?}");
    Tensor::new(name, shape, contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input<'a>(rows: &'a [Row], row: &str, name: &str) -> &'a Tensor {
        let row = rows.iter().find(|it| it.name == row).unwrap();
        row.request.inputs.iter().find(|tensor| tensor.name == name).unwrap()
    }

    #[test]
    fn the_table_has_every_datatype_and_the_same_random_elements_each_time() {
        let (rows, again) = (rows(), rows());
        for (name, datatype) in VECTORS.into_iter().zip(Datatype::ALL) {
            let row = format!("huge: {name}");
            let huge = input(&rows, &row, name);
            assert_eq!(huge.contents.datatype(), datatype);
            assert!(huge.contents.len() >= 20_000, "{row}");
            assert_eq!(format!("{huge:?}"), format!("{:?}", input(&again, &row, name)), "{row}");
        }
    }

    #[test]
    fn what_a_row_leaves_out_is_empty() {
        let rows = rows();
        let name = "nothing, as it came";
        assert_eq!(input(&rows, name, "scalar").contents, Contents::F64s(vec![0.0]));
        assert_eq!(input(&rows, name, "cube").shape, [2, 0, 2]);
        assert_eq!(input(&rows, name, "blob"), &Tensor::new("blob", [0], Contents::Blobs(vec![])));
    }
}
