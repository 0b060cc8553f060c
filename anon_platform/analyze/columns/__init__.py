"""Classification of columns: what each column of a source holds, without a policy and without showing a value."""

from anon_platform.analyze.columns.classification import Classification, ClassifiedColumn, classify
from anon_platform.analyze.columns.content import Looked, look_at
from anon_platform.analyze.columns.kinds import KINDS, Kind
from anon_platform.analyze.columns.rows import Rows

__all__ = ["KINDS", "Classification", "ClassifiedColumn", "Kind", "Looked", "Rows", "classify", "look_at"]
