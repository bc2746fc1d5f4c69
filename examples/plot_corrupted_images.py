"""
Corrupted images
================

A third of the images are damaged: low resolution, black rectangles, noise, fog, motion blur. Whoever keeps the hardest images
keeps the damaged ones, often with wrong pseudo-labels. The default keeps fewer of them than random rows do, and a cutoff that
chooses itself fewer still.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import corrupt_images, make_partial_labels
from skprune.inspection import ContactSheetDisplay
from skprune.selection import Cutoff

digits = load_digits()
y_true = digits.target
X, kinds = corrupt_images(digits.images / 16, fraction=0.3, return_kinds=True, random_state=0)
y = make_partial_labels(y_true, n_labeled=100, random_state=0)

# %%
# Both labeler and proxy see the damaged images.

pruner = SemiPrune(
    0.1,
    labeler=LabelSpreading(kernel="knn", n_neighbors=10),
    proxy=SGDClassifier(loss="log_loss", alpha=0.01),
    difficulty="aum",
    random_state=0,
).fit(X, y)
hardest = np.argsort(-pruner.difficulty_scores_)[:24]
ContactSheetDisplay.from_estimator(pruner, X, rows=hardest, y_true=y_true)
plt.show()

# %%
# Where the damaged images are
# ----------------------------
#
# In tenths of the rows, from easy to hard.

tenths = np.array_split(np.argsort(pruner.difficulty_scores_), 10)
shares = {kind: [np.mean(kinds[rows] == kind) for rows in tenths] for kind in np.unique(kinds) if kind != "clean"}
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
bottom = np.zeros(10)
for (kind, share), color in zip(shares.items(), ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"], strict=True):
    ax.bar(range(1, 11), share, bottom=bottom, color=color, label=kind.replace("_", " "))
    bottom += share
ax.axhline(np.mean(kinds != "clean"), color="black", linestyle="--", label="whole pool")
ax.set(xlabel="tenth of the rows, from easy to hard", ylabel="share of damaged images", xticks=range(1, 11))
ax.legend(ncols=2)
plt.show()

# %%
# What each selection keeps
# -------------------------

selections = {
    "auto": "auto",
    "hardest": "hardest",
    "cutoff 0.3": Cutoff(0.3),
    "cutoff auto": Cutoff("auto"),
    "random": "random",
}
for name, selection in selections.items():
    mask = pruner.select(selection=selection)
    wrong = np.mean(pruner.pseudo_labels_[mask] != y_true[mask])
    print(f"{name:12} damaged {np.mean(kinds[mask] != 'clean'):5.1%}, wrong pseudo-label {wrong:5.1%}")
