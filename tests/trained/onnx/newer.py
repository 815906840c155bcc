"""TreeEnsemble of `ai.onnx.ml` 5: ensembles made by hand, of every mode, aggregate, link and type."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from golden import odd_rows
from graphs import COUNT, EXACT, LINK, WIDTH, made, thresholds, write

LEQ, LT, GTE, GT, EQ, NEQ, MEMBER = range(7)
ORDERED = [LEQ, LT, GTE, GT]
# Values that a column of categories has, beside those that none of the sets has.
CATEGORIES = np.array([1.0, 2.0, 3.0, 5.0, 17.0, 30.0])
ODD = np.array([0.0, -0.0, -1.0, 0.5, 1.5, 2.9999998, 4.0, 31.0, 32.0, 33.0, 64.0, 1e10, -1e10, np.nan, np.inf, -np.inf])


def trees(rng: np.random.Generator, count: int, targets: int, modes: list[int], dtype: type, sets: list[list[float]]) -> dict[str, Any]:
    """The attributes of full trees of depth 4, with leaves in an odd order; the last tree is a leaf alone where there are sums."""
    lists: dict[str, list[Any]] = {key: [] for key in ["featureids", "modes", "splits", "missing", "yes", "no", "yes_leaf", "no_leaf"]}
    weights: list[float] = []
    ids: list[int] = []
    members: list[float] = []
    roots = []
    for tree in range(count):
        roots.append(len(lists["modes"]))
        first = len(lists["modes"])
        order = rng.permutation(16) + len(weights)
        for node in range(15):
            mode = int(rng.choice(modes))
            lists["featureids"].append(int(rng.integers(0, WIDTH)))
            lists["modes"].append(mode)
            lists["splits"].append(dtype(rng.choice([0.0, -0.0, 1.0, 0.5, rng.normal()])))
            lists["missing"].append(int(rng.integers(0, 2)))
            if mode == MEMBER:
                members += [*sets[rng.integers(0, len(sets))], np.nan]
            for side, child in (("yes", 2 * node + 1), ("no", 2 * node + 2)):
                leaf = child >= 15
                lists[side].append(int(order[child - 15]) if leaf else first + child)
                lists[f"{side}_leaf"].append(int(leaf))
        weights += list(rng.normal(size=16))
        ids += [int(rng.integers(0, targets)) if targets > 1 else 0 for _ in range(16)]
    tensor = lambda values, kind=dtype: numpy_helper.from_array(np.array(values, dtype=kind))
    attributes = {
        "nodes_featureids": lists["featureids"],
        "nodes_modes": tensor(lists["modes"], np.uint8),
        "nodes_splits": tensor(lists["splits"]),
        "nodes_missing_value_tracks_true": lists["missing"],
        "nodes_truenodeids": lists["yes"],
        "nodes_falsenodeids": lists["no"],
        "nodes_trueleafs": lists["yes_leaf"],
        "nodes_falseleafs": lists["no_leaf"],
        "leaf_weights": tensor(weights),
        "leaf_targetids": ids,
        "tree_roots": roots,
        "n_targets": targets,
    }
    return attributes | ({"membership_values": tensor(members)} if members else {})


def ensembles_of_version_five(folder: Path) -> None:
    """Writes them all."""
    small, large = [[1.0], [2.0, 3.0], [1.0, 5.0, 17.0, 30.0]], [[float(at) for at in range(1, 90, 2)], [33.0, 64.0], [-1.0, 40.0]]
    cases = [
        ("sum", 1, 0, 1, ORDERED, np.float32, []),
        ("average", 0, 0, 2, [LEQ], np.float32, []),
        ("min", 2, 0, 1, ORDERED, np.float32, []),
        ("max", 3, 0, 1, [LT, EQ, NEQ], np.float32, []),
        ("logistic-single", 1, 2, 1, ORDERED, np.float32, []),
        ("softmax-zero", 1, 3, 3, ORDERED, np.float32, []),
        ("equal", 1, 0, 1, [EQ, NEQ], np.float32, []),
        ("double", 1, 0, 1, ORDERED, np.float64, []),
        ("double-average", 0, 0, 3, [LT], np.float64, []),
        ("members", 1, 0, 1, [LEQ, MEMBER], np.float32, small),
        ("members-alone", 1, 0, 2, [MEMBER], np.float32, small),
        ("members-large", 1, 0, 1, [LEQ, MEMBER], np.float32, small + large),
        ("members-double", 1, 0, 1, [LEQ, MEMBER], np.float64, small + large),
    ]
    for name, aggregate, transform, targets, modes, dtype, sets in cases:
        rng = np.random.default_rng(len(name) + targets)
        keys = trees(rng, 20, targets, modes, dtype, sets)
        node = helper.make_node(
            "TreeEnsemble", ["X"], ["Y"], domain="ai.onnx.ml", name="trees", aggregate_function=aggregate, post_transform=transform, **keys
        )
        model = made(name, [node], WIDTH, {"Y": ("float", [targets])}, {}, ml=5)
        if dtype == np.float64:
            model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
            model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
        with np.errstate(over="ignore"):
            rows = odd_rows(rng, rng.normal(size=(500, WIDTH)), thresholds(model), COUNT)
            if sets:
                chosen = rng.choice(np.concatenate([CATEGORIES, ODD]), rows.shape)
                rows = np.where(rng.random(rows.shape) < 0.6, chosen, rows)
            rows = rows.astype(dtype)
        exact = transform == 0 or targets == 1
        write(folder, f"five-{name}", model, {"X": rows}, EXACT if exact else LINK)
