"""Parameter and attribute texts that the docstrings of the semi-supervised nets share."""

from skprune._utils._docstrings import SHARED
from skprune.nets._docstrings import NET_TEXTS


def net_texts(*, unlabeled_weight="1.0", teacher='"student"', alignment="None"):
    """Return the texts for ``fill_docstring``, with the defaults in which nets differ."""
    training = [
        """n_steps : int or "auto", default="auto"
    Optimizer steps per epoch. "auto" takes 1,500, or as many as show each labeled row 20 times and each row of the pool
    twice if that is more, but at most 6,000.""",
        """batch_size : int, default=64
    Labeled rows per step, at least 2. Predictions take at most 8 times the rows of a step, labeled and unlabeled, at
    once, and at most 1,024.""",
        """mu : int, default=7
    Unlabeled rows per step, as a multiple of `batch_size`.""",
        f"""unlabeled_weight : float, default={unlabeled_weight}
    Weight of the unlabeled loss, at least 0.""",
        f"""teacher : {{"student", "ema"}}, default={teacher}
    The network that predicts the targets of unlabeled rows: the one being trained, or the moving average of its weights,
    which needs `ema`.""",
        f"""alignment : {{None, "uniform", "labels", "learned"}}, default={alignment}
    Distribution alignment of the pseudo-labels (ReMixMatch, arXiv 1911.09785, section 3.1): toward equal shares of the
    classes, toward the class frequencies of the labeled rows, or toward the running mean of the predictions for labeled
    rows.""",
        """balanced : bool, default=False
    Whether to draw labeled rows so that all classes occur equally often. With it, ``alignment="learned"`` comes close to
    equal shares.""",
        """logit_adjustment : float, default=0.0
    Factor of the log class frequencies that are added to the logits during training (Menon et al., arXiv 2007.07314,
    eq. 10), at least 0, so that the trained network predicts as if all classes were equally frequent. 1 is statistically
    consistent. It has no effect together with `balanced`.""",
        """micro_batch : int, default=None
    Approximate number of rows, labeled and unlabeled, in each forward and backward pass, at least 2. None processes the
    rows of a step all at once. Within :func:`~skprune.nets.data_parallel` these are the rows of one process. Smaller
    passes need less memory and, on a CPU that would otherwise keep allocating pages for large activations, less time. A
    step is divided into at most `batch_size` parts; the pass without gradients is never divided. Batch normalization sees
    each part separately (ghost batch normalization, arXiv 1705.08741), as do the fairness term of :class:`FreeMatch` and
    the running means of :class:`PseudoLabel`.""",
        """max_epochs : int, default=1
    Number of epochs.""",
        r"""lr : float, default=0.1
    Initial learning rate. At step k of K it is :math:`\cos(7 \pi k / 16 K)` times as large (arXiv 2001.07685, section
    2.4). The papers' 0.03 is meant for runs a thousand times as long.""",
        NET_TEXTS["optimizer"],
        """weak, strong : "auto", None or callable, default="auto"
    Augmentations ``augment(x, generator) -> x`` of a batch on the device, images with values in [0, 1] or standardized
    table rows; the generator is on the CPU. "auto" takes those of :mod:`skprune.augment`; None leaves rows unchanged. The
    strong augmentation is applied to weakly augmented rows.""",
        """labeled_strong : float or "auto", default="auto"
    Fraction of the labeled rows of a step that are strongly augmented too, in [0, 1]. The papers use 0. "auto" takes 0.5
    for images, where 0 overfits the labels in short runs, and 0 for tables.""",
        r"""ema : bool, default=True
    Whether to predict with the moving average of the weights, whose decay at step k is
    :math:`\min(0.999, (1 + k) / (10 + k))`.""",
        SHARED["image_shape"],
        SHARED["missing_label"],
        NET_TEXTS["callbacks"],
        SHARED["random_state"],
        SHARED["device"],
        NET_TEXTS["precision"],
        NET_TEXTS["compile"],
        NET_TEXTS["warm_start"],
        NET_TEXTS["verbose"],
        NET_TEXTS["net_keywords"],
    ]
    attributes = [
        """classes_ : ndarray of shape (n_classes,)
    The classes among the labels; the mark of unlabeled rows is not one of them.""",
        """n_features_in_ : int
    Number of values per row.""",
        """module_ : torch.nn.Module
    The network, with averaged weights unless ``ema=False``.""",
        """history_ : skorch.history.History
    For each epoch, "n_steps", "train_loss", "train_loss_best", whether none before had a lower loss, and "confident", the
    mean weight of the unlabeled rows.""",
    ]
    return {
        "module": NET_TEXTS["module"],
        "training_parameters": "\n".join(training),
        "attributes": "\n".join(attributes),
    }
