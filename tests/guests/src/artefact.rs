//! Artefacts that are no model at all: broken files, and components that are something else.

use crate::build;

/// Every artefact that no host can load, with its name.
pub fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let whole = build("identity");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    vec![
        ("empty", Vec::new()),
        ("garbage", garbage(4096)),
        ("text", b"(component)".to_vec()),
        ("magic-alone", whole[..8].to_vec()),
        ("truncated", whole[..middle].to_vec()),
        ("truncated-by-a-byte", whole[..whole.len() - 1].to_vec()),
        ("flipped-byte", flipped),
        ("zeros-at-the-end", [&whole[..middle], &vec![0; whole.len() - middle]].concat()),
        ("core-module", wat::parse_str("(module)").expect("invariant: the text is a module")),
        (
            "other-component",
            wat::parse_str("(component)").expect("invariant: the text is a component"),
        ),
    ]
}

/// Bytes of a generator with a fixed seed (xorshift64).
fn garbage(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_artefacts_have_names_of_their_own() {
        let mut names: Vec<_> = broken().into_iter().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn broken_artefacts_are_not_components_with_a_function() {
        for (name, bytes) in broken() {
            let valid = wasmparser::validate(&bytes).is_ok();
            assert_eq!(
                valid,
                matches!(name, "magic-alone" | "core-module" | "other-component"),
                "{name}"
            );
        }
    }

    #[test]
    fn garbage_is_always_the_same() {
        assert_eq!(garbage(64), garbage(64));
        assert_ne!(garbage(64)[..32], garbage(64)[32..]);
    }
}
