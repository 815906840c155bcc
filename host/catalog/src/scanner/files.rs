//! What is known of each file: whether it keeps still, and what is in it.
//!
//! A file is opened when it keeps still, and once for each state that it has. Who may rely on which
//! sign of stillness is the heart of this module; see [`State::settled`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    /// When there is none. Stands for what is not among the facts.
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
    pub(super) digest: Revision,
    pub(super) document: Document,
}

/// What is known of every file.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By the folder, then by the name in it.
    folders: BTreeMap<String, BTreeMap<String, State>>,
    /// By the way from the top of the folder.
    hints: BTreeMap<PathBuf, (Hint, Time)>,
    /// When something that is unsettled now may be settled.
    again_at: Option<Time>,
}

/// What a scan is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) now: Time,
    pub(super) dir: &'a Path,
    pub(super) options: &'a ScanOptions,
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

/// Because a file is not to be opened before that time.
struct NotBefore(Time);

impl Files {
    pub(super) fn hint(&mut self, now: Time, relative: PathBuf, hint: Hint) {
        self.hints.insert(relative, (hint, now));
    }

    pub(super) fn forget_hints(&mut self) {
        self.hints.clear();
    }

    /// Asks for another scan at that time.
    pub(super) fn come_again(&mut self, time: Time) {
        self.again_at = Some(self.again_at.map_or(time, |earlier| earlier.min(time)));
    }

    /// Ends a scan: hints that it did not need are of no use to the next, and neither are files of
    /// other folders than those to `keep`. Returns when the next should be, if something is
    /// unsettled.
    pub(super) fn finish(&mut self, now: Time, keep: impl Fn(&str) -> bool) -> Option<Time> {
        self.hints
            .retain(|_, (hint, time)| *hint == Hint::Writing && now.since(*time) < WRITER_PATIENCE);
        self.folders.retain(|folder, _| keep(folder));
        self.again_at.take()
    }

    /// Whether these are all the files of a folder, and nothing can have happened to any of them that
    /// would not show in how it was seen.
    pub(super) fn are_certain(&self, folder: &str, seen: &BTreeMap<String, Seen>) -> bool {
        let Some(states) = self.folders.get(folder) else { return false };
        let is_certain = |state: &State| state.known.as_ref().is_some_and(|known| known.certain);
        let files = seen.values().filter(|seen| matches!(seen, Seen::File { .. })).count();
        files == states.len()
            && states.values().all(is_certain)
            && !self.hints.keys().any(|path| path.starts_with(folder))
    }

    /// Learns what the files of a folder are, those that were seen and those that were there
    /// before. What is not among the facts is not there.
    pub(super) fn learn(
        &mut self,
        moment: Moment<'_>,
        folder: &str,
        seen: &BTreeMap<String, Seen>,
    ) -> BTreeMap<String, Fact> {
        let mut states = self.folders.remove(folder).unwrap_or_default();
        let mut facts = BTreeMap::new();
        for (name, seen) in seen {
            let relative = Path::new(folder).join(name);
            let fact = self.learn_file(moment, &relative, seen, states.entry(name.clone()));
            facts.insert(name.clone(), fact);
        }
        states.retain(|name, state| {
            let gone = !seen.contains_key(name);
            let until = if gone { state.gone(moment) } else { None };
            if let Some(until) = until {
                self.come_again(until);
                facts.insert(name.clone(), Fact::Unsettled);
            }
            !gone || until.is_some()
        });
        self.folders.insert(folder.to_owned(), states);
        facts
    }

    fn learn_file(
        &mut self,
        moment: Moment<'_>,
        relative: &Path,
        seen: &Seen,
        state: Entry<'_, String, State>,
    ) -> Fact {
        let (target, signature) = match seen {
            Seen::File { target, signature } => (target, *signature),
            Seen::Odd(found) => {
                let problem = Problem::new(moment.dir.join(relative), found.as_str());
                return Fact::Unusable(problem.expected("a regular file"));
            }
        };
        let hint = self.hints.get(relative).copied();
        let state = State::note(state, moment.now, target, signature);
        let done = matches!(hint, Some((Hint::Done, _)));
        if let Some(known) = state.known.as_ref().filter(|known| known.certain && !done) {
            return known.fact.clone();
        }
        let opened = state
            .settled(moment, hint)
            .and_then(|()| state.open(moment, &moment.dir.join(relative)));
        opened.unwrap_or_else(|NotBefore(time)| {
            self.come_again(time);
            state.known.as_ref().map_or(Fact::Unsettled, |known| known.fact.clone())
        })
    }
}

impl State {
    /// Notes that a file was seen with this signature.
    fn note<'a>(
        entry: Entry<'a, String, Self>,
        now: Time,
        target: &Path,
        signature: Signature,
    ) -> &'a mut Self {
        let new = || Self {
            target: target.to_owned(),
            signature,
            since: now,
            gone_since: None,
            known: None,
        };
        let state = entry.or_insert_with(new);
        if state.signature != signature || state.target != target {
            *state = new();
        }
        // A clock that was set back must not make any wait longer.
        state.since = state.since.min(now);
        state.gone_since = None;
        state
    }

    /// Notes that a file was not seen, and says until when it does not count as gone: an editor may
    /// be about to rename the next one into its place.
    fn gone(&mut self, moment: Moment<'_>) -> Option<Time> {
        let since = self.gone_since.map_or(moment.now, |since| since.min(moment.now));
        self.gone_since = Some(since);
        let waits = self.known.is_some() && moment.now.since(since) < moment.options.grace;
        waits.then(|| since + moment.options.grace)
    }

    /// Whether a file may be opened. It may when
    /// - the system said that its writer closed it, or renamed it here: this is the fast way; or
    /// - nobody was noticed writing for [`WRITER_PATIENCE`], and it was last changed `settle` ago,
    ///   by its own time or because its signature has been seen to be the same for so long.
    fn settled(&self, moment: Moment<'_>, hint: Option<(Hint, Time)>) -> Result<(), NotBefore> {
        let (now, settle) = (moment.now, moment.options.settle);
        match hint {
            Some((Hint::Done, _)) => Ok(()),
            Some((Hint::Writing, time)) if now.since(time) < WRITER_PATIENCE => {
                Err(NotBefore(time + WRITER_PATIENCE))
            }
            _ => {
                let still_since = self.since.min(self.signature.modified);
                let still = now.since(still_since) >= settle;
                still.then_some(()).ok_or(NotBefore(still_since + settle))
            }
        }
    }

    fn open(&mut self, moment: Moment<'_>, file: &Path) -> Result<Fact, NotBefore> {
        match read(file, self, moment.options) {
            Read::Moved => {
                self.since = moment.now;
                Err(NotBefore(moment.now + moment.options.settle))
            }
            // The reason may pass without any change of the file, so it is asked again.
            Read::Failed(problem) => Ok(Fact::Unusable(problem)),
            Read::Known(fact) => {
                // The clock of the files may not be ours, so having seen them for so long will do.
                let oldest = self.signature.changed.min(self.since);
                let certain = moment.now.since(oldest) >= CLOCK_GRAIN;
                self.known = Some(Known { fact: fact.clone(), certain });
                Ok(fact)
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
    path: &Path,
    bytes: Vec<u8>,
    is_endpoint: bool,
    options: &ScanOptions,
) -> Result<Fact, Problem> {
    let digest = file::digest(&bytes);
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(path, "bytes that are not UTF-8").expected("TOML"))?;
    let mut document = Document::parse(path, &text)?;
    if is_endpoint {
        options.defaults.beneath_endpoint(&mut document);
        let config = EndpointConfig::read(&document)?;
        Ok(Fact::Endpoint(Arc::new(EndpointFile { config, digest, document })))
    } else {
        options.defaults.beneath_manifest(&mut document);
        Ok(Fact::Manifest(Arc::new(document.read()?)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\0\x02\x01a";

    fn look(path: &Path) -> BTreeMap<String, Seen> {
        let signature = Signature::of(&fs::metadata(path).unwrap());
        let seen = Seen::File { target: path.to_owned(), signature };
        BTreeMap::from([("a.wasm".to_owned(), seen)])
    }

    fn changed(seen: &BTreeMap<String, Seen>) -> Time {
        match &seen["a.wasm"] {
            Seen::File { signature, .. } => signature.changed,
            Seen::Odd(odd) => panic!("found {odd}"),
        }
    }

    /// Learns twice from the same look at a file, which is removed after the first time. The
    /// second fact shows whether the file was opened again.
    fn twice(age: Duration, hint: Option<Hint>) -> (Fact, Fact) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(&path, COMPONENT).unwrap();
        let seen = look(&path);
        let now = changed(&seen) + age;
        let options = ScanOptions { settle: Duration::ZERO, ..ScanOptions::default() };
        let moment = Moment { now, dir: folder.path(), options: &options };
        let mut files = Files::default();
        let first = files.learn(moment, "", &seen)["a.wasm"].clone();
        fs::remove_file(&path).unwrap();
        if let Some(hint) = hint {
            files.hint(now, "a.wasm".into(), hint);
        }
        let later = Moment { now: now + Duration::from_secs(1), ..moment };
        (first, files.learn(later, "", &seen)["a.wasm"].clone())
    }

    #[test]
    fn a_file_that_is_as_it_was_is_not_opened_again() {
        let (first, second) = twice(CLOCK_GRAIN, None);
        assert!(matches!(first, Fact::Model(_)), "{first:?}");
        assert!(matches!(second, Fact::Model(_)), "{second:?}");
    }

    #[test]
    fn a_file_is_opened_again_when_a_change_could_have_been_missed() {
        let (first, second) = twice(Duration::ZERO, None);
        assert!(matches!(first, Fact::Model(_)), "{first:?}");
        assert!(matches!(second, Fact::Unusable(_)), "{second:?}");
        let (_, hinted) = twice(CLOCK_GRAIN, Some(Hint::Done));
        assert!(matches!(hinted, Fact::Unusable(_)), "{hinted:?}");
    }
}
