"""Trains models of XGBoost, and has the library predict rows that are hard for a reader.

Every model is saved as JSON and as UBJ. Rows with infinities, which a DMatrix refuses, go through `inplace_predict`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import xgboost as xgb

sys.path.append(str(Path(__file__).parent.parent))
import boosting
from boosting import binary, classes, columns, counts, labels, positive, regression, several, share, times
from golden import Golden

ROWS = 10_240
TRAIN = 4_000
# The codes of two categorical columns, and what else a row may have in them.
CARRIERS, AIRPORTS = 9, 105
ODD_CODES = [-1.0, -0.5, -0.0, 1.9, 8.0, 104.999, 105.0, 1000.0, 16777215.0, 16777216.0, 1e10, np.nan]


@dataclass
class Model:
    """One model: what it is trained on and how, and the options that its reader needs."""

    name: str
    params: dict[str, Any]
    rounds: int = 20
    target: Callable[[np.random.Generator, np.ndarray], np.ndarray] | None = None
    missing: float = np.nan
    has_missing: bool = True
    categorical: bool = False
    train: dict[str, Any] = field(default_factory=dict)


BINARY = {"objective": "binary:logistic", "max_depth": 5}
SQUARED = {"objective": "reg:squarederror", "max_depth": 6}
HIST = {"tree_method": "hist"}
MODELS = [
    Model("binary", BINARY, 100, binary),
    Model("binary-small", BINARY | {"max_depth": 2, "base_score": 0.3}, 3, binary, has_missing=False),
    Model("binary-minus-one-is-missing", BINARY, 30, binary, missing=-1.0),
    Model("binary-zero-is-missing", BINARY, 30, binary, missing=0.0),
    Model("binary-stumps-of-one-leaf", BINARY | {"gamma": 1e9}, 5, binary),
    Model("binary-raw", BINARY | {"objective": "binary:logitraw"}, 10, binary),
    Model("binary-hinge", BINARY | {"objective": "binary:hinge"}, 10, binary),
    Model("binary-weighted", BINARY | {"scale_pos_weight": 3.0}, 10, binary),
    Model("labels", BINARY | HIST, 15, labels),
    Model("regression", SQUARED | {"max_depth": 9}, 200, regression, has_missing=False),
    Model("regression-pruned", SQUARED | {"tree_method": "exact", "gamma": 30.0}, 30, regression),
    Model("regression-leafwise", SQUARED | {"grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0}, 30, regression),
    Model("regression-forest", SQUARED | {"num_parallel_tree": 20, "subsample": 0.6, "learning_rate": 1.0}, 2, regression),
    Model("regression-several", SQUARED | HIST, 15, several),
    Model("regression-vector-leaves", SQUARED | HIST | {"multi_strategy": "multi_output_tree"}, 15, several),
    Model("regression-absolute", SQUARED | {"objective": "reg:absoluteerror"}, 20, regression),
    Model("regression-huber", SQUARED | {"objective": "reg:pseudohubererror", "huber_slope": 2.0}, 20, regression),
    Model("regression-squared-log", SQUARED | {"objective": "reg:squaredlogerror"}, 20, positive),
    Model("regression-quantiles", SQUARED | {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}, 15, regression),
    Model("regression-logistic", SQUARED | {"objective": "reg:logistic"}, 20, share),
    Model("regression-gamma", SQUARED | {"objective": "reg:gamma"}, 20, positive),
    Model("regression-tweedie", SQUARED | {"objective": "reg:tweedie", "tweedie_variance_power": 1.4}, 20, positive),
    Model("counts", SQUARED | {"objective": "count:poisson"}, 20, counts),
    Model("survival-cox", SQUARED | {"objective": "survival:cox", "max_depth": 3}, 10, times),
    Model("survival-aft", SQUARED | {"objective": "survival:aft", "max_depth": 3}, 10, positive),
    Model("classes", {"objective": "multi:softprob", "num_class": 3, "max_depth": 5}, 30, classes(3)),
    Model("classes-softmax", {"objective": "multi:softmax", "num_class": 5, "max_depth": 4}, 10, classes(5)),
    Model("dart", BINARY | {"booster": "dart", "rate_drop": 0.3}, 30, binary),
    Model("dart-classes", {"booster": "dart", "rate_drop": 0.4, "objective": "multi:softprob", "num_class": 3}, 10, classes(3)),
    Model("linear", {"booster": "gblinear", "objective": "reg:squarederror"}, 30, share),
    Model("linear-binary", {"booster": "gblinear", "objective": "binary:logistic"}, 30, binary, missing=-1.0),
    Model("linear-classes", {"booster": "gblinear", "objective": "multi:softprob", "num_class": 4}, 30, classes(4)),
    Model("codes-one-hot", BINARY | HIST | {"max_cat_to_onehot": 200}, 30, binary, categorical=True),
    Model("codes-sets", SQUARED | HIST | {"max_cat_to_onehot": 1}, 40, regression, categorical=True),
    Model("codes-classes", {"objective": "multi:softprob", "num_class": 3} | HIST, 15, classes(3), categorical=True),
]


def thresholds(trained: xgb.Booster) -> dict[int, list[float]]:
    """The thresholds of every column, as the file has them."""
    booster = json.loads(trained.save_raw("json"))["learner"]["gradient_booster"]
    model = booster.get("gbtree", booster)["model"]
    found: dict[int, list[float]] = {}
    for tree in model.get("trees", []):
        numeric = zip(tree["split_indices"], tree["split_conditions"], tree["left_children"], tree["split_type"])
        for column, threshold, left, kind in numeric:
            if left != -1 and kind == 0:
                found.setdefault(column, []).append(float(np.float32(threshold)))
    return found


def write(
    folder: Path,
    model: Any,
    inputs: dict[str, Any],
    raw: np.ndarray,
    predictions: np.ndarray,
    **options: Any,
) -> None:
    """Writes a model in both of its formats, with what it predicts."""
    config = json.loads((model.get_booster() if hasattr(model, "get_booster") else model).save_config())
    objective = config["learner"]["objective"]["name"]
    raw, predictions = (values.reshape(len(values), -1) for values in (raw, predictions))
    several = predictions.shape[1] > 1
    name = "prediction"
    if objective.startswith(("multi:", "binary:logistic")):
        name = "probabilities" if several or objective.startswith("multi:") else "probability"
    elif objective.startswith("rank:"):
        name = "score"
    for file in ("model.json", "model.ubj"):
        golden = Golden(folder.with_name(f"{folder.name}-{file[-4:].strip('.')}"), file)
        model.save_model(golden.file)
        for column, values in inputs.items():
            texts = np.asarray(values).dtype.kind in "UO"
            golden.input(column, values, "BYTES" if texts else "FP64")
        if objective == "multi:softmax":
            # The library answers with the class alone; its probabilities are those of multi:softprob.
            shifted = np.exp(raw.astype(np.float64) - raw.max(axis=1, keepdims=True))
            golden.output(name, (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32), "FP32", relative=1e-6)
            golden.output("label", predictions.astype(np.int64), "INT64")
        else:
            golden.output(name, predictions, "FP32", ulp=0 if np.array_equal(raw, predictions, equal_nan=True) else 2)
        golden.output("raw", raw, "FP32", ulp=0)
        golden.write(raw=True, **options)


def predict(model: Model, booster: xgb.Booster, rows: np.ndarray, types: list[str] | None, margin: bool) -> np.ndarray:
    """What the library says of rows: of those with infinities in place, because a DMatrix refuses them."""
    with np.errstate(over="ignore"):
        infinite = np.isinf(rows.astype(np.float32)).any(axis=1)
    out: np.ndarray | None = None
    for these, predicted in [
        (~infinite, lambda x: booster.predict(xgb.DMatrix(x, missing=model.missing, feature_types=types), output_margin=margin)),
        (infinite, lambda x: booster.inplace_predict(x, missing=model.missing, predict_type="margin" if margin else "value")),
    ]:
        if these.any():
            some = predicted(rows[these]).reshape(these.sum(), -1)
            out = np.empty((len(rows), some.shape[1]), np.float32) if out is None else out
            out[these] = some
    assert out is not None
    return out


def one(model: Model, folder: Path) -> None:
    """Trains a model and writes it with its rows and what the library says of them."""
    rng = boosting.generator(model.name)
    x = columns(rng, TRAIN, model.has_missing)
    y = model.target(rng, x)
    types = None
    if model.categorical:
        codes = np.stack([rng.integers(0, CARRIERS, TRAIN), rng.integers(0, AIRPORTS, TRAIN)], 1)
        effect = codes[:, 0] % 3 + codes[:, 1] % 7 / 2.0
        y = y + effect[:, None] if y.ndim == 2 else (y + (effect > 3) if model.name != "codes-sets" else y + 5 * effect)
        y = np.minimum(y, {"codes-one-hot": 1, "codes-classes": 2}.get(model.name, np.inf))
        x = np.hstack([x, np.where(rng.random(codes.shape) < 0.05, np.nan, codes)])
        types = ["q"] * 7 + ["c"] * 2
    data = np.where(np.isnan(x), model.missing, x)
    kwargs: dict[str, Any] = {"missing": model.missing, "feature_types": types}
    if model.name == "survival-aft":
        matrix = xgb.DMatrix(data, **kwargs)
        matrix.set_float_info("label_lower_bound", y)
        matrix.set_float_info("label_upper_bound", np.where(rng.random(TRAIN) < 0.3, np.inf, y))
    else:
        matrix = xgb.DMatrix(data, y, **kwargs)
    params = {"nthread": 1, "seed": 7, "verbosity": 0} | model.params
    booster = xgb.train(params, matrix, model.rounds)

    may_be_infinite = params.get("booster", "gbtree") == "gbtree" and not model.categorical
    rows = boosting.probe(rng, data, thresholds(booster), ROWS, infinite=may_be_infinite)
    if model.categorical:
        odd = rng.random((ROWS, 2)) < 0.2
        rows[:, 7:] = np.where(odd, rng.choice(ODD_CODES, (ROWS, 2)), rng.integers(0, [CARRIERS, AIRPORTS], (ROWS, 2)))
    missing = {} if np.isnan(model.missing) else {"missing": model.missing}
    raw = predict(model, booster, rows, types, True)
    write(folder, booster, {"features": rows}, raw, predict(model, booster, rows, types, False), **missing)


def frame(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """A table with columns of several types, categories of texts and of whole numbers among them."""
    return pd.DataFrame(
        {
            "departure hour": rng.integers(0, 24, count),
            "delay": np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count)),
            "carrier": pd.Categorical(rng.choice(["UA", "AA", "E8", "a longer name", "Z"], count)),
            "airport": pd.Categorical(rng.integers(0, 60, count) * 10**10 - 7),
            "cancelled": rng.random(count) < 0.3,
        }
    )


def named(folder: Path, objective: dict[str, Any]) -> None:
    """A model of a table, whose categories the file keeps by their names."""
    rng = boosting.generator(folder.name)
    data = frame(rng, TRAIN)
    effect = data["carrier"].cat.codes % 3 + data["airport"].cat.codes % 4 + data["delay"].fillna(2) + data["cancelled"]
    target = effect + rng.normal(size=TRAIN) * 0.2 if objective["objective"].startswith("reg") else effect > 4
    data.loc[rng.random(TRAIN) < 0.05, "carrier"] = np.nan
    booster = xgb.train(
        {"tree_method": "hist", "max_cat_to_onehot": 3, "max_depth": 6, "nthread": 1} | objective,
        xgb.DMatrix(data, target, enable_categorical=True),
        30,
    )
    rows = frame(rng, ROWS)
    numbers = boosting.probe(rng, rows[["departure hour", "delay"]].to_numpy(float), thresholds(booster), ROWS, infinite=False)
    # As the types of training have it, a name that they do not know is a missing value.
    carriers = rng.choice(["UA", "AA", "E8", "a longer name", "Z", "new", "aa", ""], ROWS)
    airports = rng.choice([*(data["airport"].cat.categories), 5, -7, 0], ROWS)
    asked = pd.DataFrame(
        {
            "departure hour": numbers[:, 0],
            "delay": numbers[:, 1],
            "carrier": pd.Categorical(carriers, categories=data["carrier"].cat.categories),
            "airport": pd.Categorical(airports, categories=data["airport"].cat.categories),
            "cancelled": rows["cancelled"],
        }
    )
    matrix = xgb.DMatrix(asked, enable_categorical=True)
    inputs = {
        "departure hour": numbers[:, 0],
        "delay": numbers[:, 1],
        "carrier": carriers,
        "airport": airports,
        "cancelled": rows["cancelled"],
    }
    write(folder, booster, inputs, booster.predict(matrix, output_margin=True), booster.predict(matrix))


def estimator(folder: Path, make: Callable[..., Any], target: Callable[..., np.ndarray], **params: Any) -> None:
    """A model of the scikit-learn interface that stopped early, of which the library uses the best rounds alone."""
    rng = boosting.generator(folder.name)
    x = columns(rng, TRAIN, True)
    y = target(rng, x)
    model = make(n_estimators=200, max_depth=4, learning_rate=0.3, early_stopping_rounds=5, n_jobs=1, **params)
    model.fit(x[:3000], y[:3000], eval_set=[(x[3000:], y[3000:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds(), "the model did not stop early"
    rows = boosting.probe(rng, x, thresholds(model.get_booster()), ROWS)
    probable = hasattr(model, "predict_proba")
    predictions = model.predict_proba(rows) if probable else model.predict(rows)
    raw = model.predict(rows, output_margin=True)
    predictions = predictions[:, 1] if probable and predictions.shape[1] == 2 else predictions
    write(folder, model, {"features": rows}, raw, predictions)


def main(out: Path) -> None:
    """Trains all models into folders of `out`."""
    for model in MODELS:
        one(model, out / model.name)
    named(out / "named-regression", {"objective": "reg:squarederror"})
    named(out / "named-binary", {"objective": "binary:logistic"})
    estimator(out / "estimator-classifier", xgb.XGBClassifier, binary)
    estimator(out / "estimator-classes", xgb.XGBClassifier, classes(3))
    estimator(out / "estimator-regressor", xgb.XGBRegressor, regression, num_parallel_tree=3, subsample=0.7)
    groups(out)


def groups(out: Path) -> None:
    """Models that rank the rows of a group."""
    for objective in ["rank:ndcg", "rank:pairwise", "rank:map"]:
        name = objective.replace(":", "-")
        rng = boosting.generator(name)
        x = columns(rng, TRAIN, True)
        y = classes(4)(rng, x) if objective != "rank:map" else binary(rng, x)
        matrix = xgb.DMatrix(x, y, group=[20] * (TRAIN // 20))
        booster = xgb.train({"objective": objective, "max_depth": 4, "nthread": 1, "seed": 7}, matrix, 15)
        folder = out / name
        rows = boosting.probe(rng, x, thresholds(booster), ROWS, infinite=False)
        matrix = xgb.DMatrix(rows)
        raw = booster.predict(matrix, output_margin=True)
        write(folder, booster, {"features": rows}, raw, booster.predict(matrix))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
