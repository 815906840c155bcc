//! Arrays, element by element, with the comments between them.
//!
//! The comment behind an element on its line belongs to that element, and yet stands, for the
//! parser, before the next one: `[a, # of a` newline `b]`. That is what this file sorts out.

use toml_edit::{Array, RawString, Value};

/// Inserts an element on a line of its own where the others have one.
pub(super) fn insert(array: &mut Array, index: usize, mut value: Value) {
    let Some(next) = array.get_mut(index) else {
        array.push(value);
        return lay_out_last(array);
    };
    let prefix = text(next.decor().prefix());
    match prefix.rsplit_once('\n') {
        // The newcomer goes above the comments of the one whose place it takes.
        Some((_, indent)) => {
            let (behind, own) = split_line(&prefix);
            next.decor_mut().set_prefix(own.to_owned());
            value.decor_mut().set_prefix(format!("{behind}\n{indent}"));
        }
        None => {
            next.decor_mut().set_prefix(" ");
            value.decor_mut().set_prefix(prefix);
        }
    }
    value.decor_mut().set_suffix("");
    array.insert_formatted(index, value);
}

/// Removes an element and the comment behind it.
pub(super) fn remove(array: &mut Array, index: usize) {
    let has_comma = array.trailing_comma();
    let removed = array.remove(index);
    let before = text(removed.decor().prefix());
    let behind = text(removed.decor().suffix());
    // Without an end of the line it is only the space behind a comma.
    let kept = before.split_once('\n').map_or("", |(kept, _)| kept);
    if let Some(next) = array.get_mut(index) {
        let prefix = text(next.decor().prefix());
        let (_, own) = split_line(&prefix);
        let prefix = match (own.is_empty(), index) {
            (false, _) => format!("{kept}{own}"),
            (true, 0) => before,
            (true, _) => prefix,
        };
        next.decor_mut().set_prefix(prefix);
    } else if has_comma {
        let trailing = text(Some(array.trailing()));
        let (_, own) = split_line(&trailing);
        array.set_trailing(format!("{kept}{own}"));
        array.set_trailing_comma(!array.is_empty());
    } else if let Some(last) = index.checked_sub(1).and_then(|last| array.get_mut(last)) {
        let (_, own) = split_line(&behind);
        last.decor_mut().set_suffix(format!("{kept}{own}"));
    }
}

/// Gives an element that was pushed to the end the line that the others have.
fn lay_out_last(array: &mut Array) {
    let Some(last) = array.len().checked_sub(1) else { return };
    let before = last.checked_sub(1).and_then(|before| array.get_mut(before));
    let Some(before) = before else {
        if let Some(value) = array.get_mut(last) {
            value.decor_mut().set_prefix("");
        }
        return;
    };
    let prefix = text(before.decor().prefix());
    let suffix = text(before.decor().suffix());
    let Some((_, indent)) = prefix.rsplit_once('\n') else { return };
    let own_line = format!("\n{indent}");
    let trailing = text(Some(array.trailing()));
    if array.trailing_comma() {
        let (behind, rest) = split_line(&trailing);
        let (behind, rest) = (behind.to_owned(), rest.to_owned());
        array.set_trailing(rest);
        set_prefix(array, last, &format!("{behind}{own_line}"));
    } else {
        // Without a comma, the comment behind the last element is that element's own.
        let (behind, rest) = split_line(&suffix);
        let (behind, rest) = (behind.to_owned(), rest.to_owned());
        if let Some(before) = array.get_mut(last - 1) {
            before.decor_mut().set_suffix("");
        }
        set_prefix(array, last, &format!("{behind}{own_line}"));
        if let Some(value) = array.get_mut(last) {
            value.decor_mut().set_suffix(rest);
        }
    }
}

fn set_prefix(array: &mut Array, index: usize, prefix: &str) {
    if let Some(value) = array.get_mut(index) {
        value.decor_mut().set_prefix(prefix);
    }
}

/// What stands on the line of the element before, and the rest from the end of that line on.
fn split_line(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').unwrap_or(text.len()))
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
