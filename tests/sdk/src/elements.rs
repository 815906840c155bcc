//! Elements: as the table writes them, or random ones.

use half::{bf16, f16};
use message::{Contents, Datatype};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::random::Random;

/// Reads the elements of a tensor.
pub(crate) fn contents(datatype: Datatype, data: &[Value]) -> Contents {
    match datatype {
        Datatype::Bool => Contents::Bools(plain(data)),
        Datatype::Uint8 => Contents::U8s(plain(data)),
        Datatype::Uint16 => Contents::U16s(plain(data)),
        Datatype::Uint32 => Contents::U32s(plain(data)),
        Datatype::Uint64 => Contents::U64s(plain(data)),
        Datatype::Int8 => Contents::S8s(plain(data)),
        Datatype::Int16 => Contents::S16s(plain(data)),
        Datatype::Int32 => Contents::S32s(plain(data)),
        Datatype::Int64 => Contents::S64s(plain(data)),
        Datatype::Fp16 => {
            floats(data, |bits| bits as u16, |x| f16::from_f64(x).to_bits(), Contents::F16s)
        }
        Datatype::Bf16 => {
            floats(data, |bits| bits as u16, |x| bf16::from_f64(x).to_bits(), Contents::Bf16s)
        }
        Datatype::Fp32 => {
            floats(data, |bits| f32::from_bits(bits as u32), |x| x as f32, Contents::F32s)
        }
        Datatype::Fp64 => floats(data, f64::from_bits, |x| x, Contents::F64s),
        Datatype::Text => Contents::Texts(data.iter().map(text).collect()),
        Datatype::Blob => Contents::Blobs(data.iter().map(blob).collect()),
    }
}

fn plain<T: DeserializeOwned>(data: &[Value]) -> Vec<T> {
    let read = |value: &Value| serde_json::from_value(value.clone());
    data.iter().map(read).collect::<Result<_, _>>().expect("elements of their datatype")
}

fn floats<T>(
    data: &[Value],
    from_bits: impl Fn(u64) -> T,
    from_f64: impl Fn(f64) -> T,
    contents: impl Fn(Vec<T>) -> Contents,
) -> Contents {
    let read = |value: &Value| match value.as_str() {
        Some("NaN") => from_f64(f64::NAN),
        Some("Infinity") => from_f64(f64::INFINITY),
        Some("-Infinity") => from_f64(f64::NEG_INFINITY),
        Some(bits) => {
            let digits = bits.strip_prefix("0x").expect("bits in hexadecimal");
            from_bits(u64::from_str_radix(digits, 16).expect("bits in hexadecimal"))
        }
        None => from_f64(value.as_f64().expect("a number")),
    };
    contents(data.iter().map(read).collect())
}

fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let times = value["times"].as_u64().expect("how many times") as usize;
            value["repeat"].as_str().expect("a text to repeat").repeat(times)
        }
    }
}

fn blob(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("bytes in hexadecimal").as_bytes();
    let byte = |pair: &[u8]| {
        let pair = str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    assert!(digits.len().is_multiple_of(2), "half a byte in {value}");
    digits.chunks(2).map(byte).collect()
}

/// Makes so many elements, of all values of the type, or of floats between -1 and 1.
pub(crate) fn random(datatype: Datatype, count: usize, finite: bool, seed: &str) -> Contents {
    let mut random = Random::new(seed);
    macro_rules! some {
        ($case:ident, |$bits:ident| $element:expr) => {
            Contents::$case(
                (0..count)
                    .map(|_| {
                        let $bits = random.bits();
                        $element
                    })
                    .collect(),
            )
        };
    }
    match datatype {
        Datatype::Fp32 if finite => {
            Contents::F32s((0..count).map(|_| random.between_ones() as f32).collect())
        }
        Datatype::Fp64 if finite => {
            Contents::F64s((0..count).map(|_| random.between_ones()).collect())
        }
        _ if finite => panic!("{seed}: {datatype} cannot be other than finite"),
        Datatype::Bool => some!(Bools, |bits| bits & 1 == 1),
        Datatype::Uint8 => some!(U8s, |bits| bits as u8),
        Datatype::Uint16 => some!(U16s, |bits| bits as u16),
        Datatype::Uint32 => some!(U32s, |bits| bits as u32),
        Datatype::Uint64 => some!(U64s, |bits| bits),
        Datatype::Int8 => some!(S8s, |bits| bits as i8),
        Datatype::Int16 => some!(S16s, |bits| bits as i16),
        Datatype::Int32 => some!(S32s, |bits| bits as i32),
        Datatype::Int64 => some!(S64s, |bits| bits as i64),
        Datatype::Fp16 => some!(F16s, |bits| bits as u16),
        Datatype::Bf16 => some!(Bf16s, |bits| bits as u16),
        Datatype::Fp32 => some!(F32s, |bits| f32::from_bits(bits as u32)),
        Datatype::Fp64 => some!(F64s, |bits| f64::from_bits(bits)),
        Datatype::Text => Contents::Texts((0..count).map(|_| random.text()).collect()),
        Datatype::Blob => Contents::Blobs((0..count).map(|_| random.blob()).collect()),
    }
}
