"""
Your own score and selector
===========================

A score is a function of the recorded dynamics, a selector a class with one method. Everything that pruners promise, such as exact
counts, class balance, rows that must stay and an explanation for each row, then comes by itself.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.inspection import DifficultyDisplay
from skprune.scores import difficulty
from skprune.selection import BaseSelector

# %%
# A score
# -------
#
# The epoch from which on a row is predicted right for good. Higher must mean harder.


def learned_late(dynamics):
    """Return the number of epochs before a row is predicted correctly to the end."""
    right_to_the_end = np.logical_and.accumulate(dynamics.correct[::-1], axis=0)
    return dynamics.n_epochs - right_to_the_end.sum(axis=0).astype(float)


# %%
# A selector
# ----------
#
# ``_order`` returns all rows in the order in which they are kept. This one keeps a share of the hardest rows and fills up with
# the easiest, from which the hard ones differ.


class Ends(BaseSelector):
    """The two ends of the ranking."""

    def __init__(self, hard=0.5, *, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.hard = hard

    def _order(self, draw):
        order = np.argsort(draw.scores, kind="stable")
        n_hard = round(self.hard * draw.k)
        n_easy = draw.k - n_hard
        return np.concatenate([order[len(order) - n_hard :], order[:n_easy], order[n_easy : len(order) - n_hard]])


# %%
# Both at work
# ------------

X, y_true = load_digits(return_X_y=True)
y = make_partial_labels(y_true, n_labeled=100, random_state=0)
pruner = SemiPrune(
    0.1,
    labeler=LabelSpreading(kernel="knn", n_neighbors=10),
    proxy=MLPClassifier(32, learning_rate_init=0.002),
    difficulty=learned_late,
    selection=Ends(0.5, min_per_class=5),
    random_state=0,
).fit(X / 16, y)
print(f"{pruner.support_.sum()} rows; rows a class: {np.bincount(pruner.coreset_labels_)}")
print(
    np.corrcoef(pruner.difficulty_scores_, difficulty(pruner.dynamics_, "dual"))[0, 1].round(2),
    "is the correlation with dual",
)

DifficultyDisplay.from_estimator(pruner)
plt.show()
