"""
Cleaning given labels
=====================

All rows have a label, and some are wrong. Rows whose label the proxy never comes to predict are suspicious: look at them first.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import train_test_split

from skprune.baselines import SupervisedPruner
from skprune.datasets import make_label_noise
from skprune.inspection import ContactSheetDisplay, DataMapDisplay

digits = load_digits()
X, y_true = digits.data / 16, digits.target
y, wrong = make_label_noise(y_true, rate=0.05, random_state=0)
print(wrong.sum(), "of", len(y), "labels are wrong")

# %%
# Rank the rows
# -------------
#
# No label is missing, so no labeler is needed. ``aum``, the mean margin of the label over the epochs, ranks mislabeled rows
# highest.

pruner = SupervisedPruner(0.9, proxy=SGDClassifier(loss="log_loss", alpha=0.01), difficulty="aum", random_state=0).fit(
    X, y
)
suspicious = np.argsort(-pruner.difficulty_scores_)
for n in (45, 90, 180):
    found = wrong[suspicious[:n]]
    print(f"of the {n:3} most suspicious rows, {found.mean():4.0%} are wrong: {found.sum()} of {wrong.sum()}")

# %%
# Look at them
# ------------

first = suspicious[:24]
ContactSheetDisplay.from_predictions(
    digits.images[first], y[first], given=np.ones(24, dtype=bool), y_true=y_true[first], rows=first
)
plt.show()

# %%
# They lie at the bottom of the data map.

ax = DataMapDisplay.from_dynamics(pruner.dynamics_).ax_
mean = pruner.dynamics_.target_proba.mean(axis=0)
std = pruner.dynamics_.target_proba.std(axis=0)
ax.scatter(std[wrong], mean[wrong], marker="x", color="black", label="wrong label")
ax.legend(loc="upper right")
plt.show()

# %%
# How many to review?
# -------------------
#
# Sort, and stop when a page of rows holds no wrong label any more.

found = np.cumsum(wrong[suspicious]) / wrong.sum()
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(np.arange(1, len(y) + 1), found, color="#0072B2", label="by aum")
ax.plot([0, len(y)], [0, 1], color="0.4", linestyle="--", label="at random")
ax.set(xlabel="rows reviewed", ylabel="share of the wrong labels found", xlim=(0, len(y)), ylim=(0, 1.02))
ax.legend(loc="lower right")
plt.show()

# %%
# What it is worth
# ----------------
#
# The accuracy by the true labels, after 180 rows were reviewed and corrected:

cleaned = y.copy()
cleaned[suspicious[:180]] = y_true[suspicious[:180]]
train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0)
for name, labels in [("as given", y), ("reviewed", cleaned), ("all right", y_true)]:
    model = LogisticRegression(C=10, max_iter=500).fit(X[train], labels[train])
    print(f"{name:10} {model.score(X[test], y_true[test]):.3f}")
