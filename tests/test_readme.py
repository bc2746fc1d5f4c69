"""README: its Python blocks run, and its table is that of the results."""

import re
import runpy
from pathlib import Path

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text()


def test_the_python_blocks_run_one_after_the_other(tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    names = {}
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert len(blocks) == 3
    assert len(names["model"].fit(names["X"], names["y"]).predict(names["X"])) == 150


def test_the_table_is_that_of_the_results():
    with_table = runpy.run_path(str(TOP / "docs" / "make_readme.py"))["with_table"]
    assert with_table(README) == README


def test_a_gallery_example_for_each_link_of_the_docs():
    linked = {
        name
        for page in (TOP / "docs").glob("*.rst")
        for name in re.findall(r"auto_examples_(plot_\w+)", page.read_text())
    }
    assert linked <= {file.stem for file in (TOP / "examples").glob("plot_*.py")}
    assert len(linked) > 5
