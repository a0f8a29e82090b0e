"""binder answers questions over tables with programs that a person can read, check and trust."""
