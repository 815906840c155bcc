//! No text makes an expression panic, overflow or take long, and the same request always gives it the
//! same value.
//!
//! What stands behind a zero byte is the key of the request and one of its inputs. The parser may
//! panic: that is caught, and is a mistake of the file.

#![no_main]

use catalog::{EvaluationError, Expression, Facts};
use libfuzzer_sys::fuzz_target;
use message::{Contents, Parameter, Request, Tensor, Time};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (text, key) = text.split_once('\0').unwrap_or((text, "HA"));
    let Ok(expression) = Expression::compile(text) else { return };
    let request = request(key);
    let facts = Facts::new(&request);
    let (holds, text_of) = (expression.holds(&facts), expression.text_of(&facts));
    assert_eq!(expression.holds(&facts), holds);
    assert_eq!(expression.text_of(&facts), text_of);
    for error in [holds.err(), text_of.err()].into_iter().flatten() {
        assert!(!matches!(error, EvaluationError::Panicked { .. }), "{error}");
    }
});

fn request(key: &str) -> Request {
    let input = |name: &str, contents: Contents| {
        let count = u32::try_from(contents.len()).expect("a short list");
        Tensor::new(name, [count], contents)
    };
    Request {
        id: "r".into(),
        time: Time::EPOCH,
        deadline: Time::EPOCH,
        key: Some(key.to_owned()),
        tenant: None,
        caller_id: None,
        inputs: vec![
            input("text", Contents::Texts(vec![key.to_owned()])),
            input("bytes", Contents::Blobs(vec![vec![0xff]])),
            input("number", Contents::F64s(vec![1.5])),
            input("numbers", Contents::S64s(vec![i64::MIN, -1, 0, 1, i64::MAX])),
            input("many", Contents::F32s(vec![f32::NAN; 256])),
        ],
        parameters: [("p".to_owned(), Parameter::Uint(u64::MAX))].into(),
        outputs: Vec::new(),
    }
}
