"""LeNet-5 by hand in NumPy: the definitions first, then the fast path."""
