"""Tables: reading files, typing columns, parsing cells, and the one codec of values."""
