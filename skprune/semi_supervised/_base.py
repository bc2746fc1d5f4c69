"""The training step that all semi-supervised nets share; they differ in their rules."""

from abc import ABC, abstractmethod

import numpy as np
import torch

from skprune._utils._labels import MISSING, encode_labels, warn_of_vanished
from skprune._utils._parameter_checks import check_number, check_option
from skprune._utils._scored_rows import LabeledRowsScore
from skprune.augment._defaults import default_policies
from skprune.nets._base import BaseNet
from skprune.nets._optimizer import NesterovSGD
from skprune.semi_supervised._alignment import ALIGNMENTS, Alignment
from skprune.semi_supervised._batches import SemiSupervisedBatches
from skprune.semi_supervised._steps import resolve_steps

_MOST_CHECKED = 4096


class SemiSupervisedNet(LabeledRowsScore, BaseNet, ABC):
    """Base class of the semi-supervised nets."""

    _cycles = 7 / 16
    _stage = "labeling"
    _semi_supervised = True
    _second_view = "strong"
    _reductions = ("mean",)

    def __init__(
        self,
        module=None,
        *,
        n_steps="auto",
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
        missing_label="auto",
        callbacks=None,
        random_state=None,
        device=None,
        precision="auto",
        compile=False,
        warm_start=False,
        verbose=0,
        **kwargs,
    ):
        self._store(locals())

    @abstractmethod
    def _rule(self):
        """Return the rule of the method, which checks its parameters."""

    def _encode(self, y, classes=None):
        classes = None if classes is None else np.unique(classes)
        return encode_labels(y, self.missing_label, classes, warn=True)

    def _steps_per_epoch(self, codes):
        return resolve_steps(self, codes)

    def check_parameters(self):
        """Check the parameters that do not depend on the data, as ``fit`` does.

        Raises
        ------
        ValueError
            If a parameter is refused.
        """
        super().check_parameters()
        check_number("labeled_strong", self.labeled_strong, 0, 1, words=("auto",))
        check_number("unlabeled_weight", self.unlabeled_weight, 0)
        check_number("logit_adjustment", self.logit_adjustment, 0)
        check_option("balanced", self.balanced, (True, False))
        check_option("teacher", self.teacher, ("student", "ema"))
        check_option("alignment", self.alignment, (None, *ALIGNMENTS))
        averaged = self.ema and getattr(self, "callbacks__moving_average", True) is not None
        if self.teacher == "ema" and not averaged:
            raise ValueError("teacher='ema' needs ema=True and its callback, moving_average.")
        for name in ("weak", "strong"):
            policy = getattr(self, name)
            if policy is not None and not callable(policy) and policy != "auto":
                raise ValueError(f"{name} must be 'auto', None or a callable, got {policy!r}.")
        self._rule()

    def _scored_labels(self):
        self.check_is_fitted()
        return self.missing_label, self.classes_

    def _train(self, pool, codes):
        counts = torch.from_numpy(np.bincount(codes[codes >= 0], minlength=len(self.classes_))).float()
        frequencies = (counts / counts.sum()).to(self.device_)
        log_prior = torch.zeros_like(frequencies) if self.balanced else frequencies.clamp(min=1e-6).log()
        self.prior_ = self.logit_adjustment * log_prior
        self.alignment_ = None if self.alignment is None else Alignment(self.alignment, frequencies)
        self.rule_ = self._rule().start(len(self.classes_), len(pool), self.device_)
        self.step_ = 0
        super()._train(pool, codes)
        del self.prior_, self.alignment_, self.rule_, self.step_

    def _look_back(self, pool, codes):
        unlabeled = np.flatnonzero(codes == MISSING)
        checked = unlabeled[:: -(-len(unlabeled) // _MOST_CHECKED) or 1]
        if len(checked):
            predicted = self.predict_proba(self._on_device(pool[checked])).argmax(axis=1)
            warn_of_vanished(predicted, self.classes_, self)

    def _train_batches(self, pool, seed):
        policies = {name: self._policy(name, default) for name, default in default_policies(self.shape_).items()}
        fraction = (0.5 if len(self.shape_) == 3 else 0.0) if self.labeled_strong == "auto" else self.labeled_strong
        return SemiSupervisedBatches(
            pool,
            batch_size=self.batch_size,
            mu=self.mu,
            n_steps=self.n_steps_planned_ // self.max_epochs,
            **policies,
            second_view=self._second_view,
            n_labeled_strong=round(fraction * self.batch_size),
            balanced=self.balanced,
            seed=seed,
        )

    def _resume(self, batches):
        super()._resume(batches)
        if self._resumed is not None:
            self.step_ = self._resumed["epochs"] * len(batches) + self._resumed["steps"]

    def _stateful(self):
        parts = super()._stateful() | {"rule": self.rule_}
        return parts if self.alignment_ is None else parts | {"alignment": self.alignment_}

    def _policy(self, name, default):
        policy = getattr(self, name)
        if policy is None:
            return lambda x, generator: x
        return policy if callable(policy) else default

    def infer(self, x, **fit_params):
        """Return the logits of a batch (skorch's hook).

        A training batch has the rows [labeled B | teacher's view mu * B | student's view mu * B], and so have its logits. The
        teacher's pass has no gradient; it is skipped if teacher and student see the same view with the same weights.
        """
        if not (isinstance(x, dict) and self.module_.training):
            return super().infer(x, **fit_params)
        labeled, teacher_view, student_view = self._views(x["X"])
        teacher = self._teach(teacher_view, teacher_view is student_view)
        logits = self._forward(self.module_, torch.cat([labeled, student_view]))
        labeled_logits, student = logits.split([len(labeled), len(student_view)])
        return torch.cat([labeled_logits, student.detach() if teacher is None else teacher, student])

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the labeled plus the unlabeled loss (skorch's hook)."""
        if not training:
            return super().get_loss(y_pred, y_true, X=X, training=training)
        n_labeled, n_unlabeled = self.batch_size, self.mu * self.batch_size
        labeled, teacher, student = y_pred.split([n_labeled, n_unlabeled, n_unlabeled])
        target, weight = self._targets(teacher, X["index"][n_labeled : n_labeled + n_unlabeled])
        loss = self._loss(labeled, y_true[:n_labeled], student, target, weight)
        self._finish_step(labeled.detach(), weight)
        return loss

    def train_step_single(self, batch, **fit_params):
        """Run a forward and a backward pass (skorch's hook), in parts of about `micro_batch` rows if that is set."""
        if self.micro_batch is None and self.ranks_.n == 1:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        inputs, y = batch
        labeled, teacher_view, student_view = self._views(inputs["X"])
        n_labeled, n_unlabeled = len(labeled), len(student_view)
        y, index = y[:n_labeled], inputs["index"][n_labeled : n_labeled + n_unlabeled]
        ranks = self.ranks_
        most = n_labeled + n_unlabeled if self.micro_batch is None else self.micro_batch * ranks.n
        n_parts = min(-(-(n_labeled + n_unlabeled) // most), n_labeled // ranks.n)
        teacher = self._teach(ranks.share(teacher_view), teacher_view is student_view)
        if teacher is not None:  # rules and alignment have running figures of all rows
            teacher = ranks.whole([teacher], [n_unlabeled])
            targets = zip(*(tensor.tensor_split(n_parts) for tensor in self._targets(teacher, index)), strict=True)
        losses, labeled_logits, weights = [], [], []
        parts = zip(*(tensor.tensor_split(n_parts) for tensor in (labeled, y, student_view, index)), strict=True)
        for part_labeled, part_y, part_student, part_index in parts:
            own_labeled, own_y, own_student = map(ranks.share, (part_labeled, part_y, part_student))
            logits = self._forward(self.module_, torch.cat([own_labeled, own_student]))
            own_logits, student = logits.split([len(own_labeled), len(own_student)])
            if teacher is None:
                target, weight = self._targets(ranks.whole([student.detach()], [len(part_index)]), part_index)
            else:
                target, weight = next(targets)
            shares = {"labeled_share": self._share(own_y, y), "student_share": len(student) / n_unlabeled}
            loss = self._loss(own_logits, own_y, student, ranks.share(target), ranks.share(weight), **shares)
            loss.backward()
            losses.append(loss.detach())
            labeled_logits.append(own_logits.detach())
            weights.append(weight)
        n_rows = [len(part_y) for part_y in y.tensor_split(n_parts)]
        self._finish_step(ranks.whole(labeled_logits, n_rows), torch.cat(weights))
        loss = ranks.join(self.module_, torch.stack(losses).sum())
        return {"loss": loss, "y_pred": torch.cat(labeled_logits)}

    def _views(self, x):
        """Split a training batch into labeled rows, the teacher's view and the student's, which may be the same tensor."""
        n_unlabeled = self.mu * self.batch_size
        if self._second_view is None:
            labeled, view = x.split([self.batch_size, n_unlabeled])
            return labeled, view, view
        return x.split([self.batch_size, n_unlabeled, n_unlabeled])

    def _teach(self, teacher_view, sees_the_same):
        """Return the teacher's logits, or None if they are the student's: the same view and the same weights."""
        if self.teacher == "student" and sees_the_same:
            return None
        with torch.no_grad():
            module = self.module_ if self.teacher == "student" else dict(self.callbacks_)["moving_average"].module_
            return self._forward(module, teacher_view).clone()  # CUDA graphs write the next output into the same memory

    def _targets(self, teacher, index):
        """Return the targets and weights of unlabeled rows, given the teacher's logits."""
        with torch.no_grad():
            proba = (teacher + self.prior_).softmax(dim=1)
            aligned = proba if self.alignment_ is None else self.alignment_(proba)
            target, weight = self.rule_(aligned, index)
            return target if self.rule_.aligned_targets else proba.argmax(dim=1), weight

    def _finish_step(self, labeled_logits, weight):
        """Record the mean weight, and update the target of the alignment."""
        self.confident_ = weight.mean()
        if self.alignment_ is not None:
            self.alignment_.learn((labeled_logits + self.prior_).softmax(dim=1))
        self.step_ += 1

    def _loss(self, labeled, y, student, target, weight, labeled_share=1.0, student_share=1.0):
        """Return the loss of a step, or of a part of its rows given the shares they have in it."""
        factor = self.unlabeled_weight * self.rule_.ramp(self.step_ / self.n_steps_planned_)
        unlabeled_loss = self.rule_.loss(student + self.prior_, target, weight)
        return labeled_share * self.criterion_(labeled + self.prior_, y) + student_share * factor * unlabeled_loss
