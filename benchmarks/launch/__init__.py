"""Processes and temporary folders that do not outlast the process that needed them, even if that one is killed."""
