"""Rules that tie parts of a policy together."""
