"""From a YAML file to a policy, or to all of its faults."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from anon_platform.errors import PolicyError
from anon_platform.policy.faults import Fault, FaultyPolicyError, Path_, say
from anon_platform.policy.model import Column, Policy
from anon_platform.policy.rules.privacy import Draft
from anon_platform.policy.rules.whole import broken_rules
from anon_platform.policy.yaml_nodes import Document, parse

Settings = TypeVar("Settings", bound=BaseModel)


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
    document = read_document(file)
    return Reading(document, document.faults) if document.faults else reading_of(document, file)


def reading_of(document: Document, file: Path) -> Reading:
    """Everything that can be said of a document that is a mapping."""
    context = {"folder": file.resolve().parent}
    policy, faults = validated(Policy, document, context)
    draft = _draft(document.value, context) if policy is None else _draft_of(policy)
    faults += [document.fault(at, message) for at, message in broken_rules(draft)]
    if policy is not None:
        policy._file = file  # noqa: SLF001 - the loader is the one place that knows
    return Reading(document, faults, policy, draft)


def validated(
    kind: type[Settings], document: Document, context: dict[str, Any]
) -> tuple[Settings | None, list[Fault]]:
    """The document as settings of this kind, or what is wrong with it."""
    try:
        return kind.model_validate(document.value, context=context), []
    except ValidationError as errors:
        told = _told_once(errors.errors(include_url=False))
        return None, [_located(kind, document, error) for error in told]


def validated_value(
    kind: type[Settings], value: dict[str, Any], context: dict[str, Any], *, of: str
) -> Settings:
    """A value that stands in no file as settings of this kind; `PolicyError` says what is wrong, and where in it.

    of: what the value is, in words.
    """
    try:
        return kind.model_validate(value, context=context)
    except ValidationError as errors:
        told = [
            f"{'.'.join(map(str, error['loc']))}: {say(error, [])}"
            for error in errors.errors(include_url=False)
        ]
    raise PolicyError(f"{of}: {'; '.join(told)}")


def read_document(file: Path) -> Document:
    """The file as YAML; one that holds no mapping has a fault."""
    document = parse(_text(file))
    if not document.faults and not isinstance(document.value, dict):
        document.faults.append(
            Fault(1, 1, "", "the file holds no policy; begin with version: 1 and dataset: …")
        )
    return document


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
        content = file.read_bytes()
    except FileNotFoundError:
        raise PolicyError(
            f"no policy file {file}; name one, such as policies/hospital_encounters.yaml"
        ) from None
    except OSError as fault:
        raise PolicyError(f"cannot read policy {file}: {fault.strerror}") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        lines = (content[: fault.start].decode("utf-8") + ".").splitlines()
        place = Fault(len(lines), len(lines[-1]), "", "not UTF-8; save the file as UTF-8 text")
    raise FaultyPolicyError(file, [place])


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


def _draft_of(policy: Policy) -> Draft:
    """A sound policy is sound in all its parts."""
    parts = {name: getattr(policy, name) for name in Policy.model_fields if name != "columns"}
    return Draft(tuple(policy.columns), policy.columns, parts)


def _told_once(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without "too short" for a list that is short only because its items are faulty."""
    places = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(
            len(place) > len(error["loc"]) and place[: len(error["loc"])] == error["loc"] for place in places
        )
    ]


def _located(kind: type[BaseModel], document: Document, error: ErrorDetails) -> Fault:
    at, models = _walk(kind, error["loc"])
    unknown_key = error["type"] == "extra_forbidden"
    if unknown_key:
        models = _walk(kind, error["loc"][:-1])[1]
    if error["type"] == "union_tag_not_found":
        told_apart_by = str(error["ctx"]["discriminator"]).strip("'")
        choices = list(dict.fromkeys(tag for model in models for tag in _tags(model, told_apart_by)))
    else:
        choices = sorted(models[0].model_fields) if len(models) == 1 else []
    return document.fault(at, say(error, choices), key=unknown_key)


def _walk(kind: type[BaseModel], location: Path_) -> tuple[Path_, list[type[BaseModel]]]:
    """The YAML path of the location pydantic gives, and the models that may stand there.

    Names of union members are part of the location, but stand in no YAML file.
    """
    annotation: Any = kind
    at: Path_ = ()
    for part in location:
        if get_origin(annotation) is dict:
            at = (*at, part)
            annotation = get_args(annotation)[1]
            continue
        models = _models_in(annotation)
        member = [model for model in models if part in _tags(model)]
        if len(models) > 1 and member:
            annotation = reduce(or_, member)  # a union in a union leaves several
            continue
        at = (*at, part)
        if isinstance(part, str):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            annotation = fields[0].annotation if fields else None
    return at, _models_in(annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _tags(model: type[BaseModel], *told_apart_by: str) -> tuple[Any, ...]:
    return tuple(
        tag
        for name in told_apart_by or ("technique", "kind", "model", "distance")
        if name in model.model_fields
        for tag in get_args(model.model_fields[name].annotation)
    )
