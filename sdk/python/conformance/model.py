"""The conformance model: what it does is in sdk/conformance/README.md."""

from collections.abc import Callable
from typing import Any

from understudy_model import (
    ANY_LENGTH,
    FP32,
    FP64,
    INT32,
    TEXT,
    Datatype,
    Prediction,
    Refusal,
    Request,
    Tensor,
    TensorType,
    batch_model,
)

EACH = {datatype.value: datatype for datatype in Datatype}
VECTORS = {name: datatype[ANY_LENGTH] for name, datatype in EACH.items()}
INPUTS: dict[str, TensorType] = {
    "mode": TEXT[1],
    "argument": TEXT[1],
    **VECTORS,
    "scalar": FP64[()],
    "matrix": FP32[ANY_LENGTH, ANY_LENGTH],
    "cube": INT32[2, ANY_LENGTH, 2],
}
OUTPUTS: dict[str, TensorType] = {
    **VECTORS,
    "scalar": FP64[()],
    "matrix": FP32[ANY_LENGTH, ANY_LENGTH],
    "cube": INT32[ANY_LENGTH, ANY_LENGTH, ANY_LENGTH],
    "report": TEXT[ANY_LENGTH],
}
ACCESSORS = ("elements", "scalar", "vector", "matrix")
REFUSALS = ("invalid-input", "abstain", "failed")


@batch_model(inputs=INPUTS, outputs=OUTPUTS, batch_limit=100)
def predict(requests: list[Request]) -> list[Prediction | Refusal]:
    return [answer(request) for request in requests]


def answer(request: Request) -> Prediction | Refusal:
    try:
        mode = request.input("mode").text()
        if mode in MODES:
            return MODES[mode](request)
        return Refusal.invalid_input(
            f"mode is `{mode}`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, `request` or `break`"
        )
    except Refusal as refusal:
        return refusal


def only(**values: Any) -> Prediction:
    """Gives a prediction with these outputs, lists or whole tensors; the others are empty."""
    prediction = Prediction()
    for name, type_ in OUTPUTS.items():
        value = values.get(name, [0.0] if name == "scalar" else [])
        if isinstance(value, Tensor):
            prediction.outputs.append(value)
            continue
        rank = len(type_.shape)
        shape = [len(value)] if rank == 1 else [0] * rank
        prediction.output(name, type_.datatype, shape, value)
    return prediction


def echo(request: Request) -> Prediction:
    return only(**{tensor.name: tensor for tensor in request.inputs})


def reverse(request: Request) -> Prediction:
    vectors = {name: request.input(name).vector(datatype)[::-1] for name, datatype in EACH.items()}
    matrix = request.input("matrix").matrix(FP32)
    transposed = [row[column] for column in range(matrix.column_count) for row in matrix]
    cube = request.input("cube")
    return only(
        **vectors,
        scalar=[-request.input("scalar").scalar(FP64)],
        matrix=Tensor("matrix", FP32, [matrix.column_count, matrix.row_count], transposed),
        cube=Tensor("cube", INT32, cube.shape[::-1], cube.elements(INT32)[::-1]),
    )


def total(numbers: Any) -> float:
    """Adds one number after the other; Python's own `sum` makes up for what rounding loses."""
    result = 0.0
    for number in numbers:
        result += number
    return result


def sums(request: Request) -> Prediction:
    return only(
        scalar=[total(request.input("fp64").vector(FP64))],
        fp64=[total(row) for row in request.input("matrix").matrix(FP32)],
        int64=[sum(request.input("int32").vector(INT32))],
        uint64=[sum(len(blob) for blob in request.input("blob").vector(EACH["blob"]))],
    )


def halves(request: Request) -> Prediction:
    numbers = request.input("fp32").vector(FP32)
    widened = [*request.input("fp16").vector(EACH["fp16"]), *request.input("bf16").vector(EACH["bf16"])]
    return only(fp32=widened, fp16=numbers, bf16=numbers)


def unicode(request: Request) -> Prediction:
    texts = request.input("text").vector(TEXT)
    blobs = [text.encode() for text in texts]
    return only(
        text=["|".join(texts)],
        blob=blobs,
        uint32=[len(blob) for blob in blobs],
        uint64=[len(text) for text in texts],
        boolean=[text == texts[0] for text in texts],
    )


def read(request: Request) -> Prediction:
    argument = request.input("argument").text()
    accessor, datatype, name, *_ = [*argument.split(" ", 2), None, None, None]
    if accessor not in ACCESSORS or datatype not in EACH or name is None:
        raise Refusal.invalid_input(f"argument is `{argument}`, expected ACCESSOR DATATYPE INPUT")
    found = getattr(request.input(name), accessor)(EACH[datatype])
    if accessor == "scalar":
        return only(**{datatype: [found]})
    if accessor != "matrix":
        return only(**{datatype: found})
    elements = [element for row in reversed(found) for element in row]
    return only(**{datatype: elements, "report": [f"{found.row_count} rows", f"{found.column_count} columns"]})


def notes(request: Request) -> Prediction:
    prediction = only()
    texts = request.input("text").vector(TEXT)
    for at in range(0, len(texts), 2):
        prediction.note(texts[at], texts[at + 1] if at + 1 < len(texts) else "")
    return prediction


def refuse(request: Request) -> Refusal:
    kind = request.input("argument").text()
    if kind not in REFUSALS:
        return Refusal.invalid_input(f"argument is `{kind}`, expected `invalid-input`, `abstain` or `failed`")
    texts = request.input("text").vector(TEXT)
    return Refusal(kind, texts[0] if texts else "")


def breaks(request: Request) -> Refusal:
    kind = request.input("argument").text()
    texts = request.input("text").vector(TEXT)
    if kind == "throw":
        raise ValueError(texts[0] if texts else "")
    while kind == "loop":
        pass
    return Refusal.invalid_input(f"argument is `{kind}`, expected `throw` or `loop`")


def report(request: Request) -> Prediction:
    return only(report=[request.id, str(request.time_us), *map(str, request.inputs)])


MODES: dict[str, Callable[[Request], Prediction | Refusal]] = {
    "echo": echo,
    "reverse": reverse,
    "sum": sums,
    "halves": halves,
    "unicode": unicode,
    "read": read,
    "notes": notes,
    "refuse": refuse,
    "request": report,
    "break": breaks,
}
