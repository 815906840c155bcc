//! Long lists of plain numbers, written as their bytes, so that a large model is read as fast as it is copied.
//!
//! For fields: `#[serde(with = "crate::packed")]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// What has a fixed number of bytes, little-endian.
pub(crate) trait Fixed: Sized {
    /// How many bytes it has.
    const BYTES: usize;

    /// Appends its bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads exactly [`Self::BYTES`].
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Fixed for $type {
            const BYTES: usize = size_of::<$type>();

            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("invariant: as many bytes as it has"))
            }
        }
    )*};
}

number!(u8, u16, u32, u64, i32, i64, f32, f64);

impl<T: Fixed, const N: usize> Fixed for [T; N] {
    const BYTES: usize = N * T::BYTES;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.iter().for_each(|value| value.write(bytes));
    }

    fn read(bytes: &[u8]) -> Self {
        std::array::from_fn(|at| T::read(&bytes[at * T::BYTES..][..T::BYTES]))
    }
}

pub(crate) fn serialize<T: Fixed, S: Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(values.len() * T::BYTES);
    values.iter().for_each(|value| value.write(&mut bytes));
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, T: Fixed, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Values<T>(PhantomData<T>);

    impl<T: Fixed> Visitor<'_> for Values<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "bytes, {} for each value", T::BYTES)
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
            if !bytes.len().is_multiple_of(T::BYTES) {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(bytes.chunks_exact(T::BYTES).map(T::read).collect())
        }
    }

    deserializer.deserialize_bytes(Values(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    struct Some(#[serde(with = "super")] Vec<f64>);

    #[test]
    fn numbers_are_read_back_to_the_bit() {
        let odd = f64::from_bits(0x7ff8_0000_0000_002a);
        let bytes = postcard::to_allocvec(&Some(vec![1.5, -0.0, odd])).unwrap();
        let read: Some = postcard::from_bytes(&bytes).unwrap();
        let bits: Vec<_> = read.0.iter().map(|it| it.to_bits()).collect();
        assert_eq!(bits, [1.5_f64.to_bits(), (-0.0_f64).to_bits(), odd.to_bits()]);
    }

    #[test]
    fn a_part_of_a_number_is_refused() {
        let bytes = postcard::to_allocvec(&vec![1_u8, 2, 3]).unwrap();
        assert!(postcard::from_bytes::<Some>(&bytes).is_err());
    }
}
