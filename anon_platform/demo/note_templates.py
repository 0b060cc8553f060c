"""The wording of the clinical notes; a note is one opening, one course and one closing.

Braces name a field of `notes.FIELDS`. The courses carry no identifiers but the provider, and set
traps for detectors: diseases, procedures and devices named after people, and numbers that look
like dates.
"""

OPENINGS = (
    "{full}, {age} years old (born {born_us}, record {mrn}), came into our care at {hospital} on {admitted_us}.",
    "Patient: {last_first}  MRN: {mrn}  DOB: {born_us}\nAdmitted {admitted_iso}.",
    "We first met this {age} y/o {noun}, {title} {family}, in the emergency department on {admitted_long}.",
    (
        "DISCHARGE SUMMARY\nName: {capitals}\nAdm: {admitted_dmy}  Disch: {discharged_dmy}\n"
        "Attending: Dr. {provider_family}."
    ),
    "{with_initial} came on {admitted_short} with {possessive} {relation}, {relative_full}, after days of feeling unwell.",
    "Pt {small_letters} seen on rounds {admitted_md}. Chart {record_digits}; SSN on file {ssn}.",
    "Thank you for sending us {title} {family} (born {born_long}), who lives at {street}, {city}, {state} {zip}.",
    "{title} {family}, a {age}-year-old {noun} from {city}, was admitted {admitted_iso} to bring glucose under control.",
    "Re: {full} / {born_iso} / acct {mrn}. Treated at {hospital}, {admitted_long}.",
    "HPI: {initialled}, {age} yo {noun}, admitted {admitted_short}; {relation} {relative_given} at the bedside.",
    "Phone call {admitted_us}: {misspelled} on the line, identity confirmed by date of birth {born_short}.",
)

COURSES = (
    (
        "History of Graves' disease and, years ago, a Whipple procedure. The leading diagnosis is {diagnosis_1}. "
        "We reviewed {medications} medications and {labs} laboratory results over {stay} days. "
        "HbA1c: {a1c}. Insulin: {insulin}."
    ),
    (
        "On examination BP 138/82, HR 84, no fever. Foley catheter placed, later removed. Dx {diagnosis_1}, {diagnosis_2}. "
        "Diet and glucose discussed; A1C {a1c}, metformin {metformin}. In hospital for {stay} days."
    ),
    (
        "Uneventful course: {labs} labs, {procedures} procedures, {medications} drugs. Murphy sign negative, EF 55-60%. "
        "Working diagnosis {diagnosis_1}, {diagnoses} problems coded; insulin {insulin}."
    ),
    (
        "Assessment: diabetes with {diagnosis_1}/{diagnosis_2}. Overnight Dr. {provider_full} adjusted the sliding scale. "
        "Inpatient visits in the year before: {inpatient}. Nothing points to Parkinson or Alzheimer disease."
    ),
    (
        "Labs checked (n={labs}), serum glucose {glucose}. Eating well, walking 2-3 times a day, pain 3/10. "
        "Change of medication: {changed}. Admission type {admission_type}, {stay} d in all."
    ),
)

CLOSINGS = (
    "Left us on {discharged_us} in stable condition. For appointments call {phone_brackets}.",
    "Contact for {given}: {phone_dashes} or {email}. The next visit is booked with Dr. {provider_family}.",
    (
        "We talked the plan through with {possessive} {relation} {relative_of_family} (tel {phone_dots}). "
        "Discharge {discharged_long}."
    ),
    "The patient answers at {phone_plus}. Signed electronically by {provider_full}, MD on {discharged_iso}.",
    "Disposition code {disposition} after {stay} days. Home phone {phone_digits}. Pump serial {device}.",
    "{title} {family}'s portal login came from {ip}; letter sent to {street}, {city}, {state} {zip}.",
    "Warning signs explained. {last_first} returns two weeks after {discharged_md}; callback {phone_dashes}.",
    "Home with family {discharged_short}. Nothing further to record.",
)
