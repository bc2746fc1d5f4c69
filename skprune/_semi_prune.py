"""SemiPrune: the four stages in one estimator."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _get_feature_names, check_is_fitted

from skprune._base import BasePruner
from skprune._pipeline._held_out import accuracy_interval, compare_with_random, gate_message
from skprune._pipeline._models import is_labeler, prepare_models
from skprune._pipeline._parameters import check_parameters, selector_for
from skprune._pipeline._plan import run_stages
from skprune._pipeline._selection import choose
from skprune._reports import Reports
from skprune._utils._adapters import unpack
from skprune._utils._labels import MISSING, encode_labels
from skprune._utils._validation import as_pool, check_equal_length
from skprune._utils._warnings import warn_user
from skprune.dynamics import TrainingDynamics
from skprune.scores._registry import mean_difficulty


class SemiPrune(Reports, BasePruner):
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
    proxy : classifier, "labeler" or None, default=None
        The classifier whose training is recorded, of a kind that :func:`skprune.dynamics.collect_dynamics` takes: a skorch net,
        one with ``partial_fit``, a boosted one, or a Pipeline that ends in such. None: ``NetClassifier(lr=0.01)`` of
        :mod:`skprune.nets`. It is cloned, and inherits as the labeler does; its epochs are `n_epochs`.
        "labeler" trains no proxy: the run of the labeler, a net of :mod:`skprune.semi_supervised`, is divided into `n_epochs`
        parts, and the network at the end of each, without the moving average, is evaluated on all rows, whatever the mode
        of `record`.
    difficulty : str, callable or list, default="dual"
        A name out of :func:`skprune.scores.names`, ``callable(dynamics) -> (n_samples,)``, higher = harder, or a list of these,
        which are combined by rank.
    selection : str or selector, default="beta"
        A name out of :func:`skprune.selection.names`, or an object such as ``Cutoff(hard_cutoff=0.1)``. By name "beta", "cutoff"
        and "stratified" choose their parameter, and each class of the pseudo-labels keeps half of an even share of rows, or all
        that it has: "cutoff" is ``Cutoff("auto", min_per_class=0.5)``, "beta" is ``Beta("auto", n_epochs=...,
        min_per_class=0.5)`` over the epochs that the difficulty reads. ``Beta()`` is as published. In a ``class_balanced`` dict
        the keys are classes of y.
    goal : {"annotate", "pseudo"}, default="annotate"
        What the coreset is for, which "beta" by name heeds: to be labelled by a human, or to be trained on with pseudo-labels.
        "pseudo" multiplies the weight of a row by the tenth power of `pseudo_label_confidence_`, ``Beta(trust=10)``, since
        a wrong pseudo-label hurts the net that is trained on it, while a human corrects it. With another `selection` of the
        estimator, ``fit`` refuses "pseudo"; a selection that is given to ``select`` says for itself what it trusts.
    n_epochs : int, default=30
        Epochs that the proxy trains and that are recorded.
    schedule_epochs : int, default=200
        Epochs that shape the learning rate of a NetClassifier as proxy, at least `n_epochs`; also those of the classifier behind
        ``score``. Other proxies bring their own schedule.
    n_repeats : int, default=1
        Proxies that are trained, with different seeds; scores are averaged over them. `n_jobs` of them at a time.
    record : {"train", "eval"} or Recording, default="train"
        What is recorded of the proxy: a :class:`~skprune.dynamics.Recording`, or its mode.
    include_labeled : bool, default=False
        True keeps all labelled rows; otherwise they are chosen or not like any other. Either way they count inside the ratio.
    estimate_accuracy : bool, default=False
        Whether to estimate how many pseudo-labels are right, by labelling once more without a fifth of the labels of each
        class, one row at least where there are two (another run of the labeler, kept by `memory` and `checkpoint` as the
        others are).
    gate : bool, default=False
        Whether to compare the coreset with as many random rows, by five trainings of each as in ``score``, on pseudo-labels of
        a labeler that did not know a fifth of the labels, tested on these; see ``gate_``. It warns where random rows may be as
        good. What annotation of the coreset would bring is another question, which no labels at hand can answer.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    memory : None, str or joblib.Memory, default=None
        Cache of the two expensive stages, as in ``sklearn.pipeline.Pipeline``. `ratio`, `difficulty`, `selection`,
        `goal`, `verbose`, `n_jobs` and `checkpoint` are not part of its keys. Needs a `random_state`. Load caches that you trust
        only: they hold pickles.
    checkpoint : None or path-like, default=None
        A folder in which each finished stage is kept, so that a run that was killed goes on behind it. Needs a
        `random_state`. Load checkpoints that you trust only: they hold pickles.
    device : str, default="auto"
        "auto" takes CUDA where there is one, else the CPU.
    random_state : int, RandomState or None, default=None
        Of everything that is drawn. With an int the coreset does not depend on the global seeds.
    n_jobs : int, default=None
        Proxies that train at the same time, and for nested estimators that have `n_jobs=None`.
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
        The (first) proxy after `n_epochs`, in class indices; with ``proxy="labeler"`` the labeler.
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
    gate_ : dict or None
        On the labelled rows that were held out, "n_rows" of them: "coreset" and "random", the accuracies; their "difference"
        with "low" and "high", a 95 % bootstrap interval over rows and trainings, widened where these are few; "detectable", the
        difference that would be seen in four of five cases. The rows were chosen with all labels; the trainings compared did
        without. None without `gate`.
    ratio_accuracies_ : dict of {ratio: float}
        What ``suggest_ratio`` found, after a call of it.
    sample_weight_ : ndarray of shape (n_kept,), float64
        1 / probability of being kept, mean 1: with these weights a fit on the kept rows is that of the pool.
    dynamics_ : TrainingDynamics
        What was recorded of the (first) proxy.
    repeats_ : list of TrainingDynamics
        What was recorded of each proxy.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher = harder; the mean over the repeats.
    score_std_ : ndarray of shape (n_samples,), float64, or None
        The standard deviation (ddof 1) of the score over the repeats: where it is as large as the differences between rows,
        their ranks are luck. None with a single repeat.
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
        goal="annotate",
        n_epochs=30,
        schedule_epochs=200,
        n_repeats=1,
        record="train",
        include_labeled=False,
        estimate_accuracy=False,
        gate=False,
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
        self.goal = goal
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.n_repeats = n_repeats
        self.record = record
        self.include_labeled = include_labeled
        self.estimate_accuracy = estimate_accuracy
        self.gate = gate
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
            A table (n, d), or images (n, C, H, W), (n, H, W, C) or (n, H, W), of uint8 or float: an ndarray, a DataFrame of
            pandas or polars, a sparse table, a torch tensor, a list, or skorch's SliceDataset.
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
        pool = as_pool(X, self.image_shape, estimator=self)
        codes, classes = encode_labels(y)
        check_equal_length(pool, codes)
        _get_feature_names(X)
        given = codes != MISSING
        check_parameters(self, codes, classes)
        labeler, proxy, stage_seed, selection_seed = prepare_models(
            self, check_random_state(self.random_state), given.all()
        )
        labelled, recorded, held = run_stages(self, labeler, proxy, pool, codes, classes, stage_seed)
        repeats = [TrainingDynamics(**one["dynamics"]) for one in recorded]
        average = repeats[0] if len(repeats) == 1 else TrainingDynamics.average(repeats)
        scores, spread = mean_difficulty(repeats, self.difficulty)
        read = {
            "dynamics": average,
            "y": labelled["codes"],
            "labeled": given,
            "embedding": recorded[0]["features"],
            "error_probability": 1.0 - labelled["confidence"],
            "random_state": selection_seed,
        }
        choice = (
            selector_for(self.selection, classes, self.difficulty, self.goal),
            scores,
            self.ratio,
            read | self._must_keep(given),
        )
        mask = choose(*choice)

        lost = np.setdiff1d(labelled["codes"], labelled["codes"][mask])
        if lost.size:
            warn_user(
                f"The coreset of {int(mask.sum())} rows holds no row of {lost.size} of {len(classes)} classes, "
                f"{classes.tolist()[lost[0]]!r} among them. Keep more rows, or use a selector with "
                "class_balanced='proportional' or min_per_class=1."
            )

        judge = proxy, int(self.schedule_epochs), stage_seed
        gate = None
        if self.gate:
            must = given if self.include_labeled else np.zeros(len(pool), dtype=bool)
            gate = compare_with_random(mask, must, held, pool, codes, *judge)
            if (message := gate_message(gate)) is not None:
                warn_user(message)

        self.classes_ = classes
        self.labeler_ = None if given.all() else unpack(labeler, labelled["model"])
        self.proxy_ = self.labeler_ if is_labeler(self.proxy) else unpack(proxy, recorded[0]["model"])
        self.pseudo_labels_ = classes[labelled["codes"]]
        self.pseudo_label_confidence_ = labelled["confidence"]
        self.pseudo_label_accuracy_, self.pseudo_label_accuracy_interval_ = accuracy_interval(
            held if self.estimate_accuracy and not given.all() else None, codes
        )
        self.gate_ = gate
        self.dynamics_ = repeats[0]
        self.repeats_ = repeats
        self.difficulty_scores_ = scores
        self.score_std_ = spread
        self._read = read
        self._choice = choice
        self._judge = self._why = None
        self._held = held
        vars(self).pop("ratio_accuracies_", None)
        self._labeler, self._judge_recipe = labeler, judge
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
        selection = self.selection if selection is None else selection
        selector = selector_for(selection, self.classes_, difficulty, self.goal)
        scores = mean_difficulty(self.repeats_, difficulty)[0]
        read = self._read | self._must_keep(self._given)
        return choose(selector, scores, self.ratio if ratio is None else ratio, read)

    def _must_keep(self, given):
        return {"must_keep": given} if self.include_labeled else {}
