//! Models that take many rows in one request say what the library says of each of them.

use trained_tests::{Golden, Packed};

const MODELS: [(&str, &str); 6] = [
    ("lightgbm", "categories"),
    ("lightgbm", "data-frame"),
    ("xgboost", "codes-classes-json"),
    ("catboost", "texts-classes"),
    ("sklearn", "histogram-categories-multiclass"),
    ("onnx", "sklearn-net"),
];

fn golden(library: &str, model: &str) -> Golden {
    let folders = trained_tests::trained(library);
    let folder = folders.iter().find(|folder| folder.ends_with(model)).expect("it was trained");
    let mut golden = Golden::read(folder);
    golden.options.rows = true;
    golden
}

#[test]
fn many_rows_of_one_request_are_predicted_as_the_library_does() {
    for (library, model) in MODELS {
        let golden = golden(library, model);
        let mut packed = Packed::load(&golden).unwrap();
        for (rows, together) in [(golden.rows, 1000), (1500, 7), (20, 1)] {
            let answers = packed.ask_together(&golden, 0..rows, together).unwrap();
            assert_eq!(answers.len(), rows, "{library}/{model}");
            let said = trained_tests::compare(&golden, &answers);
            println!("{library}/{model}, {together} rows a request: {}", said.unwrap());
        }
    }
}

#[test]
fn a_request_with_a_row_that_is_refused_is_refused_with_its_number() {
    let folders = trained_tests::trained("sklearn");
    let refusing = folders.iter().map(|folder| folder.join("refused"));
    let folder = refusing.into_iter().find(|folder| folder.exists()).expect("some refuse rows");
    let mut golden = Golden::read(&folder);
    golden.options.rows = true;
    let mut packed = Packed::load(&golden).unwrap();
    let why = packed.ask_together(&golden, 0..3, 3).unwrap_err();
    assert!(why.starts_with("row 0, counted from 0: `"), "{why}");
    let why = packed.ask_together(&golden, 0..1, 1).unwrap_err();
    assert!(why.starts_with('`'), "{why}");
}

#[test]
fn tensors_have_as_many_rows_as_each_other_and_one_at_least() {
    let golden = golden("lightgbm", "data-frame");
    let mut packed = Packed::load(&golden).unwrap();
    let mut request = trained_tests::request_of(&golden, 0..2);
    let carrier = trained_tests::request_of(&golden, 0..3).inputs.swap_remove(1);
    request.inputs[1] = carrier;
    assert_eq!(
        packed.refusal(&request),
        "input `carrier`: found tensor `carrier` is BYTES (text)[3], expected 2 rows of Text[1]"
    );
    let none = trained_tests::request_of(&golden, 0..0);
    assert_eq!(
        packed.refusal(&none),
        "input `distance`: found tensor `distance` is FP64[0], expected some rows of F64[1]"
    );
}
