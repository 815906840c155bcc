//! Which partition a key belongs to.
//!
//! It is the choice that the producers of Kafka's own Java client make, whatever language the others
//! are written in: whoever writes requests of one key gets them into one partition only if all who
//! write agree. Producers over librdkafka agree with `partitioner=murmur2_random`; their default is
//! another one.

/// Where the hash begins, as Kafka has it.
const SEED: u32 = 0x9747_b28c;
/// The multiplier of MurmurHash2.
const MULTIPLIER: u32 = 0x5bd1_e995;
/// The shift of MurmurHash2.
const SHIFT: u32 = 24;

/// The partition, of so many, that a key belongs to; 0 where there are none.
pub fn partition_of_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff).checked_rem(partitions).unwrap_or(0)
}

/// MurmurHash2 of Austin Appleby, of 32 bits, in little-endian words.
fn murmur2(bytes: &[u8]) -> u32 {
    // Kafka's keys are shorter than 4 GiB.
    let mut hash = SEED ^ bytes.len() as u32;
    let words = bytes.chunks_exact(4);
    let tail = words.remainder();
    for word in words {
        let word = u32::from_le_bytes(word.try_into().expect("invariant: chunks of four bytes"));
        let mixed = word.wrapping_mul(MULTIPLIER);
        let mixed = (mixed ^ (mixed >> SHIFT)).wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER) ^ mixed;
    }
    if !tail.is_empty() {
        let word = tail.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        hash = (hash ^ word).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `org.apache.kafka.common.utils.Utils.murmur2` of kafka-clients 4.3.1 gives.
    #[test]
    fn the_hash_is_that_of_kafkas_own_client() {
        let check = |key: &[u8], hash: u32| assert_eq!(murmur2(key), hash, "{key:?}");
        check(b"", 0x106e_08d9);
        check(b"a", 0xa2d0_b27c);
        check(b"HA", 0x4f5c_639f);
        check(b"UA4", 0x46ef_1cff);
        check("HA7·".as_bytes(), 0x2d26_14a8);
        check(b"carrier", 0x4ba6_3c8d);
        check("ünïcode".as_bytes(), 0xcb09_8d85);
        check(b"0192d4c0-7c6e-7aaa-8000-0123456789ab", 0x8c35_295b);
        let every_byte: Vec<u8> = (0..=255).collect();
        check(&every_byte, 0x8bde_9476);
        for (length, hash) in [
            (1, 0xed6f_615b),
            (2, 0xb9d4_fa23),
            (3, 0x7047_cf26),
            (4, 0x7a70_32b7),
            (5, 0x831e_25df),
            (6, 0xe38e_4357),
            (7, 0xbce4_bcad),
            (8, 0x8390_f060),
        ] {
            check(&every_byte[256 - length..], hash);
        }
    }

    #[test]
    fn the_partition_is_that_of_kafkas_own_client() {
        let check = |key: &str, of_eight, of_seven| {
            let key = key.as_bytes();
            assert_eq!((partition_of_key(key, 8), partition_of_key(key, 7)), (of_eight, of_seven));
        };
        check("", 1, 2);
        check("a", 4, 5);
        check("HA", 7, 6);
        check("UA4", 7, 5);
        check("ünïcode", 5, 6);
        check("0192d4c0-7c6e-7aaa-8000-0123456789ab", 3, 2);
        assert_eq!(partition_of_key(b"a", 1), 0);
        assert_eq!(partition_of_key(b"a", 0), 0);
    }
}
