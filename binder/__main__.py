"""python -m binder: the command line."""

import sys

from binder.cli import main

sys.exit(main())
