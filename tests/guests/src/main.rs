//! Writes every guest into a folder, as `NAME.wasm`: `guests FOLDER`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

use guests::{ALL, Contract};

/// Enough to take a compiler ten seconds and more, unless its limits stop it.
const FUNCTIONS: usize = 400_000;
const BLOCKS: usize = 100_000;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: guests FOLDER");
        return ExitCode::from(2);
    };
    let folder = PathBuf::from(folder);
    match write_all(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(folder: &PathBuf) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.join(name).with_extension("wasm"), bytes);
    for guest in ALL {
        fs::write(folder.join(format!("{}.wasm", guest.name)), guests::build(guest.name))?;
    }
    for (name, bytes) in guests::broken() {
        write(name, &bytes)?;
    }
    write("newer-contract", &guests::with_contract("newer-contract", "", Contract::NEWER))?;
    write(
        "much-newer-contract",
        &guests::with_contract("much-newer-contract", "", Contract::MUCH_NEWER),
    )?;
    write("many-functions", &guests::many_functions(FUNCTIONS))?;
    write("huge-function", &guests::huge_function(BLOCKS))
}
