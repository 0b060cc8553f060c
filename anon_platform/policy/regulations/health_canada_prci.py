"""Health Canada on clinical information that is released to the public: a risk of 0.09 at most."""

from anon_platform.policy.regulations.pack import Clause, Pack

HEALTH_CANADA_PRCI = Pack(
    "health_canada_prci",
    "Health Canada, Public Release of Clinical Information",
    "guidance document, version 1.0 of 12 March 2019",
    "contents and introduction of the guidance document, and summaries; threshold and section are to be checked",
    (
        Clause(
            "risk",
            "threshold",
            "The risk of re-identification of the record most at risk is 0.09 at most",
            "Health Canada PRCI guidance, section 6",
        ),
        Clause(
            "transformation",
            "data_utility",
            "Data are transformed no further than needed, and by methods that keep their analytical value",
            "Health Canada PRCI guidance, guiding principles of anonymization",
        ),
        Clause(
            "report",
            "anonymization_report",
            "An anonymization report goes with the documents",
            "Health Canada PRCI guidance, anonymization report",
        ),
    ),
)
