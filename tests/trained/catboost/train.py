"""Trains models of CatBoost, and has the library predict rows that are hard for a reader."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import catboost
import numpy as np
import pandas as pd

sys.path.append(str(Path(__file__).parent.parent))
import boosting
from boosting import binary, classes, columns, counts, labels, positive, regression, several, share
from golden import Golden

ROWS = 10_240
TRAIN = 4_000
LONG = "a name of more than sixty-four bytes, as people write them who have too much to say about 漢字"
CARRIERS = ["UA", "AA", "", "nan", "AA ", "été", "0123456789abcdef", "0123456789abcdef0", "x" * 33, LONG]
AIRPORTS = [f"airport-{number:03d}" for number in range(105)]
UNSEEN = ["new", "aa", "None", "UA\n", LONG + LONG, "x" * 64, "x" * 65, "🔢"]

Target = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass
class Model:
    """One model: what it is trained on and how."""

    name: str
    loss: str
    target: Target
    params: dict[str, Any] = field(default_factory=dict)
    rounds: int = 40
    # How many columns of texts there are besides the numbers.
    texts: int = 0
    has_missing: bool = True
    named: bool = False
    link: str = "RawFormulaVal"
    groups: bool = False
    # What makes the names of classes of their numbers.
    names: Callable[[np.ndarray], np.ndarray] | None = None
    threshold: float | None = None


PROBABLE = {"link": "Probability"}
HOT = {"one_hot_max_size": 255}
TEXTS = {"texts": 3, "named": True}
MODELS = [
    Model("binary", "Logloss", binary, {"depth": 6}, 150, **PROBABLE),
    Model("binary-small", "Logloss", binary, {"depth": 2}, 3, has_missing=False, **PROBABLE),
    Model("binary-missing-is-greatest", "Logloss", binary, {"nan_mode": "Max"}, **PROBABLE),
    Model("binary-names", "Logloss", binary, {}, 10, names=lambda y: np.where(y > 0, "late", "in time"), named=True, **PROBABLE),
    Model("binary-truths", "Logloss", binary, {}, 10, names=lambda y: y > 0, **PROBABLE),
    Model("binary-halves", "Logloss", binary, {}, 10, names=lambda y: y * 1.5, **PROBABLE),
    Model("binary-threshold", "Logloss", binary, {}, 10, names=lambda y: y.astype(int) * 3 - 1, threshold=0.3, **PROBABLE),
    Model("cross-entropy", "CrossEntropy", share, {}, 20, **PROBABLE),
    Model("focal", "Focal:focal_alpha=0.25;focal_gamma=2", binary, {}, 20, **PROBABLE),
    Model("regression", "RMSE", regression, {"depth": 8, "border_count": 1000}, 300, has_missing=False),
    Model("regression-deep", "RMSE", regression, {"depth": 11}, 20),
    Model("regression-leaf", "RMSE", regression, {"min_data_in_leaf": 10**6, "grow_policy": "Depthwise"}, 3),
    Model("regression-absolute", "MAE", regression, {}, 20),
    Model("regression-quantile", "Quantile:alpha=0.7", regression, {}, 20),
    Model("regression-huber", "Huber:delta=1", regression, {}, 20),
    Model("regression-expectile", "Expectile:alpha=0.3", regression, {}, 20),
    Model("regression-several", "MultiRMSE", several, {}, 20),
    Model("regression-quantiles", "MultiQuantile:alpha=0.2,0.8", regression, {}, 20),
    Model("counts", "Poisson", counts, {}, 30, link="Exponent"),
    Model("tweedie", "Tweedie:variance_power=1.5", positive, {}, 30, link="Exponent"),
    Model("cox", "Cox", positive, {}, 20),
    Model("classes", "MultiClass", classes(3), {}, 60, **PROBABLE),
    Model("classes-alone", "MultiClassOneVsAll", classes(4), {}, 20, names=lambda y: np.char.add("class ", y.astype(int).astype(str)), **PROBABLE),
    Model("labels", "MultiLogloss", labels, {}, 20, **PROBABLE),
    Model("ranking", "YetiRank", classes(4), {}, 20, groups=True),
    Model("ranking-query", "QueryRMSE", classes(4), {}, 20, groups=True),
    Model("ranking-pairs", "PairLogit", classes(4), {}, 20, groups=True),
    Model("leafwise", "RMSE", regression, {"grow_policy": "Lossguide", "max_leaves": 40}, 60),
    Model("depthwise-classes", "MultiClass", classes(3), {"grow_policy": "Depthwise", "depth": 5}, 30, **PROBABLE),
    Model("texts-one-hot", "Logloss", binary, HOT, 60, **TEXTS, **PROBABLE),
    Model("texts", "Logloss", binary, {}, 100, **TEXTS, **PROBABLE),
    Model("texts-alone", "Logloss", binary, {"max_ctr_complexity": 3, "ignored_features": list(range(7))}, 60, **TEXTS, **PROBABLE),
    Model("texts-combined", "Logloss", binary, {"max_ctr_complexity": 4, "depth": 8}, 60, **TEXTS, **PROBABLE),
    Model("texts-counters", "Logloss", binary, {"simple_ctr": ["Counter"], "combinations_ctr": ["Counter"], "max_ctr_complexity": 2}, 40, **TEXTS, **PROBABLE),
    Model("texts-buckets", "Logloss", binary, {"simple_ctr": ["Buckets"], "combinations_ctr": ["Buckets"], "max_ctr_complexity": 2}, 40, **TEXTS, **PROBABLE),
    Model("texts-buckets-of-classes", "MultiClass", classes(4), {"simple_ctr": ["Buckets"]}, 30, **TEXTS, **PROBABLE),
    Model("texts-means", "Logloss", binary, {"simple_ctr": ["BinarizedTargetMeanValue"], "max_ctr_complexity": 2}, 40, **TEXTS, **PROBABLE),
    Model("texts-means-of-classes", "MultiClass", classes(4), {"simple_ctr": ["BinarizedTargetMeanValue:Prior=0.3"]}, 30, **TEXTS, **PROBABLE),
    Model("texts-classes", "MultiClass", classes(5), {"max_ctr_complexity": 2}, 30, **TEXTS, **PROBABLE),
    Model("texts-regression", "RMSE", regression, {"simple_ctr": ["Borders:TargetBorderCount=4", "Counter:CtrBorderCount=40"]}, 80, **TEXTS),
    Model("texts-leafwise", "Logloss", binary, {"grow_policy": "Lossguide", "one_hot_max_size": 12}, 60, **TEXTS, **PROBABLE),
    Model("texts-depthwise-classes", "MultiClass", classes(3), {"grow_policy": "Depthwise", "max_ctr_complexity": 2}, 20, **TEXTS, **PROBABLE),
]


def thresholds(path: Path) -> dict[int, list[float]]:
    """The borders of every column, as the file has them."""
    features = json.loads(path.read_text())["features_info"].get("float_features", [])
    return {feature["flat_feature_index"]: feature["borders"] for feature in features if feature["borders"]}


def texts(rng: np.random.Generator, count: int, columns_of: int) -> np.ndarray:
    """Columns of names, of which some are rare."""
    pools = [CARRIERS, AIRPORTS, ["0", "1", "2"]][:columns_of]
    weights = [1 / np.arange(1, len(pool) + 1) for pool in pools]
    drawn = [rng.choice(np.array(pool, object), count, p=weight / weight.sum()) for pool, weight in zip(pools, weights)]
    return np.stack(drawn, 1) if drawn else np.empty((count, 0), object)


def table(numbers: np.ndarray, names: np.ndarray, named: bool) -> pd.DataFrame:
    """Numbers and names as one table; names of columns are numbers where they shall have none."""
    whole = pd.DataFrame(numbers)
    for at in range(names.shape[1]):
        whole[numbers.shape[1] + at] = names[:, at]
    if named:
        whole.columns = [f"column {at}" for at in range(whole.shape[1])]
    return whole


def one(model: Model, folder: Path) -> None:
    """Trains a model and writes it with its rows and what the library says of them."""
    rng = boosting.generator(model.name)
    x = columns(rng, TRAIN, model.has_missing)
    names = texts(rng, TRAIN, model.texts)
    y = model.target(rng, x)
    if model.texts:
        effect = np.array([CARRIERS.index(name) % 3 for name in names[:, 0]]) * (names[:, 2] == "1")
        effect = effect + np.array([AIRPORTS.index(name) % 4 for name in names[:, 1]]) / 2
        y = y + effect if model.loss == "RMSE" else (y + (effect > 2)) % (y.max() + 1)
    y = model.names(y) if model.names else y
    data = table(x, names, model.named)
    if not model.named and not model.texts:
        data = data.to_numpy(float)
    group = {"group_id": np.arange(TRAIN) // 20} if model.groups else {}
    if model.loss == "PairLogit":
        pairs = np.array([(20 * it, 20 * it + 1 + rng.integers(19)) for it in range(TRAIN // 20)])
        group["pairs"] = [(a, b) if y[a] > y[b] else (b, a) for a, b in pairs]
    pool = catboost.Pool(data, y, cat_features=list(range(7, 7 + model.texts)), **group)
    params = {
        "iterations": model.rounds,
        "loss_function": model.loss,
        "thread_count": 1,
        "random_seed": 7,
        "verbose": False,
        "allow_writing_files": False,
    } | model.params
    trained = catboost.CatBoostClassifier(**params) if model.threshold else catboost.CatBoost(params)
    trained.fit(pool)
    if model.threshold:
        trained.set_probability_threshold(model.threshold)
    golden = Golden(folder, "model.json")
    trained.save_model(golden.file, format="json")

    numbers = boosting.probe(rng, x, thresholds(Path(golden.file)), ROWS)
    unseen = rng.random((ROWS, model.texts)) < 0.1
    names = np.where(unseen, rng.choice(np.array(UNSEEN, object), (ROWS, model.texts)), texts(rng, ROWS, model.texts))
    rows = table(numbers, names, model.named)
    if not model.named and not model.texts:
        rows = rows.to_numpy(float)
    asked = catboost.Pool(rows, cat_features=list(range(7, 7 + model.texts)))
    if model.named:
        for column in rows.columns:
            texts_there = rows[column].dtype == object
            golden.input(column, rows[column], "BYTES" if texts_there else "FP64")
    else:
        golden.input("features", rows)
    predictions = trained.predict(asked, prediction_type=model.link)
    loss = model.loss.split(":")[0]
    name = "score" if model.groups else "prediction"
    if loss in ("Logloss", "CrossEntropy", "Focal"):
        name, predictions = "probability", predictions[:, 1]
    elif model.link == "Probability":
        name = "probabilities"
    golden.output(name, predictions, ulp=0 if model.link == "RawFormulaVal" else 2)
    if loss in ("Logloss", "Focal", "MultiClass", "MultiClassOneVsAll"):
        decided = np.asarray(trained.predict(asked, prediction_type="Class")).reshape(-1)
        whole = decided.dtype.kind in "iuf" and np.all(decided == np.round(decided))
        golden.output("label", decided if whole else [f"{label}" for label in decided], "INT64" if whole else "BYTES")
    golden.output("raw", trained.predict(asked, prediction_type="RawFormulaVal"))
    golden.write(raw=True)


def main(out: Path) -> None:
    """Trains all models into folders of `out`."""
    for model in MODELS:
        try:
            one(model, out / model.name)
        except Exception as error:
            raise RuntimeError(f"model {model.name}") from error


if __name__ == "__main__":
    main(Path(sys.argv[1]))
