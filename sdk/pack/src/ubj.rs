//! UBJ, the binary form of JSON that XGBoost writes: the same keys, with lists of one type.

use std::borrow::Cow;

use crate::ReadError;
use crate::value::Value;

/// How deep values may stand within each other.
const MAX_DEPTH: usize = 64;

/// Reads a file.
///
/// # Errors
///
/// Where it is none; says at which byte.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'_>, ReadError> {
    let mut reader = Reader { bytes, at: 0, depth: 0 };
    let kind = reader.byte()?;
    let value = reader.value(kind)?;
    if reader.at < bytes.len() {
        return Err(reader.wrong("more bytes", "the end of the file"));
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, kind: u8) -> Result<Value<'a>, ReadError> {
        Ok(match kind {
            b'Z' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'd' => Value::Single(f32::from_be_bytes(self.array()?)),
            b'D' => Value::Double(f64::from_be_bytes(self.array()?)),
            b'S' => Value::Text(self.text()?),
            b'[' | b'{' if self.depth == MAX_DEPTH => {
                let expected = format!("values within each other at most {MAX_DEPTH} deep");
                return Err(self.wrong("deeper ones", &expected));
            }
            b'[' => {
                self.depth += 1;
                let list = self.list()?;
                self.depth -= 1;
                list
            }
            b'{' => {
                self.depth += 1;
                let table = self.table()?;
                self.depth -= 1;
                table
            }
            kind => Value::Whole(self.whole(kind)?),
        })
    }

    fn whole(&mut self, kind: u8) -> Result<i64, ReadError> {
        Ok(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' | b'C' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            kind => {
                self.at -= 1;
                let found = format!("the marker {:?}", char::from(kind));
                return Err(self.wrong(&found, "one of a value"));
            }
        })
    }

    fn table(&mut self) -> Result<Value<'a>, ReadError> {
        let mut entries = Vec::new();
        while self.peek()? != b'}' {
            let key = self.text()?;
            let kind = self.byte()?;
            entries.push((key, self.value(kind)?));
        }
        self.at += 1;
        Ok(Value::Table(entries))
    }

    fn list(&mut self) -> Result<Value<'a>, ReadError> {
        let kind = if self.takes(b'$')? { Some(self.byte()?) } else { None };
        let count = if self.takes(b'#')? { Some(self.length()?) } else { None };
        match (kind, count) {
            (Some(kind), Some(count)) => self.typed(kind, count),
            (Some(_), None) => Err(self.wrong("a list of one type without a count", "a count")),
            (None, Some(count)) => {
                // Every value has a byte at least.
                if count > self.bytes.len() - self.at {
                    return Err(self.wrong(&format!("a list of {count}"), "as many values"));
                }
                let mut values = Vec::new();
                for _ in 0..count {
                    let kind = self.byte()?;
                    values.push(self.value(kind)?);
                }
                Ok(Value::List(values))
            }
            (None, None) => {
                let mut values = Vec::new();
                while !self.takes(b']')? {
                    let kind = self.byte()?;
                    values.push(self.value(kind)?);
                }
                Ok(Value::List(values))
            }
        }
    }

    fn typed(&mut self, kind: u8, count: usize) -> Result<Value<'a>, ReadError> {
        fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
            let (items, _) = bytes.as_chunks::<N>();
            items.iter().map(|item| read(*item)).collect()
        }
        let size = match kind {
            b'i' | b'U' => 1,
            b'I' => 2,
            b'l' | b'd' => 4,
            b'L' | b'D' => 8,
            kind => {
                let found = format!("a list of the type {:?}", char::from(kind));
                return Err(self.wrong(&found, "one of numbers"));
            }
        };
        let Some(length) = count.checked_mul(size) else {
            return Err(self.wrong(&format!("a list of {count}"), "a shorter one"));
        };
        let bytes = self.take(length)?;
        Ok(match kind {
            b'i' => Value::Wholes(each(bytes, |it| i64::from(i8::from_be_bytes(it)))),
            b'U' => Value::Wholes(each(bytes, |it| i64::from(u8::from_be_bytes(it)))),
            b'I' => Value::Wholes(each(bytes, |it| i64::from(i16::from_be_bytes(it)))),
            b'l' => Value::Wholes(each(bytes, |it| i64::from(i32::from_be_bytes(it)))),
            b'L' => Value::Wholes(each(bytes, i64::from_be_bytes)),
            b'd' => Value::Singles(each(bytes, f32::from_be_bytes)),
            _ => Value::Doubles(each(bytes, f64::from_be_bytes)),
        })
    }

    fn text(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes);
        text.map(Cow::Borrowed).map_err(|_| self.wrong("what is not UTF-8", "a text"))
    }

    fn length(&mut self) -> Result<usize, ReadError> {
        let kind = self.byte()?;
        let length = self.whole(kind)?;
        usize::try_from(length)
            .map_err(|_| self.wrong(&format!("the length {length}"), "one from 0"))
    }

    fn takes(&mut self, marker: u8) -> Result<bool, ReadError> {
        let there = self.peek()? == marker;
        self.at += usize::from(there);
        Ok(there)
    }

    fn peek(&self) -> Result<u8, ReadError> {
        self.bytes.get(self.at).copied().ok_or_else(|| self.wrong("the end of the file", "more"))
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|at| bytes[at]))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ReadError> {
        let Some((bytes, _)) = self.bytes[self.at..].split_at_checked(length) else {
            return Err(self.wrong("the end of the file", &format!("{length} bytes more")));
        };
        self.at += length;
        Ok(bytes)
    }

    fn wrong(&self, found: &str, expected: &str) -> ReadError {
        ReadError::Malformed {
            place: format!("byte {}", self.at),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let found = match read(bytes) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn values_are_read() {
        check(b"{}", "Table([])");
        check(b"{i\x01aZU\x01bSi\x02\xc3\xa9}", r#"Table([("a", Null), ("b", Text("é"))])"#);
        check(b"[i\xffI\x01\x00T]", "List([Whole(-1), Whole(256), Bool(true)])");
        check(b"[#L\0\0\0\0\0\0\0\x01d\x3f\x80\0\0", "List([Single(1.0)])");
        check(b"[$d#i\x02\x3f\x80\0\0\xbf\x80\0\0", "Singles([1.0, -1.0])");
        check(b"[$l#i\x01\xff\xff\xff\xfe", "Wholes([-2])");
        check(b"[$U#i\x02\x00\xff", "Wholes([0, 255])");
        check(b"[$D#i\x00", "Doubles([])");
    }

    #[test]
    fn what_is_none_is_said_with_its_byte() {
        check(b"", "byte 0: found the end of the file, expected more");
        check(b"{i\x01a", "byte 4: found the end of the file, expected more");
        check(b"[x]", "byte 1: found the marker 'x', expected one of a value");
        check(b"[$d#i\x02\x3f", "byte 6: found the end of the file, expected 8 bytes more");
        check(b"[$S#i\x02", "byte 6: found a list of the type 'S', expected one of numbers");
        check(
            b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            "byte 11: found a list of 9223372036854775807, expected as many values",
        );
        check(b"[#i\xff", "byte 4: found the length -1, expected one from 0");
        check(b"ZZ", "byte 1: found more bytes, expected the end of the file");
        check(
            &[b'['; 100],
            "byte 65: found deeper ones, expected values within each other at most 64 deep",
        );
    }
}
