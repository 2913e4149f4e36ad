//! Why CONSTRUCT makes nothing although its pattern has solutions.

use super::{MOST_COUNTED, Probes};
use crate::advice::Diagnostic;
use crate::advice::place::QueryText;
use kgq_engine::query::atoms::PatternTerm;
use kgq_syntax::rdf::{Term, Variable};

impl Probes<'_> {
    /// No solution fits the template: what it needs has no value, or one that cannot stand there.
    pub(super) fn unmade(&self, text: &QueryText<'_>) -> Option<Diagnostic> {
        if self.taken.template.is_empty() {
            return None;
        }
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        let (variables, rows) = self.rows(&all, MOST_COUNTED)?;
        let value = |row: &kgq_engine::Row, variable: &Variable| {
            let column = variables.iter().position(|own| own == variable)?;
            row.get(column)?.clone()
        };
        let misfit = self.taken.template.iter().find_map(|[subject, predicate, _]| {
            rows.iter().find_map(|row| {
                let of = |node: &PatternTerm| match node {
                    PatternTerm::Variable(variable) => Some((variable.clone(), value(row, variable)?)),
                    PatternTerm::Term(_) | PatternTerm::Other => None,
                };
                let subject = of(subject).filter(|(_, term)| !can_be_subject(term)).map(|found| (found, "subject"));
                let property = of(predicate).filter(|(_, term)| !matches!(term, Term::NamedNode(_)));
                subject.or_else(|| property.map(|found| (found, "property")))
            })
        });
        let Some(((variable, term), place)) = misfit else {
            let message = "there are solutions, but none binds what the template needs";
            return Some(Diagnostic::new("template-unbound", message).at(text, text.keyword("CONSTRUCT")));
        };
        let kind = match term {
            Term::Literal(_) => "a literal",
            Term::BlankNode(_) => "a blank node",
            Term::Triple(_) => "a triple",
            Term::NamedNode(_) => "an IRI",
        };
        let message = format!("{kind} cannot be the {place} of a statement, and {variable} is one");
        let shown = self.asked.shown(&term);
        let hint = format!("there are solutions; in one of them {variable} is {shown}");
        let place = text.variable_behind("CONSTRUCT", variable.as_str());
        Some(Diagnostic::new("template-unbound", message).at(text, place).hint_if(Some(hint)))
    }
}

fn can_be_subject(term: &Term) -> bool {
    matches!(term, Term::NamedNode(_) | Term::BlankNode(_))
}
