"""Every comparison as pytest-benchmark cases, and what becomes of their JSON."""
