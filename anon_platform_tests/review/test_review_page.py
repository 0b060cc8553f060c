"""The page in a headless Chromium: keys, mouse, emoji, saving and loading, and that it speaks to nobody."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anon_platform.review.drawing import Drawn
from anon_platform.review.marks import Marks, read_marks, require_sound
from anon_platform.review.page import page, write_page
from anon_platform.review.sample import Sample, SampledNote, Stratum
from anon_platform_tests.review.browser import Browser, browser

EMOJI = "😷 Mary O'Neill met 👩‍⚕️ Hope Wu; e\u0301clair 🎉 Sofi\u0301a"
TEXTS = (EMOJI, "Seen </script><b>Norvasc</b> by Dr. Judge\r\nand Brian.", *["Nothing here."] * 998)


def place(text: str, part: str) -> tuple[int, int]:
    """Where Python has it."""
    return text.index(part), text.index(part) + len(part)


def sampled() -> Drawn:
    """A thousand notes; of the first two something was found."""
    found = {
        0: ((*place(EMOJI, "Mary O'Neill"), "PERSON"),),
        1: ((*place(TEXTS[1], "Norvasc"), "PERSON"), (*place(TEXTS[1], "Judge"), "LOCATION")),
    }
    notes = tuple(
        SampledNote(stratum=0, length=len(text), found=found.get(i, ())) for i, text in enumerate(TEXTS)
    )
    sample = Sample(
        dataset="visits", settings="a" * 64, fingerprint="b" * 64, confidence=0.95, seed=1,
        strata=(Stratum(notes=2000, drawn=1000),), notes=notes,
    )  # fmt: skip
    return Drawn(sample, TEXTS, 2000, 368)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Path]]:
    """One browser for all tests of this file."""
    folder = tmp_path_factory.mktemp("browser")
    with browser(folder) as found:
        yield found, folder


@pytest.fixture
def shown(opened: tuple[Browser, Path]) -> tuple[Browser, Path]:
    """The page, as it is opened at first."""
    found, folder = opened
    if not (folder / "review.html").exists():
        write_page(sampled(), folder / "review.html")
    found.complaints.clear()
    found.js("typeof unsaved === 'undefined' || (unsaved = false)")
    found.open(folder / "review.html")
    return found, folder


def marks_now(found: Browser) -> dict[str, Any]:
    """What would be saved."""
    said: dict[str, Any] = json.loads(found.js("saved()"))
    return said


def test_misses_are_marked_with_mouse_and_keys_where_python_has_them(shown: tuple[Browser, Path]) -> None:
    """The browser counts UTF-16 units: behind an emoji everything would be shifted."""
    found, _ = shown
    found.drag(*place(EMOJI, "Hope Wu"))
    found.press("1")
    found.drag(*place(EMOJI, "Sofi\u0301a"))
    found.click("#types button:nth-child(2)")
    missed = marks_now(found)["notes"]["1"]["missed"]
    assert missed == [[*place(EMOJI, "Hope Wu"), "PERSON"], [*place(EMOJI, "Sofi\u0301a"), "LOCATION"]]
    found.press("u", "u")
    assert "1" not in marks_now(found)["notes"] or not marks_now(found)["notes"]["1"]["missed"]
    # words by keys: Mary, O, Neill, met, Hope, Wu
    found.press(".", ".", ".", ".", ".", "Shift+.", "1")
    assert marks_now(found)["notes"]["1"]["missed"] == [[*place(EMOJI, "Hope Wu"), "PERSON"]]
    assert found.complaints == []


def test_finds_are_marked_as_wrong_or_of_another_type(shown: tuple[Browser, Path]) -> None:
    """By click and by key; a line break of two characters and markup in a note change nothing."""
    found, _ = shown
    found.press("j")
    assert found.js("$('title').textContent") == "Note 2 of 1000"
    found.click("#note mark")
    found.press("w", "ArrowRight", "1")
    found.drag(*place(TEXTS[1], "Brian"))
    found.press("1")
    assert marks_now(found)["notes"]["2"] == {
        "done": False,
        "wrong": [[*place(TEXTS[1], "Norvasc")]],
        "right_type": [[*place(TEXTS[1], "Judge"), "PERSON"]],
        "missed": [[*place(TEXTS[1], "Brian"), "PERSON"]],
    }
    found.press("x")
    assert marks_now(found)["notes"]["2"]["missed"] == []
    assert found.js("$('note').querySelectorAll('b').length") == 0


def test_what_is_found_already_is_no_miss(shown: tuple[Browser, Path]) -> None:
    """A miss is only what no find covers."""
    found, _ = shown
    found.drag(*place(EMOJI, "Neill"))
    found.press("1")
    assert found.js("$('hint').textContent") == "That is found already."
    found.drag(place(EMOJI, "Neill")[0], place(EMOJI, "met")[1])
    found.press("1")
    assert marks_now(found)["notes"]["1"]["missed"] == [[*place(EMOJI, "met"), "PERSON"]]


def test_what_is_saved_is_read_and_can_be_loaded_again(shown: tuple[Browser, Path]) -> None:
    """A thousand notes are done, saved without text, read by Python, and loaded to go on."""
    found, folder = shown
    found.press("s")
    assert found.js("$('hint').className") == "fault"  # without a name
    found.click("#reviewer")
    found.type("Ana Müller")
    found.click("h1")
    found.drag(*place(EMOJI, "Hope Wu"))
    found.press("1", "Enter", "Enter")
    assert found.js("$('count').textContent") == "2 of 1000 done"
    found.js("notes.forEach(note => { note.done = true; }); go(999)")
    assert found.js("unsaved")
    found.press("s")
    saved = folder / "visits-marks.json"
    for _ in range(200):
        if saved.exists():
            break
        time.sleep(0.05)
    marks: Marks = read_marks(saved)
    require_sound(marks, sampled().sample)
    assert marks.reviewer == "Ana Müller"
    assert marks.of(1).missed == ((*place(EMOJI, "Hope Wu"), "PERSON"),)
    assert not any(word in saved.read_text() for word in ("Hope", "Mary", "Brian"))
    assert not found.js("unsaved")
    before = marks_now(found)
    found.open(folder / "review.html")
    root = found.call("DOM.getDocument")["root"]["nodeId"]
    node = found.call("DOM.querySelector", nodeId=root, selector="#load")["nodeId"]
    found.call("DOM.setFileInputFiles", nodeId=node, files=[str(saved)])
    for _ in range(200):
        if found.js("$('hint').textContent") == "Loaded.":
            break
        time.sleep(0.05)
    assert marks_now(found) == before
    found.js('load(\'{"format": 1, "sample": "other"}\')')
    assert found.js("$('hint').textContent") == "That file belongs to another sample; nothing was loaded."
    assert marks_now(found) == before


def test_the_page_speaks_to_nobody_and_leaves_nothing_in_the_browser(shown: tuple[Browser, Path]) -> None:
    """Its policy forbids every connection and every script but its own."""
    found, _ = shown
    assert found.js("localStorage.length + sessionStorage.length") == 0
    found.js("fetch('http://127.0.0.1:9/').catch(() => {}); void new Image().setAttribute('src', 'x')")
    time.sleep(0.2)
    found.js("1")
    assert "Content Security Policy" in " ".join(found.complaints)
    text = page(sampled())
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("</script>") == 2
