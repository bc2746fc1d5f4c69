"""
Comparing pruners
=================

Is a coreset better than random rows, and than the labels that exist? ``pruning_curve`` fits each pruner once a seed, trains a
classifier on its coresets, and pairs each with random rows of the same seed.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.baselines import KCenterPruner, ZCorePruner
from skprune.datasets import make_partial_labels
from skprune.inspection import PruningCurveDisplay
from skprune.model_selection import pruning_curve

X, y_true = load_digits(return_X_y=True)
X, X_test, y_true, y_test = train_test_split(X / 16, y_true, random_state=0)
labeler = LabelSpreading(kernel="knn", n_neighbors=10)
proxy = SGDClassifier(loss="log_loss", alpha=0.01)
pruners = {
    "SemiPrune": SemiPrune(labeler=labeler, proxy=proxy, estimate_accuracy=False),
    "k-center": KCenterPruner(),
    "ZCore": ZCorePruner(),
}

# %%
# Three seeds
# -----------
#
# ``y_oracle`` answers for the rows that are kept, as an annotator would.

curve = pruning_curve(
    pruners,
    X,
    make_partial_labels(y_true, n_labeled=40, random_state=0),
    y_oracle=y_true,
    ratios=[0.05, 0.1, 0.2],
    evaluator=LogisticRegression(max_iter=500),
    X_test=X_test,
    y_test=y_test,
    random_states=range(3),
)

# %%
# Accuracy against the labels that are paid for
# ---------------------------------------------

PruningCurveDisplay.from_curve(curve, x="n_annotated")
plt.show()

# %%
# The difference from random rows, with a bootstrap interval over the seeds. Where it covers 0, it may be luck. Both pruners that
# cover the pool are ahead where few rows are kept, and k-center needs no label for it. With a fifth of the pool, little of that
# is left.

PruningCurveDisplay.from_curve(curve, kind="difference")
plt.show()

# %%
# The same as numbers:

for row in curve.summary():
    print(f"{row['method']:14} {row['ratio']:4.0%} {row['mean']:.3f} {row['difference']:+.3f}")
