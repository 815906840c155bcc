"""Components: what the builder makes of a model. Nothing here is for models or their tests.

The builder imports the model while it makes the component, and keeps a snapshot of the interpreter. What a model imports
and reads at the top of its modules is in the snapshot; in a call there are no files. Nor is there a clock or a random
number, since the same request always gets the same prediction.
"""

from __future__ import annotations

import importlib
import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from .datatype import BF16, BLOB, BOOL, FP16, INT8, TEXT, UINT8, Datatype
from .model import Model, models
from .refusal import Refusal
from .request import Request
from .tensor import Tensor

LateImport = tuple[str, str, str, bool]

_CONTENTS = dict(
    zip(Datatype, "Bools U8s U16s U32s U64s S8s S16s S32s S64s F16s Bf16s F32s F64s Texts Blobs".split())
)
_LOADED_IN_CALLS = ("_strptime", "encodings.ascii", "encodings.latin_1", "encodings.utf_16", "encodings.utf_32")


def predictor(late_imports: Sequence[LateImport] = ()) -> type:
    """Gives the class that the bindings look for, for the one model that was imported.

    ``late_imports`` are those in functions: the module, what it imports, where, and whether it cannot do without.
    """
    import componentize_py_types as results
    from wit_world import exports
    from wit_world.imports import types

    model = _only_model()
    description = _description(model, types)
    requests_of, result_of = _reader(types), _writer(types, results)
    _load_what_calls_import(late_imports)
    is_open = True

    def close() -> None:
        """Ends the build, after which the bindings import and do things of their own."""
        nonlocal is_open
        if is_open:
            is_open = False
            _forbid_clocks_and_random_numbers()
            sys.meta_path.insert(0, _NoImports())

    class Predictor(exports.Predictor):
        """The model, to the host."""

        def describe(self) -> Any:
            close()
            return description

        def predict(self, requests: list[Any]) -> list[Any]:
            close()
            answers = model.predict_batch([requests_of(request) for request in requests])
            return [result_of(answer) for answer in answers]

    return Predictor


def _only_model() -> Model[Any]:
    if len(models) == 1:
        return models[0]
    names = ", ".join(f"`{model.function.__name__}`" for model in models) or "none"
    raise RuntimeError(f"found models: {names}; expected one function with the decorator `@model` or `@batch_model`")


def _description(model: Model[Any], types: Any) -> Any:
    datatypes = dict(zip(Datatype, types.Datatype))

    def listed(described: Any) -> list[Any]:
        return [types.TensorType(name, datatypes[each.datatype], list(each.shape)) for name, each in described.items()]

    said = model.description
    return types.Description(listed(said.inputs), listed(said.outputs), said.batch_limit, said.stateless)


def _reader(types: Any) -> Callable[[Any], Request]:
    datatypes = {getattr(types, f"Contents_{case}"): datatype for datatype, case in _CONTENTS.items()}

    def read(request: Any) -> Request:
        tensors = []
        for each in request.inputs:
            datatype = datatypes[type(each.contents)]
            elements = _read(datatype, each.contents.value)
            tensors.append(Tensor._of_host(each.name, datatype, each.shape, elements))
        return Request(request.id, request.time_us, tensors)

    return read


def _read(datatype: Datatype, value: Any) -> Any:
    if datatype is UINT8:
        return list(value)
    if datatype is INT8:
        return array("b", value).tolist()
    if datatype is FP16:
        return list(struct.unpack(f"<{len(value)}e", struct.pack(f"<{len(value)}H", *value)))
    if datatype is BF16:
        shifted = [bits << 16 for bits in value]
        return list(struct.unpack(f"<{len(value)}f", struct.pack(f"<{len(value)}I", *shifted)))
    return value


def _writer(types: Any, results: Any) -> Callable[[Any], Any]:
    cases = {datatype: getattr(types, f"Contents_{case}") for datatype, case in _CONTENTS.items()}
    refusals = {
        "invalid-input": types.Refusal_InvalidInput,
        "abstain": types.Refusal_Abstain,
        "failed": types.Refusal_Failed,
    }

    def tensor(each: Tensor) -> Any:
        return types.Tensor(each.name, each.shape, cases[each.datatype](_written(each.datatype, each._elements)))

    def write(answer: Any) -> Any:
        if isinstance(answer, Refusal):
            return results.Err(refusals[answer.kind](_well_formed(answer.message)))
        notes = [(_well_formed(name), _well_formed(text)) for name, text in answer.notes]
        return results.Ok(types.Prediction([tensor(each) for each in answer.outputs], notes))

    return write


def _written(datatype: Datatype, elements: Sequence[Any]) -> Any:
    if datatype is UINT8:
        return bytes(elements)
    if datatype is INT8:
        return array("b", elements).tobytes()
    # What a tensor holds is rounded already, so that nothing is lost here.
    if datatype is FP16:
        return list(struct.unpack(f"<{len(elements)}H", struct.pack(f"<{len(elements)}e", *elements)))
    if datatype is BF16:
        widened = struct.unpack(f"<{len(elements)}I", struct.pack(f"<{len(elements)}f", *elements))
        return [bits >> 16 for bits in widened]
    if datatype is TEXT:
        return [_well_formed(element) for element in elements]
    return list(elements) if datatype in (BOOL, BLOB) else elements


def _well_formed(text: Any) -> str:
    """Half of a surrogate pair has no form in UTF-8."""
    text = str(text)
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def _load_what_calls_import(late_imports: Sequence[LateImport]) -> None:
    """Imports now what functions of the model, its packages, and some of Python's own would import when called."""
    for name in _LOADED_IN_CALLS:
        importlib.import_module(name)
    left = list(late_imports)
    missing = []
    while ready := [each for each in left if each[0] in sys.modules]:
        left = [each for each in left if each[0] not in sys.modules]
        for _, name, place, is_needed in ready:
            try:
                importlib.import_module(name)
            except Exception as error:
                if is_needed:
                    missing.append(f"{place} wants `{name}` ({error})")
    if missing:
        raise ImportError("a model imports while it is built, and not when it is called: " + "; ".join(missing))


class _NoImports:
    """Says what is wrong where a call imports what is not there; to look for it would need files."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        raise ModuleNotFoundError(
            f"`{name}` is not in the component: a model imports at the top of its modules, while it is built", name=name
        )


def _forbid_clocks_and_random_numbers() -> None:
    import time

    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"):
        setattr(time, name, _forbidden(f"time.{name}", "read request.time_us"))
    random = sys.modules.get("random")
    if random is not None:
        for name, value in list(vars(random).items()):
            if getattr(value, "__self__", None) is random._inst:
                setattr(random, name, _forbidden(f"random.{name}", "use random.Random with a seed"))


def _forbidden(name: str, instead: str) -> Callable[..., Any]:
    def forbidden(*args: Any, **keywords: Any) -> Any:
        raise RuntimeError(f"a model has no {name}, since the same request always gets the same prediction: {instead}")

    return forbidden
