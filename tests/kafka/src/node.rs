//! One broker as a process.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::install::{Installed, folder, installed};
use crate::options::{Options, SCRAM_USER};
use crate::probe;
use crate::properties::Ports;
use crate::wait;

/// Quick to start and small rather than fast in the long run.
const JVM: [&str; 6] = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
];
/// Writes down its id before it becomes the broker, so that there is no broker whose id the keeper of the folder does
/// not know; and where the folder is gone already, there is no broker.
const SCRIPT: &str = r#"echo $$ >"$0/pid" && exec java "$@""#;

/// A broker that can be started, and started again on the same data.
#[derive(Debug)]
pub(crate) struct Node {
    folder: PathBuf,
    ports: Ports,
    child: Mutex<Option<Child>>,
}

impl Node {
    /// A broker that has not been started, with its files in this folder.
    pub(crate) fn new(
        id: usize,
        cluster: &str,
        folder: PathBuf,
        ports: Ports,
        settings: &str,
        options: &Options,
    ) -> Self {
        let log = folder.join("log");
        fs::create_dir_all(&log).expect("a folder for a broker");
        fs::write(folder.join("server.properties"), settings).expect("a file of settings");
        let node = Self { folder, ports, child: Mutex::new(None) };
        if options.secured {
            node.format_with_users(cluster);
        } else {
            fs::copy(&installed().checkpoint, log.join("bootstrap.checkpoint")).expect("a copy");
            // Ids are 22 letters and digits.
            let directory = format!("understudyDirectory{id:02}A");
            let meta = format!(
                "version=1\ncluster.id={cluster}\nnode.id={id}\ndirectory.id={directory}\n"
            );
            fs::write(log.join("meta.properties"), meta).expect("a file");
        }
        node
    }

    /// Users with passwords of SCRAM have to be there from the beginning.
    fn format_with_users(&self, cluster: &str) {
        let (user, password) = SCRAM_USER;
        let mut tool = java(installed());
        tool.args(["kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config"]);
        tool.arg(self.folder.join("server.properties"));
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            tool.args(["--add-scram", &format!("{mechanism}=[name={user},password={password}]")]);
        }
        let output = tool.output().expect("java");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "the log directory was not formatted:\n{said}");
    }

    /// Starts it where it does not run. It takes some time until it answers.
    pub(crate) fn start(&self) {
        let mut child = self.child();
        if child.is_some() {
            return;
        }
        let kafka = installed();
        let log = File::options().create(true).append(true).open(self.folder.join("broker.log"));
        let log = log.expect("a file for what the broker says");
        let java = java(kafka);
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(&self.folder).args(java.get_args());
        command.arg("kafka.Kafka").arg(self.folder.join("server.properties"));
        command.stdin(Stdio::null()).stderr(log.try_clone().expect("a handle")).stdout(log);
        // Not in our group: what a terminal sends to end the tests is for the keeper of the folder to see.
        *child = Some(command.process_group(0).spawn().expect("a shell"));
    }

    /// Whether it runs, or is paused.
    pub(crate) fn is_running(&self) -> bool {
        let mut child = self.child();
        matches!(child.as_mut().map(Child::try_wait), Some(Ok(None)))
    }

    /// How many brokers it knows of; none while it does not answer.
    pub(crate) fn brokers(&self) -> usize {
        probe::brokers(self.ports.of(crate::Listener::Internal))
    }

    pub(crate) const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Ends it as a loss of power would.
    pub(crate) fn kill(&self) {
        let ended = self.child().take();
        if let Some(mut child) = ended {
            child.kill().ok();
            child.wait().ok();
            fs::remove_file(self.folder.join("pid")).ok();
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait_until_ended(&self) {
        wait::until("the broker ends", || (!self.is_running()).then_some(()));
        self.kill();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            kill_process(pid, signal).ok();
        }
    }

    /// Keeps every file of it from growing beyond so many bytes; none lifts that.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.pid().expect("a broker that runs");
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(pid), Resource::Fsize, limit).expect("a limit");
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("broker.log")).unwrap_or_default()
    }

    fn pid(&self) -> Option<Pid> {
        self.child().as_ref().map(Pid::from_child)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Java with the jars of Kafka, and no class to run yet.
fn java(kafka: &Installed) -> Command {
    let mut java = Command::new("java");
    java.args(JVM);
    if let Some(archive) = &kafka.archive {
        java.arg(format!("-XX:SharedArchiveFile={}", archive.display()));
    }
    let settings = folder().join("log4j2.properties");
    java.arg(format!("-Dlog4j2.configurationFile={}", settings.display()));
    java.args(["-cp", &kafka.class_path]);
    java
}

/// A number that nobody expects, so that tests that run at the same time differ.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    let mut source = File::open("/dev/urandom").expect("chance");
    source.read_exact(&mut bytes).expect("chance");
    u64::from_ne_bytes(bytes)
}
