//! Formats: which library wrote a file, told by its content and never by its name.

use std::fmt;

use crate::value::Value;
use crate::{ReadError, json};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LightGBM's text.
    LightGbm,
    /// XGBoost's JSON.
    XgboostJson,
    /// XGBoost's universal binary JSON.
    XgboostUbj,
    /// CatBoost's JSON.
    CatBoost,
    /// What `sdk/sklearn` writes of models of scikit-learn.
    Sklearn,
    /// ONNX.
    Onnx,
}

/// A file whose format is known.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) format: Format,
    /// What it holds, where it is JSON: that had to be read to tell the format.
    pub(crate) json: Value<'a>,
}

const EXPECTED: &str = "a model of LightGBM (text), XGBoost (JSON or UBJ), CatBoost (JSON), scikit-learn (as the package \
                        understudy-sklearn exports it) or ONNX";

/// Tells the format of a file.
///
/// # Errors
///
/// Where it is none that is read; says what to do with those that are known nevertheless.
pub(crate) fn open(bytes: &[u8]) -> Result<Opened<'_>, ReadError> {
    let is_ubj = || {
        let next = bytes.strip_prefix(b"{").and_then(<[u8]>::first);
        next.is_some_and(|next| b"iUIlLm".contains(next))
    };
    let format = if bytes.starts_with(b"tree\n") || bytes.starts_with(b"tree\r\n") {
        Format::LightGbm
    } else if is_ubj() {
        Format::XgboostUbj
    } else if bytes.trim_ascii_start().first() == Some(&b'{') {
        let json = json::read(bytes)?;
        return Ok(Opened { format: of_json(&json)?, json });
    } else if is_onnx(bytes) {
        Format::Onnx
    } else {
        return Err(unknown(bytes));
    };
    Ok(Opened { format, json: Value::Null })
}

impl Format {
    /// The library, as its people write it.
    pub fn library(self) -> &'static str {
        match self {
            Self::LightGbm => "LightGBM",
            Self::XgboostJson | Self::XgboostUbj => "XGBoost",
            Self::CatBoost => "CatBoost",
            Self::Sklearn => "scikit-learn",
            Self::Onnx => "ONNX",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LightGbm => "LightGBM text",
            Self::XgboostJson => "XGBoost JSON",
            Self::XgboostUbj => "XGBoost UBJ",
            Self::CatBoost => "CatBoost JSON",
            Self::Sklearn => "scikit-learn JSON",
            Self::Onnx => "ONNX",
        })
    }
}

fn of_json(json: &Value<'_>) -> Result<Format, ReadError> {
    let entries = if let Value::Table(entries) = json { &entries[..] } else { &[] };
    let has = |wanted: &str| entries.iter().any(|(key, _)| key == wanted);
    if has("learner") {
        Ok(Format::XgboostJson)
    } else if has("features_info") {
        Ok(Format::CatBoost)
    } else if has("format") {
        Ok(Format::Sklearn)
    } else if has("tree_info") {
        Err(other("LightGBM's dump", "save the model with `booster.save_model(\"model.txt\")`"))
    } else {
        let found: Vec<_> = entries.iter().take(5).map(|(key, _)| format!("`{key}`")).collect();
        Err(ReadError::Malformed {
            place: "the file".to_owned(),
            found: format!("JSON with the keys {}", found.join(", ")),
            expected: EXPECTED.to_owned(),
        })
    }
}

/// Whether the bytes are a protobuf message with the fields that each model of ONNX has: `ir_version` (1) and `graph` (7).
fn is_onnx(bytes: &[u8]) -> bool {
    let (mut rest, mut version, mut graph) = (bytes, false, false);
    while !rest.is_empty() {
        let Ok(tag) = prost::encoding::decode_varint(&mut rest) else { return false };
        match (tag >> 3, tag & 7) {
            (number @ 1..=64, 0) => {
                version |= number == 1;
                if prost::encoding::decode_varint(&mut rest).is_err() {
                    return false;
                }
            }
            (number @ 1..=64, 2) => {
                graph |= number == 7;
                let Ok(length) = prost::encoding::decode_varint(&mut rest) else { return false };
                let Some(after) = usize::try_from(length).ok().and_then(|it| rest.get(it..)) else {
                    return false;
                };
                rest = after;
            }
            _ => return false,
        }
    }
    version && graph
}

fn unknown(bytes: &[u8]) -> ReadError {
    let pickle = "run `python -m understudy_sklearn model.pkl -o model.json` where the model was trained; a pickle is a program, and \
                  is never loaded";
    match bytes {
        [0x80, 2..=5, ..] => other("a pickle", pickle),
        [b'C', b'B', b'M', b'1', ..] => other(
            "CatBoost's binary format",
            "save the model with `model.save_model(\"model.json\", format=\"json\")`",
        ),
        [b'b', b'i', b'n', b'f', ..] => other(
            "XGBoost's old binary format",
            "load the model in XGBoost and save it with `booster.save_model(\"model.json\")`",
        ),
        [b'P', b'K', 3, 4, ..] => {
            other("a zip archive (of PyTorch or skops, perhaps)", "export the model to ONNX")
        }
        [0x89, b'H', b'D', b'F', ..] => {
            other("an HDF5 file (of Keras, perhaps)", "export the model to ONNX")
        }
        _ => ReadError::Malformed {
            place: "the file".to_owned(),
            found: match bytes {
                [] => "nothing".to_owned(),
                _ => format!(
                    "bytes that begin with {:?}",
                    bytes[..bytes.len().min(12)].escape_ascii().to_string()
                ),
            },
            expected: EXPECTED.to_owned(),
        },
    }
}

fn other(what: &str, hint: &str) -> ReadError {
    ReadError::Unsupported {
        place: "the file".to_owned(),
        what: what.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let found = match open(bytes) {
            Ok(opened) => opened.format.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn a_format_is_told_by_the_content() {
        check(b"tree\nversion=v4\n", "LightGBM text");
        check(b"{\n \"learner\": {}, \"version\": [3, 2, 0]}", "XGBoost JSON");
        check(b"{L\0\0\0\0\0\0\0\x07learner{", "XGBoost UBJ");
        check(b"{\"features_info\": {}, \"oblivious_trees\": []}", "CatBoost JSON");
        check(b"{\"format\": \"understudy-sklearn\"}", "scikit-learn JSON");
        check(b"{\"learner\": {\"base_score\": NaN}}", "XGBoost JSON");
        check(b"\x08\x09\x12\x01a\x3a\x02\x0a\x00", "ONNX");
    }

    #[test]
    fn what_is_known_but_not_read_is_refused_with_what_to_do() {
        check(b"\x80\x04\x95", "the file: a pickle is not supported; run `python -m");
        check(b"CBM1", "the file: CatBoost's binary format is not supported; save the model with");
        check(b"{\"tree_info\": []}", "the file: LightGBM's dump is not supported; save");
        check(
            b"{\"a\": 1}",
            "the file: found JSON with the keys `a`, expected a model of LightGBM",
        );
        check(b"{\"a\": ", "line 1, column 7: found the end of the file, expected a value");
        check(b"GIF89a", "the file: found bytes that begin with \"GIF89a\", expected");
        check(b"", "the file: found nothing, expected");
    }
}
