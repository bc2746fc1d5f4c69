"""
The first labels: which rows to start from
==========================================

No row has a label yet. Labels of random rows repeat what is common, and may miss a class. The rows that
:func:`~skprune.suggest_first_labels` names cover the pool instead.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skprune import suggest_first_labels

X, y = load_digits(return_X_y=True)
X_pool, X_test, y_pool, y_test = train_test_split(X, y, random_state=0)
rows = suggest_first_labels(X_pool, 100, random_state=0)

# %%
# The first twenty
# ----------------
#
# Typical digits come first, and each prefix is a suggestion as well: label as many as you can, from the front.

figure, axes = plt.subplots(2, 10, figsize=(8, 2), layout="constrained")
for place, row in zip(axes.flat, rows, strict=False):
    place.imshow(X_pool[row].reshape(8, 8), cmap="gray_r")
    place.set_axis_off()
plt.show()

# %%
# What they are worth
# -------------------
#
# Logistic regression, trained on the first rows with their true labels, against random ones.


def accuracy(chosen):
    if len(set(y_pool[chosen])) == 1:
        return np.mean(y_test == y_pool[chosen[0]])
    return LogisticRegression(max_iter=1000).fit(X_pool[chosen], y_pool[chosen]).score(X_test, y_test)


sizes = [10, 20, 50, 100]
orders = [np.random.default_rng(seed).permutation(len(X_pool)) for seed in range(10)]
by_chance = np.array([[accuracy(order[:n]) for n in sizes] for order in orders])
suggested = [accuracy(rows[:n]) for n in sizes]
for n, of_random, of_suggested in zip(sizes, by_chance.mean(axis=0), suggested, strict=True):
    print(f"{n:4} rows: random {of_random:.1%}, suggested {of_suggested:.1%}")

# %%

figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.errorbar(sizes, by_chance.mean(axis=0), by_chance.std(axis=0, ddof=1), capsize=3, label="random, 10 draws")
axes.plot(sizes, suggested, marker="o", label="suggested")
axes.set(xlabel="number of labels", ylabel="test accuracy", xscale="log", xticks=sizes, xticklabels=sizes)
axes.legend()
plt.show()
