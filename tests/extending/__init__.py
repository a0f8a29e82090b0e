"""What a library beside binder can add, each in one short file, through public seams alone."""
