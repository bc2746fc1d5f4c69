"""How fast is a step of FixMatch on WideResNet-28-2, beside a plain training loop of the same network?

    python examples/benchmarks/ssl_step.py

One run and one thread. The plain loop is forward, backward and optimiser step in float32 on ready tensors, without
augmentation; its best batch size counts. The step of FixMatch is that of ``FixMatch.fit``, everything included: draws,
augmentation, the pass without gradient over the weak views, forward and backward over labelled and strong views, moving average
of the weights. Images a second count the 64 labelled, 448 weak and 448 strong images alike. The goal is 2.5 times the plain
loop where the CPU multiplies bfloat16 natively, 1.3 times elsewhere.
"""

import argparse
import resource
import time
import warnings

import numpy as np
import torch
from common import machine
from skorch.callbacks import Callback
from torch.nn import functional as F

from skprune.nets import WideResNet
from skprune.nets._device import resolve_precision
from skprune.semi_supervised import FixMatch


def plain(batch, steps, bf16=False, gradient=True):
    """Return images a second of a plain loop."""
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
    """Return images a second of FixMatch's own steps."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5, help="measured steps of each kind; the median counts")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    native = resolve_precision("auto", torch.device("cpu"), True) == "bf16"

    warnings.filterwarnings("ignore", "The pseudo-labels hold no row")  # the images are noise
    print(machine())
    print(f"bfloat16 in hardware: {'yes' if native else 'no'}; medians of {args.steps} steps, images/s")
    rates = {batch: plain(batch, args.steps) for batch in (64, 128, 512)}
    for batch, rate in rates.items():
        print(f"{'plain float32 loop, batch ' + str(batch):52} {rate:8.1f}")
    best = max(rates.values())
    for name, options in {
        "plain bf16 channels-last loop, batch 64": {"batch": 64, "bf16": True},
        "the same without gradient, batch 448": {"batch": 448, "bf16": True, "gradient": False},
    }.items():
        print(f"{name:52} {plain(steps=args.steps, **options):8.1f}")
    for precision in ("fp32", "bf16") if native else ("fp32",):
        for micro_batch in (None, 128):
            rate = fixmatch(args.steps, micro_batch, precision)
            name = f"FixMatch step, {precision}, micro_batch={micro_batch}"
            print(f"{name:52} {rate:8.1f}   {rate / best:.2f} times the plain loop")
    print(f"Peak RSS of all: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
