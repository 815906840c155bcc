"""Refusals: a model's polite no."""

from __future__ import annotations

from typing import Literal

Kind = Literal["invalid-input", "abstain", "failed"]


class Refusal(Exception):
    """A model's polite no, to be raised (or returned, in a batch). It costs the model nothing."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message

    @classmethod
    def invalid_input(cls, why: str) -> Refusal:
        """Makes a no because the request makes no sense. Say which input, what was found, and what was expected."""
        return cls("invalid-input", why)

    @classmethod
    def abstain(cls, why: str) -> Refusal:
        """Makes a no because the model would rather not answer: it was not trained on the like, say."""
        return cls("abstain", why)

    @classmethod
    def failed(cls, why: str) -> Refusal:
        """Makes a no because the model tried and could not."""
        return cls("failed", why)
