"""The table of README.md and its picture, both written by a run, so that they say what was found and nothing else."""

import math
import os
import platform

from models import HERE, LANGUAGES, REGRESSIONS, TREES
from picture import draw

BEGIN = "<!-- written by run.py: begin -->\n"
END = "<!-- written by run.py: end -->\n"
HEADINGS = ["model", "component", "cold load", "a call", "a flight of many", "beside Rust", "beside its library"]
GROUPS = [
    ("the regression, written by hand", LANGUAGES),
    ("the regression, from a file", REGRESSIONS),
    ("trees, from files", TREES),
]


def write(report):
    """Writes the picture, and the part of README.md that is a run's."""
    (HERE / "agreement.svg").write_text(draw(report), encoding="utf-8")
    file = HERE / "README.md"
    text = file.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    file.write_text(before + BEGIN + table(report) + END + after, encoding="utf-8")


def table(report):
    """The table, and what it was measured on."""
    lines = ["", row(HEADINGS), row(["---", *["---:"] * 4, "---", "---"])]
    for title, models in GROUPS:
        lines.append(row([f"**{title}**", *[""] * 6]))
        lines += [row(cells(model, report)) for model in models]
    flights, models = len(report["flights"]), len(report["models"])
    load, processors = os.getloadavg()[2], os.cpu_count()
    lines += [
        "",
        f"{models} models, {flights} flights, {models * flights} predictions, all in one host.",
        f"Measured on {processors} processors of {machine()}, for which {load:.0f} programs on average were waiting.",
        "",
    ]
    return "\n".join(lines) + "\n"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def cells(model, report):
    found = report["models"][model.name]
    own = model.name == "rust"
    return [
        model.shown,
        size(found["bytes"]),
        duration(found["load_ms"]),
        f"{found['call_us']:.1f} µs",
        f"{found['in_batch_us']:.1f} µs",
        "itself" if own else nearness(found["rust"], len(report["flights"])),
        nearness(found["library"], len(report["flights"])),
    ]


def nearness(far, flights):
    """How near predictions are to others, in words."""
    if far is None:
        return ""
    if far["equal"] == flights:
        return "same bits"
    if far["ulp"] > 1000 or far["absolute"] > 1e-12:
        return f"within {scientific(far['absolute'])}"
    return f"same bits for {far['equal']}, else ≤ {far['ulp']} ulp"


def scientific(number):
    """A number in one digit, rounded up: it is a bound."""
    exponent = math.floor(math.log10(number))
    return f"{math.ceil(number / 10**exponent - 1e-6)}e{exponent}"


def size(count):
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def duration(ms):
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def machine():
    """The processor, as the system calls it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
