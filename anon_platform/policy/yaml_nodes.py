"""YAML read with the line and column of every key and value kept beside it.

Values are those of YAML 1.2's core schema, in decimal: a category `NO`, a time `1:30` and a day `2008-12-25` stay
texts. A key that stands twice is a fault.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from anon_platform.policy.faults import Fault, Path_

DEEPEST = 50
"""Levels of nesting; libyaml composes nodes by recursion, and a file of brackets would end the process."""

MOST = 100_000
"""Values in one file; anchors that are used in anchors multiply."""


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader with YAML 1.2's plain values."""


_Loader.yaml_implicit_resolvers = {}
_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"^(?:{_pattern})$"), _first)

_CONSTRUCT: dict[str, Callable[[str], object]] = {
    _TAG + "str": str,
    _TAG + "merge": str,
    _TAG + "null": lambda _: None,
    _TAG + "bool": {"true": True, "false": False}.__getitem__,
    _TAG + "int": int,
    _TAG + "float": float,
}

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow, and what it takes for a line break though no editor counts it."""


@dataclass
class Document:
    """A parsed file: plain values, and where each stands."""

    value: Any
    marks: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    """Where each value begins (for a nested one: its key)."""
    keys: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    """Where each key begins."""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, at: Path_, message: str, *, key: bool = False) -> Fault:
        """A fault at the node `at` (or its key), or at its nearest parent that the file has."""
        at = self._written(at)
        known = at
        while known and known not in self.marks:
            known = known[:-1]
        line, column = (self.keys if key else self.marks).get(known, (1, 1))
        return Fault(line, column, dotted(at), message)

    def _written(self, at: Path_) -> Path_:
        """The path without the position of a step that the file writes alone, not in a list."""
        written: Path_ = ()
        value = self.value
        for part in at:
            if isinstance(part, int) and not isinstance(value, tuple):
                continue
            written = (*written, part)
            value = _child(value, part)
        return written


def dotted(at: Path_) -> str:
    """`columns.age.treat[0]`; a key that a terminal would not show as it is stands in quotes."""
    names = (part if isinstance(part, int) or part.isprintable() else repr(part) for part in at)
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names).removeprefix(".")


def parse(text: str) -> Document:
    """The document; whatever is wrong with the syntax becomes a fault, never an exception."""
    document = Document(None)
    text = text.removeprefix("\ufeff")
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        lines = (text[: unprintable.start()] + ".").splitlines()
        fault = Fault(len(lines), len(lines[-1]), "", "not valid YAML: a control character; remove it")
        document.faults.append(fault)
        return document
    try:
        _require_shallow(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if node is not None:
            document.value = _Builder(document).build(node, ())
    except yaml.MarkedYAMLError as error:
        document.faults.append(_syntax_fault(error, text))
    return document


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = f"{error.problem}"
    if text.splitlines()[line - 1 : line] and text.splitlines()[line - 1][column - 1 :].startswith("\t"):
        problem = "a tab where spaces have to stand"
    if error.problem == "but found another document":
        return Fault(line, column, "", "not valid YAML: a second document begins here; a policy is one")
    if error.context and error.context_mark and error.context_mark.line + 1 != line:
        problem += f" ({error.context} that begins in line {error.context_mark.line + 1})"
    return Fault(line, column, "", f"not valid YAML: {problem}")


def _require_shallow(text: str) -> None:
    """Events come without recursion, so that depth is known before the nodes are composed."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem="nested too deeply", problem_mark=cast("Any", event.start_mark)
            )


class _Builder:
    """Values of nodes, with marks and faults written to the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: list[yaml.Node] = []
        self._entered = 0

    def build(self, node: yaml.Node, at: Path_) -> Any:  # noqa: ANN401 - any YAML value
        """The plain value of a node: a dict, a tuple (settings are values: nothing may change them) or a scalar."""
        self._document.marks.setdefault(at, _mark(node))
        with self._inside(node):
            if node.tag == _TAG + "map" and isinstance(node, yaml.MappingNode):
                return self._mapping(node, at)
            if node.tag == _TAG + "seq" and isinstance(node, yaml.SequenceNode):
                return tuple(self.build(item, (*at, i)) for i, item in enumerate(node.value))
            return self._scalar(node, at)

    @contextmanager
    def _inside(self, node: yaml.Node) -> Iterator[None]:
        """Keeps out what would never end: anchors can contain themselves, form chains and multiply."""
        self._entered += 1
        if any(node is outer for outer in self._open):
            raise yaml.MarkedYAMLError(None, None, "an anchor contains itself", node.start_mark)
        if len(self._open) > DEEPEST:
            raise yaml.MarkedYAMLError(None, None, "nested too deeply", node.start_mark)
        if self._entered > MOST:
            raise yaml.MarkedYAMLError(None, None, "too many values, anchors multiply them", node.start_mark)
        self._open.append(node)
        yield
        self._open.pop()

    def _mapping(self, node: yaml.MappingNode, at: Path_) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node, merged in self._pairs(node, at):
            place = (*at, key_node.value)
            if key_node.value in built:
                if not merged:
                    self._fault(key_node, place, "stands twice; keep one")
                continue
            self._document.keys[place] = self._document.marks[place] = _mark(key_node)
            built[key_node.value] = self.build(value_node, place)
            if isinstance(value_node, yaml.ScalarNode):
                self._document.marks[place] = _mark(value_node)
        return built

    def _pairs(self, node: yaml.MappingNode, at: Path_) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """Keys and values, what is merged from anchors (`<<`) last: a key of the mapping's own comes first."""
        merges: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merges += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            elif isinstance(key_node, yaml.ScalarNode):
                yield key_node, value_node, False
            else:
                self._fault(key_node, at, "a key must be a text")
        for merged in merges:
            if isinstance(merged, yaml.MappingNode):
                with self._inside(merged):
                    yield from ((key, value, True) for key, value, _ in self._pairs(merged, at))
            else:
                self._fault(merged, at, "<< merges keys and values of an anchor, such as <<: *name")

    def _scalar(self, node: yaml.Node, at: Path_) -> Any:  # noqa: ANN401 - any YAML value
        try:
            return _CONSTRUCT[node.tag](node.value)
        except (KeyError, ValueError, TypeError):
            # the text of the error would quote the value
            self._fault(node, at, "cannot be read as a value; write it plainly, without a tag (!…)")
            return None

    def _fault(self, node: yaml.Node, at: Path_, message: str) -> None:
        self._document.faults.append(Fault(*_mark(node), dotted(at), message))


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _child(value: Any, part: str | int) -> Any:  # noqa: ANN401 - any YAML value
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None
