"""California: deidentified information (CCPA as amended by CPRA) and deidentified patient information (AB 713)."""

from anon_platform.policy.regulations.pack import Clause, Pack

CCPA_DEIDENTIFIED = Pack(
    "ccpa_deidentified",
    "CCPA/CPRA deidentified information, with AB 713",
    "Cal. Civ. Code 1798.140(m) as of 1 January 2023; AB 713, chapter 172, statutes of 2020",
    "text of 1798.140(m) and 1798.148(a); law firms' notes on AB 713 for 1798.130, 1798.146 and 1798.148(c), to be checked",
    (
        Clause(
            "m",
            "not_linkable",
            "The information cannot reasonably be used to infer information about a particular consumer, or be linked to one",
            "Cal. Civ. Code 1798.140(m)",
        ),
        Clause(
            "m.1",
            "reasonable_measures",
            "Reasonable measures ensure that it cannot be associated with a consumer or household",
            "Cal. Civ. Code 1798.140(m)(1)",
        ),
        Clause(
            "m.2",
            "public_commitment",
            "The business publicly commits to keep it deidentified and not to attempt to reidentify it",
            "Cal. Civ. Code 1798.140(m)(2)",
        ),
        Clause(
            "m.3",
            "contract",
            "Recipients are bound by contract to the same",
            "Cal. Civ. Code 1798.140(m)(3)",
        ),
        Clause(
            "146",
            "hipaa_method",
            "Patient information is deidentified by a method of 45 CFR 164.514",
            "Cal. Civ. Code 1798.146(a)(4)",
        ),
        Clause(
            "130",
            "privacy_notice",
            "The privacy policy says that deidentified patient information is sold or disclosed, and by which method it was made",
            "Cal. Civ. Code 1798.130(a)(5)(D)",
        ),
        Clause(
            "148.a",
            "no_reidentification",
            "Nobody reidentifies it, or attempts to, but for the purposes that the section names",
            "Cal. Civ. Code 1798.148(a)",
        ),
        Clause(
            "148.c",
            "contract_terms",
            "A contract of sale or license names the patient information, forbids reidentification and binds third parties",
            "Cal. Civ. Code 1798.148(c)",
        ),
    ),
)
