//! Columns: their names, and the names of their categories.
//!
//! A model that was trained on a data frame keeps the categories of its columns of the type `category` (`pandas_categorical`), one list
//! after the other, but not of which columns they are. They are those of the categorical features, in order, as long as there are as many.

use serde_json::Value;
use trained::ops::{Codes, Op};
use trained::{Kind, Slot, ValueType};

use super::text::{File, Header};
use crate::assembly::Assembly;
use crate::{Domain, ReadError, ReadOptions, TrainedColumn};

/// The categories of one column, in the order of their codes.
enum Categories {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

/// The columns that the header tells of, and whether their names are those of the training data.
pub(super) fn of_file(header: &Header<'_>) -> Result<(Vec<TrainedColumn>, bool), ReadError> {
    let made_up = |(at, name): (usize, &&str)| **name == format!("Column_{at}");
    let named = !header.names.iter().enumerate().all(made_up);
    let columns = header.names.iter().enumerate().map(|(at, name)| TrainedColumn {
        name: (*name).to_owned(),
        kind: Kind::F64,
        domain: domain(header.infos.get(at).copied().unwrap_or("none")),
    });
    Ok((columns.collect(), named))
}

/// What the header knows of the values: `[0:12.5]`, `3:1:7`, or `none`.
fn domain(info: &str) -> Domain {
    if let Some(range) = info.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        let (least, greatest) = range.split_once(':').unwrap_or((range, range));
        let range = least.parse().ok().zip(greatest.parse().ok());
        return Domain { range, categories: None };
    }
    let mut codes: Vec<i64> = info.split(':').filter_map(|code| code.parse().ok()).collect();
    codes.sort_unstable();
    let categories = codes.iter().filter(|code| **code >= 0).map(ToString::to_string).collect();
    Domain { range: None, categories: (!codes.is_empty()).then_some(categories) }
}

/// Adds the steps that make a matrix of the inputs, with codes where a column has names of categories.
pub(super) fn matrix(
    assembly: &mut Assembly,
    file: &File<'_>,
    header: &Header<'_>,
    options: &ReadOptions,
) -> Result<Slot, ReadError> {
    if assembly.is_matrix() {
        return Ok(assembly.join(vec![0], ValueType::F64));
    }
    let of_columns = categories(assembly, file, header, options)?;
    let mut slots = Vec::with_capacity(of_columns.len());
    for (at, categories) in of_columns.into_iter().enumerate() {
        let column = at as Slot;
        slots.push(match categories {
            None if assembly.columns()[at].kind == Kind::Text => {
                return Err(ReadError::Option {
                    option: "columns".to_owned(),
                    found: format!("texts in `{}`", assembly.columns()[at].name),
                    expected: "numbers: the file has no names of categories for it".to_owned(),
                });
            }
            None => column,
            Some(Categories::Texts(texts)) => {
                let codes = Codes::of_texts(texts, f64::NAN);
                assembly.step(Op::Codes(codes), vec![column])
            }
            Some(Categories::Numbers(numbers)) => {
                let numbers = Codes::of_numbers(numbers, f64::NAN);
                let column = match assembly.columns()[at].kind {
                    Kind::F64 => column,
                    _ => assembly.join(vec![column], ValueType::F64),
                };
                assembly.step(Op::Codes(numbers), vec![column])
            }
        });
    }
    Ok(assembly.join(slots, ValueType::F64))
}

/// The categories of each column that has names of them; sets the types and domains of those columns.
fn categories(
    assembly: &mut Assembly,
    file: &File<'_>,
    header: &Header<'_>,
    options: &ReadOptions,
) -> Result<Vec<Option<Categories>>, ReadError> {
    let mut of_columns: Vec<_> = (0..header.columns).map(|_| None).collect();
    let lists = lists(file)?;
    let owners: Vec<usize> = if options.categorical.is_empty() {
        categorical_features(file, header)
    } else {
        let is_named = |at: &usize| options.categorical.contains(&assembly.columns()[*at].name);
        (0..header.columns).filter(is_named).collect()
    };
    if lists.is_empty() {
        return Ok(of_columns);
    }
    if owners.len() != lists.len() {
        return Err(ReadError::Unsupported {
            place: "the key `pandas_categorical`".to_owned(),
            what: format!(
                "names of categories for {} columns, of which {} are known,",
                lists.len(),
                owners.len()
            ),
            hint: Some(
                "say with --categorical which columns of the data frame had the type `category`, or use --matrix"
                    .to_owned(),
            ),
        });
    }
    for (at, list) in owners.into_iter().zip(lists) {
        let categories = of_list(list)?;
        let wanted = options.columns.as_ref().and_then(|them| them[at].kind);
        let (kind, count, names) = match &categories {
            Categories::Texts(texts) => (Kind::Text, texts.len(), texts.clone()),
            Categories::Numbers(them) => {
                let kind = wanted.filter(|kind| *kind != Kind::Text).unwrap_or(Kind::F64);
                (kind, them.len(), them.iter().map(ToString::to_string).collect())
            }
        };
        let column = &assembly.columns()[at];
        let known = |code: &String| code.parse().is_ok_and(|code: usize| code < count);
        let fits = column.domain.categories.iter().flatten().all(known);
        if !fits || (kind == Kind::Text && wanted.is_some_and(|wanted| wanted != kind)) {
            return Err(ReadError::Unsupported {
                place: format!("column `{}`", column.name),
                what: format!("the use of {count} names of categories for it"),
                hint: Some(
                    "say with --categorical which columns of the data frame had the type `category`"
                        .to_owned(),
                ),
            });
        }
        assembly.set_column(at, kind, Domain { range: None, categories: Some(names) });
        of_columns[at] = Some(categories);
    }
    Ok(of_columns)
}

/// The features that training took as categorical: as the parameters say it, or else as their values show.
fn categorical_features(file: &File<'_>, header: &Header<'_>) -> Vec<usize> {
    let said = file.parameters.get("categorical_feature").filter(|said| !said.is_empty());
    if let Some(said) = said
        && let Ok(mut columns) = said.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()
        && columns.iter().all(|column| *column < header.columns)
    {
        columns.sort_unstable();
        return columns;
    }
    let is_set = |info: &str| info != "none" && !info.starts_with('[');
    (0..header.infos.len()).filter(|at| is_set(header.infos[*at])).collect()
}

fn lists(file: &File<'_>) -> Result<Vec<Vec<Value>>, ReadError> {
    let Some(json) = file.pandas_categorical else { return Ok(Vec::new()) };
    let lists: Option<Vec<Vec<Value>>> =
        serde_json::from_str(json).map_err(|error| ReadError::Malformed {
            place: "the key `pandas_categorical`".to_owned(),
            found: format!("`{json}` ({error})"),
            expected: "lists of categories".to_owned(),
        })?;
    Ok(lists.unwrap_or_default())
}

fn of_list(list: Vec<Value>) -> Result<Categories, ReadError> {
    let number = |value: &Value| match value {
        Value::Bool(it) => Some(f64::from(u8::from(*it))),
        other => other.as_f64(),
    };
    if let Some(numbers) = list.iter().map(number).collect() {
        return Ok(Categories::Numbers(numbers));
    }
    let texts: Option<_> = list.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    texts.map(Categories::Texts).ok_or_else(|| ReadError::Unsupported {
        place: "the key `pandas_categorical`".to_owned(),
        what: format!("the list {}, which is neither of texts nor of numbers,", Value::from(list)),
        hint: Some("use --matrix".to_owned()),
    })
}
