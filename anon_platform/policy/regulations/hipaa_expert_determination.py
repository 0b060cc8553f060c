"""HIPAA Expert Determination: who determines that the risk is very small, by what, and for how long."""

from anon_platform.policy.regulations.pack import Clause, Pack

HIPAA_EXPERT_DETERMINATION = Pack(
    "hipaa_expert_determination",
    "HIPAA Expert Determination, 45 CFR 164.514(b)(1)",
    "rule as amended on 7 June 2013 (78 FR 34266)",
    "US Department of Health and Human Services, Guidance Regarding Methods for De-identification of Protected Health"
    " Information, 26 November 2012, on expert determination",
    (
        Clause(
            "b1",
            "expert",
            "A person with appropriate knowledge of, and experience with, generally accepted statistical and scientific"
            " principles and methods",
            "45 CFR 164.514(b)(1)",
        ),
        Clause(
            "i",
            "very_small_risk",
            "The risk is very small that an anticipated recipient could identify somebody, alone or with other reasonably"
            " available information",
            "45 CFR 164.514(b)(1)(i)",
        ),
        Clause(
            "ii",
            "documented",
            "The expert documents the methods and results of the analysis",
            "45 CFR 164.514(b)(1)(ii)",
        ),
        Clause(
            "expiry",
            "time_limit",
            "The determination holds for a limited time, after which it is made anew",
            "HHS guidance of 26 November 2012, how long an expert determination is valid",
        ),
    ),
)
