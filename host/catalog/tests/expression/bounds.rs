//! Limits: of an expression, and of what it may ask of a request.

use catalog::expression::{
    BRACKETS_LIMIT, DEPTH_LIMIT, ELEMENTS_LIMIT, LENGTH_LIMIT_BYTES, NODES_LIMIT, STEPS_LIMIT,
    TEXT_LIMIT_BYTES, TOKENS_LIMIT,
};
use catalog::{Expression, ExpressionError, Facts};
use message::{Contents, Parameter, Request, Tensor};

use crate::request::bare;

fn error(expression: &str) -> Option<ExpressionError> {
    Expression::compile(expression).err()
}

fn evaluate(expression: &str, request: &Request) -> Result<bool, String> {
    let compiled = Expression::compile(expression).unwrap();
    compiled.holds(&Facts::new(request)).map_err(|error| error.to_string())
}

#[test]
fn an_expression_has_a_longest_length() {
    let long = |bytes: usize| format!("key == '{}'", "x".repeat(bytes - 9));
    assert_eq!(error(&long(LENGTH_LIMIT_BYTES)), None);
    let bytes = LENGTH_LIMIT_BYTES + 1;
    assert_eq!(error(&long(bytes)), Some(ExpressionError::TooLong { bytes }));
}

#[test]
fn an_expression_has_a_largest_number_of_words_and_signs() {
    let list = |count: usize| format!("key in [{}'']", "'a',".repeat(count));
    assert_eq!(error(&list(TOKENS_LIMIT / 4 - 2)), None);
    assert_eq!(error(&list(TOKENS_LIMIT / 4)), Some(ExpressionError::TooManyTokens));
}

#[test]
fn what_stands_too_deep_is_refused_whatever_makes_it_deep() {
    let in_brackets = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(error(&in_brackets(DEPTH_LIMIT)), None);
    // Signs that cancel each other leave nothing.
    assert_eq!(error(&format!("{}1 == 1", "-".repeat(TOKENS_LIMIT - 8))), None);
    let sum = |terms: usize| format!("{}1 == 1", "1+".repeat(terms));
    assert_eq!(error(&sum(DEPTH_LIMIT - 4)), None);
    let half = TOKENS_LIMIT / 2;
    let most = BRACKETS_LIMIT;
    for deep in [
        sum(half - 4),
        format!("{}true{}", "!(".repeat(most), ")".repeat(most)),
        format!("{}true", "!(".repeat(most)),
        format!("{}1{} == [1]", "[".repeat(most), "]".repeat(most)),
        format!("{}1{} == 1", "{1:".repeat(most), "}".repeat(most)),
        format!("{}1", "{1:".repeat(most)),
        format!("key{} == 1", ".a".repeat(half - 4)),
        format!("{}true", "true?true:".repeat(most)),
        format!("{}true{}", "true?".repeat(most), ":true".repeat(most)),
        format!("inputs.x{} == 1", "[0]".repeat(most)),
        format!("inputs.x{} == 1", ".map(x,x)".repeat(most)),
        format!("{}x{} == 1", "[1].map(x,".repeat(most / 2), ")".repeat(most / 2)),
        format!("{}1{} == 1", "size([".repeat(most / 2), "])".repeat(most / 2)),
        format!("{}{}", "(1+".repeat(most), "1+".repeat(half - most * 2)),
        format!("{}{}", "(".repeat(most), "a.".repeat(half - most)),
        "(".repeat(most),
        "[".repeat(most),
        "!".repeat(TOKENS_LIMIT),
        "a.".repeat(half),
        "a in ".repeat(half),
        "a<".repeat(half),
        "a||".repeat(TOKENS_LIMIT / 3),
    ] {
        assert!(error(&deep).is_some(), "{deep}");
    }
    let too_many = Some(ExpressionError::TooManyBrackets);
    assert_eq!(error(&in_brackets(BRACKETS_LIMIT + 1)), too_many);
    assert_eq!(error(&format!("key == '{}'", "?".repeat(BRACKETS_LIMIT + 1))), too_many);
}

/// The deepest expression of a sort that is accepted.
fn deepest(of_depth: impl Fn(usize) -> String) -> Expression {
    let (mut accepted, mut refused) = (1, DEPTH_LIMIT + 1);
    while refused - accepted > 1 {
        let middle = usize::midpoint(accepted, refused);
        match error(&of_depth(middle)) {
            None => accepted = middle,
            Some(_) => refused = middle,
        }
    }
    Expression::compile(&of_depth(accepted)).unwrap()
}

#[test]
fn the_deepest_expressions_fit_the_stack_of_any_thread() {
    let nested = |before: &'static str, middle: &'static str, after: &'static str| {
        deepest(|depth| format!("{}{middle}{} == 1", before.repeat(depth), after.repeat(depth)))
    };
    let expressions = [
        nested("1+", "1", ""),
        nested("size([", "1", "])"),
        nested("(true ? ", "1", ": 2)"),
        nested("{1:", "1", "}[1]"),
        nested("[1].map(x,", "1", ")[0]"),
        nested("size(string(", "1", "))"),
        nested("[1].filter(x, 1 == ", "1", ")[0]"),
        nested("-(0 + ", "1", ")"),
    ];
    let evaluate = move || {
        let request = bare();
        for expression in &expressions {
            let value = expression.holds(&Facts::new(&request));
            assert!(value.is_ok(), "{expression}: {value:?}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(evaluate).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_chain_of_or_is_not_deep() {
    let chain = |terms: usize| vec!["key == 'a'"; terms].join(" || ");
    assert_eq!(error(&chain(TOKENS_LIMIT / 9)), None);
}

#[test]
fn loops_in_loops_cost_too_much() {
    assert_eq!(error("inputs.a.exists(x, x > 1) && inputs.b.all(x, x > 1)"), None);
    for costly in [
        "inputs.a.exists(x, inputs.b.exists(y, x == y))",
        "inputs.a.exists(x, x in inputs.b)",
        "inputs.a in inputs.b",
        "inputs.a.map(x, inputs.b) == []",
        "inputs.a.map(x, inputs.a.map(y, inputs.a.map(z, z))) == []",
    ] {
        let error = error(costly);
        let Some(ExpressionError::TooCostly { steps }) = error else { panic!("{error:?}") };
        assert!(steps > STEPS_LIMIT);
    }
    // Where the lists are written out, their lengths are known.
    assert_eq!(error("[1, 2].all(x, [1, 2, 3].exists(y, x == y))"), None);
    // Macros make one part into several.
    let many = format!("key == '' {}", "&&[1].all(x,true)".repeat(BRACKETS_LIMIT / 2));
    let Some(ExpressionError::TooManyNodes { nodes }) = error(&many) else { panic!("{many}") };
    assert!(nodes > NODES_LIMIT);
}

#[test]
fn a_request_with_too_much_of_something_has_no_value_for_it() {
    let mut request = bare();
    let count = ELEMENTS_LIMIT + 1;
    let length = u32::try_from(count).unwrap();
    request.inputs = vec![
        Tensor::new("a", vec![length], Contents::F64s(vec![0.0; count])),
        Tensor::new("b", vec![1], Contents::Texts(vec!["x".repeat(TEXT_LIMIT_BYTES + 1)])),
        Tensor::new("c", vec![length - 1], Contents::F64s(vec![0.0; ELEMENTS_LIMIT])),
    ];
    request.parameters.insert("p".to_owned(), Parameter::Text("x".repeat(TEXT_LIMIT_BYTES + 1)));
    request.key = Some("x".repeat(TEXT_LIMIT_BYTES + 1));
    let too_much = |expression: &str, expected: &str| {
        assert_eq!(evaluate(expression, &request), Err(expected.to_owned()));
    };
    too_much("0.0 in inputs.a", "the input \"a\" has 257 elements, of at most 256");
    too_much("inputs.b == 'x'", "the input \"b\" has 1025 bytes, of at most 1024");
    too_much("parameters.p == 'x'", "the parameter \"p\" has 1025 bytes, of at most 1024");
    too_much("key == 'x'", "key has 1025 bytes, of at most 1024");
    assert_eq!(evaluate("0.0 in inputs.c && 'p' in parameters && id != ''", &request), Ok(true));
}
