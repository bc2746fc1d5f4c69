"""Parameters of nets: those of the signature, those with a prefix, and nothing else."""

import inspect

_PREFIXES = ("module__", "criterion__", "optimizer__", "callbacks__")


class StrictParameters:
    """Mixin before skorch's NeuralNetClassifier that knows its parameters, where skorch takes any keyword until fit.

    The class that mixes it in has an ``__init__`` of its own that is not looked at; those of its subclasses are.
    """

    @classmethod
    def _signature(cls):
        names = {}
        for home in cls.__mro__[: cls.__mro__.index(StrictParameters) - 1]:
            if "__init__" in vars(home):
                parameters = inspect.signature(home.__init__).parameters.values()
                names |= {p.name: None for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD}
        return list(names)

    @classmethod
    def _refuse_unknown(cls, keywords):
        unknown = sorted(key for key in keywords if not key.startswith(_PREFIXES))
        if unknown:
            raise TypeError(
                f"{cls.__name__} got an unexpected keyword argument {unknown[0]!r}. Its parameters are "
                f"{', '.join(cls._signature())}, and {', '.join(_PREFIXES)} followed by a name."
            )

    def _get_param_names(self):
        return self._signature() + sorted(k for k in vars(self) if k.startswith(_PREFIXES) and not k.endswith("_"))

    def set_params(self, **params):
        """Set parameters; an unknown one raises ValueError, as everywhere in scikit-learn.

        Parameters
        ----------
        **params
            Parameters of the signature or with a prefix.

        Returns
        -------
        self
            The net.
        """
        valid = set(self._signature())
        unknown = sorted(key for key in params if key not in valid and not key.startswith(_PREFIXES))
        if unknown:
            raise ValueError(
                f"Invalid parameter {unknown[0]!r} for estimator {type(self).__name__}. Valid parameters are: "
                f"{sorted(valid)}, and names with a prefix out of {_PREFIXES}."
            )
        return super().set_params(**params)
