"""Trees and sums of trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import dummy, ensemble, tree
from sklearn.base import is_classifier

from ._document import Document, Frame
from ._encoders import ordinal
from ._errors import Unsupported, refuse_parameter
from ._linear import Predict
from ._numbers import numbers
from ._prediction import Prediction, apply, both

# The column of scikit-learn's children that says that a node is a leaf.
LEAF = -1


def _forest(
    document: Document,
    frame: Frame,
    place: str,
    trees: list[dict[str, Any]],
    outputs: int,
    *,
    single: bool,
    start: list[float] | None = None,
    divide: int | None = None,
) -> Frame:
    block = document.add(
        "trees",
        place,
        frame.columns,
        outputs,
        single=single,
        start=start or [0.0] * outputs,
        divide=divide,
        trees=trees,
    )
    return document.made(block, [f"score {i}" for i in range(outputs)], nan=True, infinite=True)


def _single_output(model: Any, place: str) -> None:
    if getattr(model, "n_outputs_", 1) != 1:
        raise Unsupported(place, f"{type(model).__name__} of {model.n_outputs_} outputs")


def _plain(fitted: Any, output: int | None = None, factor: float | None = None) -> dict[str, Any]:
    """A tree as lists by node, and the values of its leaves in the order of their nodes."""
    tree_ = fitted.tree_
    leaves = tree_.children_left == LEAF
    values = tree_.value[leaves, 0, :]
    if factor is not None:
        # The product that scikit-learn rounds at each prediction.
        values = factor * values
    return {
        "output": output,
        "feature": np.where(leaves, LEAF, tree_.feature).tolist(),
        "threshold": numbers(np.where(leaves, 0.0, tree_.threshold)),
        "left": tree_.children_left.tolist(),
        "right": tree_.children_right.tolist(),
        "missing_left": [int(it) for it in np.asarray(tree_.missing_go_to_left)],
        "sets": {},
        "leaves": numbers(values),
    }


def _accepted(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    """Numbers of single precision; a missing value where the fitted trees take one."""
    nan = not frame.sparse and bool(model.__sklearn_tags__().input_tags.allow_nan)
    return document.checked(frame, place, nan=nan, single=True)


def _averaged(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    """A tree, or the mean of several."""
    _single_output(model, place)
    fitted = getattr(model, "estimators_", [model])
    frame = _accepted(document, fitted[0], frame, place)
    divide = len(fitted) if hasattr(model, "estimators_") else None
    outputs = len(model.classes_) if is_classifier(model) else 1
    trees = [_plain(one) for one in fitted]
    given = _forest(document, frame, place, trees, outputs, single=True, divide=divide)
    if is_classifier(model):
        return Prediction(probabilities=given, classes=model.classes_, label_of=given)
    return Prediction(value=given)


def _boosted(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    frame = document.checked(frame, place, nan=False, single=True)
    if not isinstance(model.init_, (str, dummy.DummyClassifier, dummy.DummyRegressor)):
        raise refuse_parameter(place, model, "init", "only None and 'zero' can be written")
    outputs = model.estimators_.shape[1]
    # The same for every row, since nothing is looked at.
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]
    trees = [
        _plain(one, output, model.learning_rate)
        for stage in model.estimators_
        for output, one in enumerate(stage)
    ]
    raw = _forest(document, frame, place, trees, outputs, single=True, start=numbers(start))
    if not is_classifier(model):
        return Prediction(value=raw)
    # A score of 0 is the second class here, and the first in the trees of histograms.
    return _classified(document, model, raw, place, {"at-least": 0.0})


def _classified(document: Document, model: Any, raw: Frame, place: str, two: Any) -> Prediction:
    loss = type(model._loss).__name__
    if loss == "HalfMultinomialLoss":
        probabilities = apply(document, raw, place, "softmax")
        label: Any = "greatest"
    elif loss in ("HalfBinomialLoss", "ExponentialLoss"):
        doubled = raw
        if loss == "ExponentialLoss":
            block = document.add("scale", place, raw.columns, 1, stages=[{"multiply": [2.0]}])
            doubled = document.same(block, raw)
        probabilities = both(document, apply(document, doubled, place, "logistic"), place)
        label = two
    else:
        raise Unsupported(place, f"the loss {loss} of {type(model).__name__}")
    return Prediction(
        decision=raw,
        probabilities=probabilities,
        classes=model.classes_,
        label=label,
        label_of=raw,
    )


def _binned(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    """The trees of histograms, whose thresholds are of double precision; infinities are numbers to them."""
    if model._preprocessor is not None:
        frame = _encoded(document, model, frame, place)
    outputs = model.n_trees_per_iteration_
    trees = [
        _histogram(predictor, output)
        for stage in model._predictors
        for output, predictor in enumerate(stage)
    ]
    start = numbers(np.asarray(model._baseline_prediction).reshape(-1))
    raw = _forest(document, frame, place, trees, outputs, single=False, start=start)
    if is_classifier(model):
        return _classified(document, model, raw, place, {"above": 0.0})
    links = {"IdentityLink": "identity", "LogLink": "exp"}
    link = type(model._loss.link).__name__
    if link not in links:
        raise Unsupported(place, f"the link {link} of {type(model).__name__}")
    return Prediction(value=apply(document, raw, place, links[link]), decision=raw)


def _encoded(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    """Puts the categories first, as numbers; a category that is not known is missing."""
    encoder = model._preprocessor.named_transformers_["encoder"]
    categorical = np.flatnonzero(model.is_categorical_)
    numerical = np.flatnonzero(~model.is_categorical_)
    codes = ordinal(document, encoder, frame.take(categorical), f"{place}, categories")
    return Frame.beside([codes, frame.take(numerical)])


def _histogram(predictor: Any, output: int) -> dict[str, Any]:
    nodes = predictor.nodes
    leaves = nodes["is_leaf"].astype(bool)
    sets = {
        str(node): [
            code
            for code in range(256)
            if predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node], code // 32]
            >> np.uint32(code % 32)
            & 1
        ]
        for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaves)
    }
    splits = ~leaves & ~nodes["is_categorical"].astype(bool)
    return {
        "output": output,
        "feature": np.where(leaves, LEAF, nodes["feature_idx"]).tolist(),
        "threshold": numbers(np.where(splits, nodes["num_threshold"], 0.0)),
        "left": np.where(leaves, LEAF, nodes["left"].astype(int)).tolist(),
        "right": np.where(leaves, LEAF, nodes["right"].astype(int)).tolist(),
        "missing_left": np.where(leaves, 0, nodes["missing_go_to_left"]).tolist(),
        "sets": sets,
        "leaves": numbers(nodes["value"][leaves][:, None]),
    }


TREES: dict[type, Predict] = {
    tree.DecisionTreeClassifier: _averaged,
    tree.DecisionTreeRegressor: _averaged,
    tree.ExtraTreeClassifier: _averaged,
    tree.ExtraTreeRegressor: _averaged,
    ensemble.RandomForestClassifier: _averaged,
    ensemble.RandomForestRegressor: _averaged,
    ensemble.ExtraTreesClassifier: _averaged,
    ensemble.ExtraTreesRegressor: _averaged,
    ensemble.GradientBoostingClassifier: _boosted,
    ensemble.GradientBoostingRegressor: _boosted,
    ensemble.HistGradientBoostingClassifier: _binned,
    ensemble.HistGradientBoostingRegressor: _binned,
}
