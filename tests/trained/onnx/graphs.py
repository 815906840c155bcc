"""What the models of ONNX are written with: graphs by hand, rows, and what onnxruntime makes of them."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parent.parent))
from golden import Golden, odd_rows

WIDTH = 6
COUNT = 10_000
DATATYPES = {np.dtype("float32"): "FP32", np.dtype("float64"): "FP64", np.dtype("int64"): "INT64", np.dtype("int32"): "INT32"}
# Sums of products and exponentials in single precision, in another order and by another formula than onnxruntime's.
NEAR = {"relative": 1e-5, "absolute": 2e-6}
# A link of onnxruntime's own formula after exact sums.
LINK = {"absolute": 3e-7}
EXACT = {"ulp": 0}


def run(model: ModelProto, inputs: dict[str, np.ndarray], outputs: list[str] | None = None) -> list[np.ndarray]:
    """What onnxruntime makes of rows, with one thread, so that sums have one order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(outputs, inputs)


def write(folder: Path, name: str, model: ModelProto, inputs: dict[str, np.ndarray], near: dict[str, float], **options: Any) -> None:
    """Writes a model with what onnxruntime gives: of classifiers the scores, and behind them the label."""
    results = run(model, inputs)
    golden = Golden(folder / name, "model.onnx")
    Path(golden.file).write_bytes(model.SerializeToString())
    for column, values in inputs.items():
        if "columns" in options:
            for number, own in enumerate(options["columns"]):
                golden.input(own, values[:, number], DATATYPES[values.dtype])
        elif values.dtype == object:
            golden.input(column, values, "BYTES")
        else:
            golden.input("features" if options.get("matrix") else column, values, DATATYPES[values.dtype])
    if len(results) == 2 and "output" not in options:
        label, scores = results
        if isinstance(scores, list):
            scores = np.array([list(row.values()) for row in scores], dtype=np.float32)
        binary = scores.shape[1] <= 2
        golden.output("probability" if binary else "probabilities", scores[:, -1] if binary else scores, "FP32", **near)
        # A label can only differ where its scores do.
        if near == EXACT or name in ("binary", "text-labels", "columns") or name.startswith("vectors-"):
            golden.output("label", label, "BYTES" if label.dtype == object else "INT64")
    else:
        width = int(np.prod(results[0].shape[1:], dtype=int))
        own = options.get("output") or ("prediction" if width == 1 else model.graph.output[0].name)
        golden.output(own, results[0].reshape(len(results[0]), -1), DATATYPES[results[0].dtype], **near)
    golden.write(**options)


def thresholds(model: ModelProto) -> dict[int, list[float]]:
    """The thresholds of each column."""
    found: dict[int, list[float]] = {}
    for node in model.graph.node:
        of = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type == "TreeEnsemble":
            for feature, value in zip(of["nodes_featureids"], numpy_helper.to_array(of["nodes_splits"])):
                found.setdefault(int(feature), []).append(float(value))
        elif node.op_type.startswith("TreeEnsemble"):
            for feature, value, mode in zip(of["nodes_featureids"], of["nodes_values"], of["nodes_modes"]):
                if mode != b"LEAF":
                    found.setdefault(int(feature), []).append(float(value))
    return found


def rows_for(model: ModelProto, rng: np.random.Generator, usual: np.ndarray) -> np.ndarray:
    """Odd rows for trees, and usual ones for everything else."""
    near = thresholds(model)
    if not near:
        return usual[rng.integers(0, len(usual), COUNT)] + rng.normal(size=(COUNT, usual.shape[1])).astype(np.float32)
    with np.errstate(over="ignore"):
        return odd_rows(rng, usual, near, COUNT).astype(np.float32)


def made(name: str, nodes: list[Any], width: int, outputs: dict[str, Any], constants: dict[str, np.ndarray], ml: int = 3) -> ModelProto:
    """A graph made by hand, with one input `X`."""
    values = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", width])]
    types = {"int": TensorProto.INT64, "text": TensorProto.STRING, "float": TensorProto.FLOAT}
    results = [helper.make_tensor_value_info(key, types[kind], ["N", *dims]) for key, (kind, dims) in outputs.items()]
    held = [numpy_helper.from_array(value, key) for key, value in constants.items()]
    graph = helper.make_graph(nodes, name, values, results, held)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", ml)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10 if ml > 3 else 9, producer_name="by hand")
