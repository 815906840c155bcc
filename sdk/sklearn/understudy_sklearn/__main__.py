"""`python -m understudy_sklearn model.joblib -o model.json`: exports a model that was saved with joblib or pickle.

Such a file is a program that runs when it is read: only read your own, and where it was written.
"""

from __future__ import annotations

import argparse
import sys

import joblib

from ._errors import ExportError
from ._export import export


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m understudy_sklearn", description=__doc__)
    parser.add_argument("model", help="a fitted model, saved with joblib or pickle; your own: it is a program")
    parser.add_argument("-o", "--output", required=True, help="the file that is written")
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="COLUMN=TYPE",
        help="the type of a column where it is no float64: float32, int64, int32, bool or text",
    )
    given = parser.parse_args()
    model = joblib.load(given.model)
    names = getattr(model, "feature_names_in_", None)
    try:
        types = dict(pair.rsplit("=", 1) for pair in given.type)
        if types and names is None:
            raise ExportError("--type: the model was fitted on columns without names")
        unknown = [name for name in types if name not in set(names)] if types else []
        if unknown:
            raise ExportError(f"--type: found {unknown}, and the model was fitted on {list(names)}")
        export(model, given.output, {str(n): types.get(n) for n in names} if types else None)
    except ExportError as error:
        print(f"{given.model}: {error}", file=sys.stderr)
        return 1
    print(f"wrote {given.output}; next: understudy pack {given.output} -o model.wasm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
