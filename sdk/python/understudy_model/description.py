"""Descriptions: what a model takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .datatype import Datatype

ANY_LENGTH = -1
"""Stands in a shape for a dimension of any length."""


@dataclass(frozen=True)
class TensorType:
    """What a tensor has to look like: a length of :data:`ANY_LENGTH` fits any; ``()`` is the shape of a scalar."""

    datatype: Datatype
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if not all(isinstance(length, int) and length >= ANY_LENGTH for length in self.shape):
            raise ValueError(f"the shape is {self.shape}, expected lengths or ANY_LENGTH")


@dataclass(frozen=True)
class Description:
    """What a model takes, gives, and allows the host to do with it."""

    inputs: Mapping[str, TensorType]
    outputs: Mapping[str, TensorType]
    batch_limit: int = 0
    """How many requests one call may bring at most; 0 leaves it to the host."""
    stateless: bool = True
    """Whether a prediction depends on its request alone. Otherwise the host runs one instance alone."""

    def __post_init__(self) -> None:
        for name, type_ in {**self.inputs, **self.outputs}.items():
            if not isinstance(type_, TensorType):
                raise TypeError(f"the type of `{name}` is {type_!r}, expected one like FP32[3]")
