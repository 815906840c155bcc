//! Panics of a crate that is not ours, as values.
//!
//! A panic is reported by a hook that the whole process shares, before it can be caught. Ours goes
//! in front of the one that is there, once, and keeps silent where [`catch`] is at work on the same
//! thread; whatever panics elsewhere is reported as before.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `work`; where it panics, gives what the panic said.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    keep_silent();
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.map_err(|panic| words(&*panic))
}

fn keep_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A thread that is ending has no flag any more; it catches nothing either.
            if !CATCHING.try_with(Cell::get).unwrap_or(false) {
                before(panic);
            }
        }));
    });
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_and_the_next_work_is_done() {
        let nothing: Vec<u8> = Vec::new();
        let index = nothing.len();
        let found = catch(|| nothing[index]);
        assert!(found.unwrap_err().starts_with("index out of bounds"));
        assert_eq!(catch(|| 7), Ok(7));
        assert!(!CATCHING.get());
    }

    #[test]
    fn catching_within_catching_stays_silent_until_the_outer_is_done() {
        let found = catch(|| {
            let inner: Result<(), String> = catch(|| panic!("inner"));
            assert!(CATCHING.get());
            inner
        });
        assert_eq!(found, Ok(Err("inner".to_owned())));
    }
}
