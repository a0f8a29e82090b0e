"""Results of a run, their trace, and how they are displayed."""
