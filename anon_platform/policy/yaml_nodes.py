"""YAML read with the line and column of every key and value kept beside it.

Booleans are only `true` and `false` (YAML 1.2): a category `NO` stays a text. A key that stands twice is a fault.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from anon_platform.policy.faults import Fault, Path_


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader with YAML 1.2's booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


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
        known = at
        while known and known not in self.marks:
            known = known[:-1]
        line, column = (self.keys if key else self.marks).get(known, (1, 1))
        return Fault(line, column, dotted(at), message)


def dotted(at: Path_) -> str:
    """`columns.age.treat[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")


def parse(text: str) -> Document:
    """The document; syntax errors become a fault, never an exception."""
    document = Document(None)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.value = _build(loader, node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.faults.append(Fault(line, column, "", f"not valid YAML: {error.problem}"))
    finally:
        loader.dispose()
    return document


def _build(loader: Any, node: yaml.Node, at: Path_, document: Document) -> Any:  # noqa: ANN401 - any YAML value
    document.marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (*at, key)
            if key in built:
                mark = key_node.start_mark
                document.faults.append(
                    Fault(mark.line + 1, mark.column + 1, dotted(place), "stands twice; keep one")
                )
            document.keys[place] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            document.marks[place] = document.keys[place]
            built[key] = _build(loader, value_node, place, document)
            if isinstance(value_node, yaml.ScalarNode):
                document.marks[place] = (value_node.start_mark.line + 1, value_node.start_mark.column + 1)
        return built
    if isinstance(node, yaml.SequenceNode):
        # tuples, since settings are values: nothing may change them after they were read
        return tuple(_build(loader, item, (*at, i), document) for i, item in enumerate(node.value))
    return loader.construct_object(node, deep=True)
