"""What people found who looked at a sample of the notes: the newest review that holds for a policy's text settings."""

from collections.abc import Iterator

from anon_platform.anonymize import DeidentifyText
from anon_platform.errors import IntegrityError
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.audit import Event, canonical_json
from anon_platform.policy import Policy
from anon_platform.text.code_version import code_version
from anon_platform.text.settings import PACKAGES
from anon_platform.validate import Reviewed

IMPORTED = "review.imported"
"""The ledger's action of a review that was read back."""

FINDING = {"technique", "known_from", "language", "model", "second_model", "recognizers", "allow"}
"""Settings that decide what is found; the others decide what takes its place."""


def deidentified(policy: Policy) -> dict[str, DeidentifyText]:
    """The columns whose notes are de-identified, each with its step."""
    return {
        name: step
        for name in policy.released
        for step in policy.columns[name].treat
        if isinstance(step, DeidentifyText)
    }


def text_digest(policy: Policy) -> str:
    """64 hexadecimal digits that change with everything that decides what is found in the notes: settings, rules, model.

    Keyed, since lists of one's own may hold names.
    """
    steps = {
        name: step.model_dump(mode="json", include=FINDING) for name, step in deidentified(policy).items()
    }
    code = sorted({code_version(*packages) for packages in _models(policy)})
    said = canonical_json({"steps": steps, "code": code})
    return load_key(INSTANCE_KEY).derive("review").mac(said.encode()).hex()


def _models(policy: Policy) -> Iterator[tuple[str, ...]]:
    """The packages of each step's models; the first is empty without a model of the language."""
    from anon_platform.text.language import language

    for step in deidentified(policy).values():
        second = () if step.second_model is None else PACKAGES[step.second_model]
        yield (language(step.language).model if step.model else "", *second)


def newest_review(policy: Policy) -> Reviewed | None:
    """The newest imported review of the dataset under the same text settings; None if there is none or none is demanded.

    A ledger that is not what was written raises `IntegrityError`: a review that somebody slipped in would pass anything.
    """
    if policy.thresholds.reviewed_recall is None:
        return None
    wanted = text_digest(policy)
    with Ledger.open() as ledger:
        if not ledger.verify().ok:
            raise IntegrityError(
                "the ledger, which holds the review that the policy demands, is not what was written; run: anon audit verify"
            )
        events = ledger.events(policy.dataset)
    for event in reversed(events):
        told = event.details
        if event.action == IMPORTED and told["settings"] == wanted:
            return Reviewed(
                low=told["low"], identifiers=told["identifiers"], missed=told["missed"], notes=told["notes"],
                confidence=told["confidence"], reviewers=told["reviewers"], drawn=_drawn(events, wanted),
            )  # fmt: skip
    return None


def _drawn(events: list[Event], settings: str) -> int:
    """Samples that were drawn under these settings: of many, one may be good by chance."""
    return sum(event.action == "review.drawn" and event.details["settings"] == settings for event in events)
