"""``SemiPrune.report``: one page that holds what it should, escapes what users wrote, and refers to nothing else."""

import re
import sys
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

import skprune
from skprune import SemiPrune
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.semi_supervised import SoftMatch

HOSTILE = "<script>alert('x')</script>\"&amp; onload=http://example.org"
HEADINGS = [
    "What was asked",
    "Pseudo-labels",
    "Classes before and after",
    "Data map",
    "Rows to label",
    "Hardest rows",
    "Labels to check",
    "Compared with random rows",
    "Times",
    "Settings",
    "Versions",
]


class Page(HTMLParser):
    """The elements of a page with their attributes, its texts, and its headings."""

    def __init__(self, file):
        super().__init__()
        self.elements, self.texts, self.open, self.sections = [], [], [], {}
        self.feed(file.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            return
        self.texts.append(data)
        if self.open and self.open[-1] == "h2":
            self.sections[data] = ""
        elif self.sections:
            self.sections[list(self.sections)[-1]] += data + " "

    def count(self, tag):
        return sum(found == tag for found, _ in self.elements)


def table_pruner(ratio=0.3, **params):
    defaults = {
        "labeler": make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=20)),
        "proxy": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
        "n_epochs": 12,
        "random_state": 0,
    }
    return SemiPrune(ratio, **defaults | params)


@pytest.fixture(scope="module")
def hostile():
    """Make a pruner, its pool and names of rows, with markup in all that a user can write."""
    X, y = load_iris(return_X_y=True)
    X = pd.DataFrame(X, columns=[HOSTILE, "b", "c", "d"])
    classes = np.array([HOSTILE, "two</td>", "three<img src=x>"], dtype=object)
    codes = make_partial_labels(y, n_labeled=30, random_state=0)
    labels = np.array([None if code == -1 else classes[code] for code in codes], dtype=object)
    given = np.flatnonzero(codes == 0)[:3]
    labels[given] = classes[2]  # wrong, so that there are labels to check
    names = np.array([f"{HOSTILE} {row}" for row in range(len(X))])
    return table_pruner().fit(X, labels), X, names


@pytest.fixture(scope="module")
def digits():
    """Make a pruner fitted to images, and the images."""
    X, y = load_digits(return_X_y=True)
    X, y = (X[:300].reshape(-1, 8, 8) / 16 * 255).astype(np.uint8), y[:300]
    y_partial = make_partial_labels(y, n_labeled=120, random_state=0)
    wrong = np.flatnonzero(y_partial == 0)[:2]
    y_partial[wrong] = 1
    return table_pruner(budget=40, ratio=0.5).fit(X, y_partial), X, wrong


def test_all_text_is_escaped(hostile, tmp_path):
    pruner, X, names = hostile
    pruner.report(tmp_path / "r.html", X, names=names, title=HOSTILE)
    page = Page(tmp_path / "r.html")
    known = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "div", "p", "h1", "h2"}
    known |= {"dl", "dt", "dd", "figure", "img", "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in page.elements} <= known | {"ul", "li", "span", "pre", "code"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.open == []
    written = [text for text in page.texts if HOSTILE in text]
    assert HOSTILE in written  # the title and the name of a column
    assert any(text.startswith(f"{HOSTILE} ") for text in written)  # the name of a row
    assert any(text == "two</td>" for text in page.texts)


def test_nothing_refers_to_the_network(hostile, tmp_path):
    pruner, X, names = hostile
    pruner.report(tmp_path / "r.html", X, names=names)
    page = Page(tmp_path / "r.html")
    links = {"src", "href", "action", "data", "srcset", "poster", "background"}
    found = [value for _, attributes in page.elements for name, value in attributes.items() if name in links]
    assert found
    assert all(value.startswith("data:image/png;base64,") for value in found)
    style = (tmp_path / "r.html").read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_it_has_every_section_and_images_have_alternatives(digits, tmp_path):
    pruner, X, wrong = digits
    assert pruner.report(tmp_path / "r.html", X, n_rows=5) is pruner
    page = Page(tmp_path / "r.html")
    assert list(page.sections) == HEADINGS
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert all(len(attributes["alt"]) > 10 for attributes in images)
    assert page.count("figure") == 4
    assert page.count("li") == 15  # five to label, five hardest, five to check
    assert "40 unlabeled rows besides all labeled ones" in page.sections["What was asked"]
    assert f"{pruner.pseudo_label_accuracy_:.1%}".replace("%", "\xa0%") in page.sections["Pseudo-labels"]
    first = [f"Image of row {row}" for row in pruner.annotation_indices_[:5]]
    assert [attributes["alt"] for attributes in images][4:9] == first


def test_wrong_given_labels_are_among_those_to_check(digits, tmp_path):
    pruner, X, wrong = digits
    pruner.report(tmp_path / "r.html", X)
    words = Page(tmp_path / "r.html").sections["Labels to check"].split()
    assert all(str(row) in words for row in wrong)


def test_without_the_pool_it_shows_kept_rows_only(digits, tmp_path):
    pruner, _, _ = digits
    dropped = np.flatnonzero(~pruner.support_)
    pruner.report(tmp_path / "r.html")
    page = Page(tmp_path / "r.html")
    shown = {attributes["alt"] for tag, attributes in page.elements if tag == "img"}
    assert f"Image of row {pruner.annotation_indices_[0]}" in shown
    assert shown.isdisjoint({f"Image of row {row}" for row in dropped})
    assert str(np.argmax(pruner.difficulty_scores_)) in page.sections["Hardest rows"].split()


def test_it_is_written_whole_or_not_at_all(hostile, tmp_path, monkeypatch):
    pruner, X, _ = hostile
    file = tmp_path / "r.html"
    file.write_text("before")

    def fail(*args, **kwargs):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", fail)
        with pytest.raises(OSError, match="disk is full"):
            pruner.report(file, X)
    assert file.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["r.html"]
    pruner.report(file, X)
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_what_cannot_be_reported_is_refused(hostile, tmp_path):
    pruner, X, names = hostile
    with pytest.raises(ValueError, match="not the data that SemiPrune was fitted to"):
        pruner.report(tmp_path / "r.html", X + 1)
    with pytest.raises(ValueError, match="names has 149"):
        pruner.report(tmp_path / "r.html", X, names=names[1:])
    with pytest.raises(ValueError, match="n_rows"):
        pruner.report(tmp_path / "r.html", X, n_rows=0)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_it_says_what_to_install(hostile, tmp_path, monkeypatch):
    pruner, X, _ = hostile
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"skprune\[plots\]"):
        pruner.report(tmp_path / "r.html", X)
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_is_told_where_it_was_asked_for(tmp_path, iris):
    X, _, y_partial = iris
    pruner = table_pruner(compare_with_random=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that random rows may be as good
        pruner.fit(X, y_partial)
    pruner.report(tmp_path / "r.html", X)
    found = Page(tmp_path / "r.html").sections["Compared with random rows"]
    for accuracy in (pruner.random_comparison_.coreset, pruner.random_comparison_.random):
        assert f"{100 * accuracy:.1f}\xa0%" in found
    assert "comparison" in pruner.stage_seconds_


def test_the_page_says_that_few_held_out_labels_can_hardly_tell(tmp_path, iris):
    X, y, _ = iris
    partial = np.where(np.isin(np.arange(len(y)), [0, 1, 50, 100]), y, -1)
    pruner = table_pruner(compare_with_random=True, goal="pseudo")
    with pytest.warns(UserWarning, match="can hardly tell"):
        pruner.fit(X, partial)
    pruner.report(tmp_path / "r.html", X)
    sections = Page(tmp_path / "r.html").sections
    found = sections["Compared with random rows"]
    assert "on 1 held-out labeled row, over five trainings" in found
    assert "(95 % interval -100.0 to +100.0)" in found
    assert "So few held-out labels can hardly tell: no difference would be detected" in found
    assert "On 1 held-out labeled row, " in sections["Pseudo-labels"]


def test_all_labels_given(tmp_path):
    X, y = load_iris(return_X_y=True)
    y[0] = 2
    pruner = SupervisedPruner(0.3, proxy=make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")), n_epochs=12)
    pruner.fit(X, y).report(tmp_path / "r.html", X)
    sections = Page(tmp_path / "r.html").sections
    assert "Pseudo-labels" not in sections
    assert "Kept rows" in sections
    assert " 0 " in sections["Labels to check"]


@pytest.mark.parametrize("kind", ["texts", "sparse"])
def test_rows_that_are_no_table_of_numbers(tmp_path, kind):
    from sklearn.feature_extraction.text import TfidfVectorizer

    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    texts = [
        " ".join(rng.choice(["sun", "sea"] if label else ["code", "bug"], 4)) + f" n{i}" for i, label in enumerate(y)
    ]
    first = [TfidfVectorizer()] if kind == "texts" else []
    X = texts if kind == "texts" else csr_array(TfidfVectorizer().fit_transform(texts))
    pruner = table_pruner(
        labeler=make_pipeline(*first, SelfTrainingClassifier(SGDClassifier(loss="log_loss"))),
        proxy=make_pipeline(*first, SGDClassifier(loss="log_loss")),
        selection="hardest",
    )
    pruner.fit(X, np.where(np.arange(60) < 20, y, -1)).report(tmp_path / "r.html", X)
    hardest = int(np.argmax(pruner.difficulty_scores_))
    found = Page(tmp_path / "r.html").sections["Hardest rows"]
    assert (texts[hardest] if kind == "texts" else "column 3") in found


def test_what_is_shown_may_be_other_than_what_is_read(tmp_path, iris):
    """Embeddings are read, and their texts are shown."""
    X, _, y_partial = iris
    texts = [f"text of {row}" for row in range(150)]
    pruner = table_pruner().fit(X, y_partial)
    pruner.report(tmp_path / "r.html", show=texts)
    sections = Page(tmp_path / "r.html").sections
    assert f"text of {np.argmax(pruner.difficulty_scores_)} " in sections["Hardest rows"]
    assert "column 0" not in sections["Hardest rows"]
    with pytest.raises(ValueError, match="show has 149"):
        pruner.report(tmp_path / "r.html", show=texts[1:])


def test_a_loaded_pruner_reports(tmp_path, iris):
    X, _, y_partial = iris
    pruner = table_pruner().fit(X, y_partial)
    pruner.save(tmp_path / "pruner", rows=False)
    loaded = skprune.load(tmp_path / "pruner")
    with pytest.raises(ValueError, match="saved without its rows"):
        loaded.report(tmp_path / "r.html")
    loaded.report(tmp_path / "r.html", X)
    pruner.report(tmp_path / "first.html", X)
    found, first = (Page(tmp_path / name).sections for name in ("r.html", "first.html"))
    assert found["Rows to label"] == first["Rows to label"]
    assert found["Labels to check"] == first["Labels to check"]


def text_of(file):
    return re.sub(r"<[^>]*>", "", file.read_text(encoding="utf-8")).replace("\N{NO-BREAK SPACE}", " ")


def test_how_many_labels_the_tested_labeler_knew(tmp_path, iris):
    X, _, partial = iris
    n_given = int((partial >= 0).sum())
    pruner = table_pruner().fit(X, partial)
    pruner.report(tmp_path / "r.html", X)
    n_held_out = len(pruner._held_out.rows)
    assert f"On {n_held_out} held-out labeled rows" in text_of(tmp_path / "r.html")
    assert f"knew {n_given - n_held_out} of the {n_given} labels. The mean" in text_of(tmp_path / "r.html")


def test_labels_held_out_by_an_earlier_fit(tmp_path):
    X, y = make_blobs(120, centers=3, random_state=0)
    labeler = SoftMatch(n_steps=20, batch_size=8, mu=2, module__width=16)
    proxy = SGDClassifier(loss="log_loss", alpha=1.0)
    pruner = SemiPrune(0.3, labeler=labeler, proxy=proxy, warm_start=True, random_state=0)
    pruner.fit(X, np.where(np.arange(120) < 20, y, -1))
    n_held_out = len(pruner._held_out.rows)
    pruner.fit(X, np.where(np.arange(120) < 60, y, -1)).report(tmp_path / "r.html", X)
    assert f"knew {20 - n_held_out} of the 60 labels: it was trained by an earlier fit" in text_of(tmp_path / "r.html")


def test_on_how_many_labels_the_labeler_was_trained(tmp_path, digits):
    pruner, X = digits[:2]
    pruner.report(tmp_path / "r.html")
    n_given, held_out = int(pruner._labeled.sum()), pruner._held_out.rows
    asked = np.union1d(held_out, np.flatnonzero(pruner._labeled & pruner.support_))
    n_learned = len(np.setdiff1d(asked, held_out))
    text = text_of(tmp_path / "r.html")
    assert (
        f"of the {len(asked)} given labels that it was asked about, of {n_given} in all; it was trained on {n_learned}"
        in text
    )


@pytest.mark.parametrize(
    ("ratio", "params", "text"),
    [
        (1.0, {}, "keep all of the rows"),
        (0.25, {}, "keep 0.25 of the rows"),
        (0.25, {"groups_select": "one"}, "keep one row of 0.25 of the 50 groups"),
        (1.0, {"groups_select": "one"}, "keep one row of all of the 50 groups"),
    ],
)
def test_what_was_asked(tmp_path, iris, ratio, params, text):
    X, _, partial = iris
    groups = np.arange(150) // 3 if params else None
    table_pruner(ratio, **params).fit(X, partial, groups=groups).report(tmp_path / "r.html")
    assert text in text_of(tmp_path / "r.html")


def test_columns_of_the_data_keep_their_cells(tmp_path, iris):
    X, _, partial = iris
    shown = pd.DataFrame(
        {name: [f"own {name} {row}" for row in range(150)] for name in ("text", "label", "why", "difficulty")}
    )
    pruner = table_pruner().fit(X, partial)
    pruner.report(tmp_path / "r.html", X, show=shown)
    text, row = text_of(tmp_path / "r.html"), pruner.annotation_indices_[0]
    assert "why (in the data)" in text
    assert "text (in the data)" not in text
    for name in shown:
        assert f"own {name} {row}" in text


@pytest.mark.parametrize("names", [["usd_$10_$20", "usd_$20_$50", "$x^$"], ["a$", "b", r"\$c"]])
def test_dollars_of_class_names_and_names_that_are_no_utf8(tmp_path, iris, names):
    X, _, partial = iris
    labels = np.array([names[code] if code >= 0 else None for code in partial], dtype=object)
    table_pruner().fit(X, labels).report(tmp_path / "r.html", X, names=[f"{row}\udcff" for row in range(150)])
    assert "\\udcff" in (tmp_path / "r.html").read_text(encoding="utf-8")
