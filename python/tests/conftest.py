"""What the tests share: a small project, which the examples of the documentation use too."""

import os
import pathlib

import pytest

import kgq

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

MANIFEST = """name = "people"
base = "http://e/"
data = ["*.ttl"]
queries = ["queries/*.rq"]
[prefixes]
e = "http://e/"
"""
PEOPLE = """@prefix e: <http://e/> .
e:ada e:name "Ada" ; e:age 36 .
e:bob e:name "Bob" ; e:age 41 .
"""
OLDER = """#+ title: People older than an age
#+ params:
#+   age: {type: integer, default: 0}
SELECT ?name { ?person e:name ?name ; e:age ?is FILTER(?is > $age) } ORDER BY ?name
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "queries").mkdir()
    (tmp_path / "kgq.toml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "people.ttl").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "queries" / "older-than.rq").write_text(OLDER, encoding="utf-8")
    return tmp_path


@pytest.fixture
def graph(folder):
    return kgq.open(folder)


@pytest.fixture(scope="session")
def shipped():
    """The graph that ships with kgq."""
    return kgq.open(REPOSITORY)


@pytest.fixture
def inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)
