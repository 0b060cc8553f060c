"""The shapes of values: the share of a column's distinct values that look like a phone number, a ZIP code and so on."""

# ruff: noqa: SIM905 - word lists read best as words, numbers in the rule that they belong to

from dataclasses import dataclass

import polars as pl

from anon_platform.analyze.columns.checksums import iban, luhn, npi, vin
from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.share import share

MOST = 50_000
"""Distinct values that are looked at for a shape of the whole value; rare ones inside texts are sought in all."""

SHORTEST = 8
"""Characters of the shortest identifier that is sought inside texts."""

LONGEST = 200
"""Longer texts have no shape as a whole."""

_EMAIL = r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_SSN = r"([0-8]\d\d|9\d\d)-\d\d-\d{4}"
_PHONE = r"(\+?\d{1,3}[ .-]?)?(\(\d{2,5}\)|\d{2,5})[ ./-]?\d{2,4}([ .-]?\d{2,4}){1,3}( ?(x|ext\.?) ?\d+)?"
_IP = r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}"

SHAPES: dict[str, str] = {
    "email": rf"^{_EMAIL}$",
    "ssn": rf"^{_SSN}$",
    "ssn9": r"^\d{9}$",
    "phone": rf"^{_PHONE}$",
    "phone_marked": r"^(\+\d{1,3}[ .-]?|\(\d{3}\) ?|1-)?(\d{3}[ .-]\d{3}[ .-]\d{4}|\d{2,4}[ /-]\d{5,9})$|^\+\d[\d .()-]{7,17}$|^\(\d{2,5}\)[ .\d-]{5,14}$",
    "url": r"^(https?|ftp)://\S+$|^www\.\S+\.\w{2,}\S*$",
    "ipv4": rf"^{_IP}(/\d\d?)?$",
    "ipv6": r"^(?i)[0-9a-f]{0,4}(:[0-9a-f]{0,4}){3,7}$",
    "mac": r"^(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}$",
    "uuid": r"^(?i)\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$",
    "hex": r"^(?i)(0x)?[0-9a-f]{24,}$",
    "base64": r"^[A-Za-z0-9+/_-]{60,}={0,2}$",
    "image": r"(?i)\.(jpe?g|png|gif|bmp|tiff?|webp|heic|dcm|dicom)$",
    "wkt": r"^(?i)(POINT|LINESTRING|POLYGON|MULTIPOLYGON)\s*\(",
    "lat_lon": r"^-?\d{1,2}\.\d{2,}\s*[,; ]\s*-?\d{1,3}\.\d{2,}$",
    "exact": r"^-?\d{1,3}\.\d{5,}$",
    "decimals": r"^-?\d{1,3}\.\d{2,}$",
    "zip": r"^\d{5}(-?\d{4})?$",
    "zip_plain": r"^\d{4,5}$",
    "postcode": r"^\d{4,7}$|^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$|^[A-Z]\d[A-Z][ -]?\d[A-Z]\d$|^[A-Z]{1,2}-?\d{4,5}$|^\d{5}-\d{3,4}$",
    "postcode_marked": r"^[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$|^[A-Z]\d[A-Z] ?\d[A-Z]\d$|^\d{5}-\d{4}$",
    "street": r"(?i)^\d+[a-z]?[ ,]+\S.*\b(st|str|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|ct|court|way|pl|place|hwy|highway|cir|circle|ter|terrace|pkwy|parkway|trail|trl|sq|square|loop|close|crescent|cres|grove|apt|unit|suite)\b|^\S.*(stra(ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer)\s*\d+|^(calle|c/|avenida|av\.|avda\.?|plaza|paseo|rue|via)\s+\S+",
    "street_only": r"(?i)^\S.*\b(street|avenue|road|boulevard|drive|lane|court|place|crescent|circuit|terrace|close|parade|grove)$",
    "icd9": r"^(\d{3}(\.\d{1,2})?|V\d\d(\.\d{1,2})?|E\d{3}(\.\d)?)$",
    "icd9_marked": r"^(\d{3}\.\d{1,2}|V\d\d(\.\d{1,2})?|E\d{3}(\.\d)?)$",
    "icd10": r"^[A-Z]\d[0-9AB](\.?[0-9A-Z]{1,4})?$",
    "age_range": r"^[\[(<>=]*\s*\d{1,3}\s*(-|–|to|bis|,)\s*\d{1,3}\s*[)\]]?$|^(<|>|>=|<=)\s*\d{1,3}$|^\d{2,3}\s*\+$",
    "code": r"^[A-Za-z0-9][A-Za-z0-9_./#-]*$",
    "with_digits": r"\d",
    "letters": r"^\p{L}[\p{L} .,'’-]*\d{0,4}$",
    "initial": r"^\p{L}\.?$",
    "affix": r"^(?i)(mr|mrs|ms|miss|dr|prof|md|phd|jr|sr|ii|iii|iv|herr|frau|sra?|don|doña)\.?$",
    "titled": r"^(?i:dr|dra|prof|mr|mrs|ms|herr|frau|sr|sra|don|doña)\.? +\p{Lu}",
    "flag": r"^(?i)(y|n|yes|no|t|f|true|false|0|1|ja|nein|si|sí|j)$",
    "disorder": r"\((disorder|finding|situation|morphologic abnormality|event|person|observable entity)\)$",
    "procedure": r"\((procedure|regime/therapy|product|substance|medicinal product|physical object|clinical drug)\)$|(?i)\d ?(mg|ml|mcg|unt|actuat)\b",
    "firm": r"(?i)\b(hospital|clinic|klinik\w*|cent(er|re)|practice|praxis|associates|university|school|schule|college|inc|llc|ltd|gmbh|corp|company|insurance|bank|pharmacy|nursing home|pllc)\b",
    "clock": r"^\d{1,2}:\d{2}(:\d{2})?$",
    "plate": r"^(?i)[A-Z]{1,3}[ -][A-Z]{1,2}[ -]?\d{1,4}$|^\d{4}[ -]?[BCDFGHJKLMNPRSTVWXYZ]{3}$",
}  # fmt: skip
"""Regular expressions of whole values."""

CARRIED = {
    "e-mail addresses": rf"\b{_EMAIL}\b",
    "social security numbers": rf"\b{_SSN}\b",
    "telephone numbers": r"\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}[.-]\d{3}[.-]\d{4}\b|\+\d{1,3} ?\d{2,4}[ /-]\d{3,}",
    "web addresses": r"https?://\S+",
    "record numbers": r"(?i)\b(mrn|ssn|medical record|acct|account|licen[sc]e)\b\s*(no\.?|number|#)?\s*[:#]?\s*\w*\d{4,}",
    "network addresses": rf"\b{_IP}\b",
}
"""What must not stand inside a longer text; one value with it among all is enough."""

SEXES = frozenset(
    """m f male female man woman men women mann frau männlich weiblich maennlich mujer hombre masculino femenino varon
    boy girl d divers diverse u unknown/invalid other o x nonbinary non-binary intersex unknown 1 2 0 9 w h""".split()
)
RACES = frozenset(
    """white black asian hispanic caucasian africanamerican african-american latino native other mixed pacific islander
    asian-pac-islander amer-indian-eskimo hawaiian multiracial nonhispanic non-hispanic indian biracial""".split()
)
MARITAL = frozenset(
    """married single divorced widowed separated never-married ledig verheiratet geschieden verwitwet soltero soltera casado
    casada divorciado divorciada viudo viuda husband wife partnered""".split()
)


@dataclass(frozen=True)
class Shares:
    """Shares of distinct values, 0 to 1. shapes: by name of the shape or checksum. carried: records that carry something."""

    shapes: dict[str, float]
    carried: dict[str, int]

    def __getitem__(self, shape: str) -> float:
        return self.shapes.get(shape, 0.0)


def shares(facts: Facts) -> Shares:
    """Every shape of the column's distinct values, and what its texts carry inside."""
    if not facts.distinct:
        return Shares({}, {})
    look = facts.values.gather_every(max(1, -(-facts.distinct // MOST)))
    frame = pl.DataFrame({"v": look})
    value = pl.col("v")
    found: dict[str, float] = {}
    if facts.length <= LONGEST:
        tests = [value.str.contains(shape).mean().alias(name) for name, shape in SHAPES.items()]
        listed = {"sexes": SEXES, "races": RACES, "marital": MARITAL}
        low = value.str.to_lowercase()
        tests += [low.is_in(sorted(words)).mean().alias(name) for name, words in listed.items()]
        tests.append((value == value.str.to_uppercase()).mean().alias("upper"))
        found = {name: float(part or 0) for name, part in frame.select(tests).row(0, named=True).items()}
        for name, check in (("luhn", luhn), ("npi", npi), ("vin", vin), ("iban", iban)):
            found[name] = share(check(look))
    return Shares(found, _carried(facts))


def _carried(facts: Facts) -> dict[str, int]:
    """Records whose text carries an identifier."""
    if not facts.text or not (facts.values.str.len_chars() >= SHORTEST).any():
        return {}
    frame = pl.DataFrame({"v": facts.values, "n": facts.n})
    tests = [
        pl.col("n").filter(pl.col("v").str.contains(shape)).sum().alias(name)
        for name, shape in CARRIED.items()
    ]
    return {name: int(n) for name, n in frame.select(tests).row(0, named=True).items() if n}
