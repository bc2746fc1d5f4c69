"""The runs of a pruning curve that are to do, as jobs of joblib."""

from joblib import Parallel, delayed

from skprune._utils._parallel import as_they_arrive, is_local, shipped_once
from skprune.model_selection._curve_results import LABELS_ALONE, append_row, read_rows
from skprune.model_selection._curve_runs import CurveRun, known_labels_alone, run_labels_alone, run_pruner


class KnownResults:
    """The rows that are known, those of the results file from the start."""

    def __init__(self, options, keys):
        self.options, self.keys = options, keys
        self._rows = {} if options.results_file is None else read_rows(options.results_file)

    def _place(self, method, ratio, seed):
        place = (method, ratio, seed, self.options.labels, self.options.budget, self.keys[method, ratio])
        return tuple(map(str, place))

    def row(self, method, ratio, seed):
        """Return a row."""
        return self._rows[self._place(method, ratio, seed)]

    def run(self, method, seed, ratios):
        """Return the run of what is not known."""
        to_do = {
            ratio: self.keys[method, ratio] for ratio in ratios if self._place(method, ratio, seed) not in self._rows
        }
        known = known_labels_alone(self._rows.values(), seed, self.options.budget)
        return CurveRun(method, seed, self.options, to_do, known, writes=is_local())

    def take(self, rows):
        """Take what a run found, and write it down if the run did not, because it was on another machine."""
        for row in rows:
            self._rows[self._place(row["method"], row["ratio"], row["seed"])] = row
            if not is_local():
                append_row(self.options.results_file, row)


def run_all(estimators, data, results, places, ratios, n_jobs):
    """Run what is not known of some places (random state, method): labels alone, the pruner that lends labels, the others."""
    lender = results.options.pseudo_labels_from
    runs = [results.run(method, seed, ratios) for seed, method in places]
    alone = [run for run in runs if run.method == LABELS_ALONE and run.keys]
    others = [run for run in runs if run.method not in (LABELS_ALONE, lender) and run.keys]
    borrowing = {run.seed for run in others}
    lending = [run for run in runs if run.method == lender and (run.keys or run.seed in borrowing)]

    def results_of(jobs):
        for found in parallel(jobs):
            results.take(found.rows)
            yield found

    (shared,) = shipped_once(data, n_jobs=n_jobs)
    with Parallel(n_jobs=n_jobs, return_as=as_they_arrive()) as parallel:
        list(results_of(delayed(run_labels_alone)(run, shared) for run in alone))
        lent = results_of(delayed(run_pruner)(estimators[lender], run, shared) for run in lending)
        lent = {found.seed: found.pseudo_labels for found in lent}
        jobs = (delayed(run_pruner)(estimators[run.method], run, shared, lent.get(run.seed)) for run in others)
        list(results_of(jobs))
