"""Weights become smaller weights, by plain functions."""
