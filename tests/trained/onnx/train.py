"""Trains models, converts them to ONNX, and writes what onnxruntime makes of odd rows: `train.py FOLDER`."""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

sys.path.insert(0, str(Path(__file__).parent.parent))
from golden import odd_rows
from graphs import COUNT, EXACT, LINK, NEAR, WIDTH, made, rows_for, thresholds, write
from newer import ensembles_of_version_five
from vectors import support_vectors

def scikit_learn(folder: Path) -> None:
    """What skl2onnx makes of pipelines."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1500, WIDTH)).astype(np.float32)
    x[:, 1] = rng.integers(0, 12, len(x))
    score = x[:, 0] + 0.3 * x[:, 1] - x[:, 2] * x[:, 3]
    two, three, number = (score > 1).astype(int), np.digitize(score, [0.5, 2.5]), score + rng.normal(size=len(x))
    names = np.array(["early", "on time", "verspätet"])[three]
    holes = np.where(rng.random(x.shape) < 0.1, np.nan, x).astype(np.float32)
    forest = {"n_estimators": 30, "random_state": 3}
    boosting = {"n_estimators": 40, "random_state": 3}
    net = {"max_iter": 20, "random_state": 3}
    models = {
        "binary": (make_pipeline(StandardScaler(), LogisticRegression()), x, two, NEAR),
        "multinomial": (LogisticRegression(), x, three, NEAR),
        "text-labels": (make_pipeline(RobustScaler(), LogisticRegression()), x, names, NEAR),
        "imputed": (make_pipeline(SimpleImputer(), StandardScaler(), LinearRegression()), holes, number, NEAR),
        "min-max": (make_pipeline(MinMaxScaler(clip=True), Ridge()), x, number, NEAR),
        "two-targets": (LinearRegression(), x, np.c_[number, score], NEAR),
        "normalized": (make_pipeline(Normalizer(), SGDClassifier(loss="log_loss", random_state=3)), x, two, NEAR),
        "one-against-all": (SGDClassifier(loss="log_loss", random_state=3), x, three, NEAR),
        "polynomial": (make_pipeline(PolynomialFeatures(2), Ridge()), x, number, NEAR),
        "components": (make_pipeline(PCA(3), LogisticRegression()), x, two, NEAR),
        "calibrated": (CalibratedClassifierCV(LogisticRegression(), cv=2), x, two, NEAR),
        "stacked": (
            StackingClassifier([("line", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=3))]),
            x,
            two,
            NEAR,
        ),
        "bagged": (BaggingClassifier(n_estimators=3, random_state=3), x, two, NEAR),
        "adaptive": (AdaBoostClassifier(n_estimators=5, random_state=3), x, two, NEAR),
        "naive": (GaussianNB(), x, two, {"relative": 1e-3, "absolute": 1e-4}),
        "binned": (make_pipeline(KBinsDiscretizer(4, encode="onehot-dense"), LogisticRegression()), x, two, NEAR),
        "binarized": (make_pipeline(Binarizer(threshold=0.1), LogisticRegression()), x, two, NEAR),
        "selected": (make_pipeline(SelectKBest(k=3), LogisticRegression()), x, two, NEAR),
        "poisson": (PoissonRegressor(), x, np.exp(score / 5), NEAR),
        "forest": (RandomForestClassifier(max_depth=8, **forest), x, three, EXACT),
        "forest-binary": (RandomForestClassifier(max_depth=8, **forest), x, two, EXACT),
        "forest-regression": (RandomForestRegressor(max_depth=8, **forest), x, number, EXACT),
        "extra-two-targets": (ExtraTreesRegressor(max_depth=6, **forest), x, np.c_[number, score], EXACT),
        "tree": (DecisionTreeClassifier(max_depth=6, random_state=3), x, three, EXACT),
        "tree-regression": (DecisionTreeRegressor(max_depth=6, random_state=3), x, number, EXACT),
        "boosted": (GradientBoostingClassifier(**boosting), x, two, LINK),
        "boosted-multiclass": (GradientBoostingClassifier(**boosting), x, three, LINK),
        "boosted-regression": (GradientBoostingRegressor(**boosting), x, number, EXACT),
        "net": (make_pipeline(StandardScaler(), MLPClassifier((32, 16), **net)), x, two, NEAR),
        "net-multiclass": (MLPClassifier((24,), activation="tanh", **net), x, three, NEAR),
        "net-regression": (MLPRegressor(hidden_layer_sizes=(16,), activation="logistic", **net), x, number, NEAR),
    }
    for name, (model, usual, target, near) in models.items():
        model.fit(usual, target)
        options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
        converted = to_onnx(model, usual[:1], options=options)
        rows = rows_for(converted, np.random.default_rng(len(name)), usual)
        extra = {"columns": [f"c{number}" for number in range(WIDTH)]} if name == "forest" else {}
        if name == "imputed":
            rows[np.random.default_rng(9).random(rows.shape) < 0.2] = np.nan
            extra = {"matrix": True}
        write(folder, f"sklearn-{name}" if name not in ("binary", "text-labels") else name, converted, {"X": rows}, near, **extra)


def columns(folder: Path) -> None:
    """Columns of several types, as tensors of their own."""
    import pandas as pd

    rng = np.random.default_rng(2)
    count = 2000
    frame = pd.DataFrame(
        {
            "distance": rng.normal(size=count).astype(np.float32) * 500,
            "weight": rng.normal(size=count).astype(np.float32),
            "carrier": rng.choice(["UA", "AA", "Ünited", ""], count),
            "hour": rng.integers(0, 24, count),
        }
    )
    target = ((frame.carrier == "UA") ^ (frame.hour > 12)).astype(int)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    model = make_pipeline(
        ColumnTransformer([("numbers", numbers, ["distance", "weight"]), ("codes", OneHotEncoder(handle_unknown="ignore"), ["carrier", "hour"])]),
        LogisticRegression(),
    ).fit(frame, target)
    types = [
        ("distance", FloatTensorType([None, 1])),
        ("weight", FloatTensorType([None, 1])),
        ("carrier", StringTensorType([None, 1])),
        ("hour", Int64TensorType([None, 1])),
    ]
    converted = to_onnx(model, initial_types=types, options={id(model): {"zipmap": False}})
    distance = (rng.normal(size=(COUNT, 1)) * 500).astype(np.float32)
    distance[::7] = np.nan
    inputs = {
        "distance": distance,
        "weight": rng.normal(size=(COUNT, 1)).astype(np.float32),
        "carrier": rng.choice(np.array(["UA", "AA", "Ünited", "", "ua", "UA "], dtype=object), (COUNT, 1)),
        "hour": rng.integers(-3, 30, (COUNT, 1)),
    }
    write(folder, "columns", converted, inputs, NEAR)

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(
        ColumnTransformer([("numbers", "passthrough", ["distance", "weight"]), ("codes", encoder, ["carrier"])]),
        GradientBoostingClassifier(n_estimators=20, random_state=3),
    ).fit(frame, target)
    converted = to_onnx(model, initial_types=types[:3])
    del inputs["hour"]
    write(folder, "zipped", converted, inputs, LINK)


def random_trees(rng: np.random.Generator, trees: int, width: int, outputs: int, prefix: str, modes: list[str], positive: bool) -> dict[str, Any]:
    """The attributes of full trees of depth 4 with any modes, thresholds that repeat, and node ids in an odd order."""
    lists: dict[str, list[Any]] = {
        key: []
        for key in ["treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true"]
    }
    weights: dict[str, list[Any]] = {key: [] for key in ["treeids", "nodeids", "ids", "weights"]}
    for tree in range(trees):
        for node in range(31):
            leaf = node >= 15
            number = 100 - node if node else 7
            child = lambda at: 100 - at
            lists["treeids"].append(tree)
            lists["nodeids"].append(number)
            lists["featureids"].append(0 if leaf else int(rng.integers(0, width)))
            lists["modes"].append("LEAF" if leaf else str(rng.choice(modes)))
            lists["values"].append(0.0 if leaf else float(np.float32(rng.choice([0.0, -0.0, 1.0, 0.5, rng.normal()]))))
            lists["truenodeids"].append(0 if leaf else child(2 * node + 1))
            lists["falsenodeids"].append(0 if leaf else child(2 * node + 2))
            lists["missing_value_tracks_true"].append(int(rng.integers(0, 2)))
            if leaf:
                for output in range(outputs) if outputs != 1 else [0]:
                    value = float(np.float32(rng.normal()))
                    weights["treeids"].append(tree)
                    weights["nodeids"].append(number)
                    weights["ids"].append(output)
                    weights["weights"].append(abs(value) / trees if positive else value)
    attributes = {f"nodes_{key}": value for key, value in lists.items()}
    return attributes | {f"{prefix}_{key}": value for key, value in weights.items()}


ALL_MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def ensembles(folder: Path) -> None:
    """Ensembles made by hand: every mode, aggregate, link, and count of base values."""
    regressors = [
        ("sum", "SUM", "NONE", 1, [0.25]),
        ("average", "AVERAGE", "NONE", 2, [0.5, -1.5]),
        ("min", "MIN", "NONE", 1, []),
        ("max", "MAX", "NONE", 3, [1.0, 2.0, 3.0]),
        ("softmax", "SUM", "SOFTMAX", 3, []),
        ("logistic", "SUM", "LOGISTIC", 2, []),
        ("logistic-single", "SUM", "LOGISTIC", 1, []),
    ]
    for name, aggregate, transform, targets, base in regressors:
        rng = np.random.default_rng(len(name) + targets)
        trees = random_trees(rng, 20, WIDTH, targets, "target", ALL_MODES, False)
        keys = {"aggregate_function": aggregate, "post_transform": transform, "n_targets": targets}
        if base:
            keys["base_values"] = base
        node = helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain="ai.onnx.ml", name="trees", **trees, **keys)
        model = made(name, [node], WIDTH, {"Y": ("float", [targets])}, {})
        exact = transform == "NONE" or targets == 1
        write(folder, f"ensemble-{name}", model, {"X": rows_for(model, rng, rng.normal(size=(500, WIDTH)))}, EXACT if exact else LINK)
    rng = np.random.default_rng(77)
    trees = random_trees(rng, 20, WIDTH, 1, "target", ALL_MODES, False)
    node = helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain="ai.onnx.ml", name="trees", n_targets=1, **trees)
    model = made("double", [node], WIDTH, {"Y": ("float", [1])}, {})
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    rows = odd_rows(rng, rng.normal(size=(500, WIDTH)), thresholds(model), COUNT)
    write(folder, "ensemble-double", model, {"X": rows}, EXACT)
    classifiers = [
        ("binary-positive", 1, 2, "NONE", [], True),
        ("binary-mixed", 1, 2, "LOGISTIC", [], False),
        ("binary-mixed-plain", 1, 2, "NONE", [0.5], False),
        ("binary-base", 1, 2, "LOGISTIC", [0.3], False),
        ("two-scores", 2, 2, "SOFTMAX", [], False),
        ("two-scores-base", 2, 2, "LOGISTIC", [0.25, 0.5], False),
        ("many", 4, 4, "SOFTMAX", [0.1, 0.2, 0.3, 0.4], False),
        ("many-zero", 4, 4, "SOFTMAX_ZERO", [], False),
    ]
    for name, scores, classes, transform, base, positive in classifiers:
        rng = np.random.default_rng(len(name) + classes)
        trees = random_trees(rng, 15, WIDTH, scores, "class", ALL_MODES[:4] if scores == 1 else ALL_MODES, positive)
        keys: dict[str, Any] = {"post_transform": transform, "classlabels_int64s": [10 * (at + 1) for at in range(classes)]}
        if base:
            keys["base_values"] = base
        node = helper.make_node("TreeEnsembleClassifier", ["X"], ["L", "P"], domain="ai.onnx.ml", name="trees", **trees, **keys)
        model = made(name, [node], WIDTH, {"L": ("int", []), "P": ("float", [classes])}, {})
        exact = transform == "NONE"
        write(folder, f"classes-{name}", model, {"X": rows_for(model, rng, rng.normal(size=(500, WIDTH)))}, EXACT if exact else LINK)


def nets(folder: Path) -> None:
    """Nets: layers that our own runner has, and a convolution, which tract has."""
    rng = np.random.default_rng(5)
    normal = lambda *shape: (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
    functions = ["Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign", "HardSigmoid", "Erf"]
    constants, nodes, last = {}, [], "X"
    for at, function in enumerate(functions):
        constants |= {f"w{at}": normal(12, 12), f"b{at}": normal(12)}
        nodes.append(helper.make_node("Gemm", [last, f"w{at}", f"b{at}"], [f"g{at}"], name=f"layer {at}", transB=at % 2))
        nodes.append(helper.make_node(function, [f"g{at}"], [f"h{at}"], name=f"{function} {at}"))
        last = f"h{at}"
    channel = [np.abs(normal(12)), normal(12), normal(12), np.abs(normal(12)) + 0.5]
    constants |= {key: value for key, value in zip(["scale", "shift", "mean", "variance"], channel)} | {"wz": normal(12, 3)}
    nodes.append(helper.make_node("BatchNormalization", [last, "scale", "shift", "mean", "variance"], ["bn"]))
    nodes.append(helper.make_node("MatMul", ["bn", "wz"], ["logits"]))
    nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1))
    model = made("layers", nodes, 12, {"probabilities": ("float", [3])}, constants)
    rows = rng.normal(size=(COUNT, 12)).astype(np.float32)
    write(folder, "net-layers", model, {"X": rows}, NEAR, output="probabilities")

    constants = {
        "shape": np.array([-1, 1, 8, 8]),
        "kernels": normal(9, 4).T.reshape(4, 1, 3, 3).copy(),
        "kernel_bias": normal(4),
        "more": normal(36, 8).T.reshape(8, 4, 3, 3).copy(),
        "weights": normal(8, 10),
        "bias": normal(10),
    }
    nodes = [
        helper.make_node("Reshape", ["X", "shape"], ["image"]),
        helper.make_node("Conv", ["image", "kernels", "kernel_bias"], ["c1"], pads=[1, 1, 1, 1], name="first"),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "more"], ["c2"], name="second"),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    model = made("convolution", nodes, 64, {"probabilities": ("float", [10])}, constants)
    write(folder, "net-convolution", model, {"X": rng.normal(size=(COUNT, 64)).astype(np.float32)}, NEAR, output="probabilities")


def main() -> None:
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    scikit_learn(folder)
    columns(folder)
    ensembles(folder)
    ensembles_of_version_five(folder)
    support_vectors(folder)
    nets(folder)


if __name__ == "__main__":
    main()
