"""What the package writes, read back by FORMAT.md alone, and what it refuses: `python -m unittest`."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from interpret import interpret
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from understudy_sklearn import ExportError, Unsupported, document, export

RANDOM = np.random.default_rng(7)
ROWS = 300
DATA = pd.DataFrame(
    {
        "age": np.where(RANDOM.random(ROWS) < 0.1, np.nan, RANDOM.normal(size=ROWS)),
        "hour": RANDOM.integers(0, 24, ROWS).astype("int32"),
        "carrier": RANDOM.choice(np.array(["AA", "UA", np.nan], object), ROWS),
        "late": RANDOM.random(ROWS) < 0.5,
    }
)
CLASSES = np.where(RANDOM.random(ROWS) < 0.4, "yes", "no")
NUMBERS = RANDOM.normal(size=(ROWS, 3))


def columns_of(given: dict[str, Any], data: Any) -> list[np.ndarray]:
    if isinstance(data, np.ndarray):
        return list(data.T)
    columns = [data[it["name"]].astype(object) for it in given["columns"]]
    return [it.where(it.notna(), "" if like["type"] == "text" else np.nan).to_numpy() for it, like in zip(columns, given["columns"], strict=True)]


class RoundTrip(unittest.TestCase):
    def check(self, model: Any, data: Any) -> dict[str, Any]:
        """The file says what the model says."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            export(model, path, data if isinstance(data, pd.DataFrame) else None)
            text = path.read_text(encoding="utf-8")
            export(model, path, data if isinstance(data, pd.DataFrame) else None)
            self.assertEqual(path.read_text(encoding="utf-8"), text, "the same model gives the same file")
        given = json.loads(text, parse_constant=self.fail)
        found = interpret(given, columns_of(given, data))
        self.assertFalse(found["refused"].any())
        if hasattr(model, "classes_"):
            self.assertEqual(found["label"].tolist(), model.predict(data).tolist())
            if hasattr(model, "predict_proba"):
                np.testing.assert_allclose(found["probabilities"], model.predict_proba(data), rtol=1e-12)
        else:
            np.testing.assert_allclose(found["prediction"][:, 0], model.predict(data), rtol=1e-12)
        return given

    def test_a_pipeline_of_columns(self) -> None:
        encoded = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
        columns = ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age", "hour"]),
                ("texts", encoded, ["carrier"]),
            ]
        )
        given = self.check(make_pipeline(columns, LogisticRegression()).fit(DATA, CLASSES), DATA)
        self.assertEqual(
            given["columns"],
            [
                {"name": "age", "type": "float64"},
                {"name": "hour", "type": "int32"},
                {"name": "carrier", "type": "text", "missing": ""},
            ],
        )
        self.assertEqual(given["model"], "Pipeline(ColumnTransformer, LogisticRegression)")

    def test_trees(self) -> None:
        forest = RandomForestClassifier(5, random_state=1)
        self.check(forest.fit(NUMBERS, RANDOM.integers(0, 3, ROWS)), NUMBERS)
        self.check(GradientBoostingRegressor(n_estimators=5).fit(NUMBERS, NUMBERS[:, 0] ** 2), NUMBERS)
        frame = DATA.astype({"carrier": "category"})
        boosted = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
        self.check(boosted.fit(frame, DATA["late"]), frame)

    def test_calibration(self) -> None:
        self.check(CalibratedClassifierCV(LinearSVC(), cv=2).fit(NUMBERS, CLASSES), NUMBERS)

    def test_columns_of_single_precision(self) -> None:
        single = pd.DataFrame(NUMBERS.astype("float32"), columns=["a", "b", "c"])
        self.check(DecisionTreeClassifier().fit(single, CLASSES), single)
        mixed = single.assign(d=NUMBERS[:, 0])
        self.check(LogisticRegression().fit(mixed, CLASSES), mixed)
        # Fitted on single precision, and asked in double.
        gaps = np.where(np.arange(NUMBERS.size).reshape(NUMBERS.shape) % 7 == 0, np.nan, NUMBERS)
        model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
        self.check(model.fit(gaps.astype("float32"), CLASSES), gaps)

    def test_types_follow_from_what_the_model_does(self) -> None:
        columns = ColumnTransformer([("texts", OrdinalEncoder(encoded_missing_value=-1), ["carrier"])], remainder="passthrough")
        model = make_pipeline(columns, DecisionTreeClassifier()).fit(DATA[["carrier", "age"]], CLASSES)
        types = {it["name"]: it["type"] for it in document(model)["columns"]}
        self.assertEqual(types, {"carrier": "text", "age": "float64"})


class Refusals(unittest.TestCase):
    def check(self, model: Any, expected: str, columns: Any = None, kind: type = Unsupported) -> None:
        with self.assertRaises(kind) as caught:
            document(model, columns)
        self.assertIn(expected, str(caught.exception))

    def test_classes_are_refused_by_name(self) -> None:
        for model in [SVC(), GaussianNB(), VotingClassifier([("a", GaussianNB())])]:
            name = type(model).__name__
            self.check(model.fit(NUMBERS, CLASSES), f"model: the estimator {name} is not supported")
        self.check(KMeans(2).fit(NUMBERS), "the estimator KMeans is not supported")
        inside = make_pipeline(KNNImputer(), LinearRegression()).fit(NUMBERS, NUMBERS[:, 0])
        self.check(inside, "knnimputer: the transformer KNNImputer is not supported")

        class Own(LinearRegression):
            """Whatever it does."""

        self.check(Own().fit(NUMBERS, NUMBERS[:, 0]), "Own is not supported")

    def test_parameters_are_refused_by_name(self) -> None:
        logs = make_pipeline(FunctionTransformer(np.abs), LinearRegression()).fit(NUMBERS, NUMBERS[:, 0])
        self.check(logs, "FunctionTransformer(func=<ufunc 'absolute'>) is not supported")
        custom = GradientBoostingRegressor(init=LinearRegression(), n_estimators=2)
        self.check(custom.fit(NUMBERS, NUMBERS[:, 0]), "GradientBoostingRegressor(init=LinearRegression()) is not")
        several = DecisionTreeClassifier().fit(NUMBERS, NUMBERS[:, :2] > 0)
        self.check(several, "DecisionTreeClassifier of 2 outputs is not supported")

    def test_arithmetic_in_single_precision_is_refused(self) -> None:
        single = pd.DataFrame(NUMBERS.astype("float32"), columns=["a", "b", "c"])
        scaled = make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit(single, CLASSES)
        with self.assertRaisesRegex(Unsupported, "standardscaler > StandardScaler: arithmetic on columns that are all of float32 .`a`, `b`, `c`"):
            document(scaled, single)
        # Asked in double precision, scikit-learn calculates in it.
        self.assertEqual(document(scaled, dict.fromkeys("abc", "float64"))["columns"][0]["type"], "float64")
        with self.assertRaisesRegex(Unsupported, "LogisticRegression: arithmetic on columns that are all of float32"):
            document(LogisticRegression().fit(single, CLASSES), dict.fromkeys("abc", "float32"))
        # Beside one of double precision they are widened, but for a part of them alone.
        mixed = single.assign(d=NUMBERS[:, 0])
        part = ColumnTransformer([("part", StandardScaler(), ["a", "b"])], remainder="passthrough")
        with self.assertRaisesRegex(Unsupported, "part > StandardScaler: arithmetic on columns that are all of float32 .`a`, `b`"):
            document(make_pipeline(part, DecisionTreeClassifier()).fit(mixed, CLASSES), mixed)
        # Small whole numbers and truths do not widen anything.
        small = single.assign(d=np.zeros(ROWS, "int8"))
        with self.assertRaisesRegex(Unsupported, "arithmetic on columns"):
            document(LogisticRegression().fit(small, CLASSES), small)

    def test_what_does_not_fit_is_refused(self) -> None:
        self.check(LinearRegression(), "not fitted", kind=ExportError)
        scaled = StandardScaler().fit(NUMBERS)
        self.check(scaled, "StandardScaler as the last step")
        model = LinearRegression().fit(DATA[["hour"]], NUMBERS[:, 0])
        self.check(model, "found ['minute'], and the model was fitted on ['hour']", ["minute"], ExportError)
        self.check(model, "`hour` is 'float16', expected one of", {"hour": "float16"}, ExportError)
        self.check(model, "takes numbers, and column `hour` holds texts", {"hour": "text"}, ExportError)


if __name__ == "__main__":
    unittest.main()
