"""Trains the models of this example on January to March 2013 and writes what they learnt.

The question is whether a flight arrives more than 15 minutes late, asked at its scheduled
departure. What was learnt becomes Rust tables under models/, checked in, so that nobody needs
Python to build the models. Every number is rounded before it is written, and the predictions that
are compared with the components (expected.jsonl) are made from the rounded numbers.

Seeded and single-threaded: a second run with the same requirements.txt writes the same bytes.

    python3 -m venv VENV && VENV/bin/pip install --requirement requirements.txt
    VENV/bin/python train.py
"""

import csv
import gzip
import json
import math
import pathlib

import lightgbm
import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SEED = 2013
LATE_MIN = 15
TRAINING_MONTHS = 3
SAMPLES = 200

HERE = pathlib.Path(__file__).parent
MODELS = HERE / "models"
TEXTS = ["carrier", "origin", "dest"]
INTEGERS = ["hour", "weekday", "month"]
WEATHER = ["temp", "wind_speed", "precip", "visib"]
FLOATS = ["distance", *WEATHER]
# The inputs in the order of README.md.
INPUTS = [*TEXTS, "distance", *INTEGERS, *WEATHER]


def main():
    flights = read()
    known = ~numpy.isnan(flights["arr_delay"])
    late = flights["arr_delay"] > LATE_MIN
    training = known & (flights["month"] <= TRAINING_MONTHS)

    usual = {name: numpy.nanmedian(flights[name][training]) for name in WEATHER}
    complete = flights | {
        name: numpy.where(numpy.isnan(flights[name]), usual[name], flights[name])
        for name in WEATHER
    }
    predictions = {
        "base-rate": train_base_rate(complete, late, training),
        "logit": train_logit(complete, late, training),
        "gbdt": train_gbdt(complete, late, training),
    }
    predictions["moody"] = blend(predictions["logit"], predictions["gbdt"])

    write_weather(usual)
    write_samples(flights, predictions)
    print_table(predictions, late, known, flights["month"])


def read():
    """Reads the departures as columns. Numbers that the models get as FP32 are rounded to that."""
    with gzip.open(HERE / "flights-2013.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))

    def number(text):
        return float(text) if text else math.nan

    columns = {name: numpy.array([row[name] for row in rows]) for name in TEXTS}
    columns |= {name: numpy.array([int(row[name]) for row in rows]) for name in INTEGERS}
    columns |= {
        name: numpy.array([number(row[name]) for row in rows], numpy.float32) for name in FLOATS
    }
    columns["arr_delay"] = numpy.array([number(row["arr_delay"]) for row in rows])
    return columns


def train_base_rate(flights, late, training):
    """Learns the share of late flights of each hour, and that of all for hours without flights."""
    overall = round(late[training].mean(), 4)
    hours = [training & (flights["hour"] == hour) for hour in range(24)]
    rates = numpy.array(
        [round(late[those].mean(), 4) if those.any() else overall for those in hours]
    )
    lines = [
        constant("OVERALL", "f64", overall, "The share of all flights that were late."),
        array(
            "HOURS",
            rates,
            "The share of the flights of each scheduled hour; of all where there were none.",
        ),
    ]
    write("base-rate/src/trained.rs", "How many flights were late in the training data.", lines)
    return rates[flights["hour"]]


def train_logit(flights, late, training):
    """Learns a logistic regression.

    The month and the temperature are left out: a straight line through a winter says nothing about
    the summer.
    """
    texts = [*TEXTS, "hour", "weekday"]
    floats = ["distance", "wind_speed", "precip", "visib"]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    named = numpy.column_stack([flights[name].astype(str) for name in texts])
    measured = numpy.column_stack([flights[name].astype(float) for name in floats])
    scaler = StandardScaler().fit(measured[training])
    indicators = one_hot.fit(named[training]).transform(named)
    inputs = numpy.hstack([indicators, scaler.transform(measured)])
    model = LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    model.fit(inputs[training], late[training])

    # The scaler becomes part of the weights, which then apply to the inputs as they come.
    weights = model.coef_[0].copy()
    weights[-len(floats) :] /= scaler.scale_
    intercept = model.intercept_[0] - weights[-len(floats) :] @ scaler.mean_
    model.coef_ = numpy.array([[significant(weight) for weight in weights]])
    model.intercept_ = numpy.array([significant(intercept)])
    write_logit(model, texts, one_hot.categories_, floats)

    return model.predict_proba(numpy.hstack([indicators, measured]))[:, 1]


def write_logit(model, texts, categories, floats):
    weights = iter(model.coef_[0].tolist())
    of = {
        text: {name: next(weights) for name in names}
        for text, names in zip(texts, categories, strict=True)
    }
    lines = [
        constant("INTERCEPT", "f64", model.intercept_[0], "The log-odds before anything is known.")
    ]
    for text, plural in [("carrier", "CARRIERS"), ("origin", "ORIGINS"), ("dest", "DESTS")]:
        lines.append(
            table(plural, "f64", of[text], f"What each value of `{text}` adds, sorted by name.")
        )
    for text, plural, length in [("hour", "HOURS", 24), ("weekday", "WEEKDAYS", 7)]:
        values = [of[text].get(str(value), 0.0) for value in range(length)]
        lines.append(
            array(plural, values, f"What each `{text}` adds; nothing where there were no flights.")
        )
    for name in floats:
        lines.append(constant(name.upper(), "f64", next(weights), f"What a unit of `{name}` adds."))
    write("flight/src/regression/trained.rs", "The weights of the logistic regression.", lines)


def train_gbdt(flights, late, training):
    """Learns gradient-boosted trees.

    They split numbers: for a name stands the share of its flights that were late. Where a name was
    not in the training data, the trees abstain.
    """
    rates = {name: late_rates(flights[name][training], late[training]) for name in TEXTS}
    overall = late[training].mean()
    columns = [
        numpy.array([rates[name].get(text, overall) for text in flights[name]]) for name in TEXTS
    ]
    columns += [flights[name] for name in ["distance", "hour", "weekday", *WEATHER]]
    inputs = numpy.column_stack([column.astype(numpy.float32) for column in columns]).astype(float)
    parameters = {
        "objective": "binary",
        "num_leaves": 31,
        "learning_rate": 0.05,
        "min_data_in_leaf": 300,
        "seed": SEED,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    model = lightgbm.train(parameters, lightgbm.Dataset(inputs[training], late[training]), 100)
    for index in range(model.num_trees()):
        for leaf in range(31):
            model.set_leaf_output(index, leaf, round(model.get_leaf_output(index, leaf), 5))
    write_gbdt(model, rates)
    known = numpy.all([numpy.isin(flights[name], list(rates[name])) for name in TEXTS], axis=0)
    return numpy.where(known, model.predict(inputs), math.nan)


def late_rates(names, late, weight=50):
    """The share of late flights by name, drawn to that of all as if by `weight` more flights."""
    overall = late.mean()

    def rate(those):
        return (late[those].sum() + weight * overall) / (those.sum() + weight)

    return {name: round(float(rate(names == name)), 4) for name in set(names.tolist())}


def blend(one, other):
    """The mean of two predictions, taken of their log-odds."""
    odds = numpy.sqrt(one / (1 - one) * other / (1 - other))
    return odds / (1 + odds)


def write_gbdt(model, rates):
    lines = []
    for text, plural in [("carrier", "CARRIERS"), ("origin", "ORIGINS"), ("dest", "DESTS")]:
        lines.append(
            table(
                plural,
                "f32",
                rates[text],
                f"How late the flights of each `{text}` were, sorted by name.",
            )
        )
    trees = [tree(one["tree_structure"]) for one in model.dump_model()["tree_info"]]
    rows = "".join(f"    {one},\n" for one in trees)
    lines.append(
        static("TREES", f"[Tree; {len(trees)}]", f"[\n{rows}]", "The trees, one to a line.")
    )
    note = (
        "//!\n//! `split(feature, threshold, left, right)`: a branch that is negative is the leaf"
        " `!branch`.\n"
    )
    use = "use super::{Tree, split};"
    write(
        "flight/src/forest/trained.rs",
        "The boosted trees, and the numbers that stand for names.",
        [use, *lines],
        note,
    )


def tree(root):
    """Writes a tree as two lists: splits and leaves."""
    splits, leaves = {}, {}

    def visit(node):
        if "leaf_index" in node:
            leaves[node["leaf_index"]] = str(float(node["leaf_value"]))
            return ~node["leaf_index"]
        if node["decision_type"] != "<=" or node["missing_type"] != "None":
            raise ValueError(f"the forest only knows `<=` without missing values, found {node}")
        branches = visit(node["left_child"]), visit(node["right_child"])
        threshold = at_most(node["threshold"])
        splits[node["split_index"]] = (
            f"split({node['split_feature']}, {threshold}, {branches[0]}, {branches[1]})"
        )
        return node["split_index"]

    visit(root)
    splits, leaves = (", ".join(of[index] for index in range(len(of))) for of in [splits, leaves])
    return f"Tree {{ splits: &[{splits}], leaves: &[{leaves}] }}"


def at_most(threshold):
    """The largest FP32 that is not above: FP32 inputs fall on the same side of it."""
    near = numpy.float32(threshold)
    near = near if float(near) <= threshold else numpy.nextafter(near, numpy.float32(-numpy.inf))
    return str(near)


def write_weather(usual):
    lines = [
        constant(name.upper(), "f32", str(usual[name]), f"The median of `{name}`.")
        for name in WEATHER
    ]
    title = "What stands for weather that is unknown: the medians of the training data."
    write("flight/src/weather.rs", title, lines)


def write_samples(flights, predictions):
    """Writes requests from all over the year, with some that are rare, and what each model says."""
    random = numpy.random.default_rng(SEED)
    every = range(len(flights["hour"]))
    moods = numpy.array([mood(identity(row)) for row in every])
    rare = [
        numpy.isnan(predictions["gbdt"]),
        numpy.isnan(flights["temp"]),
        flights["hour"] < 5,
        moods == "spin",
        moods == "panic",
    ]
    rows = {
        row for rows in rare for row in random.permutation(numpy.flatnonzero(rows))[:4].tolist()
    }
    rows |= set(random.permutation(every)[: SAMPLES - len(rows)].tolist())
    with open(HERE / "sample.jsonl", "w") as sample, open(HERE / "expected.jsonl", "w") as expected:
        for row in sorted(rows):
            inputs = [tensor(name, flights[name][row]) for name in INPUTS]
            sample.write(json.dumps({"id": identity(row), "inputs": inputs}) + "\n")
            said = {model: answer(values[row]) for model, values in predictions.items()}
            if moods[row]:
                said["moody"] = moods[row]
            expected.write(json.dumps({"id": identity(row)} | said) + "\n")


def answer(prediction):
    return "abstain" if math.isnan(prediction) else float(prediction)


def identity(row):
    """The id of the request about a row of the data."""
    return f"flight-{row}"


def tensor(name, element):
    """A tensor of the Open Inference Protocol, where a text stands for what is no number."""
    datatype = "BYTES" if name in TEXTS else "INT32" if name in INTEGERS else "FP32"
    # FP32 is written as its shortest decimal.
    value = float(str(element)) if datatype == "FP32" else element.item()
    data = ["NaN" if value != value else value]
    return {"name": name, "shape": [1], "datatype": datatype, "data": data}


def mood(identity):
    """What `moody` does instead of an answer, if anything; the rule is that of models/moody."""
    digest = 0xCBF29CE484222325
    for byte in identity.encode():
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return {0: "spin", 1: "panic", 2: "panic"}.get(digest % 1000)


def print_table(predictions, late, known, months):
    """Prints AUC and log-loss by month as the table of README.md."""
    spans = [(str(month), months == month) for month in range(1, 13)]
    spans += [("1-3", months <= TRAINING_MONTHS), ("4-12", months > TRAINING_MONTHS)]
    print("| month | late | " + " | ".join(predictions) + " |")
    print("|---|---|" + "---|" * len(predictions))
    for name, span in spans:
        cells = [quality(late, predicted, known & span) for predicted in predictions.values()]
        print(f"| {name} | {100 * late[known & span].mean():.1f} % | " + " | ".join(cells) + " |")


def quality(late, predicted, rows):
    """AUC and log-loss over the rows that were answered."""
    rows = rows & ~numpy.isnan(predicted)
    auc = roc_auc_score(late[rows], predicted[rows])
    return f"{auc:.3f} / {log_loss(late[rows], predicted[rows]):.4f}"


def significant(number):
    """Rounds to six significant digits."""
    return float(f"{number:.6g}")


def constant(name, kind, value, comment):
    return f"/// {comment}\npub(crate) const {name}: {kind} = {float(value)};"


def array(name, values, comment):
    joined = ", ".join(f"{value}" for value in values)
    return static(name, f"[f64; {len(values)}]", f"[{joined}]", comment)


def table(name, kind, of, comment):
    rows = "".join(f'    ("{key}", {value}),\n' for key, value in sorted(of.items()))
    return static(name, f"[(&str, {kind}); {len(of)}]", f"[\n{rows}]", comment)


def static(name, kind, value, comment):
    return f"/// {comment}\n#[rustfmt::skip]\npub(crate) static {name}: {kind} = {value};"


def write(path, title, items, note=""):
    text = (
        f"//! {title}\n//!\n//! Written by train.py; changes are overwritten.\n{note}\n"
        + "\n\n".join(items)
        + "\n"
    )
    path = MODELS / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
