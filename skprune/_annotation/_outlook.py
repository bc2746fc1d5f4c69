"""What more labels would bring, and when to stop."""

from skprune._annotation._accuracy import estimate_accuracy, forecast_accuracy
from skprune._utils._labels import MISSING
from skprune._utils._parameter_checks import check_count, check_number


class Outlook:
    """Forecasts of an annotation loop."""

    def forecast(self, n_more=0, *, level=0.9):
        """Forecast the accuracy of the pseudo-labels with more labels than there are now.

        The error is assumed to fall as a power of the number of labels, and is fitted to the accuracies of the rounds so far.

        Parameters
        ----------
        n_more : int, default=0
            Number of labels beside those that have been told; 0 stands for a pruner fitted to the present labels, which no round
            has measured yet.
        level : float, default=0.9
            The probability that the accuracy lies in the interval, in (0, 1).

        Returns
        -------
        AccuracyEstimate
            ``accuracy``, ``low`` and ``high``.

        Raises
        ------
        ValueError
            No label was told yet, or a parameter is out of range.
        """
        check_count("n_more", n_more, least=0)
        check_number("level", level, 0, 1, open_at=(0, 1))
        state = self._started()
        measured = [(asked.n_labeled, estimate_accuracy(asked)) for asked in state.rounds]
        measured = [(n, estimate) for n, estimate in measured if estimate is not None]
        if not measured:
            raise ValueError("A forecast needs labels of a round. Call ask and tell first.")
        return forecast_accuracy(measured, int((state.codes != MISSING).sum()) + n_more, level)

    def should_stop(self, gain=0.01):
        """Tell whether another round is not worth its labels.

        Parameters
        ----------
        gain : float, default=0.01
            The least gain in the accuracy of the pseudo-labels that is worth a round.

        Returns
        -------
        bool
            True if nothing is left to ask for, or if the labels of the next round are forecast to gain less. False as long as
            rows wait to be told, and before the first round.

        Raises
        ------
        ValueError
            `gain` is out of range.
        """
        check_number("gain", gain, 0, 1)
        state = self._started()
        if state.waiting.size or not state.rounds:
            return False
        n = state.n_to_ask(self.budget, self.n_rounds)
        if n == 0 or not self._to_ask().any():
            return True
        if state.n_told == 0:
            return False
        return bool(self.forecast(n).accuracy - self.forecast().accuracy < gain)
