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
    let variable = |expression: &str, name: &str, place: &str| {
        let names = "key, id, tenant, inputs and parameters";
        refused(
            expression,
            &format!("an unknown variable {name:?}, at {place} of it, where there are {names}"),
        );
    };
    variable("key == 'HA' && cariers == 1", "cariers", "column 16");
    variable("'é' == key &&\n  kye == ''", "kye", "line 2, column 3");
    variable("'é' == key && kye == ''", "kye", "column 15");
    variable("inputs.wind.all(w, v > 1.0)", "v", "column 20");
    variable("inputs.wind.all(w, w > 1.0) && w == 1.0", "w", "column 32");
    let function = |expression: &str, name: &str, column: usize| {
        let names = "size, contains, startsWith, endsWith, string, int, uint, double, has, exists, \
                     exists_one, all, filter and map";
        refused(
            expression,
            &format!(
                "an unknown function {name:?}, at column {column} of it, where there are {names}"
            ),
        );
    };
    function("upper(key) == 'HA'", "upper", 6);
    function("key.matches('H.')", "matches", 12);
    function("type(key) == string", "type", 5);
    function("timestamp(key) == id", "timestamp", 10);
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
            "e:3: route[0].when: found an unknown variable \"kye\", at column 1 of it, where there are \
             key, id, tenant, inputs and parameters, expected {condition}"
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
