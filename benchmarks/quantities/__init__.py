"""Intervals and units: arithmetic on numbers, for every room above."""
