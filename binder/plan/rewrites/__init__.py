"""Rewrites of a plan's tree."""
