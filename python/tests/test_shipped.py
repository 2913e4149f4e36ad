"""What answers rest on, over the graph that ships with kgq."""

import json

import pytest

import kgq


def test_a_row_says_what_it_rests_on(shipped):
    why = shipped.run("date-of-event", event="event:press-conference").why(1)
    assert any(statement.inferred for statement in why.statements)
    assert all(statement.file and statement.line for statement in why.statements)
    assert "the 21st" in [citation.anchor for citation in why.citations]
    assert "Because" in str(why) and json.dumps(why.prov)


def test_statements_are_cited(shipped):
    (cited,) = shipped.cite("figure:fdi-2024", "qudt:numericValue", "_")
    assert cited.state == "cited"
    assert cited.citations[0].anchor == "293.2 billion yuan"
    assert cited.citations[0].sentences == ["41"]


def test_a_description_has_labels_and_what_refers_to_it(shipped):
    ministry = shipped.describe("商务部")
    assert ministry.label == "Ministry of Commerce"
    assert any(ministry.referring.values())
    assert "Ministry of Commerce" in ministry._repr_html_()


def test_a_notebook_shows_labels_and_citations(shipped):
    answer = shipped.query("SELECT ?post { person:zhu-bing org:holds ?post }")
    shown = answer._repr_html_()
    assert "Director General of the Foreign Investment Management Department" in shown
    assert "<sup>[1]</sup>" in shown and "<li>" in shown
    assert answer.shown().citations[0].place


def test_every_form_is_shown_with_what_it_rests_on(shipped):
    pattern = "person:zhu-bing org:holds ?post"
    rows = shipped.query(f"SELECT ?post {{ {pattern} }}").shown()
    for query in [f"ASK {{ {pattern} }}", f"CONSTRUCT {{ person:zhu-bing org:holds ?post }} {{ {pattern} }}"]:
        shown = shipped.query(query).shown()
        assert len(shown.cites) == 1 and shown.cites[0], query
        assert [citation.place for citation in shown.citations] == [citation.place for citation in rows.citations]
    shown = shipped.query("ASK { ?s ?p ?o }")._repr_html_()
    assert "<th>answer</th>" in shown and "true" in shown
    # What is not in the graph makes a triple as little as what is: its sources are those of what it was made from.
    made = shipped.query(f"CONSTRUCT {{ ?post <http://e/held-by> person:zhu-bing }} {{ {pattern} }}").shown()
    assert made.cites[0] and made.citations[0].place == rows.citations[0].place


def test_an_answer_that_is_false_is_shown_and_rests_on_nothing(shipped):
    shown = shipped.query("ASK { person:zhu-bing org:holds person:zhu-bing }").shown()
    assert shown.cites == [[]] and shown.citations == []
    assert "false" in shown._repr_html_()


def test_as_many_rows_are_shown_as_are_asked_for(shipped):
    answer = shipped.query("SELECT ?s { ?s a ou:Region }")
    assert (len(answer.shown(2).cites), answer.shown(2).more) == (2, True)
    assert (answer.shown(0).cites, answer.shown(0).more) == ([], True)
    assert not answer.shown(2**64 - 1).more
    for wrong in (answer.shown, answer.why):
        with pytest.raises(ValueError, match="-1"):
            wrong(-1)
    with pytest.raises(ValueError, match="no row 0"):
        answer.why(0)


def test_what_is_shown_is_escaped(tmp_path):
    (tmp_path / "d.ttl").write_text('<http://e/a> <http://e/b> "<script>alert(1)</script>" .', encoding="utf-8")
    shown = kgq.open(tmp_path / "d.ttl").query("SELECT * { ?s ?p ?o }")._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
