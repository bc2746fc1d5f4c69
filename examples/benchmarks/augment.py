"""How many images a second does strong augmentation make, one core, beside torchvision and kornia?

    python examples/benchmarks/augment.py

A batch of (448, 3, 32, 32) in [0, 1], operations and magnitudes for each image of its own, but for kornia, which draws the
operations once a batch. The libraries' policies hold other operations than ours; each is given 2, then 3 of them an image.
torchvision works on uint8 images, one by one. Without kornia its row is left out.
"""

import argparse
import time
from importlib.util import find_spec

import numpy as np
import torch
from common import machine
from torchvision.transforms import v2

from skprune.augment import ImageStrong, ImageWeak


def rate(augment, x, repeats):
    """Return images a second, the median over the repeats."""
    augment(x)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        augment(x)
        seconds.append(time.perf_counter() - start)
    return len(x) / np.median(seconds)


def policies(n_ops, generator):
    """Return the strong policies."""
    strong = ImageStrong(n_ops=n_ops)
    one = v2.RandAugment(num_ops=n_ops)
    found = {
        "skprune ImageStrong, with cutout": lambda x: strong(x, generator),
        "torchvision v2 RandAugment, image by image": lambda x: torch.stack([one(image) for image in (255 * x).byte()]),
    }
    if find_spec("kornia"):
        from kornia.augmentation.auto import RandAugment

        batch = RandAugment(n=n_ops, m=10)
        found["kornia RandAugment, operations drawn once a batch"] = batch
    return found


def weak_policies(generator):
    """Return the weak policies."""
    weak = ImageWeak(pad=4)
    one = v2.Compose([v2.RandomCrop(32, padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip()])
    return {
        "skprune ImageWeak, crop and flip": lambda x: weak(x, generator),
        "torchvision v2 RandomCrop and flip, image by image": lambda x: torch.stack([one(image) for image in x]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(448, 3, 32, 32)

    print(machine())
    print(f"(448, 3, 32, 32), medians of {args.repeats} batches, images/s")
    for name, augment in weak_policies(generator).items():
        print(f"{name:52} {rate(augment, x, args.repeats):12,.0f}")
    for n_ops in (2, 3):
        for name, augment in policies(n_ops, generator).items():
            print(f"{name + f', {n_ops} operations':66} {rate(augment, x, args.repeats):10,.0f}")


if __name__ == "__main__":
    main()
