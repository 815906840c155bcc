//! CityHash64 of the series 1.0, by which CatBoost knows the texts of categories. Later series give other numbers.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;
const MIXER: u64 = 0x9ddf_ea08_eb38_2d69;

/// The hash of bytes.
pub(super) fn city_hash(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => longer(bytes),
    }
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    match length {
        0 => K2,
        1..=3 => {
            let y = u64::from(bytes[0]) + (u64::from(bytes[length / 2]) << 8);
            let z = length as u64 + (u64::from(bytes[length - 1]) << 2);
            fold(y.wrapping_mul(K2) ^ z.wrapping_mul(K3)).wrapping_mul(K2)
        }
        4..=8 => {
            let begin = length as u64 + (u64::from(four(bytes, 0)) << 3);
            mix(begin, u64::from(four(bytes, length - 4)))
        }
        _ => {
            let end = eight(bytes, length - 8);
            let turned = end.wrapping_add(length as u64).rotate_right(length as u32);
            mix(eight(bytes, 0), turned) ^ end
        }
    }
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let a = eight(bytes, 0).wrapping_mul(K1);
    let b = eight(bytes, 8);
    let c = eight(bytes, length - 8).wrapping_mul(K2);
    let d = eight(bytes, length - 16).wrapping_mul(K0);
    let first = a.wrapping_sub(b).rotate_right(43).wrapping_add(c.rotate_right(30));
    let second = a.wrapping_add((b ^ K3).rotate_right(20)).wrapping_sub(c);
    mix(first.wrapping_add(d), second.wrapping_add(length as u64))
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let seed = (length as u64).wrapping_add(eight(bytes, length - 16)).wrapping_mul(K0);
    let (v, v_turned) = half(
        eight(bytes, 0).wrapping_add(seed),
        [eight(bytes, 8), eight(bytes, 16)],
        eight(bytes, 24),
    );
    let (w, w_turned) = half(
        eight(bytes, 16).wrapping_add(eight(bytes, length - 32)),
        [eight(bytes, length - 24), eight(bytes, length - 16)],
        eight(bytes, length - 8),
    );
    let crossed = v.wrapping_add(w_turned).wrapping_mul(K2);
    let crossed = crossed.wrapping_add(w.wrapping_add(v_turned).wrapping_mul(K0));
    fold(fold(crossed).wrapping_mul(K0).wrapping_add(v_turned)).wrapping_mul(K2)
}

fn half(mut a: u64, [first, second]: [u64; 2], z: u64) -> (u64, u64) {
    let b = a.wrapping_add(z).rotate_right(52);
    let mut c = a.rotate_right(37);
    a = a.wrapping_add(first);
    c = c.wrapping_add(a.rotate_right(7));
    a = a.wrapping_add(second);
    (a.wrapping_add(z), b.wrapping_add(a.rotate_right(31)).wrapping_add(c))
}

fn longer(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut x = eight(bytes, 0);
    let mut y = eight(bytes, length - 16) ^ K1;
    let mut z = eight(bytes, length - 56) ^ K0;
    let mut v = weak(&bytes[length - 64..], length as u64, y);
    let mut w = weak(&bytes[length - 32..], (length as u64).wrapping_mul(K1), K0);
    z = z.wrapping_add(fold(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    // All pieces of 64 but for the last, which the end above has covered.
    for piece in bytes[..(length - 1) / 64 * 64].chunks_exact(64) {
        x = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(eight(piece, 16));
        x = x.rotate_right(37).wrapping_mul(K1) ^ w.1;
        y = y.wrapping_add(v.1).wrapping_add(eight(piece, 48));
        y = y.rotate_right(42).wrapping_mul(K1) ^ v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak(piece, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = weak(&piece[32..], z.wrapping_add(w.1), y);
        std::mem::swap(&mut x, &mut z);
    }
    let first = mix(v.0, w.0).wrapping_add(fold(y).wrapping_mul(K1)).wrapping_add(z);
    mix(first, mix(v.1, w.1).wrapping_add(x))
}

fn weak(bytes: &[u8], a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|at| eight(bytes, at));
    let c = a.wrapping_add(w);
    let b = b.wrapping_add(c).wrapping_add(z).rotate_right(21);
    let a = c.wrapping_add(x).wrapping_add(y);
    (a.wrapping_add(z), b.wrapping_add(a.rotate_right(44)).wrapping_add(c))
}

fn mix(u: u64, v: u64) -> u64 {
    let a = fold((u ^ v).wrapping_mul(MIXER));
    fold((v ^ a).wrapping_mul(MIXER)).wrapping_mul(MIXER)
}

fn fold(value: u64) -> u64 {
    value ^ (value >> 47)
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_series_1_0() {
        let alphabets = "abcdefghijklmnopqrstuvwxyz".repeat(8);
        let known: [(&str, u64); 9] = [
            ("", 0x9ae1_6a3b_2f90_404f),
            ("a", 0x2420_662c_d003_acfa),
            ("AA", 0x5f56_83d8_eaa2_9dd6),
            ("ORD", 0xca6e_c9bf_4230_0f24),
            ("0123456789", 0xaf4c_b1b0_7ad3_ca35),
            ("0123456789abcdef0", 0x4c46_d90b_3f16_5aeb),
            (&"0".repeat(33), 0xfd34_cf53_09e1_1310),
            (&"x".repeat(65), 0x4901_98bf_f722_5acf),
            (&alphabets, 0x4e24_7ff4_2ae9_c574),
        ];
        for (text, hash) in known {
            assert_eq!(city_hash(text.as_bytes()), hash, "{text}");
        }
    }
}
