"""``python -m skprune``: the command line."""

import sys

from skprune._command_line._main import main

if __name__ == "__main__":
    sys.exit(main())
