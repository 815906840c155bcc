//! Where Kafka is, after `install.sh` has made sure of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// An installed Kafka.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Its jars as a class path, in the order in which the archive of classes was made.
    pub(crate) class_path: String,
    /// What a formatted log directory begins with.
    pub(crate) checkpoint: PathBuf,
    /// Loaded classes, where there are any.
    pub(crate) archive: Option<PathBuf>,
}

/// The folder with the scripts.
pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Kafka is; installs it the first time.
///
/// # Panics
///
/// Where it cannot be installed.
pub(crate) fn installed() -> &'static Installed {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let mut script = Command::new(folder().join("install.sh"));
        let output = script.stderr(Stdio::inherit()).output().expect("a shell");
        assert!(output.status.success(), "tests/kafka/install.sh could not install Kafka");
        let kafka = String::from_utf8(output.stdout).expect("a path");
        Installed::at(Path::new(kafka.trim()))
    })
}

impl Installed {
    fn at(kafka: &Path) -> Self {
        let libs = kafka.join("libs");
        let entries = fs::read_dir(&libs).expect("the folder of jars");
        let mut jars: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.path().into_os_string().into_string().ok())
            .filter(|path| path.ends_with(".jar"))
            .collect();
        jars.sort();
        let archive = Some(kafka.join("classes.jsa")).filter(|archive| archive.exists());
        let checkpoint = kafka.join("bootstrap.checkpoint");
        Self { class_path: jars.join(":"), checkpoint, archive }
    }
}
