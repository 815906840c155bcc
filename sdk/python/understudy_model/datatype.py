"""Datatypes: how the elements of each are held and checked."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from .half import narrow_to_bf16, narrow_to_fp16, narrow_to_fp32, widen_bf16, widen_fp16

if TYPE_CHECKING:
    from .description import TensorType


class Datatype(Enum):
    """The type of the elements of a tensor, in the order of the contract.

    ``FP32[3]`` is the type of a tensor with three elements, ``FP32[ANY_LENGTH, 4]`` that of one with any number of rows,
    and ``FP32[()]`` that of a scalar.
    """

    BOOL = "boolean"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FP16 = "fp16"
    BF16 = "bf16"
    FP32 = "fp32"
    FP64 = "fp64"
    TEXT = "text"
    BLOB = "blob"

    def __getitem__(self, shape: int | tuple[int, ...]) -> TensorType:
        from .description import TensorType

        return TensorType(self, shape if isinstance(shape, tuple) else (shape,))

    def __str__(self) -> str:
        """Writes the name on the wire; the two kinds of ``BYTES`` are told apart."""
        if self in (Datatype.TEXT, Datatype.BLOB):
            return f"BYTES ({self.value})"
        return self.name

    def held(self, elements: Iterable[Any]) -> Sequence[Any]:
        """Gives the elements as a tensor holds them: floats are rounded to what the datatype can hold.

        Raises ``TypeError`` or ``ValueError`` where one cannot be an element.
        """
        elements = list(elements)
        code = _ARRAY_CODES.get(self)
        if code is not None:
            try:
                return array(code, elements).tolist()
            except (TypeError, OverflowError):
                pass  # One of them is wrong, and below is said which.
        if self is FP16:
            try:
                count = len(elements)
                return list(struct.unpack(f"<{count}e", struct.pack(f"<{count}e", *elements)))
            except (struct.error, OverflowError):
                pass  # One of them is wrong or too large.
        convert = _CONVERSIONS[self]
        return [convert(element) for element in elements]


BOOL = Datatype.BOOL
UINT8 = Datatype.UINT8
UINT16 = Datatype.UINT16
UINT32 = Datatype.UINT32
UINT64 = Datatype.UINT64
INT8 = Datatype.INT8
INT16 = Datatype.INT16
INT32 = Datatype.INT32
INT64 = Datatype.INT64
FP16 = Datatype.FP16
BF16 = Datatype.BF16
FP32 = Datatype.FP32
FP64 = Datatype.FP64
TEXT = Datatype.TEXT
BLOB = Datatype.BLOB


def _integer(datatype: Datatype, bits: int, signed: bool) -> Callable[[Any], int]:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def convert(element: Any) -> int:
        if not hasattr(element, "__index__"):
            raise TypeError(f"found {element!r}, expected an integer for {datatype}")
        value = element.__index__()
        if not least <= value <= most:
            raise ValueError(f"found {value}, expected an integer from {least} to {most} for {datatype}")
        return value

    return convert


def _float(datatype: Datatype, narrowed: Callable[[float], float] | None) -> Callable[[Any], float]:
    def convert(element: Any) -> float:
        if isinstance(element, (str, bytes)):
            raise TypeError(f"found {element!r}, expected a number for {datatype}")
        value = float(element)
        return narrowed(value) if narrowed else value

    return convert


def _instance(datatype: Datatype, *types: type) -> Callable[[Any], Any]:
    def convert(element: Any) -> Any:
        if not isinstance(element, types):
            raise TypeError(f"found {element!r}, expected {types[0].__name__} for {datatype}")
        return types[0](element)

    return convert


_ARRAY_CODES = {
    UINT8: "B",
    UINT16: "H",
    UINT32: "I",
    UINT64: "Q",
    INT8: "b",
    INT16: "h",
    INT32: "i",
    INT64: "q",
    FP32: "f",
    FP64: "d",
}

_CONVERSIONS: dict[Datatype, Callable[[Any], Any]] = {
    BOOL: _instance(BOOL, bool),
    UINT8: _integer(UINT8, 8, signed=False),
    UINT16: _integer(UINT16, 16, signed=False),
    UINT32: _integer(UINT32, 32, signed=False),
    UINT64: _integer(UINT64, 64, signed=False),
    INT8: _integer(INT8, 8, signed=True),
    INT16: _integer(INT16, 16, signed=True),
    INT32: _integer(INT32, 32, signed=True),
    INT64: _integer(INT64, 64, signed=True),
    FP16: _float(FP16, lambda value: widen_fp16(narrow_to_fp16(value))),
    BF16: _float(BF16, lambda value: widen_bf16(narrow_to_bf16(value))),
    FP32: _float(FP32, narrow_to_fp32),
    FP64: _float(FP64, None),
    TEXT: _instance(TEXT, str),
    BLOB: _instance(BLOB, bytes, bytearray, memoryview),
}
