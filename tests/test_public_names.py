"""What the package shows to the outside, and what its source never holds."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import finegraft

SOURCE = Path(finegraft.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_the_public_list() -> None:
    assert finegraft.__all__ == [
        "Category",
        "Dataset",
        "Evaluation",
        "Finding",
        "FinegraftError",
        "Learner",
        "NumberEvaluation",
        "NumberPrediction",
        "Prediction",
        "Predictor",
        "Record",
        "TagsEvaluation",
        "TagsPrediction",
        "load",
        "report",
        "vision",
        "__version__",
    ]
    assert set(finegraft.__all__) <= set(dir(finegraft))


@pytest.mark.parametrize("name", finegraft.__all__)
def test_every_public_name_loads_and_says_what_it_is(name: str) -> None:
    found = getattr(finegraft, name)
    if name != "__version__":
        assert (inspect.getdoc(found) or "").strip()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'finegraft' has no attribute 'laod'"):
        _ = finegraft.laod


def test_what_a_type_checker_sees_is_what_is_loaded() -> None:
    """The imports under TYPE_CHECKING and the table of lazy names are two lists of one thing."""
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.asname, node.module, alias.name)
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    loaded = {
        (name, module if attribute else module.rpartition(".")[0], attribute or name)
        for name, (module, attribute) in finegraft._PUBLIC.items()
    }
    assert seen == loaded


@pytest.mark.parametrize("path", [*FILES, *sorted({file.parent for file in FILES})], ids=named)
def test_every_file_is_named_by_what_it_holds(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "core", "misc", "base"}


FOREIGN = {"joblib", "dill", "marshal", "shelve", "cloudpickle"}


def unsafe(tree: ast.AST) -> Iterator[str]:
    """Whatever could run code that came out of a file."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if {n.name.split(".")[0] for n in names} & FOREIGN:
                yield f"import of {names[0].name}"
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in FOREIGN | {"pickle"}:
                yield f"import from {module}"
            case ast.Attribute(value=ast.Name(id="pickle"), attr=name) if name != "UnpicklingError":
                yield f"pickle.{name}"
            case ast.keyword(arg="weights_only" | "allow_pickle" as name, value=ast.Constant(value=value)):
                if value is not (name == "weights_only"):
                    yield f"{name}={value}"
            case ast.Call(func=ast.Name(id="eval" | "exec" as name)):
                yield f"{name}()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load"), keywords=keywords):
                if "weights_only" not in {keyword.arg for keyword in keywords}:
                    yield "torch.load without weights_only"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_file_can_run_code_that_came_out_of_another(path: Path) -> None:
    assert list(unsafe(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "line",
    [
        "import joblib",
        "from pickle import loads",
        "pickle.load(file)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "exec(text)",
    ],
)
def test_the_search_finds_what_it_looks_for(line: str) -> None:
    assert list(unsafe(ast.parse(line)))


@pytest.mark.parametrize("path", [p for p in FILES if ">>>" in p.read_text(encoding="utf-8")], ids=named)
def test_examples_in_docstrings_are_true(path: Path) -> None:
    module = importlib.import_module(".".join(["finegraft", *path.relative_to(SOURCE).with_suffix("").parts]))
    if path.name == "__init__.py":
        module = importlib.import_module(".".join(["finegraft", *path.parent.relative_to(SOURCE).parts]))
    done = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.failed == 0
