"""Every comparison as pytest-benchmark cases, and what becomes of their JSON."""

BY_HAND = "numpy"
"""The framework whose network is written by hand: its textbook loops are what everybody is checked against."""
