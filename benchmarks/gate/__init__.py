"""Is head slower than base?  Pairs of sessions, and the verdicts on them."""
