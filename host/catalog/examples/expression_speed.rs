//! Prints how long expressions take to compile and to evaluate.
//!
//! `cargo run --release -p catalog --example expression_speed`

use std::hint::black_box;
use std::time::{Duration, Instant};

use catalog::{Expression, Facts};
use message::{Contents, Request, Tensor, Time};

fn main() {
    let codes: Vec<String> = (0..200).map(|code| format!("'C{code:03}'")).collect();
    let codes = format!("key in [{}]", codes.join(", "));
    let request = flight();
    let facts = Facts::new(&request);
    for text in [
        "key == 'HA'",
        "key in ['AA', 'AS', 'HA']",
        &codes,
        "inputs.distance > 1000.0",
        "key == 'HA' && inputs.distance > 1000.0",
        "parameters.client.startsWith('ac')",
        "inputs.numbers.exists(x, x > 1000.0)",
        "inputs.numbers.filter(x, inputs.numbers.size() > 3) == []",
    ] {
        println!("{}", &text[..text.len().min(60)]);
        let expression = match Expression::compile(text) {
            Ok(expression) => expression,
            Err(error) => {
                println!("  refused: {error}");
                continue;
            }
        };
        measure("compile it", || drop(black_box(Expression::compile(black_box(text)))));
        measure("evaluate it", || drop(black_box(expression.holds(black_box(&facts)))));
    }
    let key = Expression::key();
    measure("the text of key", || drop(black_box(key.text_of(black_box(&facts)))));
}

/// Prints the shortest of several rounds, as other programs can only lengthen one.
fn measure(what: &str, mut run: impl FnMut()) {
    const ROUND: Duration = Duration::from_millis(20);
    let mut shortest_ns = f64::INFINITY;
    for _ in 0..10 {
        let (start, mut runs) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            run();
            runs += 1;
        }
        shortest_ns = shortest_ns.min(start.elapsed().as_nanos() as f64 / f64::from(runs));
    }
    println!("  {what}: {shortest_ns:.0} ns");
}

fn flight() -> Request {
    let texts = |them: &[&str]| Contents::Texts(them.iter().map(|it| (*it).to_owned()).collect());
    Request {
        id: "r-1".into(),
        time: Time::EPOCH,
        deadline: Time::EPOCH,
        key: Some("HA".to_owned()),
        tenant: None,
        caller_id: None,
        inputs: vec![
            Tensor::new("carrier", [1], texts(&["HA"])),
            Tensor::new("distance", [1], Contents::F32s(vec![1500.5])),
            Tensor::new("numbers", [256], Contents::F64s(vec![1.0; 256])),
        ],
        parameters: [("client".to_owned(), message::Parameter::Text("acme".to_owned()))].into(),
        outputs: Vec::new(),
    }
}
