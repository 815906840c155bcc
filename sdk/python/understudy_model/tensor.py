"""Tensors: elements with a name and a shape, and views of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .datatype import BLOB, TEXT, Datatype
from .refusal import Refusal


class Tensor:
    """A named array of any rank."""

    __slots__ = ("name", "datatype", "shape", "_elements")

    def __init__(self, name: str, datatype: Datatype, shape: Iterable[int], elements: Iterable[Any]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = list(shape)
        try:
            self._elements = datatype.held(elements)
        except (TypeError, ValueError) as error:
            raise type(error)(f"tensor `{name}`: {error}") from None

    @classmethod
    def _of_host(cls, name: str, datatype: Datatype, shape: list[int], elements: Sequence[Any]) -> Tensor:
        """Makes a tensor of elements that need no check."""
        tensor = cls.__new__(cls)
        tensor.name, tensor.datatype, tensor.shape, tensor._elements = name, datatype, shape, elements
        return tensor

    def elements(self, datatype: Datatype | None = None) -> Sequence[Any]:
        """Gives all elements in row-major order, whatever the shape.

        Raises a :class:`Refusal` where they are of another datatype than the one that is asked for, or not as many as the
        shape asks for. So do the other readers.
        """
        if datatype is not None and datatype is not self.datatype:
            raise self._refusal(str(datatype))
        found = len(self._elements)
        if math.prod(self.shape) != found:
            raise Refusal.invalid_input(f"{self} but holds {found} elements")
        return self._elements

    def scalar(self, datatype: Datatype | None = None) -> Any:
        """Gives the one element, of a tensor of shape ``[]``, ``[1]``, ``[1, 1]`` and so on."""
        elements = self.elements(datatype)
        if len(elements) != 1:
            raise self._refusal(f"{self.datatype} with one element")
        return elements[0]

    def text(self) -> str:
        """Gives the one text, as :meth:`scalar` does."""
        return self.scalar(TEXT)

    def blob(self) -> bytes:
        """Gives the one string of bytes, as :meth:`scalar` does."""
        return self.scalar(BLOB)

    def vector(self, datatype: Datatype | None = None) -> Sequence[Any]:
        """Gives the elements of a tensor with one dimension."""
        elements = self.elements(datatype)
        if len(self.shape) != 1:
            raise self._refusal(f"{self.datatype} with one dimension")
        return elements

    def matrix(self, datatype: Datatype | None = None) -> Matrix:
        """Gives the elements of a tensor with two dimensions, as rows."""
        elements = self.elements(datatype)
        if len(self.shape) != 2:
            raise self._refusal(f"{self.datatype} with two dimensions")
        return Matrix(self.shape[0], self.shape[1], elements)

    def __str__(self) -> str:
        """Writes what the tensor is, and none of its elements."""
        return f"tensor `{self.name}` is {self.datatype}[{', '.join(map(str, self.shape))}]"

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, {self.datatype.name}, {self.shape}, {list(self._elements)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        mine = (self.name, self.datatype, self.shape, list(self._elements))
        return mine == (other.name, other.datatype, other.shape, list(other._elements))

    __hash__ = None  # type: ignore[assignment]

    def _refusal(self, expected: str) -> Refusal:
        return Refusal.invalid_input(f"{self}, expected {expected}")


class Matrix(Sequence[Sequence[Any]]):
    """The elements of a tensor with two dimensions: a sequence of its rows."""

    def __init__(self, row_count: int, column_count: int, elements: Sequence[Any]) -> None:
        self.row_count = row_count
        self.column_count = column_count
        self._elements = elements

    def __len__(self) -> int:
        return self.row_count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self.row_count))]
        row = index + self.row_count if index < 0 else index
        if not 0 <= row < self.row_count:
            raise IndexError(f"row {index} of a matrix with {self.row_count} rows")
        return self._elements[row * self.column_count : (row + 1) * self.column_count]

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return (self[row] for row in range(self.row_count))
