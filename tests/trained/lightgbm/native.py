"""Times LightGBM's own predict through its C interface: `native.py FOLDER`, where FOLDER is one that train.py wrote for a model.

Prints the least time that one row took, and a row of 1,000, in microseconds, on one thread. The rows are the first of the golden ones, as
in the sandbox; each of them is asked alone with the function that LightGBM has for that.
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
from lightgbm.basic import _LIB

DOUBLE, ROW_MAJOR, NORMAL = 1, 1, 0
THREADS = b"num_threads=1"
ROWS = 1000


def least_us(ask: Callable[[], None], times: int) -> float:
    """The least time that a call took."""
    least = float("inf")
    for _ in range(times):
        started = time.perf_counter_ns()
        ask()
        least = min(least, time.perf_counter_ns() - started)
    return least / 1e3


def main(folder: Path) -> None:
    golden = json.loads((folder / "golden.json").read_text())
    if [tensor["name"] for tensor in golden["inputs"]] != ["features"]:
        sys.exit("has no matrix")
    width = golden["inputs"][0]["width"]
    rows = np.fromfile(folder / "golden.bin", "<f8", ROWS * width).reshape(ROWS, width)
    booster = lgb.Booster(model_file=folder / golden["model"])
    outputs = np.zeros(ROWS * booster.num_model_per_iteration())
    into = outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    length = ctypes.byref(ctypes.c_int64())
    config = ctypes.c_void_p()
    whole = ctypes.c_int(0), ctypes.c_int(-1)
    init = _LIB.LGBM_BoosterPredictForMatSingleRowFastInit
    init(booster._handle, ctypes.c_int(NORMAL), *whole, ctypes.c_int(DOUBLE), ctypes.c_int32(width), THREADS, ctypes.byref(config))
    places = [ctypes.c_void_p(row.ctypes.data) for row in rows]

    def all_alone() -> None:
        for place in places:
            _LIB.LGBM_BoosterPredictForMatSingleRowFast(config, place, length, into)

    def together() -> None:
        shape = ctypes.c_int32(ROWS), ctypes.c_int32(width), ctypes.c_int(ROW_MAJOR)
        kind = ctypes.c_int(NORMAL), *whole, THREADS
        _LIB.LGBM_BoosterPredictForMat(booster._handle, places[0], ctypes.c_int(DOUBLE), *shape, *kind, length, into)

    print(json.dumps({"one_us": least_us(all_alone, 20) / ROWS, "of_many_us": least_us(together, 20) / ROWS}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
