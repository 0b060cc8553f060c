"""One value for all that decides what is found in a text beside its settings: code, word lists, libraries."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from unicodedata import unidata_version

FOLDER = Path(__file__).parent

LIBRARIES = ("presidio-analyzer", "regex", "spacy")

BESIDE = frozenset(
    {
        "intervals.py", "shift.py", "code_version.py", "evaluate.py", "gold.py", "lines.py", "names.py", "stream.py", "surrogates.py",
        "data/surrogates.txt",
    }
)  # fmt: skip
"""Files that decide nothing of it: they measure, read and write, or choose surrogates. Any other counts."""


@cache
def code_version(model: str = "", *others: str) -> str:
    """SHA-256 over the code that finds, its word lists and the versions of its libraries and of the packages of its models.

    Comments, docstrings and layout of the code do not count, so that only what may find otherwise makes another value.
    """
    total = hashlib.sha256()
    for name, content in _parts(FOLDER):
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    for package in (*LIBRARIES, *filter(None, [model, *others])):
        total.update(f"{package} {_installed(package)}\n".encode())
    total.update(unidata_version.encode())
    return total.hexdigest()


def _parts(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in BESIDE:
            continue
        if path.suffix == ".py":
            yield name, _meaning(path.read_text(encoding="utf-8"))
        elif path.suffix in {".gz", ".txt", ".yaml"}:
            yield name, path.read_bytes()


def _meaning(code: str) -> bytes:
    """The syntax tree without texts that stand alone, as docstrings do."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                setattr(node, name, [each for each in body if not _text_alone(each)])
    return ast.dump(tree).encode("utf-8", "surrogatepass")


def _text_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
