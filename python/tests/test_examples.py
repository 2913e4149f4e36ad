"""The examples in the documentation of the module."""

import doctest
import importlib

import pytest

import kgq


@pytest.mark.parametrize("room", ["kgq", "kgq.graph", "kgq.answer", "kgq.terms"])
def test_examples_of_the_documentation_are_true(room, inside):
    module = importlib.import_module(room)
    names = {**vars(module), "kgq": kgq, "graph": kgq.open(".")}
    failed, tried = doctest.testmod(module, globs=names, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 0) == (0, True)
