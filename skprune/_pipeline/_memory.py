"""How much memory the stages need beside the data that they are given, and a warning where less is free."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline

from skprune._pipeline._selection import selector_for
from skprune._pipeline._space import MOST_LABELED, n_space_features
from skprune._utils._adapters import is_net, is_own_net, last_step
from skprune._utils._doc_links import see
from skprune._utils._free_memory import free_memory
from skprune._utils._given_rows import GivenRows
from skprune._utils._labels import MISSING
from skprune._utils._mapped import is_mapped
from skprune._utils._warnings import warn_user
from skprune.dynamics._recording import keeps_kl
from skprune.nets._features import MOST_FEATURES
from skprune.selection import KMeans, Mixture
from skprune.selection._base import needed_inputs

_OF_A_ROW = 64  # labels, confidences, scores and the like
_COPIES_OF_FEATURES = 3  # that a selection makes
_COPIES_OF_OUTPUTS = 4  # that logistic regression makes


@dataclass(frozen=True)
class Sizes:
    """What the memory depends on."""

    n_rows: int
    n_labeled: int
    classes: np.ndarray
    n_values: int
    itemsize: int
    is_image: bool
    is_mapped: bool
    is_array: bool
    in_parts: bool

    @classmethod
    def of(cls, pool, codes, classes):
        """Read the sizes of a pool, of which some rows have a label."""
        is_given = isinstance(pool, GivenRows)
        array = pool.array if is_given else pool
        return cls(
            n_rows=len(pool),
            n_labeled=int(np.count_nonzero(codes != MISSING)),
            classes=classes,
            n_values=int(np.prod(pool.shape[1:])),
            itemsize=8 if array is None else array.dtype.itemsize,
            is_image=pool.ndim == 4,
            is_mapped=array is not None and is_mapped(array),
            is_array=array is not None,
            in_parts=not is_given or issparse(pool.given) or isinstance(pool.given, np.ndarray),
        )

    @property
    def n_classes(self):
        """The number of classes."""
        return len(self.classes)


def memory_of_stages(settings, models, sizes, *, in_groups=False):
    """Return the largest number of bytes that each stage needs beside X, with what the stages before have left."""
    n, n_classes = sizes.n_rows, sizes.n_classes
    of_rows = _OF_A_ROW * n
    needs = {}
    labeling = 0
    if models.labeler is not None:
        labeling = of_rows + _labeling(last_step(models.labeler), sizes)
        needs["labeling"] = labeling
    dynamics, buffer = dynamics_bytes(settings, models.proxy, sizes)
    repeats = dynamics * (settings.n_repeats + (settings.n_repeats > 1))
    width = MOST_FEATURES if is_net(models.proxy) else n_classes
    in_memory = not sizes.is_mapped  # else features are kept in a file
    features = 4 * n * width if in_memory else 0
    kept = of_rows + repeats + features
    rows = _rows_of_proxy(models.proxy, sizes)
    needs["recording"] = of_rows + dynamics * settings.n_repeats + rows + max(buffer, features)
    if labeling and (settings.compares or settings.estimate_accuracy is not False):
        needs["labeling without a fifth of the labels"] = kept + labeling
    n_features = width if sizes.is_image else n_space_features(sizes.n_values, sizes.is_array)
    selector = selector_for(settings, sizes.classes, is_image=sizes.is_image)
    inputs = needed_inputs(selector)
    copies = _COPIES_OF_FEATURES if "embedding" in inputs else 0
    if sizes.is_mapped and _reads_from_disk(selector):
        copies = 0
    linear_model = (
        _COPIES_OF_OUTPUTS * 8 * min(sizes.n_labeled, MOST_LABELED) * n_classes if "uncertainty" in inputs else 0
    )
    space = 4 * n * n_features
    needs["selection"] = (
        kept
        + (in_memory and not sizes.is_image) * space
        + copies * space
        + in_groups * (repeats + space)
        + linear_model
    )
    return needs


def _reads_from_disk(selector):
    """Tell whether a selector leaves features that lie in a file there."""
    if isinstance(selector, Mixture):
        return _reads_from_disk(selector.first) and _reads_from_disk(selector.second)
    return isinstance(selector, KMeans) or "embedding" not in needed_inputs(selector)


def dynamics_bytes(settings, proxy, sizes):
    """Return the size of the dynamics of a proxy, and that of the buffer while they are recorded."""
    recording = settings.recording(sizes.n_rows, sizes.n_classes)
    has_kl = keeps_kl(recording.kl, sizes.n_rows, sizes.n_classes)
    n_arrays = 3 + has_kl + 2 * is_net(proxy)
    n_epochs = settings.n_epochs // recording.every
    of_last = 4 * 8  # two arrays, and those of the epoch before
    return sizes.n_rows * (n_epochs * (4 * n_arrays + 1) + of_last), 4 * sizes.n_rows * sizes.n_classes * has_kl


def warn_of_memory(settings, models, pool, codes, classes, *, in_groups=False):
    """Warn if a stage will need more memory than is free."""
    free = free_memory()
    if free is None:
        return
    needs = memory_of_stages(settings, models, Sizes.of(pool, codes, classes), in_groups=in_groups)
    stage, need = max(needs.items(), key=lambda item: item[1])
    if need > free:
        warn_user(
            f"The {stage} will need about {need / 2**30:.2g} GiB of memory beside X, and {free / 2**30:.2g} GiB are free. Record "
            "less (n_epochs, record=Recording(every=2, kl=False)), pass X as a memory-mapped file, or use prune_shards."
            + see("scale#memory")
        )


def _labeling(labeler, sizes):
    """Return what labeling takes: what a net reads, and probabilities where all rows are predicted at once."""
    if is_own_net(labeler):
        return _rows_of_net(sizes) + 8 * sizes.n_rows * sizes.n_classes
    return 0 if sizes.in_parts else 8 * sizes.n_rows * sizes.n_classes


def _rows_of_net(sizes):
    """Return what the rows take as a net reads them: standardized, or pixels as they are."""
    if sizes.is_mapped:
        return 0
    n_bytes = 1 if sizes.is_image and sizes.itemsize == 1 else 4
    return sizes.n_rows * sizes.n_values * (n_bytes if sizes.is_array else n_bytes + sizes.itemsize)


def _rows_of_proxy(proxy, sizes):
    """Return what the rows take as a proxy reads them: what the steps of a Pipeline make of them counts as large as X."""
    if is_net(proxy):
        return _rows_of_net(sizes)
    return sizes.n_rows * sizes.n_values * sizes.itemsize if isinstance(proxy, Pipeline) and len(proxy) > 1 else 0
