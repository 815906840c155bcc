//! Hints of the system about files: the only place that knows `notify`.
//!
//! Folders are watched one by one, and again when another folder has taken their place, because a
//! watch belongs to a folder and not to its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::scanner::Hint;

/// What the system said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// Because something happened to a file.
    Hint(PathBuf, Hint),
    /// Because something is not there any more. If it was a folder, its watch has ended.
    Gone(PathBuf),
    /// Because something happened that only a scan can tell.
    Something,
    /// Because more happened than the system could hold.
    Lost,
}

/// The watches of the system.
pub(super) struct Hints {
    watcher: RecommendedWatcher,
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Whether the last attempt to watch failed, so that it is said once.
    failing: bool,
}

/// What came of watching folders.
pub(super) struct Followed {
    /// Whether a folder is watched that was not.
    pub(super) anything_new: bool,
    /// Whether all folders are watched.
    pub(super) complete: bool,
}

impl Hints {
    /// Asks the system for hints. Nothing is watched before [`follow`](Self::follow).
    pub(super) fn start(sink: impl Fn(Notice) + Send + 'static) -> notify::Result<Self> {
        let watcher = notify::recommended_watcher(move |event| notices(event, &sink))?;
        Ok(Self { watcher, watched: BTreeMap::new(), failing: false })
    }

    /// Forgets the watch of a folder, so that whatever bears the name next is watched anew.
    pub(super) fn forget(&mut self, top: &Path, folder: &Path) {
        if let Ok(relative) = folder.strip_prefix(top) {
            self.watched.remove(relative);
        }
    }

    /// Watches exactly these folders below `top`.
    pub(super) fn follow(
        &mut self,
        top: &Path,
        folders: &BTreeMap<PathBuf, (u64, u64)>,
    ) -> Followed {
        let stale: Vec<_> =
            self.watched.iter().filter(|&(path, id)| folders.get(path) != Some(id)).collect();
        let stale: Vec<PathBuf> = stale.into_iter().map(|(path, _)| path.clone()).collect();
        for path in stale {
            self.watched.remove(&path);
            // The watch of a folder that was removed has ended by itself.
            let _ended = self.watcher.unwatch(&top.join(&path));
        }
        let mut followed = Followed { anything_new: false, complete: true };
        for (path, id) in folders {
            if !self.watched.contains_key(path) {
                let added = self.watch(&top.join(path));
                followed.anything_new |= added;
                followed.complete &= added;
                if added {
                    self.watched.insert(path.clone(), *id);
                }
            }
        }
        if followed.complete {
            self.failing = false;
        }
        followed
    }

    fn watch(&mut self, path: &Path) -> bool {
        match self.watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => true,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    let path = path.display();
                    tracing::warn!(%path, %error, "no hints about a folder; scanning periodically");
                }
                false
            }
        }
    }
}

fn notices(event: notify::Result<Event>, sink: &impl Fn(Notice)) {
    match event {
        Err(_) => sink(Notice::Lost),
        Ok(event) if event.need_rescan() => sink(Notice::Lost),
        Ok(event) => match hint(event.kind) {
            Heard::Nothing => {}
            Heard::Something => sink(Notice::Something),
            Heard::Gone => event.paths.into_iter().for_each(|path| sink(Notice::Gone(path))),
            Heard::Hint(hint) => {
                event.paths.into_iter().for_each(|path| sink(Notice::Hint(path, hint)));
            }
        },
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
    Gone,
    Hint(Hint),
}

fn hint(kind: EventKind) -> Heard {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Heard::Hint(Hint::Done),
        EventKind::Modify(ModifyKind::Data(_)) => Heard::Hint(Hint::Writing),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Heard::Gone,
        // Scans themselves open and read.
        EventKind::Access(_) => Heard::Nothing,
        // A file that was merely created may be a link, which nobody will ever close.
        _ => Heard::Something,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use notify::event::{CreateKind, DataChange, Flag};

    use super::*;

    fn heard(event: notify::Result<Event>) -> Vec<Notice> {
        let (sender, receiver) = mpsc::channel();
        notices(event, &|notice| sender.send(notice).unwrap());
        receiver.try_iter().collect()
    }

    fn about(kind: EventKind) -> Vec<Notice> {
        heard(Ok(Event::new(kind).add_path("f/a.wasm".into())))
    }

    #[test]
    fn only_a_closed_or_renamed_file_is_done() {
        let hint = |hint| vec![Notice::Hint("f/a.wasm".into(), hint)];
        let closed = AccessKind::Close(AccessMode::Write);
        assert_eq!(about(EventKind::Access(closed)), hint(Hint::Done));
        let renamed = ModifyKind::Name(RenameMode::To);
        assert_eq!(about(EventKind::Modify(renamed)), hint(Hint::Done));
        let written = ModifyKind::Data(DataChange::Any);
        assert_eq!(about(EventKind::Modify(written)), hint(Hint::Writing));
        assert_eq!(about(EventKind::Create(CreateKind::File)), [Notice::Something]);
        let away = ModifyKind::Name(RenameMode::From);
        assert_eq!(about(EventKind::Modify(away)), [Notice::Gone("f/a.wasm".into())]);
    }

    #[test]
    fn our_own_reading_is_not_heard() {
        assert_eq!(about(EventKind::Access(AccessKind::Open(AccessMode::Any))), []);
        assert_eq!(about(EventKind::Access(AccessKind::Close(AccessMode::Read))), []);
    }

    #[test]
    fn an_overflow_or_an_error_means_that_hints_were_lost() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(heard(Ok(overflow)), [Notice::Lost]);
        assert_eq!(heard(Err(notify::Error::generic("broken"))), [Notice::Lost]);
    }
}
