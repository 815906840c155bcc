//! The mode `read`, and what a library writes of a tensor.

use message::{Contents, Datatype, Refusal, Tensor};

use super::{Asked, Outputs, map};
use crate::table::VECTORS;

pub(super) fn read(asked: &Asked<'_>, outputs: &mut Outputs) -> Result<(), Refusal> {
    let argument = asked.text("argument");
    let invalid = |text: String| Err(Refusal::InvalidInput(text));
    let words: Vec<_> = argument.splitn(3, ' ').collect();
    let datatype_of = |name: &str| {
        let mut names = VECTORS.into_iter().zip(Datatype::ALL);
        names.find(|(known, _)| *known == name).map(|(_, datatype)| datatype)
    };
    let ([accessor @ ("elements" | "scalar" | "vector" | "matrix"), name, input], Some(datatype)) =
        (&words[..], words.get(1).and_then(|name| datatype_of(name)))
    else {
        return invalid(format!("argument is `{argument}`, expected ACCESSOR DATATYPE INPUT"));
    };
    let Some(tensor) = asked.find(input) else {
        let names: Vec<_> =
            asked.0.inputs.iter().map(|tensor| format!("`{}`", tensor.name)).collect();
        return invalid(format!(
            "input `{input}` is missing; the inputs are: {}",
            names.join(", ")
        ));
    };
    let refused = |expected: &str| {
        invalid(format!("{}, expected {}{expected}", shown(tensor), title(datatype)))
    };
    if tensor.contents.datatype() != datatype {
        return refused("");
    }
    match *accessor {
        "scalar" if tensor.contents.len() != 1 => return refused(" with one element"),
        "vector" if tensor.shape.len() != 1 => return refused(" with one dimension"),
        "matrix" => {
            let [rows, columns] = tensor.shape[..] else {
                return refused(" with two dimensions");
            };
            outputs.vector(name, last_row_first(&tensor.contents, rows, columns));
            let report = vec![format!("{rows} rows"), format!("{columns} columns")];
            outputs.vector("report", Contents::Texts(report));
            return Ok(());
        }
        _ => {}
    }
    outputs.vector(name, tensor.contents.clone());
    Ok(())
}

fn last_row_first(contents: &Contents, rows: u32, columns: u32) -> Contents {
    let (rows, columns) = (rows as usize, columns as usize);
    let row = |row: usize| row * columns..(row + 1) * columns;
    map!(contents, |them| (0..rows).rev().flat_map(|at| them[row(at)].to_vec()).collect())
}

/// What a library writes of a tensor.
pub(super) fn shown(tensor: &Tensor) -> String {
    let Tensor { name, shape, contents, .. } = tensor;
    format!("tensor `{name}` is {}{shape:?}", title(contents.datatype()))
}

fn title(datatype: Datatype) -> &'static str {
    match datatype {
        Datatype::Text => "BYTES (text)",
        Datatype::Blob => "BYTES (blob)",
        other => other.wire_name(),
    }
}
