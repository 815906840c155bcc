//! Scans: the folder, and what it was before, become a catalog.
//!
//! A scan never waits. What is not clear yet (a file that somebody may be writing, one that has
//! just vanished) stays as it was, and the scan says when to come again. Time is an argument.

mod assemble;
mod files;
mod look;
mod sections;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use message::{EndpointName, Time};

use self::assemble::{Facts, assemble};
use self::files::{Files, Moment};
use self::look::{Hollow, Seen, Sight, look};
use crate::catalog::{Catalog, EndpointSpec};
use crate::document::{Document, Node};
use crate::endpoint::EndpointConfig;
use crate::manifest::ModelManifest;
use crate::problem::Problem;

/// Makes catalogs of one folder, remembering what it saw.
#[derive(Debug)]
pub struct Scanner {
    dir: PathBuf,
    /// `dir` from the root of the file system, as hints name it.
    absolute: PathBuf,
    options: ScanOptions,
    /// What an endpoint and a model are where no file says anything.
    config: EndpointConfig,
    manifest: ModelManifest,
    files: Files,
    /// Since when the folder of an endpoint has not been there.
    vanished: BTreeMap<EndpointName, Time>,
    folders: BTreeMap<PathBuf, (u64, u64)>,
    /// The endpoints that came out of the latest scan as they went in.
    still: BTreeMap<EndpointName, Still>,
    catalog: Arc<Catalog>,
}

/// What was seen of an endpoint of which two scans made the same, so that a third would as well.
#[derive(Debug)]
struct Still {
    seen: BTreeMap<String, Seen>,
    problems: Vec<Problem>,
}

/// How careful a scan is.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanOptions {
    /// How long a file must keep still where nobody says that its writer is done.
    pub settle: Duration,
    /// How long a file or folder must be gone before that counts.
    pub grace: Duration,
    /// The largest file that is taken for a model.
    pub model_limit_bytes: u64,
    /// The largest file that is taken for a configuration.
    pub config_limit_bytes: u64,
    /// What lies beneath the files of the folder.
    pub defaults: Defaults,
}

/// What `understudy.toml` says for every endpoint and every model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Defaults {
    endpoint: Option<Node>,
    model: Option<Node>,
}

/// What came of a scan.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The folder. The very one of the scan before (`Arc::ptr_eq`) if nothing is different.
    pub catalog: Arc<Catalog>,
    /// When something that is unsettled now may be settled; another scan should follow then.
    pub again_at: Option<Time>,
}

/// What the system says about a file. It makes a scan faster or more careful, never wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// When somebody wrote to it and has not closed it.
    Writing,
    /// When its writer closed it, or it was renamed to where it is.
    Done,
}

impl Scan {
    /// Whether something in the folder is in motion.
    pub const fn unsettled(&self) -> bool {
        self.again_at.is_some()
    }
}

impl Scanner {
    /// A scanner of the folder `dir`, which need not exist yet. Nothing is read before
    /// [`scan`](Self::scan).
    pub fn new(dir: impl Into<PathBuf>, options: ScanOptions) -> Self {
        let dir = dir.into();
        Self {
            absolute: std::path::absolute(&dir).unwrap_or_else(|_| dir.clone()),
            config: options.defaults.endpoint_config(),
            manifest: options.defaults.model_manifest(),
            dir,
            options,
            files: Files::default(),
            vanished: BTreeMap::new(),
            folders: BTreeMap::new(),
            still: BTreeMap::new(),
            catalog: Arc::default(),
        }
    }

    /// The catalog of the latest scan; empty before the first.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Takes a hint about a file of the folder; about others it is ignored.
    pub fn handle_hint(&mut self, now: Time, path: &Path, hint: Hint) {
        let relative = path.strip_prefix(&self.absolute).or_else(|_| path.strip_prefix(&self.dir));
        if let Ok(relative) = relative {
            self.files.hint(now, relative.to_owned(), hint);
        }
    }

    /// Forgets all hints, to be called when some were lost.
    pub fn forget_hints(&mut self) {
        self.files.forget_hints();
    }

    /// Looks at the folder. Files that are as they were are not opened.
    ///
    /// `now` is compared with the times of files, so it must be of the system's clock; a clock that
    /// is set back does no harm.
    pub fn scan(&mut self, now: Time) -> Scan {
        let mut sight = look(&self.dir);
        let mut problems = std::mem::take(&mut sight.problems);
        problems.extend(self.unreadable(&sight));
        let mut endpoints = BTreeMap::new();
        for name in self.names(&sight) {
            let spec = match sight.endpoints.get(&name) {
                Some(seen) => self.endpoint(now, &name, seen, &mut problems),
                None => self.without_folder(now, &name, &sight, &mut problems),
            };
            endpoints.extend(spec.map(|spec| (name, spec)));
        }
        problems.sort();
        problems.dedup();
        let catalog = Catalog { endpoints, problems };
        if !is_same(&catalog, &self.catalog) && catalog != *self.catalog {
            self.catalog = Arc::new(catalog);
        }
        self.still.retain(|name, _| sight.endpoints.contains_key(name));
        let known = |name: &str| {
            self.catalog.endpoints.contains_key(name) || sight.endpoints.contains_key(name)
        };
        let again_at = self.files.finish(now, known);
        self.folders = sight.folders;
        Scan { catalog: self.catalog.clone(), again_at }
    }

    /// The folders that the latest scan saw, each with its device and inode; the top is "".
    pub(crate) fn folders(&self) -> &BTreeMap<PathBuf, (u64, u64)> {
        &self.folders
    }

    /// The folder from the root of the file system.
    pub(crate) fn absolute(&self) -> &Path {
        &self.absolute
    }

    fn names(&self, sight: &Sight) -> BTreeSet<EndpointName> {
        self.catalog.endpoints.keys().chain(sight.endpoints.keys()).cloned().collect()
    }

    fn unreadable(&self, sight: &Sight) -> Vec<Problem> {
        let problem = |(relative, hollow): (&PathBuf, &Hollow)| match hollow {
            Hollow::Unreadable(found) => {
                let problem = Problem::new(self.path(relative), found.as_str());
                Some(problem.expected("a folder that can be listed"))
            }
            Hollow::Empty => None,
        };
        sight.hollow.iter().filter_map(problem).collect()
    }

    fn endpoint(
        &mut self,
        now: Time,
        name: &EndpointName,
        seen: &BTreeMap<String, Seen>,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<EndpointSpec>> {
        self.vanished.remove(name);
        let previous = self.catalog.endpoints.get(name);
        if let (Some(previous), Some(still)) = (previous, self.still.get(name))
            && still.seen == *seen
            && self.files.are_certain(name.as_str(), seen)
        {
            problems.extend(still.problems.iter().cloned());
            return Some(previous.clone());
        }
        self.still.remove(name);
        let moment = Moment { now, dir: &self.dir, options: &self.options };
        let facts = Facts {
            name,
            folder: &self.dir.join(name.as_str()),
            files: self.files.learn(moment, name.as_str(), seen),
            previous: previous.map(|spec| &**spec),
            config: &self.config,
            manifest: &self.manifest,
        };
        let mut found = Vec::new();
        let spec = assemble(&facts, &mut found);
        problems.extend(found.iter().cloned());
        match (previous, spec) {
            (Some(previous), Some(spec)) if **previous == spec => {
                self.still.insert(name.clone(), Still { seen: seen.clone(), problems: found });
                Some(previous.clone())
            }
            (_, spec) => spec.map(Arc::new),
        }
    }

    /// An endpoint that is not seen stays if its folder, its tenant's, or the whole is merely
    /// hollow: something may have been unmounted. If the folder itself is gone, it goes after the
    /// grace.
    fn without_folder(
        &mut self,
        now: Time,
        name: &EndpointName,
        sight: &Sight,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<EndpointSpec>> {
        let previous = self.catalog.endpoints.get(name)?.clone();
        let since = self.vanished.get(name).map_or(now, |since| *since.min(&now));
        self.vanished.insert(name.clone(), since);
        if now.since(since) < self.options.grace {
            self.files.come_again(since + self.options.grace);
            return Some(previous);
        }
        let mut folders = Path::new(name.as_str()).ancestors();
        match folders.find_map(|folder| sight.hollow.get_key_value(folder)) {
            Some((folder, Hollow::Empty)) => problems.push(self.emptied(folder)),
            Some((_, Hollow::Unreadable(_))) => {}
            None => {
                self.vanished.remove(name);
                return None;
            }
        }
        Some(previous)
    }

    fn emptied(&self, folder: &Path) -> Problem {
        let problem = Problem::new(self.path(folder), "a folder without models");
        if folder.as_os_str().is_empty() {
            problem.expected("endpoints").note("what was there stays; is something unmounted?")
        } else {
            problem
                .expected("the endpoints that were there")
                .note("they stay until the folder itself is removed")
        }
    }

    fn path(&self, relative: &Path) -> PathBuf {
        // Joining nothing would append a slash.
        if relative.as_os_str().is_empty() { self.dir.clone() } else { self.dir.join(relative) }
    }
}

/// Whether two catalogs are the same at a glance.
fn is_same(one: &Catalog, other: &Catalog) -> bool {
    let specs = || one.endpoints.iter().zip(&other.endpoints);
    one.endpoints.len() == other.endpoints.len()
        && specs().all(|(one, other)| one.0 == other.0 && Arc::ptr_eq(one.1, other.1))
        && one.problems == other.problems
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(500),
            grace: Duration::from_secs(1),
            model_limit_bytes: 256 << 20,
            config_limit_bytes: 1 << 20,
            defaults: Defaults::default(),
        }
    }
}

impl Defaults {
    pub(crate) fn new(endpoint: Option<Node>, model: Option<Node>) -> Self {
        Self { endpoint, model }
    }

    pub(crate) fn beneath_endpoint(&self, document: &mut Document) {
        self.endpoint.iter().for_each(|node| document.underlay(node));
    }

    pub(crate) fn beneath_manifest(&self, document: &mut Document) {
        self.model.iter().for_each(|node| document.underlay(node));
    }

    pub(crate) fn endpoint_config(&self) -> EndpointConfig {
        let mut nothing = Document::empty();
        self.beneath_endpoint(&mut nothing);
        nothing.read().expect("invariant: the defaults were read with understudy.toml")
    }

    /// What a model may use and do where no manifest says anything.
    pub fn model_manifest(&self) -> ModelManifest {
        let mut nothing = Document::empty();
        self.beneath_manifest(&mut nothing);
        nothing.read().expect("invariant: the defaults were read with understudy.toml")
    }
}
