"""Processes that were forked: they have the memory of their parent, but none of its threads.

OpenMP, which computes for torch and scikit-learn, does not notice, and waits forever for threads that stayed behind. With one
thread there is nothing to wait for, and as many processes as cores do not take more than the cores.
"""

import os
import sys

from threadpoolctl import threadpool_limits

_LOADED_IN = os.getpid()


def limit_forked_threads():
    """Let a process that was forked since skprune was imported compute with one thread."""
    if os.getpid() != _LOADED_IN:
        threadpool_limits(1)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)  # those of MKL too
