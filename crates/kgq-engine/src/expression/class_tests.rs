//! Conditions on kinds, datatypes and languages, and on the beginnings of texts: ranges of ids give the same results as
//! single terms.

use super::tests::{columns, parse, snapshot_of};
use super::*;
use kgq_snapshot::TextPattern;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, Term, Triple};

/// Terms of every family, several of each language and datatype.
fn terms() -> Vec<Term> {
    let xsd = |name: &str| NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{name}"));
    let mut terms: Vec<Term> = vec![BlankNode::new_unchecked("b").into(), BlankNode::new_unchecked("c").into()];
    for name in ["a", "ab", "abc", "b", "b/a"] {
        terms.push(NamedNode::new_unchecked(format!("http://e/{name}")).into());
    }
    for text in ["", "a", "ab", "abé", "b", "12", "ba"] {
        terms.push(Literal::new_simple_literal(text).into());
        for language in ["en", "en-gb", "de", "enx"] {
            terms.push(Literal::new_language_tagged_literal_unchecked(text, language).into());
        }
        terms.push(Literal::new_typed_literal(text, NamedNode::new_unchecked("http://e/type")).into());
        terms.push(Literal::new_typed_literal(text, xsd("integer")).into());
        terms.push(Literal::new_typed_literal(text, xsd("duration")).into());
    }
    for (text, datatype) in [
        ("1", "integer"),
        ("01", "integer"),
        ("1", "byte"),
        ("300", "byte"),
        ("1.0", "decimal"),
        ("1", "float"),
        ("NaN", "double"),
        ("x", "double"),
        ("1e0", "double"),
        ("true", "boolean"),
        ("maybe", "boolean"),
        ("2026-01-02", "date"),
        ("2026-01-02Z", "date"),
        ("2026-01-02T03:04:05", "dateTime"),
        ("2026-01-02T03:04:05Z", "dateTime"),
        ("2026-01-02T03:04:05Z", "dateTimeStamp"),
    ] {
        terms.push(Literal::new_typed_literal(text, xsd(datatype)).into());
    }
    let node = NamedNode::new_unchecked("http://e/a");
    terms.push(Triple::new(node.clone(), node.clone(), node).into());
    terms
}

const CONDITIONS: [&str; 30] = [
    "LANG(?x) = \"en\"",
    "LANG(?x) = \"en-GB\"",
    "LANG(?x) != \"\"",
    "LANG(?x) = \"\"",
    "LANGMATCHES(LANG(?x), \"en\")",
    "!LANGMATCHES(LANG(?x), \"*\")",
    "LANG(?x) IN (\"de\", \"en\")",
    "STRLEN(LANG(?x)) > 2",
    "LANG(?x) = \"en\" || isIRI(?x)",
    "isBlank(?x)",
    "!isBlank(?x)",
    "isIRI(?x)",
    "isLiteral(?x)",
    "isNumeric(?x)",
    "!isNumeric(?x) && isLiteral(?x)",
    "DATATYPE(?x) = xsd:integer",
    "DATATYPE(?x) = xsd:string",
    "DATATYPE(?x) != xsd:double",
    "DATATYPE(?x) = <http://e/type>",
    "CONTAINS(STR(DATATYPE(?x)), \"date\")",
    "STRSTARTS(STR(?x), \"ab\")",
    "STRSTARTS(?x, \"a\")",
    "REGEX(STR(?x), \"^http://e/a\")",
    "STRSTARTS(STR(?x), \"1\")",
    "STR(?x) = \"ab\"",
    "\"1\" = STR(?x)",
    "STR(?x) = \"http://e/ab\"",
    "STR(?x) < \"b\"",
    "STR(?x) >= \"ab\"",
    "\"\" >= STR(?x)",
];

#[test]
fn conditions_are_the_same_by_stretches_of_ids_and_for_each_term() {
    let all = terms();
    let snapshot = snapshot_of(all.clone());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let mut ids: Vec<TermId> = all.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let computed = ["ab", "zz"].map(|text| Literal::new_language_tagged_literal_unchecked(text, "fr"));
    ids.extend(computed.map(|literal| context.terms.id(literal.into()).unwrap()));
    ids.push(TermId::UNBOUND);
    let batch = |ids: &[TermId]| Batch::new(vec![ids.to_vec()], ids.len());
    for condition in CONDITIONS {
        let compile = || compile(&parse(condition), &schema, &context).unwrap();
        let each = ids.iter().map(|id| compile().truths(&batch(&[*id]), &context).unwrap()[0]);
        let each: Vec<Truth> = each.collect();
        let compiled = compile();
        for _ in 0..12 {
            // Enough rows that ranges are computed on the way.
            assert_eq!(compiled.truths(&batch(&ids), &context).unwrap(), each, "{condition}");
        }
        let Candidates { ranges, sure } = compile().as_ranges(false, &context).unwrap().unwrap();
        for (id, truth) in ids.iter().zip(&each).filter(|(id, _)| context.terms.is_stored(**id)) {
            let within = ranges.iter().any(|range| range.contains(&id.get()));
            let term = context.terms.term(*id);
            assert!(within || *truth != Truth::True, "{condition} holds for {term}");
            assert!(!within || !sure || *truth == Truth::True, "{condition} does not hold for {term}");
        }
    }
}

#[test]
fn a_text_is_found_in_codes_where_it_is_found_in_texts() {
    let words = ["Nation", "quick", "QUICKLY", "formation", "\u{212A}night", "of the ministry", "Straße", "a"];
    // More than a mebibyte, so that texts are in codes.
    let text = |n: usize| (0..8).map(|at| format!("{} {n} ", words[(n / (at * at + 1) + at) % words.len()])).collect();
    let texts: Vec<String> = (0..20_000).map(text).collect();
    let of_language = |(n, text): (usize, &String)| match n % 3 {
        0 => Literal::new_language_tagged_literal_unchecked(text, "en").into(),
        _ => Literal::new_simple_literal(text).into(),
    };
    let terms: Vec<Term> = texts.iter().enumerate().map(of_language).collect();
    let snapshot = snapshot_of(terms.iter().cloned());
    assert!(snapshot.text_search(&TextPattern::in_any_case("a").unwrap()).is_some());
    let context = Context::new(&snapshot, None, Budget::default());
    let ids: Vec<TermId> = terms.into_iter().map(|term| context.terms.id(term).unwrap()).collect();
    let folded = |text: &str| text.replace('\u{212A}', "k").to_lowercase();
    for (condition, exact, in_any_case) in [
        ("CONTAINS(?x, \"ation 1\")", "ation 1", ""),
        ("CONTAINS(STR(?x), \"9 Straße\")", "9 Straße", ""),
        ("REGEX(?x, \"y 77\")", "y 77", ""),
        ("REGEX(?x, \"QUICK\", \"i\")", "", "quick"),
        ("REGEX(?x, \"99 kni\", \"i\")", "", "99 kni"),
        ("REGEX(?x, \"NATION 2\", \"i\")", "", "nation 2"),
    ] {
        let holds = |text: &str| text.contains(exact) && folded(text).contains(in_any_case);
        let compiled = compile(&parse(condition), &columns(1), &context).unwrap();
        let truths = compiled.truths(&Batch::new(vec![ids.clone()], ids.len()), &context).unwrap();
        let wrong = truths.iter().zip(&texts).find(|(truth, text)| **truth != Truth::from(holds(text)));
        assert_eq!(wrong, None, "{condition}");
        assert!(truths.contains(&Truth::True) && truths.contains(&Truth::False), "{condition}");
    }
}

#[test]
fn languages_and_datatypes_of_many_rows_are_those_of_each() {
    let all = terms();
    let snapshot = snapshot_of(all.clone());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let ids: Vec<TermId> = all.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    // Each is asked for again behind each other one.
    let ids: Vec<TermId> = ids.iter().flat_map(|one| ids.iter().flat_map(|other| [*one, *other, *one])).collect();
    for function in ["LANG(?x)", "DATATYPE(?x)", "LANGDIR(?x)"] {
        let compiled = compile(&parse(function), &schema, &context).unwrap();
        let each = ids.iter().map(|id| compiled.evaluate(&Batch::new(vec![vec![*id]], 1), &context).unwrap()[0]);
        let each: Vec<TermId> = each.collect();
        let all = compiled.evaluate(&Batch::new(vec![ids.clone()], ids.len()), &context).unwrap();
        assert_eq!(all.len(), each.len());
        let wrong = all.iter().zip(&each).position(|(one, other)| one != other);
        assert_eq!(wrong.map(|at| &ids[..=at][at.saturating_sub(2)..]), None, "{function}");
    }
}
