"""From a YAML file to a policy, or to all of its faults."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from anon_platform.errors import PolicyError
from anon_platform.policy.faults import Fault, FaultyPolicyError, Path_, say
from anon_platform.policy.model import Column, Policy
from anon_platform.policy.rules import Draft, broken_rules
from anon_platform.policy.yaml_nodes import Document, parse


@dataclass(frozen=True)
class Reading:
    """A policy file as far as it can be understood: the policy if it is sound, and what is wrong with it."""

    document: Document
    faults: list[Fault]
    policy: Policy | None = None
    draft: Draft | None = None


def load_policy(file: Path) -> Policy:
    """The policy in `file`; `FaultyPolicyError` names every fault with line, column and what to write instead."""
    reading = read_policy(file)
    if reading.policy is None or reading.faults:
        raise FaultyPolicyError(file, reading.faults)
    return reading.policy


def read_policy(file: Path) -> Reading:
    """Everything that can be said of a policy file without looking at its source."""
    document = parse(_text(file))
    if document.faults:
        return Reading(document, document.faults)
    if not isinstance(document.value, dict):
        nothing = Fault(1, 1, "", "the file holds no policy; begin with version: 1 and dataset: …")
        return Reading(document, [nothing])
    context = {"folder": file.resolve().parent}
    faults: list[Fault] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(document.value, context=context)
    except ValidationError as errors:
        faults += [_located(document, error) for error in errors.errors(include_url=False)]
    draft = _draft(document.value, context)
    faults += [document.fault(at, message) for at, message in broken_rules(draft)]
    if policy is not None:
        policy._file = file  # noqa: SLF001 - the loader is the one place that knows
    return Reading(document, faults, policy, draft)


def dataset_name(file: Path) -> str:
    """The name to show for a policy that may not load: its `dataset`, or else the file's name."""
    try:
        value = parse(_text(file)).value
    except PolicyError:
        value = None
    name = value.get("dataset") if isinstance(value, dict) else None
    usable = isinstance(name, str) and name.isidentifier() and name.isascii()
    return str(name) if usable else "".join(c if c.isalnum() and c.isascii() else "_" for c in file.stem)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(
            f"no policy file {file}; name one, such as policies/hospital_encounters.yaml"
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyError(
            f"cannot read policy {file}: {type(fault).__name__}; it must be UTF-8 text"
        ) from None


def _draft(value: dict[str, Any], context: dict[str, Any]) -> Draft:
    """The parts of the policy that are sound by themselves, so that their rules are checked beside other faults."""
    parts: dict[str, Any] = {}
    for name, field in Policy.model_fields.items():
        if name != "columns" and name in value:
            try:
                parts[name] = TypeAdapter[Any](cast("Any", field.annotation)).validate_python(
                    value[name], strict=True, context=context
                )
            except ValidationError:
                continue
    columns: dict[str, Column] = {}
    named = value.get("columns") if isinstance(value.get("columns"), dict) else {}
    for name, column in (named or {}).items():
        try:
            columns[name] = Column.model_validate(column, context=context)
        except ValidationError:
            continue
    return Draft(tuple(named or ()), columns, parts)


def _located(document: Document, error: Any) -> Fault:  # noqa: ANN401 - pydantic's typed dict
    at = _yaml_path(document, error["loc"])
    allowed = _allowed_keys(error["loc"][:-1])
    return document.fault(at, say(error, allowed), key=error["type"] == "extra_forbidden")


def _yaml_path(document: Document, location: Path_) -> Path_:
    """The location pydantic gives, without the names of union members, which stand in no YAML file."""
    at: Path_ = ()
    parts = list(location)
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        node = _node(document.value, at)
        if isinstance(node, dict) and isinstance(part, str):
            tag = part not in node and part in {node.get("technique"), node.get("kind")}
            if tag and not (last and len(parts) == len(at) + 1):
                continue
            at = (*at, part)
        elif isinstance(node, tuple) and isinstance(part, int):
            at = (*at, part)
        # one step written without a list is item 0 of a list that the file does not show
    return at


def _node(value: Any, at: Path_) -> Any:  # noqa: ANN401 - any YAML value
    for part in at:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _allowed_keys(location: Path_) -> dict[str, object] | None:
    """Fields of the model at pydantic's `location`."""
    annotation: Any = Policy
    for part in location:
        models = _models_in(annotation)
        tagged = [m for m in models if part in _tags(m)]
        if tagged:
            annotation = tagged[0]
        elif any(isinstance(part, str) and part in m.model_fields for m in models):
            owner = next(m for m in models if part in m.model_fields)
            annotation = owner.model_fields[str(part)].annotation
    models = _models_in(annotation)
    return dict(models[0].model_fields) if len(models) == 1 else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    for name in ("technique", "kind"):
        if name in model.model_fields:
            return get_args(model.model_fields[name].annotation)
    return ()
