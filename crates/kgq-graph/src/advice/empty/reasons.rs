//! Explains the smallest set of conditions that nothing meets: single conditions, pairs, and the form in which they
//! would be met.

use super::{MOST_COUNTED, MOST_ROWS, Probes};
use crate::advice::place::QueryText;
use crate::advice::{Diagnostic, terms};
use kgq_engine::query::atoms::{Atom, AtomKind, PatternTerm};
use kgq_engine::query::wanted_terms;
use kgq_snapshot::{Permutation, TermId, TermKind};
use kgq_syntax::error::Error;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};
use kgq_syntax::text::count;

/// The most conditions shown of a set that nothing meets together.
const MOST_SHOWN: usize = 10;

impl Probes<'_> {
    pub(super) fn explain(&self, core: &[usize], text: &QueryText<'_>) -> Vec<Diagnostic> {
        let last = core.last().copied().unwrap_or(0);
        // Terms inside conditions that are not patterns themselves: a branch, VALUES, a FILTER.
        let (guesses, more) = terms::missing(self.asked, &self.taken.ask(core), text);
        if !guesses.is_empty() {
            return self.proposed(guesses, more);
        }
        let hint = self.alternative(core, text);
        if self.taken.only_restricts(last) && core.len() > 1 {
            return vec![self.rejected(core, text).hint_if(hint)];
        }
        let atoms: Vec<&Atom> = core.iter().map(|at| &self.taken.atoms[*at]).collect();
        let diagnostic = match atoms.as_slice() {
            [one] => self.otherwise(core, text).unwrap_or_else(|| self.single(one, text)),
            [a, b] => self
                .literal_as_subject(a, b, text)
                .or_else(|| self.otherwise(core, text))
                .or_else(|| self.not_of_class(a, b, text))
                .unwrap_or_else(|| self.together(core, text)),
            _ => self.otherwise(core, text).unwrap_or_else(|| self.together(core, text)),
        };
        vec![diagnostic.hint_if(hint)]
    }

    /// Another term in place of an unknown one that only an alternative needs. It is no reason, as the others could have
    /// been met, but it may have been meant.
    fn alternative(&self, core: &[usize], text: &QueryText<'_>) -> Option<String> {
        let inside: Vec<usize> = core.iter().copied().filter(|at| self.may_be_met_otherwise(*at)).collect();
        if inside.is_empty() {
            return None;
        }
        let (guesses, _) = terms::unknown(self.asked, wanted_terms(&self.taken.ask(&inside).algebra), text);
        guesses.iter().find_map(|guess| {
            let proposal = guess.meant.iter().find_map(|meant| self.proposal(guess, meant))?;
            Some(format!("in place of {}: {proposal}", self.asked.shown(&guess.term)))
        })
    }

    /// Whether a condition can be met in several ways, or names terms that the data need not have.
    fn may_be_met_otherwise(&self, at: usize) -> bool {
        match self.taken.atoms[at].condition {
            AtomKind::Path { .. } | AtomKind::Union | AtomKind::SubSelect | AtomKind::Values | AtomKind::Filter => true,
            AtomKind::Triple { .. } | AtomKind::Optional | AtomKind::Minus | AtomKind::Bind => false,
        }
    }

    /// A form of the conditions that has solutions: in another graph, or with subject and object exchanged.
    fn otherwise(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        self.elsewhere(core, text).or_else(|| self.looked_up(core, text)).or_else(|| self.other_way_round(core, text))
    }

    /// Only the look-up of a text or number fails, which nothing else in the query depends on.
    fn looked_up(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        // Of a class and a property, the class is told.
        let is_type = |at: &usize| {
            let AtomKind::Triple { predicate, .. } = &self.taken.atoms[*at].condition else { return false };
            matches!(predicate, PatternTerm::Term(Term::NamedNode(property)) if property.as_ref() == rdf::TYPE)
        };
        if core.len() == 1 || core.len() == 2 && core.iter().any(is_type) {
            return None;
        }
        core.iter().find_map(|at| {
            let atom = &self.taken.atoms[*at];
            let AtomKind::Triple {
                subject: PatternTerm::Variable(subject),
                predicate: PatternTerm::Term(Term::NamedNode(property)),
                object: PatternTerm::Variable(object),
            } = &atom.condition
            else {
                return None;
            };
            let others: Vec<usize> = (0..self.taken.atoms.len()).filter(|other| other != at).collect();
            let is_alone = others.iter().all(|other| !self.taken.atoms[*other].variables.contains(object));
            if !is_alone || !self.only_literals(property) {
                return None;
            }
            let n = self.count(&others).filter(|n| *n > 0)?;
            let own = self.asked.curie(property);
            let message = format!("what meets the other conditions as {subject} has no {own}");
            let hint = format!("in OPTIONAL {{ … }} it may lack: that gives {}", super::tried::some(n));
            Some(Diagnostic::new("no-common-solution", message).at(text, text.atom(atom)).hint_if(Some(hint)))
        })
    }

    /// A property whose statements would meet the conditions the other way round. Both may be meant, so this is no reason
    /// by itself.
    fn other_way_round(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        core.iter().find_map(|at| {
            let atom = &self.taken.atoms[*at];
            let AtomKind::Triple { subject, predicate, object } = &atom.condition else { return None };
            // A pattern of variables only is the same either way.
            if core.len() == 1 && !matches!((subject, object), (PatternTerm::Term(_), _) | (_, PatternTerm::Term(_))) {
                return None;
            }
            // The whole query must have solutions, not only a part: between variables, many properties can be reversed.
            let gives = self.gives(&self.taken.reversed(*at)?, &all)?;
            let own = match predicate {
                PatternTerm::Term(Term::NamedNode(property)) => self.asked.curie(property),
                PatternTerm::Term(_) | PatternTerm::Variable(_) | PatternTerm::Other => "the property".to_owned(),
            };
            let message = match core.len() {
                1 => "no statement fits this".to_owned(),
                2 => "nothing meets this and another condition together".to_owned(),
                n => format!("nothing meets this and {} other conditions together", n - 1),
            };
            let hint = format!(
                "if {own} is meant the other way round, exchange subject and object, or invert it with `^`: {gives}"
            );
            Some(Diagnostic::new("reversed", message).at(text, text.atom(atom)).hint_if(Some(hint)))
        })
    }

    /// Conditions that are each met, but not together.
    fn together(&self, core: &[usize], text: &QueryText<'_>) -> Diagnostic {
        let patterns = count(core.len() as u64, "condition", "conditions");
        let mut errors: Vec<Error> = Vec::new();
        for at in core.iter().take(MOST_SHOWN) {
            let atom = &self.taken.atoms[*at];
            let alone = match self.count(&[*at]) {
                Some(n) => format!("this alone has {}", super::tried::some(n)),
                None => "this is one of them".to_owned(),
            };
            let place = text.source.place(text.atom(atom).unwrap_or_else(|| text.pattern()));
            let first = errors.is_empty();
            let diagnostic =
                Diagnostic::new("no-common-solution", format!("nothing meets these {patterns} together; {alone}"));
            errors.push(if first {
                diagnostic.error.at(place)
            } else {
                Error::input(format!("  and {alone}")).at(place)
            });
        }
        let error = Error::all(errors).unwrap_or_else(|| Error::bug("the reason was lost"));
        Diagnostic { code: "no-common-solution", error }
    }

    /// A condition that nothing meets on its own, although the graph has its terms.
    fn single(&self, atom: &Atom, text: &QueryText<'_>) -> Diagnostic {
        let span = text.atom(atom);
        if let AtomKind::Triple {
            subject: PatternTerm::Term(Term::NamedNode(thing)),
            predicate: PatternTerm::Term(Term::NamedNode(property)),
            object: PatternTerm::Variable(_),
        } = &atom.condition
        {
            let has = self.properties_of(thing);
            let message = format!("{} has no {}", self.asked.curie(thing), self.asked.curie(property));
            return Diagnostic::new("no-match", message)
                .at(text, span)
                .hint_if((!has.is_empty()).then(|| format!("it has {}", has.join(", "))));
        }
        if atom.graph.is_some() && self.asked.snapshot.named_graphs().is_empty() {
            return Diagnostic::new("unknown-graph", "the dataset has no named graph")
                .at(text, text.keyword("GRAPH").or(span));
        }
        let message = match atom.condition {
            AtomKind::Filter => {
                return Diagnostic::new("filter-rejects-all", "this FILTER is never true").at(text, span);
            }
            AtomKind::Union => "no branch of this UNION finds anything",
            AtomKind::SubSelect => "this group finds nothing",
            AtomKind::Values => "this gives no values",
            AtomKind::Path { .. } => "nothing is connected by this path",
            AtomKind::Triple { .. } | AtomKind::Optional | AtomKind::Minus | AtomKind::Bind => "no statement fits this",
        };
        Diagnostic::new("no-match", message).at(text, span)
    }

    fn properties_of(&self, thing: &NamedNode) -> Vec<String> {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(thing.as_ref().into()) else { return Vec::new() };
        let index = snapshot.triples(Permutation::Spo);
        let mut properties: Vec<TermId> = index.blocks(1, index.run(id)).collect();
        properties.dedup();
        properties
            .into_iter()
            .take(8)
            .filter_map(|p| match snapshot.term(p) {
                Term::NamedNode(node) => Some(self.asked.curie(&node)),
                _ => None,
            })
            .collect()
    }

    /// A class, and a property that none of its members has.
    fn not_of_class(&self, a: &Atom, b: &Atom, text: &QueryText<'_>) -> Option<Diagnostic> {
        let (
            AtomKind::Triple { subject: s1, predicate: PatternTerm::Term(Term::NamedNode(p1)), object: o1 },
            AtomKind::Triple { subject: s2, predicate: PatternTerm::Term(Term::NamedNode(p2)), object: o2 },
        ) = (&a.condition, &b.condition)
        else {
            return None;
        };
        for (class, property, atom, subject, other) in [((p1, o1), p2, b, s1, s2), ((p2, o2), p1, a, s2, s1)] {
            if let ((p, PatternTerm::Term(Term::NamedNode(class))), true) =
                (class, subject == other && property.as_ref() != rdf::TYPE)
                && p.as_ref() == rdf::TYPE
            {
                let (class, property) = (self.asked.curie(class), property);
                let users = self.classes_with(property);
                let own = self.asked.curie(property);
                let hint = (!users.is_empty()).then(|| format!("things with {own} are {}", users.join(", ")));
                return Some(
                    Diagnostic::new("not-of-class", format!("no {class} has such a {own}"))
                        .at(text, text.atom(atom))
                        .hint_if(hint),
                );
            }
        }
        None
    }

    /// A literal used as the subject of a pattern.
    fn literal_as_subject(&self, a: &Atom, b: &Atom, text: &QueryText<'_>) -> Option<Diagnostic> {
        let (
            AtomKind::Triple { subject: s1, predicate: PatternTerm::Term(Term::NamedNode(p1)), object: o1 },
            AtomKind::Triple { subject: s2, predicate: PatternTerm::Term(Term::NamedNode(p2)), object: o2 },
        ) = (&a.condition, &b.condition)
        else {
            return None;
        };
        for (object, subject, property, atom) in [(o1, s2, p1, b), (o2, s1, p2, a)] {
            if let PatternTerm::Variable(variable) = object
                && object == subject
                && self.only_literals(property)
            {
                let message = format!(
                    "?{} is a text or a number here ({}), and such has no properties",
                    variable.as_str(),
                    self.asked.curie(property)
                );
                return Some(Diagnostic::new("literal-as-subject", message).at(text, text.atom(atom)));
            }
        }
        None
    }

    fn classes_with(&self, property: &NamedNode) -> Vec<String> {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(property.as_ref().into()) else { return Vec::new() };
        let index = snapshot.triples(Permutation::Pso);
        let subjects = index.blocks(1, index.run(id)).take(MOST_COUNTED);
        let mut counts: std::collections::BTreeMap<TermId, usize> = std::collections::BTreeMap::new();
        for subject in subjects {
            for class in crate::catalog::classes_of(snapshot, subject) {
                *counts.entry(class).or_default() += 1;
            }
        }
        let mut counts: Vec<(TermId, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts
            .into_iter()
            .take(3)
            .filter_map(|(class, _)| match snapshot.term(class) {
                Term::NamedNode(node) => Some(self.asked.curie(&node)),
                _ => None,
            })
            .collect()
    }

    fn only_literals(&self, property: &NamedNode) -> bool {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(property.as_ref().into()) else { return false };
        let index = snapshot.triples(Permutation::Pos);
        let objects = index.run(id);
        !objects.is_empty() && index.blocks(1, objects).take(MOST_ROWS).all(|o| snapshot.kind(o) == TermKind::Literal)
    }
}
