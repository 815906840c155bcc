//! `understudy new`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use builder::{Language, Toolchain, write_project};
use clap::Args;

use super::output::print;

/// Write a new model that builds: a project in the language's ordinary form with a test, samples and a short README,
/// and the language's library beside it.
///
/// Languages: rust, c, cpp, zig, go, python, javascript, typescript, assemblyscript.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The language.
    #[arg(value_name = "LANG")]
    language: Language,
    /// The name of the model, and of the folder that is made for it.
    name: String,
    /// Where the folder is made.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    parent: PathBuf,
}

impl New {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let written = write_project(&self.parent, self.language, &self.name)?;
        let folder = written.folder.strip_prefix(".").unwrap_or(&written.folder).display();
        let mut page = format!("{folder} is a model in {}:\n", self.language.title());
        for file in &written.files {
            page += &format!("  {}\n", file.display());
        }
        page += "next:\n";
        let missing =
            Toolchain::of_user().and_then(|toolchain| toolchain.locate(self.language).err());
        if missing.is_some() {
            page += &format!("  understudy toolchain install {}\n", self.language);
        }
        page += &format!("  understudy build {folder}\n  understudy test {folder}\n");
        print(page)?;
        Ok(ExitCode::SUCCESS)
    }
}
