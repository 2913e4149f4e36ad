//! Witnesses of rows of random queries over random datasets. A row must exist over its witness alone, over random datasets
//! between the witness and the whole, and, if minimality is promised, over no smaller witness.
//!
//! `KGQ_WITNESSES=20000` tests that many pairs, from the seed `KGQ_WITNESSES_SEED`.

use super::{Case, Form};
use crate::dice::Dice;
use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_engine::why::{Item, Why, holds, why};
use kgq_engine::{Answer, EvaluationOptions, Limits, evaluate};
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{Prefixes, Quad, Term, Triple, Variable};
use std::time::Duration;

/// The number of rows explained per answer, and the number of datasets in which each is looked for.
const ROWS: usize = 4;
const DATASETS: usize = 20;

/// One item of an answer.
enum Part {
    Row(Vec<Variable>, Vec<Option<Term>>),
    True,
    Triple(Triple),
}

impl Part {
    fn item(&self) -> Item<'_> {
        match self {
            Self::Row(variables, row) => Item::Row(variables, row),
            Self::True => Item::True,
            Self::Triple(triple) => Item::Triple(triple),
        }
    }
}

fn parts(snapshot: &Snapshot, query: &Query, options: &EvaluationOptions) -> Option<Vec<Part>> {
    Some(match evaluate(snapshot, query, options).ok()? {
        Answer::Boolean(true) => vec![Part::True],
        Answer::Boolean(false) => Vec::new(),
        Answer::Solutions(solutions) => {
            let rows = solutions.rows.take(ROWS).collect::<Result<Vec<_>, _>>().ok()?;
            rows.into_iter().map(|row| Part::Row(solutions.variables.clone(), row)).collect()
        }
        Answer::Graph(triples) => {
            triples.0.take(ROWS).map(|triple| triple.map(Part::Triple)).collect::<Result<_, _>>().ok()?
        }
    })
}

/// Describes what is wrong with a witness, if anything is.
fn fault(quads: &[Quad], query: &Query, part: &Part, dice: &mut Dice, options: &EvaluationOptions) -> Option<String> {
    let snapshot = Snapshot::from_quads(quads.iter().cloned()).unwrap();
    let found = match why(&snapshot, query, part.item(), options) {
        Ok(Some(found)) => found,
        Ok(None) => return Some("there is no such row".to_owned()),
        Err(error) => return Some(format!("an error: {error}")),
    };
    let Why { statements, is_irredundant, .. } = &found;
    let has = |kept: &[&Quad]| holds(kept.iter().copied(), query, part.item(), options).unwrap();
    let told = |what: &str, kept: &[&Quad]| {
        let lines = |quads: &mut dyn Iterator<Item = &Quad>| quads.map(|q| format!("  {q}\n")).collect::<String>();
        Some(format!("{what}\n{}over\n{}", lines(&mut statements.iter()), lines(&mut kept.iter().copied())))
    };
    if let Some(invented) = statements.iter().find(|quad| !quads.contains(quad)) {
        return Some(format!("{invented} is not stated"));
    }
    let witness: Vec<&Quad> = statements.iter().collect();
    if !has(&witness) {
        return told("the row is not there over the witness", &witness);
    }
    for _ in 0..DATASETS {
        let kept: Vec<&Quad> = quads.iter().filter(|quad| statements.contains(quad) || !dice.once_in(2)).collect();
        if !has(&kept) {
            return told("the row is not there over a dataset between the witness and all", &kept);
        }
    }
    if *is_irredundant {
        for at in 0..witness.len() {
            let mut fewer = witness.clone();
            fewer.remove(at);
            if has(&fewer) {
                return told("a statement can be left out", &fewer);
            }
        }
    }
    None
}

#[test]
fn a_witness_gives_its_row_over_everything_between_it_and_the_data() {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    let (pairs, first) = (number("KGQ_WITNESSES").unwrap_or(40), number("KGQ_WITNESSES_SEED").unwrap_or(1));
    let options = EvaluationOptions {
        limits: Limits { time: Some(Duration::from_secs(10)), ..Limits::default() },
        ..EvaluationOptions::default()
    };
    let prefixes = Prefixes::from_iter([("", "http://example.com/"), ("xsd", "http://www.w3.org/2001/XMLSchema#")]);
    let (mut explained, mut irredundant, mut failures) = (0, 0, Vec::new());
    for seed in first..first + pairs {
        let case = Case::random(seed);
        // The standard leaves open which member SAMPLE takes.
        if case.select.sample.is_some() {
            continue;
        }
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        let Ok(query) = parse_query(Source::new("random", &case.text()), context) else { continue };
        let (quads, mut dice) = (case.quads(), Dice::new(seed));
        let snapshot = Snapshot::from_quads(quads.clone()).unwrap();
        for part in parts(&snapshot, &query, &options).unwrap_or_default() {
            // A template makes a new blank node each time, so its triples differ between runs.
            if matches!((&case.form, &part), (Form::Construct(_), Part::Triple(t)) if t.to_string().contains("_:")) {
                continue;
            }
            explained += 1;
            if let Some(fault) = fault(&quads, &query, &part, &mut dice, &options) {
                failures.push(format!("seed {seed}\n{}\n{}\n{fault}", case.statements.join("\n"), case.text()));
                break;
            }
            irredundant += u64::from(why(&snapshot, &query, part.item(), &options).unwrap().unwrap().is_irredundant);
        }
        if failures.len() == 5 {
            break;
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
    assert!(explained > pairs / 2 && irredundant > explained / 10, "{explained} rows, {irredundant} irredundant");
}
