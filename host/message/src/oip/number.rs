//! A number of a document, and the float that is nearest to it.
//!
//! Most numbers are short. For these the digits and the power of ten are both exact as binary64, so
//! that one multiplication or division rounds once and rightly (Clinger, *How to read floating
//! point numbers accurately*, 1990). The others go to the standard library.

use std::str::FromStr;

/// The most decimal digits that always fit into 64 bits.
const EXACT_DIGITS: usize = 19;

/// The powers of ten that are exact as binary64.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A number as it stands in a document.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    /// The number itself.
    pub(super) text: &'a str,
    negative: bool,
    /// Whether it has neither fraction nor power.
    whole: bool,
    /// The digits as one whole number, unless there are too many for that.
    digits: Option<u64>,
    /// The power of ten that makes the number of its digits.
    exponent: i32,
}

impl<'a> Number<'a> {
    /// The number that begins at `start` by the grammar of JSON, if there is one.
    #[inline]
    pub(super) fn scan(text: &'a str, start: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let negative = bytes.get(start) == Some(&b'-');
        let whole = start + usize::from(negative);
        let mut digits = 0;
        let mut end = match bytes.get(whole)? {
            b'0' => whole + 1,
            _ => after_digits(bytes, whole, &mut digits)?,
        };
        let (whole_end, mut count, mut exponent) = (end, end - whole, 0);
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = after_digits(bytes, fraction, &mut digits)?;
            count += end - fraction;
            // Where this saturates, there are too many digits to use it.
            exponent = -i32::try_from(end - fraction).unwrap_or(i32::MAX);
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let (power, after) = power(bytes, end + 1)?;
            exponent = exponent.saturating_add(power);
            end = after;
        }
        let (whole, digits) = (end == whole_end, (count <= EXACT_DIGITS).then_some(digits));
        Some(Self { text: &text[start..end], negative, whole, digits, exponent })
    }

    /// The number as an integer, if it is one and fits.
    #[inline]
    pub(super) fn integer<T: TryFrom<i128> + FromStr>(&self) -> Option<T> {
        match self.digits {
            Some(_) if !self.whole => None,
            Some(digits) if self.negative => T::try_from(-i128::from(digits)).ok(),
            Some(digits) => T::try_from(i128::from(digits)).ok(),
            None => self.text.parse().ok(),
        }
    }

    /// The nearest finite binary64.
    #[inline]
    pub(super) fn binary64(&self) -> Option<f64> {
        self.short().or_else(|| self.text.parse().ok().filter(|value: &f64| value.is_finite()))
    }

    /// The nearest finite binary32.
    #[inline]
    pub(super) fn binary32(&self) -> Option<f32> {
        let rounded = self.short().filter(|&wide| rounds_again_as_once(wide));
        rounded.map(|wide| wide as f32).or_else(|| self.parsed_binary32())
    }

    fn parsed_binary32(&self) -> Option<f32> {
        self.text.parse().ok().filter(|value: &f32| value.is_finite())
    }

    /// The nearest binary64 of a number that is short enough.
    #[inline]
    fn short(&self) -> Option<f64> {
        let digits = self.digits.filter(|&digits| digits <= 1 << f64::MANTISSA_DIGITS)? as f64;
        let power = *POWERS_OF_TEN.get(self.exponent.unsigned_abs() as usize)?;
        let value = if self.exponent < 0 { digits / power } else { digits * power };
        Some(if self.negative { -value } else { value })
    }
}

/// Whether to round `wide` to binary32 gives what the number that it was rounded from would give.
///
/// Rounding keeps the order, so this can go wrong only where `wide` lies in the middle of two
/// binary32, to which the number may have been rounded from either side. The middles are where it
/// is supposed here only in the range of normal binary32.
#[inline]
fn rounds_again_as_once(wide: f64) -> bool {
    const BITS_MORE: u32 = f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS;
    let beyond = wide.to_bits() & ((1 << BITS_MORE) - 1);
    let is_normal = (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&wide.abs());
    wide == 0.0 || is_normal && beyond != 1 << (BITS_MORE - 1)
}

/// The end of the digits that begin at `start`, of which there must be one. They are added to
/// `value`, which is of use as long as it has not overflowed.
#[inline]
fn after_digits(bytes: &[u8], start: usize, value: &mut u64) -> Option<usize> {
    let mut end = start;
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        end += 1;
    }
    (end > start).then_some(end)
}

/// The power of ten that is written at `start`, and its end.
fn power(bytes: &[u8], start: usize) -> Option<(i32, usize)> {
    let sign = bytes.get(start).filter(|byte| matches!(byte, b'+' | b'-'));
    let digits = start + usize::from(sign.is_some());
    let mut value = 0;
    let end = after_digits(bytes, digits, &mut value)?;
    let short = end - digits <= EXACT_DIGITS;
    let value = if short { i32::try_from(value).unwrap_or(i32::MAX) } else { i32::MAX };
    Some((if sign == Some(&b'-') { -value } else { value }, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Holds both floats of a number against those of the standard library.
    fn check(text: &str) {
        let number = Number::scan(text, 0).unwrap_or_else(|| panic!("{text} is no number"));
        assert_eq!(number.text, text);
        let binary64 = text.parse::<f64>().ok().filter(|value| value.is_finite());
        let binary32 = text.parse::<f32>().ok().filter(|value| value.is_finite());
        assert_eq!(number.binary64().map(f64::to_bits), binary64.map(f64::to_bits), "{text}");
        assert_eq!(number.binary32().map(f32::to_bits), binary32.map(f32::to_bits), "{text}");
    }

    #[test]
    fn floats_at_the_edges_are_the_nearest() {
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.0e5",
            "1",
            "-1",
            "0.1",
            "9007199254740992",
            "9007199254740993",
            "16777217",
            "16777219",
            "16777217.0000001",
            "16777216.9999999",
            "1e22",
            "1e23",
            "1e-22",
            "1e-23",
            "1.17549435e-38",
            "1.17549428e-38",
            "1.4e-45",
            "7e-46",
            "3.4028235e38",
            "3.4028236e38",
            "340282346638528859811704183484516925440",
            "340282356779733661637539395458142568448",
            "1.7976931348623157e308",
            "1e400",
            "1e-400",
            "123456789012345678901234567890",
            "0.00000000000000000000001",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "0e99999999999999999999",
            "1e2147483648",
            "1.5e-2147483648",
            "8.589973e9",
            "1.00000017881393421514957253748434595763683319091796875001",
        ] {
            check(text);
        }
    }

    #[test]
    fn integers_are_read_up_to_their_limits() {
        let unsigned = |text| Number::scan(text, 0).unwrap().integer::<u64>();
        let signed = |text| Number::scan(text, 0).unwrap().integer::<i64>();
        let byte = |text| Number::scan(text, 0).unwrap().integer::<i8>();
        assert_eq!(unsigned("18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned("18446744073709551616"), None);
        assert_eq!((unsigned("0"), unsigned("-0"), unsigned("-1")), (Some(0), Some(0), None));
        assert_eq!(signed("9223372036854775807"), Some(i64::MAX));
        assert_eq!(signed("-9223372036854775808"), Some(i64::MIN));
        assert_eq!((signed("9223372036854775808"), signed("-9223372036854775809")), (None, None));
        assert_eq!(
            (byte("127"), byte("128"), byte("-128"), byte("-129")),
            (Some(127), None, Some(-128), None)
        );
        for text in ["1.0", "1e0", "1.0000000000000000000000", "0e0"] {
            assert_eq!(signed(text), None, "{text}");
        }
    }

    #[test]
    fn the_middle_of_two_floats_is_not_rounded_twice() {
        // Just above and below of halfway between 1 and the next binary32, in and out of the
        // precision of a binary64.
        for text in [
            "1.000000059604644775390625",
            "1.00000005960464477539",
            "1.000000059604645",
            "1.0000000596046448",
            "1.00000005960464484",
            "100000005960464478e-17",
            "1000000059604645e-15",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn floats_are_the_nearest(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
            check(&text);
        }

        #[test]
        fn short_floats_are_the_nearest(text in "-?(0|[1-9][0-9]{0,7})(\\.[0-9]{1,8})?(e-?[0-9])?") {
            check(&text);
        }

        #[test]
        fn printed_floats_are_the_nearest(narrow in any::<f32>(), wide in any::<f64>()) {
            check(&serde_json::to_string(&narrow.clamp(f32::MIN, f32::MAX)).unwrap());
            check(&serde_json::to_string(&wide.clamp(f64::MIN, f64::MAX)).unwrap());
        }

        #[test]
        fn middles_are_rounded_once(bits in 0_u32..0x7f7f_ffff, nudge in -2_i64..=2, digits in 6_usize..20) {
            let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            let middle = (f64::from(low) + f64::from(high)) / 2.0;
            let middle = f64::from_bits(middle.to_bits().saturating_add_signed(nudge));
            check(&format!("{middle:.digits$e}"));
        }
    }
}
