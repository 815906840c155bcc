//! The terminal, the host, and the loop between them.
//!
//! One thread reads keys and one asks the host; both only send events. So a host that does not
//! answer never holds up a key.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event as Input};
use thiserror::Error;

use crate::source::{How, Source};
use crate::state::{Command, Event, Settings, State};
use crate::theme::Theme;
use crate::update::update;
use crate::view::view;

/// How soon the reader of keys notices that it is to end.
const GLANCE: Duration = Duration::from_millis(100);
/// How many events are handled before the screen is painted again.
const EVENTS_PER_FRAME: usize = 256;

/// Why the view ended in another way than by the key for it.
#[derive(Debug, Error)]
pub enum RunError {
    /// Because nobody would see it.
    #[error(
        "this needs a terminal, for input and for output; `understudy status` says the same once"
    )]
    NoTerminal,
    /// Because the terminal is gone or does not do what it is told.
    #[error("the terminal does not work: {0}")]
    Terminal(#[from] io::Error),
}

/// Shows the host until the person quits or `stop` is set. The terminal is as it was before when
/// this returns, and also when it panics.
///
/// # Errors
///
/// When there is no terminal, or it goes away.
pub fn run(
    source: impl Source,
    settings: Settings,
    theme: Theme,
    stop: Arc<AtomicBool>,
) -> Result<(), RunError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(RunError::NoTerminal);
    }
    let (events, heard) = channel();
    let (commands, told) = channel();
    let every = settings.every;
    let host_events = events.clone();
    // Not joined: nobody waits for a host that does not answer.
    thread::Builder::new()
        .name("host".into())
        .spawn(move || ask(source, every, &host_events, &told))?;
    let mut terminal = ratatui::try_init()?;
    let done = Arc::new(AtomicBool::new(false));
    let reader = thread::Builder::new().name("keys".into()).spawn({
        let (done, stop) = (Arc::clone(&done), Arc::clone(&stop));
        move || read_keys(&events, &done, &stop)
    })?;
    let shown = show(&mut terminal, State::new(settings), theme, &heard, &commands);
    done.store(true, Ordering::Release);
    // A terminal that is gone holds up who reads its keys for ever: then nobody waits for that.
    let read = shown.is_ok().then(|| reader.join());
    let restored = ratatui::try_restore();
    shown?;
    restored?;
    read.transpose().map_err(|_| io::Error::other("the reader of keys panicked"))?.transpose()?;
    Ok(())
}

/// Paints, waits, and handles all that waits. Ends when the person wants it, or when nobody reads
/// keys any more.
fn show(
    terminal: &mut DefaultTerminal,
    mut state: State,
    theme: Theme,
    heard: &Receiver<Event>,
    commands: &Sender<Command>,
) -> io::Result<()> {
    let mut keys_read = true;
    while keys_read {
        terminal.draw(|frame| view(&state, theme, frame))?;
        let Ok(first) = heard.recv() else { return Ok(()) };
        for event in std::iter::once(first).chain(heard.try_iter()).take(EVENTS_PER_FRAME) {
            keys_read &= !matches!(event, Event::KeysEnded);
            match update(&mut state, event) {
                Some(Command::Quit) => return Ok(()),
                // The thread that asks the host ends only with this loop.
                Some(command) => drop(commands.send(command)),
                None => {}
            }
        }
    }
    Ok(())
}

/// Sends keys until it is told to end.
fn read_keys(events: &Sender<Event>, done: &AtomicBool, stop: &AtomicBool) -> io::Result<()> {
    let read = || {
        while !done.load(Ordering::Acquire) && !stop.load(Ordering::Acquire) {
            if !event::poll(GLANCE)? {
                continue;
            }
            let event = match event::read()? {
                Input::Key(key) => Event::Key(key),
                Input::Resize(..) => Event::Resized,
                _ => continue,
            };
            if events.send(event).is_err() {
                break;
            }
        }
        Ok(())
    };
    let read = read();
    // Nobody listens any more where the view has ended first.
    let _heard = events.send(Event::KeysEnded);
    read
}

/// Asks the host for its state every so often, and in between for what a person wants.
fn ask(mut source: impl Source, every: Duration, events: &Sender<Event>, told: &Receiver<Command>) {
    let start = Instant::now();
    let mut next = start;
    loop {
        let event = match told.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(command) => match obey(&mut source, command) {
                Some(event) => event,
                None => continue,
            },
            Err(RecvTimeoutError::Timeout) => {
                let status = source.status();
                let now = Instant::now();
                // Looks that were missed are not made up for.
                next = (next + every).max(now);
                Event::Polled { at_s: (now - start).as_secs_f64(), status }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let was_change = matches!(event, Event::Changed(..));
        if events.send(event).is_err() {
            return;
        }
        if was_change {
            next = Instant::now();
        }
    }
}

fn obey(source: &mut impl Source, command: Command) -> Option<Event> {
    match command {
        Command::Quit => None,
        Command::Preview(change) => {
            let reply = source.change(&change, How::DryRun);
            Some(Event::Previewed(change, reply))
        }
        Command::Make(change, why) => {
            let reply = source.change(&change, How::For(&why));
            Some(Event::Changed(change, reply))
        }
        Command::History { endpoint, model } => {
            let history = source.history(&endpoint, &model);
            Some(Event::History { endpoint, model, history })
        }
    }
}
