//! `understudy pack`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use builder::{Metadata, Progress as _};
use clap::Args;
use pack::{ColumnOption, ReadOptions, SAMPLE_ROWS_LIMIT, Table, Trained};
use trained::net::{Net, NetTensor};
use trained::{Inputs, Kind};

use super::examine::{line, page_of, report_of};
use super::output::{print, write};
use super::progress::Told;

/// Make a component of a trained model: a file of LightGBM, XGBoost, CatBoost, scikit-learn or ONNX.
///
/// The format is told by the content. The component gives the numbers that the library gives, and imports nothing. What it
/// cannot do the same is refused by name.
///
/// LightGBM: `booster.save_model("model.txt")`. XGBoost: `model.save_model("model.json")` or `.ubj`. CatBoost:
/// `model.save_model("model.json", format="json")`. scikit-learn: `python -m understudy_sklearn model.pkl -o model.json`.
/// Everything else: export it to ONNX.
#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// The file of the model.
    model: PathBuf,
    /// Where the component goes. A folder of models that a host watches is a good place: it appears there when it is whole.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: PathBuf,
    /// The name of the model; the name of the file without this.
    #[arg(long)]
    name: Option<String>,
    /// The version that you give it.
    #[arg(long)]
    version: Option<String>,
    /// The people who made it.
    #[arg(long)]
    authors: Option<String>,
    /// What it is, in a sentence.
    #[arg(long)]
    description: Option<String>,
    /// The columns in the order of training, where the file has no names for them, or other ones are wanted:
    /// `distance,hour:INT32,carrier:BYTES`. Without a type it is FP64, or BYTES where the file says that a column holds texts.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = column)]
    columns: Vec<ColumnOption>,
    /// The columns that hold texts, where the file does not say it.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    categorical: Vec<String>,
    /// Take one tensor `features` with all columns of a row, also where the file has names for them.
    #[arg(long)]
    matrix: bool,
    /// Take many rows in one request: every tensor has one more dimension, the first. A request is answered or refused as a whole.
    #[arg(long)]
    rows: bool,
    /// The name of the first output, instead of probability, probabilities, prediction or score.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Give an output `raw` as well: the scores before the link function.
    #[arg(long)]
    raw: bool,
    /// A table with some rows, .parquet, .csv or .jsonl: the first 100 become samples in the component, with what it answers, and
    /// `understudy test` asks them again.
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// The column of that table with what the library predicts for each row. Where the packed model says something else, nothing
    /// is written.
    #[arg(long, value_name = "COLUMN", requires = "sample")]
    expected: Option<String>,
    /// The number that stood for a missing value in training, where that was not NaN (`missing=-1` of XGBoost).
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    missing: Option<f64>,
}

impl Pack {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let file = self.model.display();
        let bytes = std::fs::read(&self.model).with_context(|| format!("cannot read {file}"))?;
        let trained = pack::read(&bytes, &self.options()).with_context(|| file.to_string())?;
        let mut told = Told::new(false);
        let mut component =
            pack::pack(&trained, &self.metadata()).with_context(|| file.to_string())?;
        if let Some(sample) = &self.sample {
            component = builder::write_samples(&component, &self.samples(&trained, sample)?)?;
        }
        told.step("loading it as a host does");
        let report = report_of(&self.out, &component, false, None)?;
        if let Some(why) = report["refused"].as_str() {
            bail!("{file}: the packed model does not load: {why}");
        }
        // What a net is made of is only known to work when it has worked.
        let call = &report["call"];
        let why = call["fault"].as_str().or_else(|| call["refusal"].as_str());
        if let Some(why) = why.filter(|_| trained.pipeline.net().is_some()) {
            bail!("{file}: the packed net does not run: {why}");
        }
        write(&self.out, &component)?;
        told.done("packed");
        drop(told);
        let origin = format!("{} of {file}, {}", trained.format, trained.summary);
        let mut page = page_of(&report, &[("packed", origin)]);
        if let Some(samples) = report["samples"].as_u64() {
            let out = self.out.display();
            page += &line("samples", &format!("{samples} (understudy test {out})"));
        }
        page += "\nWhat the endpoint.toml of its folder may promise:\n\n";
        print(page + &schema(&trained))?;
        Ok(ExitCode::SUCCESS)
    }

    fn samples(&self, trained: &Trained, sample: &Path) -> Result<Vec<u8>> {
        let name = || sample.display().to_string();
        let table = Table::read(sample, SAMPLE_ROWS_LIMIT).with_context(name)?;
        pack::samples(trained, &table, self.expected.as_deref()).with_context(name)
    }

    fn options(&self) -> ReadOptions {
        ReadOptions {
            columns: (!self.columns.is_empty()).then(|| self.columns.clone()),
            categorical: self.categorical.clone(),
            matrix: self.matrix,
            rows: self.rows,
            output: self.output.clone(),
            raw: self.raw,
            missing: self.missing,
        }
    }

    fn metadata(&self) -> Metadata {
        let stem = || Some(self.out.file_stem()?.to_string_lossy().into_owned());
        Metadata {
            name: self.name.clone().or_else(stem),
            version: self.version.clone(),
            authors: self.authors.clone(),
            description: self.description.clone(),
            ..Metadata::default()
        }
    }
}

/// Reads `NAME` or `NAME:DATATYPE`.
fn column(text: &str) -> Result<ColumnOption, String> {
    let kinds = [Kind::F64, Kind::F32, Kind::I64, Kind::I32, Kind::Bool, Kind::Text];
    let Some((name, datatype)) = text.rsplit_once(':') else {
        return Ok(ColumnOption { name: text.to_owned(), kind: None });
    };
    let kind = kinds.into_iter().find(|kind| kind.protocol() == datatype).ok_or_else(|| {
        let known: Vec<_> = kinds.iter().map(|kind| kind.protocol()).collect();
        format!("found the datatype `{datatype}`, expected one of {}", known.join(", "))
    })?;
    Ok(ColumnOption { name: name.to_owned(), kind: Some(kind) })
}

/// The tables of an endpoint.toml with the tensors of the model.
fn schema(trained: &Trained) -> String {
    if let Some(net) = trained.pipeline.net() {
        return schema_of_net(net);
    }
    let mut text = "[schema.inputs]\n".to_owned();
    let pipeline = &trained.pipeline;
    let mut line = |name: &str, kind: Kind, width: usize| {
        let (key, datatype, shape) = (toml_key(name), kind.protocol(), pipeline.input_shape(width));
        let _ = writeln!(text, "{key} = {{ datatype = \"{datatype}\", shape = {shape:?} }}");
    };
    match &pipeline.inputs {
        Inputs::Matrix { name, kind, width } => line(name, *kind, *width as usize),
        Inputs::Columns(columns) => {
            columns.iter().for_each(|column| line(&column.name, column.kind, 1));
        }
    }
    text += "\n[schema.outputs]\n";
    let shapes = pipeline.check().unwrap_or_default();
    for output in &pipeline.outputs {
        let width = shapes.get(usize::from(output.slot)).map_or(1, |shape| shape.width);
        let (key, datatype) = (toml_key(&output.name), output.kind.protocol());
        let shape = pipeline.output_shape(width);
        let _ = writeln!(text, "{key} = {{ datatype = \"{datatype}\", shape = {shape:?} }}");
    }
    text
}

/// The same for a net, whose tensors have shapes of their own.
fn schema_of_net(net: &Net) -> String {
    let table = |tensors: &[NetTensor]| {
        tensors.iter().fold(String::new(), |mut text, tensor| {
            let (key, datatype) = (toml_key(&tensor.name), tensor.kind.protocol());
            let shape = &tensor.shape;
            let _ = writeln!(text, "{key} = {{ datatype = \"{datatype}\", shape = {shape:?} }}");
            text
        })
    };
    format!("[schema.inputs]\n{}\n[schema.outputs]\n{}", table(&net.inputs), table(&net.outputs))
}

fn toml_key(name: &str) -> String {
    let bare = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        serde_json::Value::from(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_name_with_or_without_a_datatype() {
        let read = |text| column(text).map(|it| (it.name, it.kind));
        assert_eq!(read("hour"), Ok(("hour".into(), None)));
        assert_eq!(read("ns:hour:INT32"), Ok(("ns:hour".into(), Some(Kind::I32))));
        assert_eq!(
            read("hour:INT8"),
            Err("found the datatype `INT8`, expected one of FP64, FP32, INT64, INT32, BOOL, BYTES"
                .into())
        );
    }

    #[test]
    fn a_key_of_toml_is_quoted_where_it_must_be() {
        assert_eq!(toml_key("dep_delay"), "dep_delay");
        assert_eq!(toml_key("dep delay \"1\""), r#""dep delay \"1\"""#);
    }
}
