"""Executes README.md from top to bottom, and writes below each step what it has printed.

    python3 examples/notebook/execute.py              all steps, in a folder of its own; the page is written anew
    python3 examples/notebook/execute.py --check      the same, but the page stays as it is; prints it as it would be

Steps in `sh` run in a shell, those in `python` all in one interpreter, that of the environment which the first step
makes. That one is kept in the user's cache while the step and `sdk/sklearn` stay as they are. Before each step the host
gets the time to load what is in its folder, as it would from a person, and it listens on ports that nobody else has.
"""

import argparse
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = HERE / "README.md"
# A step, and what it printed when it was executed last.
STEP = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
# Where the page says that the host listens.
ADDRESS = "http://127.0.0.1:8000"
PATIENCE_SECONDS = 300
PAUSE_SECONDS = 0.05
# Stands for the binary: what it starts listens on free ports, and is known by its number.
SHIM = """#!/bin/sh
if [ "$1" = serve ]; then
    echo $$ > "$UNDERSTUDY_PID"
    set -- "$@" --listen 127.0.0.1:0 --grpc-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0
fi
exec "$UNDERSTUDY" "$@"
"""


def main():
    arguments = parse()
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        session = Session(pathlib.Path(folder), arguments.understudy)
        try:
            executed = STEP.sub(session.step, text)
        finally:
            session.end()
    if arguments.check:
        print(executed, end="")
    else:
        PAGE.write_text(executed, encoding="utf-8")
        say(f"written: {PAGE}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = shutil.which("understudy")
    parser.add_argument("--understudy", default=default, help="the binary [default: that of PATH]")
    parser.add_argument("--check", action="store_true", help="write nothing, and print the page as it would be")
    arguments = parser.parse_args()
    if arguments.understudy is None:
        parser.error("found no `understudy` in PATH, expected --understudy FILE, as `make build` says")
    return arguments


class Session:
    """One run of the page: a folder, the shell's variables, an interpreter, and a host once there is one."""

    def __init__(self, folder, understudy):
        self.work = folder / "work"
        self.work.mkdir()
        tools = folder / "bin"
        tools.mkdir()
        shim = tools / "understudy"
        shim.write_text(SHIM)
        shim.chmod(0o755)
        self.pid_file = folder / "pid"
        self.environment = os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "UNDERSTUDY": str(pathlib.Path(understudy).resolve()),
            "UNDERSTUDY_PID": str(self.pid_file),
            "REPOSITORY": str(ROOT),
            # The same trees on every machine.
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "100",
        }
        self.interpreter = None
        self.has_host = False
        self.number = 0

    def step(self, match):
        """Executes a step, and returns it with what it printed."""
        language, code = match.groups()
        self.number += 1
        say(f"step {self.number}: {code.strip().splitlines()[0]}")
        if self.number == 1:
            printed = self.install(code)
        else:
            self.wait_for_host()
            printed = self.shell(code) if language == "sh" else self.python(code)
            self.has_host |= "understudy serve" in code
        shown = f"\n```text\n{printed.rstrip()}\n```\n" if printed.strip() else ""
        return f"```{language}\n{code}```\n{shown}"

    def install(self, code):
        """Executes the step that makes the environment, or takes the one that it made from the same packages."""
        sources = sorted((ROOT / "sdk/sklearn").rglob("*.py")) + [ROOT / "sdk/sklearn/pyproject.toml"]
        parts = [code.encode(), sys.version.encode(), *[source.read_bytes() for source in sources]]
        digest = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
        kept, venv = cache() / f"notebook-{digest}", self.work / "venv"
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / "notebook.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists():
                venv.symlink_to(kept)
                return self.shell(code.splitlines()[-1])
            # The package is built where its sources are copied to, so that the repository stays as it is.
            copied = self.work.parent / "repository"
            shutil.copytree(ROOT / "sdk/sklearn", copied / "sdk/sklearn")
            printed = self.shell(code, {"REPOSITORY": str(copied)})
            shutil.move(venv, kept)
            venv.symlink_to(kept)
            return printed

    def shell(self, code, more=None):
        """Executes a step of the shell. What it starts in the background goes on."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            command = ["bash", "-euo", "pipefail", "-c", code]
            environment = self.environment | (more or {})
            done = subprocess.run(command, cwd=self.work, env=environment, stdout=out, stderr=errors)
            printed, told = (file.seek(0) or file.read() for file in (out, errors))
        if done.returncode != 0:
            raise SystemExit(f"step {self.number} ended with {done.returncode}:\n{code}\n{printed}{told}")
        return printed

    def python(self, code):
        """Executes a step in the interpreter."""
        if self.interpreter is None:
            self.interpreter = subprocess.Popen(
                [self.work / "venv/bin/python", HERE / "interpreter.py"],
                cwd=self.work, env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        if ADDRESS in code:
            code = code.replace(ADDRESS, self.status()["rest"])
        self.interpreter.stdin.write(json.dumps(code) + "\n")
        self.interpreter.stdin.flush()
        told = json.loads(self.interpreter.stdout.readline() or '{"error": "the interpreter ended"}')
        if told.get("error"):
            raise SystemExit(f"step {self.number} failed:\n{code}\n{told['error']}")
        return told["printed"]

    def status(self):
        """Where the host listens and how its models are; nothing while it starts."""
        command = [self.environment["UNDERSTUDY"], "status", "--json", "--data", "data"]
        done = subprocess.run(command, cwd=self.work, text=True, capture_output=True)
        if done.returncode != 0:
            return None
        listening = (self.work / "host.log").read_text()
        return json.loads(done.stdout) | {"rest": re.search(r"^rest: (\S+)", listening, re.MULTILINE)[1]}

    def wait_for_host(self):
        """Waits until every file in the folder of the host runs as a model."""
        if not self.has_host:
            return
        wanted = {file.stem for file in (self.work / "models/flights").glob("*.wasm")}
        for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
            status = self.status()
            if status is not None:
                models = [model for endpoint in status["endpoints"] for model in endpoint["models"]]
                if wanted <= {model["name"] for model in models if model["state"] == "live"}:
                    return
            time.sleep(PAUSE_SECONDS)
        raise SystemExit(f"the host does not run {wanted}:\n{(self.work / 'host.log').read_text()}")

    def end(self):
        """Ends what the page has started."""
        if self.interpreter is not None:
            self.interpreter.stdin.close()
            self.interpreter.wait()
        if self.pid_file.exists():
            pid = int(self.pid_file.read_text())
            os.kill(pid, signal.SIGTERM)
            # It is no child of ours, so its end is seen by its file being free again.
            for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
                if not pathlib.Path(f"/proc/{pid}").exists():
                    return
                time.sleep(PAUSE_SECONDS)


def cache():
    """The folder of these examples in the user's cache."""
    xdg = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("UNDERSTUDY_CACHE") or f"{xdg}/understudy") / "examples"


def say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
