//! The machine that the numbers are of.

use std::fmt;

use anyhow::{Context, Result};

/// What the numbers depend on.
#[derive(Debug)]
pub(crate) struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
    memory_kib: u64,
    load: String,
}

impl Machine {
    /// Looks at the machine as it is now.
    pub(crate) fn look() -> Result<Self> {
        let memory_kib = kib_of(&read("/proc/meminfo")?, "MemTotal").unwrap_or(0);
        let load = read("/proc/loadavg")?;
        Ok(Self {
            processor: field(&read("/proc/cpuinfo")?, "model name").unwrap_or("unknown").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            memory_kib,
            load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, processors, kernel, memory_kib, load } = self;
        let memory_gib = *memory_kib as f64 / f64::from(1 << 20);
        write!(f, "{processor}, {processors} processors, {memory_gib:.1} GiB, Linux {kernel}; ")?;
        write!(f, "load average at the start {load}")
    }
}

/// The resident memory of a process.
pub(crate) fn resident_mib(process: u32) -> Result<f64> {
    let file = format!("/proc/{process}/status");
    let kib = kib_of(&read(&file)?, "VmRSS").with_context(|| format!("no VmRSS in {file}"))?;
    Ok(kib as f64 / 1024.0)
}

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))
}

fn kib_of(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.strip_suffix(" kB")?.parse().ok()
}

/// What stands behind the colon of the first line that begins so.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_proc_files_are_found() {
        let text = "model name\t: A B\nMemTotal:       24643584 kB\n";
        assert_eq!(field(text, "model name"), Some("A B"));
        assert_eq!(kib_of(text, "MemTotal"), Some(24_643_584));
        assert_eq!(kib_of(text, "VmRSS"), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident_mib(std::process::id()).unwrap() > 0.0);
    }
}
