//! Row (b): records from a topic through three models to a topic, against copying them.
//!
//! Both begin with records in memory and end when the last one is in the topic behind. What lies
//! between is, here, a decoded document, three calls into sandboxes, four records and a decision;
//! there, one read and one write. Nothing waits for the disk on either side.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use message::Time;
use stream::{EmbeddedStream, Fsync, Partition, ReadLimit, Record, Stream, TopicOptions};

use crate::folder::Folder;
use crate::here::HostHere;
use crate::measure::{Turns, per_second};
use crate::samples;
use crate::table::{Aim, Row};

const ROUNDS: u64 = 5;
const RECORDS: usize = 30_000;
const BATCH: usize = 1_000;
/// How many batches are on their way at once.
const WRITERS: usize = 4;
const WAIT_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn measure() -> Result<Vec<Row>> {
    let (flow, copying) = (Flow::start()?, Copying::start()?);
    flow.run(samples::distinct(RECORDS, u64::MAX)?)?;
    let mut turns = Turns::default();
    for round in 0..ROUNDS {
        let documents = samples::distinct(RECORDS, round)?;
        let ours = flow.run(documents.clone())?;
        turns.push(ours, copying.run(documents)?);
    }
    Ok(vec![Row {
        id: "b",
        what: "records through three models; copied to another topic".into(),
        unit: "1/s",
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim: Aim::RatioAtLeast(0.5),
    }])
}

struct Flow {
    host: HostHere,
    _folder: Folder,
}

impl Flow {
    fn start() -> Result<Self> {
        let folder = Folder::new()?;
        folder.three_models("[stream]\nfsync = 'none'\n")?;
        let host = HostHere::start(&folder, &["flights"])?;
        Ok(Self { host, _folder: folder })
    }

    fn run(&self, documents: Vec<Bytes>) -> Result<f64> {
        let answers = self.host.topic("flights", "answers")?;
        let count = documents.len() as u64;
        let end = answers.readable_end() + count;
        let started = Instant::now();
        self.host.runtime().block_on(self.append(&documents))?;
        wait(&*answers, end)?;
        Ok(per_second(count, started.elapsed()))
    }

    async fn append(&self, documents: &[Bytes]) -> Result<()> {
        let share = documents.len().div_ceil(WRITERS);
        let writers = documents.chunks(share).map(|share| async move {
            for batch in share.chunks(BATCH) {
                self.host.host().append("flights", batch.to_vec()).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
        let [first, second, third, fourth] = writers
            .collect::<Vec<_>>()
            .try_into()
            .ok()
            .context("there are as many shares as writers")?;
        tokio::try_join!(first, second, third, fourth)?;
        Ok(())
    }
}

struct Copying {
    stream: EmbeddedStream,
    _folder: Folder,
}

impl Copying {
    fn start() -> Result<Self> {
        let folder = Folder::new()?;
        Ok(Self { stream: EmbeddedStream::open(folder.data())?, _folder: folder })
    }

    fn run(&self, documents: Vec<Bytes>) -> Result<f64> {
        let options = TopicOptions { fsync: Fsync::None, ..TopicOptions::default() };
        let from = self.stream.open("flights/requests", &options)?;
        let to = self.stream.open("flights/answers", &options)?;
        let count = documents.len() as u64;
        let (begin, end) = (from.readable_end(), from.readable_end() + count);
        let started = Instant::now();
        std::thread::scope(|scope| {
            let copier = scope.spawn(|| copy(&*from, &*to, begin, end));
            for batch in documents.chunks(BATCH) {
                let record = |document: &Bytes| Record::new(Time::EPOCH, document.clone());
                from.append(&batch.iter().map(record).collect::<Vec<_>>())?;
            }
            copier.join().map_err(|_panic| anyhow::anyhow!("the copier panicked"))?
        })?;
        wait(&*to, end)?;
        Ok(per_second(count, started.elapsed()))
    }
}

fn copy(from: &dyn Partition, to: &dyn Partition, begin: u64, end: u64) -> Result<()> {
    let mut next = begin;
    while next < end {
        wait(from, next + 1)?;
        let read = from.read(next, ReadLimit::default())?;
        next += read.len() as u64;
        let records: Vec<Record> = read.into_iter().map(|stored| stored.record).collect();
        to.append(&records)?;
    }
    Ok(())
}

/// Waits until a topic has come to its end.
fn wait(topic: &dyn Partition, end: u64) -> Result<()> {
    let found = topic.wait(end - 1, WAIT_LIMIT);
    ensure!(found >= end, "{} is at {found}, expected {end}", topic.topic());
    Ok(())
}
