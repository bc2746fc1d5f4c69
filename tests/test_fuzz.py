"""Random configurations of SemiPrune: each works, or is refused by the name of a parameter before any training."""

import re
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from unittest import mock

import numpy as np
from fuzzing import (
    DIFFICULTIES,
    LABELERS,
    PROXIES,
    SELECTIONS,
    assert_size,
    assert_sound,
    global_states_untouched,
    make_pool,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import SemiPrune
from skprune.dynamics import Recording
from skprune.scores import dual, el2n
from skprune.selection import Random

PARAMS = st.fixed_dictionaries(
    {
        "labeler": st.sampled_from(LABELERS),
        "proxy": st.sampled_from(PROXIES),
        "difficulty": st.sampled_from([*DIFFICULTIES, partial(dual, window=3), partial(el2n, n_epochs=2)]),
        "n_epochs": st.sampled_from([2, 6, 10, 10, 11, 12]),
        "estimate_accuracy": st.sampled_from([False, False, "auto", True]),
        "random_state": st.sampled_from([0, 1, 2]),
    },
    optional={
        "selection": st.sampled_from(SELECTIONS),
        "goal": st.sampled_from(["auto", "annotate", "pseudo"]),
        "duplicates": st.sampled_from(["propose_one", "ignore"]),
        "groups_select": st.sampled_from(["all", "one"]),
        "schedule_epochs": st.sampled_from([12, 20]),
        "n_repeats": st.integers(1, 2),
        "record": st.sampled_from(["train", "eval", Recording("eval", kl=False), Recording(every=2)]),
        "include_labeled": st.booleans(),
        "on_divergence": st.sampled_from(["raise", "retry"]),
        "checkpoint_every": st.sampled_from([0, 60.0]),
        "n_jobs": st.sampled_from([None, 1]),
        "device": st.sampled_from([None, "cpu"]),
    },
)


@st.composite
def configurations(draw):
    """Draw a pool and parameters that mostly fit it."""
    n = draw(st.one_of(st.integers(6, 40), st.integers(66, 90)))
    n_classes = draw(st.integers(2, 3))
    n_labeled = draw(st.integers(n_classes, n))
    kind = draw(st.sampled_from(["clusters", "noise", "equal rows"]))
    pool = make_pool(draw(st.integers(0, 99)), n, n_classes, n_labeled, kind)
    sizes = [st.just({}), st.builds(dict, ratio=st.floats(0.05, 1.0)), st.builds(dict, ratio=st.integers(2, n))]
    budgets = st.builds(dict, budget=st.integers(1, max(1, n - n_labeled)))
    return pool, draw(PARAMS) | draw(st.one_of(*sizes, budgets))


REFUSED = [
    *(("ratio", value) for value in (0.0, -0.5, 1, 1.5, np.nan, True, None, "half", 10**6)),
    *(("budget", value) for value in (0, -1, 2.5, True, "all", 10**6)),
    *(("labeler", value) for value in ("softmach", LabelSpreading, object(), SGDClassifier(), 3)),
    *(
        ("proxy", value)
        for value in ("labelr", SGDClassifier, object(), SGDClassifier(), MLPClassifier(solver="lbfgs"), 3)
    ),
    *((name, GaussianNB()) for name in ("labeler", "proxy")),
    *(("difficulty", value) for value in ("duall", 3, [], [[]], "grand", partial(dual, window=50), lambda d: "hard")),
    *(("selection", value) for value in ("betta", Random, object(), 3, None)),
    *((name, value) for name in ("n_epochs", "schedule_epochs", "n_repeats") for value in (0, -1, 2.5, True, "many")),
    *((name, "yes") for name in ("include_labeled", "warm_start", "compare_with_random", "estimate_accuracy")),
    *((name, "most") for name in ("goal", "duplicates", "groups_select", "record", "on_divergence")),
    *(("checkpoint_every", value) for value in (-1.0, np.inf, "often")),
    *(("n_jobs", value) for value in (0, 1.5, True, "all")),
    *(("verbose", value) for value in (-1, 0.5, "loud")),
    *((name, value) for name in ("memory", "checkpoint") for value in ("", 3)),
    *(("random_state", value) for value in (-1, 0.5, "now", 2**40)),
    *((name, value) for name in ("image_size", "image_shape") for value in (-1, "big", 0.5)),
    *(("missing_label", value) for value in ([], "-1", {0: 1})),
    ("device", "abacus"),
]


@contextmanager
def noted_trainings():
    """Note how many rows each training of a labeler or proxy sees; a trial of more than 64 rows sees 64 of them."""
    seen = []

    def noting(method):
        @wraps(method)
        def noted(self, X, *args, **kwargs):
            seen.append(len(X))
            return method(self, X, *args, **kwargs)

        return noted

    with ExitStack() as stack:
        for model, name in [(LabelSpreading, "fit"), (SelfTrainingClassifier, "fit"), (SGDClassifier, "partial_fit")]:
            stack.enter_context(mock.patch.object(model, name, noting(getattr(model, name))))
        yield seen


# refusals after a training: a trial that fails, outputs that tell nothing, classes of pseudo-labels that do not fit into k rows
DEPENDS_ON_TRAINING = ("fails in a trial", "show no difficulty", "rows, above the")


def refusal_of(pruner, pool, labels, groups=None):
    """Fit, and return the message of a refusal; None if there is none. A refusal leaves all as it was, and trains nothing."""
    given = {name: id(value) for name, value in pruner.get_params(deep=False).items()}
    X, y = pool.X.copy(), labels.copy()
    with global_states_untouched(), noted_trainings() as seen:
        try:
            pruner.fit(pool.X, labels, groups=groups)
            message = None
        except (ValueError, TypeError) as error:
            message = str(error)
    assert {name: id(value) for name, value in pruner.get_params(deep=False).items()} == given
    np.testing.assert_array_equal(pool.X, X)
    np.testing.assert_array_equal(labels, y)
    if message is not None:
        assert not [name for name in vars(pruner) if name.endswith("_")]
        if len(X) > 64 and not any(part in message for part in DEPENDS_ON_TRAINING):
            assert len(X) not in seen, f"refused after a training: {message}"
    return message


def names_one_of(message, names):
    """Tell whether a message names a parameter, its own or that of a selector or recording."""
    return re.search(rf"\b({'|'.join(names)})\b", message) is not None


@settings(settings.get_profile("configurations"))
@given(
    configuration=configurations(),
    with_groups=st.sampled_from([False, False, True]),
    encoding=st.sampled_from(["-1", "NaN"]),
)
def test_a_configuration_works_or_is_refused(configuration, with_groups, encoding):
    pool, params = configuration
    labels, groups = pool.labels(encoding), pool.groups if with_groups else None
    pruner = SemiPrune(**params)
    message = refusal_of(pruner, pool, labels, groups)
    again = clone(pruner)
    if message is not None:
        assert names_one_of(message, [*pruner.get_params(deep=False), "y", "groups", "min_per_class", "hard_cutoff"]), (
            message
        )
        assert message == refusal_of(again, pool, labels, groups)
        return
    assert_sound(pruner, pool, labels)
    assert_size(pruner.support_, pool, params, groups)
    with global_states_untouched():
        again.fit(np.asfortranarray(pool.X), pool.labels("texts"), groups=groups)
    np.testing.assert_array_equal(again.support_, pruner.support_)
    np.testing.assert_array_equal(again.annotation_indices_, pruner.annotation_indices_)
    np.testing.assert_array_equal(again.difficulty_scores_, pruner.difficulty_scores_)


@settings(settings.get_profile("configurations"))
@given(seed=st.integers(0, 99), params=PARAMS, wrong=st.sampled_from(REFUSED))
def test_a_value_that_is_wrong_is_named(seed, params, wrong):
    pool, (name, value) = make_pool(seed, n=70, n_classes=3, n_labeled=20), wrong
    pruner = SemiPrune(**params | {"difficulty": "aum", "record": "train", "schedule_epochs": 20})
    message = refusal_of(pruner.set_params(**{name: value}), pool, pool.labels())
    assert message is not None, f"{name}={value!r} is not refused"
    assert names_one_of(message, [name]), message
