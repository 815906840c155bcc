//! What is refused when a file is read, and how it is said.

use std::path::Path;

use catalog::{EndpointConfig, Expression};

fn refused(expression: &str, expected: &str) {
    let error = Expression::compile(expression).unwrap_err();
    assert_eq!(error.to_string(), expected, "{expression}");
}

fn misused(expressions: &[(&str, &str)]) {
    for (expression, found) in expressions {
        let error = Expression::compile(expression).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{found}, at ")), "{expression}: {error}");
    }
}

#[test]
fn a_name_that_is_nothing_is_refused_with_its_place() {
    refused("key == 'HA' && cariers == 1", "an unknown variable \"cariers\", at column 16 of it");
    refused("'é' == key &&\n  kye == ''", "an unknown variable \"kye\", at line 2, column 3 of it");
    refused("'é' == key && kye == ''", "an unknown variable \"kye\", at column 15 of it");
    refused("upper(key) == 'HA'", "an unknown function \"upper\", at column 6 of it");
    refused("key.matches('H.')", "an unknown function \"matches\", at column 12 of it");
    refused("type(key) == string", "an unknown function \"type\", at column 5 of it");
    refused("timestamp(key) == id", "an unknown function \"timestamp\", at column 10 of it");
    refused("inputs.wind.all(w, v > 1.0)", "an unknown variable \"v\", at column 20 of it");
    refused(
        "inputs.wind.all(w, w > 1.0) && w == 1.0",
        "an unknown variable \"w\", at column 32 of it",
    );
}

#[test]
fn a_type_that_cannot_fit_is_refused() {
    misused(&[
        ("key > 5", "a text > a whole number"),
        ("key == 5", "a text == a whole number"),
        ("1 + 1.5 == 2.5", "a whole number + a number with a fraction"),
        ("key && true", "a text where true or false belongs"),
        ("!key", "a text where true or false belongs"),
        ("key in 'HA'", "\"in\" with a text"),
        ("-key == 'HA'", "the negative of a text"),
        ("(1 == 1).contains('x')", "\"contains\" of true or false"),
        ("key.contains(1)", "\"contains\" of a whole number"),
        ("size(1) == 1", "\"size\" of a whole number"),
        ("size(key, key) == 1", "\"size\" with 2 arguments"),
        ("key[0] == 'H'", "an element of a text"),
        ("key.length == 1", "the field \"length\" of a text"),
        ("inputs == parameters", "a map by itself, which can only be looked into"),
        ("inputs.all(name, name == 'x')", "a loop over a map"),
        ("{'a': 1, 'b': 2}.map(k, k) == ['a', 'b']", "a loop over a map"),
        ("[{'a': 1}][0] == 1", "a map by itself, which can only be looked into"),
        ("(key == '' ? {'a': 1} : [1]).all(k, k == 1)", "a loop over a map"),
        ("flight.Plan{id: key} == key", "a message \"flight.Plan\""),
    ]);
}

#[test]
fn what_cannot_be_parsed_is_refused_with_its_place() {
    for (expression, start) in [
        ("key ==", "an expression that cannot be parsed: "),
        ("key = 'HA'", "an expression that cannot be parsed: "),
        ("key == 'HA", "an expression that cannot be parsed: "),
        ("(key == 'HA'", "an expression that cannot be parsed: "),
        ("key == 'HA' key", "an expression that cannot be parsed: "),
        ("has(key)", "an expression that cannot be parsed: "),
        ("inputs.?distance == 1", "an expression that cannot be parsed: "),
        ("\u{0} == key", "an expression that cannot be parsed: "),
    ] {
        let error = Expression::compile(expression).unwrap_err().to_string();
        assert!(error.starts_with(start), "{expression}: {error}");
        assert!(error.contains(" column "), "{expression}: {error}");
    }
    refused("", "an empty expression");
    refused(" \n ", "an empty expression");
}

#[test]
fn a_file_says_where_its_expression_is_wrong() {
    let refused = |text: &str, expected: &str| {
        let problem = EndpointConfig::parse(Path::new("e"), text).unwrap_err();
        assert_eq!(problem.to_string(), expected);
    };
    let condition = "a condition such as \"key == 'HA' && inputs.distance > 1000.0\"";
    refused(
        "deadline = '1s'\n[[route]]\nwhen = \"kye == 'HA'\"\nmodel = 'a'",
        &format!(
            "e:3: route[0].when: found an unknown variable \"kye\", at column 1 of it, expected \
             {condition}"
        ),
    );
    refused(
        "[[route]]\nwhen = 'key'\nmodel = 'a'",
        &format!("e:2: route[0].when: found an expression that gives a text, expected {condition}"),
    );
    refused(
        "[[route]]\nwhen = 7\nmodel = 'a'",
        &format!("e:2: route[0].when: found 7, expected {condition}"),
    );
    refused(
        "[[route]]\nmodels = 'client-*'\nchoose = 'key == id'",
        "e:3: route[0].choose: found an expression that gives true or false, expected an expression \
         for a text such as \"key\" or \"parameters.client\"",
    );
}
