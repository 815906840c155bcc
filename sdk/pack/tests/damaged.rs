//! Files of trained models that somebody damaged, or made to do harm: each is an error or a model that runs, whatever is in it.
//!
//! Small models of the real libraries are cut off, and have bytes, numbers and whole lines exchanged. All of this is done in a process of
//! its own whose memory is limited, so that a list as long as a file merely says would end it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use pack::{ReadOptions, Trained};
use trained::{Block, Inputs, Kind, ValueType, Values};

/// How much memory the reader may have, all in all, in KiB.
const MEMORY_KIB: u64 = 1 << 20;
/// How many files are made of each seed, unless the variable of the environment below says another number, for a longer search.
const FILES_OF_SEED: u64 = 1500;
const FILES: &str = "UNDERSTUDY_TEST_DAMAGED_FILES";
/// The variable of the environment that makes the one test the process that reads.
const READING: &str = "UNDERSTUDY_TEST_READS_DAMAGED_FILES";
/// Numbers that lengths, places and thresholds should not be.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "3",
    "255",
    "256",
    "65536",
    "16777215",
    "2147483647",
    "-2147483648",
    "4294967296",
    "1000000000000",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "NaN",
];

#[test]
fn no_file_makes_a_reader_panic_or_take_much_memory() {
    if std::env::var_os(READING).is_some() {
        return read_all();
    }
    let shell = format!("ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\"");
    let this = std::env::current_exe().unwrap();
    let mut child = Command::new("sh");
    child.args(["-c", &shell]).arg(this).args(["--nocapture", "--test-threads=1"]);
    let output = child.env(READING, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let tail: Vec<_> = said.lines().rev().take(3).collect();
    assert!(output.status.success(), "{tail:?}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all were read"), "{said}");
}

/// Reads the files that are made of all seeds. Where one ends the process, the last line names it.
fn read_all() {
    let files = std::env::var(FILES).map_or(FILES_OF_SEED, |files| files.parse().unwrap());
    let mut models = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds")).unwrap() {
        let path = entry.unwrap().path();
        let seed = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let trained = pack::read(&seed, &ReadOptions::default());
        run(&trained.unwrap_or_else(|error| panic!("{name}: {error}")));
        for number in 0..files {
            println!("{name} {number}");
            let file = Damage::new(&name, number).done_to(&seed);
            let options = ReadOptions { matrix: number % 5 == 0, ..ReadOptions::default() };
            if let Ok(trained) = pack::read(&file, &options) {
                run(&trained);
                models += 1;
            }
        }
    }
    println!("all were read; {models} were models");
}

/// Runs a model on a few rows of odd values.
fn run(trained: &Trained) {
    if trained.pipeline.net().is_some() {
        return;
    }
    for rows in [1, 9] {
        let shapes = trained.pipeline.inputs.shapes();
        let kinds: Vec<Kind> = match &trained.pipeline.inputs {
            Inputs::Matrix { kind, .. } => vec![*kind],
            Inputs::Columns(columns) => columns.iter().map(|column| column.kind).collect(),
        };
        let block = |(shape, kind): (&trained::ops::Shape, &Kind)| {
            let count = shape.width * rows;
            const ODD: [f64; 7] = [0.0, -1.0, 1.5, f64::NAN, f64::INFINITY, 1e300, -0.0];
            let odd = (0..count).map(|at| ODD[at % ODD.len()]);
            let values = match shape.values {
                ValueType::F64 => Values::F64(odd.collect()),
                ValueType::F32 => Values::F32(odd.map(|it| it as f32).collect()),
                ValueType::I64 if *kind == Kind::Bool => Values::I64(vec![1; count]),
                ValueType::I64 => Values::I64(odd.map(|it| it as i64).collect()),
                ValueType::Text => Values::Text(vec!["UA".to_owned(); count]),
            };
            Block { width: shape.width, values }
        };
        let inputs = shapes.iter().zip(&kinds).map(block).collect();
        let found = trained.pipeline.run(inputs, rows);
        for output in &trained.pipeline.outputs {
            assert!(usize::from(output.slot) < found.slots.len());
        }
    }
}

/// What is done to a file. The same name and number always do the same.
struct Damage(u64);

impl Damage {
    fn new(name: &str, number: u64) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), mix))
    }

    /// Splitmix64.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % bound.max(1) as u64) as usize
    }

    fn done_to(mut self, seed: &[u8]) -> Vec<u8> {
        let mut file = seed.to_vec();
        for _ in 0..=self.below(3) {
            let text = std::str::from_utf8(seed).is_ok();
            match self.below(if text { 12 } else { 6 }) {
                0 => file.truncate(self.below(seed.len())),
                1 => self.flip(&mut file),
                2 => self.remove(&mut file),
                3 => self.repeat(&mut file),
                4 => self.overwrite(&mut file),
                5 => self.nest(&mut file),
                _ => self.exchange_number(&mut file),
            }
        }
        file
    }

    fn flip(&mut self, file: &mut [u8]) {
        let at = self.below(file.len());
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 << self.below(8);
        }
    }

    fn range(&mut self, file: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(file.len());
        let longest = if self.below(2) == 0 { 8 } else { 200 };
        from..(from + 1 + self.below(longest)).min(file.len())
    }

    fn remove(&mut self, file: &mut Vec<u8>) {
        let range = self.range(file);
        file.drain(range);
    }

    /// A part once more, behind itself or elsewhere.
    fn repeat(&mut self, file: &mut Vec<u8>) {
        let range = self.range(file);
        let part = file[range.clone()].to_vec();
        let at = if self.below(2) == 0 { range.end } else { self.below(file.len()) };
        file.splice(at..at, part);
    }

    /// The bytes of a number of any width, as a binary format has it.
    fn overwrite(&mut self, file: &mut [u8]) {
        let number = [u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 32, 0x7fff_ffff, 1 << 24, 0xffff, 0]
            [self.below(8)];
        let width = [1, 2, 4, 8][self.below(4)];
        let bytes = if self.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
        let at = self.below(file.len());
        for (byte, new) in file[at..].iter_mut().take(width).zip(&bytes[8 - width..]) {
            *byte = *new;
        }
    }

    /// Lists within lists, more than any reader follows.
    fn nest(&mut self, file: &mut Vec<u8>) {
        let at = self.below(file.len());
        let deep =
            [&b"["[..], b"{\"left\":", b"[["][self.below(3)].repeat(300 * (1 + self.below(4)));
        file.splice(at..at, deep);
    }

    /// Another number in the place of one of a text.
    fn exchange_number(&mut self, file: &mut Vec<u8>) {
        let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'-' || *byte == b'.';
        let from = self.below(file.len());
        let Some(start) = file.iter().skip(from).position(&is_digit) else { return };
        let start = from + start;
        let end = file[start..]
            .iter()
            .position(|byte| !is_digit(byte))
            .map_or(file.len(), |end| start + end);
        let other = match self.below(4) {
            0 => self.below(100).to_string(),
            _ => NUMBERS[self.below(NUMBERS.len())].to_owned(),
        };
        file.splice(start..end, other.into_bytes());
    }
}
