//! What expressions say of a request.

use catalog::{Expression, Facts};

use crate::request::{bare, flight};

fn holds(expression: &str) -> Result<bool, String> {
    let request = flight();
    let compiled = Expression::compile(expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
    compiled.holds(&Facts::new(&request)).map_err(|error| error.to_string())
}

fn check(expected: bool, expressions: &[&str]) {
    for expression in expressions {
        assert_eq!(holds(expression), Ok(expected), "{expression}");
    }
}

fn fails(expression: &str, expected: &str) {
    assert_eq!(holds(expression), Err(expected.to_owned()), "{expression}");
}

fn text(expression: &str, expected: &str) {
    let request = flight();
    let found = Expression::compile(expression).unwrap().text_of(&Facts::new(&request));
    assert_eq!(found, Ok(expected.to_owned()), "{expression}");
}

#[test]
fn a_condition_speaks_of_key_id_tenant_inputs_and_parameters() {
    check(
        true,
        &[
            "key == 'HA' && inputs.distance > 1000.0",
            "key in ['AS', 'HA'] && id == 'r-1'",
            "tenant == \"north\" || tenant == 'south'",
            "parameters.client.startsWith('ac') && parameters.priority >= 2",
            "parameters.share < 0.5 && parameters.dry",
            "inputs.late",
            "!(key == 'AA')",
            "has(inputs.distance) && !has(inputs.altitude)",
            "'distance' in inputs && !('client' in inputs) && 'client' in parameters",
            "inputs['distance'] == 1500.5",
            "inputs.seats % 2 == 0 ? inputs.distance > 1.0 : false",
            "size(key) == 2 && key.size() == 2 && size(inputs) == 19",
            "string(inputs.seats) + 'x' == '180x' && int('7') == 7 && double(7) == 7.0",
            "inputs.stops[1] == 'SEA' && 'ANC' in inputs.stops && size(inputs.stops) == 2",
            "inputs.stops.exists(stop, stop == 'ANC') && inputs.wind.all(w, w < 5.0)",
            "inputs.wind.exists_one(w, w < 0.0) && inputs.wind.filter(w, w > 0.0) == [3.0]",
            "inputs.wind.map(w, w * 2.0)[1] == -9.0",
            "{'HA': 'hawaii'}[key] == 'hawaii' && key in {'HA': 1}",
            "size(inputs.nothing) == 0",
            "// a remark\nkey == 'HA'",
        ],
    );
    check(false, &["key == 'ha'", "key != 'HA'", "id == key", "parameters.share > 1"]);
}

#[test]
fn every_datatype_is_a_value() {
    check(
        true,
        &[
            "inputs.u8 + inputs.u16 + inputs.u32 + inputs.u64 == 120",
            "inputs.s8 + inputs.s16 + inputs.s32 == -56",
            "inputs.f16 == 1.5 && inputs.bf16 == 1.5",
            "inputs.most == 18446744073709551615u && inputs.most > inputs.u64",
            "parameters.huge == 18446744073709551615u",
            "inputs.word == 'blob' && inputs.word.contains('lo')",
            "inputs.bytes == b'\\xff'",
            "inputs.nan != inputs.nan",
        ],
    );
}

#[test]
fn what_a_request_does_not_say_is_empty_or_an_error() {
    let request = bare();
    let facts = Facts::new(&request);
    for expression in ["key == '' && tenant == ''", "size(inputs) == 0", "!has(inputs.distance)"] {
        assert_eq!(
            Expression::compile(expression).unwrap().holds(&facts),
            Ok(true),
            "{expression}"
        );
    }
    fails("inputs.altitude > 1.0", "No such key: altitude");
    fails("parameters.altitude == 1", "No such key: altitude");
    // What decides is not in doubt, whatever the other side is.
    check(true, &["inputs.altitude > 1.0 || key == 'HA'"]);
    check(false, &["inputs.altitude > 1.0 && key == 'AA'"]);
}

#[test]
fn a_value_of_another_type_is_an_error_of_the_request() {
    fails(
        "inputs.distance > 'far'",
        "found no matching overload for '_>_' applied to '(double, string)'",
    );
    fails("inputs.distance", "the expression gave double, expected true or false");
    fails("inputs.seats / 0 == 1", "Division by zero of Int(180)");
    fails("inputs.stops[2] == 'x'", "Index out of bounds: Int(2)");
    fails(
        "int(key) == 1",
        "Error executing function 'int': string parse error: invalid digit found in string",
    );
}

#[test]
fn a_choice_is_a_text() {
    text("key", "HA");
    text("parameters.client", "acme");
    text("tenant + '-' + key", "north-HA");
    text("inputs.distance > 1000.0 ? 'far' : 'near'", "far");
    let request = flight();
    let gave = Expression::compile("inputs.seats").unwrap().text_of(&Facts::new(&request));
    let expected = "the expression gave int, expected a text";
    assert_eq!(gave.map_err(|error| error.to_string()), Err(expected.to_owned()));
}

#[test]
fn expressions_are_equal_where_their_texts_are() {
    let compile = |text| Expression::compile(text).unwrap();
    assert_eq!(compile("key"), Expression::key());
    assert_ne!(compile("key "), compile("key"));
    assert_eq!(format!("{:?} {}", compile("key"), compile("id")), "\"key\" id");
}
