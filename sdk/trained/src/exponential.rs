//! The exponential function, to within two thirds of a unit in the last place.
//!
//! Links have to be within two units of what a library gives with its C library, whose exponential is nearly the right number. That of
//! `libm` is off by up to a whole unit, which a softmax adds up. This one keeps what is lost where the parts are added.

/// Below this the result is zero, and above the next infinite.
const LEAST: f64 = -746.0;
const GREATEST: f64 = 710.0;
/// The upper 32 bits of the logarithm of 2, so that its product with a whole number of 11 bits is exact, and the rest.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `1/n!` for n from 14 to 2: what comes before them is below the last bit.
const SERIES: [f64; 13] = [
    1.147_074_559_772_972_5e-11,
    1.605_904_383_682_161_3e-10,
    2.087_675_698_786_81e-9,
    2.505_210_838_544_172e-8,
    2.755_731_922_398_589e-7,
    2.755_731_922_398_589_3e-6,
    2.480_158_730_158_73e-5,
    1.984_126_984_126_984e-4,
    1.388_888_888_888_889e-3,
    8.333_333_333_333_333e-3,
    4.166_666_666_666_666_4e-2,
    1.666_666_666_666_666_6e-1,
    0.5,
];

/// `exp(x)`.
pub(crate) fn exp(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < LEAST {
        return 0.0;
    }
    if x > GREATEST {
        return f64::INFINITY;
    }
    // exp(x) = 2^k exp(r), where r is at most half of ln 2; `rest` is what r lacks.
    let k = libm::rint(x * std::f64::consts::LOG2_E);
    let (high, low) = (x - k * LN_2_HIGH, -k * LN_2_LOW);
    let r = high + low;
    let rest = (high - r) + low;
    // exp(r) = 1 + r + tail.
    let tail = r * r * SERIES.iter().fold(0.0, |sum, term| sum * r + term);
    let sum = 1.0 + r;
    let lost = r - (sum - 1.0);
    let result = sum + (lost + (tail + rest * sum));
    libm::scalbn(result, k as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_next_to_what_the_c_library_says() {
        let mut other = 0;
        for step in -745_000..709_000 {
            let x = f64::from(step) * 1e-3 + 1e-7;
            let (ours, theirs) = (exp(x), x.exp());
            assert!(
                ours.to_bits().abs_diff(theirs.to_bits()) <= 1,
                "exp({x}): {ours} and {theirs}"
            );
            other += u32::from(ours != theirs);
        }
        // Both are off by more than half a unit now and then.
        assert!(other < 1_454_000 / 10, "{other} numbers are others");
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(709.782_712_893_384), 709.782_712_893_384_f64.exp());
        assert_eq!(exp(709.782_712_893_385), f64::INFINITY);
        assert_eq!(exp(-746.1), 0.0);
        assert!(exp(f64::NAN).is_nan());
    }
}
