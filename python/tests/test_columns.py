"""Answers as columns: Arrow, Polars, pandas."""

import datetime
import decimal

import pytest

import kgq

pyarrow = pytest.importorskip("pyarrow")
polars = pytest.importorskip("polars")
pytest.importorskip("pandas")

DATA = """@prefix e: <http://e/> . @prefix x: <http://www.w3.org/2001/XMLSchema#> .
e:a e:n 1 ; e:d 1.5 ; e:f 2.5e0 ; e:t "one" ; e:when "2025-04-21"^^x:date ; e:mixed "s" .
e:b e:n 2 ; e:d 2.25 ; e:f 3.5e0 ; e:t "two" ; e:when "2025-04-22"^^x:date ; e:mixed 7 .
e:c e:n 3 .
"""
QUERY = """SELECT ?s ?n ?d ?f ?t ?when ?mixed {
  ?s e:n ?n OPTIONAL { ?s e:d ?d ; e:f ?f ; e:t ?t ; e:when ?when ; e:mixed ?mixed } } ORDER BY ?n"""


@pytest.fixture
def answer(tmp_path):
    (tmp_path / "d.ttl").write_text(DATA, encoding="utf-8")
    return kgq.open(tmp_path / "d.ttl").query(QUERY)


def test_columns_are_typed_where_they_have_one_datatype(answer):
    table = answer.to_arrow()
    assert table.column_names == ["s", "n", "d", "f", "t", "when", "mixed"]
    assert table["n"].to_pylist() == [1, 2, 3]
    assert table["t"].to_pylist() == ["one", "two", None]
    assert table["f"].to_pylist() == [2.5, 3.5, None]
    assert table["d"].to_pylist() == [decimal.Decimal("1.5"), decimal.Decimal("2.25"), None]
    assert table["when"].to_pylist() == [datetime.date(2025, 4, 21), datetime.date(2025, 4, 22), None]
    assert table["s"].to_pylist() == ["http://e/a", "http://e/b", "http://e/c"]
    mixed = table["mixed"].to_pylist()
    assert [value and value["value"] for value in mixed] == ["s", "7", None]
    assert mixed[1]["datatype"] == "http://www.w3.org/2001/XMLSchema#integer"


def test_terms_are_structs_where_they_are_asked_for(answer):
    first = answer.to_arrow(terms=True)["n"].to_pylist()[0]
    assert first == {"value": "1", "kind": "literal", "datatype": "http://www.w3.org/2001/XMLSchema#integer", "language": None}


@pytest.mark.parametrize("terms", [False, True])
def test_a_limit_is_an_error_of_kgq_and_none_of_the_tool(tmp_path, terms):
    lines = (f"<http://e/s{n}> <http://e/p> <http://e/o{n % 50}> .\n" for n in range(3_000))
    (tmp_path / "d.nt").write_text("".join(lines), encoding="utf-8")
    query = "SELECT ?a ?d ?g { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    for limit, name in (({"timeout": 1}, "time"), ({"rows": 5}, "rows"), ({"memory": 16 << 20}, "memory")):
        answer = kgq.open(tmp_path / "d.nt", **limit).query(query)
        for read in (answer.to_arrow, answer.to_polars):
            with pytest.raises(kgq.LimitError) as error:
                read(terms=terms)
            assert error.value.limit == name


def test_polars_and_pandas_hold_the_same(answer):
    assert answer.to_polars()["n"].to_list() == answer.to_pandas()["n"].tolist() == [1, 2, 3]
    assert polars.DataFrame(answer).shape == answer.to_polars().shape == (3, 7)


def test_triples_are_rows_of_three(answer, tmp_path):
    graph = kgq.open(tmp_path / "d.ttl")
    table = graph.query("CONSTRUCT { ?s e:n ?n } { ?s e:n ?n }").to_arrow()
    assert (table.column_names, table.num_rows) == (["subject", "predicate", "object"], 3)
    with pytest.raises(kgq.QueryError, match="ASK has no rows"):
        graph.query("ASK { ?s e:n 1 }").to_arrow()


def test_an_empty_answer_has_columns_and_says_why(tmp_path, answer):
    graph = kgq.open(tmp_path / "d.ttl")
    with pytest.warns(kgq.EmptyAnswerWarning) as told:
        table = graph.query("SELECT ?s { ?s e:nn 1 }").to_arrow()
        graph.query("SELECT ?s { ?s e:nn 2 }").to_pandas()
    assert (table.column_names, table.num_rows) == (["s"], 0)
    assert {warning.filename for warning in told} == {__file__}


def test_many_rows_come_in_batches_and_are_all_there(tmp_path):
    lines = (f'<http://e/s{n}> <http://e/n> "{n}"^^<http://www.w3.org/2001/XMLSchema#integer> .\n' for n in range(100_000))
    (tmp_path / "many.nt").write_text("".join(lines), encoding="utf-8")
    table = kgq.open(tmp_path / "many.nt").query("SELECT ?n { ?s <http://e/n> ?n }").to_arrow()
    assert table["n"].num_chunks > 1
    assert sorted(table["n"].to_pylist()) == list(range(100_000))
