"""How fast is a step of FixMatch on WideResNet-28-2, compared with a plain training loop of the same network?

    python examples/benchmarks/ssl_step.py

One run and one thread, each line in its own process. The plain loop does the forward pass, the backward pass and the optimizer
step in float32 on tensors that are ready, without augmentation; its best batch size counts. The step of FixMatch is that of
``FixMatch.fit`` with everything included: draws, augmentation, the pass without gradients over the weak views, forward and
backward over labeled and strong views, moving average of the weights. Images per second count the 64 labeled, 448 weak and 448
strong images alike. The goal is 2.5 times the plain loop where the CPU multiplies bfloat16 natively, 1.3 times elsewhere.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import torch
from common import machine
from skorch.callbacks import Callback
from torch.nn import functional as F

from skprune._utils._precision import has_native_bf16
from skprune.nets import WideResNet
from skprune.semi_supervised import FixMatch


def plain(batch, steps, bf16=False, gradient=True):
    """Return images per second of a plain loop."""
    torch.manual_seed(0)
    layout = torch.channels_last if bf16 else torch.contiguous_format
    net = WideResNet(in_channels=3, n_classes=10).to(memory_format=layout)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    x, y = torch.randn(batch, 3, 32, 32).contiguous(memory_format=layout), torch.randint(10, (batch,))

    def step():
        with torch.set_grad_enabled(gradient), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = net(x).float()
        if gradient:
            optimizer.zero_grad()
            F.cross_entropy(logits, y).backward()
            optimizer.step()

    step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return batch / np.median(seconds)


class Clock(Callback):
    """Seconds of each step, from batch to batch."""

    def on_train_begin(self, net, **kwargs):
        """Start the clock."""
        self.times_ = [time.perf_counter()]

    def on_batch_end(self, net, **kwargs):
        """Note the time."""
        self.times_.append(time.perf_counter())


def fixmatch(steps, micro_batch, precision):
    """Return images per second of FixMatch's own steps."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (2000, 3, 32, 32), dtype=np.uint8)
    y = np.where(np.arange(2000) < 400, rng.integers(0, 10, 2000), -1)
    y[:10] = np.arange(10)
    clock = Clock()
    net = FixMatch(
        WideResNet,
        n_steps=steps + 1,
        micro_batch=micro_batch,
        precision=precision,
        callbacks=[("clock", clock)],
        random_state=0,
        device="cpu",
    )
    net.fit(X, y)
    images = net.batch_size * (1 + 2 * net.mu)
    return images / np.median(np.diff(dict(net.callbacks_)["clock"].times_)[1:])


def measure(setting, steps):
    """Return images per second of a setting."""
    kind, options = setting
    return fixmatch(steps, **options) if kind == "fixmatch" else plain(steps=steps, **options)


def fresh(setting, args):
    """Measure in a process of its own: images per second, and its peak RSS in GiB above that of the imports."""
    command = [sys.executable, __file__, "--only", json.dumps(setting), "--steps", str(args.steps), "--threads"]
    return json.loads(subprocess.run([*command, str(args.threads)], check=True, capture_output=True, text=True).stdout)


def peak():
    """Return the peak RSS of this process in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5, help="measured steps of each kind; the median counts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", type=json.loads, help="measure one setting")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.only:
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row")  # the images are noise
        before = peak()
        rate = measure(args.only, args.steps)
        print(json.dumps([rate, peak() - before]))
        return

    native = has_native_bf16(torch.device("cpu"))
    print(machine())
    print(
        f"bfloat16 in hardware: {'yes' if native else 'no'}; medians of {args.steps} steps; each line in a process of its own"
    )
    print(f"{'':52} {'images/s':>8} {'peak RSS above imports, GiB':>28}")
    loops = {f"plain float32 loop, batch {n}": ("plain", {"batch": n}) for n in (64, 128, 512)}
    best = 0.0
    for name, setting in loops.items():
        rate, memory = fresh(setting, args)
        best = max(best, rate)
        print(f"{name:52} {rate:8.1f} {memory:28.2f}", flush=True)
    others = {
        "plain bf16 channels-last loop, batch 64": ("plain", {"batch": 64, "bf16": True}),
        "the same without gradient, batch 448": ("plain", {"batch": 448, "bf16": True, "gradient": False}),
    }
    for precision in ("fp32", "bf16") if native else ("fp32",):
        for part in (None, 128):
            options = {"micro_batch": part, "precision": precision}
            others[f"FixMatch step, {precision}, micro_batch={part}"] = "fixmatch", options
    for name, setting in others.items():
        rate, memory = fresh(setting, args)
        print(f"{name:52} {rate:8.1f} {memory:28.2f}   {rate / best:.2f} times the best plain loop", flush=True)


if __name__ == "__main__":
    main()
