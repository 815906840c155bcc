"""Has fourteen models live at once in one host, plays real flights, and writes the page that compares what they say.

    python3 examples/languages/run.py             builds and measures everything, and writes README.md and agreement.svg
    python3 examples/languages/run.py --check     takes what was built of the same sources, and writes nothing

Both end with an error where a model says something else than it should. The standard library of Python is enough; what
trains the models of the libraries gets an environment of its own (see models.py).
"""

import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import agreement
import page
from host import Host
from models import HERE, LANGUAGES, MODELS, cache, component, run, say, trained

# How often all flights are played once more, for what a flight costs among others.
ROUNDS = 4


def main():
    arguments = parse()
    understudy = arguments.understudy
    if not arguments.check:
        install(understudy)
    files = trained()
    made = {model.name: component(model, understudy, not arguments.check) for model in MODELS}
    with tempfile.TemporaryDirectory() as folder:
        played = play(understudy, pathlib.Path(folder), made, files, 0 if arguments.check else ROUNDS)
    report = agreement.report(played["scores"], read_predictions(files))
    for name, (wasm, told) in made.items():
        load_ms, call_us = (None, None) if arguments.check else again(understudy, wasm, told)
        cost = {"bytes": told["bytes"], "load_ms": load_ms, "call_us": call_us}
        report["models"][name] |= cost | {"in_batch_us": played["in_batch_us"].get(name)}
    if arguments.check:
        print(json.dumps(report))
    else:
        page.write(report)
        say(f"written: {HERE / 'README.md'}")
    if report["wrong"]:
        raise SystemExit("\n".join(report["wrong"]))


def again(understudy, wasm, told):
    """The shorter of two loads, and of two calls with the same request: the machine may have had other things to do."""
    second = json.loads(run([understudy, "check", wasm, "--json"]))
    same = [one["call"]["p50_us"] for one in (told, second) if one["call"]["asked"] == told["call"]["asked"]]
    return min(told["load_ms"], second["load_ms"]), min(same)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = shutil.which("understudy")
    parser.add_argument("--understudy", default=default, help="the binary [default: that of PATH]")
    parser.add_argument("--check", action="store_true", help="write nothing, and print what was found as JSON")
    arguments = parser.parse_args()
    if arguments.understudy is None:
        parser.error("found no `understudy` in PATH, expected --understudy FILE, as `make build` says")
    return arguments


def install(understudy):
    """Makes sure of the tools of all languages."""
    say("making sure of the tools of nine languages")
    names = [language.name for language in LANGUAGES]
    subprocess.run([understudy, "toolchain", "install", *names], check=True, stdout=sys.stderr)


def play(understudy, folder, made, files, rounds):
    """Starts a host on all models, plays the flights, and returns every score and what the models cost."""
    models, data = folder / "models", folder / "data"
    shutil.copytree(HERE / "folder", models)
    for wasm, _told in made.values():
        shutil.copy(wasm, models / "flights")
    # What was compiled before need not be compiled again.
    compiled = cache() / "compiled"
    compiled.mkdir(parents=True, exist_ok=True)
    data.mkdir()
    (data / "compiled").symlink_to(compiled)
    requests = files / "requests.jsonl"
    with Host(understudy, models, data) as host:
        say(f"starting a host with {len(made)} models")
        host.wait_until_live(made)
        flights = len(requests.read_text().splitlines())
        say(f"playing {flights} flights")
        host.play(requests, made, 0)
        scores = host.topic("scores")
        before = host.models()
        for number in range(1, rounds + 1):
            again = folder / "again.jsonl"
            again.write_text(requests.read_text().replace('"id": "', f'"id": "{number}-'))
            host.play(again, made, number * flights)
        after = host.models()
    spent = {name: after[name]["cpu_us"] - before[name]["cpu_us"] for name in made}
    in_batch_us = {name: us / (rounds * flights) for name, us in spent.items()} if rounds else {}
    return {"scores": scores, "in_batch_us": in_batch_us}


def read_predictions(files):
    """What the libraries said of each flight, by its id."""
    with (files / "predictions.csv").open(newline="") as table:
        rows = csv.DictReader(table)
        return {row["id"]: row for row in rows}


if __name__ == "__main__":
    main()
