"""Trains the model of this example on January to March 2013 and writes model.json.

The question is whether a flight arrives more than 15 minutes late, asked at its scheduled departure.
A logistic regression over the carrier, the origin, the hour, the day of the week and three numbers
about the weather, by stochastic gradient descent: nothing but the standard library is needed, and a
second run writes the same bytes.

    python3 train.py
"""

import csv
import gzip
import hashlib
import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).parent
FLIGHTS = HERE.parent / "flights" / "flights-2013.csv.gz"
LATE_MIN = 15
TRAINING_MONTHS = 3
EPOCHS = 4
TEXTS = ["carrier", "origin", "hour", "weekday"]
# What is subtracted from each number and what it is divided by, so that all are of one size; and what
# stands for one that is unknown.
NUMBERS = {
    "wind_speed": {"mean": 11.0, "scale": 6.0, "usual": 11.51},
    "precip": {"mean": 0.0, "scale": 0.1, "usual": 0.0},
    "visib": {"mean": 9.0, "scale": 3.0, "usual": 10.0},
}


def main():
    flights = list(read())
    weights = {"intercept": math.log(0.24 / 0.76)}
    draw = random.Random(2013)
    for epoch in range(EPOCHS):
        draw.shuffle(flights)
        step = 0.02 / (1 + epoch)
        for features, late in flights:
            odds = sum(weights.get(name, 0.0) * value for name, value in features.items())
            wrong = 1 / (1 + math.exp(-odds)) - late
            for name, value in features.items():
                weights[name] = weights.get(name, 0.0) - step * wrong * value
    model = {
        "weights": {name: round(weight, 4) for name, weight in sorted(weights.items())},
        "texts": TEXTS,
        "numbers": NUMBERS,
    }
    body = json.dumps(model, indent=1)
    version = hashlib.sha256(body.encode()).hexdigest()[:12]
    text = json.dumps({"version": version, **model}, indent=1)
    (HERE / "model.json").write_text(text + "\n")
    print(f"model.json: version {version}, {len(weights)} weights from {len(flights)} flights")


def read():
    """Yields each flight of the training months that arrived: its features, and whether it was late."""
    with gzip.open(FLIGHTS, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["month"]) > TRAINING_MONTHS or not row["arr_delay"]:
                continue
            features = {"intercept": 1.0}
            features |= {f"{name}={row[name]}": 1.0 for name in TEXTS}
            for name, number in NUMBERS.items():
                value = float(row[name]) if row[name] else number["usual"]
                features[name] = (value - number["mean"]) / number["scale"]
            yield features, float(row["arr_delay"]) > LATE_MIN


if __name__ == "__main__":
    main()
