"""The models of this example: where each comes from, and how it becomes a component."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The columns that the trees read, in the order of training and in the types of the requests.
COLUMNS = (
    "carrier:BYTES,origin:BYTES,dest:BYTES,distance:FP32,hour:INT32,weekday:INT32,"
    "wind_speed:FP32,precip:FP32,visib:FP32,temp:FP32"
)
# What a component depends on besides its own sources.
BUILDER = ["sdk/builder", "sdk/toolchain", "wit"]
PACKER = ["sdk/pack", "sdk/trained", "sdk/runner", "sdk/runner-tract"]
TRAINING = [
    "examples/languages/train.py",
    "examples/languages/python/weights.json",
    "examples/flights/flights-2013.csv.gz",
    "tests/trained/requirements.txt",
    "sdk/sklearn/understudy_sklearn",
]


@dataclass(frozen=True)
class Language:
    """A model that is written by hand."""

    name: str
    title: str
    # The project, and the library of its language, in this repository.
    project: str
    library: str

    @property
    def shown(self):
        return f"[{self.title}]({os.path.relpath(ROOT / self.project, HERE)})"

    made_by = "`understudy build`"

    def make(self, understudy, folder):
        """Builds the component into a folder, and returns what the command says of it."""
        out = folder / f"{self.name}.wasm"
        return json.loads(run([understudy, "build", ROOT / self.project, "--output", out, "--json"]))

    def digest(self):
        return digest([self.project, self.library, *BUILDER])


@dataclass(frozen=True)
class File:
    """A model that a library has trained and saved."""

    name: str
    title: str
    file: str
    # Whether it is the regression, which has names for its columns and their types.
    regression: bool = False

    @property
    def shown(self):
        return f"{self.title}, `{self.file}`"

    made_by = "`understudy pack`"

    def make(self, understudy, folder):
        """Packs the file that was trained; refused where its samples are not what the library predicts."""
        out = folder / f"{self.name}.wasm"
        files = trained()
        columns = [] if self.regression else ["--columns", COLUMNS]
        sample = ["--sample", files / "predictions.csv", "--expected", self.name]
        run([understudy, "pack", files / self.file, "--out", out, "--output", "delayed", *columns, *sample])
        return json.loads(run([understudy, "check", out, "--json"]))

    def digest(self):
        return digest([*TRAINING, *PACKER])


LANGUAGES = [
    Language("rust", "Rust", "examples/flights/models/logit", "sdk/rust"),
    Language("c", "C", "examples/languages/c", "sdk/c"),
    Language("cpp", "C++", "examples/languages/cpp", "sdk/cpp"),
    Language("zig", "Zig", "examples/languages/zig", "sdk/zig"),
    Language("go", "Go", "examples/languages/go", "sdk/go"),
    Language("python", "Python", "examples/languages/python", "sdk/python"),
    Language("javascript", "JavaScript", "examples/languages/javascript", "sdk/javascript"),
    Language("typescript", "TypeScript", "examples/languages/typescript", "sdk/javascript"),
    Language("assemblyscript", "AssemblyScript", "examples/languages/assemblyscript", "sdk/assemblyscript"),
]
REGRESSIONS = [
    File("scikit-learn", "scikit-learn", "scikit-learn.json", regression=True),
    File("onnx", "ONNX", "onnx.onnx", regression=True),
]
TREES = [
    File("lightgbm", "LightGBM", "lightgbm.txt"),
    File("xgboost", "XGBoost", "xgboost.json"),
    File("catboost", "CatBoost", "catboost.json"),
]
MODELS = [*LANGUAGES, *REGRESSIONS, *TREES]


def component(model, understudy, fresh):
    """A component and what the command said of it: made now, or kept from when its sources were the same."""
    def make(folder):
        told = model.make(understudy, folder)
        (folder / f"{model.name}.json").write_text(json.dumps(told))

    folder = kept(f"{model.name}-{model.digest()}", f"making the model of {model.title}", make, fresh)
    return folder / f"{model.name}.wasm", json.loads((folder / f"{model.name}.json").read_text())


def trained():
    """The folder with the files of the libraries and what they predict: trained once, and kept."""
    def train(folder):
        venv = run([ROOT / "tests/interop/venv.sh", "../trained/requirements.txt"]).strip()
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        run([f"{venv}/bin/python", HERE / "train.py", folder], env=environment)

    return kept(f"trained-{digest(TRAINING)}", "training the models that come from files, once", train)


def cache():
    """The folder of these examples in the user's cache."""
    xdg = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("UNDERSTUDY_CACHE") or f"{xdg}/understudy") / "examples"


def kept(name, what, make, fresh=False):
    """A folder of the cache: made where it is not there yet, and whole or not there."""
    folder = cache() / name
    if fresh or not folder.is_dir():
        say(what)
        cache().mkdir(parents=True, exist_ok=True)
        partial = pathlib.Path(tempfile.mkdtemp(dir=cache()))
        make(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return folder


def digest(folders):
    """The digest of every file there that git knows or would take."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders], cwd=ROOT)
    files = hashlib.sha256()
    for name in sorted(listed.splitlines()):
        if (ROOT / name).is_file():
            files.update(name.encode() + b"\n" + (ROOT / name).read_bytes())
    return files.hexdigest()[:16]


def run(command, **options):
    """Runs a command and returns what it prints; what it says of its progress is shown where it fails."""
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def say(what):
    print(what, file=sys.stderr, flush=True)
