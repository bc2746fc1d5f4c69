"""How many images per second does strong augmentation produce on one core, compared with torchvision and kornia?

    python examples/benchmarks/augment.py

A batch of (448, 3, 32, 32) in [0, 1] with 2, then 3 operations per image. The libraries' policies contain other operations
than ImageStrong. torchvision's RandAugment takes uint8 images, one at a time. Its functional interface takes batches: here,
images that drew the same operation go through it together, with one magnitude for all of them, because it does not support a
magnitude per image. kornia draws the operations once per batch; its row is left out if it is not installed. ImageStrong is the
only one that draws operations and magnitudes per image on whole batches, which is why skprune does not use one of the others.
"""

import argparse
import time
from importlib.util import find_spec

import numpy as np
import torch
from common import machine
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from skprune.augment import ImageStrong, ImageWeak


def rate(augment, x, repeats):
    """Return images per second, the median over the repeats."""
    augment(x)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        augment(x)
        seconds.append(time.perf_counter() - start)
    return len(x) / np.median(seconds)


def grouped(x, n_ops):
    """Apply RandAugment's operations to the images of a batch that drew them, with one magnitude for all."""
    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    operations = [
        lambda x: x,
        lambda x: F.affine(x, **still | {"shear": [17.0, 0.0]}),
        lambda x: F.affine(x, **still | {"shear": [0.0, 17.0]}),
        lambda x: F.affine(x, **still | {"translate": [5, 0]}),
        lambda x: F.affine(x, **still | {"translate": [0, 5]}),
        lambda x: F.rotate(x, 17.0),
        lambda x: F.adjust_brightness(x, 1.5),
        lambda x: F.adjust_saturation(x, 1.5),
        lambda x: F.adjust_contrast(x, 1.5),
        lambda x: F.adjust_sharpness(x, 1.5),
        lambda x: F.posterize(x, 5),
        lambda x: F.solarize(x, 128),
        F.autocontrast,
        F.equalize,
    ]
    for _ in range(n_ops):
        drawn = torch.randint(len(operations), (len(x),))
        for code, operation in enumerate(operations):
            rows = torch.nonzero(drawn == code).squeeze(1)
            x[rows] = operation(x[rows])
    return x


def policies(n_ops, generator):
    """Return the strong policies."""
    strong = ImageStrong(n_ops=n_ops)
    single = v2.RandAugment(num_ops=n_ops)
    by_name = {
        "skprune ImageStrong, with cutout": lambda x: strong(x, generator),
        "torchvision v2 functional, grouped by operation": lambda x: grouped((255 * x).byte(), n_ops),
        "torchvision v2 RandAugment, image by image": lambda x: torch.stack(
            [single(image) for image in (255 * x).byte()]
        ),
    }
    if find_spec("kornia"):
        from kornia.augmentation.auto import RandAugment

        batch = RandAugment(n=n_ops, m=10)
        by_name["kornia RandAugment, operations drawn once a batch"] = batch
    return by_name


def weak_policies(generator):
    """Return the weak policies."""
    weak = ImageWeak(pad=4)
    single = v2.Compose([v2.RandomCrop(32, padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip()])
    return {
        "skprune ImageWeak, crop and flip": lambda x: weak(x, generator),
        "torchvision v2 RandomCrop and flip, image by image": lambda x: torch.stack([single(image) for image in x]),
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
