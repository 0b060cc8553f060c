"""The secret order of released rows: a permutation that only the key explains."""

from collections import Counter
from itertools import permutations

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from anon_platform.anonymize.order import in_secret_order, part_of, secret_draws
from anon_platform.keys import Key
from anon_platform.table import ROW

KEY = Key("instance", bytes(range(32)))
OTHER = Key("instance", bytes(range(1, 33)))


def numbered(rows: list[int]) -> pl.DataFrame:
    """Rows by their position in the source, with a value that moves along."""
    return pl.DataFrame(
        {ROW: rows, "value": [f"v{row}" for row in rows]}, schema={ROW: pl.UInt32, "value": pl.String}
    )


def order(key: Key, purpose: str, rows: int) -> list[int]:
    """The source positions in released order."""
    return in_secret_order(numbered(list(range(rows))), secret_draws(key, purpose, rows))[ROW].to_list()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.text(max_size=5))
def test_the_order_is_a_permutation_that_can_be_made_again(rows: int, purpose: str) -> None:
    """A run that was interrupted finds the same release; no row is lost or doubled; values move along."""
    found = in_secret_order(numbered(list(range(rows))), secret_draws(KEY, purpose, rows))
    assert sorted(found[ROW]) == list(range(rows))
    assert found["value"].to_list() == [f"v{row}" for row in found[ROW]]
    assert found[ROW].to_list() == order(Key("other id", bytes(range(32))), purpose, rows)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.data())
def test_batches_and_suppressed_rows_do_not_change_the_order(rows: int, data: st.DataObject) -> None:
    """Rows reach the writer in any split; what stays of them stays in the same order."""
    draws = secret_draws(KEY, "visits", rows)
    kept = data.draw(st.lists(st.integers(0, rows - 1), unique=True))
    cut = data.draw(st.integers(0, len(kept)))
    parts = data.draw(st.integers(1, 5))
    whole = [row for row in order(KEY, "visits", rows) if row in kept]
    assert in_secret_order(numbered(kept), draws)[ROW].to_list() == whole
    halves = pl.concat([numbered(kept[cut:]), numbered(kept[:cut])])
    assert in_secret_order(halves, draws)[ROW].to_list() == whole
    together = part_of(numbered(kept)[ROW], draws, parts).to_list()
    split = [part for some in (kept[:cut], kept[cut:]) for part in part_of(numbered(some)[ROW], draws, parts)]
    assert together == split
    assert all(0 <= part < parts for part in together)


def test_every_key_and_every_purpose_has_an_order_of_its_own() -> None:
    """Two releases in one order could be joined row by row, and so undo both."""
    orders = [
        order(key, purpose, 100)
        for key in (KEY, OTHER)
        for purpose in ("release-1", "release-2", "release-1 ", "")
    ]
    for i, one in enumerate(orders):
        for other in orders[:i]:
            same = sum(a == b for a, b in zip(one, other, strict=True))
            assert same < 12  # of 100 positions one agrees on average: chance of 12 below 1e-9


def test_a_longer_source_begins_with_the_same_draws() -> None:
    """The draws are one key stream, so that no batch size enters them."""
    assert (secret_draws(KEY, "visits", 1000)[:10] == secret_draws(KEY, "visits", 10)).all()
    assert secret_draws(KEY, "visits", 0).tolist() == []


def test_the_draws_are_the_published_stream_cipher() -> None:
    """ChaCha20 of RFC 8439, counter and nonce zero, under a key derived for one purpose."""
    secret = KEY.derive("order").mac(b"visits")
    stream = Cipher(algorithms.ChaCha20(secret, bytes(16)), mode=None).encryptor().update(bytes(80))
    expected = [int.from_bytes(stream[i : i + 8], "little") for i in range(0, 80, 8)]
    assert secret_draws(KEY, "visits", 10).tolist() == expected


def test_the_key_stream_of_the_rfc_comes_out_of_the_library() -> None:
    """RFC 8439, appendix A.1, test vector 1: the cipher we call is the one we name."""
    stream = Cipher(algorithms.ChaCha20(bytes(32), bytes(16)), mode=None).encryptor().update(bytes(16))
    assert stream.hex() == "76b8e0ada0f13d90405d6ae55386bd28"


def test_all_orders_of_four_rows_are_as_likely() -> None:
    """Chi-squared over the 24 orders, 4800 purposes; false alarm once in a million other keys."""
    purposes = 4800
    found = Counter(tuple(order(KEY, f"purpose {i}", 4)) for i in range(purposes))
    expected = purposes / 24
    statistic = sum((found[each] - expected) ** 2 / expected for each in permutations(range(4)))
    assert statistic < chi2.isf(1e-6, 23)


def test_where_a_row_lands_says_nothing_of_where_it_stood() -> None:
    """Rank correlation of 50,000 rows with their source positions, and of neighbours; false alarm 2e-6."""
    rows = 50_000
    limit = norm.isf(0.5e-6) / np.sqrt(rows)
    positions = np.array(order(KEY, "visits", rows))
    assert abs(np.corrcoef(positions, np.arange(rows))[0, 1]) < limit
    assert abs(np.corrcoef(positions[1:], positions[:-1])[0, 1]) < limit


def test_parts_are_as_likely_and_tell_nothing_of_the_source() -> None:
    """Seven parts of 70,000 rows, and of their first tenth; chi-squared, false alarm 2e-6."""
    rows, parts = 70_000, 7
    draws = secret_draws(KEY, "visits", rows)
    for some in (rows, rows // 10):
        found = part_of(pl.Series(range(some), dtype=pl.UInt32), draws, parts)
        expected = some / parts
        statistic = float(((np.bincount(found.to_numpy(), minlength=parts) - expected) ** 2 / expected).sum())
        assert statistic < chi2.isf(1e-6, parts - 1)
