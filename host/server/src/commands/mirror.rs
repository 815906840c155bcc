//! `understudy mirror`

mod ends;
mod position;
mod sample;
mod scrub;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use stream::{Partition, ReadError, ReadLimit, StoredRecord, Subscription};
use tokio::signal::unix::SignalKind;

use self::ends::{Source, Target};
use self::position::Position;
use self::sample::Sample;
use self::scrub::{Mirrored, Scrubber};
use super::read::time_of;
use super::signals;
use crate::client::ClientArguments;
use crate::clock;

/// How much is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 512, bytes: 4 << 20 };
/// How long one wait for more lasts.
const WAIT: Duration = Duration::from_millis(500);
/// How long a partition may give nothing before its end until it counts as read: some offsets are
/// no records.
const QUIET: Duration = Duration::from_secs(5);
/// How often it is said how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Copy an endpoint's requests to another stream, whole or sampled, with what nobody else may see
/// taken out: so that new models meet real traffic away from production.
///
/// FROM and TO are each one of
///   DIR                  the data directory of an embedded stream
///   understudy.toml      the configuration of a host, whose [stream] says where the records are
/// and TO may also be
///   http://HOST:PORT     the REST address of a running host (or https:// with --ca)
///   host                 the running host whose data directory is --data
///
/// A copy has the bytes, the key and the id of the request, and no return address and no deadline of
/// its own: nobody is answered twice, and the other host's deadline holds. What is copied is written
/// before it is noted in the file of --resume, so after a crash some of it comes again, with the same
/// id.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Mirror {
    /// The endpoint.
    endpoint: String,
    /// Where its requests are.
    #[arg(long, value_name = "FROM")]
    from: String,
    /// Where they go.
    #[arg(long, value_name = "TO")]
    to: String,
    /// What the endpoint is called there [default: the same].
    #[arg(long = "as", value_name = "ENDPOINT")]
    named: Option<String>,
    /// Copy this share of the keys: 0.1, or 10%. The same keys every time; where a request has no key,
    /// its id is taken.
    #[arg(long, value_name = "SHARE", default_value = "1")]
    sample: Sample,
    /// Sample by the id of the request, whatever its key.
    #[arg(long)]
    sample_ids: bool,
    /// Begin at this time: microseconds since 1970, or how long ago, such as 10m or 2h.
    #[arg(long, value_name = "TIME", conflicts_with = "from_offset")]
    since: Option<String>,
    /// Begin at this offset of each partition [default: the start].
    #[arg(long, value_name = "OFFSET")]
    from_offset: Option<u64>,
    /// Only this partition.
    #[arg(long, value_name = "NUMBER")]
    partition: Option<u32>,
    /// Go on with what comes, until it is interrupted.
    #[arg(long, short)]
    follow: bool,
    /// Stop after this many copies.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Copy at most so many in a second.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Leave out this input. May be given several times, as may those below.
    #[arg(long, value_name = "NAME")]
    drop_input: Vec<String>,
    /// Replace each text of this input by its salted SHA-256: what was equal stays equal.
    #[arg(long, value_name = "NAME")]
    hash_input: Vec<String>,
    /// Leave out this parameter.
    #[arg(long, value_name = "NAME")]
    drop_parameter: Vec<String>,
    /// Leave out this header.
    #[arg(long, value_name = "NAME")]
    redact_header: Vec<String>,
    /// Give each request another id, made of its own and the salt.
    #[arg(long)]
    new_ids: bool,
    /// The file that holds the salt. Without it one is made up, and kept in the file of --resume.
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
    /// Go on where this file says, if it is there, and keep it up to date.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "from_offset"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
}

/// How far it has come.
#[derive(Debug, Default)]
struct Count {
    read: u64,
    copied: u64,
    left_out: u64,
    unreadable: u64,
    /// What was wrong with the last that could not be read.
    last_unreadable: String,
}

impl Mirror {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let told = signals::told_by(&[SignalKind::interrupt(), SignalKind::terminate()])?;
        let source = Source::open(&self.from, &self.endpoint)?;
        let named = self.named.as_deref().unwrap_or(&self.endpoint);
        ensure!(
            self.from != self.to || named != self.endpoint,
            "found the same endpoint of the same stream twice, expected another --to or --as"
        );
        let target = Target::open(&self.to, named, &self.client)?;
        let known = self.resume.as_deref().map(|file| Position::read(file, &source.topic));
        let mut position = known.transpose()?.flatten().unwrap_or_default();
        position.begin(&source.topic, self.salt_file.as_deref())?;
        let mut scrubber = Scrubber::new(&self, position.salt()?)?;
        let (woken, news) = mpsc::channel();
        let mut tails = Vec::new();
        for partition in &source.partitions {
            let partition = Arc::clone(partition);
            if self.partition.is_none_or(|only| only == partition.number()) {
                tails.push(self.tail(partition, &position, woken.clone())?);
            }
        }
        ensure!(!tails.is_empty(), "found no such partition of {}", source.topic);
        let mut count = Count::default();
        let mut copier = Copier {
            mirror: &self,
            target: &target,
            scrubber: &mut scrubber,
            position: &mut position,
            count: &mut count,
            begun: Instant::now(),
            told: Instant::now(),
            stop: &told,
        };
        let copied = copier.copy(&mut tails, &news);
        let is_whole = copied.is_ok() && (self.follow || !told.load(Ordering::Acquire));
        self.summarize(&count, &scrubber, &target);
        copied.map(|()| if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn tail(
        &self,
        partition: Arc<dyn Partition>,
        position: &Position,
        woken: mpsc::Sender<()>,
    ) -> Result<Tail> {
        let wake = move |_end| {
            // Nobody listens at the end.
            let _gone = woken.send(());
        };
        let subscription = partition.subscribe(Arc::new(wake));
        let far = clock::now() + Duration::from_secs(366 * 86_400);
        let end = partition.offset_at(far)?;
        let next = match (position.next(partition.number()), &self.since, self.from_offset) {
            (Some(next), ..) => next,
            (None, Some(since), _) => partition.offset_at(time_of(since)?)?,
            (None, None, Some(offset)) => offset,
            (None, None, None) => 0,
        };
        Ok(Tail { partition, next, end, quiet_since: None, _subscription: subscription })
    }

    fn summarize(&self, count: &Count, scrubber: &Scrubber, target: &Target) {
        let Count { read, copied, left_out, unreadable, .. } = count;
        eprintln!(
            "{copied} of {read} requests of {} copied to {target}; {left_out} not in the sample, \
             {unreadable} not readable",
            self.endpoint
        );
        if *unreadable > 0 {
            eprintln!("the last that was not readable: {}", count.last_unreadable);
        }
        for name in scrubber.never_found().filter(|_| *copied > 0) {
            eprintln!("warning: none of the requests had {name}: is that its name?");
        }
    }
}

/// One partition on its way.
struct Tail {
    partition: Arc<dyn Partition>,
    next: u64,
    /// Where it ended when it was begun.
    end: u64,
    /// Since when it gives nothing.
    quiet_since: Option<Instant>,
    _subscription: Subscription,
}

impl Tail {
    fn read(&mut self, limit: ReadLimit) -> Result<Vec<StoredRecord>> {
        match self.partition.read(self.next, limit) {
            Ok(records) => {
                let is_empty = records.is_empty();
                self.quiet_since = self.quiet_since.or_else(|| Some(Instant::now()));
                self.quiet_since = self.quiet_since.filter(|_| is_empty);
                Ok(records)
            }
            Err(ReadError::OutOfRange { found, start, .. }) if start > found => {
                if found > 0 {
                    let partition = self.partition.number();
                    eprintln!("partition {partition}: {found} to {start} are gone");
                }
                self.next = start;
                Ok(Vec::new())
            }
            Err(ReadError::Away { reason }) => {
                eprintln!("the source cannot be read, and is tried again: {reason}");
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether all is read that was there at the beginning.
    fn is_read(&self) -> bool {
        self.next >= self.end || self.quiet_since.is_some_and(|since| since.elapsed() >= QUIET)
    }
}

/// Copies what tails give.
struct Copier<'a> {
    mirror: &'a Mirror,
    target: &'a Target,
    scrubber: &'a mut Scrubber,
    position: &'a mut Position,
    count: &'a mut Count,
    begun: Instant,
    told: Instant,
    /// Whether it was told to end.
    stop: &'a AtomicBool,
}

impl Copier<'_> {
    fn copy(&mut self, tails: &mut [Tail], news: &Receiver<()>) -> Result<()> {
        // A second's worth at the most, so that a rate is not kept by long rests.
        let rate = self.mirror.rate.map_or(usize::MAX, |rate| rate as usize);
        let limit = ReadLimit { records: READ_LIMIT.records.min(rate), ..READ_LIMIT };
        loop {
            let mut any = false;
            for tail in &mut *tails {
                if self.stop.load(Ordering::Acquire) {
                    return Ok(());
                }
                let records = tail.read(limit)?;
                any |= !records.is_empty();
                if self.copy_records(tail, &records)? {
                    return Ok(());
                }
            }
            if !self.mirror.follow && tails.iter().all(Tail::is_read) {
                return Ok(());
            }
            if self.told.elapsed() >= TELL_EVERY {
                self.tell(tails);
            }
            if !any {
                // Silence and news are looked into alike.
                let _news = news.recv_timeout(WAIT);
                while news.try_recv().is_ok() {}
            }
        }
    }

    /// Copies some records of one partition. Returns whether that was all that is wanted.
    fn copy_records(&mut self, tail: &mut Tail, records: &[StoredRecord]) -> Result<bool> {
        let partition = tail.partition.number();
        let stops = |offset| !self.mirror.follow && offset >= tail.end;
        let mut copies = Vec::with_capacity(records.len());
        let limit = self.mirror.limit.unwrap_or(u64::MAX);
        let mut left = limit - self.count.copied;
        let mut next = tail.next;
        for stored in records {
            if left == 0 || stops(stored.offset) {
                break;
            }
            next = stored.offset + 1;
            self.count.read += 1;
            match self.scrubber.copy_of(partition, stored) {
                Err(why) => {
                    self.count.unreadable += 1;
                    self.count.last_unreadable =
                        format!("offset {} of partition {partition}: {why}", stored.offset);
                }
                Ok(copy) if self.is_wanted(&copy) => {
                    left -= 1;
                    copies.push(copy);
                }
                Ok(_) => self.count.left_out += 1,
            }
        }
        // What came between was no record.
        tail.next = if stops(next) { next.max(tail.end) } else { next };
        self.target.write(&copies, self.stop)?;
        self.count.copied += copies.len() as u64;
        if !records.is_empty() {
            self.position.set(partition, tail.next);
            if let Some(file) = &self.mirror.resume {
                self.position.write(file)?;
            }
        }
        self.keep_to_the_rate();
        Ok(self.count.copied >= limit)
    }

    fn is_wanted(&self, copy: &Mirrored) -> bool {
        let unit = match (&copy.key_before, self.mirror.sample_ids) {
            (Some(key), false) => key,
            _ => copy.id_before.as_bytes(),
        };
        self.mirror.sample.takes(unit)
    }

    fn keep_to_the_rate(&self) {
        let Some(rate) = self.mirror.rate else { return };
        let due = Duration::from_secs_f64(self.count.copied as f64 / f64::from(rate));
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
    }

    fn tell(&mut self, tails: &[Tail]) {
        self.told = Instant::now();
        let lag = |tail: &Tail| tail.partition.readable_end().saturating_sub(tail.next);
        let lag: u64 = tails.iter().map(lag).sum();
        let Count { read, copied, .. } = self.count;
        eprintln!("{copied} of {read} requests copied, {lag} to go");
    }
}

/// The bytes of a salt.
fn fresh_salt() -> Result<[u8; 32]> {
    let mut salt = [0; 32];
    if let Err(error) = getrandom::fill(&mut salt) {
        bail!("no salt can be made up: {error}");
    }
    Ok(salt)
}

/// Reads the salt of a file: whatever its first line says.
fn salt_of(file: &std::path::Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
    ensure!(
        line.len() >= 16,
        "{}: found a salt of {} bytes, expected at least 16",
        file.display(),
        line.len()
    );
    Ok(line.to_vec())
}
