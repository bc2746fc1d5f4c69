"""Cases of inputs.py: images in every layout, dtype and container, read by small nets."""

import pathlib
from functools import cache

import numpy as np
import torch
from inputs_rules import REFUSED, WORKS, Case
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

from skprune import SemiPrune
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch

_N = 16


@cache
def images():
    """Return gray images of 8 x 8 pixels and their labels, half of them -1."""
    rng = np.random.default_rng(0)
    y = np.arange(_N) % 2
    X = rng.integers(0, 120, (_N, 8, 8), dtype=np.uint8)
    X[y == 1, 2:6, 2:6] += 120
    return X, np.where(np.arange(_N) < 8, y, -1)


def net_prune(**params):
    """Return a pruner whose nets train for a few steps."""
    defaults = {
        "labeler": FixMatch(n_steps=2, batch_size=8, mu=1),
        "proxy": NetClassifier(batch_size=8),
        "difficulty": "aum",
        "selection": "hardest",
        "n_epochs": 2,
        "estimate_accuracy": False,
        "random_state": 0,
    }
    return SemiPrune(0.5, **defaults | params)


class Items(Dataset):
    """Items that a function makes."""

    def __init__(self, make, n=_N):
        self.make, self.n = make, n

    def __len__(self):
        return self.n

    def __getitem__(self, row):
        return self.make(row)


def pillow(mode=None, size=None):
    """Return the images as images of Pillow."""
    made = [Image.fromarray(image) for image in images()[0]]
    made = made if mode is None else [image.convert(mode) for image in made]
    return made if size is None else [image.resize(size(row)) for row, image in enumerate(made)]


def files(kind=str, suffix="png", edit=lambda paths: paths):
    """Write the images, and return their paths."""
    folder = pathlib.Path("images")
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{row:02d}.{suffix}" for row in range(_N)]
    for path, image in zip(paths, pillow(), strict=True):
        image.save(path)
    return edit([kind(path) for path in paths])


def _broken(paths):
    pathlib.Path("images/broken.png").write_bytes(pathlib.Path(paths[0]).read_bytes()[:40])
    return [*paths[:-1], type(paths[0])("images/broken.png")]


def same_pixels():
    """Return, by name, what holds the same gray images: the mask must be the same."""
    X = images()[0]
    return {
        "(n, 1, H, W)": lambda: X[:, None],
        "(n, H, W, 1)": lambda: X[..., None],
        "read-only": lambda: np.frombuffer(X.tobytes(), np.uint8).reshape(X.shape),
        "Fortran order": lambda: np.asfortranarray(X),
        "strided": lambda: np.repeat(X, 2, axis=2)[:, :, ::2],
        "list of arrays": lambda: list(X),
        "tuple of arrays": lambda: tuple(X),
        "list of arrays (1, H, W)": lambda: list(X[:, None]),
        "nested lists of arrays": lambda: [list(image) for image in X],
        "objects: arrays": lambda: np.array([*X, None], dtype=object)[:-1],
        "list of tensors": lambda: list(torch.from_numpy(X)),
        "tensor": lambda: torch.from_numpy(X),
        "Pillow": pillow,
        "tuple of Pillow": lambda: tuple(pillow()),
        "paths as texts": files,
        "Paths": lambda: files(pathlib.Path),
        "array of paths": lambda: np.array(files()),
        "objects: Paths": lambda: np.array([*files(pathlib.Path), None], dtype=object)[:-1],
        "paths of BMP": lambda: files(suffix="bmp"),
        "Dataset of arrays": lambda: Items(lambda row: X[row]),
        "Dataset of tensors": lambda: Items(lambda row: (torch.from_numpy(X[row][None]), 0)),
        "Dataset of Pillow": lambda: Items(lambda row: (pillow()[row], "label")),
        "Dataset of dicts": lambda: Items(lambda row: {"image": pillow()[row], "label": 3}),
        "TensorDataset": lambda: TensorDataset(torch.from_numpy(X[:, None])),
        "masked, nothing masked": lambda: np.ma.array(X),
    }


def other_pixels():
    """Return, by name, odd images that must work."""
    X = images()[0]
    color = np.stack([X, X // 2, 255 - X], axis=-1)
    wide = np.repeat(X, 2, axis=2)
    kinds = {
        "(n, H, W, 3)": lambda: color,
        "(n, 3, H, W)": lambda: color.transpose(0, 3, 1, 2),
        "(n, H, W, 4)": lambda: np.concatenate([color, X[..., None]], axis=-1),
        "(n, H, W, 13)": lambda: np.repeat(X[..., None], 13, axis=-1),
        "(n, 2, H, W)": lambda: np.repeat(X[:, None], 2, axis=1),
        "wide (n, H, W, 3)": lambda: np.repeat(wide[..., None], 3, axis=-1),
        "wide (n, 3, H, W)": lambda: np.repeat(wide[:, None], 3, axis=1),
        "1 x 1 pixel": lambda: X[:, :1, :1],
        "1 pixel high": lambda: X[:, :1],
        "1 pixel wide": lambda: X[:, :, :1],
        "sequences (n, 1, 20, 2)": lambda: np.resize(X, (_N, 1, 20, 2)).astype(np.float32),
        "float, 0 to 1": lambda: X / 255,
        "float, 0 to 255": lambda: X.astype(float),
        "float16": lambda: (X / 255).astype(np.float16),
        "float, negative": lambda: X / 128 - 1,
        "int64": lambda: X.astype(np.int64),
        "int16, negative": lambda: X.astype(np.int16) - 128,
        "uint16": lambda: X.astype(np.uint16) * 200,
        "truth values": lambda: X > 100,
        "big-endian": lambda: X.astype(">f4"),
        "bfloat16": lambda: torch.from_numpy(X).to(torch.bfloat16),
        "requires_grad": lambda: torch.from_numpy(X / 255).requires_grad_(),
        "all black": lambda: np.zeros_like(X),
        "all equal, float": lambda: np.full(X.shape, 0.5),
        "lists of numbers": lambda: X.tolist(),
        "gray among colors": lambda: [image.convert("RGB") if row % 2 else image for row, image in enumerate(pillow())],
    }
    for mode in ("RGB", "RGBA", "P", "1", "LA", "CMYK", "HSV", "YCbCr"):
        kinds[f"Pillow of {mode}"] = lambda mode=mode: pillow(mode)
    return kinds


def no_images():
    """Return, by name, what must be refused, and what the message has to name."""
    X = images()[0]
    with_nan = np.where(X > 230, np.nan, X / 255.0)
    return {
        "axes that nothing decides": (lambda: np.resize(X, (_N, 7, 6, 5)), "image_shape"),
        "Pillow of I;16": (lambda: pillow("I;16"), "Row 0 of X"),
        "Pillow of I": (lambda: pillow("I"), "Row 0 of X"),
        "Pillow of F": (lambda: pillow("F"), "Row 0 of X"),
        "5-D": (lambda: X[:, None, None], "axes"),
        "no channels": (lambda: np.zeros((_N, 0, 8, 8), np.uint8), "X"),
        "no height": (lambda: np.zeros((_N, 1, 0, 8), np.uint8), "X"),
        "no width": (lambda: np.zeros((_N, 8, 0), np.uint8), "X"),
        "no images": (lambda: X[:0], "X"),
        "NaN": (lambda: with_nan, "row"),
        "inf": (lambda: np.where(X > 230, np.inf, X / 255.0), "row"),
        "NaN in a tensor": (lambda: torch.from_numpy(with_nan), "row"),
        "NaN in a Dataset": (lambda: TensorDataset(torch.from_numpy(with_nan)), "row"),
        "masked": (lambda: np.ma.array(X, mask=X > 100), "masked"),
        "dates": (lambda: X.astype("datetime64[D]"), "date"),
        "complex": (lambda: X + 1j, "[Cc]omplex"),
        "texts": (lambda: X.astype(str), r"\bX\b"),
        "objects": (lambda: np.full(X.shape, object()), r"\bX\b"),
        "large values, 1e300": (lambda: X * 1e298, r"\bX\b"),
        "Pillow of mixed sizes": (lambda: pillow(size=lambda row: (8 + row % 2, 8)), "Row 1 of X"),
        "arrays of mixed sizes": (lambda: [image[: 8 - row % 2] for row, image in enumerate(X)], "Row 1 of X"),
        "tensors of mixed sizes": (
            lambda: [torch.from_numpy(image[: 8 - row % 2].copy()) for row, image in enumerate(X)],
            "Row 1 of X",
        ),
        "arrays of mixed axes": (
            lambda: [image[None] if row % 2 else image for row, image in enumerate(X)],
            "Row 1 of X",
        ),
        "images beside None": (lambda: [*pillow()[:-1], None], rf"{_N - 1}|\bX\b"),
        "images beside paths": (lambda: [*pillow()[:-1], "a.png"], rf"{_N - 1}|\bX\b"),
        "paths of no files": (lambda: [f"none/{row}.png" for row in range(_N)], "none/0.png"),
        "Paths of no files": (lambda: [pathlib.Path(f"none/{row}.png") for row in range(_N)], "none/0.png"),
        "paths of folders": (lambda: [pathlib.Path()] * _N, r"\."),
        "a broken file": (lambda: files(edit=_broken), "broken.png"),
        "no image files": (lambda: [pathlib.Path("table.npy")] * _N, "table.npy"),
        "a path": (lambda: "images", r"\bX\b"),
        "a Path": (lambda: pathlib.Path("images"), r"\bX\b"),
        "an image": (lambda: pillow()[0], r"\bX\b"),
        "Dataset of texts": (lambda: Items(lambda row: "text"), "text"),
        "Dataset of None": (lambda: Items(lambda row: None), "[Rr]ow 0"),
        "Dataset of objects": (lambda: Items(lambda row: object()), "[Rr]ow 0"),
        "Dataset of dicts without images": (lambda: Items(lambda row: {"label": 3}), "[Rr]ow 0"),
        "Dataset of dicts with two": (lambda: Items(lambda row: {"a": X[0], "b": X[0]}), "[Rr]ow 0"),
        "Dataset of empty tuples": (lambda: Items(lambda row: ()), "[Rr]ow 0"),
        "Dataset of mixed sizes": (lambda: Items(lambda row: X[row][: 8 - row % 2]), "Row 1 of X"),
        "Dataset of no items": (lambda: Items(lambda row: X[row], 0), "X"),
        "Dataset of another length": (lambda: Items(lambda row: X[0], _N - 1), r"\bX\b"),
    }


def _shapes():
    flat = images()[0].reshape(_N, 64)
    good = {
        "(1, 8, 8)": (1, 8, 8),
        "[1, 8, 8]": [1, 8, 8],
        "array": np.array([1, 8, 8]),
        "(4, 4, 4)": (4, 4, 4),
        "(8, 4, 2)": (8, 4, 2),
        "(2, 16, 2)": (2, 16, 2),
        "(16, 2, 2)": (16, 2, 2),
    }
    bad = (
        "64",
        64,
        (8, 8),
        (3, 8, 8),
        (1.0, 8, 8),
        (1, 8, -8),
        (0, 8, 8),
        (True, 8, 8),
        "abc",
        {},
        (1, 8, None),
        (1, 8, 8, 1),
    )
    return flat, good, bad


def image_cases():
    """Return the cases of X as images."""
    y = images()[1]

    def complaint(result):
        fitted, X, same = result
        if fitted.support_.sum() != _N // 2:
            return f"{int(fitted.support_.sum())} rows are kept"
        if len(fitted.transform(X)) != _N // 2:
            return "transform gives another number of rows"
        if not (fitted.pseudo_labels_[y >= 0] == y[y >= 0]).all():
            return "a given label is changed"
        if same and not np.array_equal(fitted.support_, _expected_mask()):
            return "the mask differs from that of the array"
        return None

    def fit(make_X, same, **params):
        return net_prune(**params).fit(X := make_X(), y), X, same

    cases = []
    for kind, made, same in (("the same pixels", same_pixels(), True), ("other images", other_pixels(), False)):
        for what, make_X in made.items():
            call = lambda make_X=make_X, same=same: fit(make_X, same)  # noqa: E731
            cases.append(Case(f"images: {kind}", f"nets, {what}", call, WORKS, check=complaint))
    for what, (make_X, names) in no_images().items():
        cases.append(Case("images: none", f"nets, {what}", lambda make_X=make_X: fit(make_X, False), REFUSED, names))
    flat, good, bad = _shapes()
    for what, shape in good.items():
        call = lambda shape=shape: fit(lambda: flat, False, image_shape=shape)  # noqa: E731
        cases.append(Case("images: image_shape", f"nets, image_shape: {what}", call, WORKS, check=complaint))
    for shape in bad:
        call = lambda shape=shape: fit(lambda: flat, False, image_shape=shape)  # noqa: E731
        cases.append(Case("images: image_shape", f"nets, image_shape={shape!r}", call, REFUSED, "image_shape"))
    return cases


@cache
def _expected_mask():
    return net_prune().fit(*images()).support_
