//! Element types: which Rust type stands for which datatype.

use half::slice::HalfBitsSliceExt as _;
use half::vec::HalfFloatVecExt as _;
use half::{bf16, f16};

use crate::{Contents, Datatype};

/// A Rust type that stands for one datatype of the contract. The set is closed.
pub trait Element: Sized + private::Sealed {
    /// The datatype that the type stands for.
    const DATATYPE: Datatype;

    /// The elements where they are of this type. Costs nothing: they are read in place.
    #[doc(hidden)]
    fn elements(contents: &Contents) -> Option<&[Self]>;

    /// Makes contents of elements of this type.
    #[doc(hidden)]
    fn into_contents(elements: Vec<Self>) -> Contents;
}

mod private {
    /// Keeps [`Element`](super::Element) closed.
    pub trait Sealed {}
}

macro_rules! element {
    ($type:ty, $datatype:ident, $case:ident) => {
        element!($type, $datatype, $case, |them| them, |them| them);
    };
    ($type:ty, $datatype:ident, $case:ident, |$stored:ident| $view:expr, |$given:ident| $store:expr) => {
        impl private::Sealed for $type {}

        impl Element for $type {
            const DATATYPE: Datatype = Datatype::$datatype;

            fn elements(contents: &Contents) -> Option<&[Self]> {
                match contents {
                    Contents::$case($stored) => Some($view),
                    _ => None,
                }
            }

            fn into_contents($given: Vec<Self>) -> Contents {
                Contents::$case($store)
            }
        }
    };
}

element!(bool, Boolean, Bools);
element!(u8, Uint8, U8s);
element!(u16, Uint16, U16s);
element!(u32, Uint32, U32s);
element!(u64, Uint64, U64s);
element!(i8, Int8, S8s);
element!(i16, Int16, S16s);
element!(i32, Int32, S32s);
element!(i64, Int64, S64s);
element!(f16, Fp16, F16s, |bits| bits.reinterpret_cast(), |them| them.reinterpret_into());
element!(bf16, Bf16, Bf16s, |bits| bits.reinterpret_cast(), |them| them.reinterpret_into());
element!(f32, Fp32, F32s);
element!(f64, Fp64, F64s);
element!(String, Text, Texts);
element!(Vec<u8>, Blob, Blobs);
