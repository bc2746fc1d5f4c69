"""The rows of a pruning curve: their summary, and their file."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from skprune._utils._locks import lock_of

COLUMNS = (
    "method",
    "ratio",
    "seed",
    "labels",
    "budget",
    "key",
    "n_kept",
    "n_annotated",
    "accuracy",
    "fit_time",
    "train_time",
)
_RESAMPLES = 10_000


class PruningCurve:
    """What :func:`pruning_curve` returns.

    Parameters
    ----------
    rows : list of dict
        One for each method, ratio and seed: "n_kept" rows, "n_annotated" labels that a human gave in all, the initial ones
        included, "accuracy" in [0, 1], and the seconds of the pruner's fit, "fit_time", which the ratios share, and of the
        evaluator's, "train_time". They are those of the run that computed the row: what a pruner's `memory` held took no time.
    random : str
        The name of the random rows.

    Examples
    --------
    >>> row = {"method": "random", "ratio": 0.5, "seed": 0, "n_annotated": 10, "accuracy": 0.9}
    >>> PruningCurve([row], "random").summary()[0]["mean"]
    0.9
    """

    def __init__(self, rows, random):
        if not any(row["method"] == random for row in rows):
            raise ValueError(f"There are no rows of {random!r}, the random rows that all others are compared with.")
        self.rows = rows
        self.random = random

    @classmethod
    def from_csv(cls, file, *, labels="oracle", budget="epochs", random="random"):
        """Read the rows that :func:`pruning_curve` wrote.

        Parameters
        ----------
        file : path-like
            Its `csv_file`.
        labels, budget : str
            Which of its rows, as in :func:`pruning_curve`.
        random : str, default="random"
            The name of the random rows.

        Returns
        -------
        PruningCurve
            The rows, in the order of the file. Of a run that is not finished, the seeds of a ratio that all its methods have.

        Raises
        ------
        ValueError
            No such rows, none of random rows, or several of one method, ratio and seed, which came of other data or parameters.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skprune.model_selection import PruningCurve, pruning_curve
        >>> X, y = load_iris(return_X_y=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = f"{folder}/curve.csv"
        ...     curve = pruning_curve(
        ...         {}, X, y, ratios=[0.5], evaluator=GaussianNB(), X_test=X, y_test=y, csv_file=file
        ...     )
        ...     PruningCurve.from_csv(file).rows == curve.rows
        True
        """
        rows = [row for row in read_rows(file).values() if (row["labels"], row["budget"]) == (labels, budget)]
        if not rows:
            raise ValueError(f"{file} holds no rows with labels={labels!r} and budget={budget!r}.")
        counts = Counter((row["method"], row["ratio"], row["seed"]) for row in rows)
        (place, count), *_ = counts.most_common(1)
        if count > 1:
            raise ValueError(
                f"{file} holds {count} rows of {place[0]!r} at ratio {place[1]} and seed {place[2]}, which came of other data or "
                "parameters. Delete those that do not belong here."
            )
        methods = {ratio: {row["method"] for row in rows if row["ratio"] == ratio} for _, ratio, _ in counts}
        whole = {
            (ratio, seed)
            for _, ratio, seed in counts
            if all((method, ratio, seed) in counts for method in methods[ratio])
        }
        return cls([row for row in rows if (row["ratio"], row["seed"]) in whole], random)

    def summary(self, *, confidence=0.95, random_state=0):
        """Summarise over the seeds.

        Parameters
        ----------
        confidence : float, default=0.95
            Of the interval.
        random_state : int, default=0
            Of the bootstrap.

        Returns
        -------
        list of dict
            For each method and ratio "n" seeds, "mean" and "std" (ddof 1; None of one seed) of the accuracy, the mean of
            "n_annotated", and of the difference to random rows, paired by seed, the mean "difference" and its bootstrap interval
            "low", "high" over the seeds (None below two seeds). With few seeds the interval is rough.
        """
        accuracy = {(row["method"], row["ratio"], row["seed"]): row["accuracy"] for row in self.rows}
        result = []
        for method, ratio in dict.fromkeys((row["method"], row["ratio"]) for row in self.rows):
            mine = [row for row in self.rows if (row["method"], row["ratio"]) == (method, ratio)]
            values = np.array([row["accuracy"] for row in mine])
            gains = values - [accuracy[self.random, ratio, row["seed"]] for row in mine]
            low, high = _interval(gains, confidence, random_state)
            result.append(
                {
                    "method": method,
                    "ratio": ratio,
                    "n": len(values),
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "n_annotated": float(np.mean([row["n_annotated"] for row in mine])),
                    "difference": float(gains.mean()),
                    "low": low,
                    "high": high,
                }
            )
        return result

    def to_frame(self):
        """Return the rows as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row for each method, ratio and seed.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)


def _interval(gains, confidence, random_state):
    """Return the percentile interval of the mean over resamples of the seeds."""
    if len(gains) < 2:
        return None, None
    draws = np.random.default_rng(random_state).integers(len(gains), size=(_RESAMPLES, len(gains)))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(gains[draws].mean(axis=1), [tail, 1.0 - tail])
    return float(low), float(high)


def read_rows(file):
    """Return the rows of a file; a last line that was torn when the writer was killed is left out."""
    if not Path(file).exists():
        return {}
    text = Path(file).read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    if not lines:
        return {}
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"{file} holds no pruning curve: its columns are {reader.fieldnames}.")
    rows = {}
    for row in reader:
        place = tuple(row[name] for name in COLUMNS[:6])
        numbers = {name: int(row[name]) for name in ("seed", "n_kept", "n_annotated")}
        numbers |= {name: float(row[name]) for name in ("accuracy", "fit_time", "train_time")}
        rows[place] = row | numbers | {"ratio": int(row["ratio"]) if row["ratio"].isdigit() else float(row["ratio"])}
    return rows


def append_row(file, row):
    """Write a row behind the others, in place of a line that was torn."""
    if file is None:
        return
    file = Path(file)
    with lock_of(file.with_name(file.name + ".lock")):
        before = file.read_bytes() if file.exists() else b""
        whole = before[: before.rfind(b"\n") + 1]
        if len(whole) < len(before):
            file.write_bytes(whole)
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            if not whole:
                writer.writeheader()
            writer.writerow(row)
