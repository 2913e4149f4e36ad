"""Answers: rows, values, bindings, errors, warnings."""

import copy
import datetime
import decimal
import pickle

import pytest

import kgq


def test_values_are_python_s_and_terms_are_as_they_are_written(tmp_path):
    (tmp_path / "v.ttl").write_text(
        """@prefix x: <http://www.w3.org/2001/XMLSchema#> . @prefix e: <http://e/> .
        e:a e:p 042, 1.50, 2.5e0, true, "t", "贸易"@zh, "2025-04-21"^^x:date, "2025-04-21T10:00:00Z"^^x:dateTime,
          "10:00:00.5"^^x:time, "2025"^^x:gYear, "many"^^x:integer, "INF"^^x:double, 99999999999999999999, e:b, _:b .""",
        encoding="utf-8",
    )
    graph = kgq.open(tmp_path / "v.ttl")
    found = [row.o for row in graph.query("SELECT ?o { <http://e/a> <http://e/p> ?o }")]
    utc = datetime.timezone.utc
    expected = [
        42, decimal.Decimal("1.50"), 2.5, True, "t", "贸易", datetime.date(2025, 4, 21),
        datetime.datetime(2025, 4, 21, 10, tzinfo=utc), datetime.time(10, 0, 0, 500_000),
        kgq.Literal("2025", "http://www.w3.org/2001/XMLSchema#gYear"),
        kgq.Literal("many", "http://www.w3.org/2001/XMLSchema#integer"), float("inf"), 10**20 - 1, kgq.IRI("http://e/b"),
    ]  # fmt: skip
    without_blank = [value for value in found if not isinstance(value, kgq.BlankNode)]
    assert len(found) == len(expected) + 1
    for value in expected:
        same = [one for one in without_blank if type(one) is type(value) or isinstance(one, str) and isinstance(value, str)]
        assert value in same, value
    chinese = next(value for value in found if value == "贸易")
    assert (chinese.language, chinese == kgq.Literal("贸易", language="ja")) == ("zh", False)
    exact = [row.o for row in graph.query("SELECT ?o { <http://e/a> <http://e/p> ?o }").terms()]
    assert kgq.Literal("042", "http://www.w3.org/2001/XMLSchema#integer") in [t for t in exact if isinstance(t, kgq.Literal)]


def test_a_row_is_a_tuple_with_names(graph):
    with pytest.warns(kgq.QueryWarning, match="nothing binds it"):
        row = graph.query("SELECT ?name ?age ?none { e:ada e:name ?name ; e:age ?age }").first()
    assert tuple(row) == ("Ada", 36, None)
    assert (row.name, row["age"], row[2], row.asdict()) == ("Ada", 36, None, {"name": "Ada", "age": 36, "none": None})
    name, age, _ = row
    assert (name, age) == ("Ada", 36)
    assert repr(row) == "Row(name='Ada', age=36, none=None)"
    again = pickle.loads(pickle.dumps(row))
    assert (again.name, again) == ("Ada", row)
    assert copy.copy(kgq.Literal("a", language="zh")).language == "zh"
    with pytest.raises(AttributeError, match="it has name, age, none"):
        row.nam
    with pytest.raises(KeyError):
        row["nam"]


def test_columns_are_named_as_a_tuple_s_methods(graph):
    query = "SELECT (COUNT(*) AS ?count) (MIN(?age) AS ?index) (1 AS ?asdict) (2 AS ?class) { ?p e:age ?age }"
    row = graph.query(query).first()
    assert (row.count, row.index, row["asdict"], getattr(row, "class")) == (2, 36, 1, 2)
    assert row.asdict() == {"count": 2, "index": 36, "asdict": 1, "class": 2}
    again = pickle.loads(pickle.dumps(row))
    assert (again.count, again.index) == (2, 36)
    assert graph.query("SELECT ?age { e:ada e:age ?age }").first().count(36) == 1


def test_an_answer_can_be_read_again(graph):
    answer = graph.query("SELECT ?name { ?p e:name ?name } ORDER BY ?name")
    assert [row.name for row in answer] == [row.name for row in answer] == ["Ada", "Bob"]
    assert (answer.columns, answer.form, bool(answer)) == (["name"], "SELECT", True)


def test_other_forms(graph):
    assert graph.query("ASK { e:ada e:age 36 }")
    assert not graph.query("ASK { e:ada e:age 37 }")
    assert [row[0] for row in graph.query("ASK { e:ada e:age 36 }")] == [True]
    triples = list(graph.query("CONSTRUCT { ?p e:is ?a } { ?p e:age ?a } ORDER BY ?a"))
    assert triples[0] == (kgq.IRI("http://e/ada"), kgq.IRI("http://e/is"), 36)
    assert triples[0].subject == "http://e/ada"
    assert len(list(graph.query("DESCRIBE e:bob"))) == 2


@pytest.mark.parametrize(
    "value, name",
    [(36, "Ada"), (decimal.Decimal("36.0"), "Ada"), (41.0, "Bob"), ([41], "Bob")],
)
def test_values_are_bound_as_terms(graph, value, name):
    found = graph.query("SELECT ?name { ?p e:name ?name ; e:age ?age FILTER(?age = $wanted) }", wanted=value)
    assert [row.name for row in found] == [name]


def test_bound_texts_cannot_change_a_query(graph):
    hostile = 'Ada" . ?s ?p ?o } #'
    with pytest.warns(kgq.EmptyAnswerWarning):
        assert list(graph.query("SELECT ?p { ?p e:name $name }", name=hostile)) == []
    assert graph.query("SELECT ?name { $p e:name ?name }", p=kgq.IRI("http://e/ada")).first().name == "Ada"
    with pytest.raises(TypeError, match="is no term"):
        graph.query("SELECT ?p { ?p e:name $name }", name=object())
    with pytest.raises(kgq.QueryError, match=r"no variable `\$nam`") as error:
        graph.query("SELECT ?p { ?p e:name $name }", nam="Ada")
    assert "name" in error.value.hint


def test_an_error_has_its_place_and_hints(graph):
    with pytest.raises(kgq.QueryError) as error:
        graph.query("SELECT ?x {\n  ?x ee:name 'Ada' }")
    assert (error.value.line, error.value.column, error.value.kind) == (2, 6, "input")
    assert error.value.hint == "declare it: `PREFIX ee: <…>`"
    assert isinstance(error.value, ValueError)
    assert "^^" in str(error.value)


def test_a_broken_file_is_an_error_of_the_data(tmp_path):
    (tmp_path / "broken.ttl").write_text("<http://e/a> <http://e/b> .\n", encoding="utf-8")
    with pytest.raises(kgq.DataError) as error:
        kgq.open(tmp_path / "broken.ttl")
    assert error.value.line == 1 and error.value.file.endswith("broken.ttl")
    with pytest.raises(kgq.FileError) as error:
        kgq.open(tmp_path / "absent.ttl")
    assert isinstance(error.value, OSError) and "absent.ttl" in str(error.value)


def test_an_empty_answer_says_why(graph):
    with pytest.warns(kgq.EmptyAnswerWarning, match="no statement has the property e:nam") as told:
        assert list(graph.query("SELECT ?x { ?x e:nam ?y }")) == []
    assert "e:name" in told[0].message.error.hint


def test_hints_speak_of_python(tmp_path):
    (tmp_path / "outside.ttl").write_text("<http://e/a> <http://e/b> 1 .", encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "kgq.toml").write_text('name = "inner"\nbase = "http://e/"\ndata = ["../outside.ttl"]\n', encoding="utf-8")
    with pytest.raises(kgq.Error) as error:
        len(kgq.open(inner))
    assert "open it with `trust=True`" in str(error.value) and "`-" not in str(error.value)
    assert len(kgq.open(inner, trust=True)) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(kgq.Error) as error:
        len(kgq.open(empty))
    assert "`-" not in str(error.value) and "kgq.toml" in str(error.value)
    for text, hint in [
        ("SELECT * { ?s ?p ?x FILTER(?x = \u20131) }", "write `-`"),
        ("SELECT * { ?s ?p ?o " + " . ?s ?p ?o" * 3_000 + " }", "raise the limit with `max-operators` in kgq.toml"),
    ]:
        with pytest.raises(kgq.QueryError) as error:
            kgq.open(inner, trust=True).query(text)
        assert hint in str(error.value)


@pytest.mark.parametrize("path", [[], "", ["people.ttl", ""]])
def test_nothing_is_no_path(path, inside):
    with pytest.raises(ValueError, match="name a project's folder"):
        kgq.open(path)


def test_a_file_may_begin_with_a_hyphen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-x").mkdir()
    (tmp_path / "-x" / "one.ttl").write_text("<http://e/a> <http://e/b> 1 .", encoding="utf-8")
    (tmp_path / "-d.ttl").write_text("<http://e/a> <http://e/b> 1, 2 .", encoding="utf-8")
    assert (len(kgq.open("-x")), len(kgq.open("-d.ttl")), len(kgq.open(["-d.ttl", "-x/one.ttl"]))) == (1, 2, 2)


@pytest.mark.parametrize("seconds, ends", [(1e-7, True), (1e9, False), (2.5, False)])
def test_a_time_is_a_number_of_seconds(folder, seconds, ends):
    def asked():
        return len(list(kgq.open(folder, timeout=seconds).query("SELECT ?n { ?p e:name ?n }")))

    if ends:
        with pytest.raises(kgq.LimitError) as error:
            asked()
        assert error.value.limit == "time"
    else:
        assert asked() == 2
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="number of seconds"):
            kgq.open(folder, timeout=wrong)


def test_limits_are_errors(folder):
    limited = kgq.open(folder, rows=1)
    with pytest.raises(kgq.LimitError) as error:
        list(limited.query("SELECT ?n { ?p e:name ?n }"))
    assert error.value.limit == "rows"


def test_canned_queries_have_parameters(graph):
    assert [row.name for row in graph.run("older-than")] == ["Ada", "Bob"]
    assert [row.name for row in graph.run("older-than", age=40)] == ["Bob"]
    (query,) = graph.queries
    assert (query.name, query.title, query.parameters[0].name) == ("older-than", "People older than an age", "age")
    with pytest.raises(kgq.QueryError, match="older-then"):
        graph.run("older-then")


def test_an_update_shows_or_changes_the_files(folder, graph):
    text = "DELETE { ?p e:age ?a } INSERT { ?p e:age 37 } WHERE { ?p e:name 'Ada' ; e:age ?a }"
    change = graph.update(text)
    assert (change.added, change.written) == ([(kgq.IRI("http://e/ada"), kgq.IRI("http://e/age"), 37)], False)
    assert "36" in (folder / "people.ttl").read_text(encoding="utf-8")
    change = graph.update(text, write=True)
    assert list(change.files) == ["people.ttl"] and "+" in change.files["people.ttl"]
    assert "37" in (folder / "people.ttl").read_text(encoding="utf-8")
    assert graph.query("SELECT ?a { e:ada e:age ?a }").first().a == 37


SHAPES = """@prefix e: <http://e/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
e:one-age a sh:NodeShape ; sh:targetSubjectsOf e:age ; sh:property [ sh:path e:age ; sh:maxCount 1 ] .
"""


def test_an_update_that_would_add_findings_says_which_and_where(folder, graph):
    manifest = folder / "kgq.toml"
    manifest.write_text('ontology = ["shapes.ttl"]\n' + manifest.read_text(encoding="utf-8").replace("*.ttl", "people.ttl"), encoding="utf-8")
    (folder / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    graph = kgq.open(folder)
    before = (folder / "people.ttl").read_text(encoding="utf-8")
    with pytest.raises(kgq.CheckError, match="nothing is written") as error:
        graph.update("INSERT DATA { e:bob e:age 42 }", write=True)
    assert error.value.hints == ()
    (other,) = error.value.others
    assert isinstance(other, kgq.Error) and other.file == "people.ttl" and other.line == 4, str(other)
    assert "shape" in str(other) and str(other).splitlines()[0] in str(error.value)
    assert (folder / "people.ttl").read_text(encoding="utf-8") == before
    assert graph.update("INSERT DATA { e:bob e:age 42 }", write=True, check=False).written


def test_a_prefix_of_an_update_is_written_as_it_is_declared(folder, graph):
    graph.update("PREFIX z: <http://z/> INSERT DATA { e:bob z:likes z:tea }", write=True, check=False)
    written = (folder / "people.ttl").read_text(encoding="utf-8")
    assert "z:likes z:tea" in written and "http://z/> ." in written


def test_what_an_update_leaves_behind_is_a_warning(folder):
    (folder / "people.ttl").write_text("@prefix e: <http://e/> .\ne:ada e:age 36 ~ e:remark .\ne:remark e:by e:bob .\n", encoding="utf-8")
    with pytest.warns(kgq.ChangeWarning, match="is now about a statement that is not made") as told:
        change = kgq.open(folder).update("DELETE DATA { e:ada e:age 36 }", write=True)
    assert change.written and (told[0].message.error.file, told[0].message.error.line) == ("people.ttl", 2)


def test_a_graph_stays_what_it_was_until_it_is_reloaded(folder, graph):
    people = folder / "people.ttl"
    people.write_text(people.read_text(encoding="utf-8") + "e:cid e:name 'Cid' .\n", encoding="utf-8")
    assert len(graph) == 4
    assert graph.reload() and not graph.reload()
    assert len(graph) == 5


def test_checks_are_of_the_files_as_they_are(folder, graph):
    assert graph.check()
    (folder / "bad.ttl").write_text("<http://e/x> <http://e/y> .", encoding="utf-8")
    report = graph.check()
    assert not report and report.errors[0].file == "bad.ttl" and report.errors[0].line == 1
