"""Executes steps in Python, all in one namespace, and shows the last expression of each as a notebook does.

Reads a step as JSON from a line of standard input, and writes what it printed as JSON to one of standard output.
"""

import ast
import contextlib
import io
import json
import sys
import traceback
import warnings


def main():
    warnings.simplefilter("ignore")
    namespace = {"__name__": "__main__"}
    for line in sys.stdin:
        printed = io.StringIO()
        told = {}
        with contextlib.redirect_stdout(printed):
            try:
                execute(json.loads(line), namespace)
            except Exception:
                told["error"] = traceback.format_exc()
        print(json.dumps(told | {"printed": printed.getvalue()}), flush=True)


def execute(code, namespace):
    steps = ast.parse(code)
    last = steps.body.pop() if isinstance(steps.body[-1], ast.Expr) else None
    exec(compile(steps, "step", "exec"), namespace)
    if last is None:
        return
    value = eval(compile(ast.Expression(last.value), "step", "eval"), namespace)
    # An estimator that was fitted is worth no line; a table, a number, a text are.
    if value is not None and not hasattr(value, "fit"):
        print(value)


if __name__ == "__main__":
    main()
