"""Numbers and texts as JSON has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._errors import Unsupported


def number(value: Any) -> float | str:
    """A number of double precision; JSON has no word for those that are not finite."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def numbers(values: Any) -> list[Any]:
    """An array of numbers as nested lists. Single precision is widened, which changes no value."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"found {array.dtype}, expected numbers")
    array = array.astype(np.float64)
    if np.isfinite(array).all():
        return array.tolist()
    if array.ndim == 1:
        return [number(value) for value in array]
    return [numbers(row) for row in array]


def is_missing(value: Any) -> bool:
    """Whether a value is what pandas and scikit-learn take for missing: None, NaN or NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def categories(values: Any, place: str) -> tuple[bool, list[Any], int | None]:
    """What an encoder knows of a column: whether it holds texts, its values, and which of them is missing."""
    them = list(values)
    missing = [index for index, value in enumerate(them) if is_missing(value)]
    if len(missing) > 1:
        raise Unsupported(place, "a column with both None and NaN among its categories")
    rest = [value for value in them if not is_missing(value)]
    if all(isinstance(value, str) for value in rest):
        # Only missing values: nothing tells texts from numbers, and numbers have their own NaN.
        text = bool(rest)
    elif all(isinstance(value, (int, float, np.number, np.bool_)) for value in rest):
        text = False
    else:
        kinds = sorted({type(value).__name__ for value in rest})
        raise Unsupported(place, f"a column with categories of the types {', '.join(kinds)}")
    if text:
        if missing and "" in rest:
            raise Unsupported(
                place, "a column whose categories are both the empty text and missing values"
            )
        found = ["" if is_missing(value) else str(value) for value in them]
    else:
        if any(isinstance(value, (int, np.integer)) and abs(int(value)) > 2**53 for value in rest):
            raise Unsupported(place, "a category that is a whole number beyond 2**53")
        found = [number(math.nan) if is_missing(value) else number(value) for value in them]
    return text, found, missing[0] if missing else None
