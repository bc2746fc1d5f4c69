"""
A table with categories and missing cells
=========================================

Gradient boosting labels a table with text and missing cells, and its stages are the epochs that are recorded. The data frame goes
in as it is.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.semi_supervised import SelfTrainingClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune.datasets import make_partial_labels
from skprune.inspection import DataMapDisplay
from skprune.model_selection import PartialLabelKFold

rng = np.random.default_rng(0)
n = 1500
X = pd.DataFrame(
    {
        "age": rng.integers(18, 90, n).astype(float),
        "plan": pd.Categorical(rng.choice(["basic", "plus", "pro"], n, p=[0.6, 0.3, 0.1])),
        "calls": rng.poisson(2, n).astype(float),
        "city": pd.Categorical(rng.choice(["Bern", "Graz", "Linz", "Wien"], n)),
    }
)
leaves = 0.04 * (X["age"] - 50) + (X["plan"] == "basic") + 0.7 * (X["calls"] - 2) + rng.normal(scale=0.7, size=n) > 0.5
y_true = np.where(leaves, "leaves", "stays")
X.loc[rng.choice(n, 200, replace=False), "age"] = np.nan
y = make_partial_labels(y_true, n_labeled=150, random_state=0)  # None where there is no label
print(X.head(3).to_string(), "\n", y[:3])

# %%
# Labeler and proxy
# -----------------
#
# A ``ColumnTransformer`` turns categories into numbers; the trees read missing cells themselves. Labeler and proxy are pipelines
# of the two.

encoder = make_column_transformer((OrdinalEncoder(), ["plan", "city"]), remainder="passthrough")
trees = HistGradientBoostingClassifier(max_iter=30, categorical_features=[0, 1], early_stopping=False)
slow_trees = HistGradientBoostingClassifier(learning_rate=0.05, categorical_features=[0, 1], early_stopping=False)
labeler = make_pipeline(encoder, SelfTrainingClassifier(trees, threshold=0.9, max_iter=3))
proxy = make_pipeline(encoder, slow_trees)
pruner = SemiPrune(budget=100, labeler=labeler, proxy=proxy, random_state=0).fit(X, y)
print(f"right pseudo-labels, estimated: {pruner.pseudo_label_accuracy_:.0%}")
print(f"in truth: {np.mean(pruner.pseudo_labels_ == y_true):.0%}")
print(X.iloc[pruner.annotation_indices_[:5]].to_string())

# %%
# The data map of the boosting stages
# -----------------------------------

DataMapDisplay.from_estimator(pruner)
plt.show()

# %%
# An honest accuracy
# ------------------
#
# On labeled rows only. ``PrunedClassifier`` trains on the coreset with its pseudo-labels, or on the given labels alone where
# these are better on labels that it holds out.

folds = PartialLabelKFold(3, shuffle=True, random_state=0)
pruned = PrunedClassifier(make_pipeline(encoder, trees), SemiPrune(0.5, labeler=labeler, proxy=proxy, random_state=0))
scores = cross_val_score(pruned, X, y, cv=folds)
print(f"accuracy {scores.mean():.2f}, from {scores.min():.2f} to {scores.max():.2f} on three folds of 50 labels")
