//! What the conformance model has to answer, from `sdk/conformance/README.md` alone.

mod read;

use half::{bf16, f16};
use message::{Contents, Datatype, Prediction, Refusal, Request, Tensor};
use sandbox::{Description, TensorType};

use crate::table::VECTORS;

/// How many notes a host keeps.
const NOTES_LIMIT: usize = 32;

/// What the model says of itself.
///
/// # Panics
///
/// Never: all names and shapes are in order.
pub fn description() -> Description {
    let of = |name: &str, datatype, shape: &[i32]| {
        TensorType::new(name, datatype, shape).expect("a type of a tensor")
    };
    let vectors = || VECTORS.into_iter().zip(Datatype::ALL).map(|(name, it)| of(name, it, &[-1]));
    let mut inputs = vec![of("mode", Datatype::Text, &[1]), of("argument", Datatype::Text, &[1])];
    inputs.extend(vectors());
    inputs.push(of("scalar", Datatype::Fp64, &[]));
    inputs.push(of("matrix", Datatype::Fp32, &[-1, -1]));
    inputs.push(of("cube", Datatype::Int32, &[2, -1, 2]));
    let mut outputs: Vec<_> = vectors().collect();
    outputs.push(of("scalar", Datatype::Fp64, &[]));
    outputs.push(of("matrix", Datatype::Fp32, &[-1, -1]));
    outputs.push(of("cube", Datatype::Int32, &[-1, -1, -1]));
    outputs.push(of("report", Datatype::Text, &[-1]));
    Description { inputs, outputs, batch_limit: 100, stateless: true }
}

/// What the model answers.
///
/// # Errors
///
/// Where it refuses.
///
/// # Panics
///
/// Where an input is absent or of another type, which no row of the table has.
pub fn answer(request: &Request) -> Result<Prediction, Refusal> {
    let asked = Asked(request);
    let mut outputs = Outputs::empty();
    let mut notes = Vec::new();
    match asked.text("mode") {
        "echo" => echo(&asked, &mut outputs),
        "reverse" => reverse(&asked, &mut outputs),
        "sum" => sum(&asked, &mut outputs),
        "halves" => halves(&asked, &mut outputs),
        "unicode" => unicode(&asked, &mut outputs),
        "read" => read::read(&asked, &mut outputs)?,
        "notes" => {
            let pair =
                |pair: &[String]| (pair[0].clone(), pair.get(1).cloned().unwrap_or_default());
            notes = asked.texts().chunks(2).take(NOTES_LIMIT).map(pair).collect();
        }
        "refuse" => return Err(refusal(&asked)),
        "request" => report(&asked, &mut outputs),
        "break" => {
            let other = asked.text("argument");
            return Err(Refusal::InvalidInput(format!(
                "argument is `{other}`, expected `throw` or `loop`"
            )));
        }
        other => {
            return Err(Refusal::InvalidInput(format!(
                "mode is `{other}`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, \
                 `request` or `break`"
            )));
        }
    }
    Ok(Prediction { outputs: outputs.0, notes })
}

/// A request, with its inputs by name.
struct Asked<'a>(&'a Request);

impl<'a> Asked<'a> {
    fn find(&self, name: &str) -> Option<&'a Tensor> {
        self.0.inputs.iter().find(|tensor| tensor.name == name)
    }

    fn tensor(&self, name: &str) -> &'a Tensor {
        self.find(name).unwrap_or_else(|| panic!("there is no input {name}"))
    }

    fn text(&self, name: &str) -> &'a str {
        match &self.tensor(name).contents {
            Contents::Texts(texts) => &texts[0],
            other => panic!("{name} is {other:?}, expected a text"),
        }
    }

    fn texts(&self) -> &'a [String] {
        match &self.tensor("text").contents {
            Contents::Texts(texts) => texts,
            other => panic!("text is {other:?}, expected texts"),
        }
    }
}

/// The outputs, empty but for those that a mode has set.
struct Outputs(Vec<Tensor>);

impl Outputs {
    fn empty() -> Self {
        let empty = |(name, datatype): (&str, Datatype)| {
            Tensor::new(name, [0], crate::elements::contents(datatype, &[]))
        };
        let mut outputs: Vec<_> = VECTORS.into_iter().zip(Datatype::ALL).map(empty).collect();
        outputs.push(Tensor::new("scalar", [], Contents::F64s(vec![0.0])));
        outputs.push(Tensor::new("matrix", [0, 0], Contents::F32s(vec![])));
        outputs.push(Tensor::new("cube", [0, 0, 0], Contents::S32s(vec![])));
        outputs.push(Tensor::new("report", [0], Contents::Texts(vec![])));
        Self(outputs)
    }

    fn set(&mut self, tensor: Tensor) {
        let output = self.0.iter_mut().find(|output| output.name == tensor.name);
        *output.expect("an output of that name") = tensor;
    }

    fn vector(&mut self, name: &str, contents: Contents) {
        self.set(Tensor::new(name, [contents.len() as u32], contents));
    }
}

/// Contents of the same case, its elements from an expression.
macro_rules! map {
    ($contents:expr, |$them:ident| $elements:expr) => {
        match $contents {
            Contents::Bools($them) => Contents::Bools($elements),
            Contents::U8s($them) => Contents::U8s($elements),
            Contents::U16s($them) => Contents::U16s($elements),
            Contents::U32s($them) => Contents::U32s($elements),
            Contents::U64s($them) => Contents::U64s($elements),
            Contents::S8s($them) => Contents::S8s($elements),
            Contents::S16s($them) => Contents::S16s($elements),
            Contents::S32s($them) => Contents::S32s($elements),
            Contents::S64s($them) => Contents::S64s($elements),
            Contents::F16s($them) => Contents::F16s($elements),
            Contents::Bf16s($them) => Contents::Bf16s($elements),
            Contents::F32s($them) => Contents::F32s($elements),
            Contents::F64s($them) => Contents::F64s($elements),
            Contents::Texts($them) => Contents::Texts($elements),
            Contents::Blobs($them) => Contents::Blobs($elements),
        }
    };
}
use map;

fn echo(asked: &Asked<'_>, outputs: &mut Outputs) {
    let names = VECTORS.into_iter().chain(["scalar", "matrix", "cube"]);
    names.for_each(|name| outputs.set(asked.tensor(name).clone()));
}

fn reverse(asked: &Asked<'_>, outputs: &mut Outputs) {
    let reversed =
        |contents: &Contents| map!(contents, |them| them.iter().rev().cloned().collect());
    for name in VECTORS {
        outputs.vector(name, reversed(&asked.tensor(name).contents));
    }
    if let Contents::F64s(scalar) = &asked.tensor("scalar").contents {
        outputs.set(Tensor::new("scalar", [], Contents::F64s(vec![-scalar[0]])));
    }
    let matrix = asked.tensor("matrix");
    if let Contents::F32s(elements) = &matrix.contents {
        let (rows, columns) = (matrix.shape[0] as usize, matrix.shape[1] as usize);
        let transposed = (0..rows * columns).map(|at| elements[at % rows * columns + at / rows]);
        let shape = [matrix.shape[1], matrix.shape[0]];
        outputs.set(Tensor::new("matrix", shape, Contents::F32s(transposed.collect())));
    }
    let cube = asked.tensor("cube");
    let shape: Vec<_> = cube.shape.iter().rev().copied().collect();
    outputs.set(Tensor::new("cube", shape, reversed(&cube.contents)));
}

fn sum(asked: &Asked<'_>, outputs: &mut Outputs) {
    let contents = |name| &asked.tensor(name).contents;
    if let Contents::F64s(them) = contents("fp64") {
        let sum = them.iter().fold(0.0, |sum, it| sum + it);
        outputs.set(Tensor::new("scalar", [], Contents::F64s(vec![sum])));
    }
    let shape = &asked.tensor("matrix").shape;
    if let Contents::F32s(them) = contents("matrix") {
        let (rows, columns) = (shape[0] as usize, shape[1] as usize);
        let row = |row: usize| &them[row * columns..][..columns];
        let sums = (0..rows).map(|at| row(at).iter().fold(0.0, |sum, it| sum + f64::from(*it)));
        outputs.vector("fp64", Contents::F64s(sums.collect()));
    }
    if let Contents::S32s(them) = contents("int32") {
        outputs.vector("int64", Contents::S64s(vec![them.iter().map(|it| i64::from(*it)).sum()]));
    }
    if let Contents::Blobs(them) = contents("blob") {
        outputs.vector("uint64", Contents::U64s(vec![them.iter().map(|it| it.len() as u64).sum()]));
    }
}

fn halves(asked: &Asked<'_>, outputs: &mut Outputs) {
    let contents = |name| &asked.tensor(name).contents;
    if let (Contents::F16s(halves), Contents::Bf16s(brains)) = (contents("fp16"), contents("bf16"))
    {
        let halves = halves.iter().map(|bits| f16::from_bits(*bits).to_f32());
        let brains = brains.iter().map(|bits| bf16::from_bits(*bits).to_f32());
        outputs.vector("fp32", Contents::F32s(halves.chain(brains).collect()));
    }
    if let Contents::F32s(singles) = contents("fp32") {
        let halves = singles.iter().map(|single| f16::from_f32(*single).to_bits());
        let brains = singles.iter().map(|single| bf16::from_f32(*single).to_bits());
        outputs.vector("fp16", Contents::F16s(halves.collect()));
        outputs.vector("bf16", Contents::Bf16s(brains.collect()));
    }
}

fn unicode(asked: &Asked<'_>, outputs: &mut Outputs) {
    let texts = asked.texts();
    let bytes = texts.iter().map(|text| text.clone().into_bytes());
    let lengths = texts.iter().map(|text| text.len() as u32);
    let code_points = texts.iter().map(|text| text.chars().count() as u64);
    let like_the_first = texts.iter().map(|text| *text == texts[0]);
    outputs.vector("text", Contents::Texts(vec![texts.join("|")]));
    outputs.vector("blob", Contents::Blobs(bytes.collect()));
    outputs.vector("uint32", Contents::U32s(lengths.collect()));
    outputs.vector("uint64", Contents::U64s(code_points.collect()));
    outputs.vector("boolean", Contents::Bools(like_the_first.collect()));
}

fn refusal(asked: &Asked<'_>) -> Refusal {
    let message = asked.texts().first().cloned().unwrap_or_default();
    let kind = asked.text("argument");
    Refusal::from_kind(kind, message).unwrap_or_else(|| {
        let expected = "expected `invalid-input`, `abstain` or `failed`";
        Refusal::InvalidInput(format!("argument is `{kind}`, {expected}"))
    })
}

fn report(asked: &Asked<'_>, outputs: &mut Outputs) {
    let Asked(request) = asked;
    let mut report = vec![request.id.to_string(), request.time.as_us().to_string()];
    report.extend(request.inputs.iter().map(read::shown));
    outputs.vector("report", Contents::Texts(report));
}
