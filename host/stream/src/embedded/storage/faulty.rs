//! A file system in memory that loses what it may lose.
//!
//! It keeps apart what a program sees and what the disk holds. When the power fails, of what was not
//! synced any part stays and any other is lost: writes sector by sector, lengths without their
//! content, names without their files. Like the pages of a real system after a failed fsync, what a
//! failed sync left out is never tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::{Access, Entry, LogFile, Storage};
use crate::random::Random;

const SECTOR_BYTES: u64 = 512;

/// A disk; clones are the same one.
#[derive(Debug, Clone)]
pub(in crate::embedded) struct FaultyDisk {
    disk: Arc<Mutex<Disk>>,
    released: Arc<Condvar>,
}

#[derive(Debug)]
struct Disk {
    random: Random,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    directories: BTreeSet<PathBuf>,
    durable_names: BTreeMap<PathBuf, usize>,
    name_changes: Vec<NameChange>,
    /// How many changes there still are before the power fails.
    changes_left: Option<u64>,
    capacity_bytes: Option<u64>,
    failing_syncs: u32,
    syncs_stall: bool,
}

#[derive(Debug, Default, Clone)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { position: u64, bytes: Vec<u8> },
    Truncate(u64),
}

#[derive(Debug, Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl FaultyDisk {
    pub(in crate::embedded) fn new(seed: u64) -> Self {
        let disk = Disk {
            random: Random::new(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            directories: BTreeSet::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            changes_left: None,
            capacity_bytes: None,
            failing_syncs: 0,
            syncs_stall: false,
        };
        Self { disk: Arc::new(Mutex::new(disk)), released: Arc::default() }
    }

    /// Has the power fail after this many more changes. Until it is back every call fails.
    pub(in crate::embedded) fn fail_power_after(&self, changes: u64) {
        self.disk.lock().changes_left = Some(changes);
    }

    /// Turns the power off and on again. Nobody has any file open afterwards.
    pub(in crate::embedded) fn crash(&self) {
        self.disk.lock().crash();
    }

    /// Turns the power on without ever having lost it: what a dying process leaves behind.
    pub(in crate::embedded) fn keep_power(&self) {
        self.disk.lock().changes_left = None;
    }

    pub(in crate::embedded) fn fail_syncs(&self, count: u32) {
        self.disk.lock().failing_syncs = count;
    }

    /// Leaves this much space, or no limit.
    pub(in crate::embedded) fn leave_space(&self, bytes: Option<u64>) {
        let mut disk = self.disk.lock();
        let used = disk.used_bytes();
        disk.capacity_bytes = bytes.map(|bytes| used + bytes);
    }

    /// Has syncs wait, until they are told not to.
    pub(in crate::embedded) fn stall_syncs(&self, stall: bool) {
        self.disk.lock().syncs_stall = stall;
        self.released.notify_all();
    }

    /// Changes a byte on the disk, behind everybody's back.
    pub(in crate::embedded) fn damage(&self, path: &Path, position: u64) {
        let mut disk = self.disk.lock();
        let inode = disk.names[path];
        let inode = &mut disk.inodes[inode];
        for bytes in [&mut inode.content, &mut inode.durable] {
            if let Some(byte) = bytes.get_mut(position as usize) {
                *byte ^= 0x40;
            }
        }
    }

    /// The bytes of a file as a program sees them.
    pub(in crate::embedded) fn content(&self, path: &Path) -> Vec<u8> {
        let disk = self.disk.lock();
        disk.inodes[disk.names[path]].content.clone()
    }

    /// Every file, in order.
    pub(in crate::embedded) fn files(&self) -> Vec<PathBuf> {
        self.disk.lock().names.keys().cloned().collect()
    }

    fn file(&self, inode: usize) -> Arc<dyn LogFile> {
        Arc::new(FaultyFile { disk: self.clone(), inode })
    }
}

impl Disk {
    /// Counts a change, and fails it if the power is off.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            Some(0) => Err(io::Error::other("the power has failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|&inode| self.inodes[inode].content.len() as u64).sum()
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn crash(&mut self) {
        let kept_percent = [0, 10, 50, 90, 100][self.random.below(5) as usize];
        for inode in &mut self.inodes {
            inode.lose_power(&mut self.random, kept_percent);
        }
        let mut names = std::mem::take(&mut self.durable_names);
        for change in std::mem::take(&mut self.name_changes) {
            if self.random.percent(kept_percent) {
                change.apply(&mut names);
            }
        }
        self.durable_names = names.clone();
        self.names = names;
        self.changes_left = None;
        self.failing_syncs = 0;
    }
}

impl Inode {
    fn lose_power(&mut self, random: &mut Random, kept_percent: u64) {
        let longest = self.content.len();
        self.persist_some(random, kept_percent);
        if self.durable.len() < longest && random.percent(25) {
            // The new length was written and the data was not.
            let missing = longest - self.durable.len();
            let filler = if random.percent(50) { vec![0; missing] } else { random.bytes(missing) };
            self.durable.extend(filler);
        }
        self.content = self.durable.clone();
    }

    /// Brings any part of what is not synced to the disk, and forgets the rest.
    fn persist_some(&mut self, random: &mut Random, kept_percent: u64) {
        for change in std::mem::take(&mut self.changes) {
            for change in change.sectors() {
                if random.percent(kept_percent) {
                    change.apply(&mut self.durable);
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { position, bytes } => {
                let (start, end) = (*position as usize, *position as usize + bytes.len());
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[start..end].copy_from_slice(bytes);
            }
            Self::Truncate(length) => content.resize(*length as usize, 0),
        }
    }

    /// The parts of a change that reach the disk separately.
    fn sectors(self) -> Vec<Self> {
        let Self::Write { mut position, mut bytes } = self else { return vec![self] };
        let mut sectors = Vec::new();
        while !bytes.is_empty() {
            let in_sector = SECTOR_BYTES - position % SECTOR_BYTES;
            let rest = bytes.split_off(bytes.len().min(in_sector as usize));
            let length = bytes.len() as u64;
            sectors.push(Self::Write { position, bytes });
            position += length;
            bytes = rest;
        }
        sectors
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, inode) => {
                names.insert(path, inode);
            }
            Self::Unlink(path) => {
                names.remove(&path);
            }
            Self::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }

    fn is_in(&self, directory: &Path) -> bool {
        let (Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _, _)) = self;
        path.parent() == Some(directory)
    }
}

impl Disk {
    fn change_name(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.name_changes.push(change);
    }
}

impl Storage for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn LogFile>> {
        let mut disk = self.disk.lock();
        disk.change()?;
        if disk.capacity_bytes.is_some_and(|capacity| disk.used_bytes() >= capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        if let Ok(inode) = disk.find(path) {
            disk.inodes[inode].content.clear();
            disk.inodes[inode].changes.push(Change::Truncate(0));
            return Ok(self.file(inode));
        }
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        disk.change_name(NameChange::Link(path.to_owned(), inode));
        Ok(self.file(inode))
    }

    fn open(&self, path: &Path, _: Access) -> io::Result<Arc<dyn LogFile>> {
        Ok(self.file(self.disk.lock().find(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let disk = self.disk.lock();
        Ok(disk.inodes[disk.find(path)?].content.clone())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.change()?;
        let inode = disk.find(from)?;
        disk.change_name(NameChange::Rename(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.change()?;
        disk.find(path)?;
        disk.change_name(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let disk = self.disk.lock();
        let named = |path: &PathBuf, is_directory| {
            let name = path.file_name()?.to_str()?.to_owned();
            (path.parent() == Some(directory)).then_some(Entry { name, is_directory })
        };
        let files = disk.names.keys().filter_map(|path| named(path, false));
        let directories = disk.directories.iter().filter_map(|path| named(path, true));
        Ok(files.chain(directories).collect())
    }

    fn create_directory(&self, root: &Path, directory: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.change()?;
        let made = directory.ancestors().take_while(|path| path.starts_with(root));
        disk.directories.extend(made.map(Path::to_owned));
        Ok(())
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.change()?;
        let changes = std::mem::take(&mut disk.name_changes);
        for change in changes {
            if change.is_in(directory) {
                change.apply(&mut disk.durable_names);
            } else {
                disk.name_changes.push(change);
            }
        }
        Ok(())
    }

    fn random(&self) -> u32 {
        self.disk.lock().random.next() as u32
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    inode: usize,
}

impl LogFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.disk.lock().inodes[self.inode].content.len() as u64)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let disk = self.disk.disk.lock();
        let content = disk.inodes[self.inode].content.get(position as usize..).unwrap_or_default();
        let length = content.len().min(into.len());
        into[..length].copy_from_slice(&content[..length]);
        Ok(length)
    }

    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.disk.lock();
        let alive = disk.change();
        let grown = (position + bytes.len() as u64)
            .saturating_sub(disk.inodes[self.inode].content.len() as u64);
        let space = disk.capacity_bytes.map(|capacity| capacity.saturating_sub(disk.used_bytes()));
        let missing = grown.saturating_sub(space.unwrap_or(u64::MAX));
        let written = bytes[..bytes.len() - missing as usize].to_vec();
        let change = Change::Write { position, bytes: written };
        let inode = &mut disk.inodes[self.inode];
        // Also of the write in which the power fails some sectors may get through.
        change.apply(&mut inode.content);
        inode.changes.push(change);
        alive?;
        if missing > 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut disk = self.disk.disk.lock();
        disk.change()?;
        let inode = &mut disk.inodes[self.inode];
        let change = Change::Truncate(length);
        change.apply(&mut inode.content);
        inode.changes.push(change);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.disk.lock();
        while disk.syncs_stall {
            self.disk.released.wait(&mut disk);
        }
        disk.change()?;
        let fails = disk.failing_syncs > 0;
        let Disk { inodes, random, failing_syncs, .. } = &mut *disk;
        let inode = &mut inodes[self.inode];
        if fails {
            *failing_syncs -= 1;
            inode.persist_some(random, 50);
            return Err(io::Error::other("the disk has failed"));
        }
        inode.changes.iter().for_each(|change| change.apply(&mut inode.durable));
        inode.changes.clear();
        Ok(())
    }
}
