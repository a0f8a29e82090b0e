"""Candidates: programs sampled for a question, executed and voted on."""
