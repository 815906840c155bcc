"""Support vector machines, as skl2onnx writes them, with every kernel."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper
from skl2onnx import to_onnx
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from graphs import COUNT, NEAR, WIDTH, made, write


ODD = np.array([0.0, -0.0, 1e-40, 4.0, -4.0, np.nan, np.inf, -np.inf], dtype=np.float32)


def terms(model: Any, rows: np.ndarray) -> float:
    """The greatest sum of absolute terms, which is what single precision rounds; at least 1."""
    finite = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
    if hasattr(model, "steps"):
        finite, model = model[:-1].transform(finite), model[-1]
    options = {"gamma": model._gamma, "coef0": model.coef0, "degree": model.degree}
    kernel = pairwise_kernels(finite, model.support_vectors_, metric=model.kernel, filter_params=True, **options)
    return max(1.0, float((abs(kernel) @ abs(model.dual_coef_).T).max()))


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
        rows[odd] = rng.choice(ODD, int(odd.sum()))
        near = NEAR if name.startswith("probabilit") else {"relative": 1e-5, "absolute": 1e-6 * terms(model, rows)}
        write(folder, f"vectors-{name}", converted, {"X": rows}, near)
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
