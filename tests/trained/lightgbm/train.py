"""Trains models of LightGBM, and writes what they predict: `train.py FOLDER`."""

import sys
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))
from golden import Golden, odd_categories, odd_rows

ROWS = 6_000
WIDTH = 8
# Columns 5 and 6 hold codes of categories where a model is trained with them.
FEW, MANY = 5, 6
COMMON = {"verbose": -1, "num_threads": 1, "seed": 7, "deterministic": True, "force_col_wise": True}


def data(rng: np.random.Generator, missing: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows and a hidden score: usual numbers, whole ones, many zeros, two columns of codes, and one of tiny numbers."""
    x = rng.normal(size=(ROWS, WIDTH))
    x[:, 1] = rng.integers(0, 24, ROWS)
    x[:, 2] = np.where(rng.random(ROWS) < 0.5, 0, rng.normal(size=ROWS) * 10)
    x[:, 3] = np.exp(rng.normal(size=ROWS) * 3)
    x[:, FEW] = rng.integers(0, 4, ROWS)
    x[:, MANY] = rng.integers(0, 105, ROWS)
    x[:, 7] = rng.choice([0, 1e-36, 1e-30, -1e-30, 1], ROWS)
    many = np.sin(np.arange(105) * 7.0)[x[:, MANY].astype(int)]
    score = x[:, 0] + 0.1 * x[:, 1] - (x[:, 2] == 0) + 0.3 * np.log(x[:, 3]) + many + (x[:, FEW] == 2) * x[:, 4]
    if missing:
        holes = rng.random((ROWS, WIDTH)) < 0.1
        x[holes] = np.nan
    return x, score


def thresholds(booster: lgb.Booster) -> dict[int, list[float]]:
    """The thresholds of each column."""
    found: dict[int, list[float]] = {}
    for line in booster.model_to_string().split("\n\n"):
        keys = dict(part.split("=", 1) for part in line.splitlines() if "=" in part)
        if keys.get("split_feature") and "threshold" in keys:
            numeric = [int(kind) & 1 == 0 for kind in keys["decision_type"].split()]
            pairs = zip(keys["split_feature"].split(), keys["threshold"].split(), numeric)
            for feature, threshold, is_numeric in pairs:
                if is_numeric:
                    found.setdefault(int(feature), []).append(float(threshold))
    return found


def link_error(objective: str) -> dict[str, float]:
    """How near a prediction has to be: equal without a link, else within two units of the last place."""
    plain = ["regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "none"]
    return {"ulp": 0} if objective in plain else {"ulp": 2}


def train(folder: Path, name: str, seed: int, rounds: int, **parameters: Any) -> None:
    """Trains a model on arrays, and writes what it predicts for odd rows."""
    rng = np.random.default_rng(seed)
    missing = parameters.pop("missing", True)
    categorical = parameters.pop("categorical", False)
    x, score = data(rng, missing)
    objective = parameters.get("objective", "regression")
    options = COMMON | {"objective": objective} | parameters
    group = None
    if objective in ("binary", "cross_entropy", "cross_entropy_lambda"):
        y = (score + rng.normal(size=ROWS) > 0.5).astype(float)
    elif objective in ("multiclass", "multiclassova"):
        y = np.digitize(score + rng.normal(size=ROWS), [-0.5, 1, 2.5]).astype(float)
        options["num_class"] = 4
    elif objective in ("poisson", "gamma", "tweedie"):
        y = np.exp(np.clip(score, -4, 4) / 2) + 0.01
    elif objective in ("lambdarank", "rank_xendcg"):
        y, group = np.digitize(score, [0, 1, 2]).astype(float), [20] * (ROWS // 20)
    else:
        y = score * 3 + rng.normal(size=ROWS)
    train_set = lgb.Dataset(x, y, group=group, categorical_feature=[FEW, MANY] if categorical else "auto", params=COMMON)
    booster = lgb.train(options if objective != "none" else options | {"objective": squares}, train_set, rounds)
    rows = odd_rows(rng, x, thresholds(booster))
    if categorical:
        for column in (FEW, MANY):
            rows[:, column] = odd_categories(rng, rows[:, column])
    golden = Golden(folder / name, "model.txt")
    booster.save_model(golden.file)
    # What is written is read again, since the thresholds of a file are what counts.
    booster = lgb.Booster(model_file=golden.file)
    golden.input("features", rows)
    output = {"binary": "probability", "cross_entropy": "probability", "multiclass": "probabilities", "multiclassova": "probabilities"}
    output |= {"lambdarank": "score", "rank_xendcg": "score"}
    error = link_error(objective) if not options.get("reg_sqrt") else {"ulp": 2}
    golden.output(output.get(objective, "prediction"), booster.predict(rows, num_threads=1), **error)
    golden.output("raw", booster.predict(rows, raw_score=True, num_threads=1), ulp=0)
    golden.write(matrix=True, raw=True)


def squares(scores: np.ndarray, train_set: lgb.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """An objective of one's own."""
    return scores - train_set.get_label(), np.ones_like(scores)


def train_frame(folder: Path, name: str, seed: int) -> None:
    """Trains a model on a data frame with categories of texts, numbers and truths, and predicts from such a frame."""
    rng = np.random.default_rng(seed)
    x, score = data(rng, True)
    carriers = np.array(["AA", "UA", "HA", "Ünïted", ""])
    frame = pd.DataFrame(
        {
            "distance": x[:, 0],
            "carrier": pd.Categorical(rng.choice(carriers, ROWS), categories=carriers),
            "month": pd.Categorical(rng.choice([3, 1, 12], ROWS), categories=[3, 1, 12]),
            "late": pd.Categorical(rng.choice([True, False], ROWS)),
            "hour": x[:, 1],
        }
    )
    y = (np.nan_to_num(x[:, 0]) + (frame.carrier == "UA") + (frame.month == 12) * 2 + (frame.late == True) > 1).astype(float)  # noqa: E712
    options = COMMON | {"objective": "binary", "min_data_per_group": 5, "cat_smooth": 1}
    booster = lgb.train(options, lgb.Dataset(frame, y), 40)
    golden = Golden(folder / name, "model.txt")
    booster.save_model(golden.file)
    booster = lgb.Booster(model_file=golden.file)
    count = 10_000
    asked = {
        "distance": odd_rows(rng, x, thresholds(booster), count)[:, 0],
        "carrier": rng.choice(np.array(["AA", "UA", "HA", "Ünïted", "", "ZZ", "aa", "UA "]), count),
        "month": rng.choice([1.0, 3.0, 12.0, 2.0, 1.5, -1.0, np.nan], count),
        "late": rng.choice([0.0, 1.0], count),
        "hour": odd_rows(rng, x[:, [1]], {0: thresholds(booster).get(4, [])}, count)[:, 0],
    }
    rows = pd.DataFrame(
        {
            "distance": asked["distance"],
            "carrier": pd.Categorical(asked["carrier"]),
            "month": pd.Categorical(asked["month"]),
            "late": pd.Categorical(asked["late"] == 1),
            "hour": asked["hour"],
        }
    )
    for column, values in asked.items():
        golden.input(column, values, "BYTES" if column == "carrier" else "FP64")
    golden.output("probability", booster.predict(rows, num_threads=1), ulp=2)
    golden.output("raw", booster.predict(rows, raw_score=True, num_threads=1), ulp=0)
    golden.write(raw=True)


def main(folder: Path) -> None:
    train(folder, "binary", 1, 100, objective="binary", num_leaves=31)
    train(folder, "binary-without-missing", 2, 40, objective="binary", missing=False)
    train(folder, "binary-of-sigmoid-2", 3, 20, objective="binary", sigmoid=2.0)
    train(folder, "binary-large", 4, 300, objective="binary", num_leaves=127, min_data_in_leaf=5)
    train(folder, "categories", 5, 50, objective="binary", categorical=True, min_data_per_group=5, cat_smooth=1)
    train(folder, "categories-without-missing", 6, 50, categorical=True, missing=False, max_cat_to_onehot=1)
    train(folder, "zero-as-missing", 7, 40, objective="binary", zero_as_missing=True)
    train(folder, "zero-as-missing-without-missing", 8, 40, zero_as_missing=True, missing=False)
    train(folder, "without-use-of-missing", 9, 30, use_missing=False)
    train(folder, "multiclass", 10, 30, objective="multiclass", categorical=True)
    train(folder, "multiclass-one-against-all", 11, 20, objective="multiclassova", sigmoid=1.5)
    train(folder, "random-forest", 12, 30, objective="binary", boosting="rf", bagging_fraction=0.6, bagging_freq=1)
    train(folder, "random-forest-regression", 13, 30, boosting="rf", bagging_fraction=0.6, bagging_freq=1)
    train(folder, "dart", 14, 30, boosting="dart", drop_rate=0.3)
    train(folder, "goss", 15, 30, data_sample_strategy="goss")
    train(folder, "linear-tree", 16, 30, linear_tree=True, num_leaves=8)
    train(folder, "linear-tree-without-missing", 17, 20, linear_tree=True, num_leaves=8, missing=False)
    train(folder, "one-leaf", 18, 3, min_data_in_leaf=5_900)
    train(folder, "deep", 19, 10, num_leaves=1000, min_data_in_leaf=1, max_depth=-1)
    for seed, objective in enumerate(["regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie"], 20):
        train(folder, objective, seed, 15, objective=objective)
    for seed, objective in enumerate(["cross_entropy", "cross_entropy_lambda", "lambdarank", "rank_xendcg", "none"], 30):
        train(folder, objective, seed, 15, objective=objective)
    train(folder, "regression-of-root", 40, 20, reg_sqrt=True)
    train_frame(folder, "data-frame", 41)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
