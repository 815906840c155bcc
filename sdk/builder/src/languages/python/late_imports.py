"""Lists the imports in functions, which a component cannot do when it is called: `late_imports.py PROJECT... -- PACKAGES...`

Prints a Python literal: a list of the module that imports, what it imports, the file and line, and whether the build has to
fail where that is not there. It need not be there where the module catches the error, or is somebody else's.
"""

import ast
import os
import sys

SKIPPED = {"__pycache__", "node_modules", "site-packages", "test", "tests"}


def sources(folder: str):
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        yield from (os.path.join(above, name) for name in files if name.endswith(".py"))


def late_imports(folder: str, is_own: bool):
    for path in sources(folder):
        try:
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read())
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue  # Python says it better if the module is imported at all.
        parts = os.path.relpath(path, folder)[: -len(".py")].split(os.sep)
        package = parts[:-1]
        module = ".".join(package if parts[-1] == "__init__" else parts)
        handled = {id(inner) for each in ast.walk(tree) if isinstance(each, ast.Try) for inner in ast.walk(each)}
        functions = [each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
        nodes = {id(node): node for function in functions for node in ast.walk(function)}
        for node in nodes.values():
            for name in imported(node, package):
                place = f"{os.path.relpath(path, folder)}:{node.lineno}"
                yield module, name, place, is_own and id(node) not in handled


def imported(node: ast.AST, package: list) -> list:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        name = ".".join([*above, *([node.module] if node.module else [])])
        return [name] if name else []
    return []


def main() -> None:
    split = sys.argv.index("--")
    found = [each for folder in sys.argv[1:split] for each in late_imports(folder, True)]
    found += [each for folder in sys.argv[split + 1 :] for each in late_imports(folder, False)]
    print(ascii(sorted(set(found))))


main()
