"""
Quickstart: which rows are worth a label?
=========================================

A pool of 896 rows in two large and six small clouds, of two classes. Twelve rows have a label, and you can pay for 20 more. Rows
drawn at random come from the large clouds, again and again. SemiPrune goes where no label is yet.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.neighbors import KNeighborsClassifier

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.semi_supervised import SoftMatch

sizes = [450, 350] + 6 * [16]
centers = [[0, 0], [7, 1], [3.2, 6], [-4, 5], [7.5, -5], [-1.5, -6.2], [12, 5.5], [-6.2, -2.5]]
X, cloud = make_blobs(sizes, centers=centers, cluster_std=[1.5, 1.4] + 6 * [0.4], random_state=0)
y_true = cloud % 2
y = make_partial_labels(y_true, n_labeled=12, random_state=0)  # -1 where there is no label

# %%
# Three lines
# -----------
#
# ``budget`` is the number of new labels. By default, the labeler takes 1500 steps or more; fewer will do here.

pruner = SemiPrune(budget=20, labeler=SoftMatch(n_steps=100), random_state=0)
pruner.fit(X, y)
chosen = pruner.annotation_indices_  # the most useful first

# %%
# The same number of rows at random, for comparison:

unlabeled = np.flatnonzero(y == -1)
random = np.random.default_rng(1).choice(unlabeled, 20, replace=False)

# %%
# What was chosen
# ---------------

figure, axes = plt.subplots(1, 3, figsize=(8, 3.3), sharex=True, sharey=True, layout="constrained")
panels = {"the pool": ([], "black"), "20 random rows": (random, "#E69F00"), "20 rows of SemiPrune": (chosen, "#0072B2")}
for ax, (title, (rows, color)) in zip(axes, panels.items(), strict=True):
    ax.scatter(*X.T, s=5, color="0.8")
    ax.scatter(*X[y != -1].T, s=45, marker="x", color="black", label="has a label")
    if len(rows):
        ax.scatter(*X[rows].T, s=34, color=color, edgecolor="black", linewidth=0.6, label=f"to annotate, {title[3:]}")
    ax.set(title=title, xticks=[], yticks=[])
handles = [axes[0].collections[1], *(ax.collections[2] for ax in axes[1:])]
figure.legend(handles, [handle.get_label() for handle in handles], loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %%
# What it is worth
# ----------------
#
# The rows are annotated (here: they get their true labels), and a classifier is trained on all labels. It is right in the clouds
# that a label has reached. Random rows are drawn a hundred times.


def worth(rows):
    """Return how many clouds have a label, the accuracy, and that in the small clouds."""
    labeled, small = np.r_[np.flatnonzero(y != -1), rows], cloud > 1
    model = KNeighborsClassifier(1).fit(X[labeled], y_true[labeled])
    return np.unique(cloud[labeled]).size, model.score(X, y_true), model.score(X[small], y_true[small])


draws = [worth(np.random.default_rng(seed).choice(unlabeled, 20, replace=False)) for seed in range(100)]
for name, result in [("random rows", np.mean(draws, axis=0)), ("SemiPrune", worth(chosen))]:
    print("{:12} {:.1f} of 8 clouds have a label; accuracy {:.3f}, in small clouds {:.3f}".format(name, *result))

# %%
# Real data gain less than this picture: :doc:`/when_not_to_prune` has the measurements, and ``compare_with_random=True`` tells
# for your own pool, before a label is bought.
