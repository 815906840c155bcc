"""Times a library's own predict, in turns with somebody else: `native.py FOLDER`, where FOLDER is one of `tests/trained/speed/train.py`.

Prints `ready` when the model and the rows are there. Then, for each line of the input, `one` or `many`, it asks the library for a while,
and prints how many microseconds a row took: each row alone, or all 1,000 in one call. One thread does it all. Where a library has a
C interface, it is called, and what the way there from Python costs is measured as well, with a function that does nothing, and taken off.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

# How long the library is asked for one line of the input.
TURN_S = 0.03
DATATYPES = {"FP64": "<f8", "FP32": "<f4"}

Call = Callable[..., Any]
Arguments = tuple[Any, ...]


class Asking:
    """What is asked: a function with what it is given for each row alone, and one for all rows together."""

    def __init__(self, one: Call, each: list[Arguments], many: Call, together: Arguments, is_c: bool = False) -> None:
        self.one, self.each, self.many, self.together = one, each, many, together
        self.is_c = is_c

    def one_us(self) -> float:
        spent = us_of_a_call(self.one, self.each)
        return spent - us_of_a_call(nothing(), self.each) if self.is_c else spent

    def many_us(self) -> float:
        return us_of_a_call(self.many, [self.together]) / len(self.each)


def us_of_a_call(function: Call, calls: list[Arguments]) -> float:
    """The time of the processor that a call takes, of as many as fit into a turn."""
    spent, made, clock = 0, 0, time.process_time_ns
    while spent < TURN_S * 1e9:
        # A hundred at a time, since a round of a slow library takes seconds.
        begin = made % len(calls)
        some = calls[begin : begin + 100]
        started = clock()
        for arguments in some:
            function(*arguments)
        spent += clock() - started
        made += len(some)
    return spent / 1e3 / made


def nothing() -> Call:
    """A function of C that does next to nothing, whatever it is given."""
    return ctypes.CDLL(None).abs


class Rows:
    """The rows of a folder."""

    def __init__(self, folder: Path) -> None:
        document = json.loads((folder / "golden.json").read_text())
        self.count, self.model = document["rows"], str(folder / document["model"])
        self.columns: dict[str, np.ndarray] = {}
        with open(folder / "golden.bin", "rb") as file:
            for form in document["inputs"]:
                self.columns[form["name"]] = self._values(file, form)

    def _values(self, file: Any, form: dict[str, Any]) -> np.ndarray:
        count = self.count * form["width"]
        if form["datatype"] == "BYTES":
            texts = [file.read(int.from_bytes(file.read(4), "little")).decode() for _ in range(count)]
            return np.array(texts, dtype=object)
        datatype = np.dtype(DATATYPES[form["datatype"]])
        values = np.frombuffer(file.read(count * datatype.itemsize), datatype).copy()
        return values.reshape(self.count, form["width"]) if form["width"] > 1 else values

    def matrix(self) -> np.ndarray:
        (only,) = self.columns.values()
        return only

    def frame(self) -> Any:
        import pandas as pd

        return pd.DataFrame(self.columns)


def light_gbm(rows: Rows) -> Asking:
    import lightgbm
    from lightgbm.basic import _LIB

    matrix = rows.matrix()
    booster = lightgbm.Booster(model_file=rows.model)
    handle, into = booster._handle, (ctypes.c_double * rows.count)()
    length = ctypes.byref(ctypes.c_int64())
    normal, double, row_major = ctypes.c_int(0), ctypes.c_int(1), ctypes.c_int(1)
    all_trees = ctypes.c_int(0), ctypes.c_int(-1)
    width, threads, fast = ctypes.c_int32(matrix.shape[1]), b"num_threads=1", ctypes.c_void_p()
    _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(handle, normal, *all_trees, double, width, threads, ctypes.byref(fast))
    alone = [(fast, ctypes.c_void_p(row.ctypes.data), length, into) for row in matrix]
    places = ctypes.c_void_p(matrix.ctypes.data), double, ctypes.c_int32(rows.count), width, row_major
    together = (handle, *places, normal, *all_trees, threads, length, into)
    asking = Asking(_LIB.LGBM_BoosterPredictForMatSingleRowFast, alone, _LIB.LGBM_BoosterPredictForMat, together, is_c=True)
    # The interface takes pointers: what they point to has to stay.
    asking.kept = booster, matrix  # type: ignore[attr-defined]
    return asking


def xg_boost(rows: Rows) -> Asking:
    import xgboost
    from xgboost.core import _LIB

    matrix = rows.matrix()
    booster = xgboost.Booster({"nthread": 1}, model_file=rows.model)
    config = b'{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "missing": NaN, "strict_shape": false, "cache_id": 0}'
    shape, dims, found = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_float)()
    into = ctypes.byref(shape), ctypes.byref(dims), ctypes.byref(found)

    def asked(values: np.ndarray) -> Arguments:
        interface = {"data": [values.ctypes.data, True], "shape": values.shape, "typestr": "<f8", "version": 3, "strides": None}
        return booster.handle, json.dumps(interface).encode(), config, None, *into

    predict = _LIB.XGBoosterPredictFromDense
    asking = Asking(predict, [asked(matrix[at : at + 1]) for at in range(rows.count)], predict, asked(matrix), is_c=True)
    if predict(*asking.together) != 0:
        raise RuntimeError(_LIB.XGBGetLastError())
    asking.kept = booster, matrix  # type: ignore[attr-defined]
    return asking


def cat_boost(rows: Rows) -> Asking:
    """The wheel has no C interface. The rows are pools before, which is the larger part of what its `predict` does with an array."""
    import catboost

    model = catboost.CatBoost().load_model(str(Path(rows.model).parent / "native.cbm"))
    table = rows.frame() if len(rows.columns) > 1 else rows.matrix()
    categories = [name for name, values in rows.columns.items() if values.dtype == object]

    def asked(begin: int, end: int) -> Arguments:
        return catboost.Pool(table[begin:end], cat_features=categories or None), "Probability", 0, 0, 1, None, "CPU"

    predict = model._base_predict
    return Asking(predict, [asked(at, at + 1) for at in range(rows.count)], predict, asked(0, rows.count))


def scikit_learn(rows: Rows) -> Asking:
    import joblib

    model = joblib.load(Path(rows.model).parent / "native.joblib")
    table = rows.frame() if len(rows.columns) > 1 else rows.matrix()
    predict = getattr(model, "predict_proba", model.predict)
    return Asking(predict, [(table[at : at + 1],) for at in range(rows.count)], predict, (table,))


def onnx(rows: Rows) -> Asking:
    """The session under the session of Python, which checks nothing."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(rows.model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    matrix = rows.matrix()

    def asked(begin: int, end: int) -> Arguments:
        return names, {"X": matrix[begin:end]}, None

    run = session._sess.run
    return Asking(run, [asked(at, at + 1) for at in range(rows.count)], run, asked(0, rows.count))


# By how the name of the folder begins.
LIBRARIES = {"lightgbm": light_gbm, "empty": light_gbm, "xgboost": xg_boost, "catboost": cat_boost, "sklearn": scikit_learn, "onnx": onnx}


def main(folder: Path) -> None:
    asking = LIBRARIES[folder.name.split("-")[0]](Rows(folder))
    print("ready", flush=True)
    for line in sys.stdin:
        print(asking.one_us() if line.strip() == "one" else asking.many_us(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
