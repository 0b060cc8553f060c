"""The US Centers for Medicare & Medicaid Services on small cells: none of 1 to 10."""

from anon_platform.policy.regulations.pack import Clause, Pack

CMS_CELL_SIZE = Pack(
    "cms_cell_size",
    "CMS cell size suppression policy",
    "version of 26 January 2024",
    "Research Data Assistance Center (ResDAC), CMS Cell Size Suppression Policy",
    (
        Clause(
            "1",
            "cells",
            "No cell of 1 to 10 is reported",
            "CMS cell size suppression policy, cells of 1 to 10",
        ),
        Clause(
            "2",
            "derived",
            "No cell of 1 to 10 can be derived from other cells, percentages or other information",
            "CMS cell size suppression policy, derived cells",
        ),
        Clause(
            "3",
            "excluded",
            "The policy holds for excluded cases as well",
            "CMS cell size suppression policy, excluded cases",
        ),
    ),
)
