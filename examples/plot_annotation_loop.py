"""
The annotation loop: rounds, their accuracy, and when to stop
=============================================================

30 of the digits are labeled, and people will label 120 more, in four rounds. Each round asks for the rows that a pruner proposes
once it knows the labels so far. Here, the true labels stand in for people.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import AnnotationLoop, SemiPrune
from skprune.datasets import make_partial_labels

X, y = load_digits(return_X_y=True)
y_first = make_partial_labels(y, n_labeled=30, random_state=0)
labeler = make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=10))
proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
pruner = SemiPrune(labeler=labeler, proxy=proxy, random_state=0)
loop = AnnotationLoop(pruner, budget=120, n_rounds=4).start(X, y_first)

# %%
# What a round asks for
# ---------------------
#
# ``proposals_`` is what a labeling tool shows: the rows in the order in which they are worth labeling, with the pseudo-label to
# confirm or to correct.

rows = loop.ask()
loop.proposals_.head(10)

# %%

figure, axes = plt.subplots(3, 10, figsize=(8, 3.4), layout="constrained")
for place, row, label in zip(axes.flat, rows, loop.proposals_["pseudo_label"], strict=False):
    place.imshow(X[row].reshape(8, 8), cmap="gray_r")
    place.set_title(f"{label}?", fontsize=8, color="C0" if label == y[row] else "C3")
    place.set_axis_off()
plt.show()

# %%
# Asked and told
# --------------
#
# ``tell`` takes the labels. Only because the true ones are known here, we can note how many pseudo-labels are correct.

truth = []
while len(rows := loop.ask()):
    unlabeled = np.flatnonzero(loop.labels_ == -1)
    truth.append(np.mean((loop.pruner_.pseudo_labels_ == y)[unlabeled]))
    loop.tell(rows, y[rows])
for r, correct in zip(loop.history_, truth, strict=True):
    print(f"round {r.round}: {r.n_labeled} labels, {r.n_changed} of {r.n_told} pseudo-labels corrected; ", end="")
    print(f"accuracy {r.accuracy:.1%} in [{r.low:.1%}, {r.high:.1%}], in truth {correct:.1%}")

# %%
# Where this leads
# ----------------
#
# The labels of a round tell how good the pseudo-labels were before it. From there, the loop forecasts the accuracy with more
# labels, and whether another round is worth its labels.

n_more = np.arange(0, 300, 10)
forecasts = [loop.forecast(int(n)) for n in n_more]
n_now = int((loop.labels_ != -1).sum())
figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
n_labeled, accuracy, low, high = np.array([(r.n_labeled, r.accuracy, r.low, r.high) for r in loop.history_]).T
axes.errorbar(n_labeled, accuracy, [accuracy - low, high - accuracy], fmt="o", capsize=3, label="estimate of a round")
axes.plot(n_labeled, truth, "k_", markersize=12, label="truth")
axes.plot(n_now + n_more, [f.accuracy for f in forecasts], label="forecast")
axes.fill_between(n_now + n_more, [f.low for f in forecasts], [f.high for f in forecasts], alpha=0.2)
axes.set(xlabel="number of labels", ylabel="accuracy of the pseudo-labels")
axes.legend()
plt.show()

# %%
loop.set_params(budget=150, n_rounds=5)  # as if there were labels for one more round
print(
    f"30 more labels: {loop.forecast(30).accuracy - loop.forecast().accuracy:+.1%}; stop below a gain of 1 %:",
    loop.should_stop(),
)
