import unittest
from typing import Any

from understudy_model import BOOL, FP32, FP64, INT8, INT32, TEXT, UINT8, UINT64, Datatype, Refusal, Request, Tensor

SOME: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT8": [1, 255],
    "UINT16": [1, 65535],
    "UINT32": [1, 2**32 - 1],
    "UINT64": [1, 2**64 - 1],
    "INT8": [1, -128],
    "INT16": [1, -(2**15)],
    "INT32": [1, -(2**31)],
    "INT64": [1, -(2**63)],
    "FP16": [1.0, 65504.0],
    "BF16": [1.0, -0.5],
    "FP32": [1.0, 0.5],
    "FP64": [1.0, 0.1],
    "TEXT": ["a", ""],
    "BLOB": [b"\xff", b""],
}


class Tensors(unittest.TestCase):
    def refused(self, message: str, read: Any) -> None:
        with self.assertRaises(Refusal) as caught:
            read()
        self.assertEqual((caught.exception.kind, caught.exception.message), ("invalid-input", message))

    def test_every_datatype_is_read_as_it_was_written(self) -> None:
        for datatype in Datatype:
            some = SOME[datatype.name]
            self.assertEqual(Tensor("x", datatype, [2], some).vector(datatype), some)
            self.assertEqual(Tensor("x", datatype, [], some[:1]).scalar(), some[0])

    def test_a_wrong_datatype_or_shape_is_refused_with_what_was_found_and_expected(self) -> None:
        distance = Tensor("distance", FP64, [1], [1.0])
        self.refused("tensor `distance` is FP64[1], expected FP32", lambda: distance.scalar(FP32))
        self.refused("tensor `distance` is FP64[1], expected BYTES (text)", distance.text)
        square = Tensor("x", FP64, [2, 2], [1, 2, 3, 4])
        self.refused("tensor `x` is FP64[2, 2], expected FP64 with one element", square.scalar)
        self.refused("tensor `x` is FP64[2, 2], expected FP64 with one dimension", square.vector)
        flag = Tensor("x", BOOL, [1], [True])
        self.refused("tensor `x` is BOOL[1], expected BOOL with two dimensions", lambda: flag.matrix(BOOL))
        self.refused("tensor `x` is FP64[3] but holds 2 elements", Tensor("x", FP64, [3], [1, 2]).vector)

    def test_a_matrix_is_read_by_rows(self) -> None:
        matrix = Tensor("x", INT32, [2, 3], [1, 2, 3, 4, 5, 6]).matrix()
        self.assertEqual((matrix.row_count, matrix.column_count), (2, 3))
        self.assertEqual([list(row) for row in matrix], [[1, 2, 3], [4, 5, 6]])
        self.assertEqual(matrix[-1], [4, 5, 6])
        self.assertEqual(len(Tensor("x", FP32, [2, 0], []).matrix()), 2)
        with self.assertRaises(IndexError):
            matrix[2]

    def test_an_element_that_cannot_be_one_is_an_error_of_whoever_made_the_tensor(self) -> None:
        with self.assertRaisesRegex(ValueError, "tensor `x`: found 256, expected an integer from 0 to 255 for UINT8"):
            Tensor("x", UINT8, [1], [256])
        for datatype, element in ((INT8, 1.5), (UINT64, "1"), (TEXT, 1), (BOOL, 1), (FP32, "1")):
            with self.assertRaises(TypeError):
                Tensor("x", datatype, [1], [element])
        self.assertEqual(Tensor("x", FP32, [1], [0.1]).scalar(), 0.10000000149011612)

    def test_a_missing_input_is_refused_with_the_names_that_there_are(self) -> None:
        request = Request("7").with_text("carrier", "HA").with_input("hour", INT32, [1], [9])
        self.assertEqual(request.input("hour").scalar(), 9)
        missing = "input `distance` is missing; the inputs are: "
        self.refused(missing + "`carrier`, `hour`", lambda: request.input("distance"))
        self.refused(missing + "none", lambda: Request("7").input("distance"))
