"""What the scripts for XGBoost and CatBoost share: columns, targets, and rows that are hard for a reader."""

from __future__ import annotations

import zlib
from typing import Callable, Sequence

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


def columns(rng: np.random.Generator, count: int, has_missing: bool) -> np.ndarray:
    """Numbers as people have them: whole ones, ties, long tails, tiny ones, and missing ones."""
    x = np.empty((count, 7))
    x[:, 0] = rng.integers(0, 24, count)
    x[:, 1] = rng.normal(size=count)
    x[:, 2] = np.round(rng.gamma(1.0, 300.0, count))
    x[:, 3] = rng.choice([-1.0, 0.0, 1.0, 2.5], count)
    x[:, 4] = rng.normal(size=count) * 1e-37
    x[:, 5] = rng.normal(size=count) * 1e20
    x[:, 6] = rng.uniform(-1, 1, count)
    if has_missing:
        x[rng.random(x.shape) < 0.08] = np.nan
    return x


def score(x: np.ndarray) -> np.ndarray:
    """What the targets follow."""
    filled = np.nan_to_num(x)
    return (
        np.sin(filled[:, 0] / 4)
        + filled[:, 1] * (filled[:, 2] > 200)
        + (filled[:, 4] > 0) * 0.7
        + np.tanh(filled[:, 5] / 1e20)
        - np.isnan(x[:, 6]) * 1.5
        + filled[:, 3] / 3
    )


def regression(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return 10 * score(x) + rng.normal(size=len(x))


def binary(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return (score(x) + rng.normal(size=len(x)) > 0.3).astype(float)


def positive(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return rng.gamma(2.0, np.exp(score(x) / 3)) + 0.01


def share(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-score(x) - rng.normal(size=len(x))))


def classes(count: int) -> Callable[[np.random.Generator, np.ndarray], np.ndarray]:
    edges = np.linspace(-1.5, 1.5, count - 1)
    return lambda rng, x: np.digitize(score(x) + rng.normal(size=len(x)) * 0.5, edges).astype(float)


def several(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return np.stack([regression(rng, x), score(x) ** 2, np.nan_to_num(x)[:, 0]], 1)


def labels(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return np.stack([binary(rng, x), (np.nan_to_num(x)[:, 0] > 11).astype(float)], 1)


def counts(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return rng.poisson(np.exp(score(x) / 3)).astype(float)


def times(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return positive(rng, x) * rng.choice([1.0, -1.0], len(x), p=[0.8, 0.2])
