"""How likely a flight is to be late, by logistic regression."""

import json
import math
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from understudy_model import FP32, INT32, Refusal, model

# Read while the component is built; in a call there are no files.
WEIGHTS: dict[str, Any] = json.loads(Path(__file__).with_name("weights.json").read_text(encoding="utf-8"))
WEATHER = ("wind_speed", "precip", "visib")
# What stands for weather that is unknown, in the precision of weather that is known.
USUAL = dict(zip(WEATHER, array("f", [WEIGHTS["usual"][name] for name in WEATHER])))


@dataclass
class Flight:
    carrier: str
    origin: str
    dest: str
    distance: Annotated[float, FP32]
    hour: Annotated[int, INT32]
    weekday: Annotated[int, INT32]
    wind_speed: Annotated[float, FP32]
    precip: Annotated[float, FP32]
    visib: Annotated[float, FP32]


@dataclass
class Delay:
    delayed: float


@model
def predict(flight: Flight) -> Delay:
    log_odds = WEIGHTS["intercept"]
    # A name that was not in the training data adds nothing.
    for name in ("carrier", "origin", "dest"):
        log_odds += WEIGHTS[name].get(getattr(flight, name), 0.0)
    for name in ("hour", "weekday"):
        log_odds += of_number(name, getattr(flight, name))
    log_odds += WEIGHTS["distance"] * flight.distance
    for name in WEATHER:
        found = getattr(flight, name)
        log_odds += WEIGHTS[name] * (USUAL[name] if math.isnan(found) else found)
    return Delay(delayed=1 / (1 + math.exp(-log_odds)))


def of_number(name: str, number: int) -> float:
    """Gives what was learnt about a number from 0 on."""
    learnt: list[float] = WEIGHTS[name]
    if not 0 <= number < len(learnt):
        raise Refusal.invalid_input(f"input `{name}` is {number}, expected 0 to {len(learnt) - 1}")
    return learnt[number]
