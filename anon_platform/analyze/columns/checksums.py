"""Check digits, computed for whole columns at once: texts become rows of digits."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

import numpy as np
import polars as pl

Rows = np.ndarray

_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_CHECK = 8
_NPI_PREFIX = 24
"""What the prefix 80840 of health care providers adds to the sum. Source: CMS, NPI check digit calculation, 2004."""


def luhn(values: pl.Series) -> pl.Series:
    """Which texts, once all but digits is left out, are 12 to 19 digits with a right check digit. Source: ISO/IEC 7812-1.

    >>> luhn(pl.Series(["4111 1111 1111 1111", "4111 1111 1111 1112"])).to_list()
    [True, False]
    """
    digits = values.str.replace_all(r"[ -]", "")
    right = digits.str.contains(r"^[0-9]{12,19}$").fill_null(value=False)
    total = _luhn_sum(_places(digits.filter(right), 19))
    return _set(right, total % 10 == 0)


def npi(values: pl.Series) -> pl.Series:
    """Which texts are a US National Provider Identifier: ten digits from 1 or 2 on, the last a Luhn digit over 80840….

    >>> npi(pl.Series(["1234567893", "1234567890"])).to_list()
    [True, False]
    """
    right = values.str.contains(r"^[12][0-9]{9}$").fill_null(value=False)
    total = _luhn_sum(_places(values.filter(right), 10)) + _NPI_PREFIX
    return _set(right, total % 10 == 0)


def vin(values: pl.Series) -> pl.Series:
    """Which texts are a vehicle identification number with a right check digit. Source: 49 CFR 565.15 (c).

    >>> vin(pl.Series(["1M8GDM9AXKP042788", "1M8GDM9A1KP042788"])).to_list()
    [True, False]
    """
    upper = values.str.to_uppercase()
    right = upper.str.contains(r"^[A-HJ-NPR-Z0-9]{8}[0-9X][A-HJ-NPR-Z0-9]{8}$").fill_null(value=False)
    text = _places(upper.filter(right), 17, raw=True)
    worth = np.zeros(256, dtype=np.int64)
    for char, value in _VIN_VALUES.items():
        worth[ord(char)] = value
    rest = (worth[text] * np.array(_VIN_WEIGHTS)).sum(axis=1) % 11
    check = text[:, _VIN_CHECK]
    return _set(right, np.where(rest == 10, check == ord("X"), check == rest + ord("0")))


def iban(values: pl.Series) -> pl.Series:
    """Which texts, spaces left out, are an international bank account number: the remainder by 97 is 1. Source: ISO 13616.

    >>> iban(pl.Series(["DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"])).to_list()
    [True, False]
    """
    text = values.str.replace_all(" ", "").str.to_uppercase()
    right = text.str.contains(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$").fill_null(value=False)
    known = text.filter(right)
    turned = pl.DataFrame({"t": known}).select(
        pl.concat_str(pl.col("t").str.slice(4), pl.col("t").str.head(4))
    )
    codes = _places(turned.to_series(), 34, raw=True)
    rest = np.zeros(len(codes), dtype=np.int64)
    for place in range(codes.shape[1]):
        char = codes[:, place].astype(np.int64)
        letter, digit = char >= ord("A"), (char >= ord("0")) & (char < ord("A"))
        rest = np.where(letter, (rest * 100 + char - ord("A") + 10) % 97, rest)
        rest = np.where(digit, (rest * 10 + char - ord("0")) % 97, rest)
    return _set(right, rest == 1)


def _places(texts: pl.Series, width: int, *, raw: bool = False) -> Rows:
    """One row a text, its bytes right-aligned in `width` places; as digits unless raw, 0 where there is none."""
    if not len(texts):
        return np.zeros((0, width), dtype=np.int64)
    padded = texts.str.pad_start(width, "\0" if raw else "0").to_list()
    codes = np.frombuffer("".join(padded).encode("ascii"), dtype=np.uint8).reshape(len(padded), width)
    return codes if raw else codes.astype(np.int64) - ord("0")


def _luhn_sum(digits: Rows) -> Rows:
    doubled = digits.copy()
    doubled[:, -2::-2] *= 2
    total: Rows = (doubled - 9 * (doubled > 9)).sum(axis=1)
    return total


def _set(right: pl.Series, passed: Rows) -> pl.Series:
    """`right`, false where the check digit is wrong."""
    found = right.to_numpy().copy()
    found[found] = passed
    return pl.Series(found)
