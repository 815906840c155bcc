"""Requests: what a model is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .datatype import TEXT, Datatype
from .refusal import Refusal
from .tensor import Tensor


@dataclass(frozen=True)
class Request:
    """One question. Those of a model come from the host; ``Request("1").with_input(…)`` is one for a test."""

    id: str
    """Unique on the endpoint of the model."""
    time_us: int = 0
    """When the request was made, in microseconds since the beginning of 1970. The only clock that a model has."""
    inputs: list[Tensor] = field(default_factory=list)

    def with_input(self, name: str, datatype: Datatype, shape: Iterable[int], elements: Iterable[Any]) -> Request:
        """Gives the same request with one more input. For tests."""
        return replace(self, inputs=[*self.inputs, Tensor(name, datatype, shape, elements)])

    def with_text(self, name: str, text: str) -> Request:
        """Gives the same request with a text as an input of shape ``[1]``. For tests."""
        return self.with_input(name, TEXT, [1], [text])

    def input(self, name: str) -> Tensor:
        """Gives the input with this name.

        Raises a :class:`Refusal` where there is none. The host hands over every input that the model describes, so that
        one is missing from the description.
        """
        for tensor in self.inputs:
            if tensor.name == name:
                return tensor
        names = ", ".join(f"`{tensor.name}`" for tensor in self.inputs) or "none"
        raise Refusal.invalid_input(f"input `{name}` is missing; the inputs are: {names}")
