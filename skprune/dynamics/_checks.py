"""What all collectors refuse."""

from skprune._utils._checks import check_count


def check_recording(recording, n_epochs):
    """Refuse a recording of no epoch."""
    check_count("n_epochs", n_epochs)
    check_count("record__every", recording.every, most=n_epochs)


def check_length(trained, n_epochs):
    """Refuse a training that has ended early."""
    if trained < n_epochs:
        raise RuntimeError(
            f"The proxy stopped after {trained} of {n_epochs} epochs (early stopping, a perfect fit, or an interrupt?)."
        )
