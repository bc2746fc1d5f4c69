"""The structure of the package: which module may import which, and what docstrings look like."""

import ast
import inspect
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import skprune

PACKAGE = Path(__file__).parents[1] / "skprune"
# A stage may import those before it, and modules of the same stage one another as long as there is no circle.
ORDER = [
    "_utils",
    "augment",
    "nets",
    "semi_supervised",
    "dynamics",
    "scores",
    "selection",
    "_base",
    "_pipeline",
    "_reports",
    "_html_report",
    "_published",
    "_semi_prune",
    "_pruned_classifier",
    "_pruning_sampler",
    "_prune_shards",
    "datasets",
    "baselines",
    "_annotation",
    "model_selection",
    "inspection",
    "labeling",
    "_report_page",
    "_command_line",
    "__main__",
]


@cache
def modules():
    """Map the name of each module to its syntax tree."""
    files = sorted(PACKAGE.rglob("*.py"))
    names = [".".join(("skprune", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in files]
    return {
        name.removesuffix(".__init__"): ast.parse(file.read_text()) for name, file in zip(names, files, strict=True)
    }


@cache
def imports():
    """Map each module to (target module, imported name) of its imports from skprune, those inside functions too."""
    found = {name: set() for name in modules()}
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "skprune":
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    found[module].add((full, None) if full in modules() else (node.module, alias.name))
            elif isinstance(node, ast.Import):
                found[module] |= {(alias.name, None) for alias in node.names if alias.name.startswith("skprune.")}
    return found


def stage_of(module):
    return ORDER.index(module.split(".")[1])


def circles(graph):
    """Return the circles of a graph, each as a list of nodes."""
    done, found = set(), []

    def visit(node, path):
        if node in path:
            found.append([*path[path.index(node) :], node])
        elif node not in done:
            for target in sorted(graph[node]):
                visit(target, [*path, node])
            done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c", "a"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_make_no_circle():
    graph = {name: {target for target, _ in targets if target != "skprune"} for name, targets in imports().items()}
    assert circles(graph) == []


def test_stages_import_earlier_stages_only():
    assert {name.split(".")[1] for name in modules() if name != "skprune"} == set(ORDER)
    backwards = [
        f"{module} imports {target}"
        for module, targets in imports().items()
        for target, _ in targets
        if "skprune" not in (module, target) and stage_of(target) > stage_of(module)
    ]
    assert backwards == []


def test_no_module_takes_a_private_name_of_another():
    borrowed = [
        f"{module} takes {target}.{name}"
        for module, targets in imports().items()
        for target, name in targets
        if name is not None and name.startswith("_") and not name.startswith("__")
    ]
    assert borrowed == []


def is_own(node):
    """Tell whether an expression is self, cls or super()."""
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in ("self", "cls", "super")


def private_attributes(tree):
    """Return the private attributes that the classes of a module define."""
    defined = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            defined |= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            defined |= {name.id for part in node.body for name in ast.walk(part) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            defined.add(node.attr)
    return {name for name in defined if name.startswith("_") and not name.startswith("__")}


def touched_attributes(tree):
    """Yield the attributes that a module reads or sets of anything but self, those by getattr too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            yield node.attr
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr"):
            owner, name = node.args[:2]
            if not is_own(owner):
                yield getattr(name, "value", None)


def test_private_attributes_are_found():
    tree = ast.parse("class A:\n    _a = 1\n    def _b(self):\n        self._c = x._d\n        getattr(x, '_e')")
    assert {"_a", "_b", "_c"} <= private_attributes(tree)
    assert private_attributes(tree).isdisjoint({"_d", "_e"})
    assert set(touched_attributes(tree)) == {"_d", "_e"}


def test_no_package_touches_a_private_attribute_of_another():
    """``_utils._adapters`` may ask nets what they are, which is how everything else learns it without torch."""
    homes, touched = {}, []
    trees = {module: tree for module, tree in modules().items() if module != "skprune"}
    for module, tree in trees.items():
        for name in private_attributes(tree):
            homes.setdefault(name, set()).add(module.split(".")[1])
    for module in trees.keys() - {"skprune._utils._adapters"}:
        names = [name for name in touched_attributes(trees[module]) if name in homes]
        touched += [f"{module} touches {name}" for name in names if module.split(".")[1] not in homes[name]]
    assert touched == []


@cache
def public_definitions():
    """Return (file, qualified name) of what users reach: names in ``__all__``, and the public methods of classes."""
    found = set()
    for package in [
        "skprune",
        *(f"skprune.{name}" for name in skprune.__all__ if inspect.ismodule(getattr(skprune, name))),
    ]:
        home = import_module(package)
        for public in (getattr(home, name) for name in home.__all__):
            for part in getattr(public, "__mro__", [public]):
                if inspect.ismodule(part) or not part.__module__.startswith("skprune"):
                    continue
                file = Path(inspect.getsourcefile(inspect.unwrap(part)))  # what a decorator wraps
                if part is public:
                    found.add((file, part.__qualname__))
                found |= {(file, f"{part.__qualname__}.{name}") for name in vars(part) if not name.startswith("_")}
    return found


def definitions(tree, prefix=""):
    """Yield (qualified name, node) of the functions and classes of a module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield prefix + node.name, node
            yield from definitions(node, f"{prefix}{node.name}." + "<locals>." * isinstance(node, ast.FunctionDef))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from definitions(node, prefix)


@pytest.mark.parametrize("module", sorted(name for name in modules() if name != "skprune"))
def test_every_module_says_what_it_is(module):
    docstring = ast.get_docstring(modules()[module])
    assert docstring, module
    assert docstring.splitlines()[0].endswith((".", ":")), module


def test_private_names_have_one_line_of_docstring():
    long, n_public = [], 0
    for file in sorted(PACKAGE.rglob("*.py")):
        for name, node in definitions(ast.parse(file.read_text())):
            docstring = ast.get_docstring(node, clean=False)
            if (file, name) in public_definitions():
                n_public += 1
            elif docstring is not None and "\n" in docstring:
                long.append(f"{file.name}:{node.lineno} {name}")
    assert n_public > 100
    assert long == []
