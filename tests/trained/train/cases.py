"""What the training scripts share: rows that are hard for a reader, and how they are written."""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path
from typing import Any, Sequence

import numpy as np

# Values that a reader may get wrong: both zeros, the least and the greatest of both precisions, and what is beyond single precision.
HARD = [
    0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 1e-36, -1e-36, 1.0000000180025095e-35, -1.0000000180025095e-35, 5e-324, -5e-324,
    0.5, -0.5, 1.0, -1.0, 2.5, 1e15, -1e15, 1e30, -1e30, 3.4028234663852886e38, -3.4028234663852886e38,
]  # fmt: skip
INFINITE = [np.inf, -np.inf, 1e300, -1e300, 3.4028236e38]


def generator(name: str) -> np.random.Generator:
    """Randomness that is the same for the same name."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def beside(threshold: float) -> list[float]:
    """A threshold, and what is one step beside it in single and in double precision."""
    single = np.float32(threshold)
    with np.errstate(over="ignore"):
        singles = [float(np.nextafter(single, np.float32(end))) for end in (-np.inf, np.inf)]
    doubles = [float(np.nextafter(threshold, end)) for end in (-np.inf, np.inf)]
    # The middle between two singles, which is rounded to one of them, and its neighbours.
    middles = [(threshold + single) / 2 for single in singles if np.isfinite(single)]
    near = [float(np.nextafter(middle, end)) for middle in middles for end in (-np.inf, np.inf)]
    return [threshold, *singles, *doubles, *middles, *near]


def probe(
    rng: np.random.Generator,
    seen: np.ndarray,
    thresholds: dict[int, Sequence[float]],
    count: int,
    infinite: bool = True,
) -> np.ndarray:
    """Rows like those of training, of which most have values on thresholds, one step beside them, and otherwise hard ones."""
    rows = seen[rng.integers(0, len(seen), count)].astype(float)
    pools = {column: np.array(list(dict.fromkeys(found))) for column, found in thresholds.items()}
    hard = HARD + (INFINITE if infinite else []) + [np.nan]
    limit = np.inf if infinite else float(np.finfo(np.float32).max)
    for row in rows[count // 8 :]:
        for column in rng.choice(rows.shape[1], size=min(rng.integers(1, 4), rows.shape[1]), replace=False):
            if column in pools and rng.random() < 0.7:
                row[column] = np.clip(rng.choice(beside(rng.choice(pools[column]))), -limit, limit)
            else:
                row[column] = rng.choice(hard)
    return rows


def write(
    folder: Path,
    rows: np.ndarray | Sequence[Sequence[Any]],
    raw: np.ndarray,
    predictions: np.ndarray,
    labels: Sequence[Any] | None = None,
    columns: Sequence[str] | None = None,
    **options: Any,
) -> None:
    """Writes rows, what the library says of them, and the options that the reader needs. Numbers have all their digits."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows.tolist() if isinstance(rows, np.ndarray) else rows
    with open(folder / "rows.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns or [f"features[{at}]" for at in range(len(rows[0]))])
        out.writerows(rows)
    raw, predictions = (np.asarray(values).reshape(len(rows), -1) for values in (raw, predictions))
    with open(folder / "expected.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        names = [f"raw[{at}]" for at in range(raw.shape[1])] + [f"prediction[{at}]" for at in range(predictions.shape[1])]
        out.writerow(names + (["label"] if labels is not None else []))
        ends = [[label] for label in labels] if labels is not None else [[]] * len(rows)
        for one, other, end in zip(raw.tolist(), predictions.tolist(), ends):
            out.writerow(one + other + end)
    (folder / "options.json").write_text(json.dumps({key: it for key, it in options.items() if it is not None}))
