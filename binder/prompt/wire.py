"""The JSON that stands for a value in a prompt; see binder.tables.codec."""

from binder.tables.codec import wire

__all__ = ["wire"]
