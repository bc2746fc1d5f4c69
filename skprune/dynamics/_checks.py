"""What every collector refuses: a recording without epochs, and a training that ended early."""

from skprune._utils._parameter_checks import check_count
from skprune._utils._time_limit import active_limit


def check_recording(recording, n_epochs):
    """Refuse a recording that would hold no epoch."""
    check_count("n_epochs", n_epochs)
    check_count("record__every", recording.every, most=n_epochs)


def is_cut(n_trained, n_epochs):
    """Tell whether a time limit has ended the training, which is refused if it is too short to be read."""
    limit = active_limit()
    if limit is None or limit.cut is None:
        return False
    limit.check_epochs(n_trained, n_epochs)
    return True


def check_length(n_trained, n_epochs):
    """Refuse a training that ended early for another reason than a time limit."""
    if n_trained < n_epochs and not is_cut(n_trained, n_epochs):
        raise RuntimeError(
            f"The proxy stopped after {n_trained} of {n_epochs} epochs (early stopping, or a perfect fit?)."
        )
