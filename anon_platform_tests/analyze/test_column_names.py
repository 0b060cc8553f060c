"""What the name of a column says, in several languages and spellings."""

import pytest

from anon_platform.analyze.columns.kinds import KINDS
from anon_platform.analyze.columns.names import entity, name_evidence, tokens
from anon_platform.analyze.columns.words import PHRASES

NAMES = {
    "dob": "birth_date", "Patient DOB": "birth_date", "PatientBirthDate": "birth_date", "GEBURTSDATUM": "birth_date",
    "fecha_de_nacimiento": "birth_date", "pt_nm": "person_name", "LastName": "family_name", "lname": "family_name",
    "Apellidos": "family_name", "Nachname": "family_name", "first-name": "given_name", "Vorname": "given_name",
    "ph#": "phone", "home_phone_2": "phone", "Telefonnummer": "phone", "fax_no": "fax", "Correo": "email",
    "zip5": "postcode", "PLZ": "postcode", "addr1": "street_address", "Straße": "street_address", "hicn": "health_plan_number",
    "npi": "licence_number", "DriversLicense": "licence_number", "mrn": "medical_record_number", "VIN": "vehicle_id",
    "device_serial_no": "device_id", "IPAddress": "ip_address", "lat": "coordinates", "patientid": "person_key",
    "ENCOUNTER_ID": "row_key", "admission_type_id": "code", "hospital_id": "place_key", "payer_id": "foreign_key",
    "num_procedures": "count", "total_cost": "amount", "Geschlecht": "sex", "estado civil": "marital_status",
    "primary_dx": "diagnosis", "note_text": "free_text", "date_of_service": "date", "created_at": "timestamp",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_likeliest_kind_of_a_name_is_the_one_people_mean(name: str) -> None:
    """Names are the strongest evidence; a wrong reading would outvote the values."""
    found = name_evidence(name)
    assert max(found, key=lambda kind: found[kind]) == NAMES[name]


@pytest.mark.parametrize("name", ["xq7", "", "___", "é", "👍", "x" * 5_000, "a b c d e f g", "^.*$", "\n\t"])
def test_a_name_that_says_nothing_is_no_evidence(name: str) -> None:
    """A guess from letters that happen to stand in a word would hide what the values say."""
    assert all(believed < 0.6 for believed in name_evidence(name).values())


def test_a_part_of_a_longer_phrase_says_nothing_by_itself() -> None:
    """Else a birth date would be a date first, and leave as a quasi-identifier."""
    assert "date" not in name_evidence("birth_date")
    assert "street_address" not in name_evidence("ip_address")


def test_words_are_found_in_all_ways_of_writing_them_together() -> None:
    """Databases shout, camels have humps, and German joins."""
    assert tokens("patientBirthDate") == tokens("PATIENT_BIRTH_DATE") == tokens("patientbirthdate")
    assert tokens("Größe-2") == ("groesse",)


def test_a_key_is_of_whom_its_last_entity_says() -> None:
    """The provider of a patient is not the patient, whose rows are counted."""
    assert entity("patient_id") == "person"
    assert entity("patient_provider_id") == "staff"
    assert entity("colour") is None


def test_every_phrase_belongs_to_a_kind_and_to_one_only() -> None:
    """A phrase of two kinds would be decided by the order of a file."""
    assert set(PHRASES) <= set(KINDS)
    phrases = [
        phrase for listed in PHRASES.values() for phrase in {" ".join(p.split()) for p in listed.split(";")}
    ]
    assert sorted({phrase for phrase in phrases if phrases.count(phrase) > 1}) == []
    assert "" not in phrases
