"""The command line: ``skprune`` or ``python -m skprune``. Nothing here imports torch before a command needs it."""
