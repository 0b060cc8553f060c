"""People look at a sample of the notes: drawn, shown on a page, read back, and measured."""

from anon_platform.review.drawing import Drawn, draw
from anon_platform.review.marks import Marks, read_marks
from anon_platform.review.measured import Measured, import_marks
from anon_platform.review.page import write_page
from anon_platform.review.sample import Sample

__all__ = ["Drawn", "Marks", "Measured", "Sample", "draw", "import_marks", "read_marks", "write_page"]
