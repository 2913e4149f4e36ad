//! Random expressions over random values, compared with Oxigraph's evaluator.
//!
//! Terms are in canonical form here, because Oxigraph's evaluator keeps no other. `known` lists its other differences
//! from the standard. `KGQ_EXPRESSIONS=20000` compares that many expressions instead of a few hundred.

use super::*;
use crate::Answer;
use crate::oxigraph::{self, DefaultGraph};
use kgq_syntax::rdf::{Literal, NamedNode, Term, Variable};
use oxrdf::vocab::xsd;
use spargebra::Query;
use spargebra::algebra::{Expression as E, Function as F, GraphPattern};
use spargebra::term::GroundTerm;
use value::Number;

/// A small generator of random numbers (splitmix64): the same seed gives the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn pool() -> Vec<Term> {
    let mut pool: Vec<Term> = tests::odd_terms()
        .into_iter()
        .filter(|term| !term.is_blank_node() && Value::of(term.clone()).into_term() == *term)
        // Oxigraph does not check the bounds of derived integers.
        .filter(|term| !term.to_string().contains("1200"))
        .collect();
    for text in ["abc", "a.c", "i", "en", "fr-BE", "B", "http://example.com/x", "é日 x", "2", "-5", " 7 ", "true"] {
        pool.push(Literal::new_simple_literal(text).into());
    }
    for n in ["3", "-1", "1000"] {
        pool.push(Literal::new_typed_literal(n, oxrdf::vocab::xsd::INTEGER).into());
    }
    pool
}

fn expression(dice: &mut Dice, depth: usize, pool: &[Term]) -> E {
    if depth == 0 || dice.below(8) == 0 {
        return match dice.below(3) {
            0 => match dice.pick(pool) {
                Term::NamedNode(iri) => E::NamedNode(iri.clone()),
                Term::Literal(literal) => E::Literal(literal.clone()),
                Term::BlankNode(_) | Term::Triple(_) => variable(dice),
            },
            _ => variable(dice),
        };
    }
    let mut one = || Box::new(expression(dice, depth - 1, pool));
    let (a, b, c) = (one(), one(), one());
    let casts = [
        "string",
        "boolean",
        "integer",
        "decimal",
        "float",
        "double",
        "dateTime",
        "date",
        "time",
        "duration",
        "yearMonthDuration",
        "dayTimeDuration",
        "gYear",
        "gMonth",
        "gDay",
        "gYearMonth",
        "gMonthDay",
    ];
    let unary = [
        F::Str,
        F::Lang,
        F::Datatype,
        F::Iri,
        F::Abs,
        F::Ceil,
        F::Floor,
        F::Round,
        F::StrLen,
        F::UCase,
        F::LCase,
        F::EncodeForUri,
        F::Year,
        F::Month,
        F::Day,
        F::Hours,
        F::Minutes,
        F::Seconds,
        F::Timezone,
        F::Tz,
        F::Md5,
        F::Sha1,
        F::Sha256,
        F::Sha384,
        F::Sha512,
        F::IsIri,
        F::IsBlank,
        F::IsLiteral,
        F::IsNumeric,
        F::Subject,
        F::Predicate,
        F::Object,
        F::IsTriple,
        F::LangDir,
        F::HasLang,
        F::HasLangDir,
    ];
    let binary = [
        F::LangMatches,
        F::Contains,
        F::StrStarts,
        F::StrEnds,
        F::StrBefore,
        F::StrAfter,
        F::StrLang,
        F::Regex,
        F::SubStr,
        F::Adjust,
        F::Concat,
        F::StrDt,
    ];
    let ternary = [F::SubStr, F::Replace, F::Triple, F::StrLangDir, F::Regex, F::Concat];
    match dice.below(30) {
        0 | 1 => E::And(a, b),
        2 | 3 => E::Or(a, b),
        4 => E::Not(a),
        5 | 6 => E::Equal(a, b),
        7 => E::Less(a, b),
        8 => E::LessOrEqual(a, b),
        9 => E::Greater(a, b),
        10 => E::GreaterOrEqual(a, b),
        11 => E::SameTerm(a, b),
        12 => E::In(a, vec![*b, *c]),
        13 | 14 => E::Add(a, b),
        15 => E::Subtract(a, b),
        16 => E::Multiply(a, b),
        17 => E::Divide(a, b),
        18 => E::UnaryPlus(a),
        19 => E::UnaryMinus(a),
        20 => E::If(a, b, c),
        21 => E::Coalesce(vec![*a, *b]),
        22 => match variable(dice) {
            E::Variable(v) => E::Bound(v),
            other => other,
        },
        23 | 24 => {
            let name = format!("http://www.w3.org/2001/XMLSchema#{}", dice.pick(&casts));
            E::FunctionCall(F::Custom(NamedNode::new_unchecked(name)), vec![*a])
        }
        25 | 26 => E::FunctionCall(dice.pick(&unary).clone(), vec![*a]),
        27 | 28 => E::FunctionCall(dice.pick(&binary).clone(), vec![*a, *b]),
        _ => E::FunctionCall(dice.pick(&ternary).clone(), vec![*a, *b, *c]),
    }
}

fn variable(dice: &mut Dice) -> E {
    E::Variable(Variable::new_unchecked(*dice.pick(&["x", "y", "z"])))
}

fn children(expression: &E) -> Vec<&E> {
    match expression {
        E::NamedNode(_) | E::Literal(_) | E::Variable(_) | E::Bound(_) | E::Exists(_) => Vec::new(),
        E::Or(a, b)
        | E::And(a, b)
        | E::Equal(a, b)
        | E::SameTerm(a, b)
        | E::Greater(a, b)
        | E::GreaterOrEqual(a, b)
        | E::Less(a, b)
        | E::LessOrEqual(a, b)
        | E::Add(a, b)
        | E::Subtract(a, b)
        | E::Multiply(a, b)
        | E::Divide(a, b) => vec![a, b],
        E::UnaryPlus(a) | E::UnaryMinus(a) | E::Not(a) => vec![a],
        E::If(a, b, c) => vec![a, b, c],
        E::In(a, list) => std::iter::once(&**a).chain(list).collect(),
        E::Coalesce(list) | E::FunctionCall(_, list) => list.iter().collect(),
    }
}

/// Returns the reason why Oxigraph's evaluator may rightly differ on this expression, given the values of its parts.
fn known(expression: &E, value: &dyn Fn(&E) -> Option<Value>) -> Option<&'static str> {
    let values: Vec<Option<Value>> = children(expression).into_iter().map(value).collect();
    let has = |test: fn(&Value) -> bool| values.iter().flatten().any(test);
    let is_wide = |value: &Value| matches!(value, Value::Number(Number::Wide(_)));
    if has(is_wide) || value(expression).is_some_and(|value| is_wide(&value)) {
        return Some(
            "integers and decimals are exact, whatever their size, there they are errors beyond 64 and 128 bits",
        );
    }
    match expression {
        E::Less(..) | E::LessOrEqual(..) | E::Greater(..) | E::GreaterOrEqual(..) => {
            if has(|v| matches!(v, Value::Boolean(_))) {
                return Some("booleans are ordered (SPARQL 1.1 §17.3), there they are not");
            }
            if has(|v| matches!(v, Value::Number(n) if n.is_nan())) {
                return Some("NaN is not <= itself (IEEE 754), there it is");
            }
            if has(|v| matches!(v, Value::Iri(_) | Value::Blank(_) | Value::Opaque(_) | Value::Triple(_))) {
                return Some("a term without an order is not <= itself (SPARQL 1.1 §17.3), there it is");
            }
        }
        E::Equal(..) | E::In(..)
            if values.iter().flatten().filter(|v| matches!(v, Value::Moment(_) | Value::Triple(_))).count() > 1 =>
        {
            return Some("a time with a zone may equal one without (W3C open-world/date-2), there it does not");
        }
        E::And(..) | E::Or(..)
            if has(|v| matches!(v, Value::Opaque(literal) if literal.datatype() == xsd::BOOLEAN))
                && value(expression).is_none() =>
        {
            return Some(
                "an ill-typed boolean has no truth value (SPARQL 1.2 §17.2.2), there its optimiser gives it as it is",
            );
        }
        E::Multiply(..) | E::Divide(..)
            if has(|v| matches!(v, Value::Number(Number::Decimal(_)))) || matches!(expression, E::Divide(..)) =>
        {
            return Some("quotients are cut after 18 digits, there they may be errors");
        }
        E::Add(..) if has(|v| matches!(v, Value::Moment(_))) => {
            return Some("a duration may stand on either side of a date, there its optimiser exchanges the sides");
        }
        E::FunctionCall(F::Replace, _) => return Some("REPLACE reads the replacement as XPath does"),
        E::FunctionCall(F::StrDt, _) => return Some("a literal keeps its lexical form, there it does not"),
        E::FunctionCall(F::Custom(_), _) if has(|v| matches!(v, Value::Text(_))) => {
            return Some("a cast ignores white space around a text, and takes no `inf`");
        }
        _ => {}
    }
    children(expression).into_iter().find_map(|child| known(child, value))
}

#[test]
fn random_expressions_give_what_oxigraph_gives() {
    let pool = pool();
    let schema = tests::columns(3);
    let expressions = std::env::var("KGQ_EXPRESSIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let mut same = 0;
    for seed in 0..expressions {
        let mut dice = Dice(seed);
        let depth = 1 + dice.below(3);
        let expression = expression(&mut dice, depth, &pool);
        let rows: Vec<Vec<Option<Term>>> =
            (0..6).map(|_| (0..3).map(|_| (dice.below(10) > 0).then(|| dice.pick(&pool).clone())).collect()).collect();
        // Some terms are stored, others computed.
        let snapshot = tests::snapshot_of(pool.iter().filter(|_| dice.below(2) == 0).cloned());
        let context = Context::new(&snapshot, None, Budget::default());
        let id = |term: &Option<Term>| term.clone().map_or(TermId::UNBOUND, |term| context.terms.id(term).unwrap());
        let columns = (0..3).map(|column| rows.iter().map(|row| id(&row[column])).collect()).collect();
        let batch = Batch::new(columns, rows.len());
        let ours = compile(&tests::lower(&expression), &schema, &context).unwrap().evaluate(&batch, &context).unwrap();
        let theirs = oxigraph_values(&snapshot, &expression, &rows);
        for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let ours = (*ours != TermId::UNBOUND).then(|| context.terms.term(*ours));
            if ours == theirs {
                same += 1;
                continue;
            }
            let alone = batch.select(&[row as u32]);
            let value = |part: &E| {
                let ids = compile(&tests::lower(part), &schema, &context).unwrap().evaluate(&alone, &context).unwrap();
                (ids[0] != TermId::UNBOUND).then(|| context.terms.value(ids[0]))
            };
            assert!(
                known(&expression, &value).is_some(),
                "seed {seed}, {expression} over {:?}: {ours:?} here, {theirs:?} there",
                rows[row]
            );
        }
    }
    assert!(same > 9 * expressions / 2, "only {same} of {} values were the same", 6 * expressions);
}

fn oxigraph_values(snapshot: &Snapshot, expression: &E, rows: &[Vec<Option<Term>>]) -> Vec<Option<Term>> {
    let ground = |term: &Option<Term>| match term.clone()? {
        Term::NamedNode(iri) => Some(GroundTerm::NamedNode(iri)),
        Term::Literal(literal) => Some(GroundTerm::Literal(literal)),
        Term::BlankNode(_) | Term::Triple(_) => None,
    };
    let [x, y, z, r] = ["x", "y", "z", "r"].map(Variable::new_unchecked);
    // One row at a time, because solutions have no order.
    rows.iter()
        .map(|row| {
            let values = GraphPattern::Values {
                variables: vec![x.clone(), y.clone(), z.clone()],
                bindings: vec![row.iter().map(ground).collect()],
            };
            let extend =
                GraphPattern::Extend { inner: Box::new(values), variable: r.clone(), expression: expression.clone() };
            let query = Query::Select {
                dataset: None,
                pattern: GraphPattern::Project { inner: Box::new(extend), variables: vec![r.clone()] },
                base_iri: None,
            };
            match oxigraph::evaluate(snapshot, &query, DefaultGraph::Stored, &Budget::default(), None).unwrap() {
                Answer::Solutions(mut solutions) => solutions.rows.next().unwrap().unwrap().swap_remove(0),
                Answer::Boolean(_) | Answer::Graph(_) => None,
            }
        })
        .collect()
}
