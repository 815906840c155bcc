//! Rows (i): the embedded log against plain files, and how soon a tail reader has a record.
//!
//! Both write and read the same values of 512 bytes through a buffer, and neither waits for the
//! disk. The log also has frames, checksums that each read checks, and an index.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use message::Time;
use stream::{EmbeddedStream, Fsync, Partition, ReadLimit, Record, Stream, TopicOptions};

use crate::folder::Folder;
use crate::measure::{Latencies, Turns, per_second, time};
use crate::table::{Aim, Row};

const ROUNDS: usize = 7;
const RECORDS: usize = 200_000;
const RECORD_BYTES: usize = 512;
const BATCH: usize = 256;
const TAIL_RECORDS: usize = 3_000;
const TAIL_PAUSE: Duration = Duration::from_micros(500);
const WAIT_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = Folder::new()?;
    let values: Vec<Bytes> = (0..BATCH).map(value).collect();
    let (mut append, mut scan) = (Turns::default(), Turns::default());
    for round in 0..ROUNDS {
        let ours = log_round(&folder.data(), round, &values)?;
        let reference = file_round(&folder.path().join("plain"), &values)?;
        append.push(ours.append, reference.append);
        scan.push(ours.scan, reference.scan);
    }
    let (tail, channel) = (tail(&folder)?, channel()?);
    let row = |id, what: &str, unit, ours, reference, aim| Row {
        id,
        what: what.to_owned(),
        unit,
        ours,
        reference: Some(reference),
        aim,
    };
    let least = Aim::RatioAtLeast(0.6);
    let p99 = |latencies: &Latencies| latencies.quantile_us(0.99);
    Ok(vec![
        row(
            "i-append",
            "records of 512 bytes appended in batches of 256; written through a buffer",
            "1/s",
            append.ours(),
            append.reference(),
            least,
        ),
        row(
            "i-scan",
            "the same records scanned; read through a buffer",
            "1/s",
            scan.ours(),
            scan.reference(),
            least,
        ),
        row(
            "i-tail",
            "p99 from append to a tail reader; through a channel",
            "µs",
            p99(&tail),
            p99(&channel),
            Aim::None,
        ),
    ])
}

/// What one round came to, in records a second.
struct Rates {
    append: f64,
    scan: f64,
}

fn value(number: usize) -> Bytes {
    (0..RECORD_BYTES).map(|index| (index * 31 + number) as u8).collect()
}

fn log_round(data: &Path, round: usize, values: &[Bytes]) -> Result<Rates> {
    let stream = EmbeddedStream::open(data)?;
    let options = TopicOptions { fsync: Fsync::None, ..TopicOptions::default() };
    let topic = stream.open(&format!("round-{round}"), &options)?;
    let batch: Vec<Record> =
        values.iter().map(|value| Record::new(Time::EPOCH, value.clone())).collect();
    let append = time(|| {
        for _batch in 0..RECORDS / BATCH {
            topic.append(&batch)?;
        }
        Ok(())
    })?;
    let scan = time(|| {
        let (mut next, end) = (0, topic.readable_end());
        while next < end {
            let read = topic.read(next, ReadLimit::default())?;
            next += read.len() as u64;
            black_box(read.iter().map(|it| usize::from(it.record.value[0])).sum::<usize>());
        }
        Ok(())
    })?;
    drop((topic, stream));
    fs::remove_dir_all(data)?;
    Ok(rates(append, scan))
}

fn file_round(file: &Path, values: &[Bytes]) -> Result<Rates> {
    let append = time(|| {
        let mut writer = BufWriter::with_capacity(BATCH * RECORD_BYTES, File::create(file)?);
        for _batch in 0..RECORDS / BATCH {
            values.iter().try_for_each(|value| writer.write_all(value))?;
        }
        Ok(writer.flush()?)
    })?;
    let scan = time(|| {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(file)?);
        let mut record = [0; RECORD_BYTES];
        for _record in 0..RECORDS / BATCH * BATCH {
            reader.read_exact(&mut record)?;
            black_box(&record);
        }
        Ok(())
    })?;
    fs::remove_file(file)?;
    Ok(rates(append, scan))
}

fn rates(append: Duration, scan: Duration) -> Rates {
    let count = (RECORDS / BATCH * BATCH) as u64;
    Rates { append: per_second(count, append), scan: per_second(count, scan) }
}

/// How soon a reader that waits at the end of a topic has a record.
fn tail(folder: &Folder) -> Result<Latencies> {
    let stream = EmbeddedStream::open(folder.data())?;
    let topic = stream.open("tail", &TopicOptions::default())?;
    let began = Instant::now();
    thread::scope(|scope| {
        let reader = scope.spawn(|| follow(&*topic, began));
        for _record in 0..TAIL_RECORDS {
            thread::sleep(TAIL_PAUSE);
            let value = Bytes::from(vec![0; RECORD_BYTES]);
            let time = Time::from_us(u64::try_from(began.elapsed().as_nanos())?);
            topic.append(&[Record::new(time, value)])?;
        }
        reader.join().map_err(|_panic| anyhow::anyhow!("the reader panicked"))?
    })
}

/// Reads what comes. The time of a record is in nanoseconds here, since it began.
fn follow(topic: &dyn Partition, began: Instant) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    let mut next = 0;
    while next < TAIL_RECORDS as u64 {
        ensure!(topic.wait(next, WAIT_LIMIT) > next, "no record comes");
        for stored in topic.read(next, ReadLimit::default())? {
            next = stored.offset + 1;
            let appended = Duration::from_nanos(stored.record.time.as_us());
            latencies.record(began.elapsed().saturating_sub(appended));
        }
    }
    Ok(latencies)
}

/// The same through a channel: what waking a thread costs here, whatever is read.
fn channel() -> Result<Latencies> {
    let (send, receive) = mpsc::channel::<Instant>();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut latencies = Latencies::new();
            receive.iter().for_each(|sent| latencies.record(sent.elapsed()));
            latencies
        });
        for _record in 0..TAIL_RECORDS {
            thread::sleep(TAIL_PAUSE);
            send.send(Instant::now())?;
        }
        drop(send);
        reader.join().map_err(|_panic| anyhow::anyhow!("the reader panicked"))
    })
}
