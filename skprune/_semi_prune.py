"""SemiPrune: the four stages in one estimator."""

from numbers import Integral

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import _get_feature_names, check_is_fitted

from skprune._base import BasePruner
from skprune._labels import MISSING, encode_labels, labels_at, missing_mask, warn_of_vanished
from skprune._validation import as_pool, check_equal_length, is_net
from skprune._warnings import warn_user
from skprune.scores import difficulty as difficulty_of
from skprune.scores import min_epochs
from skprune.scores._registry import default_epochs
from skprune.selection import BaseSelector, get_selector, kept_count


class SemiPrune(BasePruner):
    """Prune a training set of which few labels are known (SemiPrune, arXiv 2605.23198).

    A semi-supervised net trained on the given labels labels the other rows; a proxy is trained on all rows and its
    training dynamics are recorded; they give each row a difficulty; a selection keeps a coreset. Where all labels are
    given, the first stage is left out: then it is supervised pruning.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    labeler : str or classifier, default="softmatch"
        Labels the pool: the name of a net of :mod:`skprune.semi_supervised` in lower case, or any classifier with
        ``predict_proba`` that reads -1 as unlabelled, such as :class:`~skprune.semi_supervised.SoftMatch` with settings of
        its own, ``SelfTrainingClassifier``, ``LabelSpreading``, or a Pipeline that ends in one. It is cloned.
        Nested `random_state`, `device` and `n_jobs` that are None inherit those given here.
    proxy : classifier, default=None
        The classifier whose training is recorded, of a kind that :func:`skprune.dynamics.collect_dynamics` takes: a skorch net,
        one with ``partial_fit``, a boosted one, or a Pipeline that ends in such. None: ``NetClassifier(lr=0.01)`` of
        :mod:`skprune.nets`. It is cloned, and inherits as the labeler does; its epochs are `n_epochs`.
    difficulty : str, callable or list, default="dual"
        A name out of :func:`skprune.scores.names`, ``callable(dynamics) -> (n_samples,)``, higher = harder, or a list of these,
        which are combined by rank.
    selection : str or selector, default="beta"
        A name out of :func:`skprune.selection.names`, or an object such as ``Cutoff(hard_cutoff=0.1)``. In a
        ``class_balanced`` dict the keys are classes of y.
    n_epochs : int, default=30
        Epochs that the proxy trains and that are recorded.
    schedule_epochs : int, default=200
        Epochs that shape the learning rate of a NetClassifier as proxy, at least `n_epochs`; also those of the classifier behind
        ``score``. Other proxies bring their own schedule.
    record : {"train", "eval"}, default="train"
        Whether outputs of a net are recorded as the batches pass, in training mode, or in an extra pass behind each epoch, as
        those of other proxies always are.
    include_labeled : bool, default=False
        Whether labelled rows stay in the coreset; they count inside it.
    estimate_accuracy : bool, default=False
        Whether to estimate how many pseudo-labels are right, by labelling once more without a fifth of the labels of each
        class, one row at least where there are two (another run of the labeler, kept by `memory` and `checkpoint` as the
        others are).
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    memory : None, str or joblib.Memory, default=None
        Cache of the two expensive stages, as in ``sklearn.pipeline.Pipeline``. `ratio`, `difficulty`, `selection`,
        `verbose`, `n_jobs` and `checkpoint` are not part of its keys. Needs a `random_state`. Load caches that you trust
        only: they hold pickles.
    checkpoint : None or path-like, default=None
        A folder in which each finished stage is kept, so that a run that was killed goes on behind it. Needs a
        `random_state`. Load checkpoints that you trust only: they hold pickles.
    device : str, default="auto"
        "auto" takes CUDA where there is one, else the CPU.
    random_state : int, RandomState or None, default=None
        Of everything that is drawn. With an int the coreset does not depend on the global seeds.
    n_jobs : int, default=None
        For nested estimators that have `n_jobs=None`.
    verbose : int, default=0
        1 shows a progress bar for each stage; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Numbers a row: the product of the shape behind the first axis.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, when X has such.
    labeler_ : classifier or None
        The fitted labeler, in class indices; None when no label was missing.
    proxy_ : classifier
        The proxy after `n_epochs`, in class indices.
    pseudo_labels_ : ndarray of shape (n_samples,)
        Given labels, and predicted ones where none were given; out of ``classes_``.
    pseudo_label_confidence_ : ndarray of shape (n_samples,), float64
        The labeler's probability of its label, in [0, 1]; 1 for given labels.
    pseudo_label_accuracy_ : float or None
        The part of the held-out labelled rows whose pseudo-label is right, in [0, 1]: that of a labeler that knew four fifths
        of the labels, over classes as frequent as among the labels. None without `estimate_accuracy`, or when no label was
        missing.
    pseudo_label_accuracy_interval_ : tuple of (float, float) or None
        Wilson's 95 % interval of it.
    dynamics_ : TrainingDynamics
        What was recorded.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher = harder.
    support_ : ndarray of shape (n_samples,), bool
        True for the rows that are kept.
    coreset_indices_ : ndarray of shape (n_kept,), int
        The rows that are kept, ascending.
    coreset_labels_ : ndarray of shape (n_kept,)
        Their labels, given or pseudo.
    annotation_indices_ : ndarray of int
        Kept rows that no human has labelled yet, hardest first.

    See Also
    --------
    PrunedClassifier : A classifier trained on the coreset, for pipelines and grid searches.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune import SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FixMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> pruner = SemiPrune(ratio=0.5, labeler=FixMatch(n_steps=50, batch_size=16), random_state=0)
    >>> pruner.fit_transform(X, y_partial).shape
    (75, 4)
    >>> int(pruner.select(ratio=0.2).sum())
    30
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        labeler="softmatch",
        proxy=None,
        difficulty="dual",
        selection="beta",
        n_epochs=30,
        schedule_epochs=200,
        record="train",
        include_labeled=False,
        estimate_accuracy=False,
        image_shape=None,
        memory=None,
        checkpoint=None,
        device="auto",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.ratio = ratio
        self.labeler = labeler
        self.proxy = proxy
        self.difficulty = difficulty
        self.selection = selection
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.record = record
        self.include_labeled = include_labeled
        self.estimate_accuracy = estimate_accuracy
        self.image_shape = image_shape
        self.memory = memory
        self.checkpoint = checkpoint
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y):
        """Label the pool, record the proxy, score and select.

        Parameters
        ----------
        X : array-like
            A table (n, d), or images (n, C, H, W), (n, H, W, C) or (n, H, W), of uint8 or float.
        y : array-like of shape (n_samples,)
            Labels. When anything in it is None, NaN, NA or masked, exactly those are missing; otherwise -1 is.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            Bad input or a bad parameter, before any training; the message says what to do.
        FloatingPointError
            A loss that is not finite; the message names step and learning rate, and the pruner stays as it was.
        """
        from skprune import _stages
        from skprune._store import StageStore

        pool = as_pool(X, self.image_shape, estimator=self)
        codes, classes = encode_labels(y)
        check_equal_length(pool, codes)
        _get_feature_names(X)
        given = codes != MISSING
        self._check_parameters(codes, given, classes)
        labeler, proxy, stage_seed, selection_seed = self._draw(check_random_state(self.random_state))
        store = StageStore(self.memory, self.checkpoint, self.device, pool.ndim == 4)

        if given.all():
            labelled = {"codes": codes, "confidence": np.ones(len(codes))}
        else:
            labelled = store.run(
                _stages.label_pool, labeler, pool=pool, codes=codes, seed=stage_seed, verbose=self.verbose
            )
            last = labeler[-1] if isinstance(labeler, Pipeline) else labeler
            warn_of_vanished(labelled["codes"][~given], classes, last)
        judged = None
        if self.estimate_accuracy and not given.all():
            judged = store.run(
                _stages.judge_labels, labeler, pool=pool, codes=codes, seed=stage_seed, verbose=self.verbose
            )
        recorded = store.run(
            _stages.record_pool,
            proxy,
            pool=pool,
            codes=labelled["codes"],
            n_epochs=int(self.n_epochs),
            schedule_epochs=int(self.schedule_epochs),
            record=self.record,
            record_kl=True,
            seed=stage_seed,
            verbose=self.verbose,
        )
        dynamics = _stages.to_dynamics(recorded)
        scores = difficulty_of(dynamics, self.difficulty)
        mask = self._select(
            scores,
            self.ratio,
            self.selection,
            self.difficulty,
            dynamics,
            labelled["codes"],
            given,
            classes,
            selection_seed,
        )

        lost = np.setdiff1d(labelled["codes"], labelled["codes"][mask])
        if lost.size:
            warn_user(
                f"The coreset of {int(mask.sum())} rows holds no row of {lost.size} of {len(classes)} classes, "
                f"{classes.tolist()[lost[0]]!r} among them. Keep more rows, or use a selector with "
                "class_balanced='proportional' or min_per_class=1."
            )

        self.classes_ = classes
        self.labeler_ = None if given.all() else _stages.unpack(labeler, labelled["model"])
        self.proxy_ = _stages.unpack(proxy, recorded["model"])
        self.pseudo_labels_ = classes[labelled["codes"]]
        self.pseudo_label_confidence_ = labelled["confidence"]
        self.pseudo_label_accuracy_, self.pseudo_label_accuracy_interval_ = _accuracy(judged, codes)
        self.dynamics_ = dynamics
        self.difficulty_scores_ = scores
        self._codes = labelled["codes"]
        self._selection_seed = selection_seed
        self._judge = None
        self._judge_recipe = proxy, int(self.schedule_epochs), stage_seed
        self._keep_mask(X, pool, given, mask)
        return self

    def select(self, ratio=None, selection=None, difficulty=None):
        """Choose again from the same fit, without any training.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction KEPT, or a count; None: that of the estimator.
        selection : str or selector, default=None
            None: that of the estimator.
        difficulty : str, callable or list, default=None
            None: that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes stay as they are.
        """
        check_is_fitted(self)
        difficulty = self.difficulty if difficulty is None else difficulty
        return self._select(
            difficulty_of(self.dynamics_, difficulty),
            self.ratio if ratio is None else ratio,
            self.selection if selection is None else selection,
            difficulty,
            self.dynamics_,
            self._codes,
            self._given,
            self.classes_,
            self._selection_seed,
        )

    def score(self, X, y):
        """Return the accuracy of the proxy trained on the coreset, over `schedule_epochs`.

        The classifier is trained at the first call and kept until the next fit.

        Parameters
        ----------
        X : array-like
            Test data.
        y : array-like of shape (n_samples,)
            Labels; rows without one do not count.

        Returns
        -------
        float
            Accuracy on the labelled rows, in [0, 1].

        Raises
        ------
        ValueError
            No row of (X, y) is labelled.
        """
        from skprune._stages import as_input

        check_is_fitted(self)
        pool = as_pool(X, self.image_shape, estimator=self)
        check_equal_length(pool, y)
        rows = np.flatnonzero(~missing_mask(y, classes=self.classes_))
        if rows.size == 0:
            raise ValueError("score needs labelled rows, and y holds none.")
        if self._judge is None:
            self._judge = self._train_judge()
        predicted = self.classes_[self._judge.predict(as_input(self._judge, pool[rows]))]
        return float(accuracy_score(labels_at(y, rows), predicted))

    def _train_judge(self):
        from skprune import _stages

        proxy, schedule_epochs, seed = self._judge_recipe
        rows = as_pool(self._rows, self.image_shape)
        return _stages.train_fully(proxy, rows, self._codes[self.support_], schedule_epochs, seed)

    def _draw(self, rng):
        """Return labeler and proxy, prepared, and the seeds of the stages and of the selection, in a fixed order."""
        from skprune import _stages
        from skprune.dynamics._collect import check_proxy

        labeler, proxy = self.labeler, self.proxy
        if isinstance(labeler, str):
            labeler = _stages.named_labeler(labeler)
        if proxy is None:
            proxy = _stages.default_proxy()
        _stages.check_labeler(labeler)
        check_proxy(proxy)
        options = {"rng": rng, "device": self.device, "n_jobs": self.n_jobs}
        labeler, proxy = (_stages.prepare(estimator, **options) for estimator in (labeler, proxy))
        return labeler, proxy, int(rng.randint(2**31 - 1)), int(rng.randint(2**31 - 1))

    def _select(self, scores, ratio, selection, difficulty, dynamics, codes, given, classes, seed):
        selector = _selector_for(selection, classes, difficulty)
        options = {"must_keep": given} if self.include_labeled else {}
        mask = selector.select(scores, ratio, dynamics=dynamics, y=codes, labeled=given, random_state=seed, **options)
        mask = np.asarray(mask)
        if mask.shape != given.shape or mask.dtype != bool or not mask.any():
            raise ValueError(
                f"The selection {selector!r} must return a boolean mask of {len(given)} rows, one at least being True."
            )
        return mask

    def _check_parameters(self, codes, given, classes):
        """Refuse what cannot work, before any training."""
        n = len(given)
        k = kept_count(self.ratio, n)
        for name in ("n_epochs", "schedule_epochs"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
        if self.schedule_epochs < self.n_epochs:
            raise ValueError(f"schedule_epochs={self.schedule_epochs} must be at least n_epochs={self.n_epochs}.")
        if self.record not in ("train", "eval"):
            raise ValueError(f"record must be 'train' or 'eval', got {self.record!r}.")
        needed = min_epochs(self.difficulty)
        if needed > self.n_epochs:
            raise ValueError(
                f"difficulty={self.difficulty!r} needs {needed} epochs, above n_epochs={self.n_epochs}. Record more epochs, "
                "or pass a callable that takes a smaller window."
            )
        last = self.proxy[-1] if isinstance(self.proxy, Pipeline) else self.proxy
        parts = self.difficulty if isinstance(self.difficulty, (list, tuple)) else [self.difficulty]
        if "grand" in parts and last is not None and not is_net(last):
            raise ValueError(f"difficulty='grand' needs a net as proxy, and {type(last).__name__} is none.")
        selector = _selector_for(self.selection, classes, self.difficulty)
        if isinstance(selector, BaseSelector):
            selector.check(k, n, int(self.n_epochs))
            least = int(np.minimum(selector.min_per_class, np.bincount(codes[given])).sum())
            if least > k:
                raise ValueError(
                    f"min_per_class={selector.min_per_class} needs {least} rows of the {len(classes)} classes at least, above "
                    f"the {k} rows that ratio={self.ratio!r} keeps."
                )
        if self.include_labeled and given.sum() > k:
            raise ValueError(
                f"include_labeled=True keeps {int(given.sum())} labelled rows, above the {k} rows that "
                f"ratio={self.ratio!r} keeps."
            )
        if self.estimate_accuracy and not given.all() and np.bincount(codes[given]).max() < 2:
            raise ValueError("estimate_accuracy holds labelled rows out, and no class has two of them.")
        if self.random_state is None and (self.memory is not None or self.checkpoint is not None):
            raise ValueError("memory and checkpoint need a random_state: without one, no run finds its results again.")


def _accuracy(judged, codes):
    """Return the accuracy on held-out rows, and its interval."""
    if judged is None:
        return None, None
    right = judged["codes"] == codes[judged["rows"]]
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    return float(right.mean()), (float(interval.low), float(interval.high))


def _selector_for(selection, classes, difficulty):
    """Return a fresh selector that fits the fit.

    "beta" averages over the epochs of the difficulty; a ``class_balanced`` dict names class indices instead of classes.
    """
    selector = get_selector(selection)
    if selection == "beta":
        selector.set_params(n_epochs=default_epochs(difficulty))
    wanted = getattr(selector, "class_balanced", None)
    if not isinstance(wanted, dict):
        return selector
    place = {label: code for code, label in enumerate(classes.tolist())}
    unknown = [label for label in wanted if label not in place]
    if unknown:
        raise ValueError(f"class_balanced names {unknown[0]!r}, which is not among the classes {classes.tolist()}.")
    return selector.set_params(class_balanced={place[label]: weight for label, weight in wanted.items()})
