//! From a text to a tree, within bounds.
//!
//! The parser calls itself for everything that stands in something else, and a stack that overflows
//! cannot be caught. So what could make it go deep is counted before it sees the text, roughly and
//! too high, and it runs on a stack that is large enough for that count.

use std::thread;

use cel::parser::Parser;
use cel::{IdedExpr, ParseErrors};

use super::caught;
use super::check::{self, Checked};
use super::error::{ExpressionError, Place, quote};

/// The longest expression, in bytes.
pub const LENGTH_LIMIT_BYTES: usize = 4096;
/// The most words and signs in an expression; those inside of its texts are counted too.
pub const TOKENS_LIMIT: usize = 1024;
/// The most parts of an expression, with what its macros stand for.
pub const NODES_LIMIT: usize = 512;
/// How deep parts of an expression may stand in each other.
pub const DEPTH_LIMIT: usize = 32;

/// The most brackets that may open, and question marks; those inside of texts are counted too. Each
/// of them makes the parser go through all its rules once more.
pub const BRACKETS_LIMIT: usize = 128;

/// The stack of the parser: twice what any text within the limits takes in a debug build. What is
/// not used of it is never given by the system.
const STACK_BYTES: usize = 64 << 20;

/// Parses and checks an expression.
pub(super) fn compile(text: &str) -> Result<(IdedExpr, Checked), ExpressionError> {
    count(text)?;
    apart(|| parse(text))
}

/// Calls the parser on a stack that is large enough, and takes its panics for what they are.
fn apart<T: Send>(
    parse: impl FnOnce() -> Result<T, ExpressionError> + Send,
) -> Result<T, ExpressionError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("expression".to_owned()).stack_size(STACK_BYTES);
        let thread = thread
            .spawn_scoped(scope, || caught::catch(parse))
            .map_err(|error| ExpressionError::NoThread { message: error.to_string() })?;
        let unreadable = |message: &str| ExpressionError::Panicked { message: quote(message) };
        match thread.join() {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(message)) => Err(unreadable(&message)),
            Err(_) => Err(unreadable("nothing")),
        }
    })
}

/// Refuses what the parser must not see.
fn count(text: &str) -> Result<(), ExpressionError> {
    let bytes = text.len();
    if bytes > LENGTH_LIMIT_BYTES {
        return Err(ExpressionError::TooLong { bytes });
    }
    if text.bytes().filter(|byte| b"([{?".contains(byte)).count() > BRACKETS_LIMIT {
        return Err(ExpressionError::TooManyBrackets);
    }
    match tokens(text) {
        0 => Err(ExpressionError::Empty),
        tokens if tokens > TOKENS_LIMIT => Err(ExpressionError::TooManyTokens),
        _ => Ok(()),
    }
}

/// Counts words and signs. It need not know which of them stand in texts: it never counts too few.
fn tokens(text: &str) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    let mut before = b' ';
    text.bytes()
        .filter(|&byte| {
            let goes_on = is_word(byte) && is_word(std::mem::replace(&mut before, byte));
            before = byte;
            !goes_on && !byte.is_ascii_whitespace()
        })
        .count()
}

/// The part on the known stack: a tree that is too deep is dropped here, too.
fn parse(text: &str) -> Result<(IdedExpr, Checked), ExpressionError> {
    let parsed = Parser::new().max_recursion_depth(u16::MAX).parse_with_source_info(text);
    let (tree, source) = parsed.map_err(|errors| syntax_error(text, &errors))?;
    let checked = check::check(text, &tree, &source)?;
    Ok((tree, checked))
}

fn syntax_error(text: &str, errors: &ParseErrors) -> ExpressionError {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    let number = |number: isize| usize::try_from(number).unwrap_or(1).max(1);
    let message = first.map_or("nothing", |error| error.msg.as_str());
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let end = Place::of(text, text.len());
    let mut place = Place { line: number(line), column: number(column) };
    if place.line > end.line {
        place = end;
    }
    ExpressionError::Syntax { place, message: quote(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_counted_wherever_they_stand() {
        assert_eq!(tokens(" \n\t "), 0);
        assert_eq!(tokens("key == 'HA'"), 6);
        assert_eq!(tokens("((a_1))"), 5);
        assert_eq!(tokens("'((é é))'"), 8);
    }

    #[test]
    fn a_panic_of_the_parser_is_a_mistake_of_the_text() {
        let parsed: Result<(), _> = apart(|| panic!("index out of bounds\nand more"));
        let message = "index out of bounds".to_owned();
        assert_eq!(parsed, Err(ExpressionError::Panicked { message }));
        assert!(compile("key == 'HA'").is_ok());
    }
}
