"""HIPAA Safe Harbor: every released column and note looked at, class by class."""
