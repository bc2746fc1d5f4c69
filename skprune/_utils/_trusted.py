"""Which classes and functions a file may name: those listed here, those of skprune, and those that the user trusts."""

import sys
from functools import partial
from importlib import import_module

_OF_PACKAGES = ("skprune.", "torch.nn.", "torch.optim.")
_NEURAL_NETS = ("skorch.classifier.NeuralNetBinaryClassifier", "skorch.classifier.NeuralNetClassifier")

_FUNCTIONS = "skprune.scores."  # what a difficulty may be; other functions of skprune read and write files

TRUSTED = (
    # What skops trusts, public estimators of scikit-learn above all, and:
    "collections.OrderedDict",
    "functools.partial",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{name}"
        for name in ("ConstantKernel", "Matern", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel")
    ),
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    *(f"sklearn.metrics._dist_metrics.{name}Distance64" for name in ("Chebyshev", "Euclidean", "Manhattan")),
    "sklearn.metrics._scorer._PassthroughScorer",
    *(
        f"sklearn.model_selection._split.{name}"
        for name in ("KFold", "ShuffleSplit", "StratifiedKFold", "StratifiedShuffleSplit")
    ),
    *(f"sklearn.neural_network._stochastic_optimizers.{name}Optimizer" for name in ("Adam", "SGD")),
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
    # What `check_indices` looks through, because it reads memory by the indices that it holds:
    *(f"scipy.sparse._{form}.{form}_{kind}" for form in ("csc", "csr") for kind in ("array", "matrix")),
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
_PARTS = {  # what a classifier holds; trusted where the classifier is
    "lightgbm.sklearn.LGBMClassifier": ("lightgbm.basic.Booster",),
    "xgboost.sklearn.XGBClassifier": ("xgboost.core.Booster", "builtins.bytearray"),
    "xgboost.sklearn.XGBRFClassifier": ("xgboost.core.Booster", "builtins.bytearray"),
}


class UntrustedNames(ValueError):
    """A file names what nobody has said to trust."""

    def __init__(self, names):
        self.names = sorted(names)
        super().__init__(
            f"it names {', '.join(self.names)}, which skprune does not know. If these are yours, or you trust whoever wrote "
            f"them, pass trusted={self.names!r}; loading may then run code of theirs."
        )


def name_of(kind):
    """Return the dotted name of a class or function."""
    return f"{kind.__module__}.{kind.__qualname__}"


def names_in(estimator):
    """Return the names of all classes and functions among an estimator and its parameters, which a user has passed."""
    names, open_values, seen = set(), [estimator], set()
    while open_values:
        value = open_values.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if hasattr(value, "get_params") and not isinstance(value, type):
            names.add(name_of(type(value)))
            open_values += value.get_params(deep=False).values()
        elif isinstance(value, partial):
            open_values += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            open_values += value
        elif isinstance(value, dict):
            open_values += value.values()
        elif hasattr(value, "__qualname__") and hasattr(value, "__module__"):
            names.add(name_of(value))
    return names


def with_parts(names):
    """Return names that are trusted, and those of what the classifiers among them hold."""
    return {*names, *(part for name in names for part in _PARTS.get(name, ()))}


def strange_names(names):
    """Return the names that a file may hold only for those who trust them, without what the classifiers among them hold."""
    known = (*TRUSTED, *_NEURAL_NETS)
    strange = {name for name in names if name not in known and not name.startswith(_OF_PACKAGES)}
    return sorted(strange.difference(part for name in strange for part in _PARTS.get(name, ())))


def resolve(name, trusted=()):
    """Return the class or function of a name; nothing is imported for a name that is not trusted."""
    if not (name in trusted or name in _NEURAL_NETS or name.startswith(_OF_PACKAGES)):
        raise UntrustedNames([name])
    found = _find(name)
    if found is None:
        raise ValueError(f"it names {name}, which is not there.")
    if name in trusted:
        return found
    if name.startswith("skprune.") and not (isinstance(found, type) or name.startswith(_FUNCTIONS)):
        raise UntrustedNames([name])
    if name.startswith("torch."):
        torch = sys.modules["torch"]
        if not (isinstance(found, type) and issubclass(found, (torch.nn.Module, torch.optim.Optimizer))):
            raise UntrustedNames([name])
    return found


def _find(name):
    """Return what has exactly this name, None if nothing has."""
    parts = name.split(".")
    for n_modules in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:n_modules]))
        except ImportError:
            continue
        for part in parts[n_modules:]:
            found = getattr(found, part, None)
        # what a module has imported from elsewhere is not its own
        is_own = callable(found) and hasattr(found, "__qualname__") and name_of(found) == name
        return found if is_own else None
    return None


def check_names(names, trusted):
    """Return the names that a skops file may hold; refuse those that are not trusted, and nets, which unpickle."""
    unknown = [name for name in names if not (name in trusted or name in TRUSTED or name.startswith("skprune."))]
    if unknown:
        raise UntrustedNames(unknown)
    for name in set(names).difference(TRUSTED):
        found = _find(name)
        if hasattr(found, "initialize_module"):
            raise ValueError(f"it holds a net, {name}, in a form that could run code.")
        if name not in trusted and not isinstance(found, type):
            raise UntrustedNames([name])
    return names
