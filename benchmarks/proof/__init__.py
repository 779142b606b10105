"""Do the intervals and the gate keep their promises?  Counted on identical code."""
