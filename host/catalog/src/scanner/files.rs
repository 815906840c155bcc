//! What is known of each file: whether it keeps still, and what is in it.
//!
//! A file is opened when it keeps still, and once for each state that it has. Who may rely on which
//! sign of stillness is the heart of this module; see [`Files::settled`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use message::{Revision, Time};
use sha2::{Digest, Sha256};

use super::look::{ENDPOINT_FILE, Seen};
use super::sections::Walk;
use super::{Hint, ScanOptions};
use crate::document::Document;
use crate::endpoint::EndpointConfig;
use crate::file::{self, OpenError, Signature};
use crate::manifest::ModelManifest;
use crate::problem::Problem;

/// How long a writer that was noticed is waited for after it last wrote.
const WRITER_PATIENCE: Duration = Duration::from_secs(10);
/// Two changes of a file can bear the same time when they are this close.
const CLOCK_GRAIN: Duration = Duration::from_millis(50);

/// What is known of a file.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    /// When there is none.
    Absent,
    /// When it is being written, or was there a moment ago.
    Unsettled,
    /// When it is of no use.
    Unusable(Problem),
    /// When it is a component, by the lengths of its sections.
    Model(Artefact),
    /// When it is the configuration of an endpoint.
    Endpoint(Arc<EndpointFile>),
    /// When it is a manifest.
    Manifest(Arc<ModelManifest>),
}

#[derive(Debug, Clone)]
pub(super) struct Artefact {
    pub(super) revision: Revision,
    pub(super) size_bytes: u64,
    pub(super) target: PathBuf,
}

#[derive(Debug)]
pub(super) struct EndpointFile {
    pub(super) config: EndpointConfig,
    pub(super) document: Document,
}

/// What is known of every file, by its way from the top of the folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    states: BTreeMap<PathBuf, State>,
    hints: BTreeMap<PathBuf, (Hint, Time)>,
    /// When something that is unsettled now may be settled.
    again_at: Option<Time>,
}

#[derive(Debug)]
struct State {
    target: PathBuf,
    signature: Signature,
    /// When this signature was first seen.
    since: Time,
    /// When the file was first seen to be gone.
    gone_since: Option<Time>,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    fact: Fact,
    /// Whether any later change must have shown in the signature.
    certain: bool,
}

impl Files {
    pub(super) fn hint(&mut self, now: Time, relative: PathBuf, hint: Hint) {
        self.hints.insert(relative, (hint, now));
    }

    pub(super) fn forget_hints(&mut self) {
        self.hints.clear();
    }

    /// Ends a scan: hints that were not needed are of no use to the next. Returns when that should
    /// be, if something is unsettled.
    pub(super) fn finish(&mut self, now: Time) -> Option<Time> {
        self.hints
            .retain(|_, (hint, time)| *hint == Hint::Writing && now.since(*time) < WRITER_PATIENCE);
        self.again_at.take()
    }

    pub(super) fn come_again(&mut self, time: Time) {
        self.again_at = Some(self.again_at.map_or(time, |earlier| earlier.min(time)));
    }

    /// Forgets the files of all other folders.
    pub(super) fn keep_folders(&mut self, keep: impl Fn(&Path) -> bool) {
        self.states.retain(|path, _| path.parent().is_some_and(&keep));
    }

    /// The names of the files of a folder that are known.
    pub(super) fn names_in(&self, relative: &Path) -> Vec<String> {
        let inside = self.states.range(relative.to_owned()..);
        inside
            .take_while(|(path, _)| path.starts_with(relative))
            .filter(|(path, _)| path.parent() == Some(relative))
            .filter_map(|(path, _)| path.file_name()?.to_str().map(str::to_owned))
            .collect()
    }

    /// Learns what a file is that was, or was not, seen.
    pub(super) fn learn(
        &mut self,
        now: Time,
        dir: &Path,
        relative: &Path,
        seen: Option<&Seen>,
        options: &ScanOptions,
    ) -> Fact {
        match seen {
            None => self.gone(now, relative, options.grace),
            Some(Seen::Odd(found)) => {
                let problem = Problem::new(dir.join(relative), found.as_str());
                Fact::Unusable(problem.expected("a regular file"))
            }
            Some(Seen::File { target, signature }) => {
                self.note(now, relative, target, *signature);
                let hinted = matches!(self.hints.get(relative), Some((Hint::Done, _)));
                let state = self.states.get(relative).expect("invariant: the file was just noted");
                match &state.known {
                    Some(known) if known.certain && !hinted => known.fact.clone(),
                    known => {
                        let unsettled =
                            known.as_ref().map_or(Fact::Unsettled, |known| known.fact.clone());
                        if self.settled(now, relative, options) {
                            self.open(now, dir, relative, options)
                        } else {
                            unsettled
                        }
                    }
                }
            }
        }
    }

    /// A file that vanishes counts as gone only when it stays away: an editor may be about to
    /// rename the next one into its place.
    fn gone(&mut self, now: Time, relative: &Path, grace: Duration) -> Fact {
        let Some(state) = self.states.get_mut(relative) else { return Fact::Absent };
        // A clock that was set back must not make the wait longer.
        let since = state.gone_since.map_or(now, |since| since.min(now));
        state.gone_since = Some(since);
        if state.known.is_none() || now.since(since) >= grace {
            self.states.remove(relative);
            return Fact::Absent;
        }
        self.come_again(since + grace);
        Fact::Unsettled
    }

    fn note(&mut self, now: Time, relative: &Path, target: &Path, signature: Signature) {
        if let Some(state) = self.states.get_mut(relative) {
            state.gone_since = None;
            state.since = state.since.min(now);
            if state.signature == signature && state.target == target {
                return;
            }
        }
        let target = target.to_owned();
        let state = State { target, signature, since: now, gone_since: None, known: None };
        self.states.insert(relative.to_owned(), state);
    }

    /// Whether a file may be opened. It may when
    /// - the system said that its writer closed it, or renamed it here: this is the fast way; or
    /// - nobody was noticed writing for [`WRITER_PATIENCE`], and it was last changed `settle` ago,
    ///   by its own time or because its signature has been seen to be the same for so long.
    fn settled(&mut self, now: Time, relative: &Path, options: &ScanOptions) -> bool {
        let state = self.states.get(relative).expect("invariant: only noted files are asked for");
        let (still_for, old_for) = (now.since(state.since), now.since(state.signature.modified));
        let still_at = state.since + options.settle;
        match self.hints.get(relative) {
            Some((Hint::Done, _)) => true,
            Some((Hint::Writing, time)) if now.since(*time) < WRITER_PATIENCE => {
                let patience_ends = *time + WRITER_PATIENCE;
                self.come_again(patience_ends);
                false
            }
            _ if still_for >= options.settle || old_for >= options.settle => true,
            _ => {
                self.come_again(still_at);
                false
            }
        }
    }

    fn open(&mut self, now: Time, dir: &Path, relative: &Path, options: &ScanOptions) -> Fact {
        let state = self.states.get_mut(relative).expect("invariant: only noted files are opened");
        let file = dir.join(relative);
        match read(&file, state, options) {
            Read::Moved => {
                state.since = now;
                self.come_again(now + options.settle);
                Fact::Unsettled
            }
            // The reason may pass without any change of the file, so it is asked again.
            Read::Failed(problem) => Fact::Unusable(problem),
            Read::Known(fact) => {
                // The clock of the files may not be ours, so having seen them for so long will do.
                let oldest = state.signature.changed.min(state.since);
                let certain = now.since(oldest) >= CLOCK_GRAIN;
                state.known = Some(Known { fact: fact.clone(), certain });
                fact
            }
        }
    }
}

enum Read {
    /// When it changed while it was read.
    Moved,
    /// When it could not be read.
    Failed(Problem),
    Known(Fact),
}

fn read(file: &Path, state: &State, options: &ScanOptions) -> Read {
    let is_model = file.extension().is_some_and(|extension| extension == "wasm");
    let limit_bytes = if is_model { options.model_limit_bytes } else { options.config_limit_bytes };
    if state.signature.size_bytes > limit_bytes {
        let problem = Problem::new(file, format!("{} bytes", state.signature.size_bytes));
        return Read::Known(Fact::Unusable(problem.expected(format!("at most {limit_bytes}"))));
    }
    let opened = match file::open(&state.target, limit_bytes) {
        Ok(opened) if opened.signature == state.signature => opened,
        Ok(_) | Err(OpenError::TooLarge { .. }) => return Read::Moved,
        Err(OpenError::NotAFile(_)) => return Read::Moved,
        Err(OpenError::Io(error)) => return Read::Failed(unreadable(file, &error)),
    };
    let fact =
        if is_model { artefact(file, opened, state) } else { document(file, opened, options) };
    match fact {
        Ok(Some(fact)) => Read::Known(fact),
        Ok(None) => Read::Moved,
        Err(error) => Read::Failed(unreadable(file, &error)),
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    Problem::new(file, format!("a file that cannot be read ({error})")).expected("a readable file")
}

fn artefact(file: &Path, opened: file::Opened, state: &State) -> std::io::Result<Option<Fact>> {
    let (mut walk, mut digest) = (Walk::new(), Sha256::new());
    let still = opened.pour(|piece| {
        walk.feed(piece);
        digest.update(piece);
    })?;
    let fact = || match walk.finish() {
        Ok(()) => Fact::Model(Artefact {
            revision: Revision::from_digest(digest.finalize().into()),
            size_bytes: state.signature.size_bytes,
            target: state.target.clone(),
        }),
        Err(flaw) => {
            let problem = Problem::new(file, flaw.to_string());
            Fact::Unusable(problem.expected("a whole WebAssembly component"))
        }
    };
    Ok(still.then(fact))
}

fn document(
    file: &Path,
    opened: file::Opened,
    options: &ScanOptions,
) -> std::io::Result<Option<Fact>> {
    let mut bytes = Vec::new();
    let still = opened.pour(|piece| bytes.extend_from_slice(piece))?;
    let is_endpoint = file.file_name().is_some_and(|name| name == ENDPOINT_FILE);
    let fact = || match understand(file, bytes, is_endpoint, options) {
        Ok(fact) => fact,
        Err(problem) => Fact::Unusable(problem),
    };
    Ok(still.then(fact))
}

fn understand(
    file: &Path,
    bytes: Vec<u8>,
    is_endpoint: bool,
    options: &ScanOptions,
) -> Result<Fact, Problem> {
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(file, "bytes that are not UTF-8").expected("TOML"))?;
    let mut document = Document::parse(file, &text)?;
    if is_endpoint {
        options.defaults.beneath_endpoint(&mut document);
        let config = EndpointConfig::read(&document)?;
        Ok(Fact::Endpoint(Arc::new(EndpointFile { config, document })))
    } else {
        options.defaults.beneath_manifest(&mut document);
        Ok(Fact::Manifest(Arc::new(document.read()?)))
    }
}
