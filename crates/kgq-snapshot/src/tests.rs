//! Compares a snapshot with naive models of its content.

use super::*;
use kgq_syntax::rdf::digits::Digits;
use oxrdf::vocab::xsd;
use oxrdf::{BlankNode, Literal, NamedNode, Triple};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn iri(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://example.com/{name}"))
}

fn typed(lexical: &str, datatype: NamedNodeRef<'_>) -> Literal {
    Literal::new_typed_literal(lexical, datatype)
}

/// Terms of all kinds and families, with equal values in different forms.
pub(super) fn objects() -> Vec<Term> {
    let mut terms: Vec<Term> = vec![
        iri("o").into(),
        iri("").into(),
        BlankNode::new_unchecked("z").into(),
        BlankNode::new_unchecked("a1").into(),
        Literal::new_simple_literal("").into(),
        Literal::new_simple_literal("1").into(),
        Literal::new_simple_literal("é\u{10ffff}\0\n").into(),
        typed("1", NamedNodeRef::new_unchecked("http://example.com/unknown")).into(),
        typed("01", NamedNodeRef::new_unchecked("http://example.com/unknown")).into(),
        typed("P1Y", xsd::DURATION).into(),
        typed("12:00:00", xsd::TIME).into(),
        typed("2020", xsd::G_YEAR).into(),
    ];
    for lexical in ["true", "1", "false", "0", "maybe"] {
        terms.push(typed(lexical, xsd::BOOLEAN).into());
    }
    for lexical in ["1", "01", "+1", "-5", "10", "2", "9223372036854775807", "9223372036854775808", "one"] {
        terms.push(typed(lexical, xsd::INTEGER).into());
        terms.push(typed(lexical, xsd::BYTE).into());
        terms.push(typed(lexical, xsd::DECIMAL).into());
    }
    terms.push(typed("1.0", xsd::DECIMAL).into());
    terms.push(typed("-0.5", xsd::DECIMAL).into());
    for wide in ["100000000000000000000", "00123456789012345678901234567890", "123456789012345678901234567890"] {
        for text in [wide.to_owned(), format!("-{wide}"), format!("+{wide}")] {
            terms.push(typed(&text, xsd::INTEGER).into());
            terms.push(typed(&format!("{text}.0"), xsd::DECIMAL).into());
        }
    }
    // Around zero and the bounds of 128 bits.
    for text in [
        "0.0000000000000000005",
        "0.000000000000000000",
        "0.00000000000000000000000000166053906660",
        "170141183460469231731.687303715884105727",
        "170141183460469231731.6873037158841057271",
        "170141183460469231731.687303715884105728",
        "170141183460469231731.687303715884105729",
        "170141183460469231732",
    ] {
        terms.push(typed(text, xsd::DECIMAL).into());
        terms.push(typed(&format!("-{text}"), xsd::DECIMAL).into());
    }
    for lexical in ["1", "1.0E0", "-0", "0", "INF", "-INF", "NaN", "0.1", "1e400", "-1e-300", "x"] {
        terms.push(typed(lexical, xsd::FLOAT).into());
        terms.push(typed(lexical, xsd::DOUBLE).into());
    }
    for lexical in [
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00Z",
        "2020-01-01T01:00:00+01:00",
        "2020-01-01T00:00:00.000",
        "-0044-03-15T00:00:00",
        "2020-13-01T00:00:00",
    ] {
        terms.push(typed(lexical, xsd::DATE_TIME).into());
    }
    for lexical in ["2020-01-01", "2020-01-01Z", "2020-01-01+01:00", "2019-12-31", "never"] {
        terms.push(typed(lexical, xsd::DATE).into());
    }
    for tag in ["en", "en-gb", "de"] {
        for lexical in ["a", "b", ""] {
            terms.push(Literal::new_language_tagged_literal_unchecked(lexical, tag).into());
        }
    }
    for direction in [BaseDirection::Ltr, BaseDirection::Rtl] {
        terms.push(Literal::new_directional_language_tagged_literal_unchecked("a", "en", direction).into());
    }
    let inner = Triple::new(iri("s"), iri("p"), Literal::new_simple_literal("in"));
    terms.push(inner.clone().into());
    terms.push(Triple::new(BlankNode::new_unchecked("z"), iri("p"), inner.clone()).into());
    terms.push(Triple::new(iri("s"), iri("q"), Triple::new(iri("a"), iri("q"), inner)).into());
    terms
}

/// A dataset with every kind of term, duplicates, named graphs, and a statement that is in several graphs.
pub(super) fn dataset() -> Vec<Quad> {
    let mut quads = Vec::new();
    let mut numbers = fastrand::Rng::with_seed(1);
    let mut random = |below: usize| numbers.usize(..below);
    let objects = objects();
    for (i, object) in objects.iter().enumerate() {
        quads.push(Quad::new(iri(&format!("s{}", i % 7)), iri("p0"), object.clone(), GraphName::DefaultGraph));
    }
    for _ in 0..400 {
        let subject = match random(12) {
            10 => BlankNode::new_unchecked("z").into(),
            11 => BlankNode::new_unchecked(format!("b{}", random(5))).into(),
            n => oxrdf::NamedOrBlankNode::from(iri(&format!("s{n}"))),
        };
        let object = objects[random(objects.len())].clone();
        let graph = match random(6) {
            0..3 => GraphName::DefaultGraph,
            3 => BlankNode::new_unchecked("g").into(),
            n => iri(&format!("g{n}")).into(),
        };
        let quad = Quad::new(subject, iri(&format!("p{}", random(6))), object, graph);
        if random(4) == 0 {
            quads.push(quad.clone());
            quads.push(Quad { graph_name: GraphName::DefaultGraph, ..quad.clone() });
        }
        quads.push(quad);
    }
    quads
}

fn snapshot() -> Snapshot {
    Snapshot::from_quads(dataset()).unwrap()
}

fn ids(snapshot: &Snapshot, quad: &Quad) -> Vec<TermId> {
    let quad = quad.as_ref();
    let mut terms: Vec<TermRef<'_>> = vec![quad.subject.into(), quad.predicate.into(), quad.object];
    match quad.graph_name {
        oxrdf::GraphNameRef::NamedNode(node) => terms.push(node.into()),
        oxrdf::GraphNameRef::BlankNode(node) => terms.push(node.into()),
        oxrdf::GraphNameRef::DefaultGraph => {}
    }
    terms.into_iter().map(|term| snapshot.id(term).unwrap()).collect()
}

/// Checks every method of an index against its rows.
fn check_index(index: Index<'_>, rows: &BTreeSet<Vec<TermId>>, term_count: u32) {
    let order: Vec<usize> = index.order().iter().map(|c| c.position()).collect();
    let mut expected: Vec<Vec<TermId>> = rows.iter().map(|row| order.iter().map(|c| row[*c]).collect()).collect();
    expected.sort();
    assert_eq!(index.len(), expected.len());
    assert_eq!(index.width(), order.len());
    let actual: Vec<Vec<TermId>> = (0..index.len())
        .map(|row| {
            let rest = (1..index.width()).map(|depth| index.id(depth, row));
            std::iter::once(index.key_at(row)).chain(rest).collect()
        })
        .collect();
    assert_eq!(actual, expected);
    let mut runs = BTreeMap::new();
    for (at, row) in expected.iter().enumerate() {
        runs.entry(row[0]).or_insert(at..at).end = at + 1;
    }
    assert_eq!(index.keys().collect::<Vec<_>>(), runs.clone().into_iter().collect::<Vec<_>>());
    for (key, run) in &runs {
        assert_eq!(index.keys_in(key.get()..key.get() + 1).collect::<Vec<_>>(), [(*key, run.clone())]);
    }
    for id in 0..=term_count {
        let target = TermId::new(id);
        let start = expected.partition_point(|row| row[0] < target);
        match runs.get(&target) {
            Some(run) => assert_eq!(index.range(&[target]), *run),
            None => assert!(index.range(&[target]).is_empty()),
        }
        assert_eq!(index.seek(0, 0..index.len(), target), start);
        for run in runs.values().take(3) {
            let second = &expected[run.clone()];
            let at = run.start + second.partition_point(|row| row[1] < target);
            assert_eq!(index.seek(1, run.clone(), target), at);
        }
    }
    assert_eq!(index.range(&[TermId::UNBOUND]), 0..0);
    for row in &expected {
        for length in 0..=row.len() {
            let prefix = &row[..length];
            let start = expected.partition_point(|r| &r[..length] < prefix);
            let end = expected.partition_point(|r| &r[..length] <= prefix);
            assert_eq!(index.range(prefix), start..end);
            if length > 0 {
                let mut missing = prefix.to_vec();
                missing[length - 1] = TermId::UNBOUND;
                assert!(index.range(&missing).is_empty());
            }
        }
    }
}

#[test]
fn every_order_has_every_statement_once() {
    let snapshot = snapshot();
    let (mut triples, mut quads) = (BTreeSet::new(), BTreeSet::new());
    for quad in dataset() {
        let row = ids(&snapshot, &quad);
        if row.len() == 3 {
            triples.insert(row)
        } else {
            quads.insert(row)
        };
    }
    assert_eq!((snapshot.triple_count(), snapshot.quad_count()), (triples.len(), quads.len()));
    for permutation in Permutation::ALL {
        check_index(snapshot.triples(permutation), &triples, snapshot.term_count());
    }
    for permutation in QuadPermutation::ALL {
        check_index(snapshot.quads(permutation), &quads, snapshot.term_count());
    }
    let graphs: BTreeSet<TermId> = quads.iter().map(|row| row[3]).collect();
    assert_eq!(snapshot.named_graphs(), graphs.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_term_has_one_id_and_keeps_its_lexical_form() {
    let snapshot = snapshot();
    let terms: Vec<Term> = (0..snapshot.term_count()).map(|id| snapshot.term(TermId::new(id))).collect();
    for (id, term) in terms.iter().enumerate() {
        assert_eq!(snapshot.id(term.as_ref()), Some(TermId::new(id as u32)), "{term}");
    }
    for term in objects() {
        assert_eq!(snapshot.term(snapshot.id(term.as_ref()).unwrap()), term);
    }
    for absent in [
        Term::from(iri("absent")),
        BlankNode::new_unchecked("absent").into(),
        Literal::new_simple_literal("absent").into(),
        typed("001", xsd::INTEGER).into(),
        typed("1", xsd::SHORT).into(),
        Literal::new_language_tagged_literal_unchecked("a", "fr").into(),
        Literal::new_language_tagged_literal_unchecked("absent", "en").into(),
        Triple::new(iri("s"), iri("p"), iri("o")).into(),
    ] {
        assert_eq!(snapshot.id(absent.as_ref()), None, "{absent}");
    }
}

#[test]
fn a_decoder_gives_the_terms_of_ids_in_any_order() {
    let snapshot = snapshot();
    let count = snapshot.term_count();
    // Ascending, descending, and back and forth between the types of literals.
    for step in [1, count - 1, count / 3, 7] {
        let mut decoder = snapshot.decoder();
        for id in (0..count).map(|n| TermId::new(n * step % count)) {
            assert_eq!(decoder.term(id), Some(snapshot.term(id)), "{id:?} after steps of {step}");
        }
    }
}

#[test]
fn kinds_and_families_are_ranges_of_ids() {
    let snapshot = snapshot();
    let mut next = 0;
    for kind in [TermKind::BlankNode, TermKind::Iri, TermKind::Literal, TermKind::Triple] {
        let range = snapshot.kind_range(kind);
        assert_eq!(range.start, next);
        next = range.end;
        for id in range {
            let id = TermId::new(id);
            let (family, rank) = snapshot.value_rank(id);
            assert_eq!(snapshot.kind(id), kind);
            assert!(snapshot.family_range(family).contains(&id.get()));
            assert!(snapshot.family_range(family).contains(&rank) && rank <= id.get());
            let Term::Literal(literal) = snapshot.term(id) else {
                assert_ne!(kind, TermKind::Literal);
                continue;
            };
            assert_eq!(snapshot.datatype(id), Some(literal.datatype()));
            assert_eq!(snapshot.language(id), literal.language());
            assert_eq!(snapshot.direction(id), literal.direction());
        }
    }
    assert_eq!(next, snapshot.term_count());
}

#[test]
fn values_are_those_of_the_lexical_forms() {
    let snapshot = snapshot();
    for term in objects() {
        let value = snapshot.value(snapshot.id(term.as_ref()).unwrap());
        let Term::Literal(literal) = term else {
            continue;
        };
        let text = literal.value();
        let expected = match literal.datatype() {
            xsd::STRING => InlineValue::String,
            xsd::BOOLEAN => {
                text.parse::<oxsdatatypes::Boolean>().map_or(InlineValue::Other, |b| InlineValue::Boolean(b.into()))
            }
            xsd::INTEGER => match Digits::of_integer(text) {
                Some(_) => text.parse().map_or(InlineValue::Wide, InlineValue::Integer),
                None => InlineValue::Other,
            },
            xsd::BYTE => text.parse::<i8>().map_or(InlineValue::Other, |n| InlineValue::Integer(n.into())),
            xsd::DECIMAL => match Digits::of_decimal(text) {
                Some(_) => text.parse().map_or(InlineValue::Wide, InlineValue::Decimal),
                None => InlineValue::Other,
            },
            xsd::FLOAT => text.parse().map_or(InlineValue::Other, InlineValue::Float),
            xsd::DOUBLE => text.parse().map_or(InlineValue::Other, InlineValue::Double),
            xsd::DATE_TIME => text.parse().map_or(InlineValue::Other, InlineValue::DateTime),
            xsd::DATE => text.parse().map_or(InlineValue::Other, InlineValue::Date),
            _ if literal.language().is_some() => InlineValue::LanguageString,
            _ => InlineValue::Other,
        };
        assert_eq!(format!("{value:?}"), format!("{expected:?}"), "{literal}");
    }
}

#[test]
fn integers_of_every_size_are_read_back() {
    for n in [0, 1, -1, 10, -10, i64::MAX, i64::MIN, i64::MAX / 10, 999_999_999_999_999_999, -7] {
        let snapshot = Snapshot::from_quads([Quad::new(iri("s"), iri("p"), Literal::from(n), GraphName::DefaultGraph)]);
        let snapshot = snapshot.unwrap();
        let id = snapshot.id(TermRef::from(Literal::from(n).as_ref())).unwrap();
        assert_eq!(format!("{:?}", snapshot.value(id)), format!("{:?}", InlineValue::Integer(n.into())));
    }
}

#[test]
fn columns_of_numbers_and_days_are_the_values_of_their_terms() {
    let snapshot = snapshot();
    let of = |id: TermId| match snapshot.value(id) {
        InlineValue::Integer(n) => Some(Numbers::Integers(vec![n.into()])),
        InlineValue::Decimal(n) => Some(Numbers::Decimals(vec![i128::from_be_bytes(n.to_be_bytes())])),
        InlineValue::Float(n) if !n.is_nan() => Some(Numbers::Floats(vec![n.into()])),
        InlineValue::Double(n) if !n.is_nan() => Some(Numbers::Doubles(vec![n.into()])),
        _ => None,
    };
    let all: Vec<TermId> = (0..snapshot.term_count()).map(TermId::new).collect();
    let mut met = 0;
    for id in &all {
        assert_eq!(snapshot.numbers(&[*id]), of(*id), "{}", snapshot.term(*id));
        assert!(of(*id).is_none() || snapshot.has_number(snapshot.value(*id)));
        let value = snapshot.value(*id);
        let day = match value {
            // Seconds since the year 1 began, and the minutes of the zone.
            InlineValue::DateTime(m) => Some((m.to_be_bytes(), m.timezone_offset())),
            InlineValue::Date(m) => Some((m.to_be_bytes(), m.timezone_offset())),
            _ => None,
        };
        let day = day.map(|(bytes, zone)| {
            let units = i128::from_be_bytes(std::array::from_fn(|at| bytes[at]));
            let minutes = zone.map_or(0, |zone| i128::from(i16::from_be_bytes(zone.to_be_bytes())));
            vec![((units.div_euclid(10_i128.pow(18)) + minutes * 60).div_euclid(86_400)) as i64]
        });
        met += usize::from(day.is_some());
        assert_eq!(snapshot.days(&[*id]), day, "{}", snapshot.term(*id));
        for other in &all {
            let same = match (of(*id), of(*other)) {
                (Some(Numbers::Integers(a)), Some(Numbers::Integers(b))) => Some(Numbers::Integers([a, b].concat())),
                (Some(Numbers::Decimals(a)), Some(Numbers::Decimals(b))) => Some(Numbers::Decimals([a, b].concat())),
                (Some(Numbers::Floats(a)), Some(Numbers::Floats(b))) => Some(Numbers::Floats([a, b].concat())),
                (Some(Numbers::Doubles(a)), Some(Numbers::Doubles(b))) => Some(Numbers::Doubles([a, b].concat())),
                _ => None,
            };
            assert_eq!(snapshot.numbers(&[*id, *other]), same);
        }
    }
    assert!(met > 3);
    let beyond = TermId::new(snapshot.term_count());
    assert_eq!((snapshot.numbers(&[beyond]), snapshot.days(&[TermId::UNBOUND])), (None, None));
    assert!(
        !snapshot.has_number(InlineValue::Integer(4711.into())) && snapshot.has_number(InlineValue::Integer(2.into()))
    );
    assert!(!snapshot.has_number(InlineValue::Double(4711.0.into())));
}

#[test]
fn a_value_beyond_its_datatype_is_ill_typed() {
    assert!(parse_integer("-128", xsd::BYTE.as_str()).is_some());
    assert!(parse_integer("1200", xsd::BYTE.as_str()).is_none());
    assert!(parse_integer("0", xsd::POSITIVE_INTEGER.as_str()).is_none());
    assert!(parse_double("inf").is_none());
    assert!(parse_float("-INF").is_some());
}

/// Compares two values of one family, or two numbers with these lexical forms, as SPARQL does.
fn compare(a: (InlineValue, &str), b: (InlineValue, &str)) -> Option<Ordering> {
    match (a.0, b.0) {
        (InlineValue::Boolean(a), InlineValue::Boolean(b)) => Some(a.cmp(&b)),
        (
            InlineValue::Integer(_) | InlineValue::Decimal(_) | InlineValue::Wide,
            InlineValue::Integer(_) | InlineValue::Decimal(_) | InlineValue::Wide,
        ) => Digits::of_decimal(a.1)?.partial_cmp(&Digits::of_decimal(b.1)?),
        (InlineValue::Float(a), InlineValue::Float(b)) => a.partial_cmp(&b),
        (InlineValue::Double(a), InlineValue::Double(b)) => a.partial_cmp(&b),
        (InlineValue::DateTime(a), InlineValue::DateTime(b)) => a.partial_cmp(&b),
        (InlineValue::Date(a), InlineValue::Date(b)) => a.partial_cmp(&b),
        _ => None,
    }
}

#[test]
fn ranks_compare_as_values_do_within_a_family() {
    let snapshot = snapshot();
    let literals: Vec<TermId> = snapshot.kind_range(TermKind::Literal).map(TermId::new).collect();
    for a in &literals {
        for b in &literals {
            let ((family_a, rank_a), (family_b, rank_b)) = (snapshot.value_rank(*a), snapshot.value_rank(*b));
            if family_a != family_b || family_a == Family::Other {
                continue;
            }
            let (Term::Literal(term_a), Term::Literal(term_b)) = (snapshot.term(*a), snapshot.term(*b)) else {
                unreachable!("these are literals")
            };
            let expected = match family_a {
                Family::String | Family::Language(_) => Some(term_a.value().cmp(term_b.value())),
                _ => compare((snapshot.value(*a), term_a.value()), (snapshot.value(*b), term_b.value())),
            };
            assert_eq!(Some(rank_a.cmp(&rank_b)), expected, "{term_a} {term_b}");
        }
    }
}

#[test]
fn the_terms_with_an_equal_value_are_a_range() {
    let snapshot = snapshot();
    let mut queries: Vec<Term> = objects();
    queries.extend([typed("1.50", xsd::DECIMAL), typed("0.5", xsd::FLOAT), "absent".into()].map(Term::from));
    for query in queries {
        let Term::Literal(query) = query else { continue };
        let Some((family, range)) = snapshot.equal_range(query.as_ref()) else { continue };
        let whole = snapshot.family_range(family);
        assert!(whole.start <= range.start && range.end <= whole.end);
        let alone = Snapshot::from_quads([Quad::new(iri("s"), iri("p"), query.clone(), GraphName::DefaultGraph)]);
        let alone = alone.unwrap();
        let value = alone.value(alone.id(query.as_ref().into()).unwrap());
        for id in whole {
            let Term::Literal(literal) = snapshot.term(TermId::new(id)) else { unreachable!() };
            let expected = match family {
                Family::String => literal.value().cmp(query.value()),
                _ => compare((snapshot.value(TermId::new(id)), literal.value()), (value, query.value())).unwrap(),
            };
            let actual = if id < range.start {
                Ordering::Less
            } else if id < range.end {
                Ordering::Equal
            } else {
                Ordering::Greater
            };
            assert_eq!(actual, expected, "{query} {}", snapshot.term(TermId::new(id)));
        }
    }
}

#[test]
fn statistics_are_exact() {
    let snapshot = snapshot();
    let rows: BTreeSet<Vec<TermId>> =
        dataset().iter().filter(|q| q.graph_name.is_default_graph()).map(|quad| ids(&snapshot, quad)).collect();
    let count = |predicate: Option<TermId>, position: usize| {
        let rows = rows.iter().filter(|row| predicate.is_none_or(|p| row[1] == p));
        rows.map(|row| row[position]).collect::<BTreeSet<_>>().len() as u64
    };
    let statistics = snapshot.statistics();
    assert_eq!(statistics.rows, rows.len() as u64);
    assert_eq!(statistics.distinct_subjects, count(None, 0));
    assert_eq!(statistics.distinct_predicates, count(None, 1));
    assert_eq!(statistics.distinct_objects, count(None, 2));
    for p in &statistics.predicates {
        assert_eq!(p.distinct_subjects, count(Some(p.predicate), 0));
        assert_eq!(p.distinct_objects, count(Some(p.predicate), 2));
        assert_eq!(p.rows, rows.iter().filter(|row| row[1] == p.predicate).count() as u64);
    }
    let mut sets: BTreeMap<BTreeSet<TermId>, BTreeSet<TermId>> = BTreeMap::new();
    for row in &rows {
        let set = rows.iter().filter(|r| r[0] == row[0]).map(|r| r[1]).collect();
        sets.entry(set).or_default().insert(row[0]);
    }
    assert_eq!(statistics.characteristic_sets.len(), sets.len());
    for set in &statistics.characteristic_sets {
        let subjects = &sets[&set.predicates.iter().copied().collect()];
        assert_eq!(set.subjects, subjects.len() as u64);
        for (predicate, n) in set.predicates.iter().zip(&set.rows) {
            let expected = rows.iter().filter(|r| subjects.contains(&r[0]) && r[1] == *predicate).count();
            assert_eq!(*n, expected as u64);
        }
    }
    assert_eq!(statistics.other_subjects, 0);
}

#[test]
fn an_empty_dataset_has_an_image() {
    let snapshot = Snapshot::from_quads([]).unwrap();
    assert_eq!((snapshot.term_count(), snapshot.triple_count(), snapshot.quad_count()), (0, 0, 0));
    assert_eq!(snapshot.triples(Permutation::Pos).range(&[]), 0..0);
    assert_eq!(snapshot.triples(Permutation::Pos).range(&[TermId::new(0), TermId::new(0)]), 0..0);
    assert_eq!(snapshot.id(iri("a").as_ref().into()), None);
    assert_eq!(snapshot.statistics(), &Statistics::default());
    assert_eq!(snapshot.term(TermId::new(7)), Dictionary::placeholder());
}

#[test]
fn a_deeply_nested_triple_term_is_refused() {
    let mut object = Term::from(iri("o"));
    for _ in 0..300 {
        object = Triple::new(iri("s"), iri("p"), object).into();
    }
    let quad = Quad::new(iri("s"), iri("p"), object, GraphName::DefaultGraph);
    assert!(Snapshot::from_quads([quad]).unwrap_err().message().contains("nested"));
}
