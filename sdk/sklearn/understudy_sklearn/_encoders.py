"""Encoders of categories."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ._document import Column, Document, Frame, bits_of
from ._errors import refuse_parameter
from ._numbers import categories, is_missing, number


def one_hot(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    """OneHotEncoder: each column becomes as many as it has categories, of which one is 1."""
    refuse = model.handle_unknown == "error"
    frame = _known(document, model, frame, place, refuse)
    tables, names = [], []
    for i, column in enumerate(frame.columns):
        text, values, _ = _categories(document, column, model.categories_[i], place)
        codes, unknown, width = _codes(model, i, len(values))
        dropped = _dropped(model, i)
        places = [_place(code, dropped) for code in codes]
        tables.append(
            {
                "values": values,
                "places": places,
                "unknown": None if unknown is None else _place(unknown, dropped),
                "width": width - (dropped is not None),
            }
        )
        names += _names(column, values, places, tables[-1]["width"])
    block = document.add("one-hot", place, frame.columns, len(names), tables=tables)
    made = document.made(block, names, nan=False, infinite=False)
    columns = tuple(replace(column, bits=bits_of(model.dtype)) for column in made.columns)
    return Frame(columns, bool(model.sparse_output))


def ordinal(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    """OrdinalEncoder: each column becomes the numbers of its categories."""
    if np.dtype(model.dtype).kind not in "fiu":
        raise refuse_parameter(place, model, "dtype")
    frame = _known(document, model, frame, place, model.handle_unknown == "error")
    tables, nan = [], False
    for i, column in enumerate(frame.columns):
        text, values, missing = _categories(document, column, model.categories_[i], place)
        codes, _, _ = _codes(model, i, len(values), missing)
        codes = [np.asarray(code).astype(model.dtype) for code in codes]
        if missing is not None:
            codes[missing] = np.asarray(model.encoded_missing_value).astype(model.dtype)
        unknown = None
        if model.handle_unknown == "use_encoded_value":
            unknown = np.asarray(model.unknown_value).astype(model.dtype)
            nan |= is_missing(float(unknown))
        nan |= any(math.isnan(code) for code in codes)
        tables.append(
            {
                "values": values,
                "codes": [number(code) for code in codes],
                "unknown": None if unknown is None else number(unknown),
            }
        )
    block = document.add("ordinal", place, frame.columns, len(frame), tables=tables)
    return document.same(block, Frame(frame.columns), nan=nan, infinite=False, wide=False, bits=bits_of(model.dtype))


def _known(document: Document, model: Any, frame: Frame, place: str, refuse: bool) -> Frame:
    """Demands of each column the type of its categories; the host refuses others if `refuse`."""
    columns, tables = [], []
    for i, column in enumerate(frame.columns):
        text, values, missing = _categories(document, column, model.categories_[i], place)
        if text and missing is not None:
            column = document.text_with_missing(column, place)
        elif text:
            column = document.text(column, place)
        else:
            column = document.number(column, place)
        columns.append(column)
        tables.append({"name": column.name, "values": values})
    frame = document.checked(Frame(tuple(columns)), place, nan=True)
    if refuse:
        document.add("known", place, frame.columns, 0, tables=tables)
    return frame


def _categories(
    document: Document, column: Column, values: Any, place: str
) -> tuple[bool, list[Any], int | None]:
    text, found, missing = categories(values, f"{place}, column `{column.name}`")
    if found == ["NaN"] and document.is_text(column):
        return True, [""], 0
    return text, found, missing


def _codes(
    model: Any, i: int, count: int, missing: int | None = None
) -> tuple[list[int], int | None, int]:
    """The number of each category where the infrequent ones are one, of unknown values, and how many there are."""
    codes, unknown, width = list(range(count)), None, count
    if not getattr(model, "_infrequent_enabled", False):
        return codes, unknown, width
    mapping, infrequent = model._default_to_infrequent_mappings[i], model._infrequent_indices[i]
    if mapping is not None:
        codes = [int(mapping[code]) if code != missing else code for code in codes]
        width = max(int(code) for code in mapping) + 1
    if infrequent is not None and model.handle_unknown in ("infrequent_if_exist", "warn"):
        unknown = codes[int(infrequent[0])]
    return codes, unknown, width


def _dropped(model: Any, i: int) -> int | None:
    drop = model._drop_idx_after_grouping
    return None if drop is None or drop[i] is None else int(drop[i])


def _place(code: int, dropped: int | None) -> int | None:
    if dropped is None or code < dropped:
        return code
    return None if code == dropped else code - 1


def _names(column: Column, values: list[Any], places: list[int | None], width: int) -> list[str]:
    names = [f"{column.name}: infrequent"] * width
    for value, place in zip(values, places, strict=True):
        if place is not None and places.count(place) == 1:
            names[place] = f"{column.name}: {value}"
    return names
