"""The comparison of the SemiPrune paper: coresets of all methods, annotated or trained with pseudo-labels.

    python examples/benchmarks/paper.py --dataset fashion --protocol standard --preset cpu --out results

Few labels are given at the frequencies of the pool; each method keeps a part of the pool, and a net is trained on it, with true
labels ("annotated": a human labels what is kept) or with SemiPrune's pseudo-labels, which are the same for all methods. Test
accuracy; the test sets are balanced.

Protocols: "standard"; "corrupted", 30 % of the pool corrupted by corrupt_images; "longtail", the largest class 100 times as
frequent as the smallest (of CIFAR-10 about 9,750 rows are left then).

Presets: "cpu" is a pool of 10,000 images, 250 labels (CIFAR-10: 500), SmallResNet, ratios 0.1, 0.3, 0.5, and as many steps
whatever is kept, of 64 rows (of 32 at the ratio 0.1). "card" is the training set but for 10,000 rows, the same part of it
labeled, ResNet9, the same ratios, and final nets of 2,000 and of 16,000 steps of 128 rows, a table for each: the latter is
convergence, 100 passes over half of the pool. It runs in pieces of at most --minutes, each going on where the one before
stopped, with --jobs nets trained side by side on the card:

    python examples/benchmarks/paper.py --preset card --dataset cifar10 --out results --jobs 4 --minutes 10

A file ending in "-runs.csv" says the card, the versions and the seconds of each result. --tiny is the same at a size that says
nothing, for a try on a CPU.

Prototypicality, ELFS, ZCore and D2 see the features of one net that was trained on the pool without labels. ELFS, CCS and
SemiPrune with AUM choose their cutoff themselves, as they do by name; selection.py compares it with the best fixed ones.
"SemiPrune goal=pseudo" stands in the tables of pseudo-labels alone. "labels" is all that a human gives, on average over the
ratios: the few labels, and those of what is kept. Two controls: "random min_per_class", random rows with as many of each class of
the pseudo-labels as the default keeps at least; and, annotated, "SemiPrune include_labeled", which as BADGE keeps the few labels,
so that they cost nothing more.

Restartable: rows that are in the CSV file are not computed again, and --cache keeps the nets of SemiPrune between runs.
Processes with other --seeds may write to the same folder. --split validation tests on rows of the training set that are in no
pool, to choose settings; --labeler-steps trains SemiPrune's labeler longer, in files of their own; --report prints the tables
from the CSV files alone, and --figure draws them.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from common import machine, of_seeds, show, train_and_test
from paper_card import CARD, TINY, Piece, run_pieces
from sklearn.pipeline import Pipeline

from skprune import SemiPrune
from skprune.baselines import (
    ActivePruner,
    ContrastiveFeatures,
    D2Pruner,
    ELFSPruner,
    PrototypicalityPruner,
    RandomPruner,
    SupervisedPruner,
    ZCorePruner,
)
from skprune.datasets import corrupt_images, fetch_cifar10, fetch_fashion_mnist, make_long_tailed, make_partial_labels
from skprune.model_selection import PruningCurve, pruning_curve
from skprune.nets import NetClassifier
from skprune.selection import Cutoff, Random, Stratified
from skprune.semi_supervised import SoftMatch

LOADERS = {"fashion": fetch_fashion_mnist, "cifar10": fetch_cifar10}
PROTOCOLS = ("standard", "corrupted", "longtail")
LABELED = {"fashion": 0.025, "cifar10": 0.05}
RATIOS = (0.1, 0.3, 0.5)
PRESETS = ("cpu", "card")
N_VALIDATION = 10_000
DATA = {}
RANDOM, DEFAULT, UPPER, TRUSTING = "random", "SemiPrune-DUAL-Beta", "supervised DUAL-Beta", "SemiPrune goal=pseudo"
OURS = (DEFAULT, TRUSTING, "SemiPrune-AUM-Cutoff")
KNOW_ALL = (UPPER, "CCS-AUM")
BY_CLASS, INCLUDING = "random min_per_class", "SemiPrune include_labeled"
METHODS = (RANDOM, "prototypicality", "BADGE", "ELFS", "ZCore", "D2", *OURS, *KNOW_ALL, BY_CLASS, INCLUDING)
LENDERS = {"oracle": None, "pseudo": DEFAULT}
LEFT_OUT = {"oracle": (TRUSTING,), "pseudo": (*KNOW_ALL, INCLUDING)}
STYLES = {RANDOM: ("black", "--"), BY_CLASS: ("black", ":"), INCLUDING: ("C5", ":")}
LOWEST = -4.0  # of the panels, in points: what lies lower is far from random rows whatever it is
LABELS = {"oracle": "annotated coresets", "pseudo": "coresets with pseudo-labels"}


def methods(shape, args):
    """Return the pruners by name."""
    card = args.card
    steps = (
        {"n_steps": 500} if card is None else {"n_steps": card.contrastive_steps, "batch_size": 512, "module": card.net}
    )
    contrastive = ContrastiveFeatures(image_shape=shape, **steps)
    embedding = Pipeline([("net", contrastive), ("features", "passthrough")], memory=str(args.cache / "features"))
    recorded = {"memory": str(args.cache / "stages")}
    ours, classifier = {}, None
    if card is not None:
        recorded["proxy"] = NetClassifier(card.net)
        ours["labeler"] = SoftMatch(card.net, n_steps=card.labeler_steps)
        classifier = card.final_net(card.budgets[0])
    if args.labeler_steps:
        ours["labeler"] = ours.get("labeler", SoftMatch()).set_params(n_steps=args.labeler_steps)
    ours |= recorded
    return {
        RANDOM: RandomPruner(),
        "prototypicality": PrototypicalityPruner(n_clusters=10, embedding=embedding),
        "ELFS": ELFSPruner(n_clusters=10, embedding=embedding, **recorded),
        "ZCore": ZCorePruner(embedding=embedding),
        "D2": D2Pruner(n_clusters=10, embedding=embedding),
        DEFAULT: SemiPrune(**ours),
        TRUSTING: SemiPrune(goal="pseudo", **ours),
        "SemiPrune-AUM-Cutoff": SemiPrune(difficulty="aum", selection=Cutoff("auto", min_per_class=0.5), **ours),
        BY_CLASS: SemiPrune(selection=Random(min_per_class=0.5), **ours),
        INCLUDING: SemiPrune(include_labeled=True, **ours),
        "BADGE": ActivePruner(classifier=classifier),
        UPPER: SupervisedPruner(**recorded),
        "CCS-AUM": SupervisedPruner(difficulty="aum", selection=Stratified("auto", min_per_class=0.5), **recorded),
    }


def evaluators(args, ratios, budget):
    """Return the net of each ratio; `budget` is the number of steps on a card."""
    if args.card is not None:
        return dict.fromkeys(ratios, args.card.final_net(budget))
    return {
        ratio: NetClassifier(n_steps=args.iterations, max_epochs=1, batch_size=32 if ratio == 0.1 else 64)
        for ratio in ratios
    }


def problem(args, seed):
    """Return the pool, its true and its given labels, and the rows and labels of the test."""
    X_train, y_train, X_test, y_test = train_and_test(LOADERS[args.dataset], args.data_home)
    order = np.random.default_rng(seed).permutation(len(X_train))
    reserved, rows = order[:N_VALIDATION], order[N_VALIDATION:]
    if args.protocol == "longtail":
        rows = rows[make_long_tailed(y_train[rows], imbalance=100, random_state=seed)]
        rows = np.random.default_rng(seed).permutation(rows)
    rows = rows[: args.pool if args.card is None else args.card.n_pool]
    if args.card is not None:
        X_test, y_test, reserved = X_test[: args.card.n_test], y_test[: args.card.n_test], reserved[: args.card.n_test]
    X, y = X_train[rows], y_train[rows]
    if args.protocol == "corrupted":
        X = corrupt_images(X, fraction=0.3, random_state=seed)
    y_partial = make_partial_labels(y, n_labeled=round(LABELED[args.dataset] * len(y)), random_state=seed)
    if args.split == "validation":
        return X, y, y_partial, X_train[reserved], y_train[reserved]
    return X, y, y_partial, X_test, y_test


def results_file(args, dataset, protocol, suffix):
    """Return the file of a table; other presets, splits and budgets have others, and so have the runs on a card."""
    steps = f"-{args.labeler_steps}" if args.labeler_steps else ""
    suffix = "" if suffix is None else f"-{suffix}"
    preset = "tiny" if args.tiny else args.preset
    return args.out / f"{preset}-{args.split}-{dataset}-{protocol}{steps}{suffix}.csv"


def compute(args, seed):
    """Compute the missing rows of a seed."""
    data = problem(args, seed)
    pruners = methods(data[0].shape[1:], args)
    for labels in args.labels:
        wanted = {*args.methods, LENDERS[labels]}  # what lends its labels is computed with the others
        names = [name for name in pruners if name in wanted and name not in LEFT_OUT[labels]]
        curve(args, seed, data, pruners, labels, names, RATIOS, None)
        print(f"{args.dataset} {args.protocol} seed {seed}: {LABELS[labels]} done", flush=True)
    if "oracle" in args.labels:
        curve(args, seed, data, pruners, "oracle", [], [1.0], None)


def pieces(args):
    """Return the pieces of the card preset: those of random rows, with which all others are compared, are first."""
    found = []
    for seed, labels, budget in product(args.seeds, args.labels, args.card.budgets):
        reference = LENDERS[labels] or RANDOM
        names = dict.fromkeys([reference, *(name for name in args.methods if name not in (*LEFT_OUT[labels], RANDOM))])
        found += [Piece(seed, labels, name, ratio, budget, name == reference) for name, ratio in product(names, RATIOS)]
        if labels == "oracle":
            found.append(Piece(seed, labels, RANDOM, 1.0, budget, True))
    return found


def compute_piece(args, piece):
    """Compute a piece, in a process that keeps the data of the last one."""
    torch.set_num_threads(args.threads)
    if DATA.get("seed") != piece.seed:
        DATA.update(seed=piece.seed, data=problem(args, piece.seed))
    pruners = methods(DATA["data"][0].shape[1:], args)
    names = [
        name for name in dict.fromkeys([LENDERS[piece.labels], piece.method]) if name in pruners and name != RANDOM
    ]
    curve(args, piece.seed, DATA["data"], pruners, piece.labels, names, [piece.ratio], piece.budget)


def curve(args, seed, data, pruners, labels, names, ratios, budget):
    """Compute the missing rows of some methods and ratios, and of random rows."""
    X, y, y_partial, X_test, y_test = data
    pruning_curve(
        {name: pruners[name] for name in names},
        X,
        y_partial,
        ratios=ratios,
        evaluator=evaluators(args, ratios, budget),
        labels=labels,
        pseudo_labels_from=LENDERS[labels] if names else None,
        y_oracle=y,
        X_test=X_test,
        y_test=y_test,
        labels_alone=False,
        random_states=[seed],
        results_file=results_file(args, args.dataset, args.protocol, budget),
    )


def curves(args):
    """Yield dataset, protocol, labels and rows of what there is; a protocol on a card comes with the steps of its nets."""
    budgets = [None] if args.card is None else args.card.budgets
    for dataset, protocol, budget, labels in product(LOADERS, PROTOCOLS, budgets, LABELS):
        file = results_file(args, dataset, protocol, budget)
        if file.exists() and f",{labels}," in file.read_text():
            name = protocol if budget is None else f"{protocol}, {budget:,} steps"
            yield dataset, name, labels, PruningCurve.from_csv(file, labels=labels).rows


def by_method(rows):
    """Return names in the order of the methods, ratios, the seeds of all ratios, and the summary by name and ratio.

    Methods that lack one of these are left out.
    """
    rows = [row for row in rows if row["ratio"] != 1.0]
    ratios = sorted({row["ratio"] for row in rows})
    there = {(row["method"], row["ratio"], row["seed"]) for row in rows}
    seeds = [seed for seed in sorted({row["seed"] for row in rows}) if all((RANDOM, r, seed) in there for r in ratios)]
    names = [name for name in METHODS if all(one in there for one in product([name], ratios, seeds))]
    if not seeds:
        return [], ratios, seeds, {}
    curve = PruningCurve([row for row in rows if row["seed"] in seeds and row["method"] in names], random=RANDOM)
    return names, ratios, seeds, {(row["method"], row["ratio"]): row for row in curve.summary()}


def report(args):
    """Print a table for each file and kind of labels."""
    print(machine())
    total = 0.0
    for dataset, protocol, labels, rows in curves(args):
        total += sum(row["train_time"] for row in rows)
        total += sum({(row["method"], row["seed"], row["fit_time"]): row["fit_time"] for row in rows}.values())
        table(rows, f"{dataset}, {protocol}: {LABELS[labels]}")
    print(f"\nAll fits of these rows took {total / 3600:.1f} hours, each on one thread")


def table(rows, title):
    """Print accuracy and difference to random rows."""
    names, ratios, seeds, summary = by_method(rows)
    whole = [row for row in rows if row["ratio"] == 1.0 and row["seed"] in seeds]
    print(f"\n{title}; {of_seeds(seeds)}")
    if not seeds:
        return
    heads = "".join(f"{ratio:>21.0%}" for ratio in ratios)
    print(f"{'test accuracy, %':26}{heads}{'mean':>8}{'- random':>9}{'labels':>8}")
    for name in names:
        cells = [summary[name, ratio] for ratio in ratios]
        stds = [100 * (np.nan if one["std"] is None else one["std"]) for one in cells]
        text = "".join(
            f"{100 * one['mean']:>7.2f} ± {std:4.2f} {100 * one['difference']:+6.2f}"
            for one, std in zip(cells, stds, strict=True)
        )
        mean, gain, cost = (np.mean([one[key] for one in cells]) for key in ("mean", "difference", "n_annotated"))
        print(f"{name:26}{text}{100 * mean:>8.2f}{100 * gain:>+9.2f}{cost:>8.0f}")
    if whole:
        print(f"all {whole[0]['n_kept']} rows annotated: {show([100 * row['accuracy'] for row in whole])}")


def draw(args):
    """Draw the difference to random rows, a panel for each table."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    found = list(curves(args))
    columns = list(dict.fromkeys((dataset, protocol) for dataset, protocol, _, _ in found))
    figure, axes = plt.subplots(
        len(LABELS), len(columns), figsize=(3.4 * len(columns), 6.8), sharex=True, squeeze=False
    )
    for dataset, protocol, labels, rows in found:
        axis = axes[list(LABELS).index(labels), columns.index((dataset, protocol))]
        names, ratios, _, summary = by_method(rows)
        for name in names:
            gains = [100 * summary[name, ratio]["difference"] for ratio in ratios]
            style = {"linewidth": 2.5, "zorder": 3} if name in OURS else {"linewidth": 1.2}
            color, dashes = STYLES.get(name, (f"C{METHODS.index(name) - 1}", "--" if name in KNOW_ALL else "-"))
            axis.plot(
                np.multiply(100, ratios), gains, dashes, marker="o", markersize=3, color=color, label=name, **style
            )
        axis.set_title(f"{dataset}, {protocol}\n{LABELS[labels]}", fontsize=9)
        axis.set_ylim(bottom=max(axis.get_ylim()[0], LOWEST))
        axis.grid(alpha=0.3)
    for row in axes:
        row[0].set_ylabel("test accuracy - random rows, points")
    for axis in axes[-1]:
        axis.set_xlabel("rows kept, %")
    shown = {name: line for axis in axes.flat for line, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(shown.values(), shown.keys(), loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    figure.savefig(args.figure, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=list(LOADERS), default="fashion")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="standard")
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5])
    parser.add_argument("--labels", choices=list(LABELS), nargs="+", default=list(LABELS))
    parser.add_argument("--methods", choices=METHODS, nargs="+", default=list(METHODS))
    parser.add_argument("--split", choices=["test", "validation"], default="test")
    parser.add_argument("--pool", type=int, default=10_000, help="rows of the cpu preset")
    parser.add_argument("--iterations", type=int, default=1000, help="of the nets of the cpu preset")
    parser.add_argument("--labeler-steps", type=int, help="of SemiPrune's labeler, instead of the preset's")
    parser.add_argument("--jobs", type=int, default=4, help="nets side by side, of the card preset")
    parser.add_argument("--minutes", type=float, default=10, help="of a piece of the card preset")
    parser.add_argument("--tiny", action="store_true", help="try the card preset")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("paper-cache"))
    parser.add_argument("--out", type=Path, default=Path("paper"))
    parser.add_argument("--data-home")
    parser.add_argument("--report", action="store_true", help="print the tables from the CSV files alone")
    parser.add_argument("--figure", type=Path, help="where to draw them; needs the extra 'plots'")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.card = (TINY if args.tiny else CARD) if args.preset == "card" else None
    if not args.report and args.card is not None:
        runs = results_file(args, args.dataset, args.protocol, "runs")
        left = run_pieces(pieces(args), partial(compute_piece, args), runs, jobs=args.jobs, minutes=args.minutes)
        print(f"{left} nets are left: run the command again" if left else "all nets are trained")
    elif not args.report:
        for seed in args.seeds:
            compute(args, seed)
    report(args)
    if args.figure:
        draw(args)


if __name__ == "__main__":
    main()
