//! Prints how long documents of the protocol take to read and write, beside the JSON library.
//!
//! `cargo run --release -p message --example oip_speed`

use std::hint::black_box;
use std::time::{Duration, Instant};

use message::oip::{InferRequest, decode_request, encode_request};
use message::record::{encode_answer, encode_score};
use message::{
    Answer, Chosen, Contents, Outcome, Prediction, Reason, Revision, Score, Selection, Tensor, Time,
};

fn main() {
    let small = flight();
    let document = encode_request(&small);
    println!("a request with nine small inputs, {} bytes", document.len());
    measure("read it", || drop(black_box(decode_request(black_box(&document)))));
    measure("read it as the JSON library's value", || {
        drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(&document))));
    });
    measure("write it", || drop(black_box(encode_request(black_box(&small)))));

    let floats: Vec<f32> = (1_u32..=4096).map(|n| (n as f32).sin()).collect();
    let large = one_input(Contents::F32s(floats.clone()));
    let (document, list) = (encode_request(&large), serde_json::to_vec(&floats).expect("a list"));
    println!("a request with 4,096 binary32, {} bytes", document.len());
    measure("read it", || drop(black_box(decode_request(black_box(&document)))));
    measure("read the bare list with the JSON library", || {
        drop(black_box(serde_json::from_slice::<Vec<f32>>(black_box(&list))));
    });
    measure("write it", || drop(black_box(encode_request(black_box(&large)))));
    measure("write the bare list with the JSON library", || {
        drop(black_box(serde_json::to_vec(black_box(&floats))));
    });

    let integers = one_input(Contents::S64s((0..4096).map(|n| n * 7919).collect()));
    let document = encode_request(&integers);
    println!("a request with 4,096 integers, {} bytes", document.len());
    measure("read it", || drop(black_box(decode_request(black_box(&document)))));

    println!("records");
    let (answer, score, mut out) = (answer(), score(), Vec::new());
    measure("write an answer", || {
        out.clear();
        encode_answer(black_box(&answer), &"flights".into(), &mut out);
    });
    measure("write a score", || {
        out.clear();
        encode_score(black_box(&score), &mut out);
    });
}

/// Prints the shortest of several rounds, as other programs can only lengthen one.
fn measure(what: &str, mut run: impl FnMut()) {
    const ROUND: Duration = Duration::from_millis(40);
    let mut shortest_ns = f64::INFINITY;
    for _ in 0..20 {
        let (start, mut runs) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            (0..16).for_each(|_| run());
            runs += 16;
        }
        shortest_ns = shortest_ns.min(start.elapsed().as_nanos() as f64 / f64::from(runs));
    }
    println!("  {what:45} {:9.3} us", shortest_ns / 1000.0);
}

fn one_input(contents: Contents) -> InferRequest {
    let length = u32::try_from(contents.len()).expect("a short list");
    InferRequest { inputs: vec![Tensor::new("x", [length], contents)], ..InferRequest::default() }
}

fn flight() -> InferRequest {
    let text = |name: &str, text: &str| Tensor::new(name, [1], Contents::Texts(vec![text.into()]));
    let int = |name: &str, int| Tensor::new(name, [1], Contents::S32s(vec![int]));
    let float = |name: &str, float| Tensor::new(name, [1], Contents::F32s(vec![float]));
    let inputs = vec![
        text("carrier", "UA"),
        text("origin", "EWR"),
        text("destination", "IAH"),
        float("distance", 1400.0),
        int("hour", 5),
        int("weekday", 2),
        int("month", 1),
        float("wind_speed", 12.658_57),
        float("visibility", 10.0),
    ];
    InferRequest { id: Some("flight-1545".into()), inputs, ..InferRequest::default() }
}

fn prediction() -> Prediction {
    let outputs = vec![Tensor::new("delayed", [1], Contents::F32s(vec![0.173_2]))];
    Prediction { outputs, notes: Vec::new() }
}

fn answer() -> Answer {
    Answer {
        request: "0-1545".into(),
        caller_id: Some("flight-1545".into()),
        chosen: Chosen::Score {
            model: "gbdt".into(),
            revision: Revision::from_digest([7; 32]),
            prediction: prediction(),
        },
        reason: Reason::Preferred,
        selection: Selection::default(),
        time: Time::from_us(1_357_034_400_000_000),
        latency: Duration::from_micros(812),
    }
}

fn score() -> Score {
    Score {
        request: "0-1545".into(),
        model: "gbdt".into(),
        revision: Revision::from_digest([7; 32]),
        outcome: Outcome::Prediction(prediction()),
        time: Time::from_us(1_357_034_400_000_000),
        latency: Duration::from_micros(812),
        cpu: Duration::from_micros(31),
    }
}
