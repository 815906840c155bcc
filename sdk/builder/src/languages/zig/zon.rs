//! `build.zig.zon`: as much of the notation of Zig as it takes to find texts and names by their fields.

use std::iter::Peekable;
use std::str::Chars;

/// How deep fields may lie in fields.
const DEPTH_MAX: usize = 32;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zon {
    /// A text, or the name after a dot.
    Text(String),
    /// Fields by their names, in their order.
    Fields(Vec<(String, Self)>),
    /// A number, a truth, a list: nothing that is looked for.
    Other,
}

impl Zon {
    /// Reads a file; none where it is not in this notation.
    pub(super) fn read(text: &str) -> Option<Self> {
        Reader(text.chars().peekable()).value(0)
    }

    /// A field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.fields().iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.field(name) {
            Some(Self::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// All fields.
    pub(super) fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Fields(fields) => fields,
            _ => &[],
        }
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    /// The next letter that is neither a space nor part of a comment.
    fn peek(&mut self) -> Option<char> {
        loop {
            match *self.0.peek()? {
                space if space.is_whitespace() => _ = self.0.next(),
                '/' => while self.0.next_if(|letter| *letter != '\n').is_some() {},
                letter => return Some(letter),
            }
        }
    }

    fn takes(&mut self, letter: char) -> bool {
        let is_next = self.peek() == Some(letter);
        if is_next {
            self.0.next();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Option<Zon> {
        match self.peek()? {
            _ if depth > DEPTH_MAX => None,
            '"' => self.quoted().map(Zon::Text),
            '.' => {
                self.0.next();
                if self.takes('{') { self.inside(depth) } else { self.name().map(Zon::Text) }
            }
            _ => self.word().map(|_| Zon::Other),
        }
    }

    /// What is in braces: fields, or a list.
    fn inside(&mut self, depth: usize) -> Option<Zon> {
        let mut fields = Vec::new();
        while !self.takes('}') {
            let mut value = self.value(depth + 1)?;
            if self.takes('=') {
                let Zon::Text(name) = value else { return None };
                value = self.value(depth + 1)?;
                fields.push((name, value));
            }
            if !self.takes(',') && self.peek() != Some('}') {
                return None;
            }
        }
        Some(if fields.is_empty() { Zon::Other } else { Zon::Fields(fields) })
    }

    /// A name after its dot, as `late` or `@"late flights"`.
    fn name(&mut self) -> Option<String> {
        if self.takes('@') { self.quoted() } else { self.word() }
    }

    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        let is_part = |letter: &char| letter.is_alphanumeric() || "_.+-'\\".contains(*letter);
        while let Some(letter) = self.0.next_if(is_part) {
            word.push(letter);
        }
        (!word.is_empty()).then_some(word)
    }

    /// A text in quotes. Of escapes only quotes and backslashes are read: what is looked for has no others.
    fn quoted(&mut self) -> Option<String> {
        self.takes('"').then_some(())?;
        let mut text = String::new();
        loop {
            match self.0.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.0.next()?),
                letter => text.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        let zon = Zon::read(
            ".{ // a package\n    .name = .late_flights,\n    .version = \"1.2.0\", .fingerprint = 0xd795,\n    \
             .dependencies = .{ .@\"known folders\" = .{ .url = \"https://example.org/a \\\"b\\\"\", .lazy = true } },\n    \
             .paths = .{ \"build.zig\", \"src\" }, .empty = .{},\n}\n",
        )
        .unwrap();
        assert_eq!(zon.text("name"), Some("late_flights"));
        assert_eq!(zon.text("version"), Some("1.2.0"));
        assert_eq!(zon.text("fingerprint"), None);
        assert_eq!(zon.field("paths"), Some(&Zon::Other));
        let dependencies = zon.field("dependencies").unwrap().fields();
        let [(name, known)] = dependencies else { panic!("{dependencies:?}") };
        assert_eq!(name, "known folders");
        assert_eq!(known.text("url"), Some("https://example.org/a \"b\""));
    }

    #[test]
    fn what_is_in_another_notation_is_nothing() {
        for text in ["", "name = late", ".{ .name = ", ".{ .name .late }", "{}", ".{ \"a\" = 1 }"] {
            assert!(Zon::read(text).is_none_or(|zon| zon.text("name").is_none()), "{text}");
        }
        assert_eq!(Zon::read(&".{ .a = ".repeat(1000)), None);
    }
}
