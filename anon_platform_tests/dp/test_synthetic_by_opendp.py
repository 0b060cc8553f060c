"""MST and AIM of OpenDP; slow, since jax compiles: only where the extra mbi is installed."""

import importlib.util

import numpy as np
import pytest

from anon_platform.dp import loss_of
from anon_platform.dp.domain import Categories
from anon_platform.dp.synthetic import Synthesis, expected, synthesize
from anon_platform.dp.synthetic.by_opendp import require_mbi
from anon_platform.errors import PolicyError

MBI = importlib.util.find_spec("mbi") is not None

DOMAINS = {
    name: Categories(kind="categories", values=tuple(range(size)))
    for name, size in (("a", 3), ("b", 4), ("c", 2))
}


def frame(rows):
    import polars as pl

    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, rows)
    b = np.where(rng.random(rows) < 0.7, a, rng.integers(0, 4, rows))
    return pl.DataFrame(
        {"a": a, "b": b, "c": np.where(rng.random(rows) < 0.7, b % 2, rng.integers(0, 2, rows))}
    )


@pytest.mark.skipif(not MBI, reason="the extra mbi is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", ["mst", "aim"])
def test_tables_of_opendps_methods(method) -> None:
    import polars as pl

    source, loss = frame(4000), loss_of(2.0, 1e-6)
    rule = {"if": {"a": 0}, "then": {"b": [0, 1, 2]}}
    settings = Synthesis(rows=4000, method=method, target="c", constraints=[rule])
    found = synthesize(source, settings, DOMAINS, {"a", "b", "c"}, loss, 2, np.random.default_rng(0))
    assert loss.units * 0.99 < found.spent.units <= loss.units
    assert found.table.filter((pl.col("a") == 0) & (pl.col("b") == 3)).is_empty()
    same = pl.col("a") == pl.col("b")
    assert found.table.select(same.mean()).item() == pytest.approx(
        source.select(same.mean()).item(), abs=0.05
    )
    told = expected(settings, DOMAINS, {"a", "b", "c"}, loss, 2)
    assert found.measured[0]["scale"] == pytest.approx(told.first.scale, rel=1e-4)


def test_without_the_extra_its_methods_are_refused_before_anything_is_measured(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(PolicyError) as error:
        synthesize(
            frame(10),
            Synthesis(rows=1, method="aim"),
            DOMAINS,
            set(),
            loss_of(1.0, 1e-6),
            1,
            np.random.default_rng(0),
        )
    assert str(error.value) == (
        "method: aim needs the extra mbi, which is not installed; install anon-platform[mbi] or write method: light"
    )


def test_with_the_extra_its_methods_are_not_refused(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    require_mbi("mst")
