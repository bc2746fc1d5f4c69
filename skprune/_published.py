"""SemiPrune with the settings of its paper."""


class PublishedSettings:
    """A constructor of SemiPrune for comparisons with the paper."""

    @classmethod
    def published(cls, ratio=0.5, **parameters):
        """Make a pruner with the settings of the paper (arXiv 2605.23198), to compare with it.

        The defaults of SemiPrune were chosen by what helps on the problems of the documentation. Take these settings
        instead to reproduce the paper, or to tell what the changes bring on your own data. Five of them differ from the
        defaults:

        - ``labeler="fixmatch"``: :class:`~skprune.semi_supervised.FixMatch`;
        - ``proxy=NetClassifier(lr=0.1)``: ten times the learning rate of the default proxy;
        - ``selection="beta"``: ``Beta()``, with c_d = 4, for tables too, without a least share of each class;
        - ``duplicates="ignore"``: equal rows are chosen like any others;
        - ``estimate_accuracy=False``: one run of the labeler, whose confidence is not calibrated.

        The others are ``difficulty="dual"``, over all of ``n_epochs=30`` with ``schedule_epochs=200``, ``n_repeats=1``,
        ``record="train"`` and ``include_labeled=False``, which are defaults at present.

        What grows with the problem is left as it is in this package: the networks, and the steps of the labeler, with
        the learning rate and the augmentation of labeled rows that suit so few. See Examples for the scale of the paper.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=0.5
            The fraction of rows to KEEP, or their number.
        **parameters
            Parameters of :class:`SemiPrune`, such as `random_state`, `memory` or `device`. Those named above replace the
            published ones.

        Returns
        -------
        SemiPrune
            An unfitted pruner.

        Raises
        ------
        TypeError
            A parameter is unknown.

        Examples
        --------
        >>> from skprune import SemiPrune
        >>> SemiPrune.published(0.3, random_state=0)
        SemiPrune(duplicates='ignore', estimate_accuracy=False, labeler='fixmatch',
                  proxy=NetClassifier(), random_state=0, ratio=0.3, selection='beta')

        At the scale of the paper, for images of 32 pixels and a GPU:

        >>> from skprune.nets import NetClassifier, WideResNet
        >>> from skprune.semi_supervised import FixMatch
        >>> pruner = SemiPrune.published(
        ...     labeler=FixMatch(WideResNet, n_steps=2**20, lr=0.03, labeled_strong=0.0),
        ...     proxy=NetClassifier("resnet18", lr=0.1),
        ... )

        The other variant of the paper, AUM of a whole training after a cutoff:

        >>> from skprune.selection import Cutoff
        >>> pruner = SemiPrune.published(difficulty="aum", selection=Cutoff(0.3), n_epochs=200)
        """
        published = {
            "labeler": "fixmatch",
            "difficulty": "dual",
            "selection": "beta",
            "duplicates": "ignore",
            "n_epochs": 30,
            "schedule_epochs": 200,
            "n_repeats": 1,
            "record": "train",
            "include_labeled": False,
            "estimate_accuracy": False,
        }
        if "proxy" not in parameters:
            from skprune.nets import NetClassifier

            published["proxy"] = NetClassifier(lr=0.1)
        return cls(ratio, **published | parameters)
