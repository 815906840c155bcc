"""From a fitted model to a document, and from that to a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ._composed import predict
from ._document import NUMBERS, TEXT, Document, Frame, Input, bits_of
from ._errors import ExportError, Unsupported
from ._prediction import Prediction, class_names

FORMAT = "understudy-sklearn"
VERSION = 1
# The series whose arithmetic was compared. Another may compute otherwise under the same names.
KNOWN = ("1.9.",)


def export(
    model: Any,
    path: str | os.PathLike[str],
    columns: Any = None,
) -> None:
    """Writes a fitted classifier or regressor as a file for `understudy pack`.

    `columns` says what the columns of the input are called and of which type they are: a DataFrame like the one that the
    model was trained on (best), a mapping of names to types (`float64`, `float32`, `int64`, `int32`, `bool`, `text`), or names
    alone. Without it the names are those that the model was fitted with, and types follow from what the model does with them.

    Raises `Unsupported` for what would not be computed as scikit-learn does it, by class, parameter and place.
    """
    text = json.dumps(document(model, columns), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def document(model: Any, columns: Any = None) -> dict[str, Any]:
    """The document that `export` writes, as FORMAT.md describes it."""
    if not sklearn.__version__.startswith(KNOWN):
        raise Unsupported("scikit-learn", f"version {sklearn.__version__}", f"known are {', '.join(KNOWN)}x")
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError) as error:
        raise ExportError(f"the model cannot be written: {error}") from None
    made = _start(model, columns)
    prediction = predict(made, model, made.frame(), "")
    result = _result(made, prediction)
    return _written(model, made, result)


def _start(model: Any, columns: Any) -> Document:
    fitted = getattr(model, "feature_names_in_", None)
    fitted = None if fitted is None else [str(name) for name in fitted]
    if columns is None:
        inputs = [Input(name) for name in fitted or []]
    elif hasattr(columns, "dtypes") and hasattr(columns, "columns"):
        inputs = [Input(str(name), _type(columns[name]), bits=_bits(columns[name])) for name in columns.columns]
    elif isinstance(columns, Mapping):
        types = {str(name): _known_type(name, it) for name, it in columns.items()}
        inputs = [Input(name, it, bits=64 if it in (None, TEXT) else bits_of(it)) for name, it in types.items()]
    elif isinstance(columns, Sequence) and not isinstance(columns, str):
        inputs = [Input(str(name)) for name in columns]
    else:
        raise ExportError(
            f"columns: found {type(columns).__name__}, expected a DataFrame, a mapping of names to types, or names"
        )
    names = [it.name for it in inputs]
    if fitted is not None and names != fitted:
        raise ExportError(f"columns: found {names}, and the model was fitted on {fitted}")
    if len(set(names)) != len(names):
        raise ExportError(f"columns: found a name twice among {names}")
    count = _features(model)
    named = bool(inputs)
    if not named:
        inputs = [Input(f"x{i}") for i in range(count)]
    if len(inputs) != count:
        raise ExportError(f"columns: found {len(inputs)}, and the model was fitted on {count}")
    return Document(inputs, named)


def _features(model: Any) -> int:
    try:
        return int(model.n_features_in_)
    except AttributeError:
        raise ExportError(
            f"{type(model).__name__} does not say how many columns it was fitted on; pass columns"
        ) from None


def _type(column: Any) -> str:
    """The type of a column of a DataFrame."""
    dtype = column.dtype
    if hasattr(dtype, "categories"):
        dtype = dtype.categories.dtype
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return "bool"
    if kind in "iu":
        small = dtype.itemsize < 4 or (dtype.itemsize == 4 and kind == "i")
        # A category that is missing needs a number that can say so.
        if hasattr(column.dtype, "categories") and column.isna().any():
            return "float64"
        return "int32" if small else "int64"
    if kind == "f":
        return "float32" if dtype.itemsize <= 4 else "float64"
    values = column.dropna()
    if all(isinstance(value, str) for value in values):
        return TEXT
    if all(isinstance(value, (bool, int, float)) for value in values):
        return "float64"
    raise ExportError(f"columns: `{column.name}` is {column.dtype}; numbers, truths and texts can be written")


def _bits(column: Any) -> int:
    """Of how many bits a column is to scikit-learn."""
    dtype = column.dtype
    dtype = getattr(dtype, "numpy_dtype", dtype)
    return bits_of(dtype) if isinstance(dtype, np.dtype) and dtype.kind in "biuf" else 64


def _known_type(name: Any, found: Any) -> str | None:
    if found is None:
        return None
    if found not in (*NUMBERS, TEXT):
        raise ExportError(f"columns: `{name}` is {found!r}, expected one of {', '.join((*NUMBERS, TEXT))}")
    return str(found)


def _result(made: Document, prediction: Prediction) -> dict[str, Any]:
    if prediction.value is not None:
        number = {"task": "regression", "prediction": made.pieces(prediction.value.columns)}
        if prediction.decision is not None and prediction.decision != prediction.value:
            number["decision"] = made.pieces(prediction.decision.columns)
        return number
    classes = class_names(prediction.classes, "classes")
    if len(classes) < 2:
        raise Unsupported("classes", f"a classifier of {len(classes)} class")
    given: dict[str, Any] = {"task": "binary" if len(classes) == 2 else "multiclass", "classes": classes}
    for name in ("decision", "probabilities"):
        frame: Frame | None = getattr(prediction, name)
        if frame is not None:
            given[name] = made.pieces(frame.columns)
    assert prediction.label_of is not None
    given["label"] = {"of": made.pieces(prediction.label_of.columns), "by": prediction.label}
    return given


def _written(model: Any, made: Document, result: dict[str, Any]) -> dict[str, Any]:
    # What the model never looks at (a column transformer may drop columns) is no input where the columns have names.
    kept = [i for i, it in enumerate(made.inputs) if it.used or not made.named]
    blocks = {block: number for number, block in enumerate(kept)}
    dropped = len(made.inputs) - len(kept)

    def renumber(piece: Any) -> Any:
        if isinstance(piece, list):
            return [renumber(piece[0]), *piece[1:]]
        return blocks[piece] if piece < len(made.inputs) else piece - dropped

    for step in made.steps:
        step["inputs"] = [renumber(piece) for piece in step["inputs"]]
    for name in ("prediction", "decision", "probabilities"):
        if name in result:
            result[name] = [renumber(piece) for piece in result[name]]
    if "label" in result:
        result["label"]["of"] = [renumber(piece) for piece in result["label"]["of"]]

    columns = []
    for i in kept:
        column: dict[str, Any] = {"name": made.inputs[i].name, "type": made.inputs[i].type or "float64"}
        if made.inputs[i].missing:
            column["missing"] = ""
        columns.append(column)
    return {
        "format": FORMAT,
        "version": VERSION,
        "library": {"name": "scikit-learn", "version": sklearn.__version__},
        "model": _describe(model),
        "named": made.named or any(column["type"] == TEXT for column in columns),
        "columns": columns,
        "steps": made.steps,
        "result": result,
    }


def _describe(model: Any) -> str:
    steps = getattr(model, "steps", None)
    name = type(model).__name__
    return name if steps is None else f"{name}({', '.join(_describe(step) for _, step in steps)})"
