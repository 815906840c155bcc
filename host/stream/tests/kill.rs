//! Kills a process that appends, at any moment, and looks at what it has left.
//!
//! This program is its own victim: with `APPEND_TO` set it appends to that directory until it is
//! killed, and says on its standard output what was acknowledged. `STEPS=1000` kills that often,
//! `SEED=` repeats a run.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use message::Time;
use stream::{EmbeddedStream, Fsync, OpenError, ReadLimit, Record, Stream, TopicOptions, verify};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    if let Some(directory) = std::env::var_os("APPEND_TO") {
        append_until_killed(Path::new(&directory));
    }
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = number("SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("SEED={seed}");
    for (index, fsync) in [Fsync::None, Fsync::Each].into_iter().enumerate() {
        kill_and_look(fsync, seed + index as u64, number("STEPS").unwrap_or(20));
    }
    println!("test what_was_acknowledged_survives_the_process ... ok");
}

fn options(fsync: Fsync) -> TopicOptions {
    TopicOptions { fsync, segment_bytes: 20_000, ..TopicOptions::default() }
}

/// A record whose content follows from its offset.
fn record(offset: u64) -> Record {
    let value = offset.to_le_bytes().repeat(1 + (offset % 40) as usize);
    Record::new(Time::from_us(offset), value)
}

fn append_until_killed(directory: &Path) -> ! {
    let fsync = if std::env::var_os("EACH").is_some() { Fsync::Each } else { Fsync::None };
    let stream = EmbeddedStream::open(directory).expect("the killed process has left no lock");
    let topic = stream.open("topic", &options(fsync)).expect("the topic can be opened");
    let mut out = std::io::stdout();
    loop {
        let end = topic.watermarks().end;
        let batch: Vec<_> = (end..end + 1 + end % 7).map(record).collect();
        topic.append(&batch).expect("the disk has space");
        let last = end + batch.len() as u64 - 1;
        let acknowledged = topic.wait(last, PATIENCE);
        topic.commit("reader", acknowledged / 2).expect("the commit can be written");
        writeln!(out, "{acknowledged}").and_then(|()| out.flush()).expect("the parent listens");
    }
}

fn kill_and_look(fsync: Fsync, seed: u64, kills: u64) {
    let directory = tempfile::tempdir().expect("there is a folder for temporary files");
    let mut random = seed;
    let mut acknowledged = 0;
    for _ in 0..kills {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let mut victim = start(directory.path(), fsync);
        acknowledged = kill_after(&mut victim, 1 + (random >> 33) % 40, acknowledged);
        look(directory.path(), fsync, acknowledged);
    }
    println!("{fsync:?}: {kills} kills, {acknowledged} records acknowledged, none lost");
}

fn start(directory: &Path, fsync: Fsync) -> Child {
    let this = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(this);
    command.env("APPEND_TO", directory).stdout(Stdio::piped());
    if fsync == Fsync::Each {
        command.env("EACH", "1");
    }
    command.spawn().expect("this program can be started")
}

/// Kills the process after so many acknowledgements, and returns the last one it got out.
fn kill_after(victim: &mut Child, acknowledgements: u64, before: u64) -> u64 {
    let mut lines = BufReader::new(victim.stdout.take().expect("it is piped")).lines();
    let mut last = before;
    let mut next = || lines.next().map(|line| line.expect("a line").parse().expect("a number"));
    for _ in 0..acknowledgements {
        last = next().expect("the process lives until it is killed");
    }
    victim.kill().expect("it can be killed");
    victim.wait().expect("it ends");
    // What it had written by then was acknowledged as well, but for a line that is cut off.
    while let Some(Some(Ok(found))) = lines.next().map(|line| line.ok().map(|it| it.parse::<u64>()))
    {
        last = last.max(found);
    }
    last
}

fn look(directory: &Path, fsync: Fsync, acknowledged: u64) {
    let reports = verify(directory).expect("the folder can be read");
    assert!(reports.iter().all(|report| report.damages.is_empty()), "found {reports:?}");
    let stream = EmbeddedStream::open(directory).expect("a dead process holds no lock");
    assert!(matches!(EmbeddedStream::open(directory), Err(OpenError::Locked { .. })));
    let topic = stream.open("topic", &options(fsync)).expect("the topic can be opened");
    let end = topic.readable_end();
    assert!(end >= acknowledged, "found {end} records, expected {acknowledged}");
    let committed = topic.committed("reader");
    assert!(committed.is_some_and(|offset| offset <= end), "found {committed:?}");
    let mut next = 0;
    while next < end {
        for stored in topic.read(next, ReadLimit::default()).expect("nothing is damaged") {
            assert_eq!((stored.offset, stored.record), (next, record(next)));
            next += 1;
        }
    }
}
