"""How far what the models said in the host is from what it should be, and whether that is near enough."""

import math
import struct

from models import LANGUAGES, MODELS, REGRESSIONS

# The model that the other regressions are compared with.
REFERENCE = "rust"
# How many numbers may lie between two predictions: a language computes the exponential with the library that it has,
# and a library of trained models with that of the machine.
LANGUAGES_ULP = 2
LIBRARIES_ULP = 2
# scikit-learn adds up the products in an order of its own.
PIPELINE_ULP = 8
# ONNX computes the regression in single precision.
SINGLE = 2e-7


def report(scores, predictions):
    """Compares all scores: by model its predictions, and how far they are from the regression and from its library."""
    said = {model.name: {} for model in MODELS}
    wrong = []
    for score in scores:
        name, identity = score["model_name"], score["id"]
        delayed = [output["data"][0] for output in score.get("outputs", []) if output["name"] == "delayed"]
        if len(delayed) != 1:
            wrong.append(f"{name}: no prediction for {identity}, but {score['parameters']}")
            continue
        said[name][identity] = delayed[0]
    flights = list(predictions)
    missing = [name for name, answers in said.items() if list(answers) != flights and set(answers) != set(flights)]
    wrong += [f"{name}: {len(said[name])} predictions, expected {len(flights)}" for name in missing]
    if wrong:
        return {"flights": flights, "models": {name: {} for name in said}, "wrong": wrong}
    models = {model.name: compare(model, said, predictions) for model in MODELS}
    for name, found in models.items():
        for whom in ("rust", "library"):
            if found[whom] and not found[whom]["near"]:
                wrong.append(f"{name}: too far from {whom}: {found[whom]}")
    return {"flights": flights, "models": models, "wrong": wrong}


def compare(model, said, predictions):
    """The predictions of a model in the order of the flights, and how near they are."""
    found = [said[model.name][flight] for flight in predictions]
    result = {"predictions": found, "said_by_library": None, "rust": None, "library": None}
    if model in LANGUAGES or model in REGRESSIONS:
        reference = [said[REFERENCE][flight] for flight in predictions]
        result["rust"] = distance(found, reference, single=False)
    if model not in LANGUAGES:
        library = [float(row[model.name]) for row in predictions.values()]
        result["said_by_library"] = library
        result["library"] = distance(found, library, single=model.name in ("onnx", "xgboost"))
    for whom in ("rust", "library"):
        if result[whom]:
            result[whom]["near"] = is_near(model, whom, result[whom])
    return result


def is_near(model, whom, far):
    if model.name == "onnx":
        return far["absolute"] <= SINGLE
    if model.name == "scikit-learn":
        return far["ulp"] <= PIPELINE_ULP
    return far["ulp"] <= (LANGUAGES_ULP if whom == "rust" else LIBRARIES_ULP)


def distance(found, expected, single):
    """How many are equal to the bit, and how far the farthest is: in numbers between, counting one of the two."""
    far = [abs(place(one, single) - place(other, single)) for one, other in zip(found, expected, strict=True)]
    absolute = max(abs(one - other) for one, other in zip(found, expected, strict=True))
    return {"equal": far.count(0), "ulp": max(far), "absolute": absolute}


def place(number, single):
    """The place of a positive number among all of its precision."""
    if not (math.isfinite(number) and number >= 0):
        raise SystemExit(f"found {number}, expected a probability")
    if single:
        return struct.unpack("<i", struct.pack("<f", number))[0]
    return struct.unpack("<q", struct.pack("<d", number))[0]
