"""The loop that all semi-supervised nets share; what they differ in is a rule."""

from abc import ABC, abstractmethod
from numbers import Integral
from string import Template

import numpy as np
import torch

from skprune._utils._checks import check_number
from skprune._utils._labels import MISSING, encode_labels, warn_of_vanished
from skprune.augment._defaults import default_policies
from skprune.nets._base import BaseNet
from skprune.nets._optimizer import NesterovSGD
from skprune.semi_supervised._alignment import ALIGNMENTS, Alignment
from skprune.semi_supervised._batches import SemiSupervisedBatches

_LOOKED_AT = 4096

_PARAMETERS = """n_steps : int, default=1500
        Optimiser steps an epoch.
    batch_size : int, default=64
        Labelled rows a step.
    mu : int, default=7
        Unlabelled rows a step, for each labelled one.
    unlabeled_weight : float, default=$unlabeled_weight
        Weight of the unlabelled loss, at least 0.
    teacher : {"student", "ema"}, default="$teacher"
        Who predicts the targets: the net in training, or the moving average of its weights, which needs `ema`.
    alignment : {None, "uniform", "labels", "learnt"}, default=$alignment
        Distribution alignment of the pseudo-labels (ReMixMatch, arXiv 1911.09785, section 3.1), towards equal shares, the
        class frequencies of the labelled rows, or the running mean of the predictions on labelled rows.
    balanced : bool, default=False
        Whether labelled rows are drawn so that all classes are equally frequent; "learnt" then comes near equal shares.
    logit_adjustment : float, default=0.0
        The factor of the log class frequencies that are added to the logits while training (arXiv 2007.07314, eq. 10), so
        that predictions are those of equally frequent classes; 1 is the consistent choice. No effect with `balanced`.
    micro_batch : int, default=None
        About how many rows a forward and a backward pass take, labelled ones among them; None: all of a step at once. A step has
        `batch_size` parts at most, and the pass without gradient stays whole. Smaller passes need less memory, and less time
        where a CPU would spend it on fresh pages for large activations. Batch normalisation then sees each part by itself
        (ghost batch normalisation, arXiv 1705.08741), as do FreeMatch's fairness term and PseudoLabel's running means.
    max_epochs : int, default=1
        Epochs.
    lr : float, default=0.1
        Initial learning rate, which falls as ``lr * cos(7 pi k / 16 K)`` at step k of K (arXiv 2001.07685, section 2.4).
        The papers' 0.03 is for runs a thousand times as long.
    optimizer : class, default=NesterovSGD
        Torch optimiser; its arguments as ``optimizer__name``. SGD with Nesterov momentum 0.9, weight decay 5e-4.
    weak, strong : {"auto", None} or callable, default="auto"
        Augmentations ``augment(x, generator) -> x`` of a batch on the device, images in [0, 1] and table rows
        standardised; the generator is on the CPU. "auto" takes those of :mod:`skprune.augment`, None leaves rows as they are.
        The strong one gets weakly augmented rows.
    labeled_strong : float or "auto", default="auto"
        The part of the labelled rows of a step that is strongly augmented too, in [0, 1]. The papers' is 0; "auto" takes 0.5
        for images, where 0 overfits the labels in short runs, and 0 for tables.
    ema : bool, default=True
        Whether to predict with the moving average of the weights, of decay ``min(0.999, (1 + k) / (10 + k))``.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images come as flat rows.
    callbacks : list, default=None
        Further skorch callbacks.
    random_state : int, RandomState or None, default=None
        Initial weights, order and augmentation.
    device : str or None, default=None
        None takes CUDA where there is one, else the CPU.
    precision : {"auto", "bf16", "fp32"}, default="auto"
        "auto" computes convolutional nets in bfloat16 where the hardware multiplies it natively.
    compile : bool, default=False
        Whether ``torch.compile`` compiles the network; its arguments as ``compile__name``.
    verbose : int, default=0
        1 shows a progress bar.
    **kwargs
        ``module__``, ``criterion__``, ``optimizer__``, ``callbacks__`` or ``compile__`` followed by a name."""

_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        The labels that occur; never the mark of unlabelled rows.
    n_features_in_ : int
        Numbers a row.
    module_ : torch.nn.Module
        The network, with averaged weights.
    history_ : skorch.history.History
        ``train_loss`` and ``confident`` of each epoch, the mean weight of unlabelled rows."""

_MODULE = """module : class, callable or str, default=None
        The network; its arguments as ``module__name``. None: SmallResNet for images, MLP for tables; a name: a residual net
        of torchvision, such as "resnet18"."""


class SemiSupervisedNet(BaseNet, ABC):
    """Base of the semi-supervised nets."""

    _cycles = 7 / 16
    _stage = "labelling"
    _semi_supervised = True
    _student_view = "strong"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        defaults = {name: p.default for name, p in cls.__signature__.parameters.items()}
        alignment = '"' + defaults["alignment"] + '"' if defaults["alignment"] else None
        parts = {"module": _MODULE, "parameters": _PARAMETERS, "attributes": _ATTRIBUTES}
        for text in (parts, defaults | {"alignment": alignment}):
            if cls.__doc__:
                cls.__doc__ = Template(cls.__doc__).safe_substitute(text)

    def __init__(
        self,
        module=None,
        *,
        n_steps=1500,
        batch_size=64,
        mu=7,
        unlabeled_weight=1.0,
        teacher="student",
        alignment=None,
        balanced=False,
        logit_adjustment=0.0,
        micro_batch=None,
        max_epochs=1,
        lr=0.1,
        optimizer=NesterovSGD,
        weak="auto",
        strong="auto",
        labeled_strong="auto",
        ema=True,
        image_shape=None,
        callbacks=None,
        random_state=None,
        device=None,
        precision="auto",
        compile=False,
        verbose=0,
        **kwargs,
    ):
        self._store(locals())

    @abstractmethod
    def _rule(self):
        """Return the rule of the method; it refuses parameters that make no sense."""

    def _encode(self, y, classes=None):
        return encode_labels(y, classes=None if classes is None else np.unique(classes))

    def _steps_per_epoch(self, n_samples):
        return self.n_steps

    def _check_parameters(self):
        super()._check_parameters()
        name = type(self).__name__
        if self.n_steps is None:
            raise ValueError(f"n_steps must be an integer of at least 1: the batches of {name} have no natural end.")
        if self.labeled_strong != "auto":
            check_number("labeled_strong", self.labeled_strong, 0, 1)
        check_number("unlabeled_weight", self.unlabeled_weight, 0)
        check_number("logit_adjustment", self.logit_adjustment, 0)
        if self.teacher not in ("student", "ema"):
            raise ValueError(f"teacher must be 'student' or 'ema', got {self.teacher!r}.")
        averaged = self.ema and getattr(self, "callbacks__moving_average", True) is not None
        if self.teacher == "ema" and not averaged:
            raise ValueError("teacher='ema' needs ema=True, and its callback moving_average.")
        if getattr(self, "criterion__reduction", "mean") != "mean":
            raise ValueError(f"criterion__reduction must be 'mean', got {self.criterion__reduction!r}.")
        if self.alignment not in (None, *ALIGNMENTS):
            raise ValueError(f"alignment must be None or one of {', '.join(ALIGNMENTS)}, got {self.alignment!r}.")
        micro = self.micro_batch
        if micro is not None and (isinstance(micro, bool) or not isinstance(micro, Integral) or micro < 2):
            raise ValueError(f"micro_batch must be None or an integer of at least 2, got {micro!r}.")
        self._rule()

    def _train(self, pool, codes):
        counts = torch.from_numpy(np.bincount(codes[codes >= 0], minlength=len(self.classes_))).float()
        frequencies = (counts / counts.sum()).to(self.device_)
        prior = torch.zeros_like(frequencies) if self.balanced else frequencies.clamp(min=1e-6).log()
        self.prior_ = self.logit_adjustment * prior
        self.alignment_ = None if self.alignment is None else Alignment(self.alignment, frequencies)
        self.rule_ = self._rule().start(len(self.classes_), len(pool), self.device_)
        self.step_ = 0
        super()._train(pool, codes)
        del self.prior_, self.alignment_, self.rule_, self.step_

    def _look_back(self, pool, codes):
        hidden = np.flatnonzero(codes == MISSING)
        sample = hidden[:: -(-len(hidden) // _LOOKED_AT) or 1]
        if len(sample):
            predicted = np.searchsorted(self.classes_, self.predict(pool[sample]))
            warn_of_vanished(predicted, self.classes_, self)

    def _train_batches(self, pool, seed):
        weak, strong = (self._policy(name, default) for name, default in default_policies(self.shape_).items())
        part = (0.5 if len(self.shape_) == 3 else 0.0) if self.labeled_strong == "auto" else self.labeled_strong
        return SemiSupervisedBatches(
            pool,
            batch_size=self.batch_size,
            mu=self.mu,
            n_steps=self.n_steps,
            weak=weak,
            strong=strong,
            second=self._student_view,
            n_strong=round(part * self.batch_size),
            balanced=self.balanced,
            seed=seed,
        )

    def _policy(self, name, default):
        policy = getattr(self, name)
        if callable(policy):
            return policy
        if policy is None:
            return lambda x, generator: x
        if policy != "auto":
            raise ValueError(f"{name} must be 'auto', None or a callable, got {policy!r}.")
        return default

    def infer(self, x, **fit_params):
        """Return the logits of a batch (skorch's hook).

        Those of a training batch have the rows [labelled B | teacher mu * B | student mu * B]; the teacher's pass has no
        gradient, and where teacher and student see the same view with the same weights it is left out.
        """
        if not (isinstance(x, dict) and self.module_.training):
            return super().infer(x, **fit_params)
        labelled, first, *second = x["X"].split(self._sections())
        teacher = self._teach(first, bool(second))
        trained = self._forward(self.module_, torch.cat([labelled, *(second or [first])]))
        student = trained[len(labelled) :]
        return torch.cat([trained[: len(labelled)], student.detach() if teacher is None else teacher, student])

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the labelled plus the unlabelled loss (skorch's hook)."""
        if not training:
            return super().get_loss(y_pred, y_true, X=X, training=training)
        size, unlabelled = self.batch_size, self.mu * self.batch_size
        labelled, teacher, student = y_pred.split([size, unlabelled, unlabelled])
        target, weight = self._targets(teacher, X["index"][size : size + unlabelled])
        loss = self._loss(labelled, y_true[:size], student, target, weight)
        self._step_done(labelled.detach(), weight)
        return loss

    def train_step_single(self, batch, **fit_params):
        """Make a forward and a backward pass (skorch's hook), in parts of `micro_batch` rows where that is given."""
        if self.micro_batch is None:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        labelled, first, *second = batch[0]["X"].split(self._sections())
        rows = second[0] if second else first
        index = batch[0]["index"][len(labelled) :][: len(rows)]
        teacher = self._teach(first, bool(second))
        n_parts = min(-(-(len(labelled) + len(rows)) // self.micro_batch), len(labelled))
        parts = zip(*(t.tensor_split(n_parts) for t in (labelled, batch[1][: len(labelled)], rows, index)), strict=True)
        losses, logits, weights, targets = [], [], [], None
        for x_labelled, y_labelled, x_student, i in parts:
            trained = self._forward(self.module_, torch.cat([x_labelled, x_student]))
            own, student = trained.split([len(x_labelled), len(x_student)])
            if teacher is None:
                target, weight = self._targets(student, i)
            else:
                targets = targets or zip(*(t.tensor_split(n_parts) for t in self._targets(teacher, index)), strict=True)
                target, weight = next(targets)
            shares = self._share(y_labelled, batch[1][: len(labelled)]), len(student) / len(rows)
            loss = self._loss(own, y_labelled, student, target, weight, *shares)
            loss.backward()
            losses.append(loss.detach())
            logits.append(own.detach())
            weights.append(weight)
        self._step_done(torch.cat(logits), torch.cat(weights))
        return {"loss": torch.stack(losses).sum(), "y_pred": torch.cat(logits)}

    def _teach(self, view, another):
        """Return the teacher's logits of a view; None: they are the student's, which sees the same one with the same weights."""
        own = self.teacher == "student"
        if own and not another:
            return None
        with torch.no_grad():
            module = self.module_ if own else dict(self.callbacks_)["moving_average"].module_
            return self._forward(module, view).clone()  # CUDA graphs write the next output into the same memory

    def _targets(self, teacher, index):
        """Return targets and weights of unlabelled rows, from the teacher's logits."""
        with torch.no_grad():
            proba = (teacher + self.prior_).softmax(dim=1)
            aligned = proba if self.alignment_ is None else self.alignment_(proba)
            target, weight = self.rule_(aligned, index)
            return target if self.rule_.aligned_targets else proba.argmax(dim=1), weight

    def _step_done(self, labelled, weight):
        """Note the mean weight, and learn from the logits of labelled rows what alignment shall aim at."""
        self.confident_ = weight.mean()
        if self.alignment_ is not None:
            self.alignment_.learn((labelled + self.prior_).softmax(dim=1))
        self.step_ += 1

    def _share(self, y, everything):
        """Return the share of some labelled rows in the labelled loss of a step."""
        if self.criterion_.weight is None:
            return len(y) / len(everything)
        return self.criterion_.weight[y].sum() / self.criterion_.weight[everything].sum()

    def _loss(self, labelled, y, student, target, weight, labelled_share=1.0, student_share=1.0):
        """Return the loss; of a part of the rows, with the shares that they are of all."""
        ramp = self.unlabeled_weight * self.rule_.ramp(self.step_ / self.n_steps_planned_)
        unlabelled = self.rule_.loss(student + self.prior_, target, weight)
        return labelled_share * self.criterion_(labelled + self.prior_, y) + student_share * ramp * unlabelled

    def _sections(self):
        unlabelled = self.mu * self.batch_size
        return [self.batch_size, *[unlabelled] * (1 if self._student_view is None else 2)]
