//! Syncing: one fsync for all that was appended before it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Log, Writer};
use crate::embedded::segment::Segment;
use crate::{AppendError, Fsync};

/// How long nobody cares whether a sealed segment is synced, if nobody waits for syncs. By then the
/// operating system has often done it by itself.
const SEALED_DELAY: Duration = Duration::from_secs(5);

/// When a sync is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Due {
    /// When the syncer is free.
    Now,
    /// When this much time has passed.
    After(Duration),
}

/// What a sync is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Scope {
    /// What the policy of the topic wants.
    Policy,
    /// Everything that is appended.
    Everything,
}

/// What a sync brings to the disk.
struct Target {
    /// In the order in which they are synced.
    segments: Vec<Arc<Segment>>,
    sealed_count: usize,
    directory: bool,
    end: u64,
    bytes: u64,
}

impl Log {
    /// Whether readers may only see what is synced.
    pub(in crate::embedded) fn readers_wait_for_sync(&self) -> bool {
        self.options.fsync == Fsync::Each
    }

    /// The sync that an append makes due, unless it is on its way already.
    pub(super) fn arrange_sync(&self, writer: &mut Writer) -> Option<Due> {
        let half_full = self.unsynced_bytes(writer) >= self.options.unsynced_limit_bytes / 2;
        let due = match self.options.fsync {
            Fsync::Each => Due::Now,
            Fsync::Interval(_) if half_full => Due::Now,
            Fsync::Interval(interval) => Due::After(interval),
            Fsync::None if writer.sealed.is_empty() => return None,
            Fsync::None => Due::After(SEALED_DELAY),
        };
        let sooner = match writer.due {
            None => true,
            Some(Due::After(_)) => due == Due::Now,
            Some(Due::Now) => false,
        };
        sooner.then(|| *writer.due.insert(due))
    }

    /// Brings what is appended by now to the disk, and lets readers see it where they wait for that.
    pub(in crate::embedded) fn sync(&self, scope: Scope) -> Result<(), AppendError> {
        // Wakers are called when no lock is held, so they may do with the topic what they like.
        let synced = {
            let _one_at_a_time = self.syncing.lock();
            let target = self.sync_target(scope)?;
            match self.sync_files(&target) {
                Ok(()) => Ok(self.note_synced(&target)),
                // Nobody knows now what is on the disk, and another fsync would lie about it.
                Err(error) => {
                    let reason = format!("an fsync failed: {error}");
                    Err(self.poison(&mut self.writer.lock(), reason))
                }
            }
        };
        match &synced {
            Ok(end) if self.readers_wait_for_sync() => self.progress.advance(*end),
            Ok(_) => {}
            Err(_) => self.progress.alarm(),
        }
        synced.map(drop)
    }

    /// Takes note of what was synced, and returns its end.
    fn note_synced(&self, target: &Target) -> u64 {
        self.durable.fetch_max(target.end, Ordering::AcqRel);
        let mut writer = self.writer.lock();
        for segment in writer.sealed.drain(..target.sealed_count) {
            segment.release();
        }
        writer.synced_bytes = writer.synced_bytes.max(target.bytes);
        target.end
    }

    fn sync_target(&self, scope: Scope) -> Result<Target, AppendError> {
        let mut writer = self.writer.lock();
        writer.check_open()?;
        writer.due = None;
        let mut segments = writer.sealed.clone();
        let sealed_count = segments.len();
        let directory = std::mem::take(&mut writer.directory_changed);
        if scope == Scope::Policy && self.options.fsync == Fsync::None {
            let (end, bytes) = (writer.active.base, writer.sealed_bytes);
            return Ok(Target { segments, sealed_count, directory, end, bytes });
        }
        if writer.next_offset > self.durable.load(Ordering::Acquire) || directory {
            segments.push(Arc::clone(&writer.active));
        }
        let (end, bytes) = (writer.next_offset, writer.written_bytes);
        Ok(Target { segments, sealed_count, directory, end, bytes })
    }

    fn sync_files(&self, target: &Target) -> io::Result<()> {
        for segment in &target.segments {
            segment.hold(&*self.storage)?.sync()?;
        }
        if target.directory {
            self.storage.sync_directory(&self.directory)?;
        }
        Ok(())
    }
}
