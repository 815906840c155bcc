//! Orders: arrays of `{ model = "…" }`, inline or as `[[policy.order]]`.

use std::path::Path;

use message::ModelName;
use toml_edit::{ArrayOfTables, DocumentMut, Item, TableLike, Value};

use super::{EditError, array, set};

const MODEL: &str = "model";
/// The keys that hold lists of models. What else names a model, an arm or a route, is more than a
/// place in a list.
const LISTS: [&str; 3] = ["order", "members", "below"];

/// The order of the policy, if it has one that names a model.
pub(super) fn policy_order(document: &mut DocumentMut) -> Option<&mut Item> {
    let order = document.get_mut("policy")?.as_table_like_mut()?.get_mut("order")?;
    (count(order) > 0).then_some(order)
}

/// Puts a model in the place of the former champion, or first where that has none. Those from there
/// down to the model's own place move one place down.
pub(super) fn promote(
    file: &Path,
    order: &mut Item,
    model: &ModelName,
    former: Option<&ModelName>,
) -> Result<(), EditError> {
    let mut names = Vec::new();
    for index in 0..count(order) {
        let Some(name) = name_at(order, index) else {
            let key = format!("policy.order[{index}].model");
            let found = "no name of a model".to_owned();
            return Err(EditError::ByHand { file: file.to_owned(), key, found });
        };
        names.push(name);
    }
    let place = |model: &ModelName| names.iter().position(|name| name == model.as_str());
    let to = former.and_then(place).unwrap_or(0);
    let mut wanted = names.clone();
    match place(model) {
        // It is preferred to the champion already.
        Some(from) if from <= to => return Ok(()),
        Some(from) => wanted[to..=from].rotate_right(1),
        None => {
            duplicate(order, to);
            wanted.insert(to, model.as_str().to_owned());
        }
    }
    for (index, name) in wanted.iter().enumerate() {
        if name_at(order, index).as_ref() != Some(name)
            && let Some(entry) = entry_mut(order, index)
        {
            set(entry, MODEL, name.as_str().into());
        }
    }
    Ok(())
}

/// Removes a model from every order and every ensemble below an item.
pub(super) fn remove_everywhere(item: &mut Item, model: &ModelName) {
    if let Some(table) = item.as_table_like_mut() {
        return remove_from_table(table, model);
    }
    match item {
        Item::ArrayOfTables(tables) => {
            tables.iter_mut().for_each(|table| remove_from_table(table, model));
        }
        Item::Value(Value::Array(array)) => {
            let tables = array.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.for_each(|table| remove_from_table(table, model));
        }
        _ => {}
    }
}

/// Where a model is still named: by a key of its own, outside of any list.
pub(super) fn sole_mention(item: &Item, path: &str, model: &ModelName) -> Option<String> {
    if let Some(table) = item.as_table_like() {
        return table.iter().find_map(|(key, below)| {
            let path = format!("{path}.{key}");
            let named = key == MODEL && below.as_str() == Some(model.as_str());
            if named { Some(path) } else { sole_mention(below, &path, model) }
        });
    }
    let below: Vec<Item> = match item {
        Item::ArrayOfTables(tables) => tables.iter().map(|it| Item::Table(it.clone())).collect(),
        Item::Value(Value::Array(array)) => {
            array.iter().map(|it| Item::Value(it.clone())).collect()
        }
        _ => Vec::new(),
    };
    let mut below = below.iter().enumerate();
    below.find_map(|(index, item)| sole_mention(item, &format!("{path}[{index}]"), model))
}

fn remove_from_table(table: &mut dyn TableLike, model: &ModelName) {
    let mut emptied = Vec::new();
    for (key, item) in table.iter_mut() {
        match item {
            Item::ArrayOfTables(tables) if LISTS.contains(&key.get()) => {
                tables.retain(|entry| !names(entry, model));
                if tables.is_empty() {
                    emptied.push(key.get().to_owned());
                }
            }
            Item::Value(Value::Array(list)) if LISTS.contains(&key.get()) => {
                let named = |value: &Value| {
                    value.as_inline_table().is_some_and(|entry| names(entry, model))
                };
                // Each model is named once in a list.
                let found = list.iter().position(named);
                if let Some(index) = found {
                    array::remove(list, index);
                }
            }
            below => remove_everywhere(below, model),
        }
    }
    for key in emptied {
        table.remove(&key);
    }
}

fn names(entry: &dyn TableLike, model: &ModelName) -> bool {
    entry.get(MODEL).and_then(Item::as_str) == Some(model.as_str())
}

fn count(order: &Item) -> usize {
    match order {
        Item::Value(Value::Array(array)) => array.len(),
        Item::ArrayOfTables(tables) => tables.len(),
        _ => 0,
    }
}

fn entry_mut(order: &mut Item, index: usize) -> Option<&mut dyn TableLike> {
    match order {
        Item::Value(Value::Array(array)) => {
            Some(array.get_mut(index)?.as_inline_table_mut()? as &mut dyn TableLike)
        }
        Item::ArrayOfTables(tables) => Some(tables.get_mut(index)? as &mut dyn TableLike),
        _ => None,
    }
}

fn name_at(order: &mut Item, index: usize) -> Option<String> {
    entry_mut(order, index)?.get(MODEL)?.as_str().map(str::to_owned)
}

/// Puts a copy of an entry right before it.
fn duplicate(order: &mut Item, index: usize) {
    match order {
        Item::Value(Value::Array(entries)) => {
            if let Some(entry) = entries.get(index).cloned() {
                array::insert(entries, index, entry);
            }
        }
        Item::ArrayOfTables(tables) => {
            let copies = tables.iter().enumerate().flat_map(|(at, table)| {
                let mut copy = table.clone();
                copy.decor_mut().set_prefix("\n");
                let copy = (at == index).then_some(copy);
                copy.into_iter().chain([table.clone()])
            });
            let all: Vec<_> = copies.collect();
            // Equal positions keep the order in which they stand here.
            let mut doubled = ArrayOfTables::new();
            all.into_iter().for_each(|table| doubled.push(table));
            *tables = doubled;
        }
        _ => {}
    }
}
