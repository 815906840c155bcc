"""Write a model for Understudy in Python.

A model says what tensors it takes and gives, and answers requests::

    from understudy_model import FP32, FP64, Prediction, Refusal, Request, model

    @model(inputs={"features": FP32[3]}, outputs={"probability": FP64[1]})
    def predict(request: Request) -> Prediction:
        features = request.input("features").vector()
        if any(feature != feature for feature in features):
            raise Refusal.abstain("a feature is missing")
        return Prediction().output("probability", FP64, [1], [0.5])

Or it is a function from one dataclass to another, whose fields are the tensors::

    @dataclass
    class Flight:
        carrier: str
        distance: Annotated[float, FP32]

    @dataclass
    class Delay:
        delayed: float

    @model
    def predict(flight: Flight) -> Delay:
        ...

A model that gains from seeing many requests at once uses :func:`batch_model` instead. Both give a :class:`Model`, which
a test calls as it would call the function.
"""

from .datatype import (
    BF16,
    BLOB,
    BOOL,
    FP16,
    FP32,
    FP64,
    INT8,
    INT16,
    INT32,
    INT64,
    TEXT,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Datatype,
)
from .description import ANY_LENGTH, Description, TensorType
from .half import narrow_to_bf16, narrow_to_fp16, widen_bf16, widen_fp16
from .model import Model, batch_model, model
from .prediction import Prediction
from .refusal import Refusal
from .request import Request
from .tensor import Matrix, Tensor

__all__ = [
    "ANY_LENGTH",
    "BF16",
    "BLOB",
    "BOOL",
    "Datatype",
    "Description",
    "FP16",
    "FP32",
    "FP64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "Matrix",
    "Model",
    "Prediction",
    "Refusal",
    "Request",
    "TEXT",
    "Tensor",
    "TensorType",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "batch_model",
    "model",
    "narrow_to_bf16",
    "narrow_to_fp16",
    "widen_bf16",
    "widen_fp16",
]
