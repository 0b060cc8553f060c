"""The public reference tables that ship with the package; `data/LICENSES.md` names their sources."""

import io
from importlib.resources import files

import polars as pl

COUNT_COLUMNS = (
    "time_in_hospital",
    "num_lab_procedures",
    "num_procedures",
    "num_medications",
    "number_outpatient",
    "number_emergency",
    "number_inpatient",
    "number_diagnoses",
)
CODE_COLUMNS = ("admission_type_id", "discharge_disposition_id", "admission_source_id")


def _bytes(name: str) -> io.BytesIO:
    return io.BytesIO(files("anon_platform.demo").joinpath("data", name).read_bytes())


def table(name: str) -> pl.DataFrame:
    """The reference table `data/<name>.parquet`."""
    return pl.read_parquet(_bytes(f"{name}.parquet"))


def area_codes() -> dict[str, list[int]]:
    """Telephone area codes of each state, by two-letter state code.

    >>> area_codes()["VT"]
    [802]
    """
    codes = pl.read_csv(_bytes("area_codes.csv"), schema={"state": pl.String, "area_codes": pl.String})
    return {state: [int(code) for code in listed.split()] for state, listed in codes.iter_rows()}


def source_encounters() -> pl.DataFrame:
    """The 101,766 encounters of the UCI diabetes data, 50 columns, sorted by patient and encounter.

    Two columns are added: `p_lt30` and `p_gt30`, the probabilities of a readmission within 30 days
    and later, predicted out of fold (the model never saw the patient it predicts).
    """
    encounters = table("diabetic_data").with_columns(
        pl.col("encounter_id", "patient_nbr").cast(pl.Int64),
        pl.col(*COUNT_COLUMNS, *CODE_COLUMNS).cast(pl.Int16),
    )
    predicted = table("oof_p3")
    return encounters.join(
        predicted, on=["encounter_id", "patient_nbr"], how="inner", validate="1:1", maintain_order="left"
    ).sort("patient_nbr", "encounter_id")
