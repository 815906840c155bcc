//! The member that is killed, or stopped for a while.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use message::Time;
use rustix::process::{Pid, Signal, kill_process};
use stream::{Commit, Output, Record, TransactError};

use crate::member::{Place, wait_for_gain};

/// Writes transactions until one is refused: the record `n` to partition 1, with the commit of `n`.
pub(crate) fn write_until_refused(place: &str) {
    let place = Place::decoded(place);
    let (member, events) = place.join_and_listen();
    wait_for_gain(&events, 2);
    let mut out = std::io::stdout();
    for number in 1.. {
        let output = output(&place, &format!("child {number}"));
        let commit = Commit { offset: number, note: format!("number {number}") };
        let written = member.transact(&[output], &[(place.source(0), commit)]);
        let said = match &written {
            Ok(_) => format!("written {number}"),
            Err(TransactError::NotOwned { .. }) => "refused".to_owned(),
            Err(error) => format!("failed {error}"),
        };
        writeln!(out, "{said}").and_then(|()| out.flush()).expect("the parent listens");
        if let Err(TransactError::NotOwned { .. }) = written {
            return;
        }
    }
}

pub(crate) fn output(place: &Place, value: &str) -> Output {
    let record = Record::new(Time::from_us(1_000_000), value.to_owned());
    Output { to: place.source(1), records: vec![record] }
}

/// That member, seen from outside.
pub(crate) struct Victim {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Victim {
    pub(crate) fn start(place: &Place) -> Self {
        let this = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(this);
        command.env("GROUP_CHILD", place.encoded()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program can be started");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// The next that it says, if it says anything more.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    pub(crate) fn wait_for(&mut self, line: &str) {
        while self.next().expect("it lives until it is killed") != line {}
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    pub(crate) fn wait(mut self) {
        assert!(self.child.wait().expect("it ends").success());
    }
}
