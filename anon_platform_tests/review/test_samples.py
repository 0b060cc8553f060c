"""Which notes are drawn, and what the marks of one or two reviewers come to."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.errors import SourceError
from anon_platform.review.drawing import LEAST, sampled, strata_of
from anon_platform.review.marks import Marks, NoteMarks
from anon_platform.review.measured import Share, measure, settled
from anon_platform.review.sample import Mark, Sample, SampledNote, Stratum
from anon_platform.table import ROW, PolarsTable


def table(folder: Path, texts: list[str | None], wards: list[str | None]) -> PolarsTable:
    """A staged source."""
    file = folder / "part.parquet"
    pl.DataFrame(
        {ROW: range(len(texts)), "note": texts, "ward": wards}, schema_overrides={ROW: pl.UInt32}
    ).write_parquet(file)
    return PolarsTable((file,))


def test_strata_are_columns_quarters_of_length_and_values(tmp_path: Path) -> None:
    """Null and empty notes are none; a null value is a value of its own."""
    texts: list[str | None] = [None, "", *["x" * (1 + i) for i in range(40)]]
    wards: list[str | None] = ["a", "b", *[("a", "b", None)[i % 3] for i in range(40)]]
    notes = strata_of(table(tmp_path, texts, wards), ["note"], "ward")
    assert sorted(notes[ROW]) == list(range(2, 42))
    expected = {(i // 10, wards[i + 2]) for i in range(40)}
    assert notes["stratum"].n_unique() == len(expected) == 12
    by_row = dict(notes.select(ROW, "stratum").iter_rows())
    for stratum in range(12):
        rows = [row for row, number in by_row.items() if number == stratum]
        assert len({((row - 2) // 10, wards[row]) for row in rows}) == 1


def test_sources_without_notes_or_with_too_many_values_are_refused(tmp_path: Path) -> None:
    """An identifier as strata would draw everything."""
    with pytest.raises(SourceError) as error:
        strata_of(table(tmp_path, [None, ""], [None, None]), ["note"], None)
    assert str(error.value) == "the source has no notes: every text is empty; there is nothing to review"
    with pytest.raises(SourceError) as error:
        strata_of(table(tmp_path, ["x"] * 60, [str(i) for i in range(60)]), ["note"], "ward")
    assert str(error.value) == (
        "--by ward: the column has more than 50 values, too many for strata; name a column of groups"
    )


@pytest.mark.parametrize("size", [1, 30, 100, 10_000])
def test_every_stratum_gives_its_share_and_the_seed_decides(size: int) -> None:
    """Two at least, all of them at most; a larger sample has the smaller one in it."""
    strata = [0] * 300 + [1] * 99 + [2] * 3 + [3]
    notes = pl.DataFrame({ROW: range(len(strata)), "column": "note", "stratum": strata})
    drawn = sampled(notes, size, 5)
    counts, whole = Counter(drawn["stratum"]), Counter(strata)
    for stratum, count in whole.items():
        fair = min(size / len(strata), 1) * count
        assert min(LEAST, count) <= counts[stratum] <= count
        assert fair <= counts[stratum] < max(fair + 1, LEAST + 1)
    assert drawn.equals(sampled(notes, size, 5))
    if size < len(strata):
        assert not drawn.equals(sampled(notes, size, 6))
    assert set(drawn[ROW]) <= set(sampled(notes, 2 * size, 5)[ROW])


def test_one_note_is_a_sample() -> None:
    """Its interval by notes says nothing, and a miss in it is no error of the sums."""
    notes = pl.DataFrame({ROW: [0], "column": ["note"], "stratum": [0]})
    assert sampled(notes, 368, 1).height == 1
    found = measure(sample_of(((0, 4, "PERSON"),)), [marks_of(missed=((5, 9, "PERSON"),))])
    assert (found.recall.hits, found.recall.n) == (1, 2)
    # half of one: all but the ends of what is possible
    assert found.by_notes == pytest.approx((0.000386, 0.999614), abs=1e-6)
    assert found.low == found.by_notes[0]


def sample_of(*found: tuple[Mark, ...]) -> Sample:
    """Of notes of 100 characters."""
    return Sample(
        dataset="visits", settings="a" * 64, fingerprint="b" * 64, confidence=0.95, seed=1,
        strata=(Stratum(notes=10, drawn=len(found)),),
        notes=tuple(SampledNote(stratum=0, length=100, found=marks) for marks in found),
    )  # fmt: skip


def marks_of(reviewer: str = "Ana", **note: Any) -> Marks:
    """Of the first note."""
    return Marks(format=1, sample="s" * 20, reviewer=reviewer, notes={"1": NoteMarks(done=True, **note)})


def test_two_reviewers_add_their_misses_and_share_what_is_wrong() -> None:
    """What one of them says was missed was missed; a find is wrong only if both say so."""
    note = SampledNote(stratum=0, length=100, found=((0, 4, "PERSON"), (10, 14, "PERSON"), (20, 24, "ID")))
    first = NoteMarks(done=True, wrong=((0, 4), (10, 14)), missed=((30, 34, "PERSON"), (11, 13, "ID")))
    second = NoteMarks(
        done=True,
        wrong=((0, 4),),
        right_type=((20, 24, "DATE_TIME"),),
        missed=((32, 38, "ID"), (50, 52, "ID")),
    )
    good, bad, gone = settled(note, [first, second])
    assert good == [(10, 14, "PERSON"), (20, 24, "DATE_TIME")]
    assert bad == [(0, 4, "PERSON")]
    assert gone == [(30, 38, "PERSON"), (50, 52, "ID")]


def test_measures_are_counted_by_type_and_overall() -> None:
    """A find of another type was found all the same."""
    sample = sample_of(((0, 4, "PERSON"), (10, 14, "ID")), ((0, 4, "PERSON"),))
    found = measure(sample, [marks_of(right_type=((10, 14, "PERSON"),), missed=((20, 24, "ID"),))])
    assert found.by_label["PERSON"] == (Share.of(3, 3, 0.95), Share.of(3, 3, 0.95))
    assert found.by_label["ID"][0] == Share.of(0, 1, 0.95)
    assert (found.recall, found.precision) == (Share.of(3, 4, 0.95), Share.of(3, 3, 0.95))
    assert (found.touched, found.notes, found.agreement) == (1, 2, None)
    assert found.low == min(found.recall.low, found.by_notes[0])


def test_agreement_is_counted_on_characters_and_spans() -> None:
    """By hand: 4 characters both, 4 the second alone, 92 neither."""
    found = measure(sample_of(((0, 4, "PERSON"),)), [marks_of(), marks_of("Bo", missed=((10, 14, "ID"),))])
    assert found.agreement is not None
    chance = (4 * 8 + 96 * 92) / 100**2
    assert found.agreement.kappa == pytest.approx((0.96 - chance) / (1 - chance))
    assert found.agreement.f1 == pytest.approx(2 * 1 / 3)
