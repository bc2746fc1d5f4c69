"""SemiPrune: the four stages in one estimator."""

from dataclasses import replace

from skprune._base import BasePruner, read_labeled_pool
from skprune._html_report import HTMLReport
from skprune._pipeline._comparison import compare_coreset
from skprune._pipeline._preparation import prepare_fit
from skprune._pipeline._selection import make_choice, warn_of_lost_classes
from skprune._pipeline._settings import DEFAULT_RATIO, Settings
from skprune._pipeline._trainings import train
from skprune._pipeline._warm_start import LastFit, short_recording
from skprune._published import PublishedSettings
from skprune._reports import Reports
from skprune._utils._docstrings import fill_docstring
from skprune._utils._labels import MISSING
from skprune._utils._time_limit import TimeLimit


@fill_docstring()
class SemiPrune(PublishedSettings, HTMLReport, Reports, BasePruner):
    """Prune a training set in which few labels are known (SemiPrune, arXiv 2605.23198).

    A semi-supervised net trained on the given labels predicts the others. A proxy classifier is trained on all rows, and
    its training dynamics give each row a difficulty. A selector then keeps a coreset. If all labels are given, no net is
    needed to predict any, and the method is supervised pruning.

    Parameters
    ----------
    $ratio
        The labeled rows count like any other.
    budget : int, default=None
        In place of `ratio`, the number of unlabeled rows to keep, for people to label. All labeled rows are kept besides and
        do not count. `ratio` must then be left at its default.
    labeler : str or classifier, default="softmatch"
        Predicts the missing labels: the name of a net of :mod:`skprune.semi_supervised` in lower case, or a classifier with
        ``predict_proba`` that reads -1 as unlabeled, such as :class:`~skprune.semi_supervised.SoftMatch` with your own
        settings, ``SelfTrainingClassifier``, ``LabelSpreading``, or a Pipeline that ends in one of these. It is cloned.
        Nested parameters `random_state`, `device` and `n_jobs` that are None inherit the values given here. The labeler reads
        class indices, and -1 where a label is missing: a nested `missing_label` is set to that, and the keys of a nested
        ``class_weight`` dict, which are classes of y, are translated.
    proxy : classifier, "labeler" or None, default=None
        The classifier whose training is recorded, of any kind that :func:`~skprune.dynamics.collect_dynamics` takes: a skorch
        net, a classifier with ``partial_fit``, a boosted one, or a Pipeline that ends in one of the last two. None means
        ``NetClassifier(lr=0.01)`` of :mod:`skprune.nets`. It is cloned, trained for `n_epochs`, and inherits parameters like
        the labeler. "labeler" trains no proxy: the training of the labeler, a net of :mod:`skprune.semi_supervised`, is
        divided into `n_epochs` parts, and the net at the end of each part, without the moving average of its weights, is
        evaluated on all rows, whatever the mode of `record`.
    difficulty : str, callable or list, default="dual"
        How hard each row is: a name from :func:`skprune.scores.get_score_names`, ``callable(dynamics) -> (n_samples,)`` where
        higher means harder, or a list of these, which are combined by rank.
    selection : str or selector, default="auto"
        Which rows are kept: "auto", a name from :func:`skprune.selection.get_selector_names`, or a selector such as
        ``Cutoff(hard_cutoff=0.1)``. A name stands for a selector with its defaults: "beta" is ``Beta()``. The keys of a
        ``class_balanced`` dict are classes of y. A selector sees one row of several equal ones, and one of each group.

        "auto" covers the pool. For tables, it is ``KMeans(4, min_per_class=0.5)`` in standardized columns, or in 128 principal
        components of these if there are more than 256, and `difficulty` has no influence: rows are kept closer together where
        their class is uncertain, provided that the given labels are learned well enough to tell. For images, it is
        ``Mixture(KMeans(), second=Beta("auto", n_epochs=..., min_per_class=0.5))``, where Beta reads the epochs that the
        difficulty reads: half of the rows cover the features of the proxy, the others are drawn by difficulty.
    goal : {"auto", "annotate", "pseudo"}, default="auto"
        What the coreset is for: to be labeled by people, or to be trained on with its pseudo-labels. A wrong pseudo-label
        hurts the model trained on it, whereas people correct it. With "pseudo", ``selection="auto"`` is therefore
        ``KMeans(min_per_class=0.5)`` for tables, and its Beta for images has ``trust=10``: it multiplies the weight of a row
        by the tenth power of `pseudo_label_confidence_`. Other selections do not depend on the goal; `compare_with_random` does.
        "auto" means "annotate", and "pseudo" within estimators that train on pseudo-labels, such as
        :class:`PrunedClassifier`.
    duplicates : {"propose_one", "ignore"}, default="propose_one"
        What to do with rows that are exactly equal. "propose_one" chooses among rows that differ, a labeled one where some are
        equal, and keeps a second one only when no other row is left. A given label is that of all equal rows, which then need
        no annotation; a warning names equal rows whose given labels differ. "ignore" treats equal rows like any others.
    groups_select : {"all", "one"}, default="all"
        What is kept of the groups that ``fit`` gets, chosen by the row of each that is nearest to its middle, a labeled one
        where there is one. "all" keeps or leaves a group as a whole: groups are taken in the order of proposal as long as they
        do not exceed the number of rows asked for, and then any others, by chance, so that none of those left out would fit.
        "one" keeps one row of each chosen group; `ratio` is then that of the groups, `budget` a number of groups without a
        labeled row, and labeled rows that must stay are all kept. Equal rows share a label, and are else chosen as their
        groups are.
    n_epochs : int, default=30
        Number of epochs that the proxy is trained and recorded.
    schedule_epochs : int, default=200
        Number of epochs that shape the learning rate of a NetClassifier as proxy, at least `n_epochs`; also the number of
        epochs that ``score`` trains it. Other proxies bring their own schedule.
    n_repeats : int, default=1
        Number of proxies trained with different seeds, `n_jobs` at a time; scores are averaged over them.
    record : {"train", "eval"} or Recording, default="train"
        What is recorded of the proxy: a :class:`~skprune.dynamics.Recording`, or its mode. ``kl="auto"`` records
        ``kl_step`` whatever its size if TDDS is among the difficulties.
    include_labeled : bool, default=False
        Whether all labeled rows are kept; otherwise they are chosen like any other. Either way they count toward `ratio`.
        With `budget` they are always kept, and do not count.
    estimate_accuracy : bool or "auto", default="auto"
        Whether to estimate how many pseudo-labels are correct, and to calibrate their confidence, by labeling once more without
        a fifth of the labels of each class, at least one where there are two; the rows of a group are held out together, and
        so are equal rows, unless `duplicates` is "ignore". That is one more run of the labeler, kept by `memory` and
        `checkpoint` like the others. "auto" does so if a class has two labeled rows that differ and are of two groups.
    compare_with_random : bool or classifier, default=False
        Whether to compare the coreset with as many random rows, of random groups where these are kept as a whole, and with the
        given labels alone. See ``random_comparison_``; a warning names what is probably better than the coreset. A classifier is
        trained as the final model, on rows of X as ``coreset`` returns them; :class:`PrunedClassifier` puts its own in place of
        True.

        For rows that will be annotated, the annotation is simulated: models are trained on labels that the pool may have, drawn
        by the calibrated confidence, predicted by trees on the given labels, and by a labeler that did not know a fifth of these,
        and are tested on other rows with the same labels. As many random rows stand for the given labels. Unless a classifier is
        given, the models are logistic regression, trees and neighbors, in standardized columns of a table, or in the features of
        the proxy of images.

        With ``goal="pseudo"``, and if no label is missing, the classifier, or else the proxy as in ``score``, is trained five
        times with different seeds on labels of a labeler that did not know a fifth of the given ones, and tested on these.
    $image_shape
    $missing_label
    $image_size
    warm_start : bool, default=False
        Whether ``fit`` of a fitted pruner goes on from the last weights of its labeler, a net of
        :mod:`skprune.semi_supervised`, with half of the steps: for labels that come in rounds. The proxy is trained anew,
        because difficulties are read off the beginning of its training, for three tenths of `n_epochs` where
        ``selection="auto"`` and the difficulty need no more. On the same pool, no labels are held out again:
        `pseudo_label_accuracy_` and the calibration are those of the last fit that held some out. The fit is a full one where
        classes, shape of the rows or labeler differ from those of the last fit.
    memory : None, str or joblib.Memory, default=None
        Cache of the two expensive stages, as in ``sklearn.pipeline.Pipeline``. `ratio`, `budget`, `difficulty`,
        `selection`, `goal`, `verbose`, `n_jobs`, `checkpoint` and `checkpoint_every` are not part of its keys. Needs a
        `random_state`. Caches hold pickles: load only those that you trust, or use :func:`skprune.signed_memory`.
    checkpoint : None or path-like, default=None
        A folder that keeps each finished stage, so that a run that was killed continues after it. Needs a `random_state`.
        Checkpoints hold no pickles; nothing in them is run.
    checkpoint_every : float, default=60.0
        Seconds after which a net of skprune keeps the state of its training in `checkpoint`, so that a run that was killed
        continues within the stage. It is kept less often where writing takes more than 2 % of the time; 0 keeps it after each
        step, whatever that takes.
    on_divergence : {"raise", "retry"}, default="raise"
        What to do if the loss of a net becomes NaN or infinite: raise FloatingPointError, or warn and train it once more with a
        tenth of its learning rate.
    time_limit : float, default=None
        Seconds after which ``fit`` ends its trainings, with what they have, and says so in a warning. What is left of it is
        divided among the trainings to come in proportion to their planned work; the epochs that must be recorded come first. A
        net of skprune ends after a step, a proxy from elsewhere after an epoch; a labeler or a boosted proxy from elsewhere
        cannot be ended. What cannot be done any more, ``estimate_accuracy`` and ``compare_with_random``, is left out. What was
        cut is not kept in `memory`; with `checkpoint`, the next fit goes on from there. The results depend on the speed of the
        machine.
    $device
    random_state : int, RandomState or None, default=None
        Seed of everything that is drawn at random. With an int, the coreset does not depend on any global seed.
    n_jobs : int, default=None
        Number of proxies trained at the same time, and the value for nested estimators with ``n_jobs=None``.
    verbose : int, default=0
        1 shows a progress bar for each stage; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    n_features_in_ : int
        Number of features of a row: the product of the shape after the first axis.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if X has names.
    labeler_ : classifier or None
        The fitted labeler, in class indices; None if no label was missing.
    proxy_ : classifier
        The (first) proxy after `n_epochs`, in class indices; the labeler with ``proxy="labeler"``.
    pseudo_labels_ : ndarray of shape (n_samples,)
        The given labels, and predicted ones where none was given.
    pseudo_label_confidence_ : ndarray of shape (n_samples,), float64
        The probability that the label is correct, in [0, 1]; 1 for given labels. It is the labeler's, calibrated by logistic
        regression (Platt scaling) on the held-out labels, or as it is with ``estimate_accuracy=False``.
    pseudo_label_accuracy_ : float or None
        The fraction of held-out labeled rows whose pseudo-label is correct, in [0, 1], for a labeler that knew the other labels:
        four fifths of them, or fewer where a class has few. None if nothing was estimated, or no label was missing.
    pseudo_label_accuracy_interval_ : tuple of (float, float) or None
        Its Wilson interval of 95 %.
    random_comparison_ : object or None
        ``coreset``, ``random`` and ``labels_alone``, the accuracies on ``n_rows`` rows; ``best``, which of them is the highest;
        ``difference`` between coreset and random rows, with ``low`` and ``high``; ``is_simulated``. In a simulation, low and
        high are the differences of the least and the most favorable kind of simulated labels, and ``spread`` is the standard
        deviation of random rows over five draws. Otherwise they are the 95 % bootstrap interval over held-out rows and
        trainings, widened where these are few, and ``detectable`` is the difference that would be detected four times out of
        five, infinity where so few rows are held out that none would; the rows were chosen with all labels, the trainings that
        are compared did without. None without `compare_with_random`.
    ratio_accuracies_ : dict of {ratio: float}
        What ``suggest_ratio`` measured, after a call of it.
    sample_weight_ : ndarray of shape (n_kept,), float64
        Inverse probability of being kept, scaled to mean 1: with these weights, a fit on the kept rows stands for one on the
        whole pool.
    dynamics_ : TrainingDynamics
        The recorded dynamics of the (first) proxy.
    repeats_ : list of TrainingDynamics
        The recorded dynamics of each proxy.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher means harder; the mean over the repeats.
    score_std_ : ndarray of shape (n_samples,), float64, or None
        Standard deviation (ddof 1) of the scores over the repeats: where it is as large as the differences between rows, their
        order is luck. None with a single repeat.
    stage_seconds_ : dict of {str: float}
        How long each stage of the fit took, in seconds. One that is found in `memory` or `checkpoint` takes as long as
        it is read.
    cut_stages_ : dict of {str: str}
        What `time_limit` has ended early, and where: "labeling" after "step 700 of 1500", for example. Repeats are cut to
        the same number of epochs.
    support_ : ndarray of shape (n_samples,), bool
        True for the rows that are kept.
    coreset_indices_ : ndarray of shape (n_kept,), int
        The kept rows, ascending.
    coreset_labels_ : ndarray of shape (n_kept,)
        Their labels, given or predicted.
    annotation_indices_ : ndarray of int
        Kept rows that have no given label yet, in the order of proposal: each prefix of it is a coreset as well. Rows equal to a
        labeled one are not among them, unless `duplicates` is "ignore".

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
        ratio=DEFAULT_RATIO,
        *,
        budget=None,
        labeler="softmatch",
        proxy=None,
        difficulty="dual",
        selection="auto",
        goal="auto",
        duplicates="propose_one",
        groups_select="all",
        n_epochs=30,
        schedule_epochs=200,
        n_repeats=1,
        record="train",
        include_labeled=False,
        estimate_accuracy="auto",
        compare_with_random=False,
        image_shape=None,
        missing_label="auto",
        image_size="auto",
        warm_start=False,
        memory=None,
        checkpoint=None,
        checkpoint_every=60.0,
        on_divergence="raise",
        time_limit=None,
        device=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.ratio = ratio
        self.budget = budget
        self.labeler = labeler
        self.proxy = proxy
        self.difficulty = difficulty
        self.selection = selection
        self.goal = goal
        self.duplicates = duplicates
        self.groups_select = groups_select
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.n_repeats = n_repeats
        self.record = record
        self.include_labeled = include_labeled
        self.estimate_accuracy = estimate_accuracy
        self.compare_with_random = compare_with_random
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.image_size = image_size
        self.warm_start = warm_start
        self.memory = memory
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.on_divergence = on_divergence
        self.time_limit = time_limit
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y, groups=None):
        """Label the pool, record the proxy, score the rows, and select the coreset.

        Parameters
        ----------
        X : array-like
            A table (n, d), or images (n, C, H, W), (n, H, W, C) or (n, H, W) of uint8 or float: an ndarray, a DataFrame of
            pandas or polars, a sparse table, a torch tensor, a list, or skorch's SliceDataset. A Dataset of torch or Hugging
            Face, image files or images of Pillow, which are read by index, once. Frames with text or missing cells, and
            texts, for models that are no nets and read them, such as a Pipeline that begins with a ColumnTransformer.
        y : array-like of shape (n_samples,)
            Labels, some of them missing, as `missing_label` says.
        groups : array-like of shape (n_samples,), default=None
            The group of each row, such as a patient or a video; `groups_select` says what is kept of each.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            If an input or a parameter is refused, which happens before any training; the message says what to do.
        FloatingPointError
            If a loss is not finite; the message names step and learning rate, and the pruner stays as it was.
        TimeoutError
            If `time_limit` is over before the difficulties can be read; the message says how much time would do.
        """
        whole_time = TimeLimit(self.time_limit, of=self.time_limit)
        prepared = prepare_fit(Settings.of(self), X, read_labeled_pool(self, X, y), groups)
        start = self._start_of(prepared)
        if start is not None:
            prepared = replace(prepared, settings=short_recording(prepared.settings))
        trained = train(prepared, start, whole_time)
        with trained.clock.time("selection"):
            choice, score_std = make_choice(
                prepared.settings,
                prepared.pool.classes,
                trained.results.repeats,
                trained.inputs,
                is_image=prepared.is_image,
                features_warning=trained.features_warning if prepared.is_image else None,
                units=prepared.units,
            )
            mask = choice.mask()
        warn_of_lost_classes(trained.results.codes, mask, prepared.pool.classes)
        comparison, proposals = compare_coreset(prepared, trained, mask), choice.order(mask)
        self._take(prepared, trained)
        self.random_comparison_ = comparison
        self.difficulty_scores_ = choice.scores
        self.score_std_ = score_std
        self._choice, self._proposals = choice, proposals
        self._keep_mask(X, prepared.given, prepared.pool.labeled, mask)
        return self

    def _start_of(self, prepared):
        """Return where a warm fit begins, None where a fit begins anew."""
        if not prepared.settings.warm_start or not hasattr(self, "labeler_"):
            return None
        last = LastFit(self.classes_, self._fingerprint, self.labeler_, self._held_out)
        return last.start_of(prepared.pool, prepared.given, prepared.models.labeler)

    def _take(self, prepared, trained):
        """Keep what the trainings have found out, and forget what was made of those before."""
        pool, results = prepared.pool, trained.results
        self.classes_ = pool.classes
        self.labeler_ = results.labeler
        self.proxy_ = results.proxy
        self.pseudo_labels_ = pool.classes[results.codes]
        self.pseudo_label_confidence_ = trained.confidence
        self.pseudo_label_accuracy_, self.pseudo_label_accuracy_interval_ = trained.accuracy, trained.interval
        self.dynamics_ = results.repeats[0]
        self.repeats_ = results.repeats
        self.stage_seconds_ = trained.clock.seconds
        self.cut_stages_ = {stage: str(where) for stage, where in results.cut.items()}
        self._inputs, self._units, self._sets = trained.inputs, prepared.units, prepared.sets
        self._needs_label = prepared.known == MISSING
        self._selections = {}
        self._proxy_features, self._features_warning = results.features, trained.features_warning
        self._unfitted_labeler, self._training = prepared.models.labeler, prepared.training
        self._held_out, self._image_side = trained.held_out, prepared.side
        self._classifier = self._kept_reasons = None
        vars(self).pop("ratio_accuracies_", None)

    @property
    def annotation_indices_(self):
        """Kept rows whose label is not given yet, in the order of proposal."""
        return self._proposals[self._needs_label[self._proposals]]
