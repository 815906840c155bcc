"""Support vector machines, as skl2onnx writes them, with every kernel."""

from pathlib import Path

import numpy as np
from onnx import helper
from skl2onnx import to_onnx
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from graphs import COUNT, NEAR, WIDTH, made, write


def support_vectors(folder: Path) -> None:
    """Writes classifiers with and without probabilities, regressors, and machines of columns."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(400, WIDTH)).astype(np.float32)
    score = x[:, 0] + x[:, 1] * x[:, 2]
    two, four, number = (score > 0).astype(int), np.digitize(score, [-1, 0, 1]), score + rng.normal(size=len(x)) / 5
    names = np.array(["früh", "on time", "late", "never"])[four]
    models = {
        "rbf": (SVC(), two),
        "linear": (SVC(kernel="linear"), two),
        "poly": (SVC(kernel="poly", degree=3, coef0=1.0), four),
        "poly-two": (SVC(kernel="poly", degree=2, coef0=0.5), two),
        "poly-five": (SVC(kernel="poly", degree=5, gamma=0.1, coef0=1.0), two),
        "sigmoid": (SVC(kernel="sigmoid", gamma=0.1, coef0=0.2), four),
        "names": (make_pipeline(StandardScaler(), SVC()), names),
        "nu": (NuSVC(nu=0.3), four),
        "probability": (SVC(probability=True, random_state=3), two),
        "probabilities": (SVC(probability=True, random_state=3), names),
        "regression": (SVR(), number),
        "regression-linear": (SVR(kernel="linear"), number),
        "regression-poly": (NuSVR(kernel="poly", degree=3, coef0=1.0), number),
    }
    for name, (model, target) in models.items():
        model.fit(x, target)
        options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
        converted = to_onnx(model, x[:1], options=options)
        rows = x[rng.integers(0, len(x), COUNT)] + rng.normal(size=(COUNT, WIDTH)).astype(np.float32)
        odd = rng.random(rows.shape) < 0.02
        rows[odd] = rng.choice(np.array([0.0, -0.0, 1e-40, 100.0, -100.0, np.nan, np.inf, -np.inf], dtype=np.float32), int(odd.sum()))
        write(folder, f"vectors-{name}", converted, {"X": rows}, NEAR)
    node = helper.make_node(
        "SVMRegressor",
        ["X"],
        ["Y"],
        domain="ai.onnx.ml",
        name="columns",
        coefficients=[float(value) for value in rng.normal(size=WIDTH)],
        kernel_params=[0.0, 0.0, 0.0],
        rho=[0.5],
        n_supports=0,
    )
    rows = rng.normal(size=(COUNT, WIDTH)).astype(np.float32)
    write(folder, "vectors-columns", made("columns", [node], WIDTH, {"Y": ("float", [1])}, {}), {"X": rows}, NEAR)
