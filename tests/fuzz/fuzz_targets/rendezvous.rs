//! Whatever happens to the decision machine, it does what its oracle says. The world and the oracle
//! are those of the crate's own simulation, with the input in the place of chance.

#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

#[path = "../../../host/rendezvous/tests/simulation/bill.rs"]
mod bill;
#[path = "../../../host/rendezvous/tests/simulation/draw.rs"]
mod draw;
#[path = "../../../host/rendezvous/tests/simulation/oracle.rs"]
mod oracle;
#[path = "../../../host/rendezvous/tests/simulation/world.rs"]
mod world;

use self::world::{Source, World};

/// The bytes of an input, read as numbers; zeros once they are used up.
struct Input<'a>(Unstructured<'a>);

impl Source for Input<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.int_in_range(0..=bound - 1).unwrap_or(0)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(Unstructured::new(bytes));
    let mut world = World::new(&mut input);
    while !input.0.is_empty() {
        world.step(&mut input);
    }
    world.end();
});
