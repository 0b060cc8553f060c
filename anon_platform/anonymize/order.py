"""A secret order for the released rows: the order of the source tells, for example, the day of an admission."""

import numpy as np
import numpy.typing as npt
import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from anon_platform.keys import Key
from anon_platform.table import ROW

Draws = npt.NDArray[np.uint64]


def secret_draws(key: Key, purpose: str, rows: int) -> Draws:
    """One 64-bit number a source row, a ChaCha20 key stream: the same for the same key and purpose.

    Whoever lacks the key cannot tell it from chance (RFC 8439), and no batch size changes it.
    """
    secret = key.derive("order").mac(purpose.encode())
    encryptor = Cipher(algorithms.ChaCha20(secret, b"\0" * 16), mode=None).encryptor()
    return np.frombuffer(encryptor.update(bytes(8 * rows)), dtype="<u8").astype(np.uint64)


def part_of(rows: pl.Series, draws: Draws, parts: int) -> pl.Series:
    """The output part of each row (ROW numbers), 0 to parts − 1, each as likely."""
    return pl.Series((draws[rows.to_numpy()] >> np.uint64(32)) % np.uint64(parts))


def in_secret_order(frame: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """The rows of `frame` in the order of their draws."""
    return frame[np.argsort(draws[frame[ROW].to_numpy()], kind="stable")]
