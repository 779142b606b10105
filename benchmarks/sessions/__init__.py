"""Whole pytest sessions in fresh processes: on which code, in which order, and what a killed one leaves."""
