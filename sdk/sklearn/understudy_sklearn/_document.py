"""The document that is written: columns, and steps over blocks of numbers or texts.

Block `i` is column `i` of the input; each step makes the next block. What flows through the export is a
`Frame`: where each column of an array that scikit-learn would see is to be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ._errors import ExportError, Unsupported

NUMBERS = ("float64", "float32", "int64", "int32", "bool")
TEXT = "text"
# Steps that scikit-learn does in single precision where an array is of it.
ARITHMETIC = ("dense", "scale", "normalize", "products")


def bits_of(dtype: Any) -> int:
    """What a type makes of an array that it is put into: one of 32 or of 64 bits; 0 where it takes that of the others."""
    found = np.dtype(dtype)
    if found == np.float32:
        return 32
    return 0 if np.result_type(found, np.float32) == np.float32 else 64


@dataclass(frozen=True)
class Column:
    """One column of an array: the block that holds it, and what is known of its values."""

    block: int
    index: int
    name: str
    # May hold NaN, or an infinity: scikit-learn looks for them, and so has the host.
    nan: bool = True
    infinite: bool = True
    # May be beyond single precision, which is infinite to trees.
    wide: bool = True
    # Of how many bits its numbers are to scikit-learn; 0 where that depends on those beside it.
    bits: int = 64


@dataclass(frozen=True)
class Frame:
    """An array as scikit-learn sees it. Some arithmetic depends on whether it would be sparse."""

    columns: tuple[Column, ...]
    sparse: bool = False

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def single(self) -> bool:
        """Whether scikit-learn would see an array of single precision."""
        return max((column.bits for column in self.columns), default=64) == 32

    def take(self, indices: Iterable[int]) -> Frame:
        return replace(self, columns=tuple(self.columns[index] for index in indices))

    @staticmethod
    def beside(frames: Sequence[Frame], sparse: bool = False) -> Frame:
        return Frame(tuple(column for frame in frames for column in frame.columns), sparse)


@dataclass
class Input:
    """A column of the model's input. Its type is open until something demands one."""

    name: str
    type: str | None = None
    used: bool = False
    # Whether the empty text stands for a missing value.
    missing: bool = False
    # As in Column.
    bits: int = 64


@dataclass
class Document:
    """The columns and the steps so far."""

    inputs: list[Input]
    named: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def frame(self) -> Frame:
        """The array that the model is given."""
        columns = []
        for block, it in enumerate(self.inputs):
            whole = it.type in ("int64", "int32", "bool")
            columns.append(Column(block, 0, it.name, not whole, not whole, not whole, it.bits))
        return Frame(tuple(columns))

    def is_text(self, column: Column) -> bool | None:
        """Whether a column holds texts, or None where that is open."""
        if column.block < len(self.inputs):
            found = self.inputs[column.block].type
            return None if found is None else found == TEXT
        return self.kinds[column.block - len(self.inputs)] == TEXT

    def number(self, column: Column, place: str) -> Column:
        """Demands that a column holds numbers."""
        if self.is_text(column):
            raise ExportError(f"{place}: takes numbers, and column `{column.name}` holds texts")
        if column.block < len(self.inputs):
            it = self.inputs[column.block]
            it.type = it.type or "float64"
        return column

    def text(self, column: Column, place: str) -> Column:
        """Demands that a column holds texts."""
        if self.is_text(column) is False:
            found = self.inputs[column.block].type if column.block < len(self.inputs) else "numbers"
            raise ExportError(
                f"{place}: was fitted on texts, and column `{column.name}` holds {found}"
            )
        if column.block < len(self.inputs):
            self.inputs[column.block].type = TEXT
        return column

    def text_with_missing(self, column: Column, place: str) -> Column:
        """Demands texts of which the empty one is a missing value."""
        column = self.text(column, place)
        if column.block < len(self.inputs):
            self.inputs[column.block].missing = True
        return column

    def pieces(self, columns: Iterable[Column]) -> list[Any]:
        """Where to find columns: `block`, or `[block, index, ...]` for some of its columns."""
        pieces: list[list[int]] = []
        for column in columns:
            if column.block < len(self.inputs):
                self.inputs[column.block].used = True
            if pieces and pieces[-1][0] == column.block:
                pieces[-1].append(column.index)
            else:
                pieces.append([column.block, column.index])
        return [
            block if indices == list(range(self._width(block))) else [block, *indices]
            for block, *indices in pieces
        ]

    def add(
        self,
        kind: str,
        place: str,
        columns: Sequence[Column],
        width: int,
        *,
        text: bool = False,
        **parameters: Any,
    ) -> int:
        """Adds a step over columns, and returns the number of the block that it makes."""
        if not text and kind not in ("one-hot", "ordinal", "known"):
            columns = [self.number(column, place) for column in columns]
        if kind in ARITHMETIC and Frame(tuple(columns)).single:
            names = ", ".join(f"`{column.name}`" for column in columns)
            raise Unsupported(
                place,
                f"arithmetic on columns that are all of float32 ({names})",
                "scikit-learn does it in single precision; fit the model on float64, or say that the columns are float64",
            )
        step = {"step": kind, "place": place, "inputs": self.pieces(columns), **parameters}
        self.steps.append(step)
        self.widths.append(width)
        self.kinds.append(TEXT if text else "number")
        return len(self.inputs) + len(self.steps) - 1

    def same(self, block: int, frame: Frame, **known: Any) -> Frame:
        """A frame of a new block that has the columns of another, by their names."""
        if self.steps[block - len(self.inputs)]["step"] in ARITHMETIC:
            known = {"bits": 64, **known}
        columns = [
            replace(column, block=block, index=index, **known)
            for index, column in enumerate(frame.columns)
        ]
        return replace(frame, columns=tuple(columns))

    def made(self, block: int, names: Sequence[str], *, nan: bool, infinite: bool) -> Frame:
        """A frame of a new block with columns of new names."""
        return Frame(
            tuple(Column(block, i, name, nan, infinite, infinite) for i, name in enumerate(names))
        )

    def _width(self, block: int) -> int:
        return 1 if block < len(self.inputs) else self.widths[block - len(self.inputs)]

    def checked(
        self, frame: Frame, place: str, *, nan: bool, infinite: bool = False, single: bool = False
    ) -> Frame:
        """Has the host turn rows away that scikit-learn would: NaN unless `nan`, infinities unless `infinite`.

        With `single` numbers beyond single precision count as infinite.
        """
        suspects = [
            column
            for column in frame.columns
            if not self.is_text(column)
            and (
                (column.nan and not nan)
                or (column.infinite and not infinite)
                or (column.wide and single and not infinite)
            )
        ]
        if suspects:
            self.add(
                "check",
                place,
                suspects,
                0,
                names=[column.name for column in suspects],
                nan=nan,
                infinite=infinite,
                single=single,
            )
        columns = tuple(
            replace(
                column,
                nan=column.nan and nan,
                infinite=column.infinite and infinite,
                wide=column.wide and (infinite or not single),
            )
            for column in frame.columns
        )
        return replace(frame, columns=columns)
