"""The page on which a reviewer marks: one file, no network, nothing stored in the browser."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path

from anon_platform.review.drawing import Drawn
from anon_platform.review.sample import write_private

LABELS = (
    "PERSON", "LOCATION", "DATE_TIME", "PHONE_NUMBER", "MEDICAL_RECORD_NUMBER", "ID", "EMAIL_ADDRESS", "URL", "AGE",
)  # fmt: skip
"""Types that the keys 1 to 9 give; a sample's other types follow."""


def page(drawn: Drawn) -> str:
    """The HTML text of the page."""
    parts = {name: _part(f"review.{name}") for name in ("html", "css", "js")}
    found = {label for note in drawn.sample.notes for *_, label in note.found}
    data = {
        "format": 1,
        "sample": drawn.sample.id,
        "dataset": drawn.sample.dataset,
        "labels": [*LABELS, *sorted(found - set(LABELS))],
        "notes": [
            {"text": text, "found": note.found}
            for text, note in zip(drawn.texts, drawn.sample.notes, strict=True)
        ],
    }
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(parts['js'])}'; style-src 'sha256-{_digest(parts['css'])}';"
        " base-uri 'none'; form-action 'none'"
    )
    # a note may say </script>: no < of the data is left
    said = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    text = (
        parts["html"].replace("@POLICY@", policy).replace("@CSS@", parts["css"]).replace("@JS@", parts["js"])
    )
    return text.replace("@DATA@", said)


def write_page(drawn: Drawn, file: Path) -> None:
    """Writes the page, readable by the current user alone: it holds identified notes."""
    write_private(file, page(drawn))


def _part(name: str) -> str:
    return (files("anon_platform.review") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
