"""Labels compared by what they cover, and what generalization cost, against counts record by record."""

from collections.abc import Hashable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.validate import assess
from anon_platform.validate.evidence import Recoded
from anon_platform.validate.utility.columns import CELLS, measure_column
from anon_platform.validate.utility.compared import LABEL, VALUE, compared
from anon_platform.validate.utility.information_loss import (
    average_class_size,
    average_loss,
    discernibility,
    entropy_lost,
    measure_information_loss,
)
from anon_platform_tests.validate import utility_oracles as oracles
from anon_platform_tests.validate.small_releases import (
    COUNTY,
    county,
    decade,
    month,
    release,
    rows,
    source_of,
)

NAMES = ["age", "town", "stay", "weight", "day"]
FUNCTIONS = {"age": decade, "town": county, "stay": lambda v: v, "weight": lambda v: v, "day": month}


def columns_of(evidence: Any) -> dict[str, Any]:
    return {column.name: column for column in compared(evidence)}


def in_days(values: Sequence[Any]) -> list[Any]:
    return [None if one is None else one.toordinal() if hasattr(one, "toordinal") else one for one in values]


@settings(max_examples=25)
@given(rows, st.data())
def test_categories_are_spread_over_what_their_label_covers(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], data: st.DataObject
) -> None:
    """`north` is half ash and half bay, whatever it is called; a missing town is missing on both sides."""
    kept = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, min_size=1))
    evidence = release(tmp_path_factory.mktemp("r"), source_of(drawn), kept)
    found = measure_column(columns_of(evidence)["town"], 1)
    towns = [row[2] for row in drawn]
    after = oracles.spread_over([county(towns[i]) for i in kept], towns, county)
    before: dict[Hashable, Fraction] = {town: Fraction(towns.count(town)) for town in set(towns)}
    assert found.original is not None
    assert found.original.total_variation == pytest.approx(
        float(oracles.total_variation(before, after)), abs=1e-9
    )
    assert found.missing == (towns.count(None) / len(towns), [towns[i] for i in kept].count(None) / len(kept))


@settings(max_examples=25)
@given(rows, st.data())
def test_numbers_and_dates_are_spread_over_the_span_of_their_label(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], data: st.DataObject
) -> None:
    """A decade reaches from its lowest to its highest age that occurs; a released number stands for itself."""
    kept = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, min_size=1))
    evidence = release(tmp_path_factory.mktemp("r"), source_of(drawn), kept)
    columns = columns_of(evidence)
    for place, name in ((0, "age"), (2, "stay"), (3, "weight"), (4, "day")):
        values = [row[place + 1] for row in drawn]
        became = FUNCTIONS[name]
        numbers = in_days(values)
        before = [(Fraction(one), Fraction(one), Fraction(1)) for one in numbers if one is not None]
        after = []
        for i in kept:
            covered = [
                number
                for value, number in zip(values, numbers, strict=True)
                if value is not None and became(value) == became(values[i])
            ]
            if values[i] is not None:
                after.append((Fraction(min(covered)), Fraction(max(covered)), Fraction(1)))
        found = measure_column(columns[name], 1).numbers
        if not before or not after:
            assert found is None
            continue
        whole = name != "weight"
        assert found is not None
        gap = oracles.kolmogorov_smirnov(before, after, whole=whole)
        assert found.kolmogorov_smirnov == pytest.approx(float(gap), abs=1e-9)
        mean, variance = oracles.moments(before, whole=whole)
        if not variance:
            assert found.wasserstein is None
            continue
        spread = float(variance) ** 0.5
        after_mean, after_variance = oracles.moments(after, whole=whole)
        area = float(oracles.wasserstein(before, after, whole=whole))
        assert found.wasserstein == pytest.approx(area / spread, abs=1e-9)
        assert found.mean_shift == pytest.approx(float(after_mean - mean) / spread, abs=1e-9)
        assert found.variance_ratio == pytest.approx(float(after_variance / variance), abs=1e-9)


def test_a_release_of_everything_as_it_is_has_moved_nowhere(tmp_path: Path) -> None:
    """The zero of every scale."""
    drawn = [(i, 18 + i % 30, ["ash", "elm", "fir"][i % 3], 1 + i % 6, i / 3, None) for i in range(300)]
    evidence = release(tmp_path, source_of(drawn), range(300))
    found = {name: measure_column(column, 11) for name, column in columns_of(evidence).items()}
    for name in ("stay", "weight"):
        assert found[name].numbers is not None
        assert found[name].numbers.kolmogorov_smirnov == 0
        assert found[name].numbers.quantile_shift == dict.fromkeys(
            ["0.05", "0.25", "0.5", "0.75", "0.95"], 0.0
        )
        assert found[name].original.total_variation == 0  # type: ignore[union-attr]
    # more numbers than cells, so that some share one
    assert columns_of(evidence)["weight"].before.height > 4 * CELLS


def test_labels_of_local_recodings_cover_more_than_they_were_seen_with(tmp_path: Path) -> None:
    """The interval 18 to 40 of a class whose members are 20 and 30 stands for all ages between, and `*` for every one."""
    drawn = [(i, age, "ash", 1, 1.0, None) for i, age in enumerate([18, 20, 30, 40, 90])]
    labels = ["[18, 18]", "[18, 40]", "[18, 40]", "[18, 18]", SUPPRESSED]

    def covers(values: pl.Series, names: pl.Series) -> pl.Series:
        limits = {"[18, 18]": (18, 18), "[18, 40]": (18, 40), SUPPRESSED: (0, 200)}
        good = [limits[n][0] <= v <= limits[n][1] for v, n in zip(values, names, strict=True)]
        return pl.Series(good, dtype=pl.Boolean)

    evidence = release(tmp_path, source_of(drawn), range(5))
    pl.read_parquet(evidence.data / "part-00000.parquet").with_columns(age=pl.Series(labels)).write_parquet(
        evidence.data / "part-00000.parquet"
    )
    known = dict(zip([18, 20, 30, 40, 90], labels, strict=True))
    recoded = Recoded(
        ("age",),
        lambda originals: originals.select(pl.col("age").replace_strict(known, return_dtype=pl.String)),
        {"age": covers},
    )
    local = type(evidence)(
        **{**vars(evidence), "recoded": recoded, "treat": {**evidence.treat, "age": lambda v: v}}
    )
    column = columns_of(local)["age"]
    assert column.covers.filter(pl.col(LABEL) == "[18, 40]")[VALUE].sort().to_list() == [18, 20, 30, 40]
    spans = {label: (low, high) for label, low, high in column.spans.iter_rows()}
    assert spans["[18, 40]"] == (18, 40)
    assert spans[SUPPRESSED] == (18, 90)


@settings(max_examples=25)
@given(rows, st.data())
def test_information_loss_is_what_a_count_by_hand_finds(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], data: st.DataObject
) -> None:
    """Every measure over the same records, suppressed ones as lost as can be."""
    kept = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True))
    evidence = release(tmp_path_factory.mktemp("r"), source_of(drawn), kept)
    found = measure_information_loss(evidence, columns_of(evidence))
    assert found is not None
    total, gone = len(drawn), len(drawn) - len(kept)
    ages, towns = ([row[place] for row in drawn] for place in (1, 2))
    # towns that nobody has are leaves of their hierarchy all the same
    leaves = {"age": set(ages), "town": {*towns, *(town for town in COUNTY if town)}}
    for column, values in zip(found.columns, (ages, towns), strict=True):
        became = FUNCTIONS[column.name]
        all_leaves = leaves[column.name]
        lost = certain = Fraction(0)
        known = [one for one in values if one is not None]
        for i in kept:
            covered = [one for one in all_leaves if became(one) == became(values[i])]
            loss = Fraction(len(covered) - 1, max(len(all_leaves) - 1, 1))
            lost += loss
            if column.name == "town":
                certain += Fraction(len(covered), len(all_leaves)) if loss else 0
            elif loss:
                certain += Fraction(max(covered) - min(covered), max(known) - min(known))
        assert column.loss == pytest.approx(float((lost + gone) / total), abs=1e-9)
        assert column.ncp == pytest.approx(float((certain + gone) / total), abs=1e-9)
        # the second of three levels: half of the way up
        assert column.precision_lost == pytest.approx((len(kept) / 2 + gone) / total, abs=1e-9)
        bits = oracles.entropy_lost([(one, became(one), i in kept) for i, one in enumerate(values)])
        assert (column.entropy is None) == (bits is None)
        if bits is not None:
            assert column.entropy == pytest.approx(bits, abs=1e-9)
    classes = [(decade(ages[i]), county(towns[i])) for i in kept]
    sizes = [classes.count(one) for one in dict.fromkeys(classes)]
    assert found.discernibility == pytest.approx(oracles.discernibility(sizes, gone) / total**2, abs=1e-9)
    assert found.average_class == (pytest.approx(len(kept) / len(sizes) / 2) if kept else None)


def test_measures_of_the_literature_on_a_table_worked_by_hand() -> None:
    """Six records, classes of 3 and 2, one suppressed; ages 20, 21, 22 | 30, 35 as decades, and 50."""
    # Bayardo, Agrawal 2005: 3² + 2² + 1 · 6
    assert discernibility(pl.Series([3, 2]), 1) == 19
    # LeFevre et al. 2006: (5 / 2) / 2
    assert average_class_size(pl.Series([3, 2]), 2) == 1.25
    assert average_class_size(pl.Series([], dtype=pl.Int64), 2) is None
    # Iyengar 2002 over 6 leaves: (3 · 2/5 + 2 · 1/5 + 1) / 6
    labels = pl.DataFrame({"n": [3, 2], "loss": [2 / 5, 1 / 5]})
    assert average_loss(labels, "loss", 1) == pytest.approx((1.2 + 0.4 + 1) / 6, abs=1e-9)
    # De Waal, Willenborg 1999: log₂ 3 for each of three, 1 for each of two; nothing for the one that is alone
    values = pl.DataFrame(
        {
            VALUE: [20, 21, 22, 30, 35, 50],
            LABEL: ["a", "a", "a", "b", "b", "c"],
            "n": [1] * 6,
            "kept": [True] * 5 + [False],
        }
    )
    assert entropy_lost(values) == pytest.approx((3 * np.log2(3) + 2) / (6 * np.log2(6)), abs=1e-9)


def test_a_picture_never_tells_of_a_few_records(tmp_path: Path) -> None:
    """Shares add up to 1, so that what is left out must be enough records as well."""
    drawn = [(i, 20, "ash" if i < 60 else "elm" if i < 96 else "fir", 1, 1.0, None) for i in range(100)]
    evidence = release(tmp_path, source_of(drawn), range(100))
    picture = measure_column(columns_of(evidence)["town"], 11).picture
    assert picture is not None
    # four records of fir hide behind those of elm
    assert (picture.before, picture.few) == ([0.6], (0.4, 0.4))


def test_limits_refuse_by_what_the_data_is_for(tmp_path: Path) -> None:
    """In mode model_training a coarse column is shown and refuses nothing; without a mode every limit counts."""
    drawn = [(i, 18 + i % 30, ["ash", "elm", "fir"][i % 3], 1, 1.0, None) for i in range(90)]
    outcomes = {}
    for mode in ("none", "analytics", "model_training"):
        utility = {"information_loss": 0.01, "detail_distance": 0.9} | (
            {} if mode == "none" else {"mode": mode}
        )
        assessment = assess(release(tmp_path / mode, source_of(drawn), range(90), utility))
        loss = next(metric for metric in assessment.metrics if metric.name == "information loss")
        outcomes[mode] = (assessment.check_passed("information_loss"), loss.threshold)
    assert outcomes == {"none": (False, 0.01), "analytics": (False, 0.01), "model_training": (True, None)}
    assert loss.note.startswith("0.01 is wished, which refuses nothing in mode model_training")
