//! The mode `read`: one accessor of the library, for one datatype, on one input.

use understudy_model::{Element, Prediction, Refusal, Request, Tensor, bf16, f16};

use crate::outputs::Outputs;

/// How an input is to be read.
enum Accessor {
    Elements,
    Scalar,
    Vector,
    Matrix,
}

pub(crate) fn read(request: &Request) -> Result<Prediction, Refusal> {
    let argument = request.input("argument")?.text()?;
    let refused = || {
        Refusal::invalid_input(format!(
            "argument is `{argument}`, expected ACCESSOR DATATYPE INPUT"
        ))
    };
    let mut words = argument.splitn(3, ' ');
    let (Some(accessor), Some(datatype), Some(input)) = (words.next(), words.next(), words.next())
    else {
        return Err(refused());
    };
    let accessor = match accessor {
        "elements" => Accessor::Elements,
        "scalar" => Accessor::Scalar,
        "vector" => Accessor::Vector,
        "matrix" => Accessor::Matrix,
        _ => return Err(refused()),
    };
    let mut outputs = Outputs::default();
    macro_rules! vector {
        ($name:literal, $type:ty) => {
            if datatype == $name {
                outputs.read::<$type>($name, &accessor, request.input(input)?)?;
                return Ok(outputs.into());
            }
        };
    }
    with_vectors!(vector);
    Err(refused())
}

impl Outputs {
    /// Puts what was read into the output `name`.
    fn read<T: Element + Clone>(
        &mut self,
        name: &str,
        accessor: &Accessor,
        tensor: &Tensor,
    ) -> Result<(), Refusal> {
        match accessor {
            Accessor::Elements => self.vector(name, tensor.elements::<T>()?),
            Accessor::Scalar => self.vector(name, [tensor.one::<T>()?.clone()]),
            Accessor::Vector => self.vector(name, tensor.vector::<T>()?),
            Accessor::Matrix => {
                let matrix = tensor.matrix::<T>()?;
                let (rows, columns) = (matrix.row_count(), matrix.column_count());
                let last_first = (0..rows).rev().filter_map(|index| matrix.row(index)).flatten();
                self.vector(name, last_first.cloned().collect::<Vec<T>>());
                self.vector("report", [format!("{rows} rows"), format!("{columns} columns")]);
            }
        }
        Ok(())
    }
}
