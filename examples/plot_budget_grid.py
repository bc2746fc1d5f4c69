"""
A grid over budgets
===================

How much should be kept, and by which difficulty? A grid search answers, with one training a fold: ``memory`` keeps the
expensive stages, so that each further candidate costs milliseconds.
"""

import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import LabelSpreading

from skprune import PrunedClassifier, SemiPrune
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold

X, y_true = load_digits(return_X_y=True)
X, y = X / 16, make_partial_labels(y_true, n_labeled=0.1, random_state=0)

# %%
# The search is scored on labeled rows only, by ``PartialLabelKFold``. ``labels="pseudo"`` always trains on the coreset; the
# default would take the given labels alone wherever they are better.

with tempfile.TemporaryDirectory() as cache:
    pruner = SemiPrune(
        labeler=LabelSpreading(kernel="knn"),
        proxy=SGDClassifier(loss="log_loss", alpha=0.01),
        selection="stratified",
        memory=cache,
        random_state=0,
    )
    model = PrunedClassifier(LogisticRegression(max_iter=1000), pruner, labels="pseudo")
    grid = {"pruner__ratio": [0.05, 0.1, 0.2, 0.3, 0.5, 1.0], "pruner__difficulty": ["dual", "aum", "el2n"]}
    folds = PartialLabelKFold(4, shuffle=True, random_state=0)
    start = time.perf_counter()
    search = GridSearchCV(model, grid, cv=folds).fit(X, y)
    print(f"{len(search.cv_results_['params'])} candidates, 4 folds: {time.perf_counter() - start:.0f} s")
print("chosen:", search.best_params_)

# %%
# Accuracy against the ratio
# --------------------------
#
# A fifth of the pool is about as good as all of it. With 45 labeled rows in a fold, differences of a point or two are luck.

results = search.cv_results_
difficulties = np.array(results["param_pruner__difficulty"].tolist())
ratios = np.array(results["param_pruner__ratio"].tolist())
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for marker, name in zip("osD", grid["pruner__difficulty"], strict=True):
    rows = difficulties == name
    error = results["std_test_score"][rows] / 2
    ax.errorbar(ratios[rows], results["mean_test_score"][rows], error, marker=marker, capsize=3, label=name)
ax.set(xlabel="ratio that is kept", ylabel="accuracy on labeled rows", xscale="log")
ax.set_xticks(grid["pruner__ratio"], [f"{ratio:.0%}" for ratio in grid["pruner__ratio"]])
ax.minorticks_off()
ax.legend(title="difficulty")
plt.show()
