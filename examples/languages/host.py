"""A host that runs, and what is asked of it: all with the `understudy` command, as anybody would."""

import json
import pathlib
import subprocess
import time

ENDPOINT = "flights"
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 900
# A component with the interpreter of Python in it takes half a minute to compile, and much more on a busy machine.
CONFIG = """[compile]
cpu = "5min"
wall = "15min"
[model.limits]
cpu = "5s"
wall = "60s"
"""


class Host:
    """A host on a folder of models, from its start to its end."""

    def __init__(self, understudy, models, data):
        self.understudy = understudy
        self.data = data
        self.log = data / "host.log"
        config = data / "understudy.toml"
        config.write_text(CONFIG)
        ports = [f"--{prefix}listen=127.0.0.1:0" for prefix in ("", "grpc-", "admin-")]
        with self.log.open("w") as log:
            arguments = [understudy, "serve", "--models", models, "--data", data, "--config", config, *ports]
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        self.process.terminate()
        self.process.wait()

    def run(self, *arguments, **options):
        """Runs a command about this host, and returns what it prints."""
        command = [self.understudy, *arguments, "--data", self.data]
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout

    def wait_until_live(self, names):
        """Waits until these models run; ends with the reason where one of them never will."""

        def all_live():
            models = self.models()
            refused = [f"{name}: {model['reason']}" for name, model in models.items() if model["state"] == "refused"]
            if refused:
                raise SystemExit("the host refused " + "; ".join(refused))
            return all(models.get(name, {}).get("state") == "live" for name in names)

        self._wait("all models are live", all_live)

    def play(self, requests, names, already):
        """Appends a file of requests to the stream, and waits until every model has scored them all."""
        lines = len(requests.read_text().splitlines())
        self.run("write", ENDPOINT, requests, stderr=subprocess.DEVNULL)

        def all_scored():
            models = self.models()
            faults = [name for name in names if models[name]["faults"] or models[name]["state"] != "live"]
            if faults:
                raise SystemExit(f"broken while the flights were played: {', '.join(faults)}")
            return all(count(models[name]) >= already + lines for name in names)

        self._wait(f"{lines} flights are scored", all_scored)

    def models(self):
        """What the status says of each model; nothing while the host starts."""
        try:
            status = json.loads(self.run("status", "--json", stderr=subprocess.DEVNULL))
        except subprocess.CalledProcessError:
            return {}
        endpoints = {endpoint["name"]: endpoint for endpoint in status["endpoints"]}
        return {model["name"]: model for model in endpoints.get(ENDPOINT, {}).get("models", [])}

    def topic(self, topic):
        """The records of a topic, from its start."""
        lines = self.run("read", ENDPOINT, topic, "--json").splitlines()
        return [json.loads(line)["value"] for line in lines]

    def _wait(self, what, happened):
        for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
            if self.process.poll() is not None:
                break
            if happened():
                return
            time.sleep(PAUSE_SECONDS)
        raise SystemExit(f"waited in vain until {what}; the host says:\n{pathlib.Path(self.log).read_text()}")


def count(model):
    return model["predictions"] + model["refusals"] + model["faults"] + model["drops"]
