"""Transformers: what each of scikit-learn's does to a frame, as steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import impute, preprocessing

from ._document import Column, Document, Frame
from ._encoders import one_hot, ordinal
from ._errors import Unsupported, refuse_parameter
from ._numbers import is_missing, number, numbers

Transform = Callable[[Document, Any, Frame, str], Frame]


def scaled(document: Document, frame: Frame, place: str, stages: list[dict[str, Any]]) -> Frame:
    """Arithmetic on each column by itself."""
    if not stages:
        return frame
    block = document.add("scale", place, frame.columns, len(frame), stages=stages)
    return document.same(block, frame, infinite=True, wide=True)


def divided(frame: Frame, scale: np.ndarray) -> dict[str, Any]:
    """Division by a scale; of a sparse array scikit-learn multiplies by its reciprocal."""
    if frame.sparse:
        return {"multiply": numbers(1 / np.asarray(scale))}
    return {"divide": numbers(scale)}


def _standard(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=True)
    stages = []
    if model.with_mean:
        stages.append({"subtract": numbers(model.mean_)})
    if model.with_std:
        stages.append(divided(frame, model.scale_))
    return scaled(document, frame, place, stages)


def _min_max(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=True)
    stages = [{"multiply": numbers(model.scale_)}, {"add": numbers(model.min_)}]
    if model.clip:
        stages.append({"clip": [number(bound) for bound in model.feature_range]})
    return scaled(document, replace(frame, sparse=False), place, stages)


def _max_abs(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=True)
    stages = [divided(frame, model.scale_)]
    if getattr(model, "clip", False):
        stages.append({"clip": [-1.0, 1.0]})
    return scaled(document, frame, place, stages)


def _robust(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=True)
    stages = []
    if model.with_centering:
        stages.append({"subtract": numbers(model.center_)})
    if model.with_scaling:
        stages.append(divided(frame, model.scale_))
    return scaled(document, frame, place, stages)


def _normalizer(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=False)
    # Of a dense row scikit-learn takes a norm that is almost 0 for 1; of a sparse one only 0.
    least = 5e-324 if frame.sparse else 10 * float(np.finfo(np.float64).eps)
    block = document.add("normalize", place, frame.columns, len(frame), norm=model.norm, least=least)
    return document.same(block, frame, nan=True, infinite=True, wide=True)


def _impute(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    statistics = list(model.statistics_)
    keep = range(len(statistics))
    if not model.keep_empty_features:
        keep = [i for i in keep if not is_missing(statistics[i])]
    nan = is_missing(model.missing_values)
    frame = document.checked(_fitted(document, statistics, frame, place), place, nan=nan)
    columns: dict[int, Column] = {}
    for text in (False, True):
        of_kind = [i for i in keep if isinstance(statistics[i], str) == text]
        if not of_kind:
            continue
        chosen = [frame.columns[i] for i in of_kind]
        if text:
            fill: list[Any] = [str(statistics[i]) for i in of_kind]
            missing = "" if nan else model.missing_values
            if not isinstance(missing, str):
                raise refuse_parameter(place, model, "missing_values", "a text is missing by NaN, None or a text")
            demand = document.text_with_missing if missing == "" else document.text
            chosen = [demand(column, place) for column in chosen]
        else:
            # What was fitted on single precision is rounded to it, and an array of it rounds what is put into it.
            single = frame.single or model._fill_dtype == np.float32
            kept = np.float32 if single else np.float64
            fill = [number(kept(statistics[i])) for i in of_kind]
            missing = _missing_number(model, place)
        block = document.add(
            "impute", place, chosen, len(chosen), text=text, missing=missing, fill=fill
        )
        made = document.same(block, frame.take(of_kind), **({"nan": False} if nan else {}))
        columns |= dict(zip(of_kind, made.columns, strict=True))
    imputed = replace(frame, columns=tuple(columns[i] for i in keep))
    if not model.add_indicator:
        return imputed
    return Frame.beside([imputed, _indicated(document, model.indicator_, frame, place)], frame.sparse)


def _fitted(document: Document, values: list[Any], frame: Frame, place: str) -> Frame:
    """Demands of each column the type of the value that was learnt for it."""
    columns = [
        document.text(column, place)
        if isinstance(value, str) or document.is_text(column)
        else document.number(column, place)
        for column, value in zip(frame.columns, values, strict=True)
    ]
    for column, value in zip(columns, values, strict=True):
        if document.is_text(column) and not (isinstance(value, str) or is_missing(value)):
            raise Unsupported(place, f"the fill value {value!r} of the texts in `{column.name}`")
    return replace(frame, columns=tuple(columns))


def _missing_number(model: Any, place: str) -> float | str:
    if is_missing(model.missing_values):
        return "NaN"
    if isinstance(model.missing_values, str):
        raise refuse_parameter(place, model, "missing_values", "a number is missing by NaN or a number")
    return number(model.missing_values)


def _indicator(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=is_missing(model.missing_values))
    if model.features == "missing-only" and model.error_on_new:
        others = [i for i in range(len(frame)) if i not in set(model.features_)]
        if others:
            document.add(
                "present",
                place,
                [frame.columns[i] for i in others],
                0,
                names=[frame.columns[i].name for i in others],
                missing=_missing_number(model, place),
            )
    return _indicated(document, model, frame, place)


def _indicated(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    chosen = frame.take(model.features_)
    if not len(chosen):
        return chosen
    if any(document.is_text(column) for column in chosen.columns):
        raise Unsupported(place, "MissingIndicator of texts")
    block = document.add(
        "indicate", place, chosen.columns, len(chosen), missing=_missing_number(model, place)
    )
    names = [f"{column.name} is missing" for column in chosen.columns]
    made = document.made(block, names, nan=False, infinite=False)
    # They are truths, and become numbers of those beside them.
    return replace(made, columns=tuple(replace(column, bits=0) for column in made.columns))


def _polynomial(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    if frame.sparse:
        raise Unsupported(place, "PolynomialFeatures of a sparse array", "set sparse_output=False")
    frame = document.checked(frame, place, nan=False)
    # scikit-learn multiplies from the last factor to the first.
    products = [
        [i for i, power in reversed(list(enumerate(powers))) for _ in range(power)]
        for powers in model.powers_.tolist()
    ]
    block = document.add("products", place, frame.columns, len(products), products=products)
    names = [" ".join(frame.columns[i].name for i in them) or "1" for them in products]
    return document.made(block, names, nan=True, infinite=True)


def _bins(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=False)
    if model.dtype is not None and np.dtype(model.dtype) != np.float64:
        raise refuse_parameter(place, model, "dtype")
    edges = [numbers(edges[1:-1]) for edges in model.bin_edges_]
    block = document.add("bins", place, frame.columns, len(frame), edges=edges)
    binned = document.same(block, frame, nan=False, infinite=False, wide=False)
    if model.encode == "ordinal":
        return binned
    return one_hot(document, model._encoder, binned, place)


def _function(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    if model.func is not None:
        raise refuse_parameter(place, model, "func", "only the identity can be written")
    if model.validate:
        frame = document.checked(frame, place, nan=False)
    return frame


TRANSFORMERS: dict[type, Transform] = {
    preprocessing.StandardScaler: _standard,
    preprocessing.MinMaxScaler: _min_max,
    preprocessing.MaxAbsScaler: _max_abs,
    preprocessing.RobustScaler: _robust,
    preprocessing.Normalizer: _normalizer,
    preprocessing.OneHotEncoder: one_hot,
    preprocessing.OrdinalEncoder: ordinal,
    preprocessing.PolynomialFeatures: _polynomial,
    preprocessing.KBinsDiscretizer: _bins,
    preprocessing.FunctionTransformer: _function,
    impute.SimpleImputer: _impute,
    impute.MissingIndicator: _indicator,
}
