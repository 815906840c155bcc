"""A scorer outside of the host: reads an endpoint's requests from Kafka and writes its scores.

The endpoint names it in endpoint.toml:

    [external.outside]
    outputs = { delayed = { datatype = "FP64", shape = [1] } }

and may then give it any place in its policy. All that a scorer must do is here: read what is new,
write each score to the partition of its request with the headers `id` and `model`, and end when it is
told to. Start several with one --group, and they share the partitions.

    pip install --requirement requirements.txt
    python scorer.py --brokers localhost:9092 --endpoint flights
"""

import argparse
import json
import math
import pathlib
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaError, Producer

HERE = pathlib.Path(__file__).parent
# How many requests are scored together at most. A model that likes batches gets them here.
BATCH = 64
# How long to wait for a first one.
WAIT_S = 0.1
# How often it is noted how far it is.
COMMIT_EVERY_S = 1.0


def main():
    settings = arguments()
    model = Model(HERE / "model.json")
    stopping = []
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopping.append(True))
    scorer = Scorer(settings, model)
    try:
        while not stopping:
            scorer.turn()
    finally:
        scorer.close()


def arguments():
    parser = argparse.ArgumentParser(description="Scores the requests of an endpoint.")
    parser.add_argument("--brokers", required=True, help="HOST:PORT, several with commas")
    parser.add_argument("--endpoint", required=True, help="as flights, or acme/flights of a tenant")
    parser.add_argument("--prefix", default="understudy.", help="as [stream.kafka] prefix has it")
    parser.add_argument("--model", default="outside", help="as endpoint.toml names it")
    parser.add_argument("--group", help="the consumer group [default: PREFIX ENDPOINT.MODEL]")
    parser.add_argument("--source", action="append", default=[], help="a [flow] source as well")
    parser.add_argument(
        "--property", action="append", default=[], help="of librdkafka, as security.protocol=SSL"
    )
    return parser.parse_args()


class Model:
    """What train.py has learnt."""

    def __init__(self, file):
        learnt = json.loads(file.read_text())
        self.version = learnt["version"]
        self.weights, self.texts = learnt["weights"], learnt["texts"]
        self.numbers = learnt["numbers"]

    def predict(self, inputs):
        """How likely a flight is to be late. What is not in the request counts as the usual."""
        odds = self.weights["intercept"]
        for name in self.texts:
            odds += self.weights.get(f"{name}={inputs.get(name)}", 0.0)
        for name, number in self.numbers.items():
            value = inputs.get(name)
            value = number["usual"] if value is None else float(value)
            odds += self.weights[name] * (value - number["mean"]) / number["scale"]
        return 1 / (1 + math.exp(-odds))


class Scorer:
    """Reads requests and writes scores."""

    def __init__(self, settings, model):
        self.model, self.name = model, settings.model
        base = settings.prefix + settings.endpoint.replace("/", ".")
        self.scores = f"{base}.scores"
        shared = {"bootstrap.servers": settings.brokers}
        shared |= dict(pair.split("=", 1) for pair in settings.property)
        self.consumer = Consumer(
            shared
            | {
                "group.id": settings.group or f"{base}.{settings.model}",
                # A request of long ago has its answer.
                "auto.offset.reset": "latest",
                "enable.auto.commit": False,
                "session.timeout.ms": 10000,
                "partition.assignment.strategy": "cooperative-sticky",
                "fetch.queue.backoff.ms": 10,
            }
        )
        # A score that waits for company is late.
        self.producer = Producer(shared | {"enable.idempotence": True, "linger.ms": 0})
        partitions = self.producer.list_topics(self.scores, timeout=30).topics[self.scores]
        if partitions.error is not None:
            sys.exit(f"{self.scores}: {partitions.error.str()}")
        self.partitions = len(partitions.partitions)
        self.committed = time.monotonic()
        self.requests = f"{base}.requests"
        topics = [self.requests, *settings.source]
        self.consumer.subscribe(topics, on_assign=self.assigned)

    def assigned(self, consumer, partitions):
        """Begins where the group was, or with what comes from now on, and says that it is there."""
        known = consumer.committed(partitions, timeout=10)
        for partition, committed in zip(partitions, known):
            if committed.offset < 0:
                # Left to itself, "latest" is where the end is later, and what came until then is not read.
                partition.offset = consumer.get_watermark_offsets(partition, timeout=10)[1]
        consumer.incremental_assign(partitions)
        names = [f"{partition.topic}/{partition.partition}" for partition in partitions]
        # Whoever started it may wait for this line.
        print(f"scoring as {self.name}@{self.model.version}: {' '.join(names)}", flush=True)

    def turn(self):
        """Scores what has come, all of it together."""
        for message in self.consumer.consume(BATCH, WAIT_S):
            error = message.error()
            if error is None:
                self.score(message)
            elif error.code() != KafkaError._PARTITION_EOF:
                print(f"trouble: {error.str()}", file=sys.stderr, flush=True)
        self.producer.poll(0)
        if time.monotonic() - self.committed >= COMMIT_EVERY_S:
            self.committed = time.monotonic()
            # Asynchronous: where it is lost, a few requests are scored again, which does no harm.
            self.consumer.commit(asynchronous=True)

    def score(self, message):
        """Writes the score of one request."""
        headers = dict(message.headers() or [])
        if "deadline-us" in headers and int(headers["deadline-us"]) < time.time() * 1e6:
            return  # Nobody waits for it any more.
        id, value = self.value_of(message, headers)
        if id is None:
            return  # It is no request: the host has buried it.
        self.producer.produce(
            self.scores,
            key=message.key(),
            value=json.dumps(value),
            # The host that owns the request looks for its scores nowhere else.
            partition=message.partition() % self.partitions,
            headers={"id": id, "model": self.name},
        )

    def value_of(self, message, headers):
        """The id of a request and its score, or a refusal."""
        id = headers["id"].decode() if "id" in headers else None
        if headers.get("content-type", b"").startswith(b"application/x-protobuf"):
            return id, {"refusal": {"kind": "invalid-input", "message": "only JSON is read here"}}
        try:
            request = json.loads(message.value())
            inputs = {tensor["name"]: tensor["data"][0] for tensor in request["inputs"]}
        except (ValueError, KeyError, TypeError, IndexError) as error:
            refusal = {"kind": "invalid-input", "message": f"no request: {error}"}
            return id, {"refusal": refusal}
        place = f"{message.partition()}-{message.offset()}"
        if message.topic() != self.requests:
            place = f"{message.topic()}-{place}"
        id = id or request.get("id") or place
        try:
            delayed = self.model.predict(inputs)
        except (ValueError, TypeError) as error:
            return id, {"refusal": {"kind": "invalid-input", "message": str(error)}}
        output = {"name": "delayed", "datatype": "FP64", "shape": [1], "data": [delayed]}
        return id, {"model_version": self.model.version, "outputs": [output]}

    def close(self):
        """Writes what is under way, notes how far it is, and leaves the group."""
        self.producer.flush(10)
        try:
            self.consumer.commit(asynchronous=False)
        except Exception as error:  # There may be nothing to note.
            print(f"not noted: {error}", file=sys.stderr, flush=True)
        self.consumer.close()
        print("ended", flush=True)


if __name__ == "__main__":
    main()
