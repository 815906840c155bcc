//! The real binary as a child process, from its start to its end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use tempfile::TempDir;

use crate::wait::{self, PATIENCE};
use crate::{Client, Record, read_topic};

/// With what a host is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What `understudy.toml` says.
    pub config: String,
    /// The data directory; without it one of its own, which goes with the last handle to the host.
    pub data: Option<PathBuf>,
}

/// A host that runs. When dropped it is killed.
#[derive(Debug)]
pub struct Host {
    child: Child,
    rest: SocketAddr,
    grpc: SocketAddr,
    admin: SocketAddr,
    announced: Vec<String>,
    log: Log,
    site: Site,
}

/// A host that has ended, with what it left behind.
#[derive(Debug)]
pub struct Stopped {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub log: String,
    site: Site,
}

/// A host that ended before it had announced where it listens.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub log: String,
}

/// What stays the same when a host is started again.
#[derive(Debug, Clone)]
struct Site {
    models: PathBuf,
    options: Options,
    /// Whether the host is to survive files that cannot grow.
    survives_full_files: bool,
    /// Holds the configuration and, mostly, the data.
    folder: Arc<TempDir>,
    /// Where the host listens now, for callers who outlive it.
    rest: Arc<Mutex<Option<SocketAddr>>>,
}

/// Standard error, read as it comes.
#[derive(Debug)]
struct Log {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// The binary under test: what `UNDERSTUDY_BINARY` says, or the one beside the tests.
///
/// # Panics
///
/// Where there is none.
pub fn binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("UNDERSTUDY_BINARY") {
        return binary.into();
    }
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(Path::parent).expect("invariant: tests lie in deps/");
    let binary = profile.join("understudy");
    assert!(
        binary.exists(),
        "{} is not there: build it with `cargo build --release -p server`",
        binary.display()
    );
    binary
}

/// Runs a command of the binary to its end.
///
/// # Panics
///
/// Where it cannot be started.
pub fn understudy<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new(binary()).args(arguments).output().expect("a binary that starts")
}

impl Host {
    /// Starts a host on a folder of models, and returns when it has announced where it listens; models may still be
    /// loading.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start(models: &Path, options: Options) -> Self {
        Self::try_start(models, options)
            .unwrap_or_else(|ended| panic!("the host ended with {}:\n{}", ended.status, ended.log))
    }

    /// Starts a host whose files can be kept from growing, as on a disk that is full.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_on_small_disk(models: &Path, options: Options) -> Self {
        let site = Site { survives_full_files: true, ..Site::new(models, options) };
        site.start()
            .unwrap_or_else(|ended| panic!("the host ended with {}:\n{}", ended.status, ended.log))
    }

    /// Starts a host that may have a reason not to.
    ///
    /// # Errors
    ///
    /// When it ends before it has announced where it listens.
    pub fn try_start(models: &Path, options: Options) -> Result<Self, Ended> {
        Site::new(models, options).start()
    }

    /// Where requests are taken.
    pub const fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Where requests are taken over gRPC.
    pub const fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Where metrics and status are.
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The lines that the host announced itself with.
    pub fn announced(&self) -> &[String] {
        &self.announced
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.site.data()
    }

    /// A caller of this host.
    pub const fn client(&self) -> Client {
        Client::new(self.rest)
    }

    /// What the host has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// What `GET /status` says.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn status(&self) -> Value {
        let response = Client::new(self.admin).get("/status");
        response
            .unwrap_or_else(|error| panic!("no status ({error}); the host said:\n{}", self.log()))
            .json()
    }

    /// An endpoint of the status.
    pub fn endpoint(&self, endpoint: &str) -> Option<Value> {
        find(&self.status()["endpoints"], endpoint)
    }

    /// A model of the status.
    pub fn model(&self, endpoint: &str, model: &str) -> Option<Value> {
        find(&self.endpoint(endpoint)?["models"], model)
    }

    /// What the host says is wrong in the folder.
    pub fn problems(&self) -> Vec<String> {
        let status = self.status();
        let problems = status["problems"].as_array().into_iter().flatten();
        problems.filter_map(|problem| problem.as_str().map(str::to_owned)).collect()
    }

    /// Waits until `look` finds something.
    ///
    /// # Panics
    ///
    /// When there is nothing for a long time.
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let explain = || format!("status: {:#}\nlog:\n{}", self.status(), self.log());
        wait::until(what, explain, || look(self))
    }

    /// Waits until a model is in a state, and returns what the status says of it.
    pub fn wait_for_state(&self, endpoint: &str, model: &str, state: &str) -> Value {
        self.wait_for(&format!("{endpoint}/{model} is {state}"), |host| {
            host.model(endpoint, model).filter(|model| model["state"] == state)
        })
    }

    /// Waits until a model runs and nothing newer of it is on its way, and returns what the status says of it.
    pub fn wait_until_live(&self, endpoint: &str, model: &str) -> Value {
        self.wait_for(&format!("{endpoint}/{model} is live"), |host| {
            host.model(endpoint, model)
                .filter(|model| model["state"] == "live" && model["reason"].is_null())
        })
    }

    /// Waits until every model of an endpoint that was there at the start is loaded or refused.
    pub fn wait_until_settled(&self, endpoint: &str) {
        self.wait_for(&format!("{endpoint} is settled"), |host| {
            host.endpoint(endpoint).filter(|endpoint| endpoint["settled"] == true)
        });
    }

    /// Waits for a problem of the folder in whose line all these words are.
    pub fn wait_for_problem(&self, words: &[&str]) -> String {
        self.wait_for(&format!("a problem with {words:?}"), |host| {
            let mut problems = host.problems().into_iter();
            problems.find(|problem| words.iter().all(|word| problem.contains(word)))
        })
    }

    /// Waits until an event of this kind has happened to a model so many times, and returns them.
    pub fn wait_for_events(
        &self,
        endpoint: &str,
        model: &str,
        event: &str,
        count: usize,
    ) -> Vec<Value> {
        self.wait_for(&format!("{endpoint}/{model} is {event} {count} times"), |host| {
            let events: Vec<_> = host
                .topic(endpoint, "events")
                .into_iter()
                .map(|record| record.value)
                .filter(|value| value["model"] == model && value["event"] == event)
                .collect();
            (events.len() >= count).then_some(events)
        })
    }

    /// Reads all that a topic of an endpoint holds.
    pub fn topic(&self, endpoint: &str, topic: &str) -> Vec<Record> {
        read_topic(&self.data(), endpoint, topic)
    }

    /// The resident memory of the host in bytes, as the system counts it.
    ///
    /// # Panics
    ///
    /// Where the system does not say.
    pub fn resident_bytes(&self) -> u64 {
        let file = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(file).expect("the state of the process");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.expect("a line VmRSS") << 10
    }

    /// Lets no file of the host grow beyond this size, or every file again.
    ///
    /// # Panics
    ///
    /// Where the host was not started for that.
    pub fn limit_files(&self, bytes: Option<u64>) {
        assert!(self.site.survives_full_files, "the signal would kill it");
        let limit = Rlimit { current: bytes, maximum: None };
        let pid = Some(Pid::from_child(&self.child));
        prlimit(pid, Resource::Fsize, limit).expect("a limit that can be set");
    }

    /// Has the host stand still, with all its connections open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Has a host that stood still go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills the host as a power cut would.
    pub fn kill_hard(mut self) -> Stopped {
        self.signal(Signal::KILL);
        self.end()
    }

    /// Stops the host as an operator would.
    ///
    /// # Panics
    ///
    /// Where it ends with another status than 0.
    pub fn stop(mut self) -> Stopped {
        self.signal(Signal::TERM);
        let stopped = self.end();
        assert!(stopped.status.success(), "ended with {}:\n{}", stopped.status, stopped.log);
        stopped
    }

    /// Stops the host and starts it again on what it left behind.
    pub fn restart(self) -> Self {
        self.stop().start()
    }

    /// Where the host listens, also after it was started again. `None` while it does not run.
    pub(crate) fn whereabouts(&self) -> Arc<Mutex<Option<SocketAddr>>> {
        Arc::clone(&self.site.rest)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child that can be signalled");
    }

    fn end(&mut self) -> Stopped {
        let status = wait::until(
            "the host ends",
            || self.log.text(),
            || self.child.try_wait().expect("a child that can be waited for"),
        );
        *self.site.rest.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Stopped { status, log: self.log.finish(), site: self.site.clone() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It has ended already where it was stopped; else nobody cares how it ends.
        let _ended = self.child.kill();
        let _status = self.child.wait();
        if thread::panicking() {
            eprintln!("the host said:\n{}", self.log.text());
        }
    }
}

impl Stopped {
    /// Starts the host again on what it left behind. It listens elsewhere.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start(self) -> Host {
        self.site
            .start()
            .unwrap_or_else(|ended| panic!("the host ended with {}:\n{}", ended.status, ended.log))
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.site.data()
    }

    /// Reads all that a topic of an endpoint holds.
    pub fn topic(&self, endpoint: &str, topic: &str) -> Vec<Record> {
        read_topic(&self.data(), endpoint, topic)
    }
}

impl Site {
    fn new(models: &Path, options: Options) -> Self {
        Self {
            models: models.to_owned(),
            options,
            survives_full_files: false,
            folder: Arc::new(tempfile::tempdir().expect("a temporary folder")),
            rest: Arc::default(),
        }
    }

    /// The command that becomes the host.
    fn command(&self) -> Command {
        if !self.survives_full_files {
            return Command::new(binary());
        }
        // A limit of the system stands in for the disk, without its signal.
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary());
        shell
    }

    fn data(&self) -> PathBuf {
        self.options.data.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    fn start(self) -> Result<Host, Ended> {
        let config = self.folder.path().join("understudy.toml");
        fs::write(&config, &self.options.config).expect("a configuration file");
        let mut child = self
            .command()
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"])
            .args(["--admin-listen", "127.0.0.1:0"])
            .args(["--models".as_ref(), self.models.as_os_str()])
            .args(["--data".as_ref(), self.data().as_os_str()])
            .args(["--config".as_ref(), config.as_os_str()])
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a binary that starts");
        let mut log = Log::of(child.stderr.take().expect("invariant: it is piped"));
        let lines = lines_of(child.stdout.take().expect("invariant: it is piped"));
        let mut announced = Vec::new();
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            announced.push(line);
            let address = |prefix| address(&announced, prefix);
            if let (Some(rest), Some(grpc), Some(admin)) =
                (address("rest: "), address("grpc: "), address("admin: "))
            {
                *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
                announced.extend(lines.try_iter());
                return Ok(Host { child, rest, grpc, admin, announced, log, site: self });
            }
        }
        // Ends at once where standard output is closed, and is killed where it says nothing.
        let ended = child.try_wait().ok().flatten().is_some();
        let _killed = if ended { Ok(()) } else { child.kill() };
        let status = child.wait().expect("a child that can be waited for");
        Err(Ended { status, log: log.finish() })
    }
}

impl Log {
    fn of(mut stderr: ChildStderr) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut piece) {
                let piece = String::from_utf8_lossy(&piece[..length]);
                shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("invariant: the reader does not panic");
        }
        self.text()
    }
}

/// Each line as it comes; the rest is read as well, so that the host never waits for a reader.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens any more once the addresses are known.
            let _heard = sender.send(line);
        }
    });
    lines
}

fn address(announced: &[String], prefix: &str) -> Option<SocketAddr> {
    let url = announced.iter().find_map(|line| line.strip_prefix(prefix))?;
    url.split_once("://")?.1.parse().ok()
}

fn find(list: &Value, name: &str) -> Option<Value> {
    list.as_array()?.iter().find(|item| item["name"] == name).cloned()
}
