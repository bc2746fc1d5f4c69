"""
Which images are kept
=====================

Look at the images before you pay for their labels. The digits stand for your photos: ``load_image_folder`` reads those
(:doc:`/images`).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.inspection import ContactSheetDisplay, CoresetCompositionDisplay

digits = load_digits()
X, y_true = digits.images, digits.target  # (1797, 8, 8)
y = make_partial_labels(y_true, n_labeled=50, random_state=0)
pruner = SemiPrune(
    budget=100,
    labeler=LabelSpreading(kernel="knn", n_neighbors=10),
    proxy=SGDClassifier(loss="log_loss", alpha=1.0),
    random_state=0,
).fit(X, y)

# %%
# To annotate
# -----------
#
# The first 24 images of the list, with the predicted label and the probability that it is right. Where that is low, an annotator
# will teach the model most.

ContactSheetDisplay.from_estimator(pruner, X)
plt.show()

# %%
# The hardest
# -----------
#
# Half of the kept images are drawn by difficulty. These are the hardest of the pool. With the true labels, which are known here,
# wrong pseudo-labels get a frame of their own.

hardest = np.argsort(-pruner.difficulty_scores_)[:16]
ContactSheetDisplay.from_estimator(pruner, X, rows=hardest, y_true=y_true)
plt.show()

# %%
# The easiest
# -----------

easiest = np.argsort(pruner.difficulty_scores_)[:16]
ContactSheetDisplay.from_estimator(pruner, X, rows=easiest, y_true=y_true)
plt.show()

# %%
# No class is lost
# ----------------

CoresetCompositionDisplay.from_estimator(pruner)
plt.show()

# %%
# Why was a row kept?
# -------------------

print(pruner.explain().loc[pruner.annotation_indices_[:5]].to_string())
