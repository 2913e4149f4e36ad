//! Expressions over small data, through one entry point; and over random data, compared with Oxigraph's evaluator.

use super::*;
use crate::plan::Variables;
use crate::plan::expression::OrderTest;
use crate::plan::lower::{Named, lowered};
use kgq_syntax::rdf::{Literal, NamedNode, Quad, Term};
use oxrdf::vocab::xsd;
use spargebra::SparqlParser;
use spargebra::algebra::GraphPattern;
use std::sync::LazyLock;

const PREFIXES: &str = "PREFIX : <http://example.com/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> \
                        PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>";

/// The first variables of `x`, `y`, `z`, as a batch has them.
pub fn columns(count: usize) -> Vec<Var> {
    let mut variables = Variables::default();
    ["x", "y", "z", "nothing"].map(|name| variables.fresh(name))[..count].to_vec()
}

/// Translates the expression over those variables; any other variable is unbound.
pub fn lower(expression: &spargebra::algebra::Expression) -> Expression {
    let vars = columns(4);
    let var = |named: Named<'_>| match named {
        Named::Variable(variable) => {
            let at = ["x", "y", "z"].iter().position(|name| variable.as_str() == *name);
            Ok(vars[at.unwrap_or(3)])
        }
        Named::Exists(pattern) => panic!("no pattern is asked for: {pattern}"),
    };
    lowered(expression, &mut { var }).unwrap()
}

pub fn parse(expression: &str) -> Expression {
    let text = format!("BASE <http://example.com/base/> {PREFIXES} SELECT ?r {{ BIND(({expression}) AS ?r) }}");
    let query = SparqlParser::new().parse_query(&text).unwrap_or_else(|e| panic!("{expression}: {e}"));
    let spargebra::Query::Select { pattern: GraphPattern::Project { inner, .. }, .. } = query else {
        panic!("{expression} is no expression")
    };
    let GraphPattern::Extend { expression, .. } = *inner else { panic!("{expression} is no expression") };
    lower(&expression)
}

/// Parses a term written as in SPARQL, with the prefixes `:` and `xsd:`; `None` for "error" and "".
pub fn parse_term(term: &str) -> Option<Term> {
    let starts_as_number = term.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if matches!(term, "" | "error") {
        None
    } else if let Some(name) = term.strip_prefix(':') {
        Some(NamedNode::new_unchecked(format!("http://example.com/{name}")).into())
    } else if starts_as_number {
        let datatype = if term.contains('.') { xsd::DECIMAL } else { xsd::INTEGER };
        Some(Literal::new_typed_literal(term, datatype).into())
    } else if matches!(term, "true" | "false") {
        Some(Literal::new_typed_literal(term, xsd::BOOLEAN).into())
    } else {
        static NAMES: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(r"xsd:(\w+)").unwrap());
        let term = NAMES.replace_all(term, "<http://www.w3.org/2001/XMLSchema#$1>");
        Some(term.parse().unwrap_or_else(|e| panic!("{term}: {e}")))
    }
}

pub fn snapshot_of(terms: impl IntoIterator<Item = Term>) -> Snapshot {
    let (s, p) = (NamedNode::new_unchecked("http://example.com/s"), NamedNode::new_unchecked("http://example.com/p"));
    let quads = terms.into_iter().map(|term| Quad::new(s.clone(), p.clone(), term, oxrdf::GraphName::DefaultGraph));
    Snapshot::from_quads(quads).unwrap()
}

/// Evaluates an expression for one row that binds `?x`, `?y` and `?z`: once with the terms stored in the snapshot, and
/// once with an empty snapshot, where all of them are computed.
pub fn evaluate(expression: &str, row: &[&str]) -> Option<Term> {
    let bound: Vec<Option<Term>> = row.iter().map(|term| parse_term(term)).collect();
    let [stored, computed] = [bound.iter().flatten().cloned().collect(), Vec::new()].map(|stored: Vec<Term>| {
        let snapshot = snapshot_of(stored);
        let base = Iri::parse("http://example.com/base/".to_owned()).unwrap();
        let context = Context::new(&snapshot, Some(base), Budget::default());
        let schema = columns(row.len());
        let id = |term: &Option<Term>| term.clone().map_or(TermId::UNBOUND, |term| context.terms.id(term).unwrap());
        let batch = Batch::new(bound.iter().map(|term| vec![id(term)]).collect(), 1);
        let compiled = compile(&parse(expression), &schema, &context).unwrap();
        let ids = compiled.evaluate(&batch, &context).unwrap();
        (ids[0] != TermId::UNBOUND).then(|| context.terms.term(ids[0]))
    });
    assert_eq!(stored, computed, "{expression} over {row:?}: stored and computed terms differ");
    stored
}

#[track_caller]
pub fn check(expression: &str, row: &[&str], expected: &str) {
    let shown = |term: Option<Term>| term.map_or_else(|| "error".to_owned(), |term| term.to_string());
    assert_eq!(shown(evaluate(expression, row)), shown(parse_term(expected)), "{expression} over {row:?}");
}

#[test]
fn conditions_have_three_truth_values() {
    for (expression, expected) in [
        ("true || ?x", "true"),
        ("?x || true", "true"),
        ("false || ?x", "error"),
        ("?x || false", "error"),
        ("false && ?x", "false"),
        ("?x && false", "false"),
        ("true && ?x", "error"),
        ("!?x", "error"),
        ("!(1 = 2)", "true"),
        ("?x = 1 || 2 > 1", "true"),
        ("\"\" || 0 || 0.0 || \"NaN\"^^xsd:double", "false"),
        (":iri || true", "true"),
        (":iri && true", "error"),
        ("\"abc\"^^xsd:integer || false", "error"),
        ("\"99999999999999999999\"^^xsd:integer && true", "true"),
        ("\"a\"@en && true", "error"),
    ] {
        check(expression, &[""], expected);
    }
}

#[test]
fn equality_looks_at_values_and_knows_what_it_does_not_know() {
    for (a, b, expected) in [
        ("\"01\"^^xsd:integer", "1", "true"),
        ("1", "1.0", "true"),
        ("1", "\"1\"^^xsd:double", "true"),
        ("1", "\"1\"^^xsd:byte", "true"),
        ("1", "\"1\"", "false"),
        ("1", ":a", "false"),
        (":a", ":a", "true"),
        ("\"NaN\"^^xsd:double", "\"NaN\"^^xsd:double", "false"),
        ("\"0\"^^xsd:double", "\"-0\"^^xsd:double", "true"),
        ("\"a\"@en", "\"a\"@en", "true"),
        ("\"a\"@en", "\"a\"@fr", "false"),
        ("\"a\"@en", "\"a\"", "false"),
        ("\"a\"^^xsd:integer", "\"a\"^^xsd:integer", "true"),
        ("\"a\"^^xsd:integer", "\"b\"^^xsd:integer", "error"),
        ("\"a\"^^xsd:integer", "1", "error"),
        ("\"1200\"^^xsd:byte", "1200", "error"),
        ("\"a\"^^<http://example.com/t>", "\"a\"^^<http://example.com/t>", "true"),
        ("\"a\"^^<http://example.com/t>", "\"b\"^^<http://example.com/t>", "error"),
        ("\"a\"^^<http://example.com/t>", "\"b\"", "error"),
        ("\"a\"^^<http://example.com/t>", "\"b\"@en", "false"),
        ("true", "\"1\"^^xsd:boolean", "true"),
        ("\"2020-01-01T00:00:00Z\"^^xsd:dateTime", "\"2020-01-01T01:00:00+01:00\"^^xsd:dateTime", "true"),
        ("\"2020-01-01\"^^xsd:date", "\"2020-01-01\"^^xsd:date", "true"),
        ("\"2020-01-01\"^^xsd:date", "\"2020-01-01Z\"^^xsd:date", "error"),
        ("\"2020-01-01\"^^xsd:date", "\"2020-01-09Z\"^^xsd:date", "false"),
        ("\"2020-01-01\"^^xsd:date", "\"2020-01-01T00:00:00\"^^xsd:dateTime", "false"),
        ("\"P1Y\"^^xsd:duration", "\"P12M\"^^xsd:yearMonthDuration", "true"),
        ("<<( <http://example.com/a> <http://example.com/b> \"1\"^^xsd:integer )>>", "1", "false"),
        ("", "1", "error"),
    ] {
        check("?x = ?y", &[a, b], expected);
        check("?y = ?x", &[a, b], expected);
        let negated = match expected {
            "true" => "false",
            "false" => "true",
            other => other,
        };
        check("?x != ?y", &[a, b], negated);
        check("?x IN (?y)", &[a, b], expected);
    }
}

#[test]
fn triple_terms_are_equal_if_their_objects_are() {
    check("TRIPLE(:a, :b, ?x) = TRIPLE(:a, :b, ?y)", &["1", "1.0"], "true");
    check("TRIPLE(:a, :b, ?x) = TRIPLE(:a, :c, ?y)", &["1", "1.0"], "false");
    check("sameTerm(TRIPLE(:a, :b, ?x), TRIPLE(:a, :b, ?y))", &["1", "1.0"], "false");
    check("OBJECT(TRIPLE(:a, :b, ?x))", &["\"01\"^^xsd:integer"], "\"01\"^^xsd:integer");
    check("SUBJECT(TRIPLE(:a, :b, ?x))", &["1"], ":a");
    check("PREDICATE(TRIPLE(:a, :b, ?x))", &["1"], ":b");
    check("isTRIPLE(TRIPLE(:a, :b, ?x))", &["1"], "true");
    check("TRIPLE(?x, :b, ?x)", &["1"], "error");
    check("SUBJECT(?x)", &["1"], "error");
}

#[test]
fn order_is_defined_within_numbers_strings_booleans_and_times() {
    for (a, b, expected) in [
        ("1", "2.5", "true"),
        ("2.5", "\"2.4\"^^xsd:float", "false"),
        ("\"-INF\"^^xsd:double", "\"-9e300\"^^xsd:double", "true"),
        ("\"NaN\"^^xsd:double", "1", "false"),
        ("1", "\"NaN\"^^xsd:double", "false"),
        ("\"a\"", "\"b\"", "true"),
        ("\"a\"@en", "\"b\"@en", "true"),
        ("\"a\"@en", "\"b\"@fr", "error"),
        ("\"a\"", "1", "error"),
        (":a", ":b", "error"),
        ("false", "true", "true"),
        ("\"2020-01-01T00:00:00\"^^xsd:dateTime", "\"2020-01-02T00:00:00\"^^xsd:dateTime", "true"),
        ("\"2020-01-01T00:00:00\"^^xsd:dateTime", "\"2020-01-01T01:00:00Z\"^^xsd:dateTime", "error"),
        ("\"2020-01-01T00:00:00\"^^xsd:dateTime", "\"2020-01-03T01:00:00Z\"^^xsd:dateTime", "true"),
        ("\"10:00:00\"^^xsd:time", "\"11:00:00\"^^xsd:time", "true"),
        ("\"x\"^^<http://example.com/t>", "\"y\"^^<http://example.com/t>", "error"),
        ("", "1", "error"),
    ] {
        check("?x < ?y", &[a, b], expected);
        check("?y > ?x", &[a, b], expected);
    }
    for term in [":a", "\"x\"^^<http://example.com/t>", "\"x\"^^xsd:integer"] {
        check("?x <= ?x", &[term], "error");
        check(&format!("?x >= {term}"), &[term], "error");
    }
    check("BNODE() <= ?x", &["1"], "error");
    check("TRIPLE(:a, :b, ?x) <= TRIPLE(:a, :b, ?x)", &[":a"], "error");
    check("TRIPLE(:a, :b, ?x) <= TRIPLE(:a, :b, ?x)", &["1"], "true");
    check("?x <= \"b\"@en", &["\"b\"@en"], "true");
    check("?x <= ?x", &["\"NaN\"^^xsd:double"], "false");
    check("?x >= 5", &["5.0"], "true");
    check("5 >= ?x", &["\"5\"^^xsd:double"], "true");
}

#[test]
fn comparisons_with_a_constant_agree_with_those_of_two_variables() {
    let terms = odd_terms();
    let snapshot = snapshot_of(terms.iter().filter(|t| !t.is_blank_node()).take(terms.len() * 2 / 3).cloned());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(2);
    let ids: Vec<TermId> = terms.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let [x, y] = [0, 1].map(|column| Expression::Variable(schema[column]));
    let tests = [
        None,
        Some(OrderTest::Less),
        Some(OrderTest::LessOrEqual),
        Some(OrderTest::Greater),
        Some(OrderTest::GreaterOrEqual),
    ];
    for constant in &terms {
        if matches!(constant, Term::BlankNode(_) | Term::Triple(_)) {
            continue;
        }
        let id = context.terms.id(constant.clone()).unwrap();
        let batch = Batch::new(vec![ids.clone(), vec![id; ids.len()]], ids.len());
        for test in tests {
            let compare = |other: &Expression| {
                let pair = Box::new([x.clone(), other.clone()]);
                let compared = test.map_or(Expression::Equal(pair.clone()), |test| Expression::Order(test, pair));
                compile(&compared, &schema, &context).unwrap()
            };
            let (general, special) = (compare(&y), compare(&Expression::Constant(constant.clone())));
            let (general, special) =
                (general.truths(&batch, &context).unwrap(), special.truths(&batch, &context).unwrap());
            for (at, term) in terms.iter().enumerate() {
                assert_eq!(general[at], special[at], "{test:?} of {term} and {constant}");
            }
        }
    }
}

/// Terms that compare in unusual ways.
pub fn odd_terms() -> Vec<Term> {
    let mut terms: Vec<Term> = vec![
        NamedNode::new_unchecked("http://example.com/a").into(),
        NamedNode::new_unchecked("http://example.com/b").into(),
        oxrdf::BlankNode::new_unchecked("b").into(),
        Literal::new_simple_literal("").into(),
        Literal::new_simple_literal("b").into(),
        Literal::new_simple_literal("1").into(),
        Literal::new_language_tagged_literal_unchecked("b", "en").into(),
        Literal::new_language_tagged_literal_unchecked("c", "en").into(),
        Literal::new_language_tagged_literal_unchecked("b", "fr").into(),
        Literal::new_directional_language_tagged_literal_unchecked("b", "en", oxrdf::BaseDirection::Ltr).into(),
    ];
    for (datatype, lexical) in [
        ("boolean", "true false 1 x"),
        ("integer", "1 01 -3 2 0 1000000 9007199254740993 99999999999999999999 x"),
        ("int", "1 2"),
        ("byte", "1 1200"),
        ("decimal", "1 1.0 1.5 -2.25 0.1 x"),
        ("float", "1 1.5 0.1 -0 NaN INF x"),
        ("double", "1 1e0 1.5 0.1 9007199254740992 NaN -INF x"),
        ("dateTime", "2020-01-01T00:00:00 2020-01-01T00:00:00Z 2020-01-01T06:00:00Z 2020-01-03T00:00:00+02:00 x"),
        ("date", "2020-01-01 2020-01-01Z 2020-01-05 x"),
        ("time", "10:00:00 11:00:00Z x"),
        ("gYear", "2020 2021Z"),
        ("gYearMonth", "2020-02"),
        ("gMonth", "--02"),
        ("gMonthDay", "--02-03"),
        ("gDay", "---03"),
        ("duration", "P1Y P12M P1M P30D x"),
        ("yearMonthDuration", "P1Y P1M"),
        ("dayTimeDuration", "PT1H PT60M P1D"),
    ] {
        for lexical in lexical.split(' ') {
            let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
            terms.push(Literal::new_typed_literal(lexical, datatype).into());
        }
    }
    for lexical in ["a", "b"] {
        terms.push(Literal::new_typed_literal(lexical, NamedNode::new_unchecked("http://example.com/t")).into());
    }
    terms
}

#[test]
fn arithmetic_keeps_the_wider_type() {
    for (expression, expected) in [
        ("1 + 2", "3"),
        ("1 + 2.5", "3.5"),
        ("1 / 2", "0.5"),
        ("6 / 2", "\"3\"^^xsd:decimal"),
        ("1 / 0", "error"),
        ("0.0 / 0.5", "\"0\"^^xsd:decimal"),
        ("1 / \"0\"^^xsd:double", "\"INF\"^^xsd:double"),
        ("(1.0 / 3) * (1.0 / 3)", "0.111111111111111110888888888888888889"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("\"1\"^^xsd:float + 1", "\"2\"^^xsd:float"),
        ("\"1\"^^xsd:float + 1e0", "\"2\"^^xsd:double"),
        ("\"1\"^^xsd:byte + \"1\"^^xsd:byte", "2"),
        ("-(1)", "-1"),
        ("+(:a)", "error"),
        ("\"1\" + 1", "error"),
        ("ABS(-1.5)", "1.5"),
        ("CEIL(-1.5)", "\"-1\"^^xsd:decimal"),
        ("ROUND(-1.5)", "\"-1\"^^xsd:decimal"),
        ("ROUND(2.5)", "\"3\"^^xsd:decimal"),
        ("FLOOR(\"1.5\"^^xsd:double)", "\"1\"^^xsd:double"),
        ("\"2020-01-31\"^^xsd:date + \"P1M\"^^xsd:yearMonthDuration", "\"2020-02-29\"^^xsd:date"),
        ("\"2020-01-02\"^^xsd:date - \"2020-01-01\"^^xsd:date", "\"P1D\"^^xsd:dayTimeDuration"),
    ] {
        check(expression, &[], expected);
    }
}

#[test]
fn terms_keep_their_lexical_forms_and_datatypes() {
    for (expression, expected) in [
        ("STR(?x)", "\"01\""),
        ("DATATYPE(?x)", "<http://www.w3.org/2001/XMLSchema#byte>"),
        ("STR(\"1.50\"^^xsd:decimal)", "\"1.50\""),
        ("xsd:string(\"1.50\"^^xsd:decimal)", "\"1.5\""),
        ("IF(true, ?x, 1 + 1)", "\"01\"^^xsd:byte"),
        ("COALESCE(?unbound, ?x)", "\"01\"^^xsd:byte"),
        ("?x + 0", "1"),
        ("STRDT(\"01\", xsd:integer)", "\"01\"^^xsd:integer"),
        ("sameTerm(STRDT(\"01\", xsd:integer), 1)", "false"),
        ("sameTerm(?x + 0, 1)", "true"),
        ("STRDT(\"a\", rdf:langString)", "error"),
    ] {
        check(expression, &["\"01\"^^xsd:byte"], expected);
    }
}

#[test]
fn strings_keep_their_language_where_they_should() {
    for (expression, expected) in [
        ("CONCAT(\"a\"@en, \"b\"@en)", "\"ab\"@en"),
        ("CONCAT(\"a\"@en, \"b\")", "\"ab\""),
        ("CONCAT()", "\"\""),
        ("CONCAT(\"a\", 1)", "error"),
        ("SUBSTR(\"hello\"@en, 2, 3)", "\"ell\"@en"),
        ("SUBSTR(\"hello\", 2.0)", "error"),
        ("UCASE(\"ß\"@de)", "\"SS\"@de"),
        ("STRLEN(\"日本\"@ja)", "2"),
        ("STRBEFORE(\"abc\"@en, \"b\")", "\"a\"@en"),
        ("STRBEFORE(\"abc\"@en, \"z\")", "\"\""),
        ("STRBEFORE(\"abc\"@en, \"\")", "\"\"@en"),
        ("STRAFTER(\"abc\", \"b\"@en)", "error"),
        ("CONTAINS(\"abc\"@en, \"b\"@en)", "true"),
        ("CONTAINS(\"abc\"@en, \"b\"@fr)", "error"),
        ("STRSTARTS(1, \"1\")", "error"),
        ("ENCODE_FOR_URI(\"Los Angeles é\")", "\"Los%20Angeles%20%C3%A9\""),
        ("LANG(\"a\"@en-US)", "\"en-us\""),
        ("LANG(1)", "\"\""),
        ("LANG(:a)", "error"),
        ("LANGMATCHES(\"en-US\", \"en\")", "true"),
        ("STRLANG(\"a\", \"EN\")", "\"a\"@en"),
        ("STRLANG(\"a\", \"\")", "error"),
        ("STRLANGDIR(\"a\", \"en\", \"rtl\")", "\"a\"@en--rtl"),
        ("LANGDIR(\"a\"@en--rtl)", "\"rtl\""),
        ("LANGDIR(\"a\"@en)", "\"\""),
        ("hasLANG(\"a\"@en--rtl)", "true"),
        ("hasLANGDIR(\"a\"@en)", "false"),
        ("REGEX(\"Alice\", \"^ali\", \"i\")", "true"),
        ("REGEX(\"Alice\", \"(\")", "error"),
        ("REGEX(\"a\\nb\", \"a.b\", \"s\")", "true"),
        ("REPLACE(\"abcd\"@en, \"b(c)\", \"[$1]\")", "\"a[c]d\"@en"),
        ("REPLACE(\"abcd\", \".*\", \"z\")", "error"),
        ("MD5(\"abc\")", "\"900150983cd24fb0d6963f7d28e17f72\""),
        ("SHA1(\"abc\"@en)", "error"),
        ("IRI(\"x\")", "<http://example.com/base/x>"),
        ("IRI(\"http://example.com/ x\")", "error"),
        ("IRI(:a)", ":a"),
    ] {
        check(expression, &[], expected);
    }
}

#[test]
fn casts_follow_xpath() {
    for (expression, expected) in [
        ("xsd:integer(\" 12 \")", "12"),
        ("xsd:integer(\"1.5\")", "error"),
        ("xsd:integer(1.9)", "1"),
        ("xsd:integer(\"NaN\"^^xsd:double)", "error"),
        ("xsd:boolean(\"1\")", "true"),
        ("xsd:boolean(\"yes\")", "error"),
        ("xsd:boolean(0.0)", "false"),
        ("xsd:double(\"INF\")", "\"INF\"^^xsd:double"),
        ("xsd:double(\"inf\")", "error"),
        ("xsd:string(:a)", "\"http://example.com/a\""),
        ("xsd:dateTime(\"2020-01-01\"^^xsd:date)", "\"2020-01-01T00:00:00\"^^xsd:dateTime"),
        ("xsd:date(\"2020-01-01T10:00:00Z\"^^xsd:dateTime)", "\"2020-01-01Z\"^^xsd:date"),
        ("xsd:integer(\"1\"@en)", "error"),
        ("xsd:nothing(1)", "error"),
        ("xsd:integer(1, 2)", "error"),
    ] {
        check(expression, &[], expected);
    }
}

#[test]
fn a_list_of_constants_is_the_sum_of_its_comparisons() {
    let terms = odd_terms();
    let snapshot = snapshot_of(terms.iter().filter(|t| !t.is_blank_node()).take(terms.len() * 2 / 3).cloned());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let ids: Vec<TermId> = terms.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let batch = Batch::new(vec![ids.clone()], ids.len());
    for list in ["1, 2, 3", ":a, \"b\"@en, 1.5, :b", "\"b\"^^:t, \"a\"^^:t, 1", "\"x\"^^xsd:integer, true, ?x, 1"] {
        let in_list = compile(&parse(&format!("?x IN ({list})")), &schema, &context).unwrap();
        let text: Vec<String> = list.split(", ").map(|item| format!("?x = {item}")).collect();
        let joined = compile(&parse(&text.join(" || ")), &schema, &context).unwrap();
        assert_eq!(in_list.truths(&batch, &context).unwrap(), joined.truths(&batch, &context).unwrap(), "{list}");
    }
}

#[test]
fn texts_that_start_alike_are_found_by_their_ids() {
    let mut terms = odd_terms();
    terms.extend(["", "h", "ht", "http", "i", "é", "éa"].map(|text| Literal::new_simple_literal(text).into()));
    let snapshot = snapshot_of(terms.iter().filter(|t| !t.is_blank_node()).cloned());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let ids: Vec<TermId> = terms.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let many = Batch::new(vec![ids.iter().copied().cycle().take(ids.len() * 20).collect()], ids.len() * 20);
    for start in ["", "h", "http://example.com/", "1", "é", "zzz"] {
        for text in [format!("STRSTARTS(STR(?x), \"{start}\")"), format!("REGEX(?x, \"^{start}\")")] {
            let slow = compile(&parse(&text), &schema, &context).unwrap();
            let fast = compile(&parse(&text), &schema, &context).unwrap().truths(&many, &context).unwrap();
            for (at, id) in many.column(0).iter().enumerate().take(ids.len()) {
                let alone = Batch::new(vec![vec![*id]], 1);
                assert_eq!(slow.truths(&alone, &context).unwrap()[0], fast[at], "{text} of {}", terms[at]);
            }
        }
    }
}

#[test]
fn threads_may_share_what_is_compiled() {
    fn shared<T: Send + Sync>() {}
    shared::<Compiled>();
    shared::<Context<'_>>();
}

#[test]
fn type_tests_look_at_the_term() {
    check("isIRI(?x)", &[":a"], "true");
    check("isIRI(?x)", &[""], "error");
    check("isBLANK(BNODE())", &[], "true");
    check("isLITERAL(?x)", &["1"], "true");
    check("isNUMERIC(?x)", &["\"1200\"^^xsd:byte"], "false");
    check("isNUMERIC(?x)", &["\"12\"^^xsd:byte"], "true");
    check("isNUMERIC(?x)", &["\"12\""], "false");
    check("BOUND(?x)", &[""], "false");
    check("BOUND(?nothing)", &[], "false");
    check("?x IN ()", &[""], "false");
    check("2 IN (1/0, 2)", &[], "true");
    check("2 IN (1/0, 3)", &[], "error");
    check("IF(?x, 1, 2)", &[":a"], "error");
    check("IF(1 > 2, 1/0, 2)", &[], "2");
}

#[test]
fn a_named_blank_node_is_one_within_a_solution_and_another_in_the_next() {
    let snapshot = snapshot_of([]);
    let context = Context::new(&snapshot, None, Budget::default());
    let batch = Batch::new(Vec::new(), 2);
    let [a, b, c] = ["BNODE(\"a\")", "BNODE(\"b\")", "BNODE()"].map(|e| compile(&parse(e), &[], &context).unwrap());
    assert!(!a.is_deterministic());
    let first = context.number_solutions(2);
    let ids = a.evaluate_numbered(&batch, first, &context).unwrap();
    assert_eq!(ids, a.evaluate_numbered(&batch, first, &context).unwrap());
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[0], b.evaluate_numbered(&batch, first, &context).unwrap()[0]);
    assert_ne!(ids, a.evaluate(&batch, &context).unwrap());
    let fresh = c.evaluate(&batch, &context).unwrap();
    assert_ne!(fresh[0], fresh[1]);
}

#[test]
fn a_string_that_outgrows_the_limits_ends_the_query_before_it_is_built() {
    use crate::Limits;
    let snapshot = snapshot_of([]);
    let budget = Budget::new(Limits { memory: Some(1 << 20), ..Limits::default() });
    let context = Context::new(&snapshot, None, budget);
    let schema = columns(1);
    let double = compile(&parse("CONCAT(?x, ?x)"), &schema, &context).unwrap();
    let mut batch =
        Batch::new(vec![vec![context.terms.id(Literal::new_simple_literal("0123456789").into()).unwrap()]], 1);
    let error = (0..40).find_map(|_| match double.evaluate(&batch, &context) {
        Ok(ids) => {
            batch = Batch::new(vec![ids], 1);
            None
        }
        Err(error) => Some(error),
    });
    assert_eq!(error.unwrap().kind(), kgq_syntax::error::Kind::Limit);
}

#[test]
fn a_memory_of_distinct_terms_changes_no_result() {
    let terms = odd_terms();
    let snapshot = snapshot_of(terms.iter().filter(|t| !t.is_blank_node()).cloned());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let ids: Vec<TermId> = terms.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let batch = Batch::new(vec![ids.iter().chain(&ids).copied().chain([TermId::UNBOUND]).collect()], ids.len() * 2 + 1);
    for text in [
        "REGEX(STR(?x), \"1\")",
        "UCASE(STR(?x))",
        "BOUND(?x) && STRLEN(?x) > 0",
        "CONTAINS(?x, \"b\")",
        "STRENDS(STR(?x), \"a\")",
        "REGEX(STR(?x), \"^h\")",
    ] {
        let compiled = compile(&parse(text), &schema, &context).unwrap();
        let first = compiled.evaluate(&batch, &context).unwrap();
        assert_eq!(first, compiled.evaluate(&batch, &context).unwrap(), "{text}");
        for (at, id) in batch.column(0).iter().enumerate() {
            let alone = Batch::new(vec![vec![*id]], 1);
            let fresh = compile(&parse(text), &schema, &context).unwrap();
            assert_eq!(fresh.evaluate(&alone, &context).unwrap(), [first[at]], "{text}");
        }
    }
}

#[test]
fn literals_are_made_of_what_is_a_plain_string_only() {
    for (expression, expected) in [
        ("STRDT(\"x\", xsd:integer)", "\"x\"^^xsd:integer"),
        ("STRDT(\"a\"@en, xsd:string)", "error"),
        ("STRDT(1, xsd:string)", "error"),
        ("STRDT(\"1\", xsd:string)", "\"1\""),
        ("STRDT(\"1\", \"a\")", "error"),
        ("STRLANG(\"a\", \"EN-gb\")", "\"a\"@en-gb"),
        ("STRLANG(\"a\", \"\")", "error"),
        ("STRLANG(\"a\", \"en_GB\")", "error"),
        ("STRLANG(\"a\"@en, \"fr\")", "error"),
        ("STRLANG(1, \"fr\")", "error"),
        ("isNumeric(STRDT(\"x\", xsd:integer))", "false"),
        ("isNumeric(STRDT(\" 1\", xsd:integer))", "false"),
        ("isNumeric(STRDT(\"300\", xsd:byte))", "false"),
        ("isNumeric(STRDT(\"0\", xsd:positiveInteger))", "false"),
        ("isNumeric(STRDT(\"-0\", xsd:nonNegativeInteger))", "true"),
        ("isNumeric(STRDT(\"+007\", xsd:unsignedByte))", "true"),
        ("isNumeric(STRDT(\"1\", :unknown))", "false"),
        ("isNumeric(\"NaN\"^^xsd:double)", "true"),
        ("isNumeric(true)", "false"),
        ("isNumeric(\"1\")", "false"),
    ] {
        check(expression, &[], expected);
    }
}
