"""Predictions: what a model gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .datatype import TEXT, Datatype
from .tensor import Tensor


@dataclass
class Prediction:
    """One answer of a model."""

    outputs: list[Tensor] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def output(self, name: str, datatype: Datatype, shape: Iterable[int], elements: Iterable[Any]) -> Prediction:
        """Adds an output. The host takes a shape that does not fit the elements, or the description, for a fault."""
        self.outputs.append(Tensor(name, datatype, shape, elements))
        return self

    def text(self, name: str, text: str) -> Prediction:
        """Adds a text as an output of shape ``[1]``."""
        return self.output(name, TEXT, [1], [text])

    def note(self, name: str, text: str) -> Prediction:
        """Adds a remark for people, which is recorded with the score."""
        self.notes.append((name, text))
        return self

    def tensor(self, name: str) -> Tensor:
        """Gives the output with this name. For tests."""
        for tensor in self.outputs:
            if tensor.name == name:
                return tensor
        raise KeyError(name)
