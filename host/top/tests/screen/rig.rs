//! A view without a terminal, and a host that is only numbers.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};
use top::{Command, Event, Settings, State, Theme, update, view};

/// A view of a host.
pub(crate) struct Rig {
    pub(crate) state: State,
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) seconds: u32,
}

impl Rig {
    /// A view that has heard nothing yet.
    pub(crate) fn new() -> Self {
        let host = "127.0.0.1:8002".to_owned();
        let settings = Settings { host, every: Duration::from_secs(1) };
        Self { state: State::new(settings), size: (132, 36), theme: Theme::COLOURS, seconds: 0 }
    }

    /// A view that has looked at a host with two endpoints for some minutes.
    pub(crate) fn watching() -> Self {
        let mut rig = Self::new();
        rig.hear_for(400);
        rig
    }

    /// Hears the host once a second.
    pub(crate) fn hear_for(&mut self, seconds: u32) {
        for _ in 0..seconds {
            let status = status(self.seconds);
            self.hear(Ok(status));
        }
    }

    /// Hears this a second later.
    pub(crate) fn hear(&mut self, status: Result<Value, String>) {
        let event = Event::Polled { at_s: f64::from(self.seconds), status };
        assert_eq!(self.send(event), None);
        self.seconds += 1;
    }

    pub(crate) fn send(&mut self, event: Event) -> Option<Command> {
        update(&mut self.state, event)
    }

    /// Presses a key, and returns what is to be done.
    pub(crate) fn press(&mut self, code: KeyCode) -> Option<Command> {
        self.send(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    /// Presses the key of each letter; nothing is to be done but by the last.
    pub(crate) fn keys(&mut self, letters: &str) -> Option<Command> {
        letters.chars().fold(None, |command, letter| {
            assert_eq!(command, None, "before {letter} of {letters}");
            self.press(KeyCode::Char(letter))
        })
    }

    /// The screen as cells.
    pub(crate) fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| view(&self.state, self.theme, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let buffer = self.buffer();
        let rows = buffer.content().chunks(usize::from(self.size.0));
        let line = |row: &[ratatui::buffer::Cell]| {
            row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()
        };
        rows.map(line).collect()
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The first line that contains this.
    #[track_caller]
    pub(crate) fn line(&self, words: &str) -> String {
        let lines = self.lines();
        let found = lines.iter().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("no `{words}` in\n{}", lines.join("\n"))).clone()
    }

    /// Asserts that these words are on the screen.
    #[track_caller]
    pub(crate) fn sees(&self, words: &[&str]) {
        words.iter().for_each(|words| drop(self.line(words)));
    }

    /// Asserts that these words are not on the screen.
    #[track_caller]
    pub(crate) fn misses(&self, words: &str) {
        let text = self.text();
        assert!(!text.contains(words), "found `{words}` in\n{text}");
    }
}

/// What the host says at a second. `flights` gets 1,200 requests a second, more or less, of which
/// the champion answers most; the canary is staged elsewhere. `acme/fraud` has a broken model.
pub(crate) fn status(second: u32) -> Value {
    let flights = (0..=second).map(requests).sum::<u64>();
    let slow = (0..=second).filter(|second| second % 90 > 75).map(requests).sum::<u64>();
    let [logit, default] = [slow / 3, slow / 40];
    json!({
        "version": "0.1.0",
        "problems": ["flights/endpoint.toml:7: there is no model `hawaiian`; known: gbdt, logit"],
        "endpoints": [
            {
                "name": "acme/fraud", "deadline_us": 20_000, "requests": 12 * u64::from(second),
                "open_mailboxes": 0, "latency_us_p50": 300, "latency_us_p99": 900,
                "answers": [{ "from": "rules", "reason": "preferred", "count": 12 * second }],
                "models": [
                    model("rules", "champion", 12 * u64::from(second), 300),
                    { "name": "net", "role": "staged", "state": "refused", "revision": "77aa01b2c3d4",
                      "reason": "it imports wasi:sockets/tcp, which nothing may" },
                ],
            },
            {
                "name": "flights", "deadline_us": 50_000, "requests": flights,
                "open_mailboxes": 3, "latency_us_p50": 410 + u64::from(second % 7) * 10,
                "latency_us_p99": if second % 90 > 75 { 31_200 } else { 2_100 },
                "answers": [
                    { "from": "gbdt", "reason": "preferred", "count": flights - logit - default },
                    { "from": "logit", "reason": "preferred-was-slow", "count": logit },
                    { "from": "default", "reason": "nothing-came", "count": default },
                ],
                "models": [
                    model("logit", "fallback", flights, 90),
                    model("gbdt", "champion", flights, 380),
                    model("logit-2013q1", "canary", flights, 95),
                    model("forest", "staged", flights / 2, 4_200),
                ],
            },
        ],
    })
}

fn requests(second: u32) -> u64 {
    1_200 + u64::from(second % 60) * 4
}

fn model(name: &str, role: &str, predictions: u64, latency_us: u64) -> Value {
    json!({
        "name": name, "role": role, "state": "live", "revision": "4f0c9a1be27d", "reason": null,
        "lane": if role == "staged" { "shadow" } else { "live" },
        "predictions": predictions, "refusals": 0, "faults": if role == "staged" { predictions / 500 } else { 0 },
        "answers": 0, "drops": 0, "cpu_us": predictions * latency_us / 2,
        "latency_us_p50": latency_us, "latency_us_p99": latency_us * 5, "queued": latency_us / 100,
        "memory_bytes": 6_400_000, "memory_bytes_high": 9_100_000, "sessions": 2,
        "budget_left": 0.98, "late_share": 0.004,
        "log": ["warm", "read 40 trees\u{1b}[31m of depth 6"],
    })
}
