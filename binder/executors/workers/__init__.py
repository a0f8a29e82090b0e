"""Worker processes that run programs, and their clients."""
