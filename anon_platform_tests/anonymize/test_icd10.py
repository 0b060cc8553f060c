"""ICD-10 codes in the spellings of real data, and the ranges of the reference table."""

import csv
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import anon_platform
from anon_platform.anonymize.hierarchy import Icd10
from anon_platform_tests import oracles
from anon_platform_tests.anonymize.labels import labels_of

CODES = Icd10(kind="icd10", levels=("code", "category", "block", "chapter"))
TABLE = Path(anon_platform.__file__).parent / "anonymize" / "data" / "icd10_blocks.csv"


@pytest.mark.parametrize(
    ("value", "code", "block", "chapter"),
    [
        ("E11.9", "E11.9", "E08-E14 Diabetes mellitus", "Endocrine, nutritional"),
        ("e119", "E11.9", "E08-E14 Diabetes mellitus", "Endocrine, nutritional"),
        (" E11 ", "E11", "E08-E14 Diabetes mellitus", "Endocrine, nutritional"),
        ("E11.-", "E11", "E08-E14 Diabetes mellitus", "Endocrine, nutritional"),
        ("S52.501A", "S52.501A", "S50-S59 Injuries to the elbow", "Injury, poisoning"),
        ("s52501a", "S52.501A", "S50-S59 Injuries to the elbow", "Injury, poisoning"),
        ("A17.0†", "A17.0", "A15-A19 Tuberculosis", "Certain infectious"),
        ("G01*", "G01", "G00-G09 Inflammatory diseases", "Diseases of the nervous system"),
        ("C7A.00", "C7A.00", "C7A Malignant neuroendocrine", "Neoplasms"),
        ("I5A", "I5A", "I30-I5A Other forms of heart disease", "Diseases of the circulatory"),
        ("X92", "X92", "X85-Y09 Assault", "External causes"),
        ("Y09", "Y09", "X85-Y09 Assault", "External causes"),
        ("D48", "D48", "D37-D48 Neoplasms of uncertain", "Neoplasms"),
        ("D50", "D50", "D50-D53 Nutritional anemias", "Diseases of the blood"),
        ("H59.0", "H59.0", "H59 Intraoperative", "Diseases of the eye"),
        ("H60", "H60", "H60-H62 Diseases of external ear", "Diseases of the ear"),
        ("O9A.11", "O9A.11", "O94-O9A Other obstetric", "Pregnancy"),
        ("U07.1", "U07.1", "U00-U49 Provisional", "Codes for special purposes"),
        ("Z99", "Z99", "Z77-Z99 Persons", "Factors influencing"),
        ("R98", "R98", "R95-R99 Ill-defined", "Symptoms"),
    ],
)
def test_codes_become_categories_blocks_and_chapters(value: str, code: str, block: str, chapter: str) -> None:
    """With and without dot, in lower case, with the seventh character, with a dagger."""
    (found,) = labels_of(CODES, [value], pl.String())
    assert found[0] == code
    assert found[1] == code[:3]
    assert found[2].startswith(block)
    assert found[3].startswith(chapter)


@pytest.mark.parametrize(
    "value", ["", "?", "A", "A1", "A10", "250.83", "AA0", "E11.98765", "Ü11", "E1١", "Jane"]
)
def test_what_is_no_code_says_nothing_but_that(value: str) -> None:
    """As it is for ICD-9: a name that slipped in the column must not leave."""
    assert labels_of(CODES, [value], pl.String()) == [["other"] * 4]


def categories() -> list[tuple[str, str, str]]:
    """Category, block and chapter of every line, spelled out by hand."""
    found = []
    with TABLE.open() as file:
        for row in csv.DictReader(file):
            first, last = row["first"], row["last"]
            assert first <= last
            assert first[0] == last[0]
            names = (
                [first]
                if first == last
                else [f"{first[0]}{n:02d}" for n in range(int(first[1:]), int(last[1:]) + 1)]
            )
            found += [(name, row["block"], row["chapter"]) for name in names]
    return found


def test_the_ranges_do_not_overlap_and_each_block_has_one_chapter() -> None:
    """A category in two blocks would give a record twice."""
    found = categories()
    assert max(Counter(name for name, _, _ in found).values()) == 1
    assert len({chapter for _, _, chapter in found}) == 22
    assert oracles.is_function([block for _, block, _ in found], [chapter for _, _, chapter in found])
    labels = labels_of(CODES, [name for name, _, _ in found])
    assert [tuple(label[1:]) for label in labels] == found
    assert oracles.one_parent([[label[level] for label in labels] for level in range(1, 4)])


def test_blocks_are_named_by_their_range_and_leave_no_gap_of_their_own() -> None:
    """The first and the last category of a block are those in its name; the gaps are those of the classification."""
    held: dict[str, list[str]] = {}
    for name, block, _ in categories():
        held.setdefault(block.split(" ")[0], []).append(name)
    for span, names in held.items():
        first, _, last = span.partition("-")
        assert names[0] == first
        assert (last or first) in names or last > max(names)
    numbered = {name for name, _, _ in categories()}
    gaps = {
        letter: [f"{letter}{n:02d}" for n in range(100) if f"{letter}{n:02d}" not in numbered]
        for letter in "ACDGJTW"
    }
    assert gaps == {
        "A": [f"A{n}" for n in (10, 11, 12, 13, 14, 29)],
        "C": [f"C{n}" for n in (27, 28, 29, 42, 59, 98, 99)],
        "D": [f"D{n}" for n in (54, 79, *range(90, 100))],
        "G": [
            f"G{n}"
            for n in (
                *range(15, 20),
                *range(27, 30),
                33,
                34,
                38,
                39,
                48,
                49,
                *range(66, 70),
                *range(74, 80),
                *range(84, 89),
            )
        ],
        "J": [
            "J07",
            "J08",
            "J19",
            *[f"J{n}" for n in range(23, 30)],
            *[f"J{n}" for n in range(48, 60)],
            *[f"J{n}" for n in range(71, 80)],
            "J87",
            "J88",
            "J89",
        ],
        "T": ["T89", "T99"],
        "W": [],
    }
