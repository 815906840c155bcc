"""The picture of the page: what each model said of some flights, and how far the farthest is from what it should be."""

import math

from models import LANGUAGES, REGRESSIONS, TREES

# How many flights are shown, of all that were played.
SHOWN = 116
LEVELS = 20
CELL, ROW, GAP = 4, 17, 30
LEFT, TOP, WIDTH = 132, 58, 960
SCALE_LEFT, SCALE_RIGHT = LEFT + SHOWN * CELL + 66, WIDTH - 118
# The exponents of ten at both ends of the scale.
LEAST, MOST = -17, -6.5
STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2328 }
    .head { font-weight: 600 }
    .soft { fill: #59636e; font-size: 12px }
    .line { stroke: #d1d9e0; stroke-width: 1; fill: none }
    .bars { stroke: #b5450b; stroke-width: 4; fill: none }
    .rust { fill: #0b62b5 }
    .own { fill: none; stroke: #0b62b5; stroke-width: 1.6 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .soft { fill: #9198a1 } .line { stroke: #3d444d }
      .bars { stroke: #ff9a4d } .rust { fill: #6cb6ff } .own { stroke: #6cb6ff }
    }
"""


def draw(report):
    """The picture as SVG."""
    canvas = Canvas(report)
    canvas.group("The regression, written in nine languages")
    for model in LANGUAGES:
        canvas.model(model, "rust")
    canvas.group("The same regression, from files of libraries")
    for model in REGRESSIONS:
        canvas.model(model, "rust")
    canvas.group("Trees from files: the upper half in the host, the lower half by the library itself")
    for model in TREES:
        canvas.model(model, "library")
    return canvas.finish()


class Canvas:
    """A picture that grows downwards."""

    def __init__(self, report):
        self.report = report
        self.parts = []
        self.y = TOP
        step = len(report["flights"]) / SHOWN
        self.columns = [int(step * column) for column in range(SHOWN)]
        every = sorted(p for found in report["models"].values() for p in found["predictions"])
        # The few that are likelier than that are drawn as strong as it.
        self.least, self.most = every[0], every[len(every) * 98 // 100]

    def group(self, title):
        self.y += GAP if self.parts else 0
        self.parts.append(f'<text class="soft" x="{LEFT}" y="{self.y - 6}">{title}</text>')

    def model(self, model, beside):
        found = self.report["models"][model.name]
        self.parts.append(f'<text x="{LEFT - 10}" y="{self.y + 12}" text-anchor="end">{model.title}</text>')
        if beside == "library":
            library = self.report["models"][model.name]["said_by_library"]
            self.bars(found["predictions"], self.y, (ROW - 3) / 2)
            self.bars(library, self.y + (ROW - 3) / 2, (ROW - 3) / 2)
        else:
            self.bars(found["predictions"], self.y, ROW - 3)
        if model.name != "rust":
            self.dot(found[beside], "rust" if beside == "rust" else "own")
        self.y += ROW + (3 if beside == "library" else 0)

    def bars(self, predictions, y, height):
        """A bar for each flight, the stronger the likelier it is late."""
        by_level = {}
        for column, flight in enumerate(self.columns):
            share = min(1.0, (predictions[flight] - self.least) / (self.most - self.least))
            by_level.setdefault(1 + round(share * (LEVELS - 1)), []).append(column)
        for level, columns in sorted(by_level.items()):
            path = "".join(f"M{LEFT + column * CELL + CELL // 2} {y:g}v{height:g}" for column in columns)
            self.parts.append(f'<path class="bars" stroke-opacity="{level / LEVELS:.2f}" d="{path}"/>')

    def dot(self, far, kind):
        x, y = place(far["absolute"]), self.y + (ROW - 3) / 2
        said = "same bits" if far["absolute"] == 0 else f"{far['absolute']:.0e}".replace("e-0", "e-")
        self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:g}" r="{4.5 if kind == "rust" else 4}"/>')
        self.parts.append(f'<text class="soft" x="{x + 10:.1f}" y="{y + 4:g}">{said}</text>')

    def finish(self):
        bottom = self.y + 4
        scale = [
            f'<text class="head" x="{LEFT}" y="20">What {SHOWN} flights of 2013 were told: '
            "the stronger, the likelier late</text>",
            f'<text class="head" x="{SCALE_LEFT}" y="20">The largest difference of all flights</text>',
        ]
        for value, title in [(0.0, "none"), (2.0**-53, "double"), (2.0**-24, "single precision")]:
            x = place(value)
            scale.append(f'<path class="line" d="M{x:.1f} {TOP - 4}V{bottom}"/>')
            scale.append(f'<text class="soft" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{title}</text>')
        key_x, key_y = SCALE_LEFT, bottom + 44
        key = [
            f'<circle class="rust" cx="{key_x}" cy="{key_y - 4}" r="4.5"/>',
            f'<text class="soft" x="{key_x + 10}" y="{key_y}">from Rust</text>',
            f'<circle class="own" cx="{key_x + 96}" cy="{key_y - 4}" r="4"/>',
            f'<text class="soft" x="{key_x + 106}" y="{key_y}">from its library</text>',
            f'<text class="soft" x="{LEFT}" y="{bottom + 18}">{self.least:.2f} (faint) to {self.most:.2f} and more '
            "(strong), in the order of the year</text>",
        ]
        height = bottom + 56
        box = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">'
        title = f"<title>{len(self.report['models'])} models in one host and what they said of the same flights</title>"
        return "\n".join([head, title, f"<style>{STYLE}</style>", *scale, *self.parts, *key, "</svg>", ""])


def place(difference):
    """Where a difference is on the scale: at its left end where there is none."""
    if difference == 0:
        return float(SCALE_LEFT)
    share = (math.log10(difference) - LEAST) / (MOST - LEAST)
    room = SCALE_RIGHT - SCALE_LEFT
    return SCALE_LEFT + room * (0.2 + 0.8 * share)
