//! What can be said of an expression before there is a request.
//!
//! One walk over the tree finds the names that are nothing, the types that do not fit, and the most
//! steps that an evaluation can take. A step is about the work of one addition; what a list or a
//! text costs to look at is its weight. Only the lists and texts of a request have a length that the
//! expression does not say, and those are limited when they are asked for.

mod calls;

use std::fmt;

use cel::IdedExpr;
use cel::common::ast::{
    ComprehensionExpr, EntryExpr, Expr, LiteralValue, MapExpr, SelectExpr, SourceInfo,
};

use super::error::{ExpressionError, Place};
use super::facts::ELEMENTS_LIMIT;
use super::{DEPTH_LIMIT, NODES_LIMIT};

/// The most steps that an evaluation may take: some milliseconds at the very worst.
pub const STEPS_LIMIT: u64 = 50_000;

/// What a text of a request weighs, of at most [`TEXT_LIMIT_BYTES`](super::TEXT_LIMIT_BYTES).
const TEXT_WEIGHT: u64 = 4;
/// The bytes of a written text that weigh 1.
const BYTES_PER_WEIGHT: usize = 256;
/// What it takes to find an input or a parameter among the others.
const LOOK_UP_STEPS: u64 = 16;
/// What one round of a loop takes beside its body.
const ROUND_STEPS: u64 = 8;

/// The type of a value, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// When it is true or false.
    Bool,
    /// When it is a whole number.
    Int,
    /// When it is a whole number that CEL writes with a `u`.
    Uint,
    /// When it is a number with a fraction.
    Double,
    /// When it is a text.
    Text,
    /// When it is bytes.
    Bytes,
    /// When it is a list.
    List,
    /// When it is a map. It can be looked into and is no value by itself: it has no order.
    Map,
    /// When it is null.
    Null,
    /// When only a request can tell.
    #[default]
    Unknown,
}

/// What is known of an expression before there is a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checked {
    pub(super) kind: Kind,
    /// Whether it asks for the key, the id and the tenant.
    pub(super) key: bool,
    pub(super) id: bool,
    pub(super) tenant: bool,
}

/// What is known of a part of the expression.
#[derive(Debug, Clone, Copy)]
struct Known {
    kind: Kind,
    /// The most steps that it takes to have it.
    steps: u64,
    /// What it costs to look at all of it.
    weight: u64,
    /// The most elements that it has.
    elements: u64,
    /// The most that one element weighs.
    element_weight: u64,
}

struct Checker<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    nodes: usize,
    checked: Checked,
    /// The variables of the loops around, the innermost last.
    scope: Vec<(&'a str, Known)>,
}

/// Checks a tree and says what it gives.
pub(super) fn check(
    text: &str,
    tree: &IdedExpr,
    source: &SourceInfo,
) -> Result<Checked, ExpressionError> {
    let checked = Checked::default();
    let mut checker = Checker { text, source, nodes: 0, checked, scope: Vec::new() };
    let known = checker.value(tree, 1)?;
    if checker.nodes > NODES_LIMIT {
        return Err(ExpressionError::TooManyNodes { nodes: checker.nodes });
    }
    if known.steps > STEPS_LIMIT {
        return Err(ExpressionError::TooCostly { steps: known.steps });
    }
    Ok(Checked { kind: known.kind, ..checker.checked })
}

impl<'a> Checker<'a> {
    /// A part that has to be a value, which a map is not.
    fn value(&mut self, part: &'a IdedExpr, depth: usize) -> Result<Known, ExpressionError> {
        let known = self.part(part, depth)?;
        match known.kind {
            Kind::Map => Err(self.misused(part, "a map by itself, which can only be looked into")),
            _ => Ok(known),
        }
    }

    fn part(&mut self, part: &'a IdedExpr, depth: usize) -> Result<Known, ExpressionError> {
        self.nodes += 1;
        if depth > DEPTH_LIMIT {
            return Err(ExpressionError::TooDeep);
        }
        match &part.expr {
            Expr::Literal(literal) => Ok(Known::literal(literal)),
            Expr::Ident(name) => self.variable(part, name),
            Expr::Select(select) => self.select(part, select, depth),
            Expr::Call(call) => self.call(part, call, depth),
            Expr::Comprehension(comprehension) => self.comprehension(part, comprehension, depth),
            Expr::List(list) => {
                let parts = list.elements.iter();
                let elements = self.values(parts, depth)?;
                Ok(Known::list(&elements))
            }
            Expr::Map(map) => self.map(part, map, depth),
            Expr::Struct(message) => {
                let found = format!("a message {:?}", message.type_name);
                Err(self.misused(part, &found))
            }
            Expr::Unspecified => Err(self.misused(part, "nothing")),
        }
    }

    fn values(
        &mut self,
        parts: impl Iterator<Item = &'a IdedExpr>,
        depth: usize,
    ) -> Result<Vec<Known>, ExpressionError> {
        parts.map(|part| self.value(part, depth + 1)).collect()
    }

    fn variable(&mut self, part: &IdedExpr, name: &str) -> Result<Known, ExpressionError> {
        if let Some((_, known)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(Known { steps: 1, ..*known });
        }
        self.checked.key |= name == "key";
        self.checked.id |= name == "id";
        self.checked.tenant |= name == "tenant";
        match name {
            "key" | "id" | "tenant" => Ok(Known::scalar(Kind::Text, TEXT_WEIGHT)),
            "inputs" | "parameters" => Ok(Known::scalar(Kind::Map, 1)),
            _ => Err(ExpressionError::UnknownVariable {
                name: name.to_owned(),
                place: self.place(part),
            }),
        }
    }

    fn select(
        &mut self,
        part: &'a IdedExpr,
        select: &'a SelectExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let operand = self.part(&select.operand, depth + 1)?;
        if !matches!(operand.kind, Kind::Map | Kind::Unknown) {
            let found = format!("the field {:?} of {}", select.field, operand.kind);
            return Err(self.misused(part, &found));
        }
        let steps = operand.steps.saturating_add(LOOK_UP_STEPS);
        Ok(match select.test {
            true => Known { steps, ..Known::scalar(Kind::Bool, 1) },
            false => self.looked_up(&select.operand, operand).after(steps),
        })
    }

    /// What can be found in a map: in `inputs` lists, otherwise what the map was written with.
    fn looked_up(&self, map: &IdedExpr, known: Known) -> Known {
        match &map.expr {
            Expr::Ident(name) if name == "inputs" => Known::input(),
            Expr::Ident(name) if name == "parameters" => Known::scalar(Kind::Unknown, TEXT_WEIGHT),
            _ => known.element(),
        }
    }

    fn map(
        &mut self,
        part: &'a IdedExpr,
        map: &'a MapExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let mut values = Vec::new();
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.misused(part, "a message"));
            };
            let key = self.value(&entry.key, depth + 1)?;
            let value = self.value(&entry.value, depth + 1)?;
            values.push(value.after(key.steps.saturating_add(key.weight)));
        }
        Ok(Known { kind: Kind::Map, ..Known::list(&values) })
    }

    fn comprehension(
        &mut self,
        part: &'a IdedExpr,
        comprehension: &'a ComprehensionExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let range = self.part(&comprehension.iter_range, depth + 1)?;
        if !matches!(range.kind, Kind::List | Kind::Unknown) {
            let found = format!("a loop over {}", range.kind);
            return Err(self.misused(part, &found));
        }
        let start = self.value(&comprehension.accu_init, depth + 1)?;
        self.scope.push((&comprehension.iter_var, range.element()));
        self.scope.push((&comprehension.accu_var, start));
        let condition = self.value(&comprehension.loop_cond, depth + 1)?;
        let step = self.value(&comprehension.loop_step, depth + 1)?;
        self.scope.truncate(self.scope.len() - 2);
        let round = [condition.steps, step.steps, range.element_weight, ROUND_STEPS];
        let round = round.into_iter().fold(0_u64, u64::saturating_add);
        let all = range.steps.saturating_add(range.elements.saturating_mul(round));
        // A macro that makes a list appends in each round what its body gives.
        let end = match start.kind {
            Kind::List => Known {
                weight: range.elements.saturating_mul(step.weight),
                elements: range.elements.saturating_mul(step.elements),
                ..step
            },
            _ => step,
        };
        self.scope.push((&comprehension.accu_var, end));
        let result = self.value(&comprehension.result, depth + 1)?;
        self.scope.pop();
        Ok(result.after(all))
    }

    fn misused(&self, part: &IdedExpr, found: &str) -> ExpressionError {
        ExpressionError::Misused { found: found.to_owned(), place: self.place(part) }
    }

    fn place(&self, part: &IdedExpr) -> Place {
        let start = self.source.offset_for(part.id).map_or(0, |(start, _)| start);
        Place::of(self.text, usize::try_from(start).unwrap_or(0))
    }
}

impl Known {
    const fn scalar(kind: Kind, weight: u64) -> Self {
        Self { kind, steps: 1, weight, elements: 0, element_weight: 0 }
    }

    fn literal(literal: &LiteralValue) -> Self {
        let long = |bytes: usize| 1 + (bytes / BYTES_PER_WEIGHT) as u64;
        match literal {
            LiteralValue::Boolean(_) => Self::scalar(Kind::Bool, 1),
            LiteralValue::Int(_) => Self::scalar(Kind::Int, 1),
            LiteralValue::UInt(_) => Self::scalar(Kind::Uint, 1),
            LiteralValue::Double(_) => Self::scalar(Kind::Double, 1),
            LiteralValue::Null => Self::scalar(Kind::Null, 1),
            LiteralValue::String(text) => Self::scalar(Kind::Text, long(text.inner().len())),
            LiteralValue::Bytes(bytes) => Self::scalar(Kind::Bytes, long(bytes.inner().len())),
        }
    }

    /// An input of a request: one element, or a list.
    const fn input() -> Self {
        let elements = ELEMENTS_LIMIT as u64;
        Self {
            kind: Kind::Unknown,
            steps: elements,
            weight: elements * TEXT_WEIGHT,
            elements,
            element_weight: TEXT_WEIGHT,
        }
    }

    fn list(elements: &[Self]) -> Self {
        let sum = |part: fn(&Self) -> u64| elements.iter().map(part).fold(1, u64::saturating_add);
        let weight = sum(|element| element.weight);
        Self {
            kind: Kind::List,
            steps: sum(|element| element.steps).saturating_add(weight),
            weight,
            elements: elements.len() as u64,
            element_weight: elements.iter().map(|element| element.weight).max().unwrap_or(0),
        }
    }

    /// One element of a list, which may again be one.
    fn element(self) -> Self {
        let weight = self.element_weight.max(1);
        let (elements, element_weight) = (weight, weight);
        Self { kind: Kind::Unknown, steps: 1, weight, elements, element_weight }
    }

    /// The same value, had after so many more steps.
    const fn after(self, steps: u64) -> Self {
        Self { steps: self.steps.saturating_add(steps), ..self }
    }
}

impl Kind {
    const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Uint => "an unsigned whole number",
            Self::Double => "a number with a fraction",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Null => "null",
            Self::Unknown => "a value of the request",
        })
    }
}
