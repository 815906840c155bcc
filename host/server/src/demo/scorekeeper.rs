//! Follows the scores and answers topics and compares what was said with what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use message::record::{AnswerSource, decode_answer, decode_score};
use message::{ModelName, Outcome, Reason, RequestId, Tensor};
use monitor::{Agreement, BinaryQuality, Comparison, Latency, Quality, Quantiles};
use parking_lot::Mutex;
use stream::{Partition, ReadLimit};

use super::flights::Flight;
use super::player::{Progress, index_of};
use crate::clock;
use crate::endpoint::Endpoint;

/// The output that is compared.
const OUTPUT: &str = "delayed";
/// Two predictions within this of each other agree.
const TOLERANCE: f64 = 0.05;
/// How many requests wait for the champion's score.
const OPEN_PAIRS: usize = 20_000;
/// How long one wait for more records lasts.
const WAIT: Duration = Duration::from_millis(200);
const READ_LIMIT: ReadLimit = ReadLimit { records: 2048, bytes: 4 << 20 };

/// What has been seen so far.
pub(crate) struct Board {
    /// Each model's quality by month, and that of the official answers under [`OFFICIAL`].
    pub(crate) quality: BTreeMap<String, Quality>,
    pub(crate) comparison: Comparison,
    /// Who answered and why.
    pub(crate) answers: BTreeMap<(String, Reason), u64>,
    pub(crate) latency: Latency,
    pub(crate) answered: u64,
}

/// The name under which the official answers are judged.
pub(crate) const OFFICIAL: &str = "the rendezvous";

impl Board {
    /// Nothing seen yet.
    pub(crate) fn new(champion: ModelName) -> Self {
        Self {
            quality: BTreeMap::new(),
            comparison: Comparison::new(champion, TOLERANCE, OPEN_PAIRS),
            answers: BTreeMap::new(),
            latency: Latency::default(),
            answered: 0,
        }
    }

    /// How far a model agrees with the champion.
    pub(crate) fn agreement(&self, model: &ModelName) -> Option<&Agreement> {
        self.comparison.agreement(model)
    }

    /// The latencies of the last seconds.
    pub(crate) fn quantiles(&self) -> Quantiles {
        self.latency.quantiles(clock::now())
    }

    fn judge(&mut self, who: &str, flight: &Flight, value: f64) {
        if let Some(late) = flight.late {
            let quality = self.quality.entry(who.to_owned()).or_default();
            quality.observe(&month_name(flight.month), value, late);
        }
    }

    /// The quality of one of them in one month, or over all months.
    pub(crate) fn quality_of(&self, who: &str, month: Option<u8>) -> Option<BinaryQuality> {
        let quality = self.quality.get(who)?;
        match month {
            Some(month) => quality.bucket(&month_name(month)).cloned(),
            None => Some(quality.total()),
        }
    }
}

/// Follows the topics until told to stop.
pub(crate) struct Scorekeeper {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) flights: Arc<Vec<Flight>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) board: Arc<Mutex<Board>>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Scorekeeper {
    /// Follows the scores on one thread and the answers on another.
    pub(crate) fn start(self) -> [std::thread::JoinHandle<Result<()>>; 2] {
        let keeper = Arc::new(self);
        let scores = Arc::clone(&keeper);
        [
            std::thread::spawn(move || {
                scores.follow(&*scores.endpoint.journal.scores[0], Self::score)
            }),
            std::thread::spawn(move || {
                keeper.follow(&*keeper.endpoint.journal.answers[0], Self::answer)
            }),
        ]
    }

    fn follow(&self, topic: &dyn Partition, take: fn(&Self, &mut Board, &[u8])) -> Result<()> {
        let mut next = topic.watermarks().start;
        loop {
            let stopping = self.stop.load(Ordering::Relaxed);
            let records = topic.read(next, READ_LIMIT)?;
            if records.is_empty() {
                if stopping {
                    return Ok(());
                }
                topic.wait(next, WAIT);
                continue;
            }
            let mut board = self.board.lock();
            for stored in &records {
                take(self, &mut board, &stored.record.value);
                next = stored.offset + 1;
            }
        }
    }

    fn score(&self, board: &mut Board, record: &[u8]) {
        let Ok(score) = decode_score(record) else { return };
        let Outcome::Prediction(prediction) = score.outcome else { return };
        let Some((value, flight)) = self.compared(&score.request, &prediction.outputs) else {
            return;
        };
        board.comparison.observe(&score.request, &score.model, value);
        board.judge(score.model.as_str(), flight, value);
    }

    fn answer(&self, board: &mut Board, record: &[u8]) {
        let Ok(answer) = decode_answer(record) else { return };
        self.progress.answered.fetch_add(1, Ordering::Relaxed);
        board.answered += 1;
        board.latency.record(clock::now(), answer.latency);
        if let Some((value, flight)) = self.compared(&answer.request, &answer.outputs) {
            board.judge(OFFICIAL, flight, value);
        }
        let from = match answer.source {
            AnswerSource::Score { model, .. } => model.to_string(),
            AnswerSource::Ensemble { .. } => "an ensemble".to_owned(),
            AnswerSource::Default => "the default".to_owned(),
            AnswerSource::Nothing { .. } => "nobody".to_owned(),
        };
        *board.answers.entry((from, answer.reason)).or_default() += 1;
    }

    fn compared(&self, request: &RequestId, outputs: &[Tensor]) -> Option<(f64, &Flight)> {
        let flight = self.flights.get(index_of(request.as_str())?)?;
        Some((monitor::scalar(outputs, Some(OUTPUT))?, flight))
    }
}

/// The name of a month, from 1 to 12.
pub(crate) fn month_name(month: u8) -> String {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[usize::from(month.clamp(1, 12)) - 1].to_owned()
}
