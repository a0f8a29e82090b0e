"""Semantic analysis: a parsed program and its tables become a checked program."""
