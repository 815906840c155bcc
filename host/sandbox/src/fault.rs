//! The engine's errors as faults: which class, and one line for people.

use message::{Fault, FaultClass};
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::guest::{Guest, Overrun};
use crate::wasi::exit_status;

/// What the guest was asked to do when it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To start.
    Start,
    /// To describe itself or to predict.
    Answer,
}

/// Makes a fault of an error of the engine.
pub(crate) fn of_error(error: &Error, guest: &mut Guest, asked: Asked) -> Fault {
    let denied = guest.share.take_denied();
    let (class, what) = classify(error, guest.meter.overrun(), denied, asked);
    let place = error.downcast_ref::<WasmBacktrace>().and_then(place);
    let message = place.map_or_else(|| what.clone(), |place| format!("{what}, in {place}"));
    Fault { class, message }
}

/// A fault of a class.
pub(crate) fn fault(class: FaultClass, message: impl Into<String>) -> Fault {
    Fault { class, message: message.into() }
}

fn classify(
    error: &Error,
    overrun: Option<Overrun>,
    denied: bool,
    asked: Asked,
) -> (FaultClass, String) {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, overrun, denied);
    }
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return (FaultClass::Host, format!("no room for one more session: {full}"));
    }
    if let Some(status) = exit_status(error) {
        return (FaultClass::Panic, format!("exited with status {status} instead of returning"));
    }
    let text = line(&error.root_cause().to_string());
    if text.contains("fuel allocated for hostcalls") {
        return (FaultClass::ResultSize, "returned more bytes than a call may".to_owned());
    }
    match asked {
        Asked::Start if denied => {
            (FaultClass::Limit, format!("needs more than it may have: {text}"))
        }
        Asked::Start => (FaultClass::Host, text),
        Asked::Answer => (FaultClass::Abi, format!("returned what is no value: {text}")),
    }
}

fn of_trap(trap: Trap, overrun: Option<Overrun>, denied: bool) -> (FaultClass, String) {
    use FaultClass as Class;
    let class = match trap {
        Trap::Interrupt | Trap::OutOfFuel => return of_overrun(overrun),
        Trap::UnreachableCodeReached if denied => {
            return (Class::Limit, "was denied memory or table elements, and aborted".to_owned());
        }
        Trap::StackOverflow => Class::Stack,
        Trap::UnreachableCodeReached => Class::Panic,
        Trap::MemoryOutOfBounds
        | Trap::TableOutOfBounds
        | Trap::IndirectCallToNull
        | Trap::BadSignature
        | Trap::HeapMisaligned
        | Trap::NullReference
        | Trap::ArrayOutOfBounds
        | Trap::CastFailure => Class::Memory,
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => {
            Class::Arithmetic
        }
        Trap::AllocationTooLarge => Class::Limit,
        Trap::ListOutOfBounds
        | Trap::StringOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::InvalidChar
        | Trap::UnalignedPointer
        | Trap::CannotLeaveComponent
        | Trap::CannotBlockSyncTask => Class::Abi,
        // A session is thrown away after its first trap, so the rest are bugs: ours or the engine's.
        _ => Class::Host,
    };
    (class, trap.to_string())
}

fn of_overrun(overrun: Option<Overrun>) -> (FaultClass, String) {
    match overrun {
        Some(Overrun::Wall(limit)) => {
            (FaultClass::Wall, format!("still running at the wall backstop of {limit:?}"))
        }
        Some(Overrun::Cpu(budget)) => {
            (FaultClass::Cpu, format!("used up its budget of {budget:?} of CPU time"))
        }
        None => (FaultClass::Host, "interrupted without a reason".to_owned()),
    }
}

/// The name of the innermost function, as the artefact gives it.
fn place(backtrace: &WasmBacktrace) -> Option<String> {
    let frame = backtrace.frames().first()?;
    Some(match frame.func_name() {
        Some(name) => line(name),
        None => format!("function {}", frame.func_index()),
    })
}

const LINE_CHARS: usize = 160;

/// The first line of a text, printable and bounded.
pub(crate) fn line(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.lines().next().unwrap_or_default().chars().take(LINE_CHARS).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_trap_after_a_denied_growth_is_blamed_on_the_limit() {
        let trap = Trap::UnreachableCodeReached;
        assert_eq!(of_trap(trap, None, true).0, FaultClass::Limit);
        assert_eq!(of_trap(trap, None, false).0, FaultClass::Panic);
    }

    #[test]
    fn an_interrupt_names_the_clock_that_ran_out() {
        let second = Duration::from_secs(1);
        let cpu = of_trap(Trap::Interrupt, Some(Overrun::Cpu(second)), false);
        assert_eq!(cpu, (FaultClass::Cpu, "used up its budget of 1s of CPU time".to_owned()));
        assert_eq!(
            of_trap(Trap::Interrupt, Some(Overrun::Wall(second)), false).0,
            FaultClass::Wall
        );
    }

    #[test]
    fn a_line_is_short_and_printable() {
        assert_eq!(line("a\u{1b}[31mb\nsecret"), "a [31mb");
        assert_eq!(line(&"x".repeat(1000)).len(), LINE_CHARS);
    }
}
