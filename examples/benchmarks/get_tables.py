"""Make npz files of the tables that robust.py reports and no setting was chosen on: spam, dna, vowel and diamonds.

    python examples/benchmarks/get_tables.py --data-home ~/.cache/skprune

They come with packages of R, which Debian's apt-get downloads; rdata, from PyPI, reads them. Each file has x (n, d) and y (n,):

- spam (4,601 x 57, 2 classes): kernlab. Which e-mail is spam?
- dna (3,186 x 180, 3 classes): mlbench. What kind of splice junction?
- vowel (990 x 10, 11 classes): mlbench. Which vowel was spoken?
- diamonds (53,940 x 7, 5 classes): ggplot2. How good is the cut?
"""

import argparse
import subprocess
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import rdata

SOURCES = {
    "spam": ("kernlab", "spam", "type"),
    "dna": ("mlbench", "DNA", "Class"),
    "vowel": ("mlbench", "Vowel", "Class"),
    "diamonds": ("ggplot2", "diamonds", "cut"),
}
"""Of each table, the package of R, the name in it and the column of the class."""


def unpacked(package, folder):
    """Return the folder of the data of an R package, unpacked but not installed."""
    subprocess.run(["apt-get", "download", "-q", f"r-cran-{package}"], cwd=folder, check=True)
    (archive,) = folder.glob(f"r-cran-{package}_*.deb")
    subprocess.run(["dpkg", "-x", archive, folder], check=True)
    return folder / "usr/lib/R/site-library" / package / "data"


def read(folder, name, column):
    """Return the data frame of an R package that has a column."""
    if (folder / f"{name}.rda").exists():
        return rdata.read_rda(folder / f"{name}.rda")[name]
    stored = (folder / "Rdata.rdb").read_bytes()
    while stored:  # objects one behind the other: 4 bytes of length, then a stream of zlib
        stream = zlib.decompressobj()
        content = rdata.conversion.convert(rdata.parser.parse_data(stream.decompress(stored[4:])))
        stored = stream.unused_data
        if column in getattr(content, "columns", ()):
            return content
    raise FileNotFoundError(f"{folder} has no table with a column {column!r}.")


def arrays(frame, column):
    """Return numbers and class indices; categories are numbered in their order."""
    rest = frame.drop(columns=column)
    if column == "cut":
        rest = rest.drop(columns=["color", "clarity"], errors="ignore")
    codes = rest.apply(lambda values: values.cat.codes if values.dtype == "category" else values)
    return {"x": codes.to_numpy(dtype=np.float32), "y": frame[column].cat.codes.to_numpy(dtype=np.int64)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-home", type=Path, default=Path.home() / ".cache" / "skprune")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # rdata guesses encodings
    args.data_home.mkdir(parents=True, exist_ok=True)
    for name, (package, table, column) in SOURCES.items():
        file = args.data_home / f"{name}.npz"
        if not file.exists():
            with tempfile.TemporaryDirectory() as folder:
                found = arrays(read(unpacked(package, Path(folder)), table, column), column)
            np.savez(file, **found)
        with np.load(file) as found:
            print(name, found["x"].shape, np.bincount(found["y"]))


if __name__ == "__main__":
    main()
