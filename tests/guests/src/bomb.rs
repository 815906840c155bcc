//! Bombs: small modules that take a compiler long.

use std::fmt::Write as _;

use crate::component;

/// A guest with this many functions beside its own.
pub fn many_functions(count: usize) -> Vec<u8> {
    let mut text = String::new();
    for index in 0..count {
        writeln!(text, "(func $bomb{index} (param f64) (result f64) (f64.add (local.get 0) (f64.const {index})))")
            .expect("invariant: a string takes all");
    }
    component("many-functions", &text)
}

/// A guest with one function of this many blocks, each of which reads and writes locals that live through all of
/// them; what the compiler does about registers grows faster than the function.
pub fn huge_function(blocks: usize) -> Vec<u8> {
    const LOCALS: usize = 100;
    let mut text = String::from("(func $bomb (param i32) (result f64)\n  (local");
    text.push_str(&" f64".repeat(LOCALS));
    text.push_str(")\n");
    for block in 0..blocks {
        let (from, to) = (1 + block % LOCALS, 1 + (block * 7 + 1) % LOCALS);
        writeln!(
            text,
            "(if (i32.eq (local.get 0) (i32.const {block})) (then \
             (local.set {to} (f64.add (local.get {from}) (local.get {to})))))"
        )
        .expect("invariant: a string takes all");
    }
    text.push_str("(local.get 1))\n(func $answer (param $x f64) (result f64)\n");
    text.push_str(
        "  (f64.add (local.get $x) (call $bomb (i32.trunc_sat_f64_s (local.get $x)))))\n",
    );
    component("huge-function", &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_grows_with_its_measure() {
        assert!(many_functions(2_000).len() > many_functions(1_000).len() + 10_000);
        assert!(huge_function(2_000).len() > huge_function(1_000).len() + 10_000);
    }
}
