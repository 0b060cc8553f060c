"""The section of the report on the attacks that were tried."""
