"""The shape of the package: which part may know which, and what every file and name owes its reader."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import anon_platform
from anon_platform.policy import json_schema, load_any_policy

PACKAGE = Path(anon_platform.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "anon_platform_tests").rglob("*.py"))

FLOORS = (
    {"anon_platform", "definitions", "cli"},
    {"kanon", "review", "suggest", "custody", "reidentify", "frontier"},
    {"pipeline"},
    {"ingest", "analyze", "validate", "publish", "ledger"},
    {"policy"},
    {"anonymize", "dp"},
    {"text"},
    {"frequency", "vault"},
    {"keys", "database"},
    {"table", "home"},
    {"spec", "errors", "version"},
)
"""Imports lead from a floor to the floors below it, never along it and never up."""

EXCEPTIONS = {"cli": {"demo"}, "demo": {"spec", "errors"}}
"""What a part may import beside the floors below it; the demo data stands outside, and knows nothing of the house."""

ONLY_IN = {
    "dagster": "definitions/",
    "dagster_postgres": "definitions/",
    "keyring": "keys/places.py",
    "weasyprint": "publish/pdf.py",
    "onnx": "dp/models/onnx_form.py",
    "onnxruntime": "text/ner/rampart.py",
    "tokenizers": "text/ner/rampart.py",
    "duckdb": ("ingest/csv_files.py", "table/on_duckdb.py", "validate/attacks/similar.py"),
    "matplotlib": (
        "publish/attacks/plot.py",
        "publish/dp/plot.py",
        "publish/dp/shapes.py",
        "publish/plots/",
        "frontier/plot.py",
        "frontier/dp/plot.py",
    ),
    "sklearn": ("validate/prediction/", "validate/utility/propensity.py", "validate/dp/trial.py"),
    "opendp": "dp/",
    "mbi": "dp/synthetic/by_opendp.py",
    "sqlglot": "dp/statistics/sql.py",
    "sqlalchemy": ("database/", "ledger/", "vault.py"),
}
"""Libraries that one place only knows, so that it can be exchanged."""

HEAVY = {
    "keyring",
    "matplotlib",
    "mbi",
    "onnx",
    "onnxruntime",
    "opendp",
    "presidio_analyzer",
    "presidio_anonymizer",
    "sklearn",
    "spacy",
    "tokenizers",
    "torch",
    "weasyprint",
}
"""Libraries that take seconds to import, and so are imported where they are used."""

FORBIDDEN = {
    "util", "utils", "helper", "helpers", "common", "misc", "base", "core",
    "manager", "handler", "factory", "service",
}  # fmt: skip


def place(file: Path) -> str:
    """The file as the tables above name it."""
    return file.relative_to(PACKAGE).as_posix()


def part_of(module: str) -> str:
    """The part of the house that a module of ours is in."""
    return module.split(".")[1] if "." in module else module


def module_of(file: Path) -> str:
    """The dotted name of a file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules that a tree imports; `from anon_platform import errors` imports `anon_platform.errors`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = str(node.module)
            yield from (
                [f"{module}.{alias.name}" for alias in node.names] if module == "anon_platform" else [module]
            )


def imported_at_once(tree: ast.Module) -> Iterator[str]:
    """Modules that are imported together with this one: not inside functions, not for type checkers only."""
    for node in tree.body:
        for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        if not for_types and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from imported(node)
        if isinstance(node, ast.ClassDef):
            yield from (
                name
                for inner in node.body
                if isinstance(inner, ast.Import | ast.ImportFrom)
                for name in imported(inner)
            )


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


def may_import(part: str, other: str) -> bool:
    """Whether the tables allow it."""
    if part == other or other in EXCEPTIONS.get(part, set()):
        return True
    return part != "demo" and other != "demo" and floor_of(part) < floor_of(other)


every_file = pytest.mark.parametrize("file", FILES, ids=place)


@every_file
def test_imports_run_one_way(file: Path) -> None:
    """A technique that knew the ledger, or a stage that knew another, could not be read or changed alone."""
    part = part_of(module_of(file))
    others = {
        part_of(name) for name in imported(ast.parse(file.read_text())) if name.startswith("anon_platform")
    }
    wrong = sorted(other for other in others if not may_import(part, other))
    assert not wrong, f"{place(file)} imports {', '.join(wrong)}; {part} may only import from below"


def test_the_table_of_imports_forbids_what_it_should() -> None:
    """The check is only worth something when it can fail."""
    assert may_import("pipeline", "ledger")
    assert may_import("validate", "policy")
    assert may_import("frequency", "table")
    assert not may_import("validate", "publish")
    assert not may_import("anonymize", "policy")
    assert not may_import("anonymize", "ledger")
    assert may_import("anonymize", "vault")
    assert not may_import("vault", "ledger")
    assert not may_import("table", "home")
    assert not may_import("demo", "keys")
    assert not may_import("pipeline", "demo")
    assert not may_import("version", "errors")


def test_every_part_has_its_floor() -> None:
    """A new part has to be given a place in the house, and one that is gone has none."""
    parts = {part_of(module_of(file)) for file in FILES}
    assert parts == {*(part for floor in FLOORS for part in floor), "demo"}


@every_file
def test_libraries_stay_in_their_place(file: Path) -> None:
    """Dagster is a skin: what it can do, the command line can do without it."""
    known = {name.split(".")[0] for name in imported(ast.parse(file.read_text()))}
    assert [name for name in known & set(ONLY_IN) if not place(file).startswith(ONLY_IN[name])] == []


@every_file
def test_heavy_libraries_are_imported_where_they_are_used(file: Path) -> None:
    """`anon --help` must not wait for scikit-learn."""
    known = {name.split(".")[0] for name in imported_at_once(ast.parse(file.read_text()))}
    assert known & HEAVY == set()


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions, classes and their methods."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


@every_file
def test_every_public_name_says_what_it_is(file: Path) -> None:
    """The first line says what comes back."""
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [node.name for node in public(tree.body) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("file", [*FILES, *TESTS], ids=lambda file: file.relative_to(ROOT).as_posix())
def test_files_are_short_and_named_for_what_they_do(file: Path) -> None:
    """One idea a file; a file called `utils` has none."""
    assert len(file.read_text().splitlines()) <= 500
    assert not {part.lower() for part in file.relative_to(ROOT).with_suffix("").parts} & FORBIDDEN
    assert len(file.relative_to(ROOT).parts) <= 4, "two folders deep, no more"


def in_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


@every_file
def test_names_that_are_offered_exist_and_are_sorted(file: Path) -> None:
    """What is not in `__all__` may change; what is in it must be there."""
    if "__all__" not in file.read_text():
        return
    module = importlib.import_module(module_of(file))
    names = list(module.__all__)
    assert names == sorted(set(names), key=in_order)
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_shipped_schema_is_the_one_of_the_code() -> None:
    """Editors complete and check policies by it; write it anew with: make schema."""
    assert (ROOT / "policies" / "policy.schema.json").read_text() == json_schema()


POLICIES = sorted((ROOT / "policies").glob("*.yaml"))


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.name)
def test_every_shipped_policy_loads(file: Path) -> None:
    """An example that does not load teaches nothing; its dataset is called like its file."""
    policy = load_any_policy(file)
    assert policy.file == file
    assert policy.dataset == file.stem


def test_every_test_file_has_a_name_of_its_own() -> None:
    """Two files of one name in different folders cannot be collected together."""
    names = [file.name for file in TESTS if file.name.startswith("test_")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_there_are_shipped_policies() -> None:
    """A test over no file passes."""
    assert POLICIES


def test_definitions_load_without_the_engines() -> None:
    """Dagster loads every policy in every process; what counts rows is imported when a stage runs."""
    program = (
        "import sys, anon_platform.definitions.location as _;"
        "print(*({'polars', 'duckdb', 'numpy', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not done.stdout.strip()
