"""The rows of the encounter table, made part by part from one sample."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.bootstrap import (
    READMITTED,
    Cohort,
    Source,
    clinical_columns,
    races,
    recorded_races,
    sexes,
    truth_of_patients,
)
from anon_platform.demo.identifiers import (
    Identifiers,
    device_serials,
    encounter_ids,
    phone_parts,
    phones,
    ssn_text,
)
from anon_platform.demo.names import SEXES
from anon_platform.demo.people import People, World, ages, identity_columns
from anon_platform.demo.reference import source_encounters
from anon_platform.demo.sampling import Ints, stream
from anon_platform.demo.timeline import Label, Timeline, discharge_minutes, timestamps

AGE_GROUPS = pl.Series([f"[{first}-{first + 10})" for first in range(0, 120, 10)])
READMITTED_DTYPE = pl.Enum(READMITTED)


@dataclass(frozen=True)
class Sample:
    """Everything that is decided before the first row is written: who, when, and which real row."""

    seed: int
    source: Source
    cohort: Cohort
    timeline: Timeline
    world: World
    people: People
    identifiers: Identifiers
    recorded_race: pl.Series
    """One a patient, as the source states it."""

    @classmethod
    def draw(cls, seed: int, size: int, label: Label) -> Self:
        """A sample with exactly `size` encounters."""
        source, world = Source.of(source_encounters()), World.load()
        cohort = Cohort.draw(stream(seed, "cohort"), source, size)
        timeline = Timeline.draw(seed, source, cohort, label)
        rng = stream(seed, "people")
        people = People.draw(
            rng,
            world,
            sex=sexes(rng, source, cohort),
            race=races(rng, source, cohort),
            birth_day=timeline.birth_day,
        )
        identifiers = Identifiers.draw(seed, len(people))
        return cls(seed, source, cohort, timeline, world, people, identifiers, recorded_races(source, cohort))

    def truth(self) -> pl.DataFrame:
        """patient_id, source_patient_nbr and split of every patient."""
        identity = self.identifiers.patient_ids().alias("patient_id").to_frame()
        return identity.hstack(truth_of_patients(self.source, self.cohort))

    def rows(self, part: int, ordinals: Ints) -> pl.DataFrame:
        """The encounters with these ordinals, 68 columns, one row each; `part` names the random stream."""
        patients = self.cohort.patient[ordinals]
        rng = stream(self.seed, "rows", part)
        stays = self.timeline.stay[ordinals]
        return pl.concat(
            [
                self._identity(rng, ordinals, patients),
                self._visit(rng, ordinals, patients),
                clinical_columns(rng, self.source, self.cohort.source_row[ordinals], stays),
                self._label(ordinals),
            ],
            how="horizontal",
        )

    def _identity(self, rng: np.random.Generator, ordinals: Ints, patients: Ints) -> pl.DataFrame:
        people, known = self.people.take(patients), self.identifiers
        names = identity_columns(people, self.world)
        age = ages(self.timeline.admission_day[ordinals], people.birth_day)
        keys = pl.DataFrame(
            {
                "encounter_id": encounter_ids(self.seed, ordinals),
                "patient_id": known.patient_ids(patients),
                "mrn": known.record_numbers(patients),
            }
        )
        return keys.hstack(names).with_columns(
            sex=pl.Series(SEXES).gather(people.sex),
            race=self.recorded_race.gather(patients),
            age=pl.Series(age.astype(np.int16)),
            age_group=AGE_GROUPS.gather(age // 10),
            ssn=ssn_text(known.ssn[patients]),
            phone=phones(phone_parts(people), patients),
            email=known.emails(patients, names),
            ip_address=known.ip_addresses(patients),
            device_serial=device_serials(rng, len(ordinals)),
        )

    def _visit(self, rng: np.random.Generator, ordinals: Ints, patients: Ints) -> pl.DataFrame:
        days = self.timeline.admission_day[ordinals]
        hospitals = self.world.places.hospitals
        return pl.DataFrame(
            {
                "hospital_name": hospitals.gather(self.people.hospital[patients]),
                "admission_ts": timestamps(days, self.timeline.admission_minute[ordinals]),
                "discharge_ts": timestamps(
                    days + self.timeline.stay[ordinals], discharge_minutes(rng, len(ordinals))
                ),
            }
        )

    def _label(self, ordinals: Ints) -> pl.DataFrame:
        labels = pl.Series("readmitted", READMITTED).gather(self.timeline.label[ordinals])
        return labels.cast(READMITTED_DTYPE).to_frame()
