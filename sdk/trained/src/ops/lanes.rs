//! Numbers side by side, which the same instructions multiply and add.
//!
//! Left alone, the compiler makes single numbers of short arrays for WebAssembly, so the vectors are written out there. A product is
//! rounded before it is added in both forms: they give the same bits.

/// How many sums, or parts of one, are formed at a time: they fill the vector registers.
pub(crate) const LANES: usize = 8;

/// So many numbers of a type.
pub(crate) trait Lanes<T>: Copy {
    /// The same number in each.
    fn splat(value: T) -> Self;

    /// These numbers.
    fn of(values: &[T; LANES]) -> Self;

    /// Sums, and to each a product.
    fn plus_product(self, left: Self, right: Self) -> Self;

    /// The numbers.
    fn array(self) -> [T; LANES];
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod plain {
    use super::{LANES, Lanes};

    pub(crate) type Singles = [f32; LANES];
    pub(crate) type Doubles = [f64; LANES];

    impl<T: Copy + std::ops::Add<Output = T> + std::ops::Mul<Output = T>> Lanes<T> for [T; LANES] {
        fn splat(value: T) -> Self {
            [value; LANES]
        }

        fn of(values: &[T; LANES]) -> Self {
            *values
        }

        fn plus_product(self, left: Self, right: Self) -> Self {
            std::array::from_fn(|lane| self[lane] + left[lane] * right[lane])
        }

        fn array(self) -> [T; LANES] {
            self
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use plain::{Doubles, Singles};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors {
    use std::arch::wasm32::{
        f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f64x2, f64x2_add,
        f64x2_extract_lane, f64x2_mul, f64x2_splat, v128,
    };

    use super::{LANES, Lanes};

    #[derive(Clone, Copy)]
    pub(crate) struct Singles([v128; LANES / 4]);

    #[derive(Clone, Copy)]
    pub(crate) struct Doubles([v128; LANES / 2]);

    impl Lanes<f32> for Singles {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self([f32x4_splat(value); LANES / 4])
        }

        #[inline(always)]
        fn of(values: &[f32; LANES]) -> Self {
            let [a, b, c, d, e, f, g, h] = *values;
            Self([f32x4(a, b, c, d), f32x4(e, f, g, h)])
        }

        #[inline(always)]
        fn plus_product(self, left: Self, right: Self) -> Self {
            let sum = |at: usize| f32x4_add(self.0[at], f32x4_mul(left.0[at], right.0[at]));
            Self([sum(0), sum(1)])
        }

        #[inline(always)]
        fn array(self) -> [f32; LANES] {
            let [a, b] = self.0;
            [
                f32x4_extract_lane::<0>(a),
                f32x4_extract_lane::<1>(a),
                f32x4_extract_lane::<2>(a),
                f32x4_extract_lane::<3>(a),
                f32x4_extract_lane::<0>(b),
                f32x4_extract_lane::<1>(b),
                f32x4_extract_lane::<2>(b),
                f32x4_extract_lane::<3>(b),
            ]
        }
    }

    impl Lanes<f64> for Doubles {
        #[inline(always)]
        fn splat(value: f64) -> Self {
            Self([f64x2_splat(value); LANES / 2])
        }

        #[inline(always)]
        fn of(values: &[f64; LANES]) -> Self {
            let [a, b, c, d, e, f, g, h] = *values;
            Self([f64x2(a, b), f64x2(c, d), f64x2(e, f), f64x2(g, h)])
        }

        #[inline(always)]
        fn plus_product(self, left: Self, right: Self) -> Self {
            let sum = |at: usize| f64x2_add(self.0[at], f64x2_mul(left.0[at], right.0[at]));
            Self([sum(0), sum(1), sum(2), sum(3)])
        }

        #[inline(always)]
        fn array(self) -> [f64; LANES] {
            let [a, b, c, d] = self.0;
            [
                f64x2_extract_lane::<0>(a),
                f64x2_extract_lane::<1>(a),
                f64x2_extract_lane::<0>(b),
                f64x2_extract_lane::<1>(b),
                f64x2_extract_lane::<0>(c),
                f64x2_extract_lane::<1>(c),
                f64x2_extract_lane::<0>(d),
                f64x2_extract_lane::<1>(d),
            ]
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use vectors::{Doubles, Singles};
