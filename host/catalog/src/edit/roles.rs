//! The table `[roles]`.

use std::path::Path;

use message::ModelName;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::{EditError, array, set};

const ROLES: &str = "roles";
const CHAMPION: &str = "champion";
const CHALLENGERS: &str = "challengers";

/// Makes a model champion, and the former champion, which is returned, a challenger.
pub(super) fn make_champion(
    file: &Path,
    document: &mut DocumentMut,
    model: &ModelName,
) -> Result<Option<ModelName>, EditError> {
    remove_but(document, model, &[CHAMPION, CHALLENGERS]);
    let by_hand = |found: &Item| EditError::ByHand {
        file: file.to_owned(),
        key: ROLES.into(),
        found: found.type_name().into(),
    };
    let item = document.entry(ROLES).or_insert_with(toml_edit::table);
    if !item.is_table_like() {
        return Err(by_hand(item));
    }
    let roles = item.as_table_like_mut().expect("invariant: it was looked at");
    let former = roles.get(CHAMPION).and_then(Item::as_str).map(ModelName::from);
    let former = former.filter(|former| former != model);
    set(roles, CHAMPION, model.as_str().into());
    if let Some(former) = &former {
        challenge(roles, former);
    }
    // Last, so that the list is never empty in between, and keeps its place and its comment.
    remove_challenger(document, model);
    Ok(former)
}

/// Takes every role from a model. One that has none leaves no trace.
pub(super) fn remove(document: &mut DocumentMut, model: &ModelName) {
    remove_but(document, model, &[CHALLENGERS]);
    remove_challenger(document, model);
}

fn remove_but(document: &mut DocumentMut, model: &ModelName, but: &[&str]) {
    let Some(roles) = document.get_mut(ROLES).and_then(Item::as_table_like_mut) else { return };
    let named = |item: &Item| item.as_str() == Some(model.as_str());
    let keys: Vec<String> = roles
        .iter()
        .filter(|(key, item)| !but.contains(key) && named(item))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in keys {
        roles.remove(&key);
    }
}

fn remove_challenger(document: &mut DocumentMut, model: &ModelName) {
    let Some(roles) = document.get_mut(ROLES).and_then(Item::as_table_like_mut) else { return };
    let Some(challengers) = roles.get_mut(CHALLENGERS).and_then(Item::as_array_mut) else { return };
    let named = |value: &Value| value.as_str() == Some(model.as_str());
    let found = challengers.iter().position(named);
    if let Some(index) = found {
        array::remove(challengers, index);
    }
    if challengers.is_empty() {
        roles.remove(CHALLENGERS);
    }
}

fn challenge(roles: &mut dyn TableLike, model: &ModelName) {
    match roles.get_mut(CHALLENGERS).and_then(Item::as_array_mut) {
        Some(challengers) => array::insert(challengers, challengers.len(), model.as_str().into()),
        None => set(roles, CHALLENGERS, Value::Array([model.as_str()].into_iter().collect())),
    }
}
