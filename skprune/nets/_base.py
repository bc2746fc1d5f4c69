"""What skprune's nets share: data on the device, seeds, and a training loop that does not wait for the device."""

from contextlib import nullcontext, suppress
from functools import partial

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_feature_names
from skorch import NeuralNetClassifier

from skprune._utils._device import fixed_shapes, resolve_device, seeded
from skprune._utils._doc_links import DocLinks
from skprune._utils._forks import limit_forked_threads
from skprune._utils._parameter_checks import check_count, check_option
from skprune._utils._pool import as_pool, check_equal_length
from skprune._utils._precision import choose_precision, has_native_bf16
from skprune._utils._ranks import ALONE, active_ranks
from skprune._utils._seeds import random_state_of
from skprune.nets._build import build_module, check_module
from skprune.nets._callbacks import check_callbacks
from skprune.nets._data import EvalBatches, Scaling, TensorPool
from skprune.nets._data_parallel import together
from skprune.nets._moving_average import MovingAverage
from skprune.nets._parameters import StrictParameters
from skprune.nets._progress import StageBar, TimeEstimate
from skprune.nets._resumable import ResumableTraining
from skprune.nets._rows_by_index import rows_for_net
from skprune.nets._schedule import CosineSchedule
from skprune.nets._standstill import sums_of_weights, warn_of_standstill
from skprune.nets._state import KeptState
from skprune.nets._training_loop import StoppedEarly, TrainingLoop
from skprune.nets._warm_start import WarmStart
from skprune.nets._whitening import whiten

_MOST_EVAL_ROWS = 1024
_EVAL_ROWS_PER_STEP_ROW = 8  # without gradients, activations are freed at once


class BaseNet(DocLinks, StrictParameters, TrainingLoop, ResumableTraining, WarmStart, KeptState, NeuralNetClassifier):
    """Base class of the supervised and the semi-supervised nets."""

    _is_skprune_net = True
    _cycles = None
    _stage = "training"
    _reductions = ("mean", "sum")
    ranks_ = ALONE  # the processes that train together, within the training
    __repr__ = BaseEstimator.__repr__  # changed parameters only; skorch's shows none of them

    @property
    def _default_callbacks(self):
        callbacks = [("schedule", CosineSchedule(self._cycles))]
        if self.ema:
            callbacks.append(("moving_average", MovingAverage()))
        if self.verbose and active_ranks().is_main:
            callbacks.append(("stage_bar", StageBar(self._stage)))
        callbacks.append(("time_estimate", TimeEstimate(self._stage)))
        return callbacks

    def fit(self, X, y):
        """Train from new weights, or with `warm_start` from the last ones. If training fails, the net stays as it was.

        Parameters
        ----------
        X : array-like
            A table (n, d), or images (n, C, H, W), (n, H, W, C) or (n, H, W) of uint8 or float. Float images are scaled from
            their range to [0, 1]. If that range is more than 3 times that of the central 99.8 % of the pixels, the latter is
            used, and the pixels outside are clipped, with a warning.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self
            The fitted net.

        Raises
        ------
        ValueError
            If X, y or a parameter is refused; the message says what to do.
        FloatingPointError
            If the loss becomes NaN or infinite; the message names the step, the learning rate and the precision.
        """
        return self._fit(X, y, classes=None, anew=True)

    def partial_fit(self, X, y, classes=None):
        """Continue training for ``max_epochs`` epochs from the present weights; the first call is a fit.

        The learning rate schedule, the moving average of the weights and the running means of the pseudo-labels restart.

        Parameters
        ----------
        X : array-like
            As in :meth:`fit`.
        y : array-like of shape (n_samples,)
            Labels from the classes of the first call.
        classes : array-like, default=None
            All classes, for the first call, whose `y` may lack some; later calls ignore it.

        Returns
        -------
        self
            The net.

        Raises
        ------
        ValueError
            As in :meth:`fit`; also if `y` holds a new class.
        FloatingPointError
            As in :meth:`fit`.
        """
        anew = not self.initialized_
        return self._fit(X, y, classes=classes if anew else self.classes_, anew=anew)

    def _fit(self, X, y, classes, anew):
        pool = as_pool(X, self.image_shape, estimator=self)
        if y is not None:
            check_equal_length(pool, y)  # before what a short y lacks is named
        codes, classes = self._encode(y, classes)
        if len(codes) < 2:
            raise ValueError(f"X has 1 row, and {type(self).__name__} needs at least two, as batch normalization does.")
        self.check_parameters()
        is_fit, anew = anew, anew and not self._goes_on(pool.shape[1:], classes)
        if not anew:
            _check_feature_names(self, X, reset=False)
            self._check_shape(pool)
        with self._shortened(is_fit and not anew, codes), self._all_or_nothing(anew):
            if anew:
                self._prepare(pool.shape[1:], classes, Scaling.fit(pool))
                _check_feature_names(self, X, reset=True)
                self.seed_ = int(random_state_of(self.random_state).randint(2**31 - 1))
                self.initialized_ = False
            with seeded(self._epoch_seed(), self.device_), fixed_shapes(self.device_):
                if anew:
                    self.initialize()
                    whiten(self.module_, pool, self._on_device)
                    self._take_running()
                self._train(pool, codes)
            if is_fit:
                self._look_back(pool, codes)
        return self

    def _look_back(self, pool, codes):
        """Look at the net that a fit has trained."""

    def _epoch_seed(self):
        """Return the seed of the training to come, a different one each time training continues."""
        return (self.seed_ + (len(self.history) if self.initialized_ else 0)) % 2**31

    def predict(self, X):
        """Predict class labels.

        Parameters
        ----------
        X : array-like
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.

        Raises
        ------
        FloatingPointError
            As in :meth:`predict_proba`.
        """
        positions = self.predict_proba(X).argmax(axis=1)
        return self.classes_[positions]

    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Rows sum to 1; columns follow ``classes_``.

        Raises
        ------
        ValueError
            If X does not have the shape that fit saw.
        FloatingPointError
            If an output is NaN or infinite; the message names the first such row and the precision.
        """
        self.check_is_fitted()
        rows, start = self.get_dataset(X), 0
        proba = np.empty((len(rows), len(self.classes_)))
        as_probabilities = self._get_predict_nonlinearity()
        forward = partial(type(self).forward_iter, self)
        if isinstance(
            X, TensorPool
        ):  # which EpochScoring may have seen: it then puts what it collected in place of the method
            forward = self.forward_iter
        for outputs in forward(rows, training=False):
            part = as_probabilities(outputs[0] if isinstance(outputs, tuple) else outputs)
            proba[start : start + len(part)] = part.cpu().numpy()
            start += len(part)
        total = proba.sum(axis=1)
        finite = np.isfinite(total)
        if not finite.all():
            raise FloatingPointError(
                f"The outputs of {type(self).__name__} are not finite for {int((~finite).sum())} of {len(proba)} rows, first for "
                f"row {int(finite.argmin())}, at precision {self.precision_!r}. Lower lr (now {self.lr:.3g}), look for extreme "
                f"values in X"
                f"{', or set precision=' + repr('fp32') if self.precision_ == 'bf16' else ''}."
            )
        proba /= total[:, None]
        return proba

    def get_dataset(self, X, y=None):
        """Return X as a pool on the device (skorch's hook)."""
        if isinstance(X, TensorPool):
            return X
        limit_forked_threads()
        self.check_is_fitted()
        _check_feature_names(self, X, reset=False)
        pool = as_pool(X, self.image_shape, estimator=self, like=self.shape_)
        self._check_shape(pool)
        return self._on_device(pool)

    def _on_device(self, pool, codes=None):
        """Return a pool that was read, whose axes are as `shape_` says, as the net sees it."""
        return TensorPool(rows_for_net(pool, self.scaling_, self.device_), codes, self.scaling_)

    def get_iterator(self, dataset, training=False):
        """Return the batches (skorch's hook)."""
        if not training:
            return EvalBatches(dataset, self._eval_rows())
        batches = self._train_batches(dataset, self._epoch_seed())
        self._resume(batches)
        return batches

    def _eval_rows(self):
        """Return how many rows an evaluation pass takes: as many as fit where a training step fits."""
        step_rows = self.batch_size * (1 + getattr(self, "mu", 0))
        return min(_MOST_EVAL_ROWS, _EVAL_ROWS_PER_STEP_ROW * step_rows)

    def check_data(self, X, y=None):
        """Do nothing (skorch's hook): ``fit`` has checked the data."""

    def initialize_module(self):
        """Build the network for the data (skorch's hook)."""
        if not hasattr(self, "shape_"):
            raise RuntimeError(f"{type(self).__name__} builds its network to fit the data: call fit, not initialize.")
        module = build_module(self.module, self.shape_, len(self.classes_), self.get_params_for("module"))
        self.built_from_ = self._network()
        self.narrow_ = check_module(module, self.shape_, len(self.classes_))
        self._resolve_precision()
        self.module_ = module.to(self.device_, memory_format=torch.channels_last)
        return self

    def torch_compile(self, module, name):
        """Compile the network in place (skorch's hook): weights keep their names, and pickles hold no compiled code."""
        if self.compile and name.startswith("module"):
            module.compile(**{"dynamic": False} | self.get_params_for("compile"))  # the shapes of a step repeat
        return module

    def get_params_for(self, prefix):
        """Return the parameters of a part of the net (skorch's hook); class weights may be any array-like of numbers.

        Parameters
        ----------
        prefix : str
            The part, such as "criterion".

        Returns
        -------
        dict
            Its parameters by their names without the prefix.
        """
        parameters = super().get_params_for(prefix)
        if prefix == "criterion" and parameters.get("weight") is not None:
            parameters["weight"] = torch.as_tensor(parameters["weight"], dtype=torch.float32)
        return parameters

    def initialize_criterion(self):
        """Build the criterion on the device (skorch's hook)."""
        super().initialize_criterion()
        self.criterion_ = self.criterion_.to(self.device_)
        return self

    def initialize_optimizer(self, triggered_directly=None):
        """Build the optimizer (skorch's hook); note the rates of groups that do not follow `lr`."""
        super().initialize_optimizer(triggered_directly)
        for group in self.optimizer_.param_groups:
            if group["lr"] != self.lr:
                group["initial_lr"] = group["lr"]
        return self

    def infer(self, x, **fit_params):
        """Return the logits of a batch, in float32 (skorch's hook)."""
        return self._forward(self.module_, x["X"] if isinstance(x, dict) else x)

    def _share(self, part_y, y):
        """Return the factor with which the loss of a part of the labeled rows adds to that of all."""
        if self.criterion_.reduction == "sum":
            return 1.0
        if self.criterion_.weight is None:
            return len(part_y) / len(y)
        return self.criterion_.weight[part_y].sum() / self.criterion_.weight[y].sum()

    def _forward(self, module, x):
        # evaluation has shapes of its own, for which compiling would take longer than it saves
        stance = torch.compiler.set_stance("force_eager") if self.compile and not module.training else nullcontext()
        with stance, torch.autocast(self.device_.type, torch.bfloat16, enabled=self.precision_ == "bf16"):
            return module(x).float()

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the loss of a batch (skorch's hook)."""
        return self.criterion_(y_pred, y_true)

    def _train(self, pool, codes):
        self.confident_ = None
        data = self._on_device(pool, torch.from_numpy(codes))
        steps = self._steps_per_epoch(codes)
        self.n_steps_planned_ = steps * self.max_epochs
        self.n_steps_scheduled_ = steps * max(self.max_epochs, getattr(self, "schedule_epochs", None) or 0)
        self._first_epoch, self._is_cut = len(self.history), False
        weights = sums_of_weights(self.module_)
        with together(self, pool, codes):
            self.notify("on_train_begin", X=data, y=None)
            with suppress(StoppedEarly):
                self.fit_loop(data, None, epochs=self._epochs_to_train())
            self.notify("on_train_end", X=data, y=None)
        warn_of_standstill(self, weights)
        self.confident_ = None
        del self._first_epoch, self._is_cut
        self._forget_running()

    def _prepare(self, shape, classes, scaling):
        self.shape_ = tuple(int(side) for side in shape)
        self.n_features_in_ = int(np.prod(shape))
        self.classes_inferred_ = classes
        self.scaling_ = scaling
        self.device_ = resolve_device(self.device)

    def _resolve_precision(self):
        """Decide the number format, from the network as built and the hardware at hand."""
        self.precision_ = choose_precision(
            self.precision,
            self.device_.type,
            is_image=len(self.shape_) == 3,
            native=has_native_bf16(self.device_),
            narrow=self.narrow_,
        )

    def _check_shape(self, pool):
        n_features = int(np.prod(pool.shape[1:]))
        if n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                "input."
            )
        if pool.shape[1:] != self.shape_:
            raise ValueError(f"X has rows of shape {pool.shape[1:]}, but fit saw rows of shape {self.shape_}.")

    def check_parameters(self):
        """Check the parameters that do not depend on the data, as ``fit`` does.

        Raises
        ------
        ValueError
            If a parameter is refused.
        """
        check_count("max_epochs", self.max_epochs)
        check_count("batch_size", self.batch_size, least=2)  # batch normalization needs two rows
        check_count("micro_batch", getattr(self, "micro_batch", None), least=2, optional=True)
        optional, words = (False, ("auto",)) if hasattr(self, "mu") else (True, ())
        check_count("n_steps", self.n_steps, optional=optional, words=words)
        check_count("schedule_epochs", getattr(self, "schedule_epochs", None), optional=True)
        if hasattr(self, "mu"):
            check_count("mu", self.mu)
        for name in ("ema", "compile", "warm_start"):
            check_option(name, getattr(self, name), (True, False))
        check_callbacks(self)
        check_option("criterion__reduction", getattr(self, "criterion__reduction", "mean"), self._reductions)
        check_option("precision", self.precision, ("auto", "bf16", "fp32"))
        if hasattr(self, "optimizer__lr"):
            raise ValueError(
                f"optimizer__lr is not used, because {type(self).__name__} schedules the learning rate. Set lr instead, got "
                f"optimizer__lr={self.optimizer__lr!r}."
            )

    def _scores_batches(self):
        """Tell whether an epoch shows each row once, with its label, to this process."""
        return False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # made dense
        tags.input_tags.three_d_array = True
        return tags
