"""Trains models of scikit-learn, exports them, and writes what scikit-learn predicts: `train.py FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# One thread, so that sums have one order, and before numpy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "sdk" / "sklearn")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from cases import BITS, LINK, Case, answers, cases, frame, matrix_of, questions, trained, with_gaps  # noqa: E402
from golden import Golden  # noqa: E402
from understudy_sklearn import document, export  # noqa: E402

ROWS = 10_500
KEPT = 10_000
DATATYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64", "int32": "INT32", "bool": "BOOL", "text": "BYTES"}
# Sums have another order than those of BLAS; an exponential is of another library.
SUMS_NEAR = {"relative": 1e-12, "absolute": 1e-12}
LINK_NEAR = {"ulp": 8}


def near(case: Case, raw: bool) -> dict[str, float]:
    if case.exact == BITS or (case.exact == LINK and raw):
        return {"ulp": 0}
    return LINK_NEAR if case.exact == LINK else SUMS_NEAR


def ask(golden: Golden, case: Case, columns: list[dict[str, str]], data: pd.DataFrame) -> None:
    """Adds the inputs as a request has them: a missing text is empty."""
    if case.inputs == "matrix":
        golden.input("features", matrix_of(case, data))
        return
    for column in columns:
        values = data[column["name"]]
        if column["type"] == "text":
            values = values.astype(object).where(values.notna(), "")
        golden.input(column["name"], values.to_numpy(), DATATYPES[column["type"]])


def expect(golden: Golden, case: Case, found: dict[str, np.ndarray]) -> None:
    """Adds the outputs that the task has, in their order."""
    predicted, raw = near(case, raw=False), near(case, raw=True)
    decision = found.get("decision")
    if "prediction" in found:
        golden.output("prediction", found["prediction"], **predicted)
        return
    first = "decision"
    if "probabilities" in found:
        binary = found["probabilities"].shape[1] == 2
        first = "probability" if binary else "probabilities"
        golden.output(first, found["probabilities"][:, 1:] if binary else found["probabilities"], **predicted)
    else:
        golden.output(first, decision, **raw)
    label = found["label"]
    golden.output("label", label, "INT64" if label.dtype.kind == "i" else "BYTES")
    if decision is not None and first != "decision":
        golden.output("raw", decision, **raw)


def train(folder: Path, case: Case) -> None:
    model = trained(case)
    like = None if case.inputs == "matrix" else matrix_of(case, with_gaps(case, frame(200, 1)))
    columns = document(model, like)["columns"]
    data = questions(case, model, ROWS)
    found, refused = answers(case, model, data)
    options = {"raw": "decision" in found and "probabilities" in found}

    golden = Golden(folder / case.name, "model.json")
    export(model, golden.file, like)
    ask(golden, case, columns, data[~refused][:KEPT])
    expect(golden, case, {name: values[:KEPT] for name, values in found.items()})
    golden.write(**options)
    if refused.any():
        golden = Golden(folder / case.name / "refused", "model.json")
        export(model, golden.file, like)
        ask(golden, case, columns, data[refused])
        golden.write(**options)


def main(folder: Path, *names: str) -> None:
    for case in cases():
        if not names or case.name in names:
            train(folder, case)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
