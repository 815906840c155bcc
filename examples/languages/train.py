"""Trains the models of this example that come from files, and writes what their libraries predict.

    python train.py FOLDER

The regression is the one of `examples/flights`, whose weights the projects beside this file hold as tables: here it
becomes a pipeline of scikit-learn, and a graph of ONNX. LightGBM, XGBoost and CatBoost each grow trees on January to
March.

FOLDER then holds the five files, `requests.jsonl` with some real flights as requests, and `predictions.csv` with the
same flights and what each library says of them, outside of any host. Everything is seeded and runs on one thread.
"""

import json
import math
import pathlib
import sys
import warnings

import catboost
import lightgbm
import numpy
import onnxruntime
import pandas
import skl2onnx
import xgboost
from skl2onnx.common.data_types import FloatTensorType, Int32TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent.parent / "sdk" / "sklearn"))

from understudy_sklearn import export  # noqa: E402, since its folder is only known now

SEED = 2013
LATE_MIN = 15
TRAINING_MONTHS = 3
FLIGHTS = 500
TREES = 60

TEXTS = ["carrier", "origin", "dest"]
INTEGERS = ["hour", "weekday"]
WEATHER = ["wind_speed", "precip", "visib"]
# What the regression reads, and what the trees read; the first is without the temperature, as in `examples/flights`.
COLUMNS = [*TEXTS, "distance", *INTEGERS, *WEATHER]
ALL_COLUMNS = [*COLUMNS, "temp"]


def main():
    folder = pathlib.Path(sys.argv[1])
    flights = pandas.read_csv(HERE.parent / "flights" / "flights-2013.csv.gz")
    known = flights[flights["arr_delay"].notna()]
    training = known[known["month"] <= TRAINING_MONTHS]
    late = (training["arr_delay"] > LATE_MIN).to_numpy()
    rows = columns_of(training)

    chosen = choose(known)
    asked = columns_of(chosen)
    predictions = {
        "scikit-learn": regression(rows[COLUMNS], late, folder).predict_proba(asked[COLUMNS])[:, 1],
        "onnx": graph(folder, asked),
        "lightgbm": train_lightgbm(rows, late, folder, asked),
        "xgboost": train_xgboost(rows, late, folder, asked),
        "catboost": train_catboost(rows, late, folder, asked),
    }
    asked.assign(id=identities(chosen), **predictions).to_csv(folder / "predictions.csv", index=False)
    write_requests(folder / "requests.jsonl", chosen, asked)


def columns_of(flights):
    """The columns that the models read, in the types of the requests."""
    types = dict.fromkeys(INTEGERS, "int32") | dict.fromkeys(["distance", *WEATHER, "temp"], "float32")
    return flights[ALL_COLUMNS].astype(types)


def choose(known):
    """Some flights of the whole year, in their order: a few without weather, a few to where nobody had been."""
    strange = known[known[WEATHER].isna().any(axis=1)].sample(20, random_state=SEED)
    new = known[~known["dest"].isin(known[known["month"] <= TRAINING_MONTHS]["dest"])].sample(5, random_state=SEED)
    others = known.drop(strange.index).drop(new.index, errors="ignore")
    usual = others.sample(FLIGHTS - len(strange) - len(new), random_state=SEED)
    return pandas.concat([strange, new, usual]).sort_index()


def identities(flights):
    return [f"flight-{row}" for row in flights.index]


def regression(rows, late, folder):
    """The regression as a pipeline, with the weights that the other languages have as tables."""
    weights = json.loads((HERE / "python" / "weights.json").read_text())
    numbers = [list(range(len(weights[name]))) for name in INTEGERS]
    names = [list(weights[name]) for name in TEXTS]
    encoded = ColumnTransformer(
        [
            ("names", OneHotEncoder(categories=names, handle_unknown="ignore"), TEXTS),
            ("numbers", OneHotEncoder(categories=numbers, handle_unknown="ignore"), INTEGERS),
            ("distance", "passthrough", ["distance"]),
            ("weather", SimpleImputer(strategy="median"), WEATHER),
        ],
        sparse_threshold=0,
    )
    learner = LogisticRegression(max_iter=1)
    model = Pipeline([("encode", encoded), ("predict", learner)])
    # Fitted for its form; its weights were learnt before. That its median is the usual weather shows that the data is.
    with warnings.catch_warnings(action="ignore"):
        model.fit(rows, late)
    usual = encoded.named_transformers_["weather"].statistics_
    assert usual.astype("float32").tolist() == [numpy.float32(weights["usual"][name]) for name in WEATHER]
    learnt = [list(weights[name].values()) for name in TEXTS] + [weights[name] for name in INTEGERS]
    per_unit = [weights[name] for name in ["distance", *WEATHER]]
    learner.coef_ = numpy.array([sum(learnt, []) + per_unit])
    learner.intercept_ = numpy.array([weights["intercept"]])

    export(model, folder / "scikit-learn.json", columns=rows)
    kinds = dict.fromkeys(TEXTS, StringTensorType) | dict.fromkeys(INTEGERS, Int32TensorType)
    inputs = [(name, kinds.get(name, FloatTensorType)([None, 1])) for name in COLUMNS]
    onnx = skl2onnx.convert_sklearn(model, initial_types=inputs, options={"zipmap": False})
    (folder / "onnx.onnx").write_bytes(onnx.SerializeToString())
    return model


def graph(folder, asked):
    """What onnxruntime says of the graph: in single precision, which is what the graph is written in."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "onnx.onnx", options)
    inputs = {name: asked[[name]].to_numpy() for name in COLUMNS}
    return session.run(["probabilities"], inputs)[0][:, 1]


def train_lightgbm(rows, late, folder, asked):
    names = {name: pandas.CategoricalDtype(sorted(set(rows[name]))) for name in TEXTS}
    parameters = {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 200,
        "seed": SEED,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    model = lightgbm.train(parameters, lightgbm.Dataset(rows.astype(names), late), TREES)
    model.save_model(folder / "lightgbm.txt")
    return lightgbm.Booster(model_file=folder / "lightgbm.txt").predict(asked.astype(names))


def train_xgboost(rows, late, folder, asked):
    names = {name: pandas.CategoricalDtype(sorted(set(rows[name]))) for name in TEXTS}
    parameters = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "seed": SEED, "nthread": 1}
    matrix = xgboost.DMatrix(rows.astype(names), late, enable_categorical=True)
    model = xgboost.train(parameters, matrix, TREES)
    model.save_model(folder / "xgboost.json")
    again = xgboost.Booster({"nthread": 1}, model_file=folder / "xgboost.json")
    return again.predict(xgboost.DMatrix(asked.astype(names), enable_categorical=True))


def train_catboost(rows, late, folder, asked):
    model = catboost.CatBoostClassifier(
        iterations=TREES, depth=4, random_seed=SEED, thread_count=1, verbose=False, allow_writing_files=False
    )
    model.fit(rows, late, cat_features=TEXTS)
    model.save_model(folder / "catboost.json", format="json")
    return model.predict_proba(asked)[:, 1]


def write_requests(file, chosen, asked):
    """Writes flights as requests of the Open Inference Protocol, one a line."""
    with file.open("w") as lines:
        for identity, row in zip(identities(chosen), asked.itertuples(index=False)):
            inputs = [tensor(name, value) for name, value in zip(ALL_COLUMNS, row)]
            lines.write(json.dumps({"id": identity, "inputs": inputs}) + "\n")


def tensor(name, value):
    datatype = "BYTES" if name in TEXTS else "INT32" if name in INTEGERS else "FP32"
    if datatype == "FP32":
        # The shortest decimal that is this number of single precision.
        value = "NaN" if math.isnan(value) else float(str(numpy.float32(value)))
    return {"name": name, "shape": [1], "datatype": datatype, "data": [value]}


if __name__ == "__main__":
    main()
