"""What a language brings: word lists, labels, months, titles; a YAML file each in `data/`, so a language is configuration."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field

from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

Words = tuple[str, ...]

SHIPPED = ("en", "es")
"""Languages in the package, by the name of their file."""


class Lexicon(Spec):
    """Names of the word lists of a language, `data/<name>.txt.gz`; null: none."""

    given: str | None = None
    family: str | None = None
    places: str | None = None
    words: str | None = None


class Language(Spec):
    """All that the rules know of a language; words are in small letters, without accents where a text may lack them."""

    language: str
    lexicon: Lexicon
    model: str = ""
    """Package of the spaCy model; none: rules only."""
    region: str
    """Where telephone numbers without a country code are from, ISO 3166."""
    day_first: bool

    months: Words
    months_that_are_words: Words = ()
    weekdays: Words
    ordinals: Words = ()
    of: Words = ()
    relative_days: Words = ()
    month_cues: Words = ()
    date_cues: Words = ()
    not_a_date: Words = ()

    titles: Words
    credentials: Words = ()
    suffixes: Words = ()
    particles: Words = ()
    people_cues: Words = ()
    people_verbs: Words = ()
    closings: Words = ()
    names_despite_words: Words = ()
    unknown_names: bool = True
    """Whether a capitalized word in no list is taken for a name; needs a list of the language's words."""
    not_names: Words = ()
    not_name_endings: Words = ()
    word_endings: Words = ()
    eponym_nouns: Words = ()

    place_cues: Words = ()
    stay_cues: Words = ()
    stay_joins: Words = ()
    wards: Words = ()
    facility_words: Words = ()
    facility_words_weak: Words = ()
    facility_words_before: Words = ()
    facility_joins: Words = ()
    facility_generic: Words = ()
    facility_generic_alone: bool = True
    facilities: Words = ()
    place_nouns: Words = ()
    issuers: Words = ()

    street_words: Words = ()
    street_words_before: Words = ()
    street_words_alone: Words = ()
    address_cues: Words = ()
    address_ends: Words = ()
    units_alone: Words = ()
    units: Words = ()
    post_boxes: Words = ()
    post_codes: Words = ()
    post_code_before_town: bool = False
    states: Words = ()
    places: Words = ()

    ages: Words = ()
    fields: Mapping[str, Words] = Field(default_factory=dict)
    ids: Mapping[str, Words] = Field(default_factory=dict)
    id_links: Words = ()
    phone_cues: Words = ()
    extensions: Words = ()


def language(name: str | Path) -> Language:
    """The shipped language of that name, or the one of a YAML file of the same form.

    Raises PolicyError where there is none, or it is faulty.
    """
    if str(name) in SHIPPED:
        return _shipped(str(name))
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        raise PolicyError(
            f"language {name}: there is none of that name; choose one of {', '.join(SHIPPED)}, or name a YAML file"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise PolicyError(f"language {name}: cannot be read: {fault.strerror}") from None
    return _parsed(text, str(name))


@cache
def _shipped(name: str) -> Language:
    return _parsed(files(__package__).joinpath("data", f"{name}.yaml").read_text(encoding="utf-8"), name)


def _parsed(text: str, name: str) -> Language:
    import yaml
    from pydantic import ValidationError

    try:
        # every scalar is a text: `on` and `no` are words here
        raw: Any = yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - makes texts only
        return Language.model_validate(raw, strict=False)
    except yaml.YAMLError:
        raise PolicyError(f"language {name}: the file is no YAML") from None
    except ValidationError as faulty:
        told = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faulty.errors())
        raise PolicyError(f"language {name}: {told}") from None
