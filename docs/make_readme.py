"""Make what the README shows: the picture of the quickstart, and the table of results.

python docs/make_readme.py            # both
python docs/make_readme.py --table    # the table alone, from the files in docs/results
"""

import argparse
import csv
import runpy
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

TOP = Path(__file__).parents[1]
README, RESULTS, PICTURE = TOP / "README.md", TOP / "docs" / "results", TOP / "docs" / "images" / "problem.png"
START, END = "<!-- results: python docs/make_readme.py -->", "<!-- end of results -->"
RATIO = 0.1
PROBLEMS = {  # file, in the words of the README
    "robust/digits": "digits, a table of 1,200 rows, 60 labels",
    "robust/letter": "letter, a table of 6,000 rows, 520 labels",
    "robust/satellite": "satellite, a table of 4,400 rows, 60 labels",
    "robust/shuttle": "shuttle, a table of 6,000 rows, 140 labels",
    "robust/novels": "novels, 6,000 texts, 240 labels",
    "robust/spam": "spam, a table of 3,000 rows, 60 labels",
    "robust/dna": "dna, a table of 2,100 rows, 90 labels",
    "robust/vowel": "vowel, a table of 660 rows, 110 labels",
    "robust/diamonds": "diamonds, a table of 6,000 rows, 150 labels",
    "robust/clusters": "clusters, 5,000 made-up embeddings, 100 labels",
    "robust/contrastive": "features of a contrastive net, 6,000 rows, 150 labels",
    "robust_images/fashion": "Fashion-MNIST, 10,000 images, 250 labels",
    "robust_images/fashion_corrupted": "the same, a part of it corrupted",
    "robust_images/fashion_longtail": "the same, with a long tail",
    "robust_images/cifar10": "CIFAR-10, 10,000 images, 500 labels",
    "robust_images/solar_cells": "solar cells, 2,099 images, 100 labels",
}


def accuracies(name):
    """Map each method to its accuracy on each seed: annotated coresets of a tenth, the mean over the final models."""
    values = defaultdict(lambda: defaultdict(list))
    metric = "balanced" if name.endswith("solar_cells") else "accuracy"
    with (RESULTS / f"{name}.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            ratio = 0.0 if row["method"] == "labels alone" else RATIO
            if row["trained_on"] == "kept" and row["model"] != "short" and float(row["ratio"]) == ratio:
                method = "random" if row["method"] in ("random 0", "random 1", "random 2") else row["method"]
                values[method][int(row["seed"])].append(float(row[metric]))
    return {method: {seed: mean(parts) for seed, parts in seeds.items()} for method, seeds in values.items()}


def results_table():
    """Return the table of results, in Markdown."""
    lines = [
        "| pool | given labels alone | a tenth at random | a tenth by SemiPrune | difference |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, words in PROBLEMS.items():
        by_method = accuracies(name)
        alone, random, auto = (by_method[method] for method in ("labels alone", "random", "auto"))
        differences = [auto[seed] - random[seed] for seed in sorted(auto)]
        cells = [f"{mean(values.values()):.1f}" for values in (alone, random, auto)]
        cells.append(f"{round(mean(differences), 1) + 0.0:+.1f} ± {stdev(differences):.1f}")  # 0.0 rather than -0.0
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_table(text):
    """Return the text of the README with the present table."""
    before, rest = text.split(START)
    return f"{before}{START}\n{results_table()}\n{END}{rest.split(END)[1]}"


def draw_picture():
    """Save the picture of the quickstart."""
    import matplotlib

    matplotlib.use("Agg")
    figure = runpy.run_path(str(TOP / "examples" / "plot_quickstart.py"))["figure"]
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="leave the picture as it is")
    args = parser.parse_args()
    README.write_text(with_table(README.read_text()))
    if not args.table:
        draw_picture()


if __name__ == "__main__":
    main()
