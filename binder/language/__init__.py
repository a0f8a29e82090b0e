"""The two languages of programs: their grammar, parser, diagnosis and free repairs."""
