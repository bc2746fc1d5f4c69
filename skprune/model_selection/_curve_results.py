"""The results of a pruning curve: their summary, and the file that keeps them."""

import csv
from pathlib import Path

import numpy as np

from skprune._utils._csv_files import opened
from skprune._utils._labels import is_null
from skprune._utils._locks import lock_of

LABELS_ALONE = "labels alone"  # the method that keeps the rows with a given label and no others
PLACE = ("method", "ratio", "seed", "labels", "budget", "key")  # what tells the rows of a file apart
_SECONDS = ("fit_time", "train_time")
COLUMNS = (*PLACE, "n_kept", "n_annotated", "accuracy", *_SECONDS)
_RESAMPLES = 10_000


class PruningCurve:
    """The results of :func:`pruning_curve`.

    Parameters
    ----------
    rows : list of dict
        One for each method, ratio and seed, with the keys "method", "ratio", "seed" and the following. "n_kept": number of rows
        kept. "n_annotated": number of labels given by people, including the initial ones. "accuracy": in [0, 1]. "fit_time":
        seconds taken by the fit of the pruner, which all ratios share. "train_time": seconds taken by the fit of the evaluator.
        Times are those of the run that computed the row; stages found in the `memory` of a pruner took none. The method
        "labels alone" has the rows with a given label instead of a part of the pool; its results at different ratios are those
        of one training where the evaluators are equal. Rows of several curves can be joined: results that are equal in all but
        these times, such as those of random rows, count once.
    random : str, default="random"
        The name of the method that keeps random rows.

    Raises
    ------
    ValueError
        No row belongs to the method `random`, or none does at the ratio and seed of another row; or rows hold several results
        for one method, ratio and seed.

    Examples
    --------
    >>> row = {"method": "random", "ratio": 0.5, "seed": 0, "n_annotated": 10, "accuracy": 0.9}
    >>> PruningCurve([row]).summary()[0]["mean"]
    0.9
    """

    def __init__(self, rows, *, random="random"):
        if not any(row["method"] == random for row in rows):
            raise ValueError(
                f"rows must include the method {random!r}, the random rows with which all methods are compared."
            )
        self.rows = _distinct(rows, "the given rows")
        self.random = random
        places = {_place(row) for row in self.rows}
        for method, ratio, seed in map(_place, self.rows):
            if (random, ratio, seed) not in places:
                raise ValueError(
                    f"rows hold {method!r} with ratio {ratio} and seed {seed}, but not {random!r}, the random rows with which it "
                    "is compared. Compute these too, or leave it out."
                )

    @classmethod
    def from_csv(cls, file, *, labels="oracle", budget="epochs", random="random"):
        """Read results that :func:`pruning_curve` wrote.

        Parameters
        ----------
        file : path-like
            The `results_file` of the curve.
        labels : {"oracle", "pseudo"}, default="oracle"
            Which results to read, by the parameter of :func:`pruning_curve`.
        budget : {"epochs", "iterations"}, default="epochs"
            Which results to read, by the parameter of :func:`pruning_curve`.
        random : str, default="random"
            The name of the method that keeps random rows.

        Returns
        -------
        PruningCurve
            The results in the order of the file. If the run is unfinished, those of the random states that random rows and all
            other methods of a ratio have.

        Raises
        ------
        ValueError
            The file holds no such results, none for random rows, or several for one method, ratio and random state, which
            belong to different data or parameters.

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
        ...         {}, X, y, ratios=[0.5], evaluator=GaussianNB(), X_test=X, y_test=y, results_file=file
        ...     )
        ...     PruningCurve.from_csv(file).rows == curve.rows
        True
        """
        rows = [row for row in read_rows(file).values() if (row["labels"], row["budget"]) == (labels, budget)]
        if not rows:
            raise ValueError(f"{file} holds no results with labels={labels!r} and budget={budget!r}.")
        rows = _distinct(rows, file)
        places = {_place(row) for row in rows}
        methods = {ratio: {random} for _, ratio, _ in places}
        for method, ratio, _ in places:
            methods[ratio].add(method)
        finished = {
            (ratio, seed)
            for _, ratio, seed in places
            if all((method, ratio, seed) in places for method in methods[ratio])
        }
        return cls([row for row in rows if (row["ratio"], row["seed"]) in finished], random=random)

    def summary(self, *, confidence=0.95, random_state=0):
        """Summarize the results over the random states.

        Parameters
        ----------
        confidence : float, default=0.95
            The confidence level of the interval, in (0, 1).
        random_state : int, default=0
            Seed of the bootstrap.

        Returns
        -------
        list of dict
            One for each method and ratio, with the following keys. "n": number of random states. "mean" and "std": of the
            accuracy (ddof 1; None for a single one). "n_annotated": its mean. "difference": the mean difference in accuracy from
            random rows of the same random state. "low" and "high": its bootstrap interval over the random states (None for a
            single one), which is rough where they are few.
        """
        accuracy = {_place(row): row["accuracy"] for row in self.rows}
        result = []
        for method, ratio in dict.fromkeys((row["method"], row["ratio"]) for row in self.rows):
            rows = [row for row in self.rows if (row["method"], row["ratio"]) == (method, ratio)]
            values = np.array([row["accuracy"] for row in rows])
            gains = values - [accuracy[self.random, ratio, row["seed"]] for row in rows]
            low, high = _interval(gains, confidence, random_state)
            result.append(
                {
                    "method": method,
                    "ratio": ratio,
                    "n": len(values),
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "n_annotated": float(np.mean([row["n_annotated"] for row in rows])),
                    "difference": float(gains.mean()),
                    "low": low,
                    "high": high,
                }
            )
        return result

    def to_frame(self):
        """Convert the results to a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row for each method, ratio and random state.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)


def _place(row):
    return row["method"], row["ratio"], row["seed"]


def _distinct(rows, source):
    """Return rows of which each place has one; refuse those of one place that differ in more than seconds."""
    found = {}
    for row in rows:
        other = found.setdefault(_place(row), row)
        if not _is_same(row, other):
            method, ratio, seed = _place(row)
            raise ValueError(
                f"Results of {method!r} with ratio {ratio} and seed {seed} differ in {source}: they belong to different data or "
                "parameters. Delete those that do not belong here."
            )
    return list(found.values())


def _is_same(row, other):
    """Tell whether two rows hold the same result; one without a key may be that of any."""
    names = (row.keys() | other.keys()) - {"key", *_SECONDS}
    keys = {key for key in (row.get("key"), other.get("key")) if not is_null(key)}
    return len(keys) < 2 and all(_is_equal(row.get(name), other.get(name)) for name in names)


def _is_equal(value, other):
    return value == other or (is_null(value) and is_null(other))


def _interval(gains, confidence, random_state):
    """Return the percentile interval of the mean over resamples of the gains."""
    if len(gains) < 2:
        return None, None
    draws = np.random.default_rng(random_state).integers(len(gains), size=(_RESAMPLES, len(gains)))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(gains[draws].mean(axis=1), [tail, 1.0 - tail])
    return float(low), float(high)


def read_rows(file):
    """Return the rows of a file by their place; a last line left incomplete by a killed writer is skipped."""
    if not Path(file).exists():
        return {}
    with opened(file) as stream:
        text = stream.read()
    lines = text[: text.rfind("\n") + 1].splitlines()
    if not lines:
        return {}
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"{file} is not the results file of a pruning curve: its columns are {reader.fieldnames}.")
    rows = {}
    for row in reader:
        place = tuple(row[name] for name in PLACE)
        numbers = {name: int(row[name]) for name in ("seed", "n_kept", "n_annotated")}
        numbers |= {name: float(row[name]) for name in ("accuracy", "fit_time", "train_time")}
        rows[place] = row | numbers | {"ratio": int(row["ratio"]) if row["ratio"].isdigit() else float(row["ratio"])}
    return rows


def append_row(file, row):
    """Append a row, in place of an incomplete last line."""
    if file is None:
        return
    file = Path(file)
    with lock_of(file.with_name(file.name + ".lock")):
        content = file.read_bytes() if file.exists() else b""
        complete = content[: content.rfind(b"\n") + 1]
        if len(complete) < len(content):
            file.write_bytes(complete)
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            if not complete:
                writer.writeheader()
            writer.writerow(row)
