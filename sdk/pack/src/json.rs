//! JSON, as the libraries write it: with `NaN` and `Infinity`, which the standard does not have.

use std::borrow::Cow;

use crate::ReadError;
use crate::value::Value;

/// How deep values may stand within each other. Trees are nested as deep as they grow.
const MAX_DEPTH: usize = 512;

/// Reads a file.
///
/// # Errors
///
/// Where it is no JSON; says in which line and column.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'_>, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::Malformed {
        place: format!("byte {}", error.valid_up_to()),
        found: "what is not UTF-8".to_owned(),
        expected: "JSON".to_owned(),
    })?;
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.value()?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("the end of the file"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value<'a>, ReadError> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::table),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => Ok(Value::Text(self.quoted()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                const WORDS: [(&str, Value<'_>); 5] = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("NaN", Value::Digits("NaN")),
                    ("Infinity", Value::Digits("inf")),
                ];
                let rest = &self.text[self.at..];
                let word = WORDS.into_iter().find(|(word, _)| rest.starts_with(word));
                let Some((word, value)) = word else { return Err(self.wrong("a value")) };
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value<'a>, ReadError>,
    ) -> Result<Value<'a>, ReadError> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong(&format!("values within each other at most {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn table(&mut self) -> Result<Value<'a>, ReadError> {
        let mut entries = Vec::new();
        if self.ends(b'}') {
            return Ok(Value::Table(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in quotes"));
            }
            let key = self.quoted()?;
            if !self.ends(b':') {
                return Err(self.wrong("`:`"));
            }
            entries.push((key, self.value()?));
            if self.ends(b'}') {
                return Ok(Value::Table(entries));
            }
            if !self.ends(b',') {
                return Err(self.wrong("`,` or `}`"));
            }
        }
    }

    fn list(&mut self) -> Result<Value<'a>, ReadError> {
        let mut values = Vec::new();
        if self.ends(b']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value()?);
            if self.ends(b']') {
                return Ok(Value::List(values));
            }
            if !self.ends(b',') {
                return Err(self.wrong("`,` or `]`"));
            }
        }
    }

    fn number(&mut self) -> Result<Value<'a>, ReadError> {
        let rest = &self.text[self.at..];
        if rest.starts_with("-Infinity") {
            self.at += "-Infinity".len();
            return Ok(Value::Digits("-inf"));
        }
        let end =
            rest.find(|letter: char| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let digits = &rest[..end.unwrap_or(rest.len())];
        if digits.parse::<f64>().is_err() {
            return Err(self.wrong("a number"));
        }
        self.at += digits.len();
        Ok(Value::Digits(digits))
    }

    /// A text in quotes, which begins here.
    fn quoted(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let begin = self.at + 1;
        let mut end = begin;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end += 2;
                }
                Some(_) => end += 1,
                None => return Err(self.wrong("a text that ends with a quote")),
            }
        }
        self.at = end + 1;
        if !escaped {
            return Ok(Cow::Borrowed(&self.text[begin..end]));
        }
        let quoted = &self.text[begin - 1..=end];
        let text = serde_json::from_str(quoted).map_err(|error| {
            self.at = begin - 1;
            self.wrong(&format!("a text of JSON ({error})"))
        })?;
        Ok(Cow::Owned(text))
    }

    /// Goes past a sign where it is the next thing.
    fn ends(&mut self, sign: u8) -> bool {
        self.space();
        let there = self.peek() == Some(sign);
        self.at += usize::from(there);
        there
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn wrong(&self, expected: &str) -> ReadError {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        let found = match self.text[self.at..].chars().next() {
            Some(letter) => format!("{letter:?}"),
            None => "the end of the file".to_owned(),
        };
        ReadError::Malformed {
            place: format!("line {line}, column {column}"),
            found,
            expected: expected.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match read(text.as_bytes()) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn values_are_read() {
        check("[]", "List([])");
        check(
            " [ -1.5E-3 , NaN,-Infinity ] ",
            r#"List([Digits("-1.5E-3"), Digits("NaN"), Digits("-inf")])"#,
        );
        check(r#"{"a\n\u00e9": null, "é": {}}"#, r#"Table([("a\né", Null), ("é", Table([]))])"#);
        check(r#"["\\\"", true, false]"#, r#"List([Text("\\\""), Bool(true), Bool(false)])"#);
    }

    #[test]
    fn what_is_no_json_is_said_with_its_line() {
        check("{\n \"a\" 1}", "line 2, column 6: found '1', expected `:`");
        check("[1 2]", "line 1, column 4: found '2', expected `,` or `]`");
        check("[1-2]", "line 1, column 2: found '1', expected a number");
        check("[\"a", "line 1, column 2: found '\"', expected a text that ends with a quote");
        check("[1,", "line 1, column 4: found the end of the file, expected a value");
        check("[] x", "line 1, column 4: found 'x', expected the end of the file");
        check("{a: 1}", "line 1, column 2: found 'a', expected a key in quotes");
        check(
            &"[".repeat(600),
            "line 1, column 513: found '[', expected values within each other at most 512 deep",
        );
    }
}
