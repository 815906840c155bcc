//! The table: every guest, and what a host has to make of it.

use message::FaultClass::{
    Abi, Arithmetic, Contract, Cpu, Limit, Memory, Panic, ResultSize, Stack,
};

use crate::Expected::{Answers, AnswersOtherwise, Faults, NeverLive, Refuses};
use crate::Guest;

macro_rules! guests {
    ($($name:literal in $file:literal => $expected:expr,)*) => {
        &[$(Guest {
            name: $name,
            expected: $expected,
            text: include_str!(concat!("../wat/", $file, ".wat")),
        },)*]
    };
}

/// Every guest.
pub const ALL: &[Guest] = guests! {
    // Those that behave.
    "identity" in "identity" => Answers(3.0),
    "times-2" in "times" => Answers(6.0),
    "times-3" in "times" => Answers(9.0),
    "constant-0.25" in "constant" => Answers(0.25),
    "slow-5" in "slow" => Answers(3.0),
    "slow-below-zero-5" in "slow-below-zero" => Answers(3.0),
    "memory-16" in "memory" => Answers(3.0),
    "echo" in "echo" => AnswersOtherwise,
    "every-datatype" in "every-datatype" => AnswersOtherwise,
    "datatypes-13" in "datatypes" => AnswersOtherwise,
    "batch-size" in "batch-size" => Answers(1.0),
    "counter" in "counter" => AnswersOtherwise,
    "noted" in "noted" => Answers(3.0),
    "refuses" in "refuses" => Refuses,
    "flaky" in "flaky" => Answers(3.0),
    "nan" in "nan" => Answers(f64::NAN),
    "infinite" in "infinite" => Answers(f64::INFINITY),
    "log-line" in "log-line" => Answers(3.0),
    "wasi-clock" in "wasi-clock" => AnswersOtherwise,
    "wasi-random" in "wasi-random" => AnswersOtherwise,
    "wasi-environment" in "wasi-environment" => Answers(0.0),
    "wasi-folders" in "wasi-folders" => Answers(0.0),
    // Those that break when they are asked.
    "loop-in-predict" in "loop-in-predict" => Faults(Cpu),
    "loop-in-realloc" in "loop-in-realloc" => Faults(Cpu),
    "loop-after-predict" in "loop-after-predict" => Faults(Cpu),
    "trap-in-predict" in "trap-in-predict" => Faults(Panic),
    "trap-in-realloc" in "trap-in-realloc" => Faults(Panic),
    "out-of-bounds" in "out-of-bounds" => Faults(Memory),
    "divides-by-zero" in "divides-by-zero" => Faults(Arithmetic),
    "memory-bomb" in "memory-bomb" => Faults(Limit),
    "table-bomb" in "table-bomb" => Faults(Limit),
    "deep-recursion" in "deep-recursion" => Faults(Stack),
    "log-flood" in "log-flood" => AnswersOtherwise,
    // Those that break the canonical abi.
    "realloc-out-of-range" in "realloc-out-of-range" => Faults(Abi),
    "realloc-misaligned" in "realloc-misaligned" => Faults(Abi),
    "result-out-of-range" in "result-out-of-range" => Faults(Abi),
    "result-pointer-out-of-range" in "result-pointer-out-of-range" => Faults(Abi),
    "result-misaligned" in "result-misaligned" => Faults(Abi),
    "result-too-long" in "result-too-long" => Faults(Abi),
    "result-bad-utf8" in "result-bad-utf8" => Faults(Abi),
    "result-bad-case" in "result-bad-case" => Faults(Abi),
    "result-of-512-mib" in "result-of-512-mib" => Faults(Limit),
    "result-of-512-mib-aliased" in "result-of-512-mib-aliased" => Faults(ResultSize),
    // Those that break their promises.
    "wrong-name" in "wrong-name" => Faults(Contract),
    "wrong-datatype" in "wrong-datatype" => Faults(Contract),
    "wrong-shape" in "wrong-shape" => Faults(Contract),
    "wrong-rank" in "wrong-rank" => Faults(Contract),
    "wrong-element-count" in "wrong-element-count" => Faults(Contract),
    "missing-output" in "missing-output" => Faults(Contract),
    "extra-output" in "extra-output" => Faults(Contract),
    "too-few-results" in "too-few-results" => Faults(Contract),
    "too-many-results" in "too-many-results" => Faults(Contract),
    // Those that break before they are asked.
    "loop-in-start" in "loop-in-start" => NeverLive,
    "loop-in-describe" in "loop-in-describe" => NeverLive,
    "trap-in-start" in "trap-in-start" => NeverLive,
    "trap-in-describe" in "trap-in-describe" => NeverLive,
    "memory-bomb-in-start" in "memory-bomb-in-start" => NeverLive,
    "table-bomb-in-start" in "table-bomb-in-start" => NeverLive,
    "describe-bad-utf8" in "describe-bad-utf8" => NeverLive,
    "describe-twice-the-same-name" in "describe-twice-the-same-name" => NeverLive,
    "describe-no-output" in "describe-no-output" => NeverLive,
    "describe-a-million-inputs" in "describe-a-million-inputs" => NeverLive,
    "describe-negative-length" in "describe-negative-length" => NeverLive,
    "describe-changes" in "describe-changes" => AnswersOtherwise,
    "imports-sockets" in "imports-sockets" => AnswersOtherwise,
    "imports-http" in "imports-http" => NeverLive,
    "imports-unknown" in "imports-unknown" => NeverLive,
};
