"""
Data map: which rows are easy, ambiguous or hard?
=================================================

5 % of the digits are labeled. Label spreading labels the others, and the training of a small neural network of scikit-learn is
recorded. The map shows each row by the mean and the standard deviation, over the epochs, of the probability of its label.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.inspection import CalibrationDisplay, DataMapDisplay, DifficultyDisplay
from skprune.scores import confidence, correctness, variability

X, y_true = load_digits(return_X_y=True)
y = make_partial_labels(y_true, n_labeled=0.05, random_state=0)
labeler, proxy = LabelSpreading(kernel="knn", n_neighbors=10), MLPClassifier(32, learning_rate_init=0.003)
pruner = SemiPrune(0.3, labeler=labeler, proxy=proxy, random_state=0).fit(X / 16, y)

# %%
# The map
# -------
#
# Most rows lie at the top: they were predicted in nearly all epochs. A tail of rows that were rarely predicted runs to the lower
# left. Kept rows, with a ring, are spread over all of it.

DataMapDisplay.from_estimator(pruner)
plt.show()

# %%
# The true labels are known here, so we can count the wrong pseudo-labels in each fifth of the rows. Nearly all of them are at the
# bottom of the map.

mean, std = confidence(pruner.dynamics_), variability(pruner.dynamics_)
correct, wrong = correctness(pruner.dynamics_), pruner.pseudo_labels_ != y_true
print(f"{'mean':>12} {'std':>6} {'predicted':>10} {'kept':>6} {'wrong label':>12}")
for rows in np.array_split(np.argsort(-mean), 5):
    extent = f"{mean[rows[-1]]:.2f} - {mean[rows[0]]:.2f}"
    kept = pruner.support_[rows].mean()
    print(f"{extent:>12} {std[rows].mean():6.2f} {correct[rows].mean():10.1%} {kept:6.1%} {wrong[rows].mean():12.1%}")

# %%
# Difficulties
# ------------
#
# The default selection of tables does not read the difficulty, but keeps rows closer together where their class is uncertain, and
# those are often the harder ones.

DifficultyDisplay.from_estimator(pruner)
plt.show()

# %%
# Can the labeler be believed?
# ----------------------------
#
# The confidence is calibrated on labels that were held out. A point on the diagonal means that of the rows with a confidence of
# 0.8, four in five have the right pseudo-label.

CalibrationDisplay.from_estimator(pruner, y_true=y_true)
plt.show()
