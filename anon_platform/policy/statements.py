"""What the policy's owner states, since no program can measure it: who the expert is, what contracts say, where keys lie."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from anon_platform.spec import Day, Spec

Text = Annotated[str, Field(min_length=1)]


class Expert(Spec):
    """Who determines that the risk is very small (45 CFR 164.514(b)(1)), and what that person holds to be very small."""

    name: Text
    """The expert's name, as it stands in the statement to be signed."""
    qualification: Text
    """What makes the person an expert, such as a degree and years of experience with such data."""
    measure: Literal["maximum risk", "mean risk", "journalist risk", "marketer risk"] | None = None
    """The measure that the determination goes by, as the report calls it."""
    very_small: float | None = Field(default=None, gt=0, lt=1)
    """The largest value of this measure that the expert holds to be very small for this recipient."""
    valid_days: int | None = Field(default=None, ge=1)
    """Days from the release after which the determination is made anew; `anon verify` says when they are over."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.measure is None) != (self.very_small is None):
            raise ValueError("measure and very_small go together; write both, or neither")
        return self


class IntruderTest(Spec):
    """A motivated intruder test that somebody held on a release of this policy, and what came of it."""

    held_on: Day
    """The day, such as 2026-03-01."""
    by: Text
    """Who tried, such as a team or a company."""
    attempts: int = Field(ge=1)
    """People whom they tried to identify."""
    identified: int = Field(ge=0)
    """Of these, the people whom they identified."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.identified > self.attempts:
            raise ValueError("identified is above attempts; correct one of them")
        return self


class Statements(Spec):
    """What the owner of the policy states. Left out, it is not stated, and its clause is for a human; false fails it."""

    expert: Expert | None = None
    """For hipaa_expert_determination."""
    original_retained: bool | None = None
    """Whether the controller keeps the original records; false when they are deleted (gdpr_wp29)."""
    treated_as_personal_data: bool | None = None
    """Whether the recipient treats the release as personal data (edpb_pseudonymisation)."""
    pseudonymisation_domain: Text | None = None
    """Who works with the release, and must not be able to attribute it to somebody (edpb_pseudonymisation)."""
    keys_kept_apart: bool | None = None
    """Whether keys and token vaults are out of the recipient's reach (edpb_pseudonymisation)."""
    keys_for_this_recipient_only: bool | None = None
    """Whether no release for another recipient is made with the keys of this policy (edpb_pseudonymisation)."""
    intruder_test: IntruderTest | None = None
    """For ico_motivated_intruder and nist_sp_800_188."""
    review_days: int | None = Field(default=None, ge=1)
    """Days after which the risk is assessed anew (ico_motivated_intruder)."""
    sharing_model: Literal["public", "agreement", "enclave", "query"] | None = None
    """How the release is shared: for everybody, under an agreement, in an enclave, through a query interface."""
    contract_forbids_reidentification: bool | None = None
    """Whether a contract binds the recipient to keep the release deidentified and not to reidentify anybody."""
    public_commitment: bool | None = None
    """Whether the business says in public that it keeps the information deidentified (ccpa_deidentified)."""
    patient_information: bool | None = None
    """Whether the data is made of patient information, so that AB 713 applies (ccpa_deidentified)."""
    privacy_notice_names_method: bool | None = None
    """Whether the privacy policy says that such data is disclosed and by which method of HIPAA (ccpa_deidentified)."""
    contract_of_ab_713: bool | None = None
    """Whether the contract has the three provisions of Cal. Civ. Code 1798.148(c) (ccpa_deidentified)."""
    reidentification_excluded: bool | None = None
    """Whether nobody of the business reidentifies the release but for what the law allows (ccpa_deidentified)."""
    review_board: Text | None = None
    """The Disclosure Review Board that oversees the release (nist_sp_800_188)."""
    trust_model: Literal["central", "local", "shuffle"] | None = None
    """Who sees the data before noise is added (nist_sp_800_226)."""
    anonymisation_report: bool | None = None
    """Whether an anonymisation report is handed in with the documents (ema_policy_0070, health_canada_prci)."""
