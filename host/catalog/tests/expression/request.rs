//! The request that expressions are tried on.

use std::collections::BTreeMap;

use message::{Contents, Parameter, Request, Tensor, Time};

/// A flight, with one input of each datatype.
pub(crate) fn flight() -> Request {
    let input = |name: &str, contents: Contents| {
        let count = u32::try_from(contents.len()).unwrap();
        Tensor::new(name, vec![count], contents)
    };
    let parameters = [
        ("priority", Parameter::Int(2)),
        ("client", Parameter::Text("acme".to_owned())),
        ("share", Parameter::Float(0.25)),
        ("huge", Parameter::Uint(u64::MAX)),
        ("dry", Parameter::Bool(true)),
    ];
    Request {
        id: "r-1".into(),
        time: Time::EPOCH,
        deadline: Time::EPOCH,
        key: Some("HA".to_owned()),
        tenant: Some("north".to_owned()),
        caller_id: None,
        inputs: vec![
            input("distance", Contents::F32s(vec![1500.5])),
            input("seats", Contents::S64s(vec![180])),
            input("stops", Contents::Texts(vec!["ANC".to_owned(), "SEA".to_owned()])),
            input("wind", Contents::F64s(vec![3.0, -4.5, 0.0])),
            input("late", Contents::Bools(vec![true])),
            input("nothing", Contents::F64s(Vec::new())),
            input("u8", Contents::U8s(vec![8])),
            input("u16", Contents::U16s(vec![16])),
            input("u32", Contents::U32s(vec![32])),
            input("u64", Contents::U64s(vec![64])),
            input("most", Contents::U64s(vec![u64::MAX])),
            input("s8", Contents::S8s(vec![-8])),
            input("s16", Contents::S16s(vec![-16])),
            input("s32", Contents::S32s(vec![-32])),
            input("f16", Contents::F16s(vec![0x3e00])),
            input("bf16", Contents::Bf16s(vec![0x3fc0])),
            input("word", Contents::Blobs(vec![b"blob".to_vec()])),
            input("bytes", Contents::Blobs(vec![vec![0xff]])),
            input("nan", Contents::F64s(vec![f64::NAN])),
        ],
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
        outputs: Vec::new(),
    }
}

/// A request of which nothing is known.
pub(crate) fn bare() -> Request {
    Request { key: None, tenant: None, inputs: Vec::new(), parameters: BTreeMap::new(), ..flight() }
}
