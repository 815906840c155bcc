//! The driver of a scanner: one thread that waits, scans and hands on what is new.
//!
//! It scans when the system hints that something happened, when the scanner asked to come again,
//! and every now and then in any case. Without hints (network file systems, watches used up) only
//! the latter two remain, and all is as right as before, only later.

mod hints;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use message::Time;

use self::hints::{Hints, Notice};
use crate::catalog::Catalog;
use crate::scanner::{Hint, ScanOptions, Scanner};

/// Events that wait for the thread; of more, only that there were more is remembered.
const EVENTS_LIMIT: usize = 4096;
/// How often a scan is repeated at once because it came upon folders that were not watched.
const FOLLOW_LIMIT: usize = 3;

/// Watches a folder until it is stopped or dropped.
#[derive(Debug)]
pub struct Watcher {
    events: SyncSender<Event>,
    hinted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How a folder is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchOptions {
    /// How careful each scan is.
    pub scan: ScanOptions,
    /// How often the folder is scanned, whatever the hints say.
    pub period: Duration,
    /// How long after a hint the scan waits, so that one scan serves many hints.
    pub quiet: Duration,
    /// Whether the system is asked for hints.
    pub hints: bool,
}

/// Who hears of a new catalog. It is called on the watcher's thread, and holds up the next scan.
pub type OnCatalog = Box<dyn Fn(Arc<Catalog>) + Send>;

impl Watcher {
    /// Scans the folder `dir`, which need not exist yet, and goes on doing so. `on_catalog` gets
    /// the first catalog and from then on each that differs from the one before.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        dir: impl Into<PathBuf>,
        options: WatchOptions,
        on_catalog: OnCatalog,
    ) -> io::Result<Self> {
        let (events, inbox) = sync_channel(EVENTS_LIMIT);
        let lost = Arc::new(AtomicBool::new(false));
        let hints = options.hints.then(|| start_hints(events.clone(), lost.clone())).flatten();
        let hinted = Arc::new(AtomicBool::new(hints.is_some()));
        let driver = Driver {
            scanner: Scanner::new(dir, options.scan.clone()),
            options,
            hints,
            hinted: hinted.clone(),
            inbox,
            lost,
            on_catalog,
            waiting: Vec::new(),
            due: Instant::now(),
        };
        let thread = thread::Builder::new().name("catalog".to_owned()).spawn(|| driver.run())?;
        Ok(Self { events, hinted, thread: Some(thread) })
    }

    /// Scans now and returns what is there then. `None` if `on_catalog` has panicked, which ended
    /// the thread.
    pub fn rescan(&self) -> Option<Arc<Catalog>> {
        let (reply, replied) = sync_channel(1);
        self.events.send(Event::Rescan(reply)).ok()?;
        replied.recv().ok()
    }

    /// Whether the system hints at changes of every folder; else they are noticed by looking
    /// every [`period`](WatchOptions::period).
    pub fn has_hints(&self) -> bool {
        self.hinted.load(Ordering::Relaxed)
    }

    /// Ends the thread and waits for it. Must not be called from `on_catalog`.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Whether the thread takes the message or has ended by a panic, it can be joined; a panic
        // has been reported already where it happened.
        let _ended = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            scan: ScanOptions::default(),
            period: Duration::from_secs(2),
            quiet: Duration::from_millis(3),
            hints: true,
        }
    }
}

enum Event {
    Notice(Notice),
    Rescan(SyncSender<Arc<Catalog>>),
    Stop,
}

fn start_hints(events: SyncSender<Event>, lost: Arc<AtomicBool>) -> Option<Hints> {
    let started = Hints::start(move |notice| {
        if events.try_send(Event::Notice(notice)).is_err() {
            lost.store(true, Ordering::Release);
        }
    });
    started
        .inspect_err(|error| tracing::warn!(%error, "no hints about files; scanning periodically"))
        .ok()
}

struct Driver {
    scanner: Scanner,
    options: WatchOptions,
    hints: Option<Hints>,
    hinted: Arc<AtomicBool>,
    inbox: Receiver<Event>,
    lost: Arc<AtomicBool>,
    on_catalog: OnCatalog,
    /// Who asked for a scan.
    waiting: Vec<SyncSender<Arc<Catalog>>>,
    /// When to scan.
    due: Instant,
}

/// Because somebody asked the thread to end.
struct Stopped;

impl Driver {
    fn run(mut self) {
        let mut latest = None;
        while self.wait().is_ok() {
            let catalog = self.scan();
            if latest.as_ref().is_none_or(|latest| !Arc::ptr_eq(latest, &catalog)) {
                (self.on_catalog)(catalog.clone());
                latest = Some(catalog.clone());
            }
            for reply in self.waiting.drain(..) {
                // Who does not wait any more does not need to be told.
                let _gone = reply.try_send(catalog.clone());
            }
        }
    }

    /// Takes events until a scan is due and no event is left.
    fn wait(&mut self) -> Result<(), Stopped> {
        loop {
            let left = self.due.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Stopped> {
        let soon = Instant::now() + self.options.quiet;
        match event {
            Event::Stop => return Err(Stopped),
            Event::Rescan(reply) => {
                self.waiting.push(reply);
                self.due = Instant::now();
            }
            Event::Notice(Notice::Hint(path, hint)) => {
                self.scanner.handle_hint(now(), &path, hint);
                // A file that is being written is looked at when its writer is done.
                if hint == Hint::Done {
                    self.due = self.due.min(soon);
                }
            }
            Event::Notice(Notice::Gone(path)) => {
                let top = self.scanner.absolute();
                self.hints.iter_mut().for_each(|hints| hints.forget(top, &path));
                self.due = self.due.min(soon);
            }
            Event::Notice(Notice::Something) => self.due = self.due.min(soon),
            Event::Notice(Notice::Lost) => {
                self.scanner.forget_hints();
                self.due = self.due.min(soon);
            }
        }
        Ok(())
    }

    fn scan(&mut self) -> Arc<Catalog> {
        if self.lost.swap(false, Ordering::AcqRel) {
            self.scanner.forget_hints();
        }
        let mut scan = self.scanner.scan(now());
        // What happened in a new folder before it was watched is found by looking again.
        for _ in 0..FOLLOW_LIMIT {
            if !self.follow() {
                break;
            }
            scan = self.scanner.scan(now());
        }
        let again = scan.again_at.map(|time| time.since(now()) + Duration::from_millis(1));
        let wait = again.map_or(self.options.period, |again| again.min(self.options.period));
        self.due = Instant::now() + wait;
        scan.catalog
    }

    /// Watches the folders that are there now; says whether one of them is new.
    fn follow(&mut self) -> bool {
        let Some(hints) = &mut self.hints else { return false };
        let followed = hints.follow(self.scanner.absolute(), self.scanner.folders());
        self.hinted.store(followed.complete, Ordering::Relaxed);
        followed.anything_new
    }
}

fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::EPOCH + since_epoch
}
