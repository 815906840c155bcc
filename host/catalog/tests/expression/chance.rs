//! Texts made by chance: whatever an operator writes and a caller sends, nothing panics, nothing
//! overflows, and one text means one thing.

use catalog::{EvaluationError, Expression, ExpressionError, Facts};
use proptest::prelude::*;

use crate::request::{bare, flight};

/// Words and signs of the language, and what is close to them.
const PIECES: [&str; 72] = [
    "key",
    "id",
    "tenant",
    "inputs",
    "parameters",
    "inputs.distance",
    "inputs.stops",
    "inputs.wind",
    "parameters.client",
    "parameters.priority",
    "nothing",
    "x",
    "true",
    "false",
    "null",
    "0",
    "1",
    "-1",
    "2u",
    "1.5",
    "1e999",
    "9223372036854775807",
    "-9223372036854775808",
    "0x7f",
    "'HA'",
    "\"\"",
    "'\\u00e9'",
    "'\\777'",
    "b'\\xff'",
    "r'\\'",
    "'''a\n'b'''",
    "'",
    "\"",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    ".",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    " in ",
    "size(",
    "has(",
    ".exists(x,",
    ".all(x,",
    ".map(x,",
    ".filter(x,",
    ".exists_one(x,",
    ".contains(",
    "string(",
    "int(",
    "//",
    "\n",
    "é\u{1f6eb}",
];

fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24);
    pieces.prop_map(|pieces| pieces.concat())
}

/// Expressions that parse, most of them.
fn grown() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(&PIECES[..30]).prop_map(str::to_owned);
    leaf.prop_recursive(5, 48, 3, |inner| {
        let binary = prop::sample::select(&PIECES[44..58]);
        prop_oneof![
            (inner.clone(), binary, inner.clone())
                .prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            inner.clone().prop_map(|it| format!("({it})")),
            inner.clone().prop_map(|it| format!("!{it}")),
            inner.clone().prop_map(|it| format!("size({it})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.map(x, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.exists(x, {b})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
        ]
    })
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let compiled = match Expression::compile(text) {
        Ok(compiled) => compiled,
        Err(ExpressionError::Panicked { message }) => {
            // Caught, and so no harm; but a finding.
            prop_assert!(!message.is_empty());
            return Ok(());
        }
        Err(error) => {
            let again = Expression::compile(text).unwrap_err();
            prop_assert_eq!(again, error);
            return Ok(());
        }
    };
    for request in [flight(), bare()] {
        let facts = Facts::new(&request);
        let (holds, text_of) = (compiled.holds(&facts), compiled.text_of(&facts));
        prop_assert_eq!(compiled.holds(&facts), holds.clone());
        let panicked = [holds.err(), text_of.err()]
            .into_iter()
            .flatten()
            .any(|error| matches!(error, EvaluationError::Panicked { .. }));
        prop_assert!(!panicked, "the evaluation panicked");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_soup_of_words_and_signs_does_no_harm(text in soup()) {
        check(&text)?;
    }

    #[test]
    fn an_expression_that_grew_does_no_harm(text in grown()) {
        check(&text)?;
    }

    #[test]
    fn any_text_does_no_harm(text in "\\PC{0,40}") {
        check(&text)?;
    }
}
