"""The drawings of the report: SVG texts, complete in themselves."""
