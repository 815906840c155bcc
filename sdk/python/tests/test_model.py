import unittest
from dataclasses import dataclass
from typing import Annotated

from understudy_model import (
    ANY_LENGTH,
    FP32,
    FP64,
    INT32,
    INT64,
    Prediction,
    Refusal,
    Request,
    Tensor,
    batch_model,
    model,
)


@dataclass
class Flight:
    carrier: str
    distance: Annotated[float, FP32]
    hours: list[int]
    weather: Annotated[list[list[float]], FP32[ANY_LENGTH, 2]]
    cube: Annotated[Tensor, INT32[2, ANY_LENGTH, 2]]


@dataclass
class Delay:
    delayed: float
    rows: list[list[float]]


def flight(carrier: str) -> Request:
    return (
        Request("1")
        .with_text("carrier", carrier)
        .with_input("distance", FP32, [1], [2.0])
        .with_input("hours", INT64, [2], [1, 2])
        .with_input("weather", FP32, [1, 2], [0.25, 0.5])
        .with_input("cube", INT32, [2, 0, 2], [])
    )


class Models(unittest.TestCase):
    def test_the_fields_of_dataclasses_are_the_description(self) -> None:
        @model
        def predict(flight: Flight) -> Delay | Refusal:
            if flight.carrier == "?":
                return Refusal.abstain("unknown")
            return Delay(flight.distance + sum(flight.hours), flight.weather)

        shown = {name: (str(each.datatype), each.shape) for name, each in predict.description.inputs.items()}
        self.assertEqual(
            shown,
            {
                "carrier": ("BYTES (text)", (1,)),
                "distance": ("FP32", (1,)),
                "hours": ("INT64", (-1,)),
                "weather": ("FP32", (-1, 2)),
                "cube": ("INT32", (2, -1, 2)),
            },
        )
        prediction = predict.predict(flight("HA"))
        self.assertEqual(prediction.tensor("delayed"), Tensor("delayed", FP64, [1], [5.0]))
        self.assertEqual(prediction.tensor("rows"), Tensor("rows", FP64, [1, 2], [0.25, 0.5]))
        with self.assertRaises(Refusal):
            predict.predict(flight("?"))

    def test_each_request_has_its_own_answer(self) -> None:
        @model(inputs={}, outputs={"p": FP64[1]}, stateless=False)
        def predict(request: Request) -> Prediction:
            if request.id == "no":
                raise Refusal.abstain("rather not")
            return Prediction().output("p", FP64, [1], [1 / int(request.id)]).note("seen", request.id)

        self.assertFalse(predict.description.stateless)
        one, no, zero = predict.predict_batch([Request("1"), Request("no"), Request("0")])
        self.assertEqual(one.notes, [("seen", "1")])
        self.assertEqual((no.kind, no.message), ("abstain", "rather not"))
        self.assertRegex(zero.message, r"^ZeroDivisionError: .*\(.*test_model\.py:\d+\)$")

    def test_a_batch_has_as_many_answers_as_requests(self) -> None:
        @batch_model(inputs={}, outputs={}, batch_limit=8)
        def predict(requests: list[Request]) -> list[Prediction]:
            return [Prediction()]

        self.assertEqual(len(predict.predict_batch([Request("1")])), 1)
        two = predict.predict_batch([Request("1"), Request("2")])
        self.assertEqual([each.message.split(" (")[0] for each in two], ["TypeError: `predict` gave 1 answers, expected 2"] * 2)

    def test_a_batch_of_dataclasses_leaves_out_what_cannot_be_read(self) -> None:
        @batch_model
        def predict(flights: list[Flight]) -> list[Delay | Refusal]:
            return [Delay(float(len(flights)), []) for _ in flights]

        read, refused = predict.predict_batch([flight("HA"), Request("2")])
        self.assertEqual(read.tensor("delayed").scalar(), 1.0)
        self.assertEqual(refused.kind, "invalid-input")

    def test_a_function_that_is_no_model_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, "expected one parameter that is a dataclass"):
            model(lambda x: x)
        with self.assertRaisesRegex(TypeError, "expected both or neither"):
            model(inputs={})(lambda x: x)
        with self.assertRaisesRegex(TypeError, "expected one like FP32"):
            model(inputs={"x": FP32}, outputs={})(lambda x: x)
