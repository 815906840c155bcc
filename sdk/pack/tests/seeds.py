"""Trains tiny models with the real libraries, as seeds for the test of hostile files: `seeds.py FOLDER`.

What they predict is of no matter here; that each kind of list, table and node of a format is there, is. They are checked in, because
small files of other versions of the libraries would do as well.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

# One thread, so that the files are the same each time, and before numpy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sklearn"))

import catboost  # noqa: E402
import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import xgboost  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from skl2onnx.common.data_types import FloatTensorType  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler  # noqa: E402
from understudy_sklearn import export  # noqa: E402

ROWS = 400


def frame() -> tuple[pd.DataFrame, np.ndarray]:
    """Two numbers, one of them with gaps, a category, and what is to be predicted of them."""
    random = np.random.default_rng(7)
    hour, wind = random.integers(0, 24, ROWS).astype(float), random.normal(size=ROWS)
    carrier = random.choice(["AA", "B6", "UA"], ROWS)
    late = (hour + 4 * wind + 6 * (carrier == "UA") > 14).astype(int)
    wind[::9] = np.nan
    return pd.DataFrame({"hour": hour, "wind": wind, "carrier": pd.Categorical(carrier)}), late


def lightgbm_models(folder: Path, data: pd.DataFrame, late: np.ndarray) -> None:
    small = {"verbose": -1, "num_leaves": 4, "num_threads": 1, "deterministic": True, "min_data_per_group": 5}
    binary = lightgbm.train(small | {"objective": "binary"}, lightgbm.Dataset(data, late), 3)
    binary.save_model(folder / "lightgbm-binary.txt")
    numbers = data[["hour", "wind"]].fillna(0)
    linear = small | {"objective": "multiclass", "num_class": 3, "linear_tree": True}
    classes = (data["hour"] // 8).astype(int)
    lightgbm.train(linear, lightgbm.Dataset(numbers, classes), 1).save_model(folder / "lightgbm-linear.txt")


def xgboost_models(folder: Path, data: pd.DataFrame, late: np.ndarray) -> None:
    matrix = xgboost.DMatrix(data, late, enable_categorical=True)
    small = {"max_depth": 2, "nthread": 1, "objective": "binary:logistic"}
    xgboost.train(small, matrix, 2).save_model(folder / "xgboost-categories.json")
    xgboost.train(small | {"booster": "dart"}, matrix, 2).save_model(folder / "xgboost-dart.ubj")
    several = xgboost.DMatrix(data[["hour", "wind"]], data["hour"] // 8)
    shape = {"multi_strategy": "multi_output_tree", "num_class": 3, "objective": "multi:softprob"}
    xgboost.train(small | shape, several, 1).save_model(folder / "xgboost-vectors.ubj")
    xgboost.train({"booster": "gblinear", "nthread": 1}, several, 1).save_model(folder / "xgboost-linear.json")


def catboost_models(folder: Path, data: pd.DataFrame, late: np.ndarray) -> None:
    pool = catboost.Pool(data.astype({"carrier": str}), late, cat_features=["carrier"])
    small = {"iterations": 2, "depth": 2, "thread_count": 1, "verbose": False, "allow_writing_files": False, "border_count": 8}
    kinds = {"counts": {"one_hot_max_size": 2}, "one-hot": {"one_hot_max_size": 9, "grow_policy": "Depthwise"}}
    for name, options in kinds.items():
        model = catboost.CatBoostClassifier(**small, **options).fit(pool)
        model.save_model(folder / f"catboost-{name}.json", format="json")


def sklearn_models(folder: Path, data: pd.DataFrame, late: np.ndarray) -> None:
    data = data.astype({"carrier": str})
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((scaled, ["hour", "wind"]), (OneHotEncoder(handle_unknown="ignore"), ["carrier"]))
    export(make_pipeline(columns, LogisticRegression()).fit(data, late), folder / "sklearn-columns.json")
    codes = make_column_transformer(
        (OrdinalEncoder(), ["carrier"]), (KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), ["hour"])
    )
    net = MLPClassifier(hidden_layer_sizes=(2,), max_iter=5, random_state=1)
    export(make_pipeline(codes, net).fit(data, late), folder / "sklearn-net.json")
    numbers = data[["hour", "wind"]].to_numpy()
    forest = RandomForestClassifier(2, max_depth=2, random_state=1)
    export(forest.fit(np.nan_to_num(numbers), late), folder / "sklearn-forest.json")
    boosted = HistGradientBoostingClassifier(max_iter=2, max_depth=2, categorical_features=[0])
    export(boosted.fit(numbers, late), folder / "sklearn-boosted.json")


def onnx_models(folder: Path, data: pd.DataFrame, late: np.ndarray) -> None:
    numbers = data[["hour", "wind"]].fillna(0).to_numpy(np.float32)
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(2, max_depth=2, random_state=1))
    net = MLPRegressor(hidden_layer_sizes=(3,), max_iter=5, random_state=1)
    for name, model in {"forest": forest, "net": net}.items():
        model.fit(numbers, late)
        written = to_onnx(model, initial_types=[("x", FloatTensorType([None, 2]))], target_opset=18)
        (folder / f"onnx-{name}.onnx").write_bytes(written.SerializeToString())


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    data, late = frame()
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
        lightgbm_models(folder, data, late)
        xgboost_models(folder, data, late)
        catboost_models(folder, data, late)
        sklearn_models(folder, data, late)
        onnx_models(folder, data, late)


if __name__ == "__main__":
    main()
