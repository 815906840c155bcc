//! The runner, and how a model gets into it.
//!
//! The runner has 24 bytes of data: a mark of 16, and room for the place and the length of a model. A model becomes a data segment of
//! its own behind the runner's memory, which is made larger by it. The allocator of the runner only ever grows the memory, so that it
//! never touches the model.

use std::io::Read as _;

use thiserror::Error;
use wasm_encoder::{
    ConstExpr, DataCountSection, DataSection, MemorySection, MemoryType, Module, RawSection,
};
use wasmparser::{DataKind, Operator, Parser, Payload};

/// The runner: a core module of `sdk/runner`.
pub const RUNNER: &[u8] = include_bytes!("../../runner/runner.wasm");

/// The runner of nets, compressed: a core module of `sdk/runner-tract`.
const RUNNER_OF_NETS: &[u8] = include_bytes!("../../runner-tract/runner.wasm.gz");

/// What stands before the place and the length of the model.
const MARK: &[u8; 16] = b"<packed model at";
const PAGE_BYTES: u64 = 64 << 10;
/// What a module of 32 bits can address.
const LIMIT_BYTES: u64 = 4 << 30;

/// Why a model was not written into the runner.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// Because the runner is no module.
    #[error("the runner is no webassembly module: {0}")]
    NotWasm(String),
    /// Because the runner is not built as it has to be.
    #[error("the runner has {found}, expected {expected}")]
    Runner {
        /// What it has.
        found: String,
        /// What it should have.
        expected: &'static str,
    },
    /// Because there is no room for it.
    #[error("the model has {bytes} bytes, expected at most what a memory of 4 GiB has room for")]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
}

/// The runner of nets.
///
/// # Errors
///
/// Where it is not what was compressed.
pub(crate) fn of_nets() -> Result<Vec<u8>, PatchError> {
    let mut module = Vec::new();
    let mut compressed = flate2::read::GzDecoder::new(RUNNER_OF_NETS);
    compressed.read_to_end(&mut module).map_err(|error| PatchError::NotWasm(error.to_string()))?;
    Ok(module)
}

/// Writes a model into a runner, and returns the module.
///
/// # Errors
///
/// Where the runner is not one, or the model is too large.
pub fn patch(runner: &[u8], model: &[u8]) -> Result<Vec<u8>, PatchError> {
    let place = memory_bytes(runner)?;
    let end = place + model.len() as u64;
    if end >= LIMIT_BYTES {
        return Err(PatchError::TooLarge { bytes: model.len() });
    }
    let mut module = Module::new();
    let mut marks = 0;
    for payload in Parser::new(0).parse_all(runner) {
        match payload.map_err(not_wasm)? {
            Payload::MemorySection(reader) => {
                let mut memories = MemorySection::new();
                for memory in reader {
                    let memory = memory.map_err(not_wasm)?;
                    memories.memory(MemoryType {
                        minimum: end.div_ceil(PAGE_BYTES),
                        maximum: memory.maximum,
                        memory64: memory.memory64,
                        shared: memory.shared,
                        page_size_log2: memory.page_size_log2,
                    });
                }
                module.section(&memories);
            }
            Payload::DataCountSection { count, .. } => {
                module.section(&DataCountSection { count: count + 1 });
            }
            Payload::DataSection(reader) => {
                let mut data = DataSection::new();
                for segment in reader {
                    let segment = segment.map_err(not_wasm)?;
                    let (bytes, found) = marked(segment.data, place as u32, model.len() as u32);
                    marks += found;
                    data.active(0, &ConstExpr::i32_const(offset(&segment.kind)?), bytes);
                }
                data.active(0, &ConstExpr::i32_const(place as u32 as i32), model.iter().copied());
                module.section(&data);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    module.section(&RawSection { id, data: &runner[range] });
                }
            }
        }
    }
    if marks != 1 {
        return Err(PatchError::Runner {
            found: format!("the mark of a model {marks} times"),
            expected: "it once",
        });
    }
    Ok(module.finish())
}

/// How much memory the runner begins with, which is where a model can be put.
fn memory_bytes(runner: &[u8]) -> Result<u64, PatchError> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(runner) {
        if let Payload::MemorySection(reader) = payload.map_err(not_wasm)? {
            for memory in reader {
                found.push(memory.map_err(not_wasm)?);
            }
        }
    }
    match found[..] {
        [memory] if !memory.memory64 && memory.maximum.is_none() => Ok(memory.initial * PAGE_BYTES),
        _ => Err(PatchError::Runner {
            found: format!("{} memories: {found:?}", found.len()),
            expected: "one of 32 bits that may grow",
        }),
    }
}

/// The bytes of a segment with the place and the length behind its mark, and how many marks it had.
fn marked(segment: &[u8], place: u32, length: u32) -> (Vec<u8>, usize) {
    let mut bytes = segment.to_vec();
    let mut marks = 0;
    for start in 0..segment.len().saturating_sub(MARK.len() + 7) {
        if segment[start..].starts_with(MARK) {
            marks += 1;
            let numbers = &mut bytes[start + MARK.len()..];
            numbers[..4].copy_from_slice(&place.to_le_bytes());
            numbers[4..8].copy_from_slice(&length.to_le_bytes());
        }
    }
    (bytes, marks)
}

fn offset(kind: &DataKind<'_>) -> Result<i32, PatchError> {
    let refused = |found: &str| PatchError::Runner {
        found: format!("a data segment that is {found}"),
        expected: "only those with a constant place in its one memory",
    };
    let DataKind::Active { memory_index: 0, offset_expr } = kind else {
        return Err(refused("passive"));
    };
    match offset_expr.get_operators_reader().read().map_err(not_wasm)? {
        Operator::I32Const { value } => Ok(value),
        other => Err(refused(&format!("at {other:?}"))),
    }
}

fn not_wasm(error: wasmparser::BinaryReaderError) -> PatchError {
    PatchError::NotWasm(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_lies_behind_the_memory_of_the_runner() {
        let model = [7; 100];
        let place = memory_bytes(RUNNER).unwrap();
        let module = patch(RUNNER, &model).unwrap();
        wasmparser::validate(&module).unwrap();
        assert_eq!(memory_bytes(&module).unwrap(), place + PAGE_BYTES);
        let pointer = [&MARK[..], &(place as u32).to_le_bytes(), &100_u32.to_le_bytes()].concat();
        assert_eq!(module.windows(24).filter(|it| *it == pointer).count(), 1);
        assert_eq!(module.windows(100).filter(|it| *it == model).count(), 1);
    }

    #[test]
    fn a_net_finds_its_place_in_its_own_runner() {
        let module = patch(&of_nets().unwrap(), &[7; 100]).unwrap();
        assert_eq!(module.windows(100).filter(|it| *it == [7; 100]).count(), 1);
    }

    #[test]
    fn a_module_without_the_mark_is_refused() {
        let module = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01";
        assert_eq!(
            patch(module, &[1]).unwrap_err().to_string(),
            "the runner has the mark of a model 0 times, expected it once"
        );
        assert!(patch(b"garbage", &[1]).unwrap_err().to_string().starts_with("the runner is no"));
    }
}
