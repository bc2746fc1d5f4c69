"""
In a pipeline of imbalanced-learn
=================================

``PruningSampler`` is a step that drops rows, in the middle of a pipeline: in ``fit`` the steps behind it see the coreset and its
labels, in ``predict`` it does nothing. Other samplers may follow, here one that adds rows of the rare class.
"""

import matplotlib.pyplot as plt
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import PruningSampler, SemiPrune
from skprune.datasets import make_partial_labels

X, y_true = make_classification(
    2000, n_features=12, n_informative=6, weights=[0.85, 0.15], class_sep=1.2, flip_y=0.0, random_state=0
)
X, X_test, y_true, y_test = train_test_split(X, y_true, stratify=y_true, random_state=0)
y = make_partial_labels(y_true, n_labeled=100, random_state=0)

# %%
# Scale, prune, balance, classify: ``y`` holds -1 where there is no label, and the steps behind the sampler see none of it.

pruner = SemiPrune(
    0.3, labeler=LabelSpreading(kernel="knn", n_neighbors=10), proxy=SGDClassifier(loss="log_loss"), random_state=0
)
model = make_pipeline(
    StandardScaler(), PruningSampler(pruner), RandomOverSampler(random_state=0), LogisticRegression()
).fit(X, y)
sampler = model["pruningsampler"]
print("rows kept:", len(sampler.sample_indices_), "of", len(X))

# %%
# What the steps are worth
# ------------------------

labeled = y != -1
alone = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[labeled], y[labeled])
for name, classifier in [("100 labels alone", alone), ("pruned and balanced", model)]:
    print(f"{name:20} mean recall {balanced_accuracy_score(y_test, classifier.predict(X_test)):.2f}")
figure, ax = plt.subplots(figsize=(4.5, 4), layout="constrained")
ConfusionMatrixDisplay.from_estimator(model, X_test, y_test, ax=ax, cmap="Blues", normalize="true", colorbar=False)
ax.set_title("test rows, share of each class")
plt.show()

# %%
# scikit-learn's own pipelines pass ``y`` on unchanged, so a step that drops rows cannot stand in their middle. There,
# :class:`~skprune.PrunedClassifier` goes last (:doc:`/composition`).
