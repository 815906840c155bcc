//! The part of an `endpoint.toml` that says who answers: `[roles]`, `[policy]` and `[[route]]`.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Table};

use super::{EditError, parse, prefix_of};

const ROLES: &str = "roles";
/// These two are one thing: a policy that is set replaces the routes as well.
const POLICY: [&str; 2] = ["policy", "route"];
/// More tables than a file that we read can have.
const STRIDE: isize = 1 << 20;

/// The part of an `endpoint.toml` that says who answers, with the comments in it.
///
/// # Errors
/// When the text is no TOML.
pub fn policy_of(file: &Path, text: &str) -> Result<String, EditError> {
    let mut document = parse(file, text)?;
    document.retain(|key, _| key == ROLES || POLICY.contains(&key));
    document.set_trailing("");
    Ok(document.to_string().trim_start_matches('\n').to_owned())
}

/// Replaces the part of an `endpoint.toml` that says who answers by another text, which may hold
/// nothing else. Where that has no `[roles]`, they stay; where it has neither `[policy]` nor a
/// `[[route]]`, those stay.
///
/// # Errors
/// When one of the texts is no TOML, or the second has other keys.
pub fn set_policy(file: &Path, text: &str, by: &str) -> Result<String, EditError> {
    let mut document = parse(file, text)?;
    let given = Path::new("the policy");
    let mut by = parse(given, by)?;
    let known = |key: &str| key == ROLES || POLICY.contains(&key);
    if let Some((key, _)) = by.iter().find(|(key, _)| !known(key)) {
        return Err(EditError::NoPolicy { file: given.to_owned(), key: key.to_owned() });
    }
    space_out(&mut document);
    if by.contains_key(ROLES) {
        exchange(&mut document, &mut by, &[ROLES]);
    }
    if POLICY.iter().any(|key| by.contains_key(key)) {
        exchange(&mut document, &mut by, &POLICY);
    }
    let edited = document.to_string();
    // An empty line before each table, but none at the top that was not there.
    let opens_empty = text.starts_with('\n');
    Ok(if opens_empty { edited } else { edited.trim_start_matches('\n').to_owned() })
}

/// Puts the items of `by` where those of the document stood, or at its end.
fn exchange(document: &mut DocumentMut, by: &mut DocumentMut, keys: &[&str]) {
    let removed: Vec<Item> = keys.iter().filter_map(|key| document.remove(key)).collect();
    let place = removed.iter().filter_map(lowest).min();
    let at = place.unwrap_or_else(|| highest(document.as_table()) + STRIDE);
    let comment = removed.first().and_then(comment_above).filter(|it| !it.trim().is_empty());
    for key in keys {
        let Some(mut item) = by.remove(key) else { continue };
        shift(&mut item, at);
        if let (Some(comment), Some(first)) = (&comment, first_table(&mut item))
            && *key == keys[0]
            && prefix_of(first.decor()).trim().is_empty()
        {
            first.decor_mut().set_prefix(comment);
        }
        if let Some(first) = first_table(&mut item)
            && !prefix_of(first.decor()).starts_with('\n')
        {
            let own = prefix_of(first.decor());
            first.decor_mut().set_prefix(format!("\n{own}"));
        }
        document.insert(key, item);
    }
}

/// Makes room between the tables of a document, so that others fit in.
fn space_out(document: &mut DocumentMut) {
    for_each_table(document.as_item_mut(), &mut |table| {
        let position = table.position().map(|position| (position + 1) * STRIDE);
        table.set_position(position);
    });
}

/// Moves the tables of an item behind a position, in the order that they have.
fn shift(item: &mut Item, by: isize) {
    for_each_table(item, &mut |table| {
        let position = table.position().unwrap_or(0);
        table.set_position(Some(by + position + 1));
    });
}

fn for_each_table(item: &mut Item, change: &mut impl FnMut(&mut Table)) {
    match item {
        Item::Table(table) => {
            change(table);
            table.iter_mut().for_each(|(_, below)| for_each_table(below, change));
        }
        Item::ArrayOfTables(tables) => {
            for table in tables.iter_mut() {
                change(table);
                table.iter_mut().for_each(|(_, below)| for_each_table(below, change));
            }
        }
        Item::Value(_) | Item::None => {}
    }
}

fn lowest(item: &Item) -> Option<isize> {
    match item {
        Item::Table(table) => {
            let below = table.iter().filter_map(|(_, below)| lowest(below)).min();
            if table.is_implicit() || table.is_dotted() { below } else { table.position() }
        }
        Item::ArrayOfTables(tables) => tables.iter().filter_map(Table::position).min(),
        Item::Value(_) | Item::None => None,
    }
}

fn highest(table: &Table) -> isize {
    let below = table.iter().map(|(_, below)| match below {
        Item::Table(table) => highest(table),
        Item::ArrayOfTables(tables) => tables.iter().map(highest).max().unwrap_or(0),
        Item::Value(_) | Item::None => 0,
    });
    below.max().unwrap_or(0).max(table.position().unwrap_or(0))
}

fn comment_above(item: &Item) -> Option<String> {
    match item {
        Item::Table(table) if !table.is_implicit() => Some(prefix_of(table.decor())),
        Item::ArrayOfTables(tables) => tables.get(0).map(|table| prefix_of(table.decor())),
        _ => None,
    }
}

fn first_table(item: &mut Item) -> Option<&mut Table> {
    match item {
        Item::Table(table) if !table.is_implicit() && !table.is_dotted() => Some(table),
        Item::ArrayOfTables(tables) => tables.get_mut(0),
        _ => None,
    }
}
