"""Providers of language models, one package each."""
