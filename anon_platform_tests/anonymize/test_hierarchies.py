"""Every kind of hierarchy: labels worked out by hand, and what must hold for any value."""

import datetime as dt
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize.hierarchy import (
    HIERARCHIES,
    CsvHierarchy,
    Dates,
    Flat,
    Groups,
    Hierarchy,
    Icd9,
    Icd10,
    Inferred,
    Intervals,
    Prefix,
    Zip,
    ladder,
)
from anon_platform.anonymize.hierarchy.levels import KnowsLeaves, LevelLabels
from anon_platform.errors import PolicyError
from anon_platform_tests import oracles
from anon_platform_tests.anonymize.labels import labels_of

RACES = Path(__file__).parents[2] / "policies" / "hierarchies" / "race.csv"

AGES = Intervals(kind="intervals", widths=(5, 10, 20), bottom=18, top=90)
DAYS = Dates(kind="dates", levels=("day", "month", "quarter", "year"))
ZIPS = Zip(kind="zip", levels=("zip5", "zip3", "state"))
SMALL_ZIP3 = [
    "036",
    "059",
    "102",
    "202",
    "203",
    "204",
    "205",
    "369",
    "556",
    "692",
    "753",
    "772",
    "821",
    "823",
    "878",
    "879",
    "884",
    "893",
]
"""Prefixes of 20,000 people or fewer in the censuses of 2010 and 2020, as guidance on the Privacy Rule lists them."""
CODES = Icd9(kind="icd9", levels=("code", "category", "block", "chapter"))
RACE = CsvHierarchy(kind="csv", file=RACES)
FLAT = Flat(kind="flat")
CODES10 = Icd10(kind="icd10", levels=("code", "category", "block", "chapter"))
PREFIX = Prefix(kind="prefix", keep=(3, 2, 1), whole=True)
GROUPS = Groups(kind="groups", order=("never", "once", "twice", "often", "always"), sizes=(1, 2, 4))
INFERRED = Inferred(kind="inferred", least=2, levels=3).fitted(
    pl.Series(["a b", "c", "d"]), pl.Series([5, 3, 1])
)

codes = st.from_regex(r"\A\s?(?:[EeVv]?\d{1,3}(?:\.\d{0,2})?|\?|)\s?\Z")
zips = st.from_regex(r"\A\s?\d{3,6}(?:-?\d{4})?\Z")
SAMPLES: dict[type, tuple[LevelLabels, pl.DataType, st.SearchStrategy[Any]]] = {
    Intervals: (AGES, pl.Float64(), st.integers(-50, 150) | st.floats(-1e6, 1e6)),
    Dates: (DAYS, pl.Date(), st.dates()),
    Zip: (ZIPS, pl.String(), zips | st.sampled_from(["60614", "60615", "00000", "606", "x", ""])),
    Icd9: (CODES, pl.String(), codes | st.sampled_from(["250.83", "250", "8", "V1", "E849", "?"])),
    CsvHierarchy: (RACE, pl.String(), st.sampled_from(["Caucasian", "AfricanAmerican", "Hispanic", "Asian"])),
    Flat: (FLAT, pl.String(), st.text(max_size=2)),
    Icd10: (CODES10, pl.String(), st.from_regex(r"\A[A-Za-z]\d[\dAB]\.?[\dA]{0,2}\Z") | st.just("?")),
    Prefix: (PREFIX, pl.String(), st.text(st.sampled_from("ab*"), max_size=5)),
    Groups: (GROUPS, pl.String(), st.sampled_from(["never", "once", "twice", "often", "always"])),
    Inferred: (INFERRED, pl.String(), st.text(st.sampled_from("abcd "), max_size=3)),
}


def test_every_kind_has_a_sample() -> None:
    """A new kind of hierarchy has to pass the tests of this file."""
    assert set(SAMPLES) == set(HIERARCHIES)


def known_leaves(hierarchy: LevelLabels) -> list[str]:
    """All leaves of a hierarchy that has a finite list of them."""
    found = hierarchy.leaves() if isinstance(hierarchy, KnowsLeaves) else None
    return [] if found is None else found.to_list()


# --- what must hold for every kind


@pytest.mark.parametrize("kind", HIERARCHIES)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_labels_are_a_function_of_the_value_with_one_parent_each(kind: type, data: st.DataObject) -> None:
    """Otherwise a class could split on the way up, and the search would call a table safe that is not."""
    hierarchy, dtype, values = SAMPLES[kind]
    drawn = data.draw(st.lists(values | st.none(), max_size=8))
    found = hierarchy.labels(pl.Series("column", drawn, dtype=dtype))
    assert [len(level) for level in found] == [len(drawn)] * len(hierarchy.level_names)
    assert all(level.dtype == pl.String for level in found)
    for level in found:
        assert oracles.is_function(drawn, level.to_list())
        assert [label is None for label in level] == [value is None for value in drawn]
    assert oracles.one_parent([level.to_list() for level in found])
    for value, *expected in zip(drawn, *found, strict=True):
        alone = hierarchy.labels(pl.Series("column", [value], dtype=dtype))
        assert [level.to_list() for level in alone] == [[label] for label in expected]


@pytest.mark.parametrize("kind", HIERARCHIES)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_ladder_counts_leaves_and_loss_as_by_hand(kind: type, data: st.DataObject) -> None:
    """The loss decides which generalization is chosen, and stands in the manifest."""
    hierarchy, dtype, values = SAMPLES[kind]
    leaves = data.draw(st.lists(values | st.none(), max_size=12, unique=True))
    built = ladder(hierarchy, pl.Series("column", leaves, dtype=dtype), column="column")
    assert built.names == (*hierarchy.level_names, "*")
    assert built.height == len(built.names) == len(built.codes) == len(built.share)
    others = [leaf for leaf in known_leaves(hierarchy) if leaf not in leaves]
    total = len(leaves) + len(others)
    assert built.leaves == total
    by_hand = [level.to_list() for level in hierarchy.labels(pl.Series(leaves, dtype=dtype))]
    unseen = [level.to_list() for level in hierarchy.labels(pl.Series(others, dtype=dtype))]
    every = zip([*by_hand, ["*"] * len(leaves)], [*unseen, ["*"] * len(others)], strict=True)
    for level, (labels, of_others) in enumerate(every):
        covered = Counter([*labels, *of_others])
        assert built.labels[level].to_list() == sorted(set(labels), key=lambda x: (x is not None, x or ""))
        assert [built.labels[level][int(code)] for code in built.codes[level]] == labels
        for code, label in enumerate(built.labels[level]):
            assert built.share[level][code] == pytest.approx(covered[label] / total, abs=1e-9)
            loss = Fraction(covered[label] - 1, max(total - 1, 1))
            assert built.loss(level)[code] == pytest.approx(float(loss), abs=1e-9)


@pytest.mark.parametrize("kind", HIERARCHIES)
@pytest.mark.parametrize("values", [[], [None]])
def test_columns_without_values_have_ladders(kind: type, values: list[None]) -> None:
    """The schema of a plan is found on no rows, and a column may be empty throughout."""
    hierarchy, dtype, _ = SAMPLES[kind]
    built = ladder(hierarchy, pl.Series("column", values, dtype=dtype), column="column")
    assert [labels.to_list() for labels in built.labels[:-1]] == [values] * (built.height - 1)
    assert built.labels[-1].to_list() == ["*"] * len(values)
    assert all(loss == 0 for level in range(built.height - 1) for loss in built.loss(level))
    assert list(built.loss(built.height - 1)) == [float(built.leaves > 1)] * len(values)


@pytest.mark.parametrize(
    ("hierarchy", "wrong", "message"),
    [
        (AGES, pl.String(), "intervals need a numeric column; declare type: integer or number"),
        (AGES, pl.Boolean(), "intervals need a numeric column; declare type: integer or number"),
        (DAYS, pl.String(), "dates need a date column; declare type: date or type: datetime"),
        (DAYS, pl.Time(), "dates need a date column; declare type: date or type: datetime"),
        (DAYS, pl.Duration("us"), "dates need a date column; declare type: date or type: datetime"),
        (ZIPS, pl.Int64(), "ZIP codes are text; declare type: string, so that leading zeros stay"),
        (CODES, pl.Float64(), "ICD-9 codes are text; declare type: string"),
        (FLAT, pl.List(pl.Int64), "lists, structs and bytes have no text; suppress or unpack the column"),
        (FLAT, pl.Binary(), "lists, structs and bytes have no text; suppress or unpack the column"),
        (CODES10, pl.Int64(), "ICD-10 codes are text; declare type: string"),
        (PREFIX, pl.Int64(), "codes are text; declare type: string, so that leading zeros stay"),
        (GROUPS, pl.Binary(), "lists, structs and bytes have no text; suppress or unpack the column"),
        (
            Groups(kind="groups", ascending=True, sizes=(2,)),
            pl.String(),
            "ascending needs a numeric column; declare type: integer or number, or list the order",
        ),
        (
            Inferred(kind="inferred", least=2, levels=1),
            pl.List(pl.Int64),
            "lists, structs and bytes have no text; suppress or unpack the column",
        ),
        (RACE, pl.Struct({}), "lists, structs and bytes have no text; suppress or unpack the column"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_with_the_way_out(
    hierarchy: Hierarchy, wrong: pl.DataType, message: str
) -> None:
    """A plan finds it; the run would only find it after the source was copied."""
    assert hierarchy.fault(wrong) == message


@pytest.mark.parametrize(
    ("hierarchy", "right"),
    [
        *[(AGES, dtype) for dtype in (pl.Int8(), pl.UInt64(), pl.Float32(), pl.Decimal(9, 2))],
        *[(DAYS, dtype) for dtype in (pl.Date(), pl.Datetime("ns"), pl.Datetime("ms", "Asia/Tokyo"))],
        *[(FLAT, dtype) for dtype in (pl.Boolean(), pl.Date(), pl.Int64(), pl.Float64(), pl.Time())],
        *[(RACE, dtype) for dtype in (pl.String(), pl.Int64())],
        *[(kind, pl.String()) for kind in (ZIPS, CODES, CODES10, PREFIX, GROUPS, INFERRED)],
    ],
)
def test_a_type_without_fault_gets_labels(hierarchy: Hierarchy, right: pl.DataType) -> None:
    """No fault is a promise that the run will not stop there."""
    assert hierarchy.fault(right) is None
    assert all(level.to_list() == [None] for level in hierarchy.labels(pl.Series([None], dtype=right)))


def test_a_label_with_two_parents_is_refused(tmp_path: Path) -> None:
    """Merging classes would split them; the search is only right where every label has one parent."""
    (tmp_path / "h.csv").write_text("a;x;1\nb;x;2\nc;y;2\n")
    broken = CsvHierarchy(kind="csv", file=tmp_path / "h.csv")
    with pytest.raises(PolicyError) as fault:
        ladder(broken, pl.Series(["a", "b", "c"]), column="ward")
    assert str(fault.value) == (
        "column ward: a label of level level 1 has two parents at level level 2; give every label one parent"
    )


def test_leaves_that_no_record_has_count(tmp_path: Path) -> None:
    """The loss of a label is a matter of the hierarchy, as ARX counts it: whoever has few values loses no less."""
    (tmp_path / "h.csv").write_text("a;x;1\nb;x;1\nc;y;1\nd;y;2\n")
    kind = CsvHierarchy(kind="csv", file=tmp_path / "h.csv", levels=("value", "level 1"))
    built = ladder(kind, pl.Series(["a", "c"]), column="ward")
    assert built.leaves == 4
    assert [share.tolist() for share in built.share] == [[0.25, 0.25], [0.5, 0.5], [1.0]]
    assert built.loss(1).tolist() == pytest.approx([1 / 3, 1 / 3])
    with_null = ladder(kind, pl.Series(["a", None]), column="ward")
    assert with_null.leaves == 5
    assert with_null.loss(1).tolist() == [0.0, 0.25]
    assert with_null.loss(2).tolist() == [1.0]


def test_a_label_with_two_parents_is_refused_also_where_no_record_shows_it(tmp_path: Path) -> None:
    """The next delivery would."""
    (tmp_path / "h.csv").write_text("a;x;1\nb;x;2\nc;y;2\n")
    broken = CsvHierarchy(kind="csv", file=tmp_path / "h.csv")
    with pytest.raises(PolicyError, match="a label of level level 1 has two parents at level level 2"):
        ladder(broken, pl.Series(["a", "c"]), column="ward")


@pytest.mark.parametrize("kind", [Dates, Zip, Icd9, Icd10])
def test_levels_out_of_order_are_refused(kind: type) -> None:
    """Coarse before fine would have the search climb down."""
    hierarchy = SAMPLES[kind][0]
    fine, coarse = hierarchy.level_names[0], hierarchy.level_names[-1]
    for levels in ((coarse, fine), (fine, fine)):
        with pytest.raises(ValidationError, match="levels go from fine to coarse, each once; the order is "):
            kind(kind=hierarchy.kind, levels=levels)  # type: ignore[attr-defined]
    assert kind(kind=hierarchy.kind, levels=(coarse,)).level_names == (coarse,)  # type: ignore[attr-defined]


# --- dates


def test_dates_are_cut_to_day_month_quarter_and_year() -> None:
    """Years before 1000 keep four digits, so that labels sort like dates."""
    values = [dt.date(2004, 3, 17), dt.date(2004, 10, 1), dt.date(1, 12, 31), dt.date(9999, 6, 30), None]
    assert labels_of(DAYS, values) == [
        ["2004-03-17", "2004-03", "2004-Q1", "2004"],
        ["2004-10-01", "2004-10", "2004-Q4", "2004"],
        ["0001-12-31", "0001-12", "0001-Q4", "0001"],
        ["9999-06-30", "9999-06", "9999-Q2", "9999"],
        [None, None, None, None],
    ]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_timestamp_has_the_day_of_its_own_time_zone(unit: Any) -> None:
    """An admission at 21:00 in Chicago was not on the next day because that is so in Greenwich."""
    utc = pl.Series([dt.datetime(2020, 1, 1, 3, tzinfo=dt.UTC), None]).cast(pl.Datetime(unit, "UTC"))
    local = utc.dt.convert_time_zone("America/Chicago")
    day = Dates(kind="dates", levels=("day",))
    assert labels_of(day, utc) == [["2020-01-01"], [None]]
    assert labels_of(day, local) == [["2019-12-31"], [None]]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dates() | st.none(), max_size=8))
def test_dates_agree_with_the_calendar_of_python(values: list[dt.date | None]) -> None:
    """Leap years and quarter ends included."""
    for value, found in zip(values, labels_of(DAYS, values, pl.Date()), strict=True):
        if value is None:
            assert found == [None] * 4
        else:
            year, month = f"{value.year:04d}", f"{value.month:02d}"
            quarter = f"{year}-Q{(value.month + 2) // 3}"
            assert found == [value.isoformat(), f"{year}-{month}", quarter, year]


# --- ZIP codes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("60614", ["60614", "606**", "IL"]),
        ("60614-1234", ["60614", "606**", "IL"]),
        ("606141234", ["60614", "606**", "IL"]),
        (" 60614 ", ["60614", "606**", "IL"]),
        ("02139", ["02139", "021**", "MA"]),
        ("10001", ["10001", "100**", "NY"]),
        ("00901", ["00901", "009**", "PR"]),
        ("94110", ["94110", "941**", "CA"]),
        ("20500", ["20500", "205**", "DC"]),
        ("09001", ["09001", "090**", "no state"]),
        ("00000", ["00000", "000**", "no state"]),
        ("6061", ["other", "other", "other"]),
        ("606145", ["other", "other", "other"]),
        ("60614-12", ["other", "other", "other"]),
        ("60614 1234", ["other", "other", "other"]),
        ("K1A 0B1", ["other", "other", "other"]),
        ("٦٠٦١٤", ["other", "other", "other"]),
        ("", ["other", "other", "other"]),
        (None, [None, None, None]),
    ],
)
def test_zip_codes_become_areas_and_states(value: str | None, expected: list[str]) -> None:
    """ZIP+4 names a block of houses and is cut; what is no ZIP code says nothing but that."""
    assert labels_of(ZIPS, [value], pl.String()) == [expected]


# --- ICD-9


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("250.83", ["250.83", "250", "249-259", "Endocrine, nutritional, metabolic and immunity disorders"]),
        ("250.", ["250", "250", "249-259", "Endocrine, nutritional, metabolic and immunity disorders"]),
        ("8", ["008", "008", "001-009", "Infectious and parasitic diseases"]),
        ("8.1", ["008.1", "008", "001-009", "Infectious and parasitic diseases"]),
        ("42", ["042", "042", "042", "Infectious and parasitic diseases"]),
        ("428", ["428", "428", "420-429", "Diseases of circulatory system"]),
        (" v1 ", ["V01", "V01", "V01-V09", "Factors influencing health status and contact"]),
        ("V30.01", ["V30.01", "V30", "V30-V39", "Factors influencing health status and contact"]),
        ("V85.21", ["V85.21", "V85", "V85", "Factors influencing health status and contact"]),
        ("e849.7", ["E849.7", "E849", "E000-E999", "External causes of injury and poisoning"]),
        ("E8", ["E008", "E008", "E000-E999", "External causes of injury and poisoning"]),
        ("999.99", ["999.99", "999", "996-999", "Injury and poisoning"]),
        *[
            (value, ["other"] * 4)
            for value in (
                "?",
                "",
                "0",
                "000",
                "043",
                "25083",
                "250.831",
                "V99",
                "V123",
                "E1000",
                "٢٥٠",
                "X50",
            )
        ],
        (None, [None] * 4),
    ],
)
def test_icd9_codes_become_categories_blocks_and_chapters(value: str | None, expected: list[str]) -> None:
    """Numbers in a spreadsheet lose their leading zeros; what is no code says nothing but that."""
    (found,) = labels_of(CODES, [value], pl.String())
    assert [found[0], found[1]] == expected[:2]
    if value is None or expected[0] == "other":
        assert found == expected
    else:
        assert found[2].split(" ", 1)[0] == expected[2]
        assert found[3].startswith(expected[3])


def test_every_category_is_in_one_block_and_every_block_in_one_chapter() -> None:
    """A category in two blocks would give a record twice."""
    categories = [f"{n:03d}" for n in range(1, 1000)] + [f"V{n:02d}" for n in range(1, 100)]
    categories += [f"E{n:03d}" for n in range(1000)]
    found = labels_of(CODES, categories)
    assert len(found) == len(categories)
    assert oracles.one_parent([[labels[level] for labels in found] for level in range(1, 4)])
    assert len({labels[3] for labels in found} - {"other"}) == 19


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 999))
def test_missing_zeros_change_nothing(number: int) -> None:
    """The diabetes data of 130 US hospitals writes 8 for 008."""
    spellings = [str(number), f"{number:02d}", f"{number:03d}", f" {number:03d}"]
    first, *others = labels_of(CODES, spellings)
    assert all(other == first for other in others)
    assert first[1] in (f"{number:03d}", "other")


# --- flat


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["F", "", None], ["F", "", None]),
        ([True, False, None], ["true", "false", None]),
        ([1, -2, None], ["1", "-2", None]),
        ([1.0, 2.5], ["1.0", "2.5"]),
        ([dt.date(2020, 2, 29)], ["2020-02-29"]),
    ],
)
def test_a_flat_hierarchy_keeps_the_value_as_text(values: list[Any], expected: list[str | None]) -> None:
    """An empty text is not a missing value."""
    assert labels_of(FLAT, values) == [[label] for label in expected]


def test_prefixes_of_few_people_become_000_and_so_do_unknown_ones() -> None:
    """45 CFR 164.514(b)(2)(i)(B); a prefix that no census knows may have anybody in it."""
    hierarchy = Zip(kind="zip", levels=("zip5", "zip3", "state"), small_prefixes="000")
    every = pl.Series([f"{prefix:03d}01" for prefix in range(1000)])
    zip5, zip3, state = hierarchy.labels(every)
    assert zip5.to_list() == every.to_list()
    hidden = {code[:3] for code, label in zip(every, zip3, strict=True) if label == "000**"}
    assert hidden >= set(SMALL_ZIP3)
    shown = {code[:3] for code in every} - hidden
    assert {"606", "100", "941"} <= shown
    plain = dict(zip(every, ZIPS.labels(every)[2], strict=True))
    assert {plain[f"{prefix}01"] for prefix in hidden - set(SMALL_ZIP3)} == {"no state"}  # no area has them
    assert {of for of, code in zip(state, every, strict=True) if code[:3] in hidden} == {"000"}
    assert ladder(hierarchy, pl.concat([every, pl.Series([None, "x"])]), column="zip").height == 4
