"""Linear models and perceptrons: sums of products, and functions of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import linear_model, neural_network, svm

from ._document import Document, Frame
from ._errors import Unsupported, refuse_parameter
from ._numbers import numbers
from ._prediction import Prediction, apply, both, shares

Predict = Callable[[Document, Any, Frame, str], Prediction]


def dense(document: Document, frame: Frame, place: str, weights: Any, bias: Any) -> Frame:
    """Sums of the columns times weights, plus a bias. `weights` has a row for each sum."""
    weights = np.atleast_2d(np.asarray(weights))
    bias = np.broadcast_to(np.asarray(bias), (weights.shape[0],))
    block = document.add(
        "dense", place, frame.columns, len(bias), weights=numbers(weights), bias=numbers(bias)
    )
    names = [f"sum {i}" for i in range(len(bias))]
    return document.made(block, names, nan=True, infinite=True)


def _regressor(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    frame = document.checked(frame, place, nan=False)
    return Prediction(value=dense(document, frame, place, model.coef_, model.intercept_))


def _generalized(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    link = type(model._base_loss.link).__name__
    functions = {"IdentityLink": "identity", "LogLink": "exp"}
    if link not in functions:
        raise Unsupported(place, f"the link {link} of {type(model).__name__}")
    value = _regressor(document, model, frame, place).value
    assert value is not None
    return Prediction(value=apply(document, value, place, functions[link]), decision=value)


def _decision(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    if type(model).__name__.startswith("RidgeClassifier") and model._label_binarizer.y_type_.startswith("multilabel"):
        raise Unsupported(place, f"{type(model).__name__} of several labels")
    frame = document.checked(frame, place, nan=False)
    decision = dense(document, frame, place, model.coef_, model.intercept_)
    label = {"above": 0.0} if len(decision) == 1 else "greatest"
    return Prediction(decision=decision, classes=model.classes_, label=label, label_of=decision)


def _with(prediction: Prediction, probabilities: Frame) -> Prediction:
    return Prediction(
        decision=prediction.decision,
        probabilities=probabilities,
        classes=prediction.classes,
        label=prediction.label,
        label_of=prediction.label_of,
    )


def _one_by_one(document: Document, prediction: Prediction, place: str) -> Prediction:
    """Probabilities by the logistic function of each decision."""
    assert prediction.decision is not None
    each = apply(document, prediction.decision, place, "logistic")
    share = both if len(each) == 1 else shares
    return _with(prediction, share(document, each, place))


def _logistic(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    prediction = _decision(document, model, frame, place)
    decision = prediction.decision
    assert decision is not None
    if len(model.classes_) <= 2:
        return _one_by_one(document, prediction, place)
    return _with(prediction, apply(document, decision, place, "softmax"))


def _stochastic(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    prediction = _decision(document, model, frame, place)
    decision = prediction.decision
    assert decision is not None
    if model.loss == "log_loss":
        return _one_by_one(document, prediction, place)
    if model.loss != "modified_huber":
        return prediction
    stages = [{"clip": [-1.0, 1.0]}, {"add": [1.0] * len(decision)}, {"divide": [2.0] * len(decision)}]
    block = document.add("scale", place, decision.columns, len(decision), stages=stages)
    each = document.same(block, decision)
    share = both if len(each) == 1 else shares
    return _with(prediction, share(document, each, place))


def _layers(document: Document, model: Any, frame: Frame, place: str) -> Frame:
    frame = document.checked(frame, place, nan=False)
    last = len(model.coefs_) - 1
    for i, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        frame = dense(document, frame, f"{place}, layer {i}", weights.T, bias)
        function = model.out_activation_ if i == last else model.activation
        if function not in ("identity", "logistic", "tanh", "relu", "softmax", "exp"):
            raise refuse_parameter(place, model, "out_activation_" if i == last else "activation")
        frame = apply(document, frame, f"{place}, layer {i}", function)
    return frame


def _net_classifier(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    if model._label_binarizer.y_type_.startswith("multilabel"):
        raise Unsupported(place, "MLPClassifier of several labels")
    given = _layers(document, model, frame, place)
    if len(given) == 1:
        return Prediction(
            probabilities=both(document, given, place),
            classes=model.classes_,
            label={"above": 0.5},
            label_of=given,
        )
    return Prediction(probabilities=given, classes=model.classes_, label_of=given)


def _net_regressor(document: Document, model: Any, frame: Frame, place: str) -> Prediction:
    return Prediction(value=_layers(document, model, frame, place))


REGRESSORS = [
    linear_model.ARDRegression,
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.LarsCV,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LassoLars,
    linear_model.LassoLarsCV,
    linear_model.LassoLarsIC,
    linear_model.LinearRegression,
    linear_model.OrthogonalMatchingPursuit,
    linear_model.OrthogonalMatchingPursuitCV,
    linear_model.QuantileRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    linear_model.TheilSenRegressor,
    svm.LinearSVR,
]

LINEAR: dict[type, Predict] = {
    **{regressor: _regressor for regressor in REGRESSORS},
    linear_model.PoissonRegressor: _generalized,
    linear_model.GammaRegressor: _generalized,
    linear_model.TweedieRegressor: _generalized,
    linear_model.LogisticRegression: _logistic,
    linear_model.LogisticRegressionCV: _logistic,
    linear_model.SGDClassifier: _stochastic,
    linear_model.Perceptron: _decision,
    linear_model.RidgeClassifier: _decision,
    linear_model.RidgeClassifierCV: _decision,
    svm.LinearSVC: _decision,
    neural_network.MLPClassifier: _net_classifier,
    neural_network.MLPRegressor: _net_regressor,
}
