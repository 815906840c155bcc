//! Makes components from the files of trained models.
//!
//! Each format has a reader that turns its file into a [`trained::Pipeline`]. What a reader does not know is refused by its name and
//! place; nothing is approximated. The pipeline is then written into the runner, which is a component of `sdk/runner` that is built
//! once and lies beside it: to pack a model needs no compiler.

mod assembly;
mod catboost;
mod component;
mod error;
mod format;
mod json;
mod lightgbm;
mod limits;
mod onnx;
mod options;
mod runner;
mod sample;
mod sklearn;
mod table;
mod trained_model;
mod ubj;
mod value;
mod xgboost;

pub use component::{PackError, TRAINED_SECTION, pack};
pub use error::ReadError;
pub use format::Format;
use format::Opened;
pub use options::{ColumnOption, ReadOptions};
pub use runner::{PatchError, RUNNER, patch};
pub use sample::{SAMPLE_ROWS_LIMIT, SampleError, samples};
pub use table::{Cell, Table, TableError};
use trained::Rows;
pub use trained_model::{Domain, Task, Trained, TrainedColumn};

/// Reads the file of a trained model, whatever its format: that is told by its content.
///
/// # Errors
///
/// Where the format is none that is known, where the file is not as its format says, and where the model uses what cannot be run
/// with the same result.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Trained, ReadError> {
    let Opened { format, json } = format::open(bytes)?;
    let mut trained = match format {
        Format::LightGbm => lightgbm::read(bytes, options),
        Format::XgboostJson => xgboost::read(&json, format, options),
        Format::XgboostUbj => xgboost::read(&ubj::read(bytes)?, format, options),
        Format::CatBoost => catboost::read(&json, options),
        Format::Sklearn => sklearn::read(&json, options),
        Format::Onnx => onnx::read(bytes, options),
    }?;
    if options.rows {
        if trained.pipeline.net().is_some() {
            return Err(ReadError::Option {
                option: "rows".to_owned(),
                found: "a net that tract runs, for which one request is one row".to_owned(),
                expected: "a model of our own runner".to_owned(),
            });
        }
        trained.pipeline.rows = Rows::Many;
    }
    trained.pipeline.check()?;
    Ok(trained)
}
