//! The page about policies: its files are read, and its numbers are those of the code.

use std::path::Path;

use catalog::EndpointConfig;
use catalog::endpoint::policy::{ARM_LIMIT, MODELS_LIMIT, POLICY_DEPTH_LIMIT};
use catalog::endpoint::route::ROUTE_LIMIT;
use catalog::expression::{
    BRACKETS_LIMIT, DEPTH_LIMIT, ELEMENTS_LIMIT, Expression, LENGTH_LIMIT_BYTES, NODES_LIMIT,
    STEPS_LIMIT, TEXT_LIMIT_BYTES, TOKENS_LIMIT,
};

const PAGE: &str = include_str!("../../../docs/policies.md");

/// The blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let block = |rest: &'static str| rest.split_once("```").map(|(block, _)| block);
    PAGE.split(&opening).skip(1).filter_map(block).collect()
}

#[test]
fn every_file_of_the_page_is_understood() {
    let files = blocks("toml");
    assert!(files.len() >= 6, "{} files", files.len());
    for file in files {
        if let Err(problem) = EndpointConfig::parse(Path::new("page"), file) {
            panic!("{problem} in\n{file}");
        }
    }
}

#[test]
fn every_function_of_the_page_is_known() {
    let conditions = [
        "key in ['AA', 'HA'] && 'distance' in inputs && has(inputs.distance)",
        "key.contains('x') || key.startsWith('x') || key.endsWith('x') || size(key) == 1",
        "string(1) == '1' && int('1') == 1 && uint('1') == 1u && double('1') == 1.0",
        "inputs.list.exists(x, x > 1.0) && inputs.list.all(x, x > 1.0)",
        "inputs.list.exists_one(x, x > 1.0) && inputs.list.map(x, x) == []",
        "inputs.list.filter(x, x > 1.0) == [] && {'AA': 'east', 'HA': 'west'}[key] == 'west'",
        "has(inputs.distance) && inputs.distance > 1000.0 && double(inputs.seats) / 2.0 > 1.0",
    ];
    for condition in conditions {
        if let Err(error) = Expression::compile(condition) {
            panic!("{condition}: {error}");
        }
    }
    assert!(PAGE.contains("(`key > 5`)") && Expression::compile("key > 5").is_err());
}

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let steps = usize::try_from(STEPS_LIMIT).expect("a small number");
    let rows = [
        ("| length |", LENGTH_LIMIT_BYTES),
        ("| words and signs, those inside of texts counted too |", TOKENS_LIMIT),
        ("| opening brackets and `?` |", BRACKETS_LIMIT),
        ("| parts, with what macros such as `exists` stand for |", NODES_LIMIT),
        ("| parts in each other |", DEPTH_LIMIT),
        ("| steps that an evaluation could take, with lists as long as they may be |", steps),
        ("| elements of an input that is asked for |", ELEMENTS_LIMIT),
        ("| length of a text that is asked for |", TEXT_LIMIT_BYTES),
    ];
    for (row, limit) in rows {
        let expected = format!("{row} {}", with_commas(limit));
        assert!(PAGE.contains(&expected), "{expected}");
    }
    for sentence in [
        format!("in each other at most {POLICY_DEPTH_LIMIT} deep"),
        format!("at most {} arms and {ROUTE_LIMIT} routes", with_commas(ARM_LIMIT)),
        format!("an ensemble at most {MODELS_LIMIT}\nmodels"),
    ] {
        assert!(PAGE.contains(&sentence), "{sentence}");
    }
}

fn with_commas(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}
