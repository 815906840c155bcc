"""A logistic regression of three features."""

import math
from dataclasses import dataclass
from typing import Annotated

from understudy_model import FP32, Refusal, model

WEIGHTS = [0.8, -1.2, 0.05]
BIAS = -0.3


@dataclass
class Question:
    features: Annotated[list[float], FP32[3]]


@dataclass
class Answer:
    probability: float


@model
def predict(question: Question) -> Answer:
    if any(math.isnan(feature) for feature in question.features):
        raise Refusal.abstain("a feature is missing, and the training data had none of those")
    logit = BIAS + sum(weight * feature for weight, feature in zip(WEIGHTS, question.features))
    return Answer(probability=1 / (1 + math.exp(-logit)))
