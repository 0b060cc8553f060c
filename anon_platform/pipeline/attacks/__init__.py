"""Attacks in a run, and on a release folder: the files that attackers hold, read and related to the release."""
