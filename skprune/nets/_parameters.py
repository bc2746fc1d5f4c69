"""Parameters of nets: those of the signature, names with a prefix, and nothing else."""

import inspect

import torch
from sklearn.base import clone
from skorch import NeuralNet

_SKORCH = ("module", "criterion", "optimizer", "callbacks", "compile")
_PREFIXES = tuple(f"{name}__" for name in _SKORCH)


class StrictParameters:
    """Mixin for skorch classifiers that refuses unknown keywords at construction; skorch takes any keyword until fit."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        parameters = {}
        for base in reversed(cls.__mro__[: cls.__mro__.index(StrictParameters)]):
            if "__init__" in vars(base):
                declared = inspect.signature(base.__init__).parameters
                added = {name: parameter for name, parameter in declared.items() if name not in parameters}
                parameters = added | {name: declared.get(name, parameter) for name, parameter in parameters.items()}
        itself = parameters.pop("self", None)
        in_order = sorted(parameters.values(), key=lambda parameter: parameter.kind)
        cls.__signature__ = inspect.Signature(in_order)
        if "__init__" in vars(cls):  # repr looks here for the defaults
            cls.__init__.__signature__ = inspect.Signature([itself, *in_order])

    def _store(self, arguments):
        """Store the ``locals()`` of a constructor: skorch keeps the parameters that it knows, the net the others."""
        parameters = {name: value for name, value in arguments.items() if name not in ("self", "kwargs", "__class__")}
        parameters |= arguments["kwargs"]
        names = set(self._signature())
        prefixed = {name: parameters.pop(name) for name in set(parameters) - names}
        self._refuse_unknown(prefixed)
        self._refuse_modules(parameters)
        skorch_names = set(inspect.signature(NeuralNet.__init__).parameters)
        super().__init__(
            criterion=torch.nn.CrossEntropyLoss,
            train_split=None,
            **{name: value for name, value in parameters.items() if name in skorch_names},
            **prefixed,
        )
        for name in set(parameters) - skorch_names:
            setattr(self, name, parameters[name])

    @classmethod
    def _signature(cls):
        return [p.name for p in cls.__signature__.parameters.values() if p.kind is not p.VAR_KEYWORD]

    @classmethod
    def _refuse_unknown(cls, keywords):
        cls._refuse_group_entries(keywords)
        unknown = sorted(key for key in keywords if not key.startswith(_PREFIXES))
        if unknown:
            raise TypeError(
                f"{cls.__name__} got an unexpected keyword argument {unknown[0]!r}. Its parameters are "
                f"{', '.join(cls._signature())}, and {', '.join(_PREFIXES)} followed by a name."
            )

    @classmethod
    def _refuse_group_entries(cls, keywords):
        """Refuse the names by which skorch changes the groups of an optimizer that is there: the next fit builds another."""
        entries = sorted(key for key in keywords if key.startswith("optimizer__param_groups__"))
        if entries:
            raise ValueError(
                f"{entries[0]} is no parameter of {cls.__name__}, since each fit builds a new optimizer. Use "
                "optimizer__param_groups=[(pattern, options), ...]."
            )

    @classmethod
    def _refuse_modules(cls, parameters):
        """Refuse a transform that is a torch module, as those of torchvision are, where a function is called."""
        for name in set(parameters).difference(_SKORCH):
            if isinstance(parameters[name], torch.nn.Module):
                kind = type(parameters[name]).__name__
                raise TypeError(
                    f"{name} must be a function of a batch and a generator, and {kind} is a torch module. To apply it to each "
                    f"image, pass a function: def {name}(x, generator): return torch.stack([transform(image) for image in x])."
                )

    def _get_param_names(self):
        return self._signature() + sorted(k for k in vars(self) if k.startswith(_PREFIXES) and not k.endswith("_"))

    def set_params(self, **params):
        """Set parameters for the next fit.

        Parameters
        ----------
        **params
            Parameters of the signature, or names with a prefix such as ``module__``. A name like ``strong__n_ops`` sets a
            parameter of an augmentation, in a copy of it.

        Returns
        -------
        self
            The net.

        Raises
        ------
        ValueError
            There is no such parameter.
        """
        valid = set(self._signature())
        nested = {
            key: params.pop(key)
            for key in sorted(params)
            if "__" in key and key.split("__")[0] in valid.difference(_SKORCH)
        }
        unknown = sorted(key for key in params if key not in valid and not key.startswith(_PREFIXES))
        if unknown:
            raise self._invalid(unknown[0])
        self._refuse_group_entries(params)
        self._refuse_modules({key: value for key, value in params.items() if key in valid})
        for key, value in nested.items():
            owner_name, name = key.split("__", 1)
            owner = params.get(owner_name, getattr(self, owner_name))
            if not hasattr(owner, "set_params") or name not in owner.get_params():
                raise self._invalid(key)
            params[owner_name] = clone(owner).set_params(**{name: value})
        initialized, self.initialized_ = self.initialized_, False  # skorch would give an initialized net new weights
        try:
            super().set_params(**params)
        finally:
            self.initialized_ = initialized
        # skorch tells the optimizer of a fitted net alone, and the next fit builds another
        for key, value in params.items():
            if key.startswith("optimizer__"):
                setattr(self, key, value)
        return self

    def _invalid(self, key):
        return ValueError(
            f"Invalid parameter {key!r} for estimator {type(self).__name__}. Valid parameters are: "
            f"{sorted(self._signature())}, and names with a prefix out of {_PREFIXES}."
        )
