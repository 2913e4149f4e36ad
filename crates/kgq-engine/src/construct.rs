//! The triples of a CONSTRUCT, each once.
//!
//! Duplicates are found by the ids of the terms, which take a fraction of the memory of the terms themselves. If no two
//! solutions can make the same triple, nothing is remembered: a whole graph streams in constant memory.

use super::operator::Context;
use super::plan::Var;
use super::plan::translate::Translator;
use super::result::Rows;
use super::template::{Slots, TemplateTerm, has_blank, instance};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Triple, size};
use rustc_hash::FxHashSet;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use std::collections::VecDeque;

/// The template of a CONSTRUCT, over the columns of its plan.
#[derive(Clone)]
pub struct Template {
    triples: Vec<[TemplateTerm; 3]>,
    vars: Vec<Var>,
    blank_nodes: usize,
    /// Whether no two solutions make the same triple.
    is_distinct: bool,
}

impl Template {
    pub fn new(template: &[TriplePattern], pattern: &GraphPattern, translator: &mut Translator<'_>) -> Self {
        let mut slots = Slots::default();
        let triples = template.iter().map(|triple| slots.triple(triple)).collect();
        let vars = slots.variables().iter().map(|variable| translator.var(variable)).collect();
        let is_distinct = template.len() == 1 && holds_all_of(&slots, pattern);
        Self { triples, vars, blank_nodes: slots.blank_nodes(), is_distinct }
    }

    /// Returns the variables that it reads, which are the columns of its plan.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }
}

/// Whether a template reads all variables of a basic graph pattern without blank nodes. The solutions then differ in
/// one of them (§18.3.1), and so do the triples.
fn holds_all_of(slots: &Slots, pattern: &GraphPattern) -> bool {
    fn holds(slots: &Slots, term: &TermPattern) -> bool {
        match term {
            TermPattern::NamedNode(_) | TermPattern::Literal(_) => true,
            TermPattern::Variable(variable) => slots.variables().contains(variable),
            TermPattern::BlankNode(_) => false,
            TermPattern::Triple(triple) => holds_triple(slots, triple),
        }
    }
    fn holds_triple(slots: &Slots, triple: &TriplePattern) -> bool {
        let predicate = match &triple.predicate {
            NamedNodePattern::NamedNode(_) => true,
            NamedNodePattern::Variable(variable) => slots.variables().contains(variable),
        };
        predicate && holds(slots, &triple.subject) && holds(slots, &triple.object)
    }
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().all(|triple| holds_triple(slots, triple)),
        GraphPattern::Graph { name: NamedNodePattern::NamedNode(_), inner }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner } => holds_all_of(slots, inner),
        _ => false,
    }
}

/// The triples of a CONSTRUCT.
pub struct Constructed<'s> {
    rows: Rows<'s>,
    template: Template,
    seen: Seen,
    held: Reservation,
    ready: VecDeque<Triple>,
}

/// How triples that came before are remembered.
enum Seen {
    /// No triple comes twice.
    Distinct,
    /// By ids; `keys` says where the ids of each triple of the template come from.
    Ids { keys: Vec<[Key; 3]>, seen: FxHashSet<[TermId; 3]> },
    /// By terms, because a triple term made by the template has no id.
    Terms(FxHashSet<Triple>),
}

/// Where the id of a term comes from.
enum Key {
    Constant(TermId),
    Column(usize),
    /// A new blank node, which no other triple contains.
    New,
}

impl Seen {
    fn new(template: &Template, cx: &Context<'_>) -> Result<Self> {
        if template.is_distinct {
            return Ok(Self::Distinct);
        }
        let mut keys = Vec::with_capacity(template.triples.len());
        for parts in &template.triples {
            let mut of_triple = [Key::New, Key::New, Key::New];
            for (key, part) in of_triple.iter_mut().zip(parts) {
                *key = match part {
                    TemplateTerm::Term(term) => Key::Constant(cx.terms().id_of(term)?),
                    TemplateTerm::Column(column) => Key::Column(*column),
                    TemplateTerm::Blank(_) => Key::New,
                    TemplateTerm::Triple(_) => return Ok(Self::Terms(FxHashSet::default())),
                };
            }
            keys.push(of_triple);
        }
        Ok(Self::Ids { keys, seen: FxHashSet::default() })
    }
}

/// Bytes of a triple's ids in a set that may be half empty.
const KEY_BYTES: u64 = 28;
/// Bytes of a remembered triple in addition to the triple itself.
const SEEN_BYTES: u64 = 16;

impl<'s> Constructed<'s> {
    /// # Errors
    /// The budget's limits.
    pub fn new(rows: Rows<'s>, template: Template) -> Result<Self> {
        let seen = Seen::new(&template, rows.context())?;
        Ok(Self { rows, template, seen, held: Reservation::default(), ready: VecDeque::new() })
    }

    fn add(&mut self, row: &[Option<Term>]) -> Result<()> {
        let budget = self.rows.context().budget();
        let mut blanks = vec![None; self.template.blank_nodes];
        for (number, parts) in self.template.triples.iter().enumerate() {
            // A triple with a new blank node cannot come twice.
            let may_come_twice = !has_blank(parts);
            if let (Seen::Ids { keys, seen }, true) = (&mut self.seen, may_come_twice) {
                let ids = keys[number].each_ref().map(|key| match key {
                    Key::Constant(id) => *id,
                    Key::Column(column) => self.rows.id(*column),
                    Key::New => TermId::UNBOUND,
                });
                if seen.contains(&ids) {
                    continue;
                }
                self.held.grow(budget, KEY_BYTES)?;
                seen.insert(ids);
            }
            let Some(triple) = instance(parts, row, &mut blanks) else { continue };
            if let (Seen::Terms(seen), true) = (&mut self.seen, may_come_twice) {
                if seen.contains(&triple) {
                    continue;
                }
                self.held.grow(budget, size::of_triple(&triple) + SEEN_BYTES)?;
                seen.insert(triple.clone());
            }
            self.ready.push_back(triple);
        }
        Ok(())
    }
}

impl Iterator for Constructed<'_> {
    type Item = Result<Triple>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(triple) = self.ready.pop_front() {
                return Some(Ok(triple));
            }
            let made = self.rows.next()?.and_then(|row| {
                // A template may make many triples from each row, most of which came before.
                if self.rows.is_time_to_look() {
                    self.rows.context().budget().check()?;
                }
                self.add(&row)
            });
            if let Err(error) = made {
                self.rows.end();
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::{Run, prepare};
    use crate::oxigraph::DefaultGraph;
    use crate::tests::snapshot;
    use crate::{Answer, Failures};
    use kgq_syntax::budget::Budget;
    use spargebra::SparqlParser;

    /// Returns how many triples a query makes from the data, and the most memory held meanwhile.
    fn made(data: &str, query: &str) -> (usize, u64) {
        let (snapshot, budget) = (snapshot(data), Budget::default());
        let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
        let run = Run { budget: &budget, services: None, failures: &Failures::default(), temporary: None };
        let Answer::Graph(triples) =
            prepare(&snapshot, &query, DefaultGraph::Stored, run).unwrap().evaluate(run).unwrap()
        else {
            panic!("no CONSTRUCT")
        };
        (triples.0.map(Result::unwrap).count(), budget.peak())
    }

    #[test]
    fn a_triple_comes_once_whatever_it_is_made_of() {
        let data = ":a :p :b ; :q :b , 1 . :b :p :b . << :a :p :b >> :r :c . :x :t <<( :a :p :b )>> .";
        for (query, triples) in [
            ("CONSTRUCT { :a :p ?o . ?s :p ?o } { ?s :p ?o }", 2),
            ("CONSTRUCT { ?o :p ?s . ?s :p :b } { ?s :p|:q ?o }", 3),
            ("CONSTRUCT { :x :t ?t . :x :t <<( ?s :p ?o )>> } { ?s :p ?o . ?x :t ?t }", 2),
            ("CONSTRUCT { :n :n ?n } { ?s ?p ?o BIND(STRLEN(STR(?s)) AS ?n) }", 1),
            ("CONSTRUCT { :n :n 1 , ?n } { ?s ?p ?o BIND(0 + 1 AS ?n) }", 1),
            ("CONSTRUCT { ?s :one _:b } { ?s :p ?o }", 2),
            ("CONSTRUCT { ?s :has ?p } { ?s ?p ?o }", 6),
            ("CONSTRUCT { ?o ?p ?s } { ?s ?p ?o }", 4),
        ] {
            assert_eq!(made(data, query).0, triples, "{query}");
        }
    }

    #[test]
    fn what_cannot_come_twice_is_not_held() {
        let held = |count: usize, query: &str| {
            let data: String = (0..count).map(|n| format!(":s{n} :p :o{n} . ")).collect();
            let (triples, held) = made(&data, query);
            assert_eq!(triples % count, 0);
            held
        };
        let whole = "CONSTRUCT WHERE { ?s ?p ?o }";
        // What a scan reads at once takes less memory than remembering so many triples in any way.
        assert!(held(140_000, whole) < 140_000 * 8);
        assert!(held(70_000, "CONSTRUCT { ?s a ?o . ?o a ?s } { ?s :p ?o }") < 140_000 * 36);
    }
}
