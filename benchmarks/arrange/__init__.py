"""What a case needs before its clock starts: the common problem, the clock, the counters of FLOPs."""
