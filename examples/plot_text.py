"""
Text
====

Short reviews of things, a few of which are marked as good or bad. The vectorizer is part of the labeler and of the proxy, so that
the list of texts is X. The corpus is made here; yours would be a column of a file.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.inspection import DifficultyDisplay

words = {
    "praise": "great lovely superb solid quick quiet sturdy neat handy bright fine reliable clever smooth warm".split(),
    "complaint": "broken awful slow loud flimsy weak dull late wrong useless rough cold faulty cheap sticky".split(),
    "thing": "phone lamp chair kettle keyboard tent bike radio pan jacket clock printer".split(),
    "filler": "the a this my with and very it was is for really on after days box arrived again".split(),
}


def review(rng, good):
    """Write a review whose verdict is mixed now and then."""
    tone, other = ("praise", "complaint") if good else ("complaint", "praise")
    n_other = rng.choice([0, 0, 1, 2])
    parts = [*rng.choice(words[tone], 3), *rng.choice(words[other], n_other), *rng.choice(words["filler"], 6)]
    return " ".join(rng.permutation([*parts, rng.choice(words["thing"])]))


rng = np.random.default_rng(0)
y_true = rng.permutation(np.repeat(["bad", "good"], 600))
texts = [review(rng, label == "good") for label in y_true]
X, y_true, X_test, y_test = texts[:900], y_true[:900], texts[900:], y_true[900:]
y = make_partial_labels(y_true, n_labeled=30, random_state=0)
print(X[0], "->", y_true[0])

# %%
# Which texts should be read?
# ---------------------------

sgd = SGDClassifier(loss="log_loss", random_state=0)
pruner = SemiPrune(
    budget=60,
    labeler=make_pipeline(TfidfVectorizer(), SelfTrainingClassifier(sgd, threshold=0.9)),
    proxy=make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss", alpha=0.01)),
    random_state=0,
).fit(X, y)
for row in pruner.annotation_indices_[:5]:
    print(f"{pruner.pseudo_labels_[row]:4}? {pruner.pseudo_label_confidence_[row]:.2f}  {X[row]}")

# %%
# How hard are they?
# ------------------

DifficultyDisplay.from_estimator(pruner)
plt.show()

# %%
# What it is worth
# ----------------
#
# The same budget spent on random texts, five times:


def accuracy(rows):
    """Return the test accuracy of a model trained on all labels, given and new."""
    labeled = np.union1d(np.flatnonzero([label is not None for label in y]), np.asarray(rows, dtype=int))
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
    return model.fit([X[row] for row in labeled], y_true[labeled]).score(X_test, y_test)


unlabeled = np.flatnonzero([label is None for label in y])
random = [accuracy(np.random.default_rng(seed).choice(unlabeled, 60, replace=False)) for seed in range(5)]
print(f"30 labels alone {accuracy([]):.3f}")
print(f"and 60 random texts {np.mean(random):.3f} ± {np.std(random, ddof=1):.3f}")
print(f"and 60 of SemiPrune {accuracy(pruner.annotation_indices_):.3f}")
