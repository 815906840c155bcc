//! What functions and operators take, give and cost.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, operators};

use super::{Checker, Kind, Known};
use crate::expression::error::ExpressionError;

impl<'a> Checker<'a> {
    pub(super) fn call(
        &mut self,
        part: &'a IdedExpr,
        call: &'a CallExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        if let Some(target) = &call.target {
            return self.member(part, call, target, depth);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let condition = self.truth(condition, depth)?;
                let (yes, no) = (self.part(yes, depth + 1)?, self.part(no, depth + 1)?);
                Ok(either(yes, no).after(condition.steps))
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                let (left, right) = (self.truth(left, depth)?, self.truth(right, depth)?);
                Ok(truth(left.steps.saturating_add(right.steps)))
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [operand]) => {
                Ok(truth(self.truth(operand, depth)?.steps))
            }
            (operators::NEGATE, [operand]) => self.negation(part, operand, depth),
            (operators::IN, [element, list]) => self.is_in(part, element, list, depth),
            (operators::INDEX, [list, index]) => self.index(part, list, index, depth),
            ("size", [operand]) => self.size(part, operand, depth),
            (name @ ("string" | "int" | "uint" | "double"), [operand]) => {
                self.conversion(name, operand, depth)
            }
            (name, [left, right]) if is_binary(name) => {
                let left = self.value(left, depth + 1)?;
                let right = self.value(right, depth + 1)?;
                self.binary(part, name, left, right)
            }
            (name, _) => Err(self.unknown_function(part, name, call.args.len())),
        }
    }

    fn member(
        &mut self,
        part: &'a IdedExpr,
        call: &'a CallExpr,
        target: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("size", []) => self.size(part, target, depth),
            (name @ ("contains" | "startsWith" | "endsWith"), [other]) => {
                let text = self.value(target, depth + 1)?;
                let other = self.value(other, depth + 1)?;
                for it in [text, other] {
                    if !matches!(it.kind, Kind::Text | Kind::Unknown) {
                        let found = format!("{name:?} of {}", it.kind);
                        return Err(self.misused(part, &found));
                    }
                }
                let steps = [text.steps, other.steps, text.weight, other.weight];
                Ok(truth(steps.into_iter().fold(0, u64::saturating_add)))
            }
            (name, _) => Err(self.unknown_function(part, name, call.args.len())),
        }
    }

    /// A part that has to be true or false.
    fn truth(&mut self, part: &'a IdedExpr, depth: usize) -> Result<Known, ExpressionError> {
        let known = self.value(part, depth + 1)?;
        match known.kind {
            Kind::Bool | Kind::Unknown => Ok(known),
            found => {
                let found = format!("{found} where true or false belongs");
                Err(self.misused(part, &found))
            }
        }
    }

    fn negation(
        &mut self,
        part: &'a IdedExpr,
        operand: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let known = self.value(operand, depth + 1)?;
        match known.kind {
            Kind::Int | Kind::Double | Kind::Unknown => {
                Ok(Known::scalar(known.kind, 1).after(known.steps))
            }
            found => {
                let found = format!("the negative of {found}");
                Err(self.misused(part, &found))
            }
        }
    }

    fn is_in(
        &mut self,
        part: &'a IdedExpr,
        element: &'a IdedExpr,
        list: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let element = self.value(element, depth + 1)?;
        let list = self.part(list, depth + 1)?;
        if !matches!(list.kind, Kind::List | Kind::Map | Kind::Unknown) {
            let found = format!("\"in\" with {}", list.kind);
            return Err(self.misused(part, &found));
        }
        // Values that cannot be equal are turned into an error that shows both, for each comparison.
        let compared = list.elements.max(1).saturating_mul(element.weight);
        let steps = [element.steps, list.steps, list.weight, compared];
        Ok(truth(steps.into_iter().fold(0, u64::saturating_add)))
    }

    fn index(
        &mut self,
        part: &'a IdedExpr,
        list: &'a IdedExpr,
        index: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let known = self.part(list, depth + 1)?;
        let index = self.value(index, depth + 1)?;
        if !matches!(known.kind, Kind::List | Kind::Map | Kind::Unknown) {
            let found = format!("an element of {}", known.kind);
            return Err(self.misused(part, &found));
        }
        let steps = [known.steps, index.steps, super::LOOK_UP_STEPS, known.weight];
        Ok(self.looked_up(list, known).after(steps.into_iter().fold(0, u64::saturating_add)))
    }

    fn size(
        &mut self,
        part: &'a IdedExpr,
        operand: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let known = self.part(operand, depth + 1)?;
        match known.kind {
            Kind::Text | Kind::Bytes | Kind::List | Kind::Map | Kind::Unknown => {
                Ok(Known::scalar(Kind::Int, 1).after(known.steps.saturating_add(known.weight)))
            }
            found => {
                let found = format!("\"size\" of {found}");
                Err(self.misused(part, &found))
            }
        }
    }

    fn conversion(
        &mut self,
        name: &str,
        operand: &'a IdedExpr,
        depth: usize,
    ) -> Result<Known, ExpressionError> {
        let known = self.value(operand, depth + 1)?;
        let (kind, weight) = match name {
            // The text of any number is shorter than what a text may weigh.
            "string" => (Kind::Text, known.weight.saturating_add(super::TEXT_WEIGHT)),
            "int" => (Kind::Int, 1),
            "uint" => (Kind::Uint, 1),
            _ => (Kind::Double, 1),
        };
        Ok(Known::scalar(kind, weight).after(known.steps.saturating_add(known.weight)))
    }

    fn binary(
        &self,
        part: &IdedExpr,
        name: &str,
        left: Known,
        right: Known,
    ) -> Result<Known, ExpressionError> {
        let both = [left.steps, right.steps, left.weight, right.weight];
        let steps = both.into_iter().fold(0, u64::saturating_add);
        let unknown = left.kind == Kind::Unknown || right.kind == Kind::Unknown;
        let alike = left.kind == right.kind;
        let numbers = left.kind.is_number() && right.kind.is_number();
        let fits = match name {
            operators::EQUALS | operators::NOT_EQUALS => alike || numbers,
            operators::ADD => {
                alike && (numbers || matches!(left.kind, Kind::Text | Kind::Bytes | Kind::List))
            }
            operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE => alike && numbers,
            operators::MODULO => alike && numbers && left.kind != Kind::Double,
            _ => numbers || (alike && !matches!(left.kind, Kind::List | Kind::Null)),
        };
        if !fits && !unknown {
            let sign = name.trim_matches('_');
            let found = format!("{} {sign} {}", left.kind, right.kind);
            return Err(self.misused(part, &found));
        }
        Ok(match name {
            operators::ADD => Known {
                kind: if unknown { Kind::Unknown } else { left.kind },
                steps,
                weight: left.weight.saturating_add(right.weight),
                elements: left.elements.saturating_add(right.elements),
                element_weight: left.element_weight.max(right.element_weight),
            },
            operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
                Known::scalar(if unknown { Kind::Unknown } else { left.kind }, 1).after(steps)
            }
            _ => truth(steps),
        })
    }

    fn unknown_function(&self, part: &IdedExpr, name: &str, count: usize) -> ExpressionError {
        const KNOWN: [&str; 13] = [
            "size",
            "contains",
            "startsWith",
            "endsWith",
            "string",
            "int",
            "uint",
            "double",
            "has",
            "all",
            "exists",
            "exists_one",
            "map",
        ];
        if KNOWN.contains(&name) || name == "filter" {
            let found = format!("{name:?} with {count} arguments");
            return self.misused(part, &found);
        }
        ExpressionError::UnknownFunction { name: name.to_owned(), place: self.place(part) }
    }
}

fn is_binary(name: &str) -> bool {
    [
        operators::ADD,
        operators::SUBSTRACT,
        operators::MULTIPLY,
        operators::DIVIDE,
        operators::MODULO,
        operators::EQUALS,
        operators::NOT_EQUALS,
        operators::LESS,
        operators::LESS_EQUALS,
        operators::GREATER,
        operators::GREATER_EQUALS,
    ]
    .contains(&name)
}

fn truth(steps: u64) -> Known {
    Known::scalar(Kind::Bool, 1).after(steps)
}

/// One of two values. What may be a map must be treated as one.
fn either(left: Known, right: Known) -> Known {
    let kind = match (left.kind, right.kind) {
        (left, right) if left == right => left,
        (Kind::Map, _) | (_, Kind::Map) => Kind::Map,
        _ => Kind::Unknown,
    };
    Known {
        kind,
        steps: left.steps.max(right.steps),
        weight: left.weight.max(right.weight),
        elements: left.elements.max(right.elements),
        element_weight: left.element_weight.max(right.element_weight),
    }
}
