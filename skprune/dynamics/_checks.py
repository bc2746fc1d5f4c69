"""What every collector refuses: a recording without epochs, and a training that ended early."""

from skprune._utils._parameter_checks import check_count


def check_recording(recording, n_epochs):
    """Refuse a recording that would hold no epoch."""
    check_count("n_epochs", n_epochs)
    check_count("record__every", recording.every, most=n_epochs)


def check_length(n_trained, n_epochs):
    """Refuse a training that ended early."""
    if n_trained < n_epochs:
        raise RuntimeError(
            f"The proxy stopped after {n_trained} of {n_epochs} epochs (early stopping, or a perfect fit?)."
        )
