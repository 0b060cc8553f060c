"""The three criteria of the Article 29 Working Party for anonymous data, and what becomes of the original."""

from anon_platform.policy.regulations.pack import Clause, Pack

GDPR_WP29 = Pack(
    "gdpr_wp29",
    "GDPR, three criteria of anonymisation (WP216)",
    "Opinion 05/2014 of the Article 29 Data Protection Working Party, 0829/14/EN, WP216, adopted on 10 April 2014",
    "extracts and law firms' summaries of the Opinion; numbers of sections and of the table are to be checked",
    (
        Clause(
            "1",
            "singling_out",
            "Singling out: nobody's records can be isolated in the dataset",
            "WP216, section 3 and table 6, singling out",
        ),
        Clause(
            "2",
            "linkability",
            "Linkability: two records of one person, or of one group, cannot be linked",
            "WP216, section 3 and table 6, linkability",
        ),
        Clause(
            "3",
            "inference",
            "Inference: the value of an attribute cannot be deduced with significant probability",
            "WP216, section 3 and table 6, inference",
        ),
        Clause(
            "original",
            "original_retained",
            "Event-level original: as long as the controller keeps it, a part of it that is handed over stays personal data",
            "WP216, section 2.2.2",
        ),
    ),
)
