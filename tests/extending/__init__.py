"""What a user adds to binder from outside: each test is the whole of it."""
