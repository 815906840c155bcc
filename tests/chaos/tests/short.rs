//! Every trouble once, in an order that a seed decides.

use std::time::Duration;

use chaos::world::{Setup, run};
use chaos::{Scale, Schedule, judge};

/// What `SEED` says, or always the same.
const SEED: u64 = 5;

#[test]
fn nothing_is_lost_or_invented_or_answered_twice_whoever_is_killed_paused_or_cut_off() {
    let seed = std::env::var("SEED").ok().map_or(SEED, |it| it.parse().expect("SEED is a number"));
    let at_most = Duration::from_secs(120);
    let setup = Setup { seed, hosts: 3, rate: 60, callers: 3, at_most };
    let schedule = Schedule::each_once(seed, Scale::from(&setup));
    println!("{schedule}");
    let outcome = run(&setup, &schedule);
    let folder = std::env::temp_dir().join(format!("chaos-short-{seed}"));
    let verdict = judge(&schedule, &outcome, &folder).expect("files that can be written");
    println!("{}", verdict.text);
    assert!(verdict.is_well, "SEED={seed}");
}
