//! Lists that are written out, such as `['AA', 'AS', 'HA']`.
//!
//! The evaluation would make each of them anew for every request; a list of some hundred codes then
//! costs more than everything else in it. So they are made once, and the tree names them.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::common::types::CelList;
use cel::common::value::Val;

/// What the names begin with; nobody can write it.
const PREFIX: &str = "@list";

/// The lists that an expression is written with.
#[derive(Debug, Default)]
pub(super) struct Constants(Vec<CelList<'static>>);

impl Constants {
    /// Takes the lists of literals out of a tree and leaves their names.
    pub(super) fn take(tree: &mut IdedExpr) -> Self {
        let mut constants = Self::default();
        constants.visit(tree);
        constants
    }

    /// The list of this name.
    pub(super) fn get(&self, name: &str) -> Option<&CelList<'static>> {
        self.0.get(name.strip_prefix(PREFIX)?.parse::<usize>().ok()?)
    }

    fn visit(&mut self, part: &mut IdedExpr) {
        match &mut part.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
            Expr::Call(call) => {
                call.target.iter_mut().for_each(|target| self.visit(target));
                call.args.iter_mut().for_each(|argument| self.visit(argument));
            }
            // What a loop begins with and appends stays as it is: the evaluation looks for it.
            Expr::Comprehension(comprehension) => self.visit(&mut comprehension.iter_range),
            Expr::Select(select) => self.visit(&mut select.operand),
            Expr::List(list) => {
                list.elements.iter_mut().for_each(|element| self.visit(element));
                let literals: Option<Vec<_>> = list.elements.iter().map(literal).collect();
                if let Some(literals) = literals.filter(|literals| !literals.is_empty()) {
                    part.expr = Expr::Ident(format!("{PREFIX}{}", self.0.len()));
                    self.0.push(CelList::from(literals));
                }
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.visit(&mut entry.key);
                        self.visit(&mut entry.value);
                    }
                }
            }
            Expr::Struct(_) => {}
        }
    }
}

fn literal(part: &IdedExpr) -> Option<Box<dyn Val>> {
    let Expr::Literal(literal) = &part.expr else { return None };
    Some(match literal {
        LiteralValue::Boolean(truth) => Box::new(*truth),
        LiteralValue::Bytes(bytes) => Box::new(bytes.clone()),
        LiteralValue::Double(number) => Box::new(*number),
        LiteralValue::Int(number) => Box::new(*number),
        LiteralValue::Null => return None,
        LiteralValue::String(text) => Box::new(text.clone()),
        LiteralValue::UInt(number) => Box::new(*number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::compile::compile;

    fn check(text: &str, expected: &[usize]) {
        let (mut tree, _) = compile(text).unwrap();
        let constants = Constants::take(&mut tree);
        let lengths: Vec<usize> = constants.0.iter().map(|list| list.inner().len()).collect();
        assert_eq!(lengths, expected, "{text}");
        for (number, list) in constants.0.iter().enumerate() {
            let found = constants.get(&format!("{PREFIX}{number}")).unwrap();
            assert!(list.equals(found));
        }
        assert!(constants.get(&format!("{PREFIX}{}", expected.len())).is_none());
    }

    #[test]
    fn only_lists_of_literals_are_made_beforehand() {
        check("key in ['AA', 'AS'] && 1 in [1, 2u, 1.5, true, b'x']", &[2, 5]);
        check("key in [id, 'AS'] || [] == [key]", &[]);
        check("[1, 2].all(x, x in [1]) ? {'a': [3]}.a[0] == 3 : size([4]) == 1", &[2, 1, 1]);
        check("[[1], [2]][0][0] == 1", &[1, 1]);
        check("['a', 'b'].map(x, 'c') == ['c', 'c']", &[2, 2]);
    }
}
