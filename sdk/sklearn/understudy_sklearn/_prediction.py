"""What a classifier or a regressor gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._document import Document, Frame
from ._errors import Unsupported


@dataclass(frozen=True)
class Prediction:
    """The frames that a fitted predictor gives.

    A classifier of two classes decides by one column; its probabilities are two.
    """

    value: Frame | None = None
    decision: Frame | None = None
    probabilities: Frame | None = None
    classes: np.ndarray | None = None
    # `greatest`, or `{"above": x}` or `{"at-least": x}` of one column; of the frame `label_of`.
    label: Any = "greatest"
    label_of: Frame | None = None


def apply(document: Document, frame: Frame, place: str, function: str) -> Frame:
    """A function of every value, or of every row."""
    if function == "identity":
        return frame
    block = document.add("apply", place, frame.columns, len(frame), function=function)
    return document.same(block, frame)


def both(document: Document, positive: Frame, place: str) -> Frame:
    """The probabilities of both classes: one minus that of the second, and that."""
    stages = [{"subtract": [1.0]}, {"multiply": [-1.0]}]
    block = document.add("scale", place, positive.columns, 1, stages=stages)
    return Frame.beside([document.same(block, positive), positive])


def shares(document: Document, frame: Frame, place: str) -> Frame:
    """Values divided by their sum; equal shares where that is 0."""
    block = document.add("normalize", place, frame.columns, len(frame), norm="share", least=0.0)
    return document.same(block, frame)


def class_names(classes: Any, place: str) -> list[Any]:
    """The classes as JSON has them: texts, whole numbers, or truths."""
    if isinstance(classes, list):
        raise Unsupported(place, "more than one output of classes")
    them = list(classes)
    if all(isinstance(it, str) for it in them):
        return [str(it) for it in them]
    if all(isinstance(it, (bool, np.bool_)) for it in them):
        return [bool(it) for it in them]
    if all(isinstance(it, (int, float, np.number)) and float(it).is_integer() for it in them):
        return [int(it) for it in them]
    raise Unsupported(place, f"classes like {them[0]!r}", "texts, whole numbers and truths are")
