//! Features of CatBoost: the columns, their borders, and what is computed of categories.

use std::collections::BTreeMap;

use trained::Kind;

use crate::value::Node;
use crate::{Domain, ReadError, TrainedColumn};

/// What `features_info` of a file says.
#[derive(Debug)]
pub(super) struct Features {
    columns: BTreeMap<usize, Feature>,
    /// The column of each number, by the number that the library gives it.
    floats: BTreeMap<usize, Float>,
    /// The column of each category, likewise.
    categories: BTreeMap<usize, usize>,
    /// What is computed of categories.
    pub(super) computed: Vec<Computed>,
    /// The number of the first split that asks for something computed.
    pub(super) computed_from: usize,
}

#[derive(Debug)]
struct Feature {
    name: String,
    kind: Kind,
}

/// A number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Float {
    pub(super) column: usize,
    /// Whether a missing value is above all borders.
    pub(super) missing_above: bool,
}

/// A number that the library computes of categories, a CTR.
#[derive(Debug)]
pub(super) struct Computed {
    /// The key of its table in `ctr_data`.
    pub(super) table: String,
    pub(super) kind: CountKind,
    pub(super) elements: Vec<RawElement>,
    pub(super) prior: [f32; 2],
    pub(super) shift: f32,
    pub(super) scale: f32,
    pub(super) borders: Vec<f32>,
    pub(super) place: String,
}

/// How counts become a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountKind {
    /// Those of the classes above a border, of all.
    Borders(usize),
    /// Those of one class, of all.
    Bucket(usize),
    /// The sum of the classes' numbers, of all.
    Mean,
    /// How often the key was seen, of what was seen most often or of all rows.
    Counter,
}

/// A part of the key of a table, by the numbers that the library gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RawElement {
    Category(usize),
    Equal(usize, i32),
    Above(usize, f32),
}

impl Features {
    /// Reads `features_info`.
    pub(super) fn read(info: &Node<'_>) -> Result<Self, ReadError> {
        for kind in ["text_features", "embedding_features"] {
            if let Some(features) = info.find(kind)?
                && !features.list()?.is_empty()
            {
                let what = format!("a model with {}", kind.replace('_', " "));
                return Err(features.unsupported(what, None));
            }
        }
        let mut features = Self {
            columns: BTreeMap::new(),
            floats: BTreeMap::new(),
            categories: BTreeMap::new(),
            computed: Vec::new(),
            computed_from: 0,
        };
        for float in list(info, "float_features")? {
            features.add_float(&float)?;
        }
        for category in list(info, "categorical_features")? {
            let column = features.add_column(&category, Kind::Text)?;
            features.categories.insert(category.get("feature_index")?.count()?, column);
            features.computed_from += list(&category, "values")?.len();
        }
        for computed in list(info, "ctrs")? {
            features.computed.push(Computed::read(&computed)?);
        }
        Ok(features)
    }

    /// The columns in the order of training. One that the file does not speak of is a number that nobody asks for.
    pub(super) fn columns(&self) -> Vec<TrainedColumn> {
        let count = self.columns.keys().last().map_or(0, |last| last + 1);
        let column = |at| {
            let feature = self.columns.get(&at);
            let name = feature.map(|it| it.name.clone()).filter(|name| !name.is_empty());
            TrainedColumn {
                name: name.unwrap_or_else(|| format!("features[{at}]")),
                kind: feature.map_or(Kind::F64, |it| it.kind),
                domain: Domain::default(),
            }
        };
        (0..count).map(column).collect()
    }

    /// Whether the columns have names.
    pub(super) fn named(&self) -> bool {
        !self.columns.is_empty() && self.columns.values().all(|it| !it.name.is_empty())
    }

    /// The columns of numbers, in order.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let columns = 0..self.columns.keys().last().map_or(0, |last| last + 1);
        columns.filter(|at| self.columns.get(at).is_none_or(|it| it.kind != Kind::Text)).collect()
    }

    /// The columns of texts, in order.
    pub(super) fn texts(&self) -> Vec<usize> {
        let texts = self.columns.iter().filter(|(_, feature)| feature.kind == Kind::Text);
        texts.map(|(at, _)| *at).collect()
    }

    /// The column of the category that the library calls `index`.
    pub(super) fn category(&self, index: usize, place: &str) -> Result<usize, ReadError> {
        self.categories.get(&index).copied().ok_or_else(|| ReadError::Malformed {
            place: place.to_owned(),
            found: format!("the category {index}"),
            expected: "the index of one of the categorical_features".to_owned(),
        })
    }

    /// The number that the library calls `index`.
    pub(super) fn float(&self, index: usize, place: &str) -> Result<Float, ReadError> {
        self.floats.get(&index).copied().ok_or_else(|| ReadError::Malformed {
            place: place.to_owned(),
            found: format!("the number {index}"),
            expected: "the index of one of the float_features".to_owned(),
        })
    }

    /// Checks that the user's types are the file's: a text is no number, nor the other way round.
    pub(super) fn check_kinds(&self, columns: &[TrainedColumn]) -> Result<(), ReadError> {
        for (at, column) in columns.iter().enumerate() {
            let text = self.columns.get(&at).is_some_and(|it| it.kind == Kind::Text);
            if text != (column.kind == Kind::Text) {
                return Err(ReadError::Option {
                    option: "columns".to_owned(),
                    found: format!("{} for `{}`", column.kind.protocol(), column.name),
                    expected: if text { "BYTES" } else { "a type of numbers" }.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn add_float(&mut self, float: &Node<'_>) -> Result<(), ReadError> {
        let column = self.add_column(float, Kind::F64)?;
        let has_missing = float.get("has_nans")?.i64()? != 0;
        let missing_above = match float.find("nan_value_treatment")? {
            None => false,
            Some(treatment) => match treatment.text()? {
                "AsIs" | "AsFalse" => false,
                // What training did not see is compared as it is, and then it is above nothing.
                "AsTrue" => has_missing,
                other => {
                    let what = format!("the treatment {other} of missing values");
                    return Err(treatment.unsupported(what, None));
                }
            },
        };
        let index = float.get("feature_index")?.count()?;
        self.floats.insert(index, Float { column, missing_above });
        self.computed_from += list(float, "borders")?.len();
        Ok(())
    }

    fn add_column(&mut self, feature: &Node<'_>, kind: Kind) -> Result<usize, ReadError> {
        let place = feature.get("flat_feature_index")?;
        let column = place.count()?;
        if column > usize::from(u16::MAX) {
            return Err(place.unsupported(format!("a column of the number {column}"), None));
        }
        let name = match feature.find("feature_id")? {
            Some(name) => name.text()?.to_owned(),
            None => match feature.find("feature_name")? {
                Some(name) => name.text()?.to_owned(),
                None => String::new(),
            },
        };
        match self.columns.insert(column, Feature { name, kind }) {
            None => Ok(column),
            Some(_) => Err(place.wrong("a column that no other feature has")),
        }
    }
}

impl Computed {
    fn read(computed: &Node<'_>) -> Result<Self, ReadError> {
        let number = |key| computed.get(key)?.f32();
        let class = || computed.get("target_border_idx")?.count();
        let kind = computed.get("ctr_type")?;
        let kind = match kind.text()? {
            "Borders" => CountKind::Borders(class()?),
            "Buckets" => CountKind::Bucket(class()?),
            "BinarizedTargetMeanValue" => CountKind::Mean,
            "Counter" => CountKind::Counter,
            other => return Err(kind.unsupported(format!("the CTR type {other}"), None)),
        };
        let mut elements = Vec::new();
        for element in computed.get("elements")?.list()? {
            let category = || element.get("cat_feature_index")?.count();
            elements.push(match element.get("combination_element")?.text()? {
                "cat_feature_value" => RawElement::Category(category()?),
                "cat_feature_exact_value" => {
                    RawElement::Equal(category()?, hash(&element.get("value")?)?)
                }
                "float_feature" => RawElement::Above(
                    element.get("float_feature_index")?.count()?,
                    element.get("border")?.f32()?,
                ),
                other => {
                    let what = format!("the combination element {other}");
                    return Err(element.unsupported(what, None));
                }
            });
        }
        Ok(Self {
            table: computed.get("identifier")?.text()?.to_owned(),
            kind,
            elements,
            // The library spells it so.
            prior: [number("prior_numerator")?, number("prior_denomerator")?],
            shift: number("shift")?,
            scale: number("scale")?,
            borders: computed.get("borders")?.f32s()?,
            place: computed.place.clone(),
        })
    }

    /// What the counts give, in the library's order of operations.
    pub(super) fn value(&self, part: f32, all: f32) -> f32 {
        ((part + self.prior[0]) / (all + self.prior[1]) + self.shift) * self.scale
    }
}

/// A list that may be left out, or be null.
pub(super) fn list<'a>(node: &Node<'a>, key: &str) -> Result<Vec<Node<'a>>, ReadError> {
    node.find(key)?.map_or(Ok(Vec::new()), |list| list.list())
}

/// A hash, which is written with or without a sign.
pub(super) fn hash(node: &Node<'_>) -> Result<i32, ReadError> {
    let number = node.i64()?;
    i32::try_from(number)
        .or_else(|_| u32::try_from(number).map(|number| number as i32))
        .map_err(|_| node.wrong("a number of 32 bits"))
}
