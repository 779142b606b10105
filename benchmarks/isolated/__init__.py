"""Programs that a case runs in a process of their own; each prints one JSON object."""
