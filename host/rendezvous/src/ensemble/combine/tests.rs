//! Combinations, as data.

use super::*;

fn output(contents: Contents) -> Vec<Tensor> {
    let length = u32::try_from(contents.len()).unwrap();
    vec![Tensor::new("y", [length], contents)]
}

/// Combines outputs, each with its weight.
fn combined(
    how: Combine,
    of: impl IntoIterator<Item = (f64, Contents)>,
) -> Result<Contents, CombineError> {
    let outputs: Vec<_> = of.into_iter().map(|(weight, it)| (output(it), weight)).collect();
    let predictions: Vec<_> = outputs.iter().map(|(it, weight)| (&it[..], *weight)).collect();
    let mut combined = combine(&predictions, how)?;
    assert_eq!((combined.len(), combined[0].name.as_str()), (1, "y"));
    Ok(combined.remove(0).contents)
}

#[track_caller]
fn check(how: Combine, of: impl IntoIterator<Item = (f64, Contents)>, expected: Contents) {
    assert_eq!(combined(how, of), Ok(expected));
}

fn f64s(weight: f64, elements: &[f64]) -> (f64, Contents) {
    (weight, Contents::F64s(elements.to_vec()))
}

#[test]
fn a_mean_is_of_each_element() {
    let three = || [f64s(1.0, &[1.0, 10.0]), f64s(3.0, &[2.0, 20.0]), f64s(0.0, &[6.0, 0.0])];
    check(Combine::Mean, three(), Contents::F64s(vec![3.0, 10.0]));
    check(Combine::WeightedMean, three(), Contents::F64s(vec![1.75, 17.5]));
    check(Combine::Median, three(), Contents::F64s(vec![2.0, 10.0]));
}

#[test]
fn small_floats_are_averaged_in_large_ones_and_rounded_once() {
    // The sum of the three is no number of FP32.
    let large = [16_777_216.0_f32, 1.0, 1.0].map(|x| (1.0, Contents::F32s(vec![x])));
    check(Combine::Mean, large, Contents::F32s(vec![5_592_406.0]));
    let most = f16::MAX;
    let twice = [most; 2].map(|x| (1.0, Contents::F16s(vec![x.to_bits()])));
    check(Combine::Mean, twice, Contents::F16s(vec![most.to_bits()]));
    let brain = [1.0_f32, 2.0].map(|x| (1.0, Contents::Bf16s(vec![bf16::from_f32(x).to_bits()])));
    check(Combine::Mean, brain, Contents::Bf16s(vec![bf16::from_f32(1.5).to_bits()]));
}

#[test]
fn the_median_of_an_even_number_lies_in_the_middle_and_that_of_whole_numbers_is_the_lower() {
    let four = [4.0, 1.0, 3.0, 2.0].map(|x| f64s(1.0, &[x]));
    check(Combine::Median, four, Contents::F64s(vec![2.5]));
    let four = [4, 1, 3, 2].map(|n| (1.0, Contents::U8s(vec![n])));
    check(Combine::Median, four, Contents::U8s(vec![2]));
    let three = [-4, 1, 3].map(|n| (1.0, Contents::S64s(vec![n])));
    check(Combine::Median, three, Contents::S64s(vec![1]));
}

#[test]
fn a_nan_is_not_averaged_away() {
    for how in [Combine::Mean, Combine::WeightedMean, Combine::Median] {
        let values = [1.0, f64::NAN, 2.0].map(|x| f64s(1.0, &[x]));
        let Ok(Contents::F64s(found)) = combined(how, values) else { panic!("{how}") };
        assert!(found[0].is_nan(), "{how}");
    }
    let votes = [f64::NAN, 1.0, f64::NAN].map(|x| f64s(1.0, &[x]));
    let Ok(Contents::F64s(found)) = combined(Combine::Majority, votes) else { panic!() };
    assert!(found[0].is_nan());
}

#[test]
fn a_vote_is_won_by_the_most_and_a_tie_by_the_first() {
    let texts = |words: &[&str]| {
        words.iter().map(|&word| (1.0, Contents::Texts(vec![word.to_owned()]))).collect::<Vec<_>>()
    };
    let text = |word: &str| Contents::Texts(vec![word.to_owned()]);
    check(Combine::Majority, texts(&["a", "b", "b"]), text("b"));
    check(Combine::Majority, texts(&["a", "b"]), text("a"));
    check(Combine::Majority, texts(&["c", "b", "a", "b", "a"]), text("b"));
    let bools = [(1.0, true), (2.0, false), (1.5, true)];
    let bools = || bools.map(|(weight, it)| (weight, Contents::Bools(vec![it])));
    check(Combine::WeightedVote, bools(), Contents::Bools(vec![true]));
    let zeros = [0.0, -0.0, 1.0].map(|x| f64s(1.0, &[x]));
    check(Combine::Majority, zeros, Contents::F64s(vec![0.0]));
    let blobs = [vec![1], vec![2], vec![2]].map(|bytes| (1.0, Contents::Blobs(vec![bytes])));
    check(Combine::Majority, blobs, Contents::Blobs(vec![vec![2]]));
    let rows = [f64s(1.0, &[1.0, 7.0]), f64s(1.0, &[2.0, 8.0]), f64s(1.0, &[1.0, 8.0])];
    check(Combine::Majority, rows, Contents::F64s(vec![1.0, 8.0]));
}

#[test]
fn one_prediction_is_what_it_is() {
    for how in Combine::ALL {
        check(how, [f64s(2.0, &[0.1, -7.0])], Contents::F64s(vec![0.1, -7.0]));
    }
}

#[test]
fn every_way_says_of_every_type_whether_it_can() {
    let empty = |datatype| match datatype {
        Datatype::Bool => Contents::Bools(vec![true]),
        Datatype::Uint8 => Contents::U8s(vec![1]),
        Datatype::Uint16 => Contents::U16s(vec![1]),
        Datatype::Uint32 => Contents::U32s(vec![1]),
        Datatype::Uint64 => Contents::U64s(vec![1]),
        Datatype::Int8 => Contents::S8s(vec![1]),
        Datatype::Int16 => Contents::S16s(vec![1]),
        Datatype::Int32 => Contents::S32s(vec![1]),
        Datatype::Int64 => Contents::S64s(vec![1]),
        Datatype::Fp16 => Contents::F16s(vec![0x3c00]),
        Datatype::Bf16 => Contents::Bf16s(vec![0x3f80]),
        Datatype::Fp32 => Contents::F32s(vec![1.0]),
        Datatype::Fp64 => Contents::F64s(vec![1.0]),
        Datatype::Text => Contents::Texts(vec!["a".to_owned()]),
        Datatype::Blob => Contents::Blobs(vec![vec![1]]),
    };
    for how in Combine::ALL {
        for datatype in Datatype::ALL {
            let found = combined(how, [(1.0, empty(datatype)), (1.0, empty(datatype))]);
            if can_combine(how, datatype) {
                assert_eq!(found, Ok(empty(datatype)), "{how} of {datatype}");
            } else {
                let refused = CombineError::Datatype { output: "y".into(), datatype, combine: how };
                assert_eq!(found, Err(refused));
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let error = |of: &[Vec<Tensor>]| {
        let predictions: Vec<_> = of.iter().map(|outputs| (&outputs[..], 1.0)).collect();
        combine(&predictions, Combine::Mean).unwrap_err().to_string()
    };
    let tensor = |name: &str, shape: &[u32], contents| Tensor::new(name, shape, contents);
    let one = || Contents::F64s(vec![1.0]);
    assert_eq!(error(&[]), "found no prediction, expected at least one");
    assert_eq!(
        error(&[vec![tensor("a", &[1], one())], vec![tensor("b", &[1], one())]]),
        "found outputs [\"b\"] of member 1, expected [\"a\"] as of the first"
    );
    assert_eq!(
        error(&[vec![], vec![tensor("b", &[1], one())]]),
        "found outputs [\"b\"] of member 1, expected [] as of the first"
    );
    assert_eq!(
        error(&[vec![tensor("a", &[1], one())], vec![tensor("a", &[1, 1], one())]]),
        "output \"a\": found FP64 [1, 1] of member 1, expected FP64 [1] as of the first"
    );
    assert_eq!(
        error(&[vec![tensor("a", &[1], Contents::U8s(vec![1]))]]),
        "output \"a\": found UINT8, expected a type of which there is a mean"
    );
    let weightless = [f64s(0.0, &[1.0]), f64s(0.0, &[2.0])];
    assert_eq!(combined(Combine::WeightedMean, weightless), Err(CombineError::NoWeight));
}
