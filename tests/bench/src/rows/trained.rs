//! Rows (l): packed models in the sandbox against the libraries that trained them, on the same rows.
//!
//! Both sides take turns on one thread, and what counts is the time that the processor spent, since waits for it are no cost of
//! either. A row of ours is a call of a session with production limits: inputs checked and copied into the guest, clocks on, outputs
//! checked and copied out. A row of the library is what its interface does with numbers that lie there.

mod native;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use message::{Fault, Request};
use sandbox::{ModelLimits, Runtime, RuntimeConfig, Session};
use trained_tests::Golden;

use crate::measure::{Turns, median, thread_cpu};
use crate::table::{Aim, Row};
use native::Native;

const ROUNDS: usize = 11;
const LOADS: usize = 3;
/// How long the sandbox is asked in a turn.
const TURN: Duration = Duration::from_millis(30);

/// A model that both sides have.
struct Model {
    /// Its folder among those that `tests/trained/speed/train.py` writes.
    folder: &'static str,
    what: &'static str,
    /// The ids of its rows: one row alone, many at once, many in one request, size, load.
    ids: [&'static str; 5],
    /// What is hoped for, for one row and for a row of many.
    aims: [Aim; 2],
}

macro_rules! model {
    ($folder:literal, $what:literal, $aims:expr) => {
        Model {
            folder: $folder,
            what: $what,
            ids: [
                concat!("l-", $folder, "-one"),
                concat!("l-", $folder, "-many"),
                concat!("l-", $folder, "-rows"),
                concat!("l-", $folder, "-size"),
                concat!("l-", $folder, "-load"),
            ],
            aims: $aims,
        }
    };
}

const TREES: [Aim; 2] = [Aim::RatioAtMost(1.5), Aim::RatioAtMost(2.0)];
const LINEAR: [Aim; 2] = [Aim::RatioAtMost(1.5), Aim::RatioAtMost(1.5)];
const NET: [Aim; 2] = [Aim::RatioAtMost(1.5), Aim::RatioAtMost(3.0)];

const MODELS: [Model; 14] = [
    model!("empty", "a tree of one leaf, 30 columns; LightGBM", [Aim::None, Aim::None]),
    model!("lightgbm", "200 trees of 31 leaves, 30 columns; LightGBM", TREES),
    model!("xgboost", "200 trees of depth 6, 30 columns; XGBoost", TREES),
    model!("catboost", "300 trees of depth 6, 28 columns; CatBoost", TREES),
    model!("catboost-texts", "300 trees of depth 6, 14 named columns; CatBoost", TREES),
    model!("sklearn-linear", "a linear model, 28 columns; scikit-learn", LINEAR),
    model!("sklearn-logistic", "imputer, scaler and logistic model; scikit-learn", LINEAR),
    model!("sklearn-columns", "the same with categories, 14 named columns; scikit-learn", LINEAR),
    model!("sklearn-forest", "100 trees of 63 leaves; scikit-learn", TREES),
    model!("sklearn-boosted", "200 trees of 31 leaves; scikit-learn", TREES),
    model!("sklearn-net", "scaler and net 28-64-32-1; scikit-learn", NET),
    model!("onnx-net", "net 20-64-32-1; onnxruntime", NET),
    model!("onnx-forest", "100 trees of 63 leaves; onnxruntime", TREES),
    model!("onnx-logistic", "scaler and logistic model; onnxruntime", LINEAR),
];

pub(super) fn measure() -> Result<Vec<Row>> {
    let folders = trained_tests::trained("speed");
    let mut rows = Vec::new();
    for model in MODELS {
        let folder = folders.iter().find(|folder| folder.ends_with(model.folder));
        let folder = folder.ok_or_else(|| anyhow!("train.py wrote no {}", model.folder))?;
        eprintln!("    {}", model.folder);
        let mut golden = Golden::read(folder);
        let component = trained_tests::component(&golden).map_err(anyhow::Error::msg)?;
        let (mut session, load_ms) = load(&component, &golden)?;
        golden.options.rows = true;
        let of_rows = trained_tests::component(&golden).map_err(anyhow::Error::msg)?;
        let mut of_rows =
            runtime()?.load(&of_rows, &ModelLimits::default())?.session().map_err(broken)?;
        let mut native = Native::start(folder)?;
        let [one, many, rows_of_one] = turns(&mut session, &mut of_rows, &mut native, &golden)?;
        let row = |at: usize, what: String, unit, ours, reference, aim| {
            let id = model.ids[at];
            Row { id, what, unit, ours, reference, aim }
        };
        let us = |at: usize, how: &str, turns: &Turns| {
            let what = format!("{how}: {}", model.what);
            row(at, what, "µs", turns.ours(), Some(turns.reference()), model.aims[at.min(1)])
        };
        let kib = component.len() as f64 / 1024.0;
        rows.extend([
            us(0, "one row", &one),
            us(1, "a row of 1,000", &many),
            us(2, "a row of 1,000 in one request", &rows_of_one),
            row(3, "its component".to_owned(), "KiB", kib, None, Aim::None),
            row(4, "compiled, and its first answer".to_owned(), "ms", load_ms, None, Aim::None),
        ]);
    }
    Ok(rows)
}

/// Loads a component that was never compiled, several times. Returns the last session, and how long a load took until the first answer.
fn load(component: &[u8], golden: &Golden) -> Result<(Session, f64)> {
    let request = trained_tests::request(golden, 0);
    let mut took_ms = Vec::new();
    loop {
        let runtime = runtime()?;
        let begun = Instant::now();
        let model = runtime.load(component, &ModelLimits::default())?;
        let mut session = model.session().map_err(broken)?;
        let answered = session.predict(&[&request]).results;
        took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(matches!(answered.as_deref(), Ok([Ok(_)])), "the first answer is {answered:?}");
        if took_ms.len() == LOADS {
            return Ok((session, median(&took_ms)));
        }
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Runtime::new(RuntimeConfig { allow_wasi: false, ..Default::default() })?)
}

fn broken(fault: Fault) -> anyhow::Error {
    anyhow!("{fault:?}")
}

/// What a row took, in microseconds: alone, as one of many requests, and as one of many rows of a request.
fn turns(
    session: &mut Session,
    of_rows: &mut Session,
    native: &mut Native,
    golden: &Golden,
) -> Result<[Turns; 3]> {
    let each: Vec<_> = (0..golden.rows).map(|row| trained_tests::request(golden, row)).collect();
    let each: Vec<_> = each.iter().collect();
    check_agreement(session, golden, &each)?;
    let together = trained_tests::request_of(golden, 0..golden.rows);
    check_agreement(of_rows, golden, &[&together])?;
    let mut turns = [Turns::default(), Turns::default(), Turns::default()];
    for _round in 0..ROUNDS {
        turns[0].push(microseconds(session, &each, 1), native.one_us()?);
        let many_us = native.many_us()?;
        turns[1].push(microseconds(session, &each, each.len()), many_us);
        let rows_us = microseconds(of_rows, &[&together], 1) / golden.rows as f64;
        turns[2].push(rows_us, many_us);
    }
    Ok(turns)
}

/// Asks with so many requests a call, for a turn, and returns what a request took.
fn microseconds(session: &mut Session, requests: &[&Request], at_once: usize) -> f64 {
    let begun = thread_cpu();
    let mut asked = 0;
    for some in requests.chunks(at_once).cycle() {
        assert!(session.predict(some).results.is_ok(), "the model answered every row before");
        asked += some.len();
        // The clock is a call of the system, which a small request need not pay.
        if (asked.is_multiple_of(100) || requests.len() == 1) && thread_cpu() - begun > TURN {
            break;
        }
    }
    (thread_cpu() - begun).as_secs_f64() * 1e6 / asked as f64
}

/// What is compared has to predict the same.
fn check_agreement(session: &mut Session, golden: &Golden, all: &[&Request]) -> Result<()> {
    let mut answers = Vec::new();
    for result in session.predict(all).results.map_err(broken)? {
        let prediction = result.map_err(|refusal| anyhow!("{refusal:?}"))?;
        answers.extend(trained_tests::rows_of(&prediction.outputs));
    }
    ensure!(answers.len() == golden.rows, "{} rows of {}", answers.len(), golden.rows);
    trained_tests::compare(golden, &answers).map_err(anyhow::Error::msg)?;
    Ok(())
}
