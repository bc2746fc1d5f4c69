"""
A long tail
===========

Of some classes there are many rows, of others a handful. A choice at random has even fewer of the latter. Here the digit 0 is
twenty times as frequent as the digit 9.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import make_long_tailed, make_partial_labels
from skprune.inspection import CoresetCompositionDisplay
from skprune.selection import KMeans, Random

X, y_true = load_digits(return_X_y=True)
X, X_test, y_true, y_test = train_test_split(X / 16, y_true, stratify=y_true, random_state=0)
tail = make_long_tailed(y_true, imbalance=20, random_state=0)
X, y_true = X[tail], y_true[tail]
y = make_partial_labels(y_true, n_labeled=60, random_state=0)
print("rows a class:", np.bincount(y_true))

# %%
# One fit, three coresets
# -----------------------
#
# ``select`` chooses again from the same training. The default keeps at least half of an even share of each class, going by the
# pseudo-labels; ``class_balanced="uniform"`` asks for even shares.

pruner = SemiPrune(
    0.2,
    labeler=LabelSpreading(kernel="knn", n_neighbors=5),
    proxy=SGDClassifier(loss="log_loss", alpha=0.01),
    random_state=0,
).fit(X, y)
masks = {
    "random rows": pruner.select(selection=Random()),
    "the default": pruner.support_,
    "class_balanced='uniform'": pruner.select(selection=KMeans(class_balanced="uniform")),
}

# %%
# The classes before and after
# ----------------------------
#
# By the true labels, which are known here. Even shares stay out of reach where the pool has few rows of a class, or the labeler
# finds few of them.

figure, axes = plt.subplots(len(masks), 1, figsize=(8, 8), layout="constrained", sharex=True)
for ax, (name, mask) in zip(axes, masks.items(), strict=True):
    CoresetCompositionDisplay.from_labels(y_true, mask, ax=ax)
    ax.set(title=name, xlabel="digit" if ax is axes[-1] else "")
plt.show()

# %%
# What it is worth, annotated
# ---------------------------
#
# The mean over the classes of the accuracy on a balanced test set:

for name, mask in masks.items():
    model = LogisticRegression(max_iter=1000).fit(X[mask], y_true[mask])
    print(f"{name:26} {balanced_accuracy_score(y_test, model.predict(X_test)):.3f}")
