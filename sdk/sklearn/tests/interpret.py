"""Reads what `export` writes, by FORMAT.md alone: what the format means, in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np


def interpret(document: dict[str, Any], columns: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The results for columns of numbers or texts. `refused` says which rows are."""
    rows = len(columns[0])
    blocks = [
        np.asarray(column, object if it["type"] == "text" else np.float64).reshape(rows, 1)
        for it, column in zip(document["columns"], columns, strict=True)
    ]
    refused = np.zeros(rows, bool)
    with np.errstate(all="ignore"):
        for step in document["steps"]:
            blocks.append(_step(step, gather(blocks, step["inputs"]), refused))
    result = document["result"]
    given = {
        name: gather(blocks, result[name])
        for name in ("prediction", "decision", "probabilities")
        if name in result
    }
    if "label" in result:
        given["label"] = _label(result, gather(blocks, result["label"]["of"]))
    return given | {"refused": refused}


def gather(blocks: list[np.ndarray], pieces: list[Any]) -> np.ndarray:
    parts = [blocks[it] if isinstance(it, int) else blocks[it[0]][:, it[1:]] for it in pieces]
    return np.hstack(parts)


def _label(result: dict[str, Any], of: np.ndarray) -> np.ndarray:
    by = result["label"]["by"]
    if by == "greatest":
        chosen = of.argmax(axis=1)
    else:
        chosen = of[:, 0] > by["above"] if "above" in by else of[:, 0] >= by["at-least"]
    return np.array(result["classes"])[chosen.astype(int)]


def _is_missing(values: np.ndarray, missing: Any) -> np.ndarray:
    return np.isnan(values.astype(float)) if missing == "NaN" else values == missing


def _positions(values: list[Any], column: np.ndarray) -> list[int | None]:
    places = {(np.nan if it == "NaN" else it): i for i, it in reversed(list(enumerate(values)))}
    nan = values.index("NaN") if "NaN" in values else None
    return [nan if it != it else places.get(it) for it in column]


def _step(step: dict[str, Any], x: np.ndarray, refused: np.ndarray) -> np.ndarray:
    kind = step["step"]
    nothing = np.zeros((len(x), 0))
    if kind == "check":
        x = x.astype(float)
        x = x.astype(np.float32) if step["single"] else x
        wrong = (np.isnan(x) & (not step["nan"])) | (np.isinf(x) & (not step["infinite"]))
        refused |= wrong.any(axis=1)
        return nothing
    if kind == "present":
        refused |= _is_missing(x, step["missing"]).any(axis=1)
        return nothing
    if kind in ("known", "ordinal", "one-hot"):
        parts = [_table(kind, table, x[:, i], refused) for i, table in enumerate(step["tables"])]
        return nothing if kind == "known" else np.hstack(parts)
    if kind == "impute":
        return np.where(_is_missing(x, step["missing"]), np.array(step["fill"], x.dtype), x)
    x = x.astype(np.float64)
    if kind == "indicate":
        return _is_missing(x, step["missing"]).astype(float)
    if kind == "trees":
        return _trees(step, x)
    if kind == "scale":
        return _scale(step["stages"], x)
    if kind == "dense":
        return x @ np.array(step["weights"], float).T + np.array(step["bias"], float)
    if kind == "apply":
        return FUNCTIONS[step["function"]](x)
    if kind == "normalize":
        return _normalize(step, x)
    if kind == "products":
        return np.stack([_product(x, them) for them in step["products"]], axis=1)
    if kind == "bins":
        edges = [np.array(it, float) for it in step["edges"]]
        return np.stack([(e <= x[:, [i]]).sum(axis=1) for i, e in enumerate(edges)], axis=1)
    if kind == "interpolate":
        return np.interp(x, step["x"], step["y"])
    if kind == "mean":
        groups = np.split(x, step["of"], axis=1)
        return sum(groups, np.zeros_like(groups[0])) / step["of"]
    raise ValueError(kind)


def _table(kind: str, table: dict[str, Any], column: np.ndarray, refused: np.ndarray) -> np.ndarray:
    found = _positions(table["values"], column)
    if kind == "known":
        refused |= np.array([it is None for it in found])
        return np.zeros((len(column), 0))
    if kind == "ordinal":
        return np.array([[table["unknown"] if it is None else table["codes"][it]] for it in found], float)
    made = np.zeros((len(column), table["width"]))
    for row, it in enumerate(found):
        place = table["unknown"] if it is None else table["places"][it]
        if place is not None:
            made[row, place] = 1.0
    return made


def _scale(stages: list[dict[str, Any]], x: np.ndarray) -> np.ndarray:
    for stage in stages:
        [(name, by)] = stage.items()
        by = np.array(by, float)
        operations = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}
        x = np.clip(x, *by) if name == "clip" else operations[name](x, by)
    return x


def _normalize(step: dict[str, Any], x: np.ndarray) -> np.ndarray:
    if step["norm"] == "share":
        total = x.sum(axis=1, keepdims=True)
        return np.where(total == 0, 1 / x.shape[1], x / total)
    norms = {"l1": abs(x).sum(axis=1), "l2": np.sqrt((x * x).sum(axis=1)), "max": abs(x).max(axis=1)}
    norm = norms[step["norm"]]
    return x / np.where(norm < step["least"], 1.0, norm)[:, None]


def _product(x: np.ndarray, factors: list[int]) -> np.ndarray:
    product = np.ones(len(x))
    for factor in factors:
        product = product * x[:, factor]
    return product


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


FUNCTIONS = {
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": _softmax,
    "at-most-one": lambda x: np.where((x > 1) & (x <= 1 + 1e-5), 1.0, x),
}


def _trees(step: dict[str, Any], x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float32).astype(np.float64) if step["single"] else x
    sums = np.tile(np.array(step["start"], float), (len(x), 1))
    for tree in step["trees"]:
        leaf_of = np.cumsum(np.array(tree["feature"]) == -1) - 1
        threshold = np.array(tree["threshold"], float)
        for row in range(len(x)):
            node = 0
            while (feature := tree["feature"][node]) != -1:
                value = x[row, feature]
                if np.isnan(value):
                    left = bool(tree["missing_left"][node])
                elif str(node) in tree["sets"]:
                    left = value in tree["sets"][str(node)]
                else:
                    left = value <= threshold[node]
                node = tree["left" if left else "right"][node]
            value = np.array(tree["leaves"][leaf_of[node]])
            if tree["output"] is None:
                sums[row] += value
            else:
                sums[row, tree["output"]] += value[0]
    return sums if step["divide"] is None else sums / step["divide"]
