"""Saved runs read back as plain records, or refused in one line."""
