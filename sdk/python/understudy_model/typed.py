"""Models by their types: a dataclass of inputs, and one of outputs.

A field of type ``float``, ``int``, ``bool``, ``str`` or ``bytes`` is a tensor with one element: FP64, INT64, BOOL, TEXT or
BLOB, of shape ``[1]``. A ``list`` of these has any length, and a ``list`` of lists is a matrix. ``Annotated`` says more:
``Annotated[float, FP32]``, ``Annotated[list[float], FP32[3]]``, or ``Annotated[Tensor, FP32[2, ANY_LENGTH, 2]]`` for what is
read as a whole tensor.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .datatype import BLOB, BOOL, FP64, INT64, TEXT, Datatype
from .description import ANY_LENGTH, TensorType
from .prediction import Prediction
from .request import Request
from .tensor import Tensor

_DATATYPES: dict[type, Datatype] = {bool: BOOL, int: INT64, float: FP64, str: TEXT, bytes: BLOB}


@dataclasses.dataclass(frozen=True)
class _Field:
    """A field of a dataclass, and the tensor that it is."""

    type: TensorType
    rank: int | None
    """0 for one element, 1 for a list, 2 for a list of lists; none for a tensor."""


class Record:
    """A dataclass whose fields are tensors."""

    def __init__(self, record: type) -> None:
        self.record = record
        hints = typing.get_type_hints(record, include_extras=True)
        self._fields = {
            each.name: _field(f"{record.__name__}.{each.name}", hints[each.name]) for each in dataclasses.fields(record)
        }

    @property
    def types(self) -> Mapping[str, TensorType]:
        """The tensors by their names, in the order of the fields."""
        return {name: each.type for name, each in self._fields.items()}

    def read(self, request: Request) -> Any:
        """Makes the dataclass of a request."""
        return self.record(**{name: _read(request.input(name), each.rank) for name, each in self._fields.items()})

    def write(self, values: Any) -> Prediction:
        """Makes a prediction of the dataclass."""
        prediction = Prediction()
        for name, each in self._fields.items():
            prediction.outputs.append(_written(name, each, getattr(values, name)))
        return prediction


def records_of(function: Callable[..., Any], batch: bool) -> tuple[Record, Record]:
    """Gives the dataclasses that a function takes and gives; of a batch they are the elements of its lists."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters)
    given = hints.get(parameters[0]) if len(parameters) == 1 else None
    found = [_dataclass_in(given, batch), _dataclass_in(hints.get("return"), batch)]
    if None in found:
        expected = "list of dataclasses" if batch else "dataclass"
        raise TypeError(
            f"`{function.__name__}` has the annotations {function.__annotations__}, expected one parameter that is a "
            f"{expected} and a result that is one; or name `inputs` and `outputs` in the decorator"
        )
    return Record(found[0]), Record(found[1])


def _dataclass_in(hint: Any, batch: bool) -> Any:
    """The dataclass in an annotation, beside which others such as ``Refusal`` may stand."""
    if batch:
        inner = typing.get_args(hint)
        hint = inner[0] if inner else None
    choices = [hint, *typing.get_args(hint)]
    return next((choice for choice in choices if dataclasses.is_dataclass(choice)), None)


def _field(place: str, hint: Any) -> _Field:
    said = None
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extras = typing.get_args(hint)
        said = next((extra for extra in extras if isinstance(extra, (Datatype, TensorType))), None)
    rank = 0
    inner = hint
    while typing.get_origin(inner) in (list, Sequence) and rank < 2:
        inner, rank = typing.get_args(inner)[0], rank + 1
    if isinstance(said, TensorType):
        return _Field(said, None if hint is Tensor else rank)
    datatype = said or _DATATYPES.get(inner)
    if datatype is None:
        raise TypeError(
            f"`{place}` is {hint}, expected float, int, bool, str, bytes, lists of one of them, or as in "
            f"Annotated[list[float], FP32[3]]"
        )
    return _Field(TensorType(datatype, (ANY_LENGTH,) * rank if rank else (1,)), rank)


def _read(tensor: Tensor, rank: int | None) -> Any:
    if rank is None:
        return tensor
    if rank == 0:
        return tensor.scalar()
    return list(tensor.vector()) if rank == 1 else [list(row) for row in tensor.matrix()]


def _written(name: str, each: _Field, value: Any) -> Tensor:
    datatype, shape = each.type.datatype, each.type.shape
    if each.rank is None:
        return Tensor(name, datatype, value.shape, value.elements())
    if each.rank == 0:
        return Tensor(name, datatype, [1] * len(shape), [value])
    if each.rank == 1:
        return Tensor(name, datatype, [len(value)], value)
    columns = len(value[0]) if value else max(shape[1], 0)
    if any(len(row) != columns for row in value):
        raise ValueError(f"the rows of `{name}` have different lengths, expected one length for all")
    return Tensor(name, datatype, [len(value), columns], [element for row in value for element in row])
