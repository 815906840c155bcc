//! What an expression may ask of a request.
//!
//! Nothing is converted before it is asked for: an input that no expression names costs nothing,
//! however large it is.

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Sizer};
use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelInt, CelList, CelString, CelUInt, MAP_TYPE, Type,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use super::EvaluationError;
use super::check::Checked;
use super::constants::Constants;
use message::{Contents, Parameter, Parameters, Request, Tensor};

/// The most elements of an input that an expression can ask for.
pub const ELEMENTS_LIMIT: usize = 256;
/// The longest text or bytes of a request that an expression can ask for, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 1024;

/// What an expression may ask of a request. Making it costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    request: &'a Request,
}

impl<'a> Facts<'a> {
    /// The facts of a request.
    pub const fn new(request: &'a Request) -> Self {
        Self { request }
    }

    fn key(&self) -> &'a str {
        self.request.key.as_deref().unwrap_or_default()
    }

    fn tenant(&self) -> &'a str {
        self.request.tenant.as_deref().unwrap_or_default()
    }
}

impl Facts<'_> {
    /// Refuses texts that are too long, of those that are asked for.
    pub(super) fn check(&self, asked: &Checked) -> Result<(), EvaluationError> {
        let texts = [
            (asked.key, "key", self.key()),
            (asked.id, "id", self.request.id.as_str()),
            (asked.tenant, "tenant", self.tenant()),
        ];
        let is_long = |text: &str| text.len() > TEXT_LIMIT_BYTES;
        match texts.into_iter().find(|(asked, _, text)| *asked && is_long(text)) {
            None => Ok(()),
            Some((_, name, text)) => Err(EvaluationError::Failed {
                message: format!("{name} has {} bytes, of at most {TEXT_LIMIT_BYTES}", text.len()),
            }),
        }
    }
}

/// The variables of an expression.
pub(super) struct Variables<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) constants: &'a Constants,
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let Facts { request } = self.facts;
        Some(match variable {
            "key" => text(self.facts.key()),
            "id" => text(request.id.as_str()),
            "tenant" => text(self.facts.tenant()),
            "inputs" => CowVal::owned(Fields::Inputs(&request.inputs)),
            "parameters" => CowVal::owned(Fields::Parameters(&request.parameters)),
            name => CowVal::Borrowed(self.constants.get(name)?),
        })
    }
}

/// The inputs or the parameters of a request. It is looked into by name, and has no order.
#[derive(Debug, Clone, Copy)]
enum Fields<'a> {
    Inputs(&'a [Tensor]),
    Parameters(&'a Parameters),
}

impl<'a> Fields<'a> {
    fn find(&self, name: &str) -> Option<Result<Box<dyn Val + 'a>, ExecutionError>> {
        match *self {
            Self::Inputs(inputs) => {
                let input = inputs.iter().find(|input| input.name == name)?;
                Some(input_value(input))
            }
            Self::Parameters(parameters) => Some(parameter_value(name, parameters.get(name)?)),
        }
    }
}

impl<'a> Val for Fields<'a> {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Fields<'_> {
    fn get<'b, 'v>(&'b self, name: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = name_of(name)?;
        let value = self.find(name).ok_or_else(|| ExecutionError::no_such_key(name))?;
        value.map(CowVal::Owned)
    }

    fn steal<'v>(self: Box<Self>, name: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = name_of(name)?;
        self.find(name).ok_or_else(|| ExecutionError::no_such_key(name))?
    }
}

impl Container for Fields<'_> {
    fn contains(&self, name: &dyn Val) -> Result<bool, ExecutionError> {
        let name = name_of(name)?;
        Ok(match self {
            Self::Inputs(inputs) => inputs.iter().any(|input| input.name == name),
            Self::Parameters(parameters) => parameters.contains_key(name),
        })
    }
}

impl Sizer for Fields<'_> {
    fn size(&self) -> CelInt {
        let count = match self {
            Self::Inputs(inputs) => inputs.len(),
            Self::Parameters(parameters) => parameters.len(),
        };
        CelInt::from(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

fn name_of(name: &dyn Val) -> Result<&str, ExecutionError> {
    let text = name.downcast_ref::<CelString<'_>>().map(|name| name.inner());
    text.ok_or_else(|| ExecutionError::UnexpectedType {
        got: name.get_type().name().to_owned(),
        want: "string".to_owned(),
    })
}

/// One element by itself, several as a list.
fn input_value<'v>(input: &'v Tensor) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    let count = input.contents.len();
    if count > ELEMENTS_LIMIT {
        let what = format!("the input {:?} has {count} elements", input.name);
        return Err(too_much(&what, &format!("{ELEMENTS_LIMIT}")));
    }
    let element = |index| element_value(input, index);
    if count == 1 {
        return element(0);
    }
    let elements: Result<Vec<_>, _> = (0..count).map(element).collect();
    Ok(Box::new(CelList::from(elements?)))
}

fn element_value<'v>(input: &'v Tensor, index: usize) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    let number = |number: f64| Box::new(CelDouble::from(number));
    Ok(match &input.contents {
        Contents::Bools(them) => Box::new(CelBool::from(them[index])),
        Contents::U8s(them) => whole(them[index]),
        Contents::U16s(them) => whole(them[index]),
        Contents::U32s(them) => whole(them[index]),
        Contents::U64s(them) => unsigned(them[index]),
        Contents::S8s(them) => whole(them[index]),
        Contents::S16s(them) => whole(them[index]),
        Contents::S32s(them) => whole(them[index]),
        Contents::S64s(them) => whole(them[index]),
        Contents::F16s(them) => number(half::f16::from_bits(them[index]).to_f64()),
        Contents::Bf16s(them) => number(half::bf16::from_bits(them[index]).to_f64()),
        Contents::F32s(them) => number(them[index].into()),
        Contents::F64s(them) => number(them[index]),
        Contents::Texts(them) => bytes("input", &input.name, them[index].as_bytes())?,
        Contents::Blobs(them) => bytes("input", &input.name, &them[index])?,
    })
}

fn parameter_value<'v>(
    name: &str,
    parameter: &'v Parameter,
) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    Ok(match parameter {
        Parameter::Bool(truth) => Box::new(CelBool::from(*truth)),
        Parameter::Int(number) => whole(*number),
        Parameter::Uint(number) => unsigned(*number),
        Parameter::Float(number) => Box::new(CelDouble::from(*number)),
        Parameter::Text(text) => bytes("parameter", name, text.as_bytes())?,
    })
}

fn whole<'v>(number: impl Into<i64>) -> Box<dyn Val + 'v> {
    Box::new(CelInt::from(number.into()))
}

/// Numbers of one sort where they can be: CEL adds no signed number to an unsigned one.
fn unsigned<'v>(number: u64) -> Box<dyn Val + 'v> {
    i64::try_from(number).map_or_else(|_| Box::new(CelUInt::from(number)) as _, whole)
}

/// A text where it is one, otherwise bytes.
fn bytes<'v>(what: &str, name: &str, bytes: &'v [u8]) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    if bytes.len() > TEXT_LIMIT_BYTES {
        let what = format!("the {what} {name:?} has {} bytes", bytes.len());
        return Err(too_much(&what, &format!("{TEXT_LIMIT_BYTES}")));
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Box::new(CelString::from(text)),
        Err(_) => Box::new(CelBytes::from(bytes)),
    })
}

fn too_much(what: &str, limit: &str) -> ExecutionError {
    ExecutionError::InternalError(format!("{what}, of at most {limit}"))
}

fn text<'b, 'v>(text: &'v str) -> CowVal<'b, 'v> {
    CowVal::owned(CelString::from(text))
}
