//! Servers in processes of their own: the host, and what it is compared with.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::folder::{Folder, root};

/// How long a host may take until all its models are there.
const START_LIMIT: Duration = Duration::from_secs(300);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    /// Kept open, for a process without an output ends when it prints.
    _output: BufReader<ChildStdout>,
    rest: SocketAddr,
    grpc: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Server {
    /// Starts a host, and waits until so many models are live.
    pub(crate) fn host(folder: &Folder, models: usize) -> Result<Self> {
        Self::host_beside(folder, "data", models)
    }

    /// The same with a folder of data of its own, for one of several hosts on the same models.
    pub(crate) fn host_beside(folder: &Folder, data: &str, models: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg("--models").arg(folder.models());
        command.arg("--data").arg(folder.path().join(data)).current_dir(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"]);
        command.args(["--admin-listen", "127.0.0.1:0"]);
        let host = Self::start(command.env("RUST_LOG", "error"), &["rest", "grpc", "admin"])?;
        host.wait_for(models)?;
        Ok(host)
    }

    /// Builds and starts the bare service, whose program lies beside this one.
    pub(crate) fn reference() -> Result<Self> {
        let this_program = std::env::current_exe()?;
        let release = this_program.parent().context("a program lies in a folder")?;
        let target = release.parent().context("a program lies in a folder of a target")?;
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        build.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]);
        build.arg(root().join("tests/bench/reference/Cargo.toml"));
        let built = build.arg("--target-dir").arg(target).status().context("cannot run cargo")?;
        ensure!(built.success(), "the reference cannot be built");
        Self::start(&mut Command::new(release.join("reference")), &["rest", "grpc"])
    }

    /// Where it is asked.
    pub(crate) const fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Where it is asked over gRPC.
    pub(crate) const fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    fn start(command: &mut Command, names: &[&str]) -> Result<Self> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("a child without an output")?;
        let mut output = BufReader::new(output);
        let mut addresses = Vec::new();
        while addresses.len() < names.len() {
            let mut line = String::new();
            ensure!(output.read_line(&mut line)? > 0, "the server ended before it listened");
            let said = line.trim().split_once(": http://");
            if let Some((_, address)) = said.filter(|(name, _)| names.contains(name)) {
                addresses.push(address.parse()?);
            }
        }
        let (rest, grpc) = (addresses[0], addresses[1]);
        let admin = addresses.get(2).copied();
        Ok(Self { process, _output: output, rest, grpc, admin })
    }

    fn wait_for(&self, models: usize) -> Result<()> {
        self.wait_until(|status| live_models(status) == models)
    }

    /// Waits until the status is as wanted.
    pub(crate) fn wait_until(&self, is_wanted: impl Fn(&Value) -> bool) -> Result<()> {
        let until = Instant::now() + START_LIMIT;
        loop {
            let status = self.status()?;
            if is_wanted(&status) {
                return Ok(());
            }
            let live = live_models(&status);
            ensure!(Instant::now() < until, "{live} models are live, expected others: {status}");
            thread::sleep(ASK_EVERY);
        }
    }

    /// What `GET /status` says.
    pub(crate) fn status(&self) -> Result<Value> {
        let admin = self.admin.context("only a host has a status")?;
        let mut stream = TcpStream::connect(admin)?;
        write!(stream, "GET /status HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let (_, body) = response.split_once("\r\n\r\n").context("a status without a body")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever asked it last has noticed.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

fn live_models(status: &Value) -> usize {
    let endpoints = status["endpoints"].as_array().into_iter().flatten();
    let models = endpoints.filter_map(|endpoint| endpoint["models"].as_array()).flatten();
    models.filter(|model| model["state"] == "live").count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn live_models_are_counted_over_all_endpoints() {
        let status = json!({"endpoints": [
            {"models": [{"state": "live"}, {"state": "loading"}]},
            {"models": [{"state": "live"}]},
        ]});
        assert_eq!(live_models(&status), 2);
        assert_eq!(live_models(&json!({})), 0);
    }
}
