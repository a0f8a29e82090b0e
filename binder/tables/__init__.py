"""Tables: reading files, call_type columns, parsing cells, and the one codec of values."""
