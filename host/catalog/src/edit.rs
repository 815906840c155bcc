//! Changes to the files of an endpoint, from text to text.
//!
//! Pure. Comments, order and layout of whatever a change does not touch stay as they are, because
//! the files belong to people. Nothing here checks what a change leads to: the result is read by
//! the same parser as every file of the folder.

mod array;
mod order;
mod policy;
mod roles;

use std::path::{Path, PathBuf};

use message::ModelName;
use thiserror::Error;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::document::Document;
use crate::problem::Problem;

pub use policy::{policy_of, set_policy};

/// Why a file cannot be changed like that.
#[derive(Debug, Error)]
pub enum EditError {
    /// Because the file is not what it should be already.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Because the key holds something that has to be changed by hand.
    #[error("{}: {key}: found {found}, which has to be changed by hand, or with `policy set`", file.display())]
    ByHand {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What it holds.
        found: String,
    },
    /// Because a text that is to replace a policy holds other keys as well.
    #[error("{}: found the key \"{key}\", expected only \"policy\", \"roles\" and \"route\"", file.display())]
    NoPolicy {
        /// The text.
        file: PathBuf,
        /// The key.
        key: String,
    },
}

/// Makes a model champion: it takes the former champion's place in the order of the policy, whose
/// model comes right after it and becomes a challenger.
///
/// Each place keeps its `until`: how long to wait is a matter of the place. The order is left
/// alone where the policy has none.
///
/// # Errors
/// When the text is no TOML, or a key is of another kind than it should be.
pub fn promote(file: &Path, text: &str, model: &ModelName) -> Result<String, EditError> {
    let mut document = parse(file, text)?;
    let former = roles::make_champion(file, &mut document, model)?;
    if let Some(order) = order::policy_order(&mut document) {
        order::promote(file, order, model, former.as_ref())?;
    }
    Ok(document.to_string())
}

/// Makes a model champion and leaves the policy alone.
///
/// # Errors
/// As [`promote`].
pub fn promote_in_roles(file: &Path, text: &str, model: &ModelName) -> Result<String, EditError> {
    let mut document = parse(file, text)?;
    roles::make_champion(file, &mut document, model)?;
    Ok(document.to_string())
}

/// Removes every mention of a model: its role, and its places in orders and ensembles.
///
/// # Errors
/// As [`promote`], and when the model is named where nothing else can take its place: as the only
/// model of an arm or a route.
pub fn retire(file: &Path, text: &str, model: &ModelName) -> Result<String, EditError> {
    let mut document = parse(file, text)?;
    roles::remove(&mut document, model);
    for key in ["policy", "route"] {
        if let Some(item) = document.get_mut(key) {
            order::remove_everywhere(item, model);
            if let Some(place) = order::sole_mention(item, key, model) {
                let found = format!("{:?} alone", model.as_str());
                return Err(EditError::ByHand { file: file.to_owned(), key: place, found });
            }
        }
    }
    Ok(document.to_string())
}

/// Sets or removes the key `paused` of an `endpoint.toml` or a manifest.
///
/// # Errors
/// When the text is no TOML.
pub fn set_paused(file: &Path, text: &str, paused: bool) -> Result<String, EditError> {
    const KEY: &str = "paused";
    let mut document = parse(file, text)?;
    if paused && document.is_empty() {
        // What stands in a file without a key is a comment, and belongs at its top.
        let comments = text.trim_end();
        let gap = if comments.is_empty() { "" } else { "\n" };
        return Ok(format!("{comments}{gap}{KEY} = true\n"));
    }
    match document.get_mut(KEY).and_then(Item::as_value_mut) {
        Some(value) if paused => replace(value, true.into()),
        Some(_) => remove_first_lines(&mut document, KEY),
        None if paused => insert_on_top(&mut document, KEY, true.into()),
        None => {}
    }
    Ok(document.to_string())
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, EditError> {
    // Ours is stricter in what it takes, and says where a mistake is.
    Document::parse(file, text).map_err(|problem| EditError::Problem(Box::new(problem)))?;
    text.parse().map_err(|error: toml_edit::TomlError| {
        let found = format!("text that is not TOML: {}", error.message());
        EditError::Problem(Box::new(Problem::new(file, found)))
    })
}

/// Puts another value where one stands, with the same space and comments around it.
fn replace(value: &mut Value, by: Value) {
    let decor = value.decor().clone();
    *value = by;
    *value.decor_mut() = decor;
}

/// Sets a key of a table, new or not.
fn set(table: &mut dyn TableLike, key: &str, value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => replace(old, value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// Inserts a key before all others of the document, below the comment that opens the file.
fn insert_on_top(document: &mut DocumentMut, key: &str, value: Value) {
    let has_values = document.iter().any(|(_, item)| item.is_value());
    document.insert(key, Item::Value(value));
    if has_values {
        return;
    }
    // There are only tables: what opens the file is the first table's, up to the last empty line.
    let opening = first_table(document).map(|table| {
        let whole = prefix_of(table.decor());
        let cut = whole.rfind("\n\n").map_or(0, |at| at + 2);
        let (opening, own) = whole.split_at(cut);
        let own = format!("\n{}", own.trim_start_matches('\n'));
        table.decor_mut().set_prefix(own);
        opening.to_owned()
    });
    if let (Some(opening), Some(mut key)) = (opening, document.key_mut(key)) {
        key.leaf_decor_mut().set_prefix(opening);
    }
}

fn first_table(document: &mut DocumentMut) -> Option<&mut toml_edit::Table> {
    let tables = document.iter_mut().filter_map(|(_, item)| match item {
        Item::Table(table) if !table.is_dotted() && !table.is_implicit() => Some(table),
        Item::ArrayOfTables(tables) => tables.iter_mut().next(),
        _ => None,
    });
    tables.min_by_key(|table| table.position())
}

/// Removes a key; the comment above it goes to what follows if it opens the file.
fn remove_first_lines(document: &mut DocumentMut, key: &str) {
    let above = document.key(key).map(|key| prefix_of(key.leaf_decor())).unwrap_or_default();
    let opening = above.rfind("\n\n").map(|at| above[..at + 2].to_owned());
    let is_first = document.iter().next().is_some_and(|(first, _)| first == key);
    document.remove(key);
    let Some(opening) = opening.filter(|_| is_first) else {
        if is_first && document.is_empty() {
            document.set_trailing(above);
        }
        return;
    };
    let next = document.iter().find(|(_, item)| item.is_value()).map(|(key, _)| key.to_owned());
    if let Some(mut next) = next.as_deref().and_then(|next| document.key_mut(next)) {
        let own = prefix_of(next.leaf_decor());
        next.leaf_decor_mut().set_prefix(format!("{opening}{own}"));
    } else if let Some(table) = first_table(document) {
        let own = prefix_of(table.decor());
        table.decor_mut().set_prefix(format!("{opening}{}", own.trim_start_matches('\n')));
    } else {
        document.set_trailing(opening);
    }
}

fn prefix_of(decor: &toml_edit::Decor) -> String {
    decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
