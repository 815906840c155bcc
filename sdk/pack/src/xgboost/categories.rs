//! Names of categories, which a file has if the model was trained on a table with columns of categories.

use crate::ReadError;
use crate::value::Node;

/// The categories of a column, in the order of their codes.
#[derive(Debug)]
pub(super) enum Categories {
    /// Texts.
    Texts(Vec<String>),
    /// Whole numbers.
    Numbers(Vec<i64>),
}

/// How far whole numbers are exact as numbers of double precision.
const EXACT: u64 = 1 << 53;

impl Categories {
    /// The names as texts.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Texts(texts) => texts.clone(),
            Self::Numbers(numbers) => numbers.iter().map(i64::to_string).collect(),
        }
    }
}

/// Reads those of all columns of a booster.
pub(super) fn read(
    booster: &Node<'_>,
    columns: usize,
) -> Result<Vec<Option<Categories>>, ReadError> {
    let inner = booster.find("gbtree")?.unwrap_or_else(|| booster.clone());
    let none = || (0..columns).map(|_| None).collect();
    let Some(cats) = inner.get("model")?.find("cats")? else { return Ok(none()) };
    let list = cats.get("enc")?;
    let encodings = list.list()?;
    if encodings.is_empty() {
        return Ok(none());
    }
    if encodings.len() != columns {
        return Err(list.wrong(&format!("as many as there are columns, which is {columns}")));
    }
    encodings.iter().map(one).collect()
}

fn one(encoding: &Node<'_>) -> Result<Option<Categories>, ReadError> {
    let place = encoding.get("values")?;
    let Some(offsets) = encoding.find("offsets")? else {
        let hint = "train with categories that are texts or whole numbers";
        let Ok(numbers) = place.i64s() else {
            return Err(place.unsupported("categories that are no whole numbers", Some(hint)));
        };
        if numbers.iter().any(|number| number.unsigned_abs() > EXACT) {
            return Err(place.unsupported("categories beyond 2^53", Some(hint)));
        }
        return Ok(Some(Categories::Numbers(numbers)));
    };
    let offsets = offsets.i64s()?;
    if offsets.is_empty() {
        return Ok(None);
    }
    // The bytes of all names, written as numbers with a sign.
    let bytes: Vec<u8> = place.i64s()?.iter().map(|byte| *byte as u8).collect();
    if !bytes.is_ascii() {
        let what = "a name of a category with letters beyond ASCII, which XGBoost cuts in the wrong place,";
        let hint = "train with names in ASCII, or with codes";
        return Err(place.unsupported(what, Some(hint)));
    }
    let mut texts = Vec::new();
    for ends in offsets.windows(2) {
        let (Ok(from), Ok(to)) = (usize::try_from(ends[0]), usize::try_from(ends[1])) else {
            return Err(place.wrong("offsets from 0"));
        };
        let text = bytes.get(from..to).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let Some(text) = text else { return Err(place.wrong("texts in UTF-8 at the offsets")) };
        texts.push(text.to_owned());
    }
    Ok(Some(Categories::Texts(texts)))
}
