"""The models of scikit-learn that the tests train, and the rows that they are asked about.

Seeded: a second run with the same versions trains the same models.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn import set_config
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

SEED = 2013
TRAINING = 1500
NUMBERS = ["age", "fare", "hour", "temp"]
TEXTS = ["carrier", "note"]
# How close a prediction has to be: to the bit, to the last bits of an exponential, or relative to the greatest.
BITS, LINK, SUMS = "bits", "link", "sums"


@dataclass
class Case:
    """A model, what it is trained for, and which odd values its rows may have."""

    name: str
    model: Any
    target: str
    exact: str
    # `matrix` (an array without names), `frame`, `categories`, or numbers alone of which all are `single` or `half-single`.
    inputs: str = "matrix"
    # Whether it is trained on single precision, and asked in double.
    fitted_single: bool = False
    nan: bool = False
    infinite: bool = False
    unseen: bool = False
    columns: list[str] = field(default_factory=lambda: [*NUMBERS, *TEXTS])


def mixed(numbers: Any, texts: Any, **more: Any) -> ColumnTransformer:
    return ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)], **more)


def imputed(*then: Any) -> Any:
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), *then)


def texts(encoder: Any) -> Any:
    return make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)


def linear_cases() -> Iterator[Case]:
    regressors = {
        "linear": LinearRegression(),
        "ridge": Ridge(alpha=0.3),
        "lasso": Lasso(alpha=0.01),
        "elastic-net": ElasticNet(alpha=0.01),
        "huber": HuberRegressor(max_iter=2000),
        "linear-svr": LinearSVR(max_iter=10_000),
        "sgd-regressor": make_pipeline(StandardScaler(), SGDRegressor(random_state=SEED)),
    }
    for name, model in regressors.items():
        yield Case(name, model, "regression", SUMS)
    yield Case("ridge-of-two", Ridge(), "two-numbers", SUMS)
    yield Case("poisson", PoissonRegressor(max_iter=500), "count", SUMS)
    yield Case("gamma", GammaRegressor(max_iter=500), "count", SUMS)
    yield Case("tweedie", TweedieRegressor(power=1.5, max_iter=500), "count", SUMS)
    yield Case("tweedie-normal", TweedieRegressor(power=0), "regression", SUMS)
    classifiers = {
        "logistic": LogisticRegression(max_iter=2000),
        "logistic-cv": LogisticRegressionCV(
            Cs=3, cv=3, max_iter=2000, l1_ratios=(0.0,), use_legacy_attributes=False
        ),
        "sgd-log": SGDClassifier(loss="log_loss", random_state=SEED),
        "sgd-huber": SGDClassifier(loss="modified_huber", random_state=SEED),
        "sgd-hinge": SGDClassifier(random_state=SEED),
        "perceptron": Perceptron(random_state=SEED),
        "ridge-classifier": RidgeClassifier(),
        "linear-svc": LinearSVC(max_iter=10_000),
    }
    for name, model in classifiers.items():
        for target in ("binary", "multiclass"):
            yield Case(f"{name}-{target}", make_pipeline(StandardScaler(), model), target, SUMS)
    for name, scaler in {
        "sparse-standard": StandardScaler(with_mean=False),
        "sparse-max-abs": MaxAbsScaler(),
    }.items():
        both = mixed(imputed(StandardScaler()), texts(OneHotEncoder(handle_unknown="ignore")), sparse_threshold=1.0)
        model = make_pipeline(both, scaler, LogisticRegression(max_iter=2000))
        yield Case(name, model, "binary", SUMS, "frame", nan=True, unseen=True)
    expanded = make_pipeline(StandardScaler(), PolynomialFeatures(3), StandardScaler(), Ridge())
    yield Case("polynomial", expanded, "regression", SUMS)
    yield Case("search", GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3), "regression", SUMS)


def net_cases() -> Iterator[Case]:
    for name, target, options in [
        ("binary-relu", "binary", {"hidden_layer_sizes": (16,)}),
        ("multiclass-tanh", "multiclass", {"hidden_layer_sizes": (32, 17), "activation": "tanh"}),
        ("binary-identity", "binary", {"hidden_layer_sizes": (3,), "activation": "identity"}),
    ]:
        net = MLPClassifier(**options, max_iter=60, random_state=SEED)
        yield Case(f"net-{name}", make_pipeline(StandardScaler(), net), target, SUMS)
    for name, options in {"logistic": {"activation": "logistic"}, "large": {"hidden_layer_sizes": (100, 50, 20)}}.items():
        net = MLPRegressor(**options, max_iter=60, random_state=SEED)
        yield Case(f"net-regressor-{name}", make_pipeline(StandardScaler(), net), "regression", SUMS)


def tree_cases() -> Iterator[Case]:
    for target in ("binary", "multiclass"):
        yield Case(f"tree-{target}", DecisionTreeClassifier(max_depth=9), target, BITS, nan=True)
        forest = RandomForestClassifier(40, max_depth=8, random_state=SEED)
        yield Case(f"forest-{target}", forest, target, BITS, nan=True)
        extra = ExtraTreesClassifier(30, max_depth=7, random_state=SEED)
        yield Case(f"extra-{target}", extra, target, BITS)
        boosted = GradientBoostingClassifier(n_estimators=30, random_state=SEED)
        yield Case(f"boosted-{target}", boosted, target, LINK)
        histogram = HistGradientBoostingClassifier(max_iter=40)
        yield Case(f"histogram-{target}", histogram, target, LINK, nan=True, infinite=True)
        named = HistGradientBoostingClassifier(max_iter=40, categorical_features="from_dtype")
        yield Case(
            f"histogram-categories-{target}", named, target, LINK, "categories", nan=True, infinite=True, unseen=True
        )
    yield Case("boosted-exponential", GradientBoostingClassifier(loss="exponential", n_estimators=20), "binary", LINK)
    yield Case("tree-regression", DecisionTreeRegressor(), "regression", BITS, nan=True)
    yield Case("tree-of-one-leaf", DecisionTreeRegressor(max_depth=1, min_samples_leaf=1000), "regression", BITS)
    yield Case("extra-tree", ExtraTreeRegressor(random_state=SEED), "regression", BITS)
    yield Case("forest-large", RandomForestRegressor(200, random_state=SEED), "regression", BITS, nan=True)
    yield Case("extra-regression", ExtraTreesRegressor(30, max_depth=9, random_state=SEED), "regression", BITS)
    for loss in ("squared_error", "huber", "quantile"):
        model = GradientBoostingRegressor(loss=loss, n_estimators=40, random_state=SEED)
        yield Case(f"boosted-{loss}", model, "regression", BITS)
    from_zero = GradientBoostingRegressor(init="zero", n_estimators=20, random_state=SEED)
    yield Case("boosted-from-zero", from_zero, "regression", BITS)
    for loss, exact in {"squared_error": BITS, "poisson": LINK, "gamma": LINK, "absolute_error": BITS}.items():
        model = HistGradientBoostingRegressor(loss=loss, max_iter=40, monotonic_cst=[1, 0, 0, 0])
        yield Case(f"histogram-{loss}", model, "count", exact, nan=True, infinite=True)
    codes = HistGradientBoostingRegressor(max_iter=40, categorical_features=[2])
    yield Case("histogram-numbered-category", codes, "regression", BITS, nan=True)


def transformer_cases() -> Iterator[Case]:
    """A tree at the end shows every bit of what comes before."""
    scalers = {
        "standard": StandardScaler(),
        "standard-no-mean": StandardScaler(with_mean=False),
        "min-max": MinMaxScaler((-1, 2)),
        "min-max-clip": MinMaxScaler(clip=True),
        "max-abs": MaxAbsScaler(),
        "robust": RobustScaler(),
        "identity": FunctionTransformer(),
    }
    for name, scaler in scalers.items():
        model = make_pipeline(scaler, DecisionTreeRegressor(max_depth=10))
        yield Case(f"scaled-{name}", model, "regression", BITS, nan=name != "identity")
    for norm in ("l1", "l2", "max"):
        yield Case(f"normalized-{norm}", make_pipeline(Normalizer(norm), LinearRegression()), "regression", SUMS)
    for encode in ("ordinal", "onehot", "onehot-dense"):
        bins = KBinsDiscretizer(6, encode=encode, quantile_method="averaged_inverted_cdf")
        yield Case(f"bins-{encode}", make_pipeline(bins, DecisionTreeRegressor(max_depth=7)), "regression", BITS)
    powers = make_pipeline(PolynomialFeatures(3, include_bias=False), DecisionTreeRegressor(max_depth=9))
    yield Case("powers", powers, "regression", BITS)
    crossed = make_pipeline(PolynomialFeatures(2, interaction_only=True), DecisionTreeRegressor(max_depth=9))
    yield Case("crossed", crossed, "regression", BITS)
    for strategy in ("mean", "median", "most_frequent", "constant"):
        imputer = SimpleImputer(strategy=strategy, add_indicator=strategy == "mean")
        model = make_pipeline(imputer, ExtraTreeRegressor(max_depth=9, random_state=SEED))
        yield Case(f"imputed-{strategy}", model, "regression", BITS, nan=True)
    minus = make_pipeline(SimpleImputer(missing_values=0, strategy="mean"), DecisionTreeRegressor(max_depth=9))
    yield Case("imputed-zero", minus, "regression", BITS)
    union = FeatureUnion([("indicator", MissingIndicator()), ("imputer", SimpleImputer())])
    yield Case("indicated", make_pipeline(union, DecisionTreeRegressor(max_depth=9)), "regression", BITS, nan=True)
    encoders: dict[str, Callable[[], Any]] = {
        "ignore": lambda: OneHotEncoder(handle_unknown="ignore"),
        "error": lambda: OneHotEncoder(),
        "drop-first": lambda: OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False),
        "drop-binary": lambda: OneHotEncoder(drop="if_binary"),
        "infrequent": lambda: OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=120),
        "few": lambda: OneHotEncoder(handle_unknown="warn", max_categories=3, drop="first"),
        "ordinal": lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        "ordinal-error": lambda: OrdinalEncoder(),
        "ordinal-infrequent": lambda: OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=99, max_categories=3
        ),
    }
    for name, encoder in encoders.items():
        unseen = "error" not in name and name != "drop-binary"
        model = make_pipeline(mixed(imputed(), texts(encoder())), DecisionTreeClassifier(max_depth=12))
        yield Case(f"encoded-{name}", model, "binary", BITS, "frame", nan=True, unseen=unseen)
    for name, encoder in {
        "one-hot": OneHotEncoder(handle_unknown="ignore"),
        "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    }.items():
        every = ColumnTransformer([("all", encoder, [*TEXTS, "hour"])], remainder="passthrough")
        trees = make_pipeline(every, HistGradientBoostingClassifier(max_iter=20))
        if name == "one-hot":
            trees.steps[0][1].sparse_threshold = 0
        yield Case(f"missing-category-{name}", trees, "binary", LINK, "frame", nan=True, unseen=True)
    dropping = make_column_transformer((SimpleImputer(), ["age"]), ("passthrough", ["hour"]))
    yield Case("dropping", make_pipeline(dropping, DecisionTreeRegressor(max_depth=6)), "regression", BITS, "frame", nan=True)


def calibrated_cases() -> Iterator[Case]:
    for target in ("binary", "multiclass"):
        svc = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
        yield Case(f"calibrated-sigmoid-{target}", CalibratedClassifierCV(svc, cv=3), target, SUMS)
        forest = RandomForestClassifier(10, max_depth=6, random_state=SEED)
        isotonic = CalibratedClassifierCV(forest, method="isotonic", cv=3)
        yield Case(f"calibrated-isotonic-{target}", isotonic, target, BITS, nan=True)
    once = CalibratedClassifierCV(GradientBoostingClassifier(n_estimators=10), method="isotonic", ensemble=False)
    yield Case("calibrated-once", once, "binary", BITS)


def single_cases() -> Iterator[Case]:
    """Columns of single precision, and models that were trained on it."""
    for target in ("binary", "multiclass"):
        logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        yield Case(f"fitted-single-logistic-{target}", logistic, target, SUMS, fitted_single=True)
    net = MLPClassifier(max_iter=60, random_state=SEED)
    yield Case("fitted-single-net", make_pipeline(MinMaxScaler(), net), "multiclass", SUMS, fitted_single=True)
    yield Case("fitted-single-ridge", Ridge(), "regression", SUMS, fitted_single=True)
    imputed_ridge = make_pipeline(SimpleImputer(), RobustScaler(), Ridge())
    yield Case("fitted-single-imputed", imputed_ridge, "regression", SUMS, nan=True, fitted_single=True)
    forest = RandomForestRegressor(40, max_depth=9, random_state=SEED)
    yield Case("fitted-single-forest", forest, "regression", BITS, nan=True, fitted_single=True)
    forest = RandomForestClassifier(40, max_depth=8, random_state=SEED)
    yield Case("single-forest", forest, "multiclass", BITS, "single", nan=True)
    boosted = GradientBoostingRegressor(n_estimators=30, random_state=SEED)
    yield Case("single-boosted", boosted, "regression", BITS, "single")
    histogram = HistGradientBoostingRegressor(max_iter=40)
    yield Case("single-histogram", histogram, "regression", BITS, "single", nan=True, infinite=True)
    tree = make_pipeline(SimpleImputer(add_indicator=True), DecisionTreeRegressor(max_depth=9))
    yield Case("single-imputed", tree, "regression", BITS, "single", nan=True)
    tree = make_pipeline(KBinsDiscretizer(6, encode="ordinal"), DecisionTreeRegressor(max_depth=6))
    yield Case("single-binned", tree, "regression", BITS, "single")
    tree = make_pipeline(StandardScaler(), PolynomialFeatures(2), DecisionTreeRegressor(max_depth=9))
    yield Case("half-single-scaled", tree, "regression", BITS, "half-single")
    yield Case("half-single-ridge", Ridge(), "regression", SUMS, "half-single")


def cases() -> list[Case]:
    """All models, not yet trained."""
    kinds = [linear_cases, net_cases, tree_cases, transformer_cases, calibrated_cases, single_cases]
    return [case for kind in kinds for case in kind()]


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Rows like those of training: numbers on a grid, so that many lie on thresholds, and texts."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": np.round(random.normal(40, 12, rows), 1),
            "fare": np.round(random.exponential(30, rows), 2),
            "hour": random.integers(0, 24, rows).astype(float),
            "temp": random.normal(0, 1, rows).astype(np.float32).astype(float),
            "carrier": random.choice(["AA", "UA", "B6", "Ö9", "x y", "WN"], rows, p=[0.4, 0.3, 0.15, 0.08, 0.05, 0.02]),
            "note": random.choice(["late", "early", ""], rows),
        }
    )


def with_missing(data: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same with gaps."""
    random = np.random.default_rng(seed)
    data = data.copy()
    for name in ["age", "temp"]:
        data.loc[random.random(len(data)) < 0.1, name] = np.nan
    data["note"] = data["note"].astype(object)
    data.loc[data["note"] == "", "note"] = np.nan
    return data


def targets(data: pd.DataFrame, target: str) -> Any:
    random = np.random.default_rng(SEED + 1)
    score = (
        0.05 * data["age"].fillna(40)
        + np.sin(data["hour"] / 3)
        + 0.01 * data["fare"]
        + 0.5 * (data["carrier"] == "UA")
        - 0.4 * (data["note"] == "late")
        + random.normal(0, 0.7, len(data))
    )
    if target == "regression":
        return score
    if target == "two-numbers":
        return np.stack([score, data["fare"] - score], axis=1)
    if target == "count":
        return np.exp(score / 3) + 0.01
    if target == "binary":
        return np.where(score > 2.6, "late", "on time")
    return np.digitize(score, [2.0, 2.8]) * 10


def matrix_of(case: Case, data: pd.DataFrame) -> Any:
    """The rows as the model of a case gets them."""
    if case.inputs == "matrix":
        return data[NUMBERS].to_numpy()
    if case.inputs == "single":
        with np.errstate(over="ignore"):
            return data[NUMBERS].astype(np.float32)
    if case.inputs == "half-single":
        with np.errstate(over="ignore"):
            return data[NUMBERS].astype({"age": np.float32, "hour": np.float32})
    if case.inputs == "categories":
        return data.astype({name: pd.CategoricalDtype(sorted(set(data[name].dropna()))) for name in TEXTS})
    return data


def trained(case: Case) -> Any:
    """Trains the model of a case; the rows of training have gaps where it takes them."""
    set_config(enable_metadata_routing=False)
    data = with_gaps(case, frame(TRAINING, SEED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = matrix_of(case, data)
        return case.model.fit(rows.astype(np.float32) if case.fitted_single else rows, targets(data, case.target))


def with_gaps(case: Case, data: pd.DataFrame) -> pd.DataFrame:
    return with_missing(data, SEED + 2) if case.nan else data.replace({"note": {"": "none"}})


def thresholds(model: Any) -> dict[int, np.ndarray]:
    """Thresholds of trees that look at the rows themselves, by column."""
    found: dict[int, list[float]] = {}
    fitted = [model, *np.ravel(getattr(model, "estimators_", []))]
    for one in fitted:
        tree = getattr(one, "tree_", None)
        for feature, threshold in zip(tree.feature, tree.threshold) if tree is not None else []:
            if feature >= 0:
                found.setdefault(int(feature), []).append(float(threshold))
    for stage in getattr(model, "_predictors", []):
        for predictor in stage:
            nodes = predictor.nodes[(predictor.nodes["is_leaf"] == 0) & (predictor.nodes["is_categorical"] == 0)]
            for node in nodes:
                if model._preprocessor is None:
                    found.setdefault(int(node["feature_idx"]), []).append(float(node["num_threshold"]))
    return {feature: np.unique(values) for feature, values in found.items()}


def questions(case: Case, model: Any, rows: int) -> pd.DataFrame:
    """Rows that the model is asked about: like those of training, on thresholds and one step beside, odd, and some that are refused."""
    random = np.random.default_rng(SEED + 3)
    data = with_gaps(case, frame(rows, SEED + 4))
    numbers = data[NUMBERS].to_numpy(copy=True)
    for column, values in thresholds(model).items():
        there = random.random(rows) < 0.3
        chosen = random.choice(values[np.isfinite(values)], there.sum()) if np.isfinite(values).any() else 0.0
        beside = random.integers(0, 5, there.sum())
        near = np.select(
            [beside == 0, beside == 1, beside == 2, beside == 3],
            [
                np.nextafter(chosen, -np.inf),
                np.nextafter(chosen, np.inf),
                np.nextafter(np.float32(chosen), np.float32(-np.inf)).astype(float),
                np.nextafter(np.float32(chosen), np.float32(np.inf)).astype(float),
            ],
            chosen,
        )
        numbers[there, column] = near
    odd = [0.0, -0.0, 1e-40, -1e-310, 1e30, -1e30, 16777217.0, -1.0, 0.5]
    odd += [np.nan] * case.nan + [np.inf, -np.inf, 1e300] * case.infinite
    there = random.random(numbers.shape) < 0.02
    numbers[there] = random.choice(odd, there.sum())
    # Some that scikit-learn may refuse, for a reason each.
    refused = [np.nan, np.inf, -np.inf, 1e39, 3.4028235677973366e38, 3.4028235677973362e38]
    for row, value in enumerate(refused * len(NUMBERS)):
        numbers[row, row % len(NUMBERS)] = value
    data[NUMBERS] = numbers
    if case.inputs in ("frame", "categories"):
        data = data.astype(dict.fromkeys(TEXTS, object))
        there = random.random(rows) < 0.05
        some = there if case.unseen else there & (np.arange(rows) < 100)
        data.loc[some, "carrier"] = random.choice(np.array(["ZZ", "aa", "AA ", np.nan], object), some.sum())
    return data


def suspicious(data: pd.DataFrame, case: Case) -> np.ndarray:
    """Rows that scikit-learn may refuse: they are asked one by one."""
    numbers = data[NUMBERS].to_numpy()
    # The third power of 1e13 is beyond single precision.
    odd = (~np.isfinite(numbers) | (abs(numbers) > 1e12)).any(axis=1)
    odd &= ~np.isnan(numbers).any(axis=1) | (not case.nan) | (np.arange(len(data)) < 100)
    if case.infinite:
        odd &= np.arange(len(data)) < 100
    if case.name == "indicated":
        # A missing value is refused in a column that had none in training.
        odd |= np.isnan(numbers).any(axis=1)
    if case.inputs in ("frame", "categories") and not case.unseen:
        odd |= np.arange(len(data)) < 100
    return odd


def answers(case: Case, model: Any, data: pd.DataFrame) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What scikit-learn says to the rows, and which it refuses."""
    asked = matrix_of(case, data)
    refused = np.zeros(len(data), bool)
    for row in np.flatnonzero(suspicious(data, case)):
        try:
            model.predict(asked[row : row + 1])
        except ValueError:
            refused[row] = True
    asked = asked[~refused]
    found: dict[str, np.ndarray] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not hasattr(model, "classes_"):
            found["prediction"] = model.predict(asked).reshape(len(asked), -1)
        else:
            found["label"] = model.predict(asked)
            if hasattr(model, "predict_proba"):
                found["probabilities"] = model.predict_proba(asked)
            if hasattr(model, "decision_function"):
                found["decision"] = model.decision_function(asked).reshape(len(asked), -1)
    return found, refused
