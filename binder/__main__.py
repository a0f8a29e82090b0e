"""python -m binder: the command line."""

import sys

from binder.cli.commands import main

sys.exit(main())
