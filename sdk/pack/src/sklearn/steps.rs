//! The steps of a file, each as one of `trained`.

use trained::ops::{
    Activate, Demand, Dense, Digitize, Impute, Indicate, Interpolate, Known, Link, Mean, Norm,
    Normalize, Numbers, OneHot, OneHotColumn, Op, Ordinal, OrdinalColumn, Products, Rule, Scale,
    Stage, Table,
};

use super::blocks::{Blocks, Cell};
use super::{boolean, number, numbers, trees};
use crate::ReadError;
use crate::value::Node;

/// Adds a step. What it makes is the next block.
pub(super) fn add(blocks: &mut Blocks, step: &Node<'_>) -> Result<(), ReadError> {
    let inputs = step.get("inputs")?;
    let cells = blocks.cells(&inputs)?;
    let kind = step.get("step")?;
    match kind.text()? {
        "impute" if cells.iter().any(|cell| cell.is_text()) => {
            return impute_texts(blocks, step, &cells);
        }
        "known" | "one-hot" | "ordinal" => return tables(blocks, step, &cells),
        _ => {}
    }
    let slot = blocks.numbers(&cells, &inputs)?;
    let width = cells.len();
    let (op, width) = match kind.text()? {
        "trees" => return trees::add(blocks, step, slot, width),
        "check" => (check(step)?, 0),
        "present" => (demand(step, Rule::Present(number(&step.get("missing")?)?))?, 0),
        "impute" => {
            let fill = Numbers::F64(numbers(&step.get("fill")?)?);
            let missing = number(&step.get("missing")?)?;
            (Op::Impute(Impute::Numbers { missing, fill }), width)
        }
        "indicate" => (Op::Indicate(Indicate { missing: number(&step.get("missing")?)? }), width),
        "scale" => (scale(step)?, width),
        "dense" => dense(step, width)?,
        "apply" => (apply(step)?, width),
        "normalize" => (normalize(step)?, width),
        "products" => products(step)?,
        "bins" => (digitize(step)?, width),
        "interpolate" => {
            let (x, y) = (numbers(&step.get("x")?)?, numbers(&step.get("y")?)?);
            (Op::Interpolate(Interpolate { x, y }), width)
        }
        "mean" => {
            let of = step.get("of")?;
            let count = of.count()?;
            if count == 0 || !width.is_multiple_of(count) {
                return Err(of.wrong(&format!("a number that divides {width} columns")));
            }
            (Op::Mean(Mean { of: count as u32 }), width / count)
        }
        other => return Err(kind.unsupported(format!("the step `{other}`"), None)),
    };
    let made = blocks.step(op, vec![slot]);
    blocks.push_numbers(made, width, step)
}

/// What a stage of a scale does, by the name that it has in the file.
type Operation = (&'static str, fn(Numbers) -> Stage);

fn scale(step: &Node<'_>) -> Result<Op, ReadError> {
    const OPERATIONS: [Operation; 5] = [
        ("add", Stage::Add),
        ("subtract", Stage::Subtract),
        ("multiply", Stage::Multiply),
        ("divide", Stage::Divide),
        ("clip", Stage::Clip),
    ];
    let mut stages = Vec::new();
    for stage in step.get("stages")?.list()? {
        let mut found = None;
        for (name, operation) in OPERATIONS {
            if let Some(by) = stage.find(name)? {
                found = Some(operation(Numbers::F64(numbers(&by)?)));
            }
        }
        stages.push(found.ok_or_else(|| stage.wrong("add, subtract, multiply, divide or clip"))?);
    }
    Ok(Op::Scale(Scale { stages }))
}

fn dense(step: &Node<'_>, width: usize) -> Result<(Op, usize), ReadError> {
    let bias = numbers(&step.get("bias")?)?;
    let mut weights = Vec::new();
    let rows = step.get("weights")?;
    for row in rows.list()? {
        let found = numbers(&row)?;
        if found.len() != width {
            return Err(row.wrong(&format!("{width} numbers, one for each column")));
        }
        weights.extend(found);
    }
    let outputs = bias.len();
    if weights.len() != outputs * width {
        return Err(rows.wrong(&format!("a list for each of the {outputs} biases")));
    }
    let op = Dense::new(width as u32, Numbers::F64(weights), Numbers::F64(bias));
    Ok((Op::Dense(op), outputs))
}

fn apply(step: &Node<'_>) -> Result<Op, ReadError> {
    let function = step.get("function")?;
    Ok(match function.text()? {
        "logistic" => Op::Link(Link::Sigmoid { factor: 1.0 }),
        "softmax" => Op::Link(Link::Softmax),
        "exp" => Op::Link(Link::Exp),
        "tanh" => Op::Activate(Activate::Tanh),
        "relu" => Op::Activate(Activate::Relu),
        "at-most-one" => Op::Activate(Activate::AtMostOne),
        other => return Err(function.unsupported(format!("the function `{other}`"), None)),
    })
}

fn normalize(step: &Node<'_>) -> Result<Op, ReadError> {
    let name = step.get("norm")?;
    let norm = match name.text()? {
        "l1" => Norm::L1,
        "l2" => Norm::L2,
        "max" => Norm::Max,
        "share" => Norm::Share,
        other => return Err(name.unsupported(format!("the norm `{other}`"), None)),
    };
    Ok(Op::Normalize(Normalize { norm, least: number(&step.get("least")?)? }))
}

fn products(step: &Node<'_>) -> Result<(Op, usize), ReadError> {
    let factors = |product: Node<'_>| product.list()?.iter().map(whole).collect();
    let products: Result<Vec<Vec<u32>>, ReadError> =
        step.get("products")?.list()?.into_iter().map(factors).collect();
    let products = products?;
    let width = products.len();
    Ok((Op::Products(Products { products }), width))
}

fn digitize(step: &Node<'_>) -> Result<Op, ReadError> {
    let edges: Result<_, ReadError> = step.get("edges")?.list()?.iter().map(numbers).collect();
    Ok(Op::Digitize(Digitize { edges: edges? }))
}

fn check(step: &Node<'_>) -> Result<Op, ReadError> {
    let flag = |key| boolean(&step.get(key)?);
    let rule =
        Rule::Finite { nan: flag("nan")?, infinite: flag("infinite")?, single: flag("single")? };
    demand(step, rule)
}

fn demand(step: &Node<'_>, rule: Rule) -> Result<Op, ReadError> {
    let names = step.get("names")?;
    let names: Result<_, ReadError> =
        names.list()?.iter().map(|name| Ok(name.text()?.to_owned())).collect();
    Ok(Op::Demand(Demand { names: names?, rule }))
}

fn impute_texts(blocks: &mut Blocks, step: &Node<'_>, cells: &[Cell]) -> Result<(), ReadError> {
    let missing = step.get("missing")?.text()?.to_owned();
    let fill = step.get("fill")?;
    let texts = fill.list()?;
    if texts.len() != cells.len() {
        return Err(fill.wrong(&format!("{} texts, one for each column", cells.len())));
    }
    let mut slots = Vec::new();
    for (slot, text) in blocks.apart(cells, &step.get("inputs")?)?.into_iter().zip(texts) {
        let fill = vec![text.text()?.to_owned()];
        let op = Op::Impute(Impute::Texts { missing: missing.clone(), fill });
        slots.push(blocks.step(op, vec![slot]));
    }
    blocks.push_texts(slots);
    Ok(())
}

fn tables(blocks: &mut Blocks, step: &Node<'_>, cells: &[Cell]) -> Result<(), ReadError> {
    let slots = blocks.apart(cells, &step.get("inputs")?)?;
    let list = step.get("tables")?;
    let tables = list.list()?;
    if tables.len() != cells.len() {
        return Err(list.wrong(&format!("{} tables, one for each column", cells.len())));
    }
    let tables: Vec<_> = tables.iter().zip(cells.iter().map(|cell| cell.is_text())).collect();
    let (op, width) = match step.get("step")?.text()? {
        "known" => (known(&tables)?, 0),
        "one-hot" => one_hot(&tables)?,
        _ => (ordinal(&tables)?, cells.len()),
    };
    let made = blocks.step(op, slots);
    blocks.push_numbers(made, width, step)
}

/// A table with how many values it has, of texts or of numbers.
fn table(node: &Node<'_>, texts: bool) -> Result<(Table, usize), ReadError> {
    let values = node.get("values")?;
    if texts {
        let texts: Result<Vec<_>, ReadError> =
            values.list()?.iter().map(|value| value.text().map(str::to_owned)).collect();
        let texts = texts?;
        let count = texts.len();
        return Ok((Table::of_texts(texts), count));
    }
    let numbers = numbers(&values)?;
    let count = numbers.len();
    Ok((Table::of_numbers(numbers), count))
}

fn known(tables: &[(&Node<'_>, bool)]) -> Result<Op, ReadError> {
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for (node, texts) in tables {
        names.push(node.get("name")?.text()?.to_owned());
        let (table, _) = table(node, *texts)?;
        let shown = |value: &Node<'_>| match value.text() {
            Ok(text) if *texts => Ok(format!("`{text}`")),
            _ => number(value).map(|number| number.to_string()),
        };
        let shown: Result<_, ReadError> = node.get("values")?.list()?.iter().map(shown).collect();
        columns.push(Known::new(table, shown?));
    }
    Ok(Op::Demand(Demand { names, rule: Rule::Known(columns) }))
}

fn ordinal(tables: &[(&Node<'_>, bool)]) -> Result<Op, ReadError> {
    let mut columns = Vec::new();
    for (node, texts) in tables {
        let (table, count) = table(node, *texts)?;
        let list = node.get("codes")?;
        let codes = numbers(&list)?;
        if codes.len() != count {
            return Err(list.wrong(&format!("{count} numbers, one for each value")));
        }
        // Where all others are refused it does not matter.
        let unknown = node.find("unknown")?.map_or(Ok(f64::NAN), |unknown| number(&unknown))?;
        columns.push(OrdinalColumn { table, codes, unknown });
    }
    Ok(Op::Ordinal(Ordinal { columns }))
}

fn one_hot(tables: &[(&Node<'_>, bool)]) -> Result<(Op, usize), ReadError> {
    let mut columns = Vec::new();
    for (node, texts) in tables {
        let (table, count) = table(node, *texts)?;
        let list = node.get("places")?;
        let places: Result<Vec<_>, ReadError> = list.list()?.iter().map(place).collect();
        let places = places?;
        if places.len() != count {
            return Err(list.wrong(&format!("{count} places, one for each value")));
        }
        let unknown = node.find("unknown")?.map(|unknown| whole(&unknown)).transpose()?;
        columns.push(OneHotColumn { table, places, unknown, width: whole(&node.get("width")?)? });
    }
    let width = columns.iter().map(|column| column.width as usize).sum();
    Ok((Op::OneHot(OneHot { columns }), width))
}

fn place(node: &Node<'_>) -> Result<Option<u32>, ReadError> {
    match node.value {
        crate::value::Value::Null => Ok(None),
        _ => whole(node).map(Some),
    }
}

fn whole(node: &Node<'_>) -> Result<u32, ReadError> {
    u32::try_from(node.count()?).map_err(|_| node.wrong("a number below 2^32"))
}
