"""Nine invented tables as they come from the world, with what each column is.

D direct identifier, Q quasi-identifier, L place, T time, S sensitive, I insensitive, F free text; several letters where
several are defensible, the truest first.
"""

# ruff: noqa: SIM905 - word lists read best as words

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

Cell = str
Make = Callable[[random.Random], Cell]

GIVEN = "Mary John Linda James Susan Robert Karen Michael Lisa David Nancy Thomas Laura Peter Julia Kevin Sarah Brian".split()
FAMILY = "Smith Johnson Miller Davis Garcia Wilson Moore Taylor Anderson Jackson Harris Lewis Walker Hall Young Hernandez".split()
VORNAMEN = "Anna Lukas Sabine Jürgen Heike Stefan Ulrike Thomas Monika Andreas Petra Wolfgang Claudia Markus Birgit".split()
NACHNAMEN = "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein".split()
WORDS = "patient seen today stable reports pain in left knee advised rest follow up next week with family doing well at home".split()


@dataclass(frozen=True)
class Schema:
    """rows: of text. columns: names with their gold roles and makers."""

    name: str
    separator: str
    columns: dict[str, tuple[str, Make]]

    def rows(self, n: int, seed: int) -> list[list[Cell]]:
        """`n` rows, the same for the same seed."""
        rng = random.Random(seed)
        return [[make(rng) for _, make in self.columns.values()] for _ in range(n)]

    def csv(self, n: int = 300, seed: int = 1) -> str:
        """The table as a CSV file."""
        lines = [list(self.columns), *self.rows(n, seed)]
        return "".join(self.separator.join(f'"{cell}"' for cell in line) + "\n" for line in lines)

    @property
    def gold(self) -> dict[str, str]:
        """By column, its roles."""
        return {name: roles for name, (roles, _) in self.columns.items()}


def one_of(*values: str) -> Make:
    return lambda rng: rng.choice(values)


def number(low: int, high: int) -> Make:
    return lambda rng: str(rng.randint(low, high))


def decimal(low: float, high: float, digits: int) -> Make:
    return lambda rng: f"{rng.uniform(low, high):.{digits}f}"


def digits(pattern: str) -> Make:
    """`#` becomes a digit, `@` a capital letter."""
    return lambda rng: "".join(
        str(rng.randint(0, 9)) if char == "#" else rng.choice("ABCDEFGHKLMNP") if char == "@" else char
        for char in pattern
    )


def day(first: int, last: int, form: str) -> Make:
    return lambda rng: (date(first, 1, 1) + timedelta(days=rng.randint(0, (last - first) * 365))).strftime(
        form
    )


def joined(*makes: Make | str) -> Make:
    return lambda rng: "".join(make if isinstance(make, str) else make(rng) for make in makes)


def sometimes(make: Make, share: float) -> Make:
    return lambda rng: make(rng) if rng.random() < share else ""


def text(rng: random.Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 20)))


def card(rng: random.Random) -> str:
    """A card number with a right check digit, by the plain rule."""
    body = "4" + "".join(str(rng.randint(0, 9)) for _ in range(14))
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def iban(rng: random.Random) -> str:
    """A German IBAN with right check digits: 98 less the remainder by 97."""
    account = "".join(str(rng.randint(0, 9)) for _ in range(18))
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


given, family = one_of(*GIVEN), one_of(*FAMILY)
email = joined(given, ".", family, number(1, 9999), "@mail.example")
sex = one_of("M", "F")

HOSPITAL = Schema("hospital export", ",", {
    "MRN#": ("D", digits("00#######")),
    "PT_NM": ("D", joined(family, ", ", given)),
    "PtDOB": ("DQ", day(1930, 2005, "%m/%d/%Y")),
    "Sex_CD": ("Q", one_of("M", "F", "U")),
    "RaceEth": ("Q", one_of("White", "Black", "Hispanic", "Asian", "Other")),
    "addr_ln_1": ("D", joined(number(1, 999), " ", one_of("Oak", "Main", "Lake", "Hill"), " ", one_of("St", "Ave", "Rd"))),
    "City_St_Zip": ("LQ", joined(one_of("Peoria", "Pekin", "Canton"), ", IL ", digits("616##"))),
    "hm_ph": ("D", digits("309-555-####")),
    "adm_dt": ("QT", day(2019, 2023, "%m/%d/%Y")),
    "disch_dt": ("TQ", day(2019, 2023, "%m/%d/%Y")),
    "los_days": ("I", number(1, 20)),
    "prin_dx": ("SQ", one_of("I10", "E11.9", "J18.9", "N39.0", "K35.80", "I50.9", "J44.1", "A41.9", "F32.9", "M54.5", "R07.9", "I63.9", "S72.001A")),
    "attending_md": ("D", joined("Dr. ", given, " ", family)),
    "ref_md_npi": ("D", digits("1#########")),
    "insurance_grp_no": ("DI", digits("@@#####")),
    "bp_systolic": ("I", number(95, 180)),
    "comments": ("F", text),
})  # fmt: skip

STAFF = Schema("staff", "\t", {
    "emp_no": ("D", digits("E#####")),
    "FirstName": ("D", given),
    "LastName": ("D", family),
    "work_email": ("D", email),
    "birthdate": ("DQ", day(1958, 2001, "%Y-%m-%d")),
    "gender": ("Q", one_of("Female", "Male")),
    "hire_date": ("QT", day(1990, 2023, "%Y-%m-%d")),
    "dept": ("LQI", one_of("Sales", "Finance", "Legal", "Operations")),
    "job_title": ("Q", one_of("Analyst", "Engineer", "Manager", "Director", "Clerk")),
    "base_salary": ("S", number(38000, 180000)),
    "manager_name": ("D", joined(given, " ", family)),
    "office_location": ("LQ", one_of("Boston", "Chicago", "Dallas")),
    "ethnicity_code": ("Q", one_of("1", "2", "3", "4")),
    "perf_rating": ("SI", one_of("1", "2", "3", "4", "5")),
    "badge_no": ("D", digits("######")),
    "laptop_serial": ("D", digits("@@#@####")),
    "emergency_contact_phone": ("D", digits("(617) 555-####")),
    "marital_sts": ("Q", one_of("single", "married", "divorced")),
    "citizenship": ("Q", one_of("US", "Canada", "India", "Mexico")),
    "vacation_days": ("I", number(0, 30)),
})  # fmt: skip

BANK = Schema("bank customers", ",", {
    "cust_id": ("D", digits("########")),
    "full_name": ("D", joined(given, " ", family)),
    "date_of_birth": ("DQ", day(1940, 2004, "%d/%m/%Y")),
    "street": ("D", joined(number(1, 200), " ", one_of("High", "Church", "Mill"), " ", one_of("Street", "Lane", "Road"))),
    "town": ("LQ", one_of("Leeds", "York", "Bath", "Derby", "Exeter")),
    "postcode": ("Q", digits("LS# #@@")),
    "country": ("QL", one_of("UK", "UK", "Ireland")),
    "phone_number": ("D", digits("+44 7### ######")),
    "e_mail": ("D", email),
    "acct_iban": ("D", iban),
    "card_no": ("D", card),
    "sort_code": ("DI", digits("##-##-##")),
    "ip_last_login": ("D", joined("10.", number(0, 255), ".", number(0, 255), ".", number(0, 255))),
    "balance": ("S", decimal(-500, 90000, 2)),
    "credit_score": ("S", number(300, 850)),
    "account_opened": ("QT", day(2005, 2023, "%d/%m/%Y")),
    "product_type": ("I", one_of("current", "savings", "student")),
    "is_active": ("I", one_of("Y", "N")),
})  # fmt: skip

KLINIK = Schema("German clinic", ";", {
    "PatNr": ("D", digits("7#####")),
    "Nachname": ("D", one_of(*NACHNAMEN)),
    "Vorname": ("D", one_of(*VORNAMEN)),
    "GebDat": ("DQ", day(1930, 2010, "%d.%m.%Y")),
    "Geschlecht": ("Q", one_of("m", "w", "d")),
    "Straße": ("D", joined(one_of("Haupt", "Garten", "Bahnhof", "Linden"), "straße ", number(1, 120))),
    "PLZ": ("Q", digits("80###")),
    "Wohnort": ("LQ", one_of("München", "Dachau", "Freising", "Erding")),
    "Telefon": ("D", digits("089/#######")),
    "KVNR": ("D", digits("@#########")),
    "Aufnahmedatum": ("QT", day(2020, 2023, "%d.%m.%Y")),
    "Entlassung": ("TQ", day(2020, 2023, "%d.%m.%Y")),
    "Hauptdiagnose": ("SQ", one_of("I10.90", "E11.90", "J18.9", "N39.0", "K35.8", "I50.1", "F32.1", "M54.5", "R07.4", "I63.9", "C50.9", "S72.0", "G40.9")),
    "Station": ("L", one_of("Innere 1", "Innere 2", "Chirurgie", "Neurologie")),
    "Hausarzt": ("D", joined("Dr. ", one_of(*VORNAMEN), " ", one_of(*NACHNAMEN))),
    "Gewicht_kg": ("I", number(45, 130)),
    "Kreatinin": ("I", decimal(0.5, 3, 2)),
    "Kostenträger": ("I", one_of("AOK", "TK", "Barmer", "DAK")),
    "Anmerkungen": ("F", text),
})  # fmt: skip

SCHOOL = Schema("school", ",", {
    "student_id": ("D", digits("S######")),
    "pupil_name": ("D", joined(given, " ", family)),
    "dob": ("DQ", day(2006, 2013, "%Y-%m-%d")),
    "guardian_email": ("D", email),
    "grade_level": ("Q", number(4, 9)),
    "homeroom": ("QL", joined(number(4, 9), one_of("A", "B", "C"))),
    "ethnicity": ("Q", one_of("White", "Black", "Hispanic", "Asian")),
    "language_at_home": ("Q", one_of("English", "Spanish", "Arabic")),
    "home_lat": ("D", decimal(41.6, 42.1, 6)),
    "home_lon": ("D", decimal(-88.0, -87.5, 6)),
    "gpa": ("SI", decimal(1, 4, 2)),
    "free_lunch": ("SQ", one_of("Y", "N")),
    "iep_flag": ("SIQ", one_of("Y", "N")),
    "days_absent": ("I", number(0, 25)),
    "bus_route": ("LQI", number(1, 14)),
    "photo_file": ("D", digits("img_######.jpg")),
    "login": ("D", joined(family, digits("###"))),
    "lunch_pin": ("D", digits("####")),
    "teacher_comment": ("F", text),
})  # fmt: skip

SPANISH = Schema("hospital es", ";", {
    "NumHistoria": ("D", digits("######")),
    "NombrePaciente": ("D", one_of("María López", "José García", "Carmen Ruiz", "Antonio Pérez", "Lucía Gómez")),
    "DNI": ("D", digits("########@")),
    "FecNac": ("DQ", day(1930, 2015, "%d/%m/%Y")),
    "Sexo": ("Q", one_of("H", "M")),
    "Domicilio": ("D", joined("Calle ", one_of("Mayor", "Real", "Sol"), " ", number(1, 99))),
    "CP": ("Q", digits("28###")),
    "Municipio": ("LQ", one_of("Madrid", "Getafe", "Leganés")),
    "TelMovil": ("D", digits("6########")),
    "FechaIngreso": ("QT", day(2020, 2023, "%d/%m/%Y")),
    "FechaAlta": ("TQ", day(2020, 2023, "%d/%m/%Y")),
    "CIE10": ("SQ", one_of("I10", "E11.9", "J18.9", "N39.0", "K35.8", "I50.1", "F32.1", "M54.5", "R07.4", "I63.9", "C50.9", "S72.0", "G40.9")),
    "Medico": ("D", one_of("Dra. Ana Gil", "Dr. Luis Mora", "Dr. Juan Soto")),
    "Servicio": ("LI", one_of("Cardiología", "Urgencias")),
    "NASS": ("D", digits("28##########")),
    "Observaciones": ("F", text),
    "Peso": ("I", decimal(40, 120, 1)),
})  # fmt: skip

CLAIMS = Schema("claims us", "|", {
    "CLM_ID": ("D", digits("##########")),
    "BENE_ID": ("D", digits("@@@######")),
    "BENE_BIRTH_DT": ("DQ", day(1930, 1955, "%Y%m%d")),
    "BENE_SEX_IDENT_CD": ("Q", one_of("1", "2")),
    "BENE_RACE_CD": ("Q", one_of("1", "2", "3", "5")),
    "SP_STATE_CODE": ("LQ", number(1, 54)),
    "BENE_COUNTY_CD": ("LQ", number(10, 990)),
    "CLM_FROM_DT": ("TQ", day(2019, 2021, "%Y%m%d")),
    "CLM_THRU_DT": ("TQ", day(2019, 2021, "%Y%m%d")),
    "ICD9_DGNS_CD_1": ("SQ", one_of("4019", "25000", "41401", "4280", "42731", "496", "5990", "2724", "V5869", "78650", "5849", "2859", "486")),
    "ICD9_DGNS_CD_2": ("SQ", one_of("4019", "25000", "41401", "4280", "42731", "496", "5990", "2724", "V5869", "78650", "5849", "2859", "486")),
    "CLM_PMT_AMT": ("I", decimal(0, 20000, 2)),
    "AT_PHYSN_NPI": ("D", digits("1#########")),
    "PRVDR_NUM": ("DL", digits("0500##")),
    "HCPCS_CD_1": ("SI", one_of("99213", "99214", "36415", "80053", "85025")),
    "CLM_UTLZTN_DAY_CNT": ("I", number(0, 30)),
})  # fmt: skip

EHR = Schema("ehr clarity", ",", {
    "PAT_MRN_ID": ("D", digits("E######")),
    "PAT_ENC_CSN_ID": ("D", digits("##########")),
    "PAT_NAME": ("D", joined(family, ", ", given)),
    "BIRTH_DATE": ("DQ", day(1930, 2010, "%m/%d/%Y")),
    "ADD_LINE_1": ("D", joined(number(1, 999), " ", one_of("Oak", "Elm"), " ", one_of("St", "Dr"))),
    "ZIP": ("Q", digits("6####")),
    "HOME_PHONE": ("D", digits("312-555-####")),
    "EMAIL_ADDRESS": ("D", email),
    "ETHNIC_GROUP_C": ("Q", number(1, 3)),
    "PATIENT_RACE_C": ("Q", number(1, 6)),
    "SEX_C": ("Q", one_of("1", "2")),
    "HOSP_ADMSN_TIME": ("TQ", day(2019, 2022, "%m/%d/%Y 10:30")),
    "HOSP_DISCH_TIME": ("TQ", day(2019, 2022, "%m/%d/%Y 10:30")),
    "DEPARTMENT_ID": ("LI", digits("100#")),
    "VISIT_PROV_ID": ("D", digits("P####")),
    "PRIMARY_DX_ID": ("SQ", number(100, 160)),
    "CUR_PCP_PROV_NAME": ("D", joined(family, ", ", given)),
    "PAYOR_NAME": ("I", one_of("AETNA", "BCBS", "MEDICARE")),
    "SUBSCR_NUM": ("D", digits("W#########")),
    "BP_SYSTOLIC": ("I", number(90, 180)),
    "PROGRESS_NOTE": ("F", text),
})  # fmt: skip

LAB = Schema("lab", ",", {
    "specimen_no": ("D", digits("S22-#####")),
    "pt_id": ("D", digits("#######")),
    "pt_last": ("D", family),
    "pt_first": ("D", given),
    "collected": ("TQ", day(2022, 2023, "%Y-%m-%d")),
    "rcvd": ("TQ", day(2022, 2023, "%Y-%m-%d")),
    "test_cd": ("IS", one_of("GLU", "NA", "K", "CREA")),
    "res_val": ("I", decimal(0, 200, 1)),
    "ref_range": ("I", one_of("70-99", "135-145", "3.5-5.1")),
    "abn_flag": ("I", one_of("H", "L", "N")),
    "ordering_provider": ("D", joined(given, " ", family)),
    "tech_initials": ("D", digits("@@")),
    "accession": ("D", digits("22########")),
    "loc": ("L", one_of("ICU", "ED", "4W")),
    "result_comment": ("F", text),
    "age_at_coll": ("Q", number(0, 95)),
    "sx": ("Q", one_of("M", "F")),
})  # fmt: skip

SCHEMAS = (HOSPITAL, STAFF, BANK, KLINIK, SCHOOL, SPANISH, CLAIMS, EHR, LAB)
LETTERS = {
    "direct_identifier": "D", "quasi_identifier": "Q", "sensitive": "S", "insensitive": "I", "free_text": "F",
    "image": "D", "timestamp": "T", "location": "L",
}  # fmt: skip
