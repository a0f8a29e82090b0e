"""The golden run: all that a user gets from binder, written to one file, so that two versions of
the code can be compared.

`python -m tests.golden write FILE` runs programs, questions and commands, and writes what came of
them to FILE; beside it the answers that were kept (FILE.cache), a recording of requests
(FILE.recording) and the trace of a run (FILE.trace). `python -m tests.golden compare OLD NEW`
prints what is different. It also lets the present code use what OLD left beside it: nothing that is
kept there may be asked again.

Only what is public is used: the names of `binder.__all__`, the command line, and HTTP.
"""
