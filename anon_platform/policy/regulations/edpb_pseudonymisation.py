"""The European Data Protection Board on pseudonymisation: a domain, a transformation, secrets kept apart."""

from anon_platform.policy.regulations.pack import Clause, Pack

EDPB_PSEUDONYMISATION = Pack(
    "edpb_pseudonymisation",
    "GDPR, pseudonymisation domain (EDPB Guidelines 01/2025)",
    "version adopted on 16 January 2025 for public consultation; no final version was known when this pack was written",
    "article 4(5) of Regulation (EU) 2016/679; extracts and law firms' summaries of the guidelines, whose numbers of sections"
    " are to be checked",
    (
        Clause(
            "2.3",
            "domain",
            "The pseudonymisation domain is defined: who must not be able to attribute the data to somebody",
            "EDPB Guidelines 01/2025, section 2.3",
        ),
        Clause(
            "3.1",
            "transformation",
            "Direct identifiers are replaced by pseudonyms or removed",
            "EDPB Guidelines 01/2025, section 3.1",
        ),
        Clause(
            "4.5",
            "secrets_apart",
            "Additional information, such as keys and tables of pseudonyms, is kept separately and protected",
            "article 4(5) GDPR; EDPB Guidelines 01/2025, section 3.2",
        ),
        Clause(
            "3.2",
            "quasi_identifiers",
            "Nobody in the domain attributes the data by quasi-identifiers",
            "EDPB Guidelines 01/2025, section 3.2",
        ),
        Clause(
            "3.3",
            "linkage",
            "The scope within which pseudonyms can be linked is controlled",
            "EDPB Guidelines 01/2025, section 3.3",
        ),
        Clause(
            "22",
            "personal_data",
            "Pseudonymised data that could be attributed by additional information are personal data",
            "EDPB Guidelines 01/2025, paragraph 22; recital 26 GDPR",
        ),
    ),
)
