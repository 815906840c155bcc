//! What the demo shows: a page that is painted over on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::flights::Flight;
use super::player::Progress;
use super::scorekeeper::{Board, OFFICIAL, month_name};
use crate::clock;
use crate::endpoint::Endpoint;
use crate::stage::role_name;

/// How often a terminal is painted over.
const PAINT_EVERY: Duration = Duration::from_millis(500);
/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);
const BAR_WIDTH: usize = 40;

/// Shows how the demo goes.
pub(crate) struct Screen {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) flights: Arc<Vec<Flight>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) board: Arc<Mutex<Board>>,
    is_terminal: bool,
    last: (Instant, u64),
    rate: f64,
}

impl Screen {
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        flights: Arc<Vec<Flight>>,
        progress: Arc<Progress>,
        board: Arc<Mutex<Board>>,
    ) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let last = (Instant::now(), 0);
        Self { endpoint, flights, progress, board, is_terminal, last, rate: 0.0 }
    }

    /// How long to wait before showing again.
    pub(crate) const fn pause(&self) -> Duration {
        if self.is_terminal { PAINT_EVERY } else { LINE_EVERY }
    }

    /// Shows where things stand.
    pub(crate) fn show(&mut self) {
        self.measure_rate();
        let text = if self.is_terminal {
            // Home, paint each line over what was there, then clear the rest.
            let page = self.page().replace('\n', "\x1b[K\n");
            format!("\x1b[H{page}\x1b[J")
        } else {
            self.line()
        };
        let mut out = std::io::stdout().lock();
        // Nobody reads where the output has gone.
        let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Clears the terminal, if it is one.
    pub(crate) fn clear(&self) {
        if self.is_terminal {
            print!("\x1b[2J\x1b[H");
        }
    }

    /// Everything, for the end.
    pub(crate) fn summary(&self) -> String {
        let board = self.board.lock();
        let mut text = String::new();
        self.write_models(&mut text, &board);
        write_answers(&mut text, &board);
        self.write_quality(&mut text, &board);
        text
    }

    fn measure_rate(&mut self) {
        let answered = self.board.lock().answered;
        let (then, before) = self.last;
        let seconds = then.elapsed().as_secs_f64();
        if seconds > 0.1 {
            self.rate = (answered - before) as f64 / seconds;
            self.last = (Instant::now(), answered);
        }
    }

    fn date(&self) -> String {
        let position = self.progress.position.load(Ordering::Relaxed) as usize;
        let flight = self.flights.get(position.min(self.flights.len().saturating_sub(1)));
        flight.map_or_else(String::new, |it| format!("{:>2} {}", it.day, month_name(it.month)))
    }

    fn line(&self) -> String {
        let board = self.board.lock();
        let quantiles = board.quantiles();
        let mut line = format!(
            "{} 2013  {:.0} requests/s  {} answered  p50 {:.2} ms  p99 {:.2} ms ",
            self.date(),
            self.rate,
            board.answered,
            quantiles.latency_us_p50 as f64 / 1e3,
            quantiles.latency_us_p99 as f64 / 1e3,
        );
        for ((from, reason), count) in &board.answers {
            let _ = write!(line, " {from}/{reason} {count}");
        }
        line.push('\n');
        line
    }

    fn page(&self) -> String {
        let board = self.board.lock();
        let quantiles = board.quantiles();
        let position = self.progress.position.load(Ordering::Relaxed) as usize;
        let filled = BAR_WIDTH * position / self.flights.len().max(1);
        let mut page = String::new();
        let _ = writeln!(
            page,
            "Understudy demo: will this flight arrive more than 15 minutes late?\n\n\
             {} 2013  [{}{}]  {:>6.0} requests/s   p50 {:.2} ms   p99 {:.2} ms\n",
            self.date(),
            "#".repeat(filled),
            ".".repeat(BAR_WIDTH - filled.min(BAR_WIDTH)),
            self.rate,
            quantiles.latency_us_p50 as f64 / 1e3,
            quantiles.latency_us_p99 as f64 / 1e3,
        );
        self.write_models(&mut page, &board);
        write_answers(&mut page, &board);
        self.write_quality(&mut page, &board);
        page
    }

    fn write_models(&self, page: &mut String, board: &Board) {
        let live = self.endpoint.live.load();
        let now = clock::now();
        let cpu_of =
            |model: &str| live.member(model).map(|it| it.identity.meter.totals().cpu.as_secs_f64());
        let parts = self.endpoint.parts.load();
        let cpu_total: f64 = parts.iter().filter_map(|part| cpu_of(part.model.as_str())).sum();
        let _ = writeln!(
            page,
            "{:<12} {:<11} {:<12} {:>9} {:>8} {:>8} {:>8} {:>6} {:>10}",
            "model", "role", "state", "answers", "faults", "p50 ms", "p99 ms", "cpu", "agreement"
        );
        for part in parts.iter() {
            let meter = live.member(part.model.as_str()).map(|member| &member.identity.meter);
            let totals = meter.map(|meter| meter.totals()).unwrap_or_default();
            let quantiles = meter.map(|meter| meter.quantiles(now)).unwrap_or_default();
            let agreement = board.agreement(&part.model).and_then(|it| it.share_within());
            let _ = writeln!(
                page,
                "{:<12} {:<11} {:<12} {:>9} {:>8} {:>8.2} {:>8.2} {:>5.1}% {:>10}",
                part.model,
                role_name(part.role),
                part.state.name(),
                totals.answers,
                totals.faults,
                quantiles.latency_us_p50 as f64 / 1e3,
                quantiles.latency_us_p99 as f64 / 1e3,
                100.0 * cpu_of(part.model.as_str()).unwrap_or(0.0) / cpu_total.max(1e-9),
                agreement.map_or("-".into(), |share| format!("{:.1}%", 100.0 * share)),
            );
            if let Some(note) = &part.note {
                let _ = writeln!(page, "             {note}");
            }
        }
        page.push('\n');
    }

    fn write_quality(&self, page: &mut String, board: &Board) {
        let _ = writeln!(page, "log-loss and AUC by month (trained on January to March)");
        let names: Vec<&String> = board.quality.keys().collect();
        let _ = write!(page, "{:<5}", "");
        names.iter().for_each(|name| {
            let _ = write!(page, " {name:>15}");
        });
        page.push('\n');
        for month in (1..=12).map(Some).chain([None]) {
            let label = month.map_or("year".into(), month_name);
            let mut row = format!("{label:<5}");
            let mut known = false;
            for name in &names {
                let quality = board.quality_of(name, month);
                let loss = quality.as_ref().and_then(|it| it.log_loss());
                let auc = quality.as_ref().and_then(|it| it.auc());
                known |= loss.is_some();
                let cell = match (loss, auc) {
                    (Some(loss), Some(auc)) => format!("{loss:.4} {:.4}", auc.value),
                    (Some(loss), None) => format!("{loss:.4}      -"),
                    _ => "-".to_owned(),
                };
                let _ = write!(row, " {cell:>15}");
            }
            if known {
                let _ = writeln!(page, "{row}");
            }
        }
        if board.quality.contains_key(OFFICIAL) {
            let _ = writeln!(page, "({OFFICIAL}: the official answers)");
        }
    }
}

fn write_answers(page: &mut String, board: &Board) {
    let _ = writeln!(page, "who answered, and why");
    for ((from, reason), count) in &board.answers {
        let share = 100.0 * *count as f64 / board.answered.max(1) as f64;
        let _ = writeln!(page, "  {from:<12} {:<20} {count:>8}  {share:>5.1}%", reason.name());
    }
    page.push('\n');
}
