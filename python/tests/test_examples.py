"""The examples in the documentation of the module."""

import doctest
import importlib
import re
import shutil
import warnings

import pytest

import kgq

from conftest import REPOSITORY


@pytest.mark.parametrize("room", ["kgq", "kgq.graph", "kgq.answer", "kgq.terms"])
def test_examples_of_the_documentation_are_true(room, inside):
    module = importlib.import_module(room)
    names = {**vars(module), "kgq": kgq, "graph": kgq.open(".")}
    failed, tried = doctest.testmod(module, globs=names, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 0) == (0, True)


def test_the_example_of_the_readme_works(tmp_path, monkeypatch, capsys):
    pytest.importorskip("polars")
    for part in ("ontology", "data", "queries"):
        shutil.copytree(REPOSITORY / part, tmp_path / "my-graph" / part)
    shutil.copy(REPOSITORY / "kgq.toml", tmp_path / "my-graph")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall("```python\n(.*?)```", (REPOSITORY / "python/README.md").read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(example, names)
        assert len(list(names["graph"].run("tasks-of-sector", sector="Finance"))) > 1
    assert "Hefei" in capsys.readouterr().out
