//! Reads JSON by asking for what should come next.
//!
//! Methods that return `Option` look for one thing and say nothing about what they found instead;
//! [`Reader::value`] turns that into an error that does. Everything cold is in there.

use std::borrow::Cow;

use super::error::{DecodeError, excerpt};
use super::number::Number;

/// What reading gives. The error is boxed so that the good case stays small.
pub(super) type Result<T> = std::result::Result<T, Box<DecodeError>>;

/// How deep lists may nest in what is skipped.
const NESTING_LIMIT: usize = 2 * super::RANK_LIMIT;

/// The bytes of a string that are more than themselves: its end, escapes, and what has to be
/// escaped.
const ENDS_A_RUN: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

/// A place in a document.
pub(super) struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// What is left of the tensors behind the document, where there may be any.
    tail: Option<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// The beginning of a document, with what stands behind it.
    pub(super) fn new(document: &'a [u8], tail: Option<&'a [u8]>) -> Result<Self> {
        match str::from_utf8(document) {
            Ok(text) => Ok(Self { text, position: 0, tail }),
            Err(error) => {
                let valid = str::from_utf8(&document[..error.valid_up_to()])
                    .expect("invariant: valid up to there");
                let reader = Self { text: valid, position: valid.len(), tail };
                Err(reader.syntax("a byte that is not UTF-8".to_owned(), "UTF-8"))
            }
        }
    }

    /// Where the next value begins, for a later [`go_to`](Self::go_to).
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Goes back to a place that was left, or forward again.
    pub(super) const fn go_to(&mut self, position: usize) {
        self.position = position;
    }

    /// How many bytes are left.
    pub(super) const fn remaining(&self) -> usize {
        self.text.len() - self.position
    }

    /// Whether tensors may stand behind the document.
    pub(super) const fn has_tail(&self) -> bool {
        self.tail.is_some()
    }

    /// Takes so many bytes of what stands behind the document.
    pub(super) fn take_tail(&mut self, length: u64) -> Result<&'a [u8]> {
        let tail = self.tail.unwrap_or_default();
        let split = usize::try_from(length).ok().and_then(|length| tail.split_at_checked(length));
        let Some((taken, rest)) = split else {
            let expected = format!("at most the {} bytes left behind the document", tail.len());
            return Err(DecodeError::here(length, expected));
        };
        self.tail = Some(rest);
        Ok(taken)
    }

    /// Makes sure that nothing follows.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.peek() {
            None => match self.tail.unwrap_or_default().len() {
                0 => Ok(()),
                left => {
                    let found = format!("{left} bytes behind the last tensor");
                    Err(DecodeError::here(found, "none"))
                }
            },
            Some(_) => Err(self.unexpected("the end of the document")),
        }
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.position) {
            self.position += 1;
        }
        bytes.get(self.position).copied()
    }

    /// Takes `byte` if it comes next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// Reads an object, handing each name to `field`, which reads the value.
    #[inline]
    pub(super) fn object(
        &mut self,
        expected: &str,
        mut field: impl FnMut(&mut Self, &str) -> Result<()>,
    ) -> Result<()> {
        self.value(expected, |reader| reader.take(b'{').then_some(()))?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let Some(name) = self.string() else { return Err(self.unexpected("a name in quotes")) };
            if !self.take(b':') {
                return Err(self.unexpected("`:`"));
            }
            field(self, &name).map_err(|error| error.in_field(&name))?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    /// Reads a list, handing each index to `element`, which reads the value.
    #[inline]
    pub(super) fn list(
        &mut self,
        expected: &str,
        mut element: impl FnMut(&mut Self, usize) -> Result<()>,
    ) -> Result<usize> {
        self.value(expected, |reader| reader.take(b'[').then_some(()))?;
        if self.take(b']') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            element(self, count).map_err(|error| error.in_element(count))?;
            count += 1;
            if self.take(b',') {
                continue;
            }
            if self.take(b']') {
                return Ok(count);
            }
            return Err(self.unexpected("`,` or `]`"));
        }
    }

    /// Reads with `read`; where that finds nothing, says what is there instead.
    #[inline]
    pub(super) fn value<T>(
        &mut self,
        expected: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T> {
        let start = self.position;
        match read(self) {
            Some(value) => Ok(value),
            None => {
                self.position = start;
                Err(self.mismatch(expected))
            }
        }
    }

    /// A string, borrowed unless it holds escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let (start, bytes) = (self.position, self.text.as_bytes());
        let (mut end, mut escaped) = (start + 1, false);
        loop {
            end += bytes.get(end..)?.iter().position(|&byte| ENDS_A_RUN[usize::from(byte)])?;
            match bytes[end] {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    end += 2;
                }
                _ => return None,
            }
        }
        let string = if escaped {
            Cow::Owned(serde_json::from_str(&self.text[start..=end]).ok()?)
        } else {
            Cow::Borrowed(&self.text[start + 1..end])
        };
        self.position = end + 1;
        Some(string)
    }

    /// A number.
    #[inline]
    pub(super) fn number(&mut self) -> Option<Number<'a>> {
        self.peek()?;
        let number = Number::scan(self.text, self.position)?;
        self.position += number.text.len();
        Some(number)
    }

    /// `true` or `false`.
    #[inline]
    pub(super) fn boolean(&mut self) -> Option<bool> {
        match self.peek()? {
            b't' => self.word("true").then_some(true),
            b'f' => self.word("false").then_some(false),
            _ => None,
        }
    }

    /// Goes over a value of whatever kind, to come back to it later.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: usize) -> Result<()> {
        if depth > NESTING_LIMIT {
            return Err(DecodeError::here("deeper nesting", format!("at most {NESTING_LIMIT}")));
        }
        match self.peek() {
            Some(b'[') => self.list("a list", |reader, _| reader.skip_at(depth + 1)).map(|_| ()),
            Some(b'{') => self.object("an object", |reader, _| reader.skip_at(depth + 1)),
            _ => self.value("a value", Self::scalar).map(|_| ()),
        }
    }

    /// What a value that is neither list nor object is, in words.
    fn scalar(&mut self) -> Option<String> {
        match self.peek()? {
            b'"' => self.string().map(|_| "a string".to_owned()),
            b'-' | b'0'..=b'9' => self.number().map(|number| excerpt(number.text)),
            b'n' => self.word("null").then(|| "null".to_owned()),
            _ => self.boolean().map(|value| value.to_string()),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes()[self.position..].starts_with(word.as_bytes());
        self.position += if found { word.len() } else { 0 };
        found
    }

    /// The error of a value that is not the expected one, or is none at all.
    #[cold]
    fn mismatch(&mut self, expected: &str) -> Box<DecodeError> {
        let found = match self.peek() {
            Some(b'[') => Some("a list".to_owned()),
            Some(b'{') => Some("an object".to_owned()),
            _ => {
                let start = self.position;
                let found = self.scalar();
                self.position = start;
                found
            }
        };
        match found {
            Some(found) => DecodeError::here(found, expected),
            None => self.unexpected(expected),
        }
    }

    /// The error of a place where something else has to stand for this to be JSON.
    #[cold]
    fn unexpected(&mut self, expected: &str) -> Box<DecodeError> {
        let found = match self.peek() {
            None => "the end of the document".to_owned(),
            Some(b'"') => "a string that is not well formed".to_owned(),
            Some(_) => {
                let rest = &self.text[self.position..];
                let mut others = rest.char_indices().skip(1);
                let end = others.find(|&(_, character)| ",]} \n".contains(character));
                format!("`{}`", excerpt(&rest[..end.map_or(rest.len(), |(end, _)| end)]))
            }
        };
        self.syntax(found, expected)
    }

    fn syntax(&self, found: String, expected: &str) -> Box<DecodeError> {
        let before = &self.text[..self.position];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Box::new(DecodeError::Syntax {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            found,
            expected: expected.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_json(text: &str) -> bool {
        let Ok(mut reader) = Reader::new(text.as_bytes(), None) else { return false };
        reader.skip().and_then(|()| reader.finish()).is_ok()
    }

    /// What the JSON library says, which also refuses numbers beyond a binary64.
    fn reference(text: &str) -> bool {
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) => true,
            Err(error) => error.to_string().contains("out of range"),
        }
    }

    /// One a line; the first is empty.
    const CORNER_CASES: &str = r#"
0
-0
00
01
-
+1
1.
.5
1.0
1e5
1E+5
1e-
1e
0x1
NaN
Infinity
nul
null
nullx
true
tru
truefalse
[
[]
[,]
[1,]
[1 2]
[1,2]
[[[]]]
[{}]
{
{}
{,}
{"a"}
{"a":}
{"a":1,}
{a:1}
{"a":1 "b":2}
"
"a
"\
"\"
"\x"
"\é"
"\u12"
"\u1234"
"\ud800"
"\ud83d\ude00"
"\udc00"
'a'
/**/1
1//"#;

    #[test]
    fn takes_and_refuses_the_same_corner_cases_as_the_json_library() {
        let invisible = [" ", "\"a\nb\"", "\"\t\"", "\"\u{7f}\"", "\u{feff}1", "1\u{a0}", "\u{b}1"];
        for text in CORNER_CASES.lines().chain(invisible) {
            assert_eq!(is_json(text), reference(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn takes_and_refuses_the_same_as_the_json_library(
            text in r#"[\[\]{}",:0-9eE.+\-\\untrfalsé \n]{0,24}"#
        ) {
            prop_assert_eq!(is_json(&text), reference(&text));
        }
    }
}
