"""Trains the models that the benchmark measures, of a size that people use, and writes rows for them: `train.py FOLDER`.

Each folder is one of `golden.py`. It also has what the library itself reads where that is another file than the packed one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

# One thread, and before numpy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "sdk" / "sklearn")]

import catboost  # noqa: E402
import joblib  # noqa: E402
import lightgbm as lgb  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import pandas as pd  # noqa: E402
import xgboost as xgb  # noqa: E402
from golden import Golden  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from understudy_sklearn import export  # noqa: E402

ROWS = 1_000
TRAIN = 12_000
# Numbers, and behind them two columns of codes of categories.
NUMBERS, CODES = 28, 2
CARRIERS = np.array(["UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN"], dtype=object)
AIRPORTS = np.array([f"K{first}{second}X" for first in "ABCDEFGH" for second in "KLMNOPQR"], dtype=object)
SUMS = {"relative": 1e-9, "absolute": 1e-12}
SINGLE = {"relative": 1e-5, "absolute": 2e-6}


def numbers(rng: np.random.Generator, count: int, missing: float) -> np.ndarray:
    """Columns as people have them: normal ones, whole ones, long tails, many zeros; a part of all is missing."""
    x = rng.normal(size=(count, NUMBERS))
    x[:, 4:8] = rng.integers(0, 60, (count, 4))
    x[:, 8:12] = np.exp(2 * rng.normal(size=(count, 4)))
    x[:, 12:16] *= rng.random((count, 4)) < 0.5
    x[rng.random(x.shape) < missing] = np.nan
    return x


def codes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Codes of the carriers and of the airports."""
    return np.c_[rng.integers(0, len(CARRIERS), count), rng.integers(0, len(AIRPORTS), count)]


def score(x: np.ndarray, of: np.ndarray) -> np.ndarray:
    """What there is to be learnt."""
    z = np.nan_to_num(x)
    tails = np.log1p(z[:, 8:12]).sum(axis=1) / 4
    return z[:, 0] * z[:, 1] + z[:, 2] - z[:, 4] / 30 + tails + (of[:, 0] % 3) + np.sin(of[:, 1]) + (z[:, 12] == 0)


class Data:
    """Rows to train on and rows to ask."""

    def __init__(self, missing: float = 0.1) -> None:
        rng = np.random.default_rng(2013)
        count = TRAIN + ROWS
        x, self.codes = numbers(rng, count, missing), codes(rng, count)
        true = score(x, self.codes) + rng.normal(size=count)
        self.numbers, self.matrix = x, np.c_[x, self.codes]
        self.regression, self.binary = true, (true > np.median(true)).astype(int)

    def frame(self) -> pd.DataFrame:
        """The same with names, and categories as texts."""
        frame = pd.DataFrame(self.numbers[:, :12], columns=[f"number_{at}" for at in range(12)])
        return frame.assign(carrier=CARRIERS[self.codes[:, 0]], airport=AIRPORTS[self.codes[:, 1]])


def asked(values: Any) -> Any:
    return values[TRAIN:]


def light_gbm(folder: Path, name: str, **params: Any) -> None:
    data = Data()
    common = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 7, "deterministic": True, "force_col_wise": True}
    rounds = params.pop("rounds", 200)
    train_set = lgb.Dataset(data.matrix[:TRAIN], data.binary[:TRAIN], categorical_feature=[NUMBERS, NUMBERS + 1])
    booster = lgb.train(common | params, train_set, rounds)
    golden = Golden(folder / name, "model.txt")
    booster.save_model(golden.file)
    rows = asked(data.matrix)
    golden.input("features", rows)
    golden.output("probability", booster.predict(rows, num_threads=1), ulp=2)
    golden.write(matrix=True)


def xg_boost(folder: Path) -> None:
    data = Data()
    types = ["q"] * NUMBERS + ["c"] * CODES

    def matrix(rows: np.ndarray) -> xgb.DMatrix:
        return xgb.DMatrix(rows, feature_types=types, enable_categorical=True)

    train_set = matrix(data.matrix[:TRAIN])
    train_set.set_label(data.binary[:TRAIN])
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "nthread": 1, "seed": 7}, train_set, 200)
    golden = Golden(folder / "xgboost", "model.ubj")
    booster.save_model(golden.file)
    rows = asked(data.matrix)
    golden.input("features", rows)
    golden.output("probability", booster.predict(matrix(rows)), "FP32", ulp=2)
    golden.write(matrix=True)


def cat_boost(folder: Path, name: str, texts: bool) -> None:
    data = Data()
    rows = data.frame() if texts else pd.DataFrame(data.numbers)
    categories = ["carrier", "airport"] if texts else []
    params = {"loss_function": "Logloss", "depth": 6, "iterations": 300, "thread_count": 1, "random_seed": 7}
    model = catboost.CatBoost(params | {"verbose": False, "allow_writing_files": False})
    model.fit(catboost.Pool(rows[:TRAIN], data.binary[:TRAIN], cat_features=categories))
    golden = Golden(folder / name, "model.json")
    model.save_model(golden.file, format="json")
    model.save_model(str(folder / name / "native.cbm"))
    rows = asked(rows)
    if texts:
        by_name(golden, rows)
    else:
        golden.input("features", rows.to_numpy())
    golden.output("probability", model.predict(catboost.Pool(rows, cat_features=categories), "Probability")[:, 1], ulp=2)
    golden.write(matrix=not texts)


def by_name(golden: Golden, rows: pd.DataFrame) -> None:
    """Adds an input for each column."""
    for column in rows.columns:
        golden.input(column, rows[column], "BYTES" if rows[column].dtype == object else "FP64")


def scikit_learn(folder: Path, name: str, model: Any, rows: Any, target: np.ndarray) -> None:
    model.fit(rows[:TRAIN], target[:TRAIN])
    golden = Golden(folder / name, "model.json")
    is_frame = isinstance(rows, pd.DataFrame)
    export(model, golden.file, rows[:100] if is_frame else None)
    joblib.dump(model, folder / name / "native.joblib")
    rows = asked(rows)
    if is_frame:
        by_name(golden, rows)
    else:
        golden.input("features", rows)
    if hasattr(model, "predict_proba"):
        golden.output("probability", model.predict_proba(rows)[:, 1], **SUMS)
    else:
        golden.output("prediction", model.predict(rows), **SUMS)
    golden.write()


def all_of_scikit_learn(folder: Path) -> None:
    whole, holes = Data(missing=0), Data()
    scikit_learn(folder, "sklearn-linear", LinearRegression(), whole.numbers, whole.regression)
    logistic = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    scikit_learn(folder, "sklearn-logistic", logistic, holes.numbers, holes.binary)
    frame = holes.frame()
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(frame.columns[:12])),
        (OneHotEncoder(handle_unknown="ignore"), ["carrier", "airport"]),
    )
    scikit_learn(folder, "sklearn-columns", make_pipeline(columns, LogisticRegression(max_iter=1000)), frame, holes.binary)
    forest = RandomForestClassifier(100, max_leaf_nodes=63, random_state=7)
    scikit_learn(folder, "sklearn-forest", forest, whole.numbers, whole.binary)
    boosted = HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=31, early_stopping=False, random_state=7)
    scikit_learn(folder, "sklearn-boosted", boosted, holes.numbers, holes.binary)
    net = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(64, 32), max_iter=30, random_state=7))
    scikit_learn(folder, "sklearn-net", net, whole.numbers, whole.regression)


def onnx(folder: Path, name: str, model: Any, rows: np.ndarray, near: dict[str, float]) -> None:
    """Writes a graph with what onnxruntime makes of rows of single precision."""
    golden = Golden(folder / name, "model.onnx")
    Path(golden.file).write_bytes(model.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(golden.file, options, providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": rows})
    golden.input("X", rows, "FP32")
    if len(found) == 2:
        golden.output("probability", found[1][:, 1], "FP32", **near)
        golden.output("label", found[0], "INT64")
    else:
        golden.output("prediction", found[0], "FP32", **near)
    golden.write()


def net() -> Any:
    """A net of dense layers, 20-64-32-1, as an exporter of a framework writes it."""
    rng = np.random.default_rng(7)
    widths = [20, 64, 32, 1]
    nodes, weights, name = [], [], "X"
    for at, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        matrix = rng.normal(size=(outputs, inputs)).astype(np.float32) / np.float32(np.sqrt(inputs))
        weights.append(numpy_helper.from_array(matrix, f"weight_{at}"))
        weights.append(numpy_helper.from_array(rng.normal(size=outputs).astype(np.float32), f"bias_{at}"))
        last = at == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [name, f"weight_{at}", f"bias_{at}"], ["Y" if last else f"sum_{at}"], transB=1))
        if not last:
            name = f"layer_{at}"
            nodes.append(helper.make_node("Relu", [f"sum_{at}"], [name]))
    given = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", widths[0]])
    gives = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph(nodes, "net", [given], [gives], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def all_of_onnx(folder: Path) -> None:
    data = Data(missing=0)
    x = data.numbers.astype(np.float32)
    onnx(folder, "onnx-net", net(), asked(x)[:, :20].copy(), SINGLE)

    def converted(model: Any) -> Any:
        model.fit(x[:TRAIN], data.binary[:TRAIN])
        return to_onnx(model, x[:1], options={id(model): {"zipmap": False}})

    onnx(folder, "onnx-forest", converted(RandomForestClassifier(100, max_leaf_nodes=63, random_state=7)), asked(x), SINGLE)
    onnx(folder, "onnx-logistic", converted(make_pipeline(StandardScaler(), LogisticRegression())), asked(x), SINGLE)


def main(folder: Path) -> None:
    # What a call costs whose model does next to nothing: one tree of one leaf.
    light_gbm(folder, "empty", rounds=1, min_data_in_leaf=TRAIN)
    light_gbm(folder, "lightgbm", num_leaves=31)
    xg_boost(folder)
    cat_boost(folder, "catboost", texts=False)
    cat_boost(folder, "catboost-texts", texts=True)
    all_of_scikit_learn(folder)
    all_of_onnx(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
