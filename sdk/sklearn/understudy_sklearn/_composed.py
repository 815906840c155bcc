"""Estimators made of others: pipelines, column transformers, calibrated classifiers, and searches."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import calibration, compose, frozen, model_selection, pipeline

from ._document import Document, Frame
from ._errors import Unsupported, refuse_parameter
from ._linear import LINEAR
from ._numbers import numbers
from ._prediction import Prediction, apply, both, shares
from ._transformers import TRANSFORMERS
from ._trees import TREES

PREDICTORS = LINEAR | TREES

SEARCHES = (model_selection.GridSearchCV, model_selection.RandomizedSearchCV)


def transform(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    """What a fitted transformer does."""
    kind = type(model)
    if isinstance(model, str) and model == "passthrough" or model is None:
        return frame
    if kind is pipeline.Pipeline:
        for name, step in model.steps:
            frame = transform(document, step, frame, _inside(place, name))
        return frame
    if kind is compose.ColumnTransformer:
        return _columns(document, model, frame, place)
    if kind is pipeline.FeatureUnion:
        return _union(document, model, frame, place)
    if kind is frozen.FrozenEstimator:
        return transform(document, model.estimator, frame, place)
    if kind in TRANSFORMERS:
        return TRANSFORMERS[kind](document, model, frame, _inside(place, kind.__name__))
    raise Unsupported(place or "model", f"the transformer {_name(kind)}")


def predict(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    """What a fitted classifier or regressor does."""
    kind = type(model)
    if kind is pipeline.Pipeline:
        for name, step in model.steps[:-1]:
            frame = transform(document, step, frame, _inside(place, name))
        name, step = model.steps[-1]
        return predict(document, step, frame, _inside(place, name))
    if kind is frozen.FrozenEstimator:
        return predict(document, model.estimator, frame, place)
    if kind in SEARCHES:
        if not model.refit:
            raise refuse_parameter(place or "model", model, "refit")
        return predict(document, model.best_estimator_, frame, place)
    if kind is calibration.CalibratedClassifierCV:
        return _calibrated(document, model, frame, _inside(place, kind.__name__))
    if kind in PREDICTORS:
        return PREDICTORS[kind](document, model, frame, _inside(place, kind.__name__))
    if kind in TRANSFORMERS or kind in (compose.ColumnTransformer, pipeline.FeatureUnion):
        raise Unsupported(
            place or "model",
            f"{kind.__name__} as the last step",
            "a model has to end in a classifier or a regressor",
        )
    raise Unsupported(place or "model", f"the estimator {_name(kind)}")


def _columns(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    parts = []
    for name, transformer, _ in model.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        chosen = frame.take(model._transformer_to_input_indices[name])
        if not len(chosen):
            continue
        weight = (model.transformer_weights or {}).get(name)
        if weight is not None:
            raise refuse_parameter(place or "model", model, "transformer_weights")
        part = transform(document, transformer, chosen, _inside(place, name))
        found = model.output_indices_[name]
        if len(part) != found.stop - found.start:
            raise Unsupported(
                _inside(place, name), f"an output of {len(part)} columns where it was fitted with "
                f"{found.stop - found.start}"
            )
        parts.append(part)
    return Frame.beside(parts, bool(model.sparse_output_))


def _union(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    if model.transformer_weights:
        raise refuse_parameter(place or "model", model, "transformer_weights")
    parts = [
        transform(document, step, frame, _inside(place, name))
        for name, step in model.transformer_list
        if step != "drop"
    ]
    return Frame.beside(parts, any(part.sparse for part in parts))


def _calibrated(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    count = len(model.classes_)
    means: list[Frame] = []
    for number, one in enumerate(model.calibrated_classifiers_):
        if one.method not in ("sigmoid", "isotonic"):
            raise refuse_parameter(place, one, "method", "sigmoid and isotonic are")
        means.append(_one_calibrated(document, one, frame, f"{place}, part {number}", count))
    width = len(means[0])
    columns = [column for mean in means for column in mean.columns]
    block = document.add("mean", place, columns, width, of=len(means))
    given = document.made(block, [f"class {i}" for i in range(width)], nan=False, infinite=False)
    return Prediction(probabilities=given, classes=model.classes_, label_of=given)


def _one_calibrated(document: Document, one: Any, frame: Frame, place: str, count: int) -> Frame:
    base = predict(document, one.estimator, frame, place)
    scores = base.decision
    if scores is None:
        if base.probabilities is None:
            raise Unsupported(place, f"calibration of {type(one.estimator).__name__}")
        # Of two classes that of the second is looked at.
        scores = base.probabilities.take([1]) if count == 2 else base.probabilities
    seen = np.searchsorted(one.classes, one.estimator.classes_)
    if count != len(seen) or len(scores) != len(one.calibrators):
        raise Unsupported(place, "a fold of the calibration that lacks a class")
    parts = [
        _calibrator(document, calibrator, scores.take([i]), place)
        for i, calibrator in enumerate(one.calibrators)
    ]
    given = Frame.beside(parts)
    given = both(document, given, place) if count == 2 else shares(document, given, place)
    block = document.add("apply", place, given.columns, len(given), function="at-most-one")
    return document.same(block, given)


def _calibrator(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    if type(model).__name__ == "_SigmoidCalibration":
        stages = [{"multiply": [float(model.a_)]}, {"add": [float(model.b_)]}, {"multiply": [-1.0]}]
        block = document.add("scale", place, frame.columns, 1, stages=stages)
        return apply(document, document.same(block, frame), place, "logistic")
    if type(model).__name__ != "IsotonicRegression" or model.out_of_bounds != "clip":
        raise Unsupported(place, f"the calibrator {type(model).__name__}")
    if model.X_thresholds_.dtype != np.float64:
        raise Unsupported(place, f"isotonic calibration of {model.X_thresholds_.dtype} scores")
    block = document.add(
        "interpolate",
        place,
        frame.columns,
        1,
        x=numbers(model.X_thresholds_),
        y=numbers(model.y_thresholds_),
    )
    return document.same(block, frame)


def _inside(place: str, name: str) -> str:
    return f"{place} > {name}" if place else name


def _name(kind: type) -> str:
    return kind.__name__ if kind.__module__.startswith("sklearn.") else f"{kind.__module__}.{kind.__name__}"
