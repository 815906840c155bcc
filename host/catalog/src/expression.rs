//! Expressions: what an operator writes to say which requests a route takes.
//!
//! The language is CEL, and so is the crate that parses and evaluates it; what stands here keeps
//! both within bounds. An expression is compiled when its file is read, on a thread of its own whose
//! stack is known, and everything that can be said of it without a request is said then: a name that
//! is nothing, a type that does not fit, a cost that is too high. The parser has panicked on bad
//! input before, so a panic is a mistake of the file, never the end of the host.

mod caught;
mod check;
mod compile;
mod constants;
mod error;
mod facts;
mod file;

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelString};
use cel::{Context, Env, IdedExpr, Value};

pub use check::{Kind, STEPS_LIMIT};
pub use compile::{BRACKETS_LIMIT, DEPTH_LIMIT, LENGTH_LIMIT_BYTES, NODES_LIMIT, TOKENS_LIMIT};
pub use error::{EvaluationError, ExpressionError, Place};
pub use facts::{ELEMENTS_LIMIT, Facts, TEXT_LIMIT_BYTES};
pub(crate) use file::{condition, term};

use check::Checked;
use constants::Constants;
use facts::Variables;

/// A CEL expression over one request: its key, id, tenant, inputs and parameters.
///
/// Two are equal where their texts are. `Clone` costs one atomic increment.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    text: Box<str>,
    tree: IdedExpr,
    constants: Constants,
    checked: Checked,
}

/// The functions of the language, without what could not be bounded.
static ENVIRONMENT: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

impl Expression {
    /// Parses and checks a text.
    ///
    /// # Errors
    /// When it is no expression, exceeds a limit, or could not be evaluated for any request.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let (mut tree, checked) = compile::compile(text)?;
        let constants = Constants::take(&mut tree);
        Ok(Self(Arc::new(Compiled { text: text.into(), tree, constants, checked })))
    }

    /// The expression `key`.
    pub fn key() -> Self {
        static KEY: LazyLock<Expression> = LazyLock::new(|| {
            Expression::compile("key").expect("invariant: the name of a variable is an expression")
        });
        KEY.clone()
    }

    /// The text that it was compiled from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it gives, as far as that can be known without a request.
    pub fn kind(&self) -> Kind {
        self.0.checked.kind
    }

    /// Says whether the condition holds for a request.
    ///
    /// # Errors
    /// When the request has not what the expression asks for, or too much of it.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, EvaluationError> {
        self.evaluate(facts, |value| match value.downcast_ref::<CelBool>() {
            Some(truth) => Ok(*truth.inner()),
            None => Err(EvaluationError::result(value, "true or false")),
        })
    }

    /// Gives the text that it stands for with a request.
    ///
    /// # Errors
    /// When the request has not what the expression asks for, or too much of it.
    pub fn text_of(&self, facts: &Facts<'_>) -> Result<String, EvaluationError> {
        self.evaluate(facts, |value| match value.downcast_ref::<CelString<'_>>() {
            Some(text) => Ok(text.inner().to_owned()),
            None => Err(EvaluationError::result(value, "a text")),
        })
    }

    fn evaluate<T>(
        &self,
        facts: &Facts<'_>,
        read: impl FnOnce(&dyn cel::common::value::Val) -> Result<T, EvaluationError>,
    ) -> Result<T, EvaluationError> {
        facts.check(&self.0.checked)?;
        let evaluated = caught::catch(|| {
            let variables = Variables { facts, constants: &self.0.constants };
            let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
            context.set_variable_resolver(&variables);
            let value = Value::resolve_val(&self.0.tree, &context)?;
            read(&*value)
        });
        evaluated.unwrap_or_else(|message| Err(EvaluationError::Panicked { message }))
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
