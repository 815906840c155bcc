//! Holds the machine to its promises over millions of steps in which everything goes wrong.
//!
//! Requests, verdicts, losses, repetitions, changes of the roster, jumps of the clock and restarts
//! come in any order; an oracle that shares no code with the machine says what should come of them.
//! `STEPS=` sets how many steps there are in all, and `SEED=` runs the one world of that seed.

#[path = "simulation/bill.rs"]
mod bill;
#[path = "simulation/draw.rs"]
mod draw;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/world.rs"]
mod world;

use self::world::{Source, Tally, World};

/// How many steps a world lasts.
const WORLD_STEPS: u64 = 10_000;

/// The splitmix64 generator: short, fast, and good enough to shuffle a world.
struct Seeded(u64);

impl Source for Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("found {variable}={text}, expected a number")))
}

fn play(seed: u64, steps: u64) -> Tally {
    println!("SEED={seed} STEPS={steps} plays this world again");
    let mut source = Seeded(seed);
    let mut world = World::new(&mut source);
    for _ in 0..steps {
        world.step(&mut source);
    }
    world.end();
    world.tally
}

#[test]
fn the_promises_hold_whatever_happens() {
    let default_steps = if cfg!(debug_assertions) { 200_000 } else { 2_000_000 };
    let steps = number_from("STEPS").unwrap_or(default_steps);
    if let Some(seed) = number_from("SEED") {
        println!("{:?}", play(seed, steps));
        return;
    }
    let tallies: Vec<_> = (0..steps.div_ceil(WORLD_STEPS)).map(|n| play(n, WORLD_STEPS)).collect();
    let sum = |count: fn(&Tally) -> u64| tallies.iter().map(count).sum::<u64>();
    // A simulation in which something never happens promises nothing about it.
    assert!(sum(|tally| tally.scores_chosen) > steps / 50);
    assert!(sum(|tally| tally.ensembles_chosen) > steps / 1_000);
    assert!(sum(|tally| tally.routes_taken) > steps / 200);
    assert!(sum(|tally| tally.arms_taken) > steps / 200);
    assert!(sum(|tally| tally.defaults_and_nothings) > steps / 50);
    assert!(sum(|tally| tally.refusals) > steps / 1_000);
    assert!(sum(|tally| tally.verdicts) > steps / 20);
    assert!(sum(|tally| tally.rosters) > steps / 100);
    assert!(sum(|tally| tally.restarts) > steps / 2_000);
    assert!(sum(|tally| tally.forgotten) > steps / 1_000);
    println!("{steps} steps, {} answers", sum(|tally| tally.requests - tally.refusals));
}

#[test]
fn the_same_seed_plays_the_same_world() {
    let tally = || format!("{:?}", play(7, 2_000));
    assert_eq!(tally(), tally());
}
