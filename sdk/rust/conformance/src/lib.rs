//! The conformance model in Rust: does what `sdk/conformance/README.md` says.

/// Calls a macro with the name and the type of each of the fifteen vectors.
macro_rules! with_vectors {
    ($each:ident) => {
        $each!("boolean", bool);
        $each!("uint8", u8);
        $each!("uint16", u16);
        $each!("uint32", u32);
        $each!("uint64", u64);
        $each!("int8", i8);
        $each!("int16", i16);
        $each!("int32", i32);
        $each!("int64", i64);
        $each!("fp16", f16);
        $each!("bf16", bf16);
        $each!("fp32", f32);
        $each!("fp64", f64);
        $each!("text", String);
        $each!("blob", Vec<u8>);
    };
}

mod outputs;
mod read;

use understudy_model::{
    ANY_LENGTH, BatchModel, Description, Element, Prediction, Refusal, Request, bf16, f16,
};

use outputs::Outputs;

struct Conformance;

understudy_model::export!(Conformance);

impl BatchModel for Conformance {
    fn describe() -> Description {
        let mut description =
            Description::new().input::<String>("mode", [1]).input::<String>("argument", [1]);
        macro_rules! vector {
            ($name:literal, $type:ty) => {
                description = description
                    .input::<$type>($name, [ANY_LENGTH])
                    .output::<$type>($name, [ANY_LENGTH]);
            };
        }
        with_vectors!(vector);
        description
            .input::<f64>("scalar", [])
            .input::<f32>("matrix", [ANY_LENGTH, ANY_LENGTH])
            .input::<i32>("cube", [2, ANY_LENGTH, 2])
            .output::<f64>("scalar", [])
            .output::<f32>("matrix", [ANY_LENGTH, ANY_LENGTH])
            .output::<i32>("cube", [ANY_LENGTH, ANY_LENGTH, ANY_LENGTH])
            .output::<String>("report", [ANY_LENGTH])
            .batch_limit(100)
    }

    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>> {
        requests.iter().map(answer).collect()
    }
}

fn answer(request: &Request) -> Result<Prediction, Refusal> {
    match request.input("mode")?.text()? {
        "echo" => echo(request),
        "reverse" => reverse(request),
        "sum" => sum(request),
        "halves" => halves(request),
        "unicode" => unicode(request),
        "read" => read::read(request),
        "notes" => notes(request),
        "refuse" => Err(refusal(request)?),
        "request" => report(request),
        "break" => breaks(request),
        other => Err(Refusal::invalid_input(format!(
            "mode is `{other}`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, \
             `request` or `break`"
        ))),
    }
}

/// The elements of one of the fifteen vectors.
fn vector<'a, T: Element>(request: &'a Request, name: &str) -> Result<&'a [T], Refusal> {
    request.input(name)?.vector()
}

fn echo(request: &Request) -> Result<Prediction, Refusal> {
    let mut outputs = Outputs::default();
    macro_rules! vector {
        ($name:literal, $type:ty) => {
            outputs.vector::<$type>($name, vector::<$type>(request, $name)?);
        };
    }
    with_vectors!(vector);
    outputs.tensor("scalar", [], [request.input("scalar")?.scalar::<f64>()?]);
    let matrix = request.input("matrix")?;
    outputs.tensor("matrix", &matrix.shape[..], matrix.elements::<f32>()?);
    let cube = request.input("cube")?;
    outputs.tensor("cube", &cube.shape[..], cube.elements::<i32>()?);
    Ok(outputs.into())
}

fn reverse(request: &Request) -> Result<Prediction, Refusal> {
    let mut outputs = Outputs::default();
    macro_rules! vector {
        ($name:literal, $type:ty) => {
            let reversed = vector::<$type>(request, $name)?.iter().rev().cloned();
            outputs.vector($name, reversed.collect::<Vec<$type>>());
        };
    }
    with_vectors!(vector);
    outputs.tensor("scalar", [], [-request.input("scalar")?.scalar::<f64>()?]);
    let matrix = request.input("matrix")?.matrix::<f32>()?;
    let columns = 0..matrix.column_count();
    let transposed = columns.flat_map(|column| matrix.rows().map(move |row| row[column]));
    let shape = [matrix.column_count() as u32, matrix.row_count() as u32];
    outputs.tensor("matrix", shape, transposed.collect::<Vec<_>>());
    let cube = request.input("cube")?;
    let shape: Vec<_> = cube.shape.iter().rev().copied().collect();
    let elements: Vec<_> = cube.elements::<i32>()?.iter().rev().copied().collect();
    outputs.tensor("cube", shape, elements);
    Ok(outputs.into())
}

fn sum(request: &Request) -> Result<Prediction, Refusal> {
    let mut outputs = Outputs::default();
    // The sum of the standard library begins at -0.0.
    let doubles = vector::<f64>(request, "fp64")?.iter().fold(0.0, |sum, element| sum + element);
    let matrix = request.input("matrix")?.matrix::<f32>()?;
    let rows = (0..matrix.row_count()).filter_map(|index| matrix.row(index));
    let row_sums = rows.map(|row| row.iter().fold(0.0, |sum, element| sum + f64::from(*element)));
    let integers: i64 = vector::<i32>(request, "int32")?.iter().copied().map(i64::from).sum();
    let bytes: u64 = vector::<Vec<u8>>(request, "blob")?.iter().map(|blob| blob.len() as u64).sum();
    outputs.tensor("scalar", [], [doubles]);
    outputs.vector("fp64", row_sums.collect::<Vec<_>>());
    outputs.vector("int64", [integers]);
    outputs.vector("uint64", [bytes]);
    Ok(outputs.into())
}

fn halves(request: &Request) -> Result<Prediction, Refusal> {
    let mut outputs = Outputs::default();
    let halves = vector::<f16>(request, "fp16")?.iter().map(|half| half.to_f32());
    let brains = vector::<bf16>(request, "bf16")?.iter().map(|brain| brain.to_f32());
    let singles = vector::<f32>(request, "fp32")?;
    outputs.vector("fp32", halves.chain(brains).collect::<Vec<_>>());
    outputs.vector("fp16", singles.iter().copied().map(f16::from_f32).collect::<Vec<_>>());
    outputs.vector("bf16", singles.iter().copied().map(bf16::from_f32).collect::<Vec<_>>());
    Ok(outputs.into())
}

fn unicode(request: &Request) -> Result<Prediction, Refusal> {
    let mut outputs = Outputs::default();
    let texts = vector::<String>(request, "text")?;
    let bytes: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let lengths: Vec<u32> = texts.iter().map(|text| text.len() as u32).collect();
    let code_points: Vec<u64> = texts.iter().map(|text| text.chars().count() as u64).collect();
    let like_the_first: Vec<bool> = texts.iter().map(|text| *text == texts[0]).collect();
    outputs.vector("text", [texts.join("|")]);
    outputs.vector("blob", bytes);
    outputs.vector("uint32", lengths);
    outputs.vector("uint64", code_points);
    outputs.vector("boolean", like_the_first);
    Ok(outputs.into())
}

fn notes(request: &Request) -> Result<Prediction, Refusal> {
    let pairs = vector::<String>(request, "text")?.chunks(2);
    let empty = Prediction::from(Outputs::default());
    Ok(pairs.fold(empty, |prediction, pair| {
        prediction.note(&pair[0], pair.get(1).map_or("", String::as_str))
    }))
}

/// The refusal that was asked for.
fn refusal(request: &Request) -> Result<Refusal, Refusal> {
    let message = vector::<String>(request, "text")?.first().map_or("", String::as_str);
    match request.input("argument")?.text()? {
        "invalid-input" => Ok(Refusal::invalid_input(message)),
        "abstain" => Ok(Refusal::abstain(message)),
        "failed" => Ok(Refusal::failed(message)),
        other => Err(Refusal::invalid_input(format!(
            "argument is `{other}`, expected `invalid-input`, `abstain` or `failed`"
        ))),
    }
}

fn breaks(request: &Request) -> Result<Prediction, Refusal> {
    let message = vector::<String>(request, "text")?.first().map_or("", String::as_str);
    match request.input("argument")?.text()? {
        "throw" => panic!("{message}"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        other => Err(Refusal::invalid_input(format!(
            "argument is `{other}`, expected `throw` or `loop`"
        ))),
    }
}

fn report(request: &Request) -> Result<Prediction, Refusal> {
    let mut report = vec![request.id.clone(), request.time_us.to_string()];
    report.extend(request.inputs.iter().map(ToString::to_string));
    let mut outputs = Outputs::default();
    outputs.vector("report", report);
    Ok(outputs.into())
}
