//! What a library predicts, as `golden.py` wrote it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use message::Contents;
use serde::Deserialize;

/// One trained model, and what it predicts.
#[derive(Debug)]
pub struct Golden {
    /// The file of the model.
    pub model: PathBuf,
    /// With which options it is packed.
    pub options: pack::ReadOptions,
    /// How many rows there are.
    pub rows: usize,
    /// What is asked.
    pub inputs: Vec<Tensor>,
    /// What is predicted.
    pub outputs: Vec<Tensor>,
}

/// The values of one input or output for all rows.
#[derive(Debug)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// How many values a row has.
    pub width: usize,
    /// All values, row after row.
    pub values: Contents,
    /// How near an output has to be.
    pub near: Near,
}

/// How near a number has to be to that of the library.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Near {
    /// How many numbers of its type may lie between, counting one of the two; 0 for equal bits.
    pub ulp: Option<u64>,
    /// The error, as a part of the library's number.
    pub relative: Option<f64>,
    /// The error.
    pub absolute: Option<f64>,
}

#[derive(Deserialize)]
struct Document {
    model: String,
    options: Options,
    rows: usize,
    inputs: Vec<Form>,
    outputs: Vec<Form>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Options {
    columns: Option<Vec<String>>,
    categorical: Vec<String>,
    matrix: bool,
    output: Option<String>,
    raw: bool,
    missing: Option<f64>,
    rows: bool,
}

#[derive(Deserialize)]
struct Form {
    name: String,
    datatype: String,
    width: usize,
    #[serde(default)]
    near: Near,
}

impl Golden {
    /// Reads the folder of a model.
    ///
    /// # Panics
    ///
    /// Where it was not written by `golden.py`.
    pub fn read(folder: &Path) -> Self {
        let json = fs::read(folder.join("golden.json")).expect("golden.json is there");
        let document: Document =
            serde_json::from_slice(&json).expect("golden.json is as it should be");
        let bytes = fs::read(folder.join("golden.bin")).expect("golden.bin is there");
        let mut rest = bytes.as_slice();
        let rows = document.rows;
        let mut tensors = |forms: Vec<Form>| -> Vec<Tensor> {
            let mut read = |form: Form| Tensor {
                values: values(&form.datatype, rows * form.width, &mut rest),
                name: form.name,
                width: form.width,
                near: form.near,
            };
            forms.into_iter().map(&mut read).collect()
        };
        let (inputs, outputs) = (tensors(document.inputs), tensors(document.outputs));
        assert!(rest.is_empty(), "golden.bin has {} bytes too many", rest.len());
        let named = |name| pack::ColumnOption { name, kind: None };
        let options = document.options;
        Self {
            model: folder.join(document.model),
            options: pack::ReadOptions {
                columns: options.columns.map(|them| them.into_iter().map(named).collect()),
                categorical: options.categorical,
                matrix: options.matrix,
                output: options.output,
                raw: options.raw,
                missing: options.missing,
                rows: options.rows,
            },
            rows,
            inputs,
            outputs,
        }
    }
}

impl Tensor {
    /// The values of a row.
    pub fn row(&self, row: usize) -> Contents {
        self.rows(row..row + 1)
    }

    /// The values of rows, one after the other.
    pub fn rows(&self, rows: Range<usize>) -> Contents {
        part(&self.values, rows.start * self.width..rows.end * self.width)
    }
}

/// Some of the elements of a tensor.
pub(crate) fn part(values: &Contents, range: Range<usize>) -> Contents {
    match values {
        Contents::F64s(them) => Contents::F64s(them[range].to_vec()),
        Contents::F32s(them) => Contents::F32s(them[range].to_vec()),
        Contents::S64s(them) => Contents::S64s(them[range].to_vec()),
        Contents::S32s(them) => Contents::S32s(them[range].to_vec()),
        Contents::Bools(them) => Contents::Bools(them[range].to_vec()),
        Contents::Texts(them) => Contents::Texts(them[range].to_vec()),
        _ => unreachable!("golden.py knows no other"),
    }
}

fn values(datatype: &str, count: usize, rest: &mut &[u8]) -> Contents {
    match datatype {
        "FP64" => Contents::F64s(numbers(count, rest, f64::from_le_bytes)),
        "FP32" => Contents::F32s(numbers(count, rest, f32::from_le_bytes)),
        "INT64" => Contents::S64s(numbers(count, rest, i64::from_le_bytes)),
        "INT32" => Contents::S32s(numbers(count, rest, i32::from_le_bytes)),
        "BOOL" => Contents::Bools(numbers(count, rest, |[byte]: [u8; 1]| byte != 0)),
        "BYTES" => Contents::Texts((0..count).map(|_| text(rest)).collect()),
        other => panic!("golden.json has the datatype {other}"),
    }
}

fn numbers<const N: usize, T>(count: usize, rest: &mut &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
    let (these, after) = rest.split_at(count * N);
    *rest = after;
    these.chunks_exact(N).map(|it| read(it.try_into().expect("as many bytes"))).collect()
}

fn text(rest: &mut &[u8]) -> String {
    let length = numbers(1, rest, u32::from_le_bytes)[0] as usize;
    let (text, after) = rest.split_at(length);
    *rest = after;
    String::from_utf8(text.to_vec()).expect("golden.py writes UTF-8")
}
