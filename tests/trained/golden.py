"""Writes what a library predicts, for the tests to compare with.

A trained model is a folder: the model's file, `golden.json`, and `golden.bin`. The JSON says what the file of the model is called, with
which options it is to be packed, which inputs and outputs there are, and how near an output has to be. The other file holds the values of
the inputs and outputs, one after the other: numbers little-endian, texts as a length of 32 bits and as many bytes.

    model = Golden(folder / "binary", "model.txt")
    booster.save_model(model.file)
    model.input("features", rows)
    model.output("raw", booster.predict(rows, raw_score=True), ulp=0)
    model.write(matrix=True, raw=True)
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

DATATYPES = {"FP64": "<f8", "FP32": "<f4", "INT64": "<i8", "INT32": "<i4", "BOOL": "?"}


class Golden:
    """One trained model, and what it predicts."""

    def __init__(self, folder: Path, file: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = str(folder / file)
        self.rows: int | None = None
        self.inputs: list[dict[str, Any]] = []
        self.outputs: list[dict[str, Any]] = []
        self.parts: list[bytes] = []

    def input(self, name: str, values: Any, datatype: str = "FP64") -> None:
        """Adds an input: a row of values for each row, or one value."""
        self.inputs.append(self._tensor(name, values, datatype))

    def output(self, name: str, values: Any, datatype: str = "FP64", **near: float) -> None:
        """Adds what the library predicts.

        `ulp=0` asks for equal bits, `ulp=2` for at most two numbers between; `relative` and `absolute` are errors, of which one has to
        hold where both are given. Texts and whole numbers have to be equal.
        """
        self.outputs.append(self._tensor(name, values, datatype) | {"near": near or {"ulp": 0}})

    def write(self, **options: Any) -> None:
        """Writes both files. Options are those of `understudy pack`: matrix, raw, columns, categorical, missing, output."""
        document = {
            "model": Path(self.file).name,
            "options": options,
            "rows": self.rows,
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        (self.folder / "golden.bin").write_bytes(b"".join(self.parts))
        (self.folder / "golden.json").write_text(json.dumps(document, indent=1))
        print(f"{self.folder.name}: {self.rows} rows", flush=True)

    def _tensor(self, name: str, values: Any, datatype: str) -> dict[str, Any]:
        if datatype == "BYTES":
            array = np.asarray(values, dtype=object)
            texts = (text.encode() for text in array.reshape(-1))
            self.parts.append(b"".join(struct.pack("<I", len(text)) + text for text in texts))
        else:
            array = np.asarray(values)
            self.parts.append(np.ascontiguousarray(array, dtype=DATATYPES[datatype]).tobytes())
        if self.rows not in (None, len(array)):
            raise ValueError(f"{name} has {len(array)} rows, expected {self.rows}")
        self.rows = len(array)
        width = int(np.prod(array.shape[1:], dtype=int))
        return {"name": name, "datatype": datatype, "width": width}


def odd_rows(
    rng: np.random.Generator,
    usual: np.ndarray,
    thresholds: dict[int, list[float]],
    count: int = 10_000,
    infinities: bool = True,
    missing: float | None = np.nan,
) -> np.ndarray:
    """Rows that find the mistakes of a reader.

    A third are usual ones. The others have values that lie on the thresholds of a column, one number beside them in double and in single
    precision, zeros of both signs, tiny and huge numbers, infinities where the library takes them, and the missing value where there is one.
    """
    rows = usual[rng.integers(0, len(usual), count)].astype(np.float64).copy()
    tiny = float(np.float32(1e-35))
    odd = [0.0, -0.0, 1e-36, -1e-36, tiny, -tiny, np.nextafter(tiny, 1), np.nextafter(-tiny, -1), 5e-324, 1e300, -1e300, 3e38, -3e38]
    odd += [1e-40, -1e-40, 16777217.0, 0.1, 1 / 3]
    if infinities:
        odd += [np.inf, -np.inf]
    else:
        odd = [value for value in odd if abs(value) < 1e38]
    for column in range(rows.shape[1]):
        near = []
        for threshold in thresholds.get(column, [])[:2000]:
            single = np.float32(threshold)
            near += [threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)]
            near += [float(single), float(np.nextafter(single, np.float32(np.inf))), float(np.nextafter(single, np.float32(-np.inf)))]
        kind = rng.random(count)
        kind[: count // 3] = 1
        if near:
            chosen = rng.choice(np.array(near), count)
            rows[:, column] = np.where(kind < 0.45, chosen, rows[:, column])
        rows[:, column] = np.where((kind >= 0.45) & (kind < 0.55), rng.choice(np.array(odd), count), rows[:, column])
        if missing is not None:
            rows[:, column] = np.where((kind >= 0.55) & (kind < 0.65), missing, rows[:, column])
    return rows


def odd_categories(rng: np.random.Generator, column: np.ndarray) -> np.ndarray:
    """Puts codes that training never saw among those of a column: unseen, fractional, negative and huge ones."""
    odd = [-1.0, -0.5, -0.0, 0.5, 1.9, 31.0, 32.0, 63.5, 1000.0, 16777216.0, 2147483648.0, 4294967296.0, 1e300, -1e300]
    return np.where(rng.random(len(column)) < 0.2, rng.choice(np.array(odd), len(column)), column)
