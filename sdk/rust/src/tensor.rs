//! Tensors: typed views of elements, which are read where the host wrote them.

mod element;

use std::fmt;
use std::slice::ChunksExact;

pub use element::Element;

use crate::{Contents, Datatype, Refusal, Tensor};

impl Tensor {
    /// A tensor of these elements.
    pub fn new<T: Element>(
        name: &str,
        shape: impl Into<Vec<u32>>,
        elements: impl Into<Vec<T>>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.into(),
            contents: T::into_contents(elements.into()),
        }
    }

    /// The type of the elements.
    pub const fn datatype(&self) -> Datatype {
        self.contents.datatype()
    }

    /// All elements in row-major order, whatever the shape.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidInput`] where they are of another type, or not as many as the shape asks for.
    pub fn elements<T: Element>(&self) -> Result<&[T], Refusal> {
        let elements = T::elements(&self.contents).ok_or_else(|| self.refuse(T::DATATYPE))?;
        let expected = self
            .shape
            .iter()
            .try_fold(1_usize, |count, &length| count.checked_mul(length as usize));
        if expected != Some(elements.len()) {
            let found = elements.len();
            return Err(Refusal::invalid_input(format!("{self} but holds {found} elements")));
        }
        Ok(elements)
    }

    /// The one element, of a tensor of shape `[]`, `[1]`, `[1, 1]` and so on.
    ///
    /// # Errors
    ///
    /// As those of [`elements`](Self::elements), and where there is not exactly one.
    pub fn scalar<T: Element + Copy>(&self) -> Result<T, Refusal> {
        self.one::<T>().copied()
    }

    /// The one element in its place, of a type that is not copied lightly, as in [`scalar`](Self::scalar).
    ///
    /// # Errors
    ///
    /// Those of [`scalar`](Self::scalar).
    pub fn one<T: Element>(&self) -> Result<&T, Refusal> {
        match self.elements()? {
            [element] => Ok(element),
            _ => Err(self.refuse(format_args!("{} with one element", T::DATATYPE))),
        }
    }

    /// The one text, as in [`scalar`](Self::scalar).
    ///
    /// # Errors
    ///
    /// Those of [`scalar`](Self::scalar).
    pub fn text(&self) -> Result<&str, Refusal> {
        self.one::<String>().map(String::as_str)
    }

    /// The one string of bytes, as in [`scalar`](Self::scalar).
    ///
    /// # Errors
    ///
    /// Those of [`scalar`](Self::scalar).
    pub fn blob(&self) -> Result<&[u8], Refusal> {
        self.one::<Vec<u8>>().map(Vec::as_slice)
    }

    /// The elements of a tensor with one dimension.
    ///
    /// # Errors
    ///
    /// As those of [`elements`](Self::elements), and where there are more or fewer dimensions.
    pub fn vector<T: Element>(&self) -> Result<&[T], Refusal> {
        let elements = self.elements()?;
        if self.shape.len() != 1 {
            return Err(self.refuse(format_args!("{} with one dimension", T::DATATYPE)));
        }
        Ok(elements)
    }

    /// The elements of a tensor with two dimensions, as rows.
    ///
    /// # Errors
    ///
    /// As those of [`elements`](Self::elements), and where there are more or fewer dimensions.
    pub fn matrix<T: Element>(&self) -> Result<Matrix<'_, T>, Refusal> {
        let elements = self.elements()?;
        let [rows, columns] = self.shape[..] else {
            return Err(self.refuse(format_args!("{} with two dimensions", T::DATATYPE)));
        };
        Ok(Matrix { rows: rows as usize, columns: columns as usize, elements })
    }

    fn refuse(&self, expected: impl fmt::Display) -> Refusal {
        Refusal::invalid_input(format!("{self}, expected {expected}"))
    }
}

impl fmt::Display for Tensor {
    /// Writes what the tensor is, and none of its elements.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tensor `{}` is {}[", self.name, self.datatype())?;
        for (index, length) in self.shape.iter().enumerate() {
            write!(f, "{}{length}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

impl Contents {
    /// The type of the elements.
    pub const fn datatype(&self) -> Datatype {
        match self {
            Self::Bools(_) => Datatype::Boolean,
            Self::U8s(_) => Datatype::Uint8,
            Self::U16s(_) => Datatype::Uint16,
            Self::U32s(_) => Datatype::Uint32,
            Self::U64s(_) => Datatype::Uint64,
            Self::S8s(_) => Datatype::Int8,
            Self::S16s(_) => Datatype::Int16,
            Self::S32s(_) => Datatype::Int32,
            Self::S64s(_) => Datatype::Int64,
            Self::F16s(_) => Datatype::Fp16,
            Self::Bf16s(_) => Datatype::Bf16,
            Self::F32s(_) => Datatype::Fp32,
            Self::F64s(_) => Datatype::Fp64,
            Self::Texts(_) => Datatype::Text,
            Self::Blobs(_) => Datatype::Blob,
        }
    }
}

/// The elements of a tensor with two dimensions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a, T> {
    rows: usize,
    columns: usize,
    elements: &'a [T],
}

impl<'a, T> Matrix<'a, T> {
    /// How many rows there are.
    pub const fn row_count(&self) -> usize {
        self.rows
    }

    /// How many elements a row has.
    pub const fn column_count(&self) -> usize {
        self.columns
    }

    /// The row at `index`, or `None` past the last.
    pub fn row(&self, index: usize) -> Option<&'a [T]> {
        (index < self.rows).then(|| &self.elements[index * self.columns..][..self.columns])
    }

    /// The rows in their order. There are none where a row has no element.
    pub fn rows(&self) -> ChunksExact<'a, T> {
        self.elements.chunks_exact(self.columns.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bf16, f16};

    fn refused<T: fmt::Debug>(result: Result<T, Refusal>) -> String {
        match result {
            Err(Refusal::InvalidInput(why)) => why,
            other => panic!("expected a refusal of the input, found {other:?}"),
        }
    }

    #[test]
    fn every_datatype_is_read_as_it_was_written() {
        fn check<T: Element + PartialEq + Clone + fmt::Debug>(datatype: Datatype, elements: &[T]) {
            let tensor = Tensor::new("x", [2], elements);
            assert_eq!(tensor.datatype(), datatype);
            assert_eq!(tensor.vector::<T>(), Ok(elements));
        }
        check(Datatype::Boolean, &[true, false]);
        check(Datatype::Uint8, &[1_u8, u8::MAX]);
        check(Datatype::Uint16, &[1_u16, u16::MAX]);
        check(Datatype::Uint32, &[1_u32, u32::MAX]);
        check(Datatype::Uint64, &[1_u64, u64::MAX]);
        check(Datatype::Int8, &[1_i8, i8::MIN]);
        check(Datatype::Int16, &[1_i16, i16::MIN]);
        check(Datatype::Int32, &[1_i32, i32::MIN]);
        check(Datatype::Int64, &[1_i64, i64::MIN]);
        check(Datatype::Fp16, &[f16::ONE, f16::MAX]);
        check(Datatype::Bf16, &[bf16::ONE, bf16::MAX]);
        check(Datatype::Fp32, &[1.0_f32, f32::MAX]);
        check(Datatype::Fp64, &[1.0_f64, f64::MAX]);
        check(Datatype::Text, &["a".to_owned(), String::new()]);
        check(Datatype::Blob, &[vec![0xff], vec![]]);
    }

    #[test]
    fn half_floats_travel_as_their_bits() {
        let tensor = Tensor::new("x", [1], [f16::from_f32(1.5)]);
        assert_eq!(tensor.contents, Contents::F16s(vec![0x3e00]));
        assert_eq!(tensor.scalar::<f16>().unwrap().to_f32(), 1.5);
        let tensor = Tensor::new("x", [1], [bf16::from_f32(1.5)]);
        assert_eq!(tensor.contents, Contents::Bf16s(vec![0x3fc0]));
        assert_eq!(tensor.scalar::<bf16>().unwrap().to_f32(), 1.5);
    }

    #[test]
    fn a_scalar_is_one_element_of_any_rank() {
        assert_eq!(Tensor::new("x", [], [3_i32]).scalar(), Ok(3));
        assert_eq!(Tensor::new("x", [1], [3_i32]).scalar(), Ok(3));
        assert_eq!(Tensor::new("x", [1, 1], [3_i32]).scalar(), Ok(3));
        assert_eq!(Tensor::new("x", [1], [vec![7_u8]]).blob(), Ok(&[7_u8][..]));
    }

    #[test]
    fn a_matrix_is_read_by_rows() {
        let tensor = Tensor::new("x", [2, 3], [1, 2, 3, 4, 5, 6_i32]);
        let matrix = tensor.matrix::<i32>().unwrap();
        assert_eq!((matrix.row_count(), matrix.column_count()), (2, 3));
        assert_eq!(matrix.row(1), Some(&[4, 5, 6][..]));
        assert_eq!(matrix.row(2), None);
        assert_eq!(matrix.rows().map(|row| row.iter().sum::<i32>()).collect::<Vec<_>>(), [6, 15]);
    }

    #[test]
    fn a_matrix_without_columns_has_empty_rows() {
        let tensor = Tensor::new("x", [2, 0], Vec::<f32>::new());
        let matrix = tensor.matrix::<f32>().unwrap();
        assert_eq!(matrix.row(1), Some(&[][..]));
        assert_eq!(matrix.rows().count(), 0);
    }

    #[test]
    fn a_wrong_datatype_is_refused_with_what_was_found_and_expected() {
        let tensor = Tensor::new("distance", [1], [1.0_f64]);
        assert_eq!(refused(tensor.scalar::<f32>()), "tensor `distance` is FP64[1], expected FP32");
        assert_eq!(refused(tensor.text()), "tensor `distance` is FP64[1], expected BYTES (text)");
    }

    #[test]
    fn a_wrong_shape_is_refused_with_what_was_found_and_expected() {
        let tensor = Tensor::new("x", [2, 2], [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            refused(tensor.scalar::<f64>()),
            "tensor `x` is FP64[2, 2], expected FP64 with one element"
        );
        assert_eq!(
            refused(tensor.vector::<f64>()),
            "tensor `x` is FP64[2, 2], expected FP64 with one dimension"
        );
        let tensor = Tensor::new("x", [1], [true]);
        assert_eq!(
            refused(tensor.matrix::<bool>()),
            "tensor `x` is BOOL[1], expected BOOL with two dimensions"
        );
    }

    #[test]
    fn a_shape_that_does_not_fit_the_elements_is_refused() {
        let tensor = Tensor::new("x", [3], [1.0, 2.0]);
        assert_eq!(refused(tensor.vector::<f64>()), "tensor `x` is FP64[3] but holds 2 elements");
        let tensor = Tensor::new("x", [u32::MAX, u32::MAX, u32::MAX], [1.0]);
        assert!(refused(tensor.elements::<f64>()).ends_with("but holds 1 elements"));
    }
}
