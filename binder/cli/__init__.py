"""The command line, the notebook and the demo."""
