"""Models: the decorators that make them, and how they are called."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from .description import Description, TensorType
from .prediction import Prediction
from .refusal import Refusal
from .request import Request
from .typed import Record, records_of

F = TypeVar("F", bound=Callable[..., Any])

models: list[Model[Any]] = []
"""Every model of this process. A component has one."""


class Model(Generic[F]):
    """A function with a description. Calling it calls the function."""

    def __init__(self, function: F, description: Description, answer: Callable[[Sequence[Request]], list[Any]]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.description = description
        self._answer = answer
        models.append(self)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.function(*args, **keywords)

    def predict(self, request: Request) -> Prediction:
        """Answers one request as the host would see it, or raises the refusal."""
        (answer,) = self.predict_batch([request])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def predict_batch(self, requests: Sequence[Request]) -> list[Prediction | Refusal]:
        """Answers requests as the host would see it, each with a prediction or a refusal."""
        try:
            return self._answer(requests)
        except Exception as error:
            refusal = _refusal_of(error)
            return [refusal for _ in requests]


@overload
def model(function: F, /) -> Model[F]: ...
@overload
def model(
    *,
    inputs: Mapping[str, TensorType] | None = None,
    outputs: Mapping[str, TensorType] | None = None,
    batch_limit: int = 0,
    stateless: bool = True,
) -> Callable[[F], Model[F]]: ...
def model(function: Any = None, /, **said: Any) -> Any:
    """Makes a model of a function that answers one request at a time.

    With ``inputs`` and ``outputs`` it takes a :class:`Request` and gives a :class:`Prediction`. Without them it takes a
    dataclass and gives one, and the types of their fields are the description: see :mod:`understudy_model.typed`.

    What the function raises is a refusal: a :class:`Refusal` is meant; any other exception becomes one of the kind
    ``failed`` that says what was raised, and where.
    """
    if function is None:
        return lambda function: _made(function, False, **said)
    return _made(function, False)


@overload
def batch_model(function: F, /) -> Model[F]: ...
@overload
def batch_model(
    *,
    inputs: Mapping[str, TensorType] | None = None,
    outputs: Mapping[str, TensorType] | None = None,
    batch_limit: int = 0,
    stateless: bool = True,
) -> Callable[[F], Model[F]]: ...
def batch_model(function: Any = None, /, **said: Any) -> Any:
    """Makes a model of a function that answers many requests at a time.

    It takes a list, and gives exactly one answer or :class:`Refusal` for each, in their order. The host chooses how many it
    hands over, so an answer must not depend on its neighbours. The rest is as with :func:`model`.
    """
    if function is None:
        return lambda function: _made(function, True, **said)
    return _made(function, True)


def _made(
    function: Any,
    batch: bool,
    inputs: Mapping[str, TensorType] | None = None,
    outputs: Mapping[str, TensorType] | None = None,
    batch_limit: int = 0,
    stateless: bool = True,
) -> Model[Any]:
    if (inputs is None) != (outputs is None):
        raise TypeError("the decorator names `inputs` or `outputs`, expected both or neither")
    given: Record | None = None
    result: Record | None = None
    if inputs is None or outputs is None:
        given, result = records_of(function, batch)
        inputs, outputs = given.types, result.types
    description = Description(dict(inputs), dict(outputs), batch_limit, stateless)
    read = given.read if given else lambda request: request
    answer = _answer_batch if batch else _answer_each
    return Model(function, description, lambda requests: answer(function, requests, read, result))


def _answer_each(function: Any, requests: Sequence[Request], read: Any, result: Record | None) -> list[Any]:
    answers: list[Any] = []
    for request in requests:
        try:
            answers.append(_finished(function(read(request)), result))
        except Exception as error:
            answers.append(_refusal_of(error))
    return answers


def _answer_batch(function: Any, requests: Sequence[Request], read: Any, result: Record | None) -> list[Any]:
    answers: list[Any] = [None] * len(requests)
    readable, places = [], []
    for place, request in enumerate(requests):
        try:
            readable.append(read(request))
            places.append(place)
        except Refusal as refusal:
            answers[place] = refusal
    given = list(function(readable))
    if len(given) != len(readable):
        raise TypeError(f"`{function.__name__}` gave {len(given)} answers, expected {len(readable)}")
    for place, answer in zip(places, given):
        answers[place] = _finished(answer, result)
    return answers


def _finished(answer: Any, result: Record | None) -> Prediction | Refusal:
    if isinstance(answer, (Prediction, Refusal)):
        return answer
    if result is not None and isinstance(answer, result.record):
        return result.write(answer)
    expected = result.record.__name__ if result else "Prediction"
    raise TypeError(f"the model gave {answer!r}, expected {expected} or Refusal")


def _refusal_of(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    # Only frames and numbers: whoever extracts a traceback looks for the source, and a model has no files.
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = f" ({frame.f_code.co_filename.rpartition('/')[2]}:{line})"
    return Refusal.failed(f"{type(error).__name__}: {error}{place}")
