//! A FILTER or MINUS that removes everything found before it, and the form in which it would not.

use super::literal::{comparable, of_property};
use super::tried::some;
use super::{MOST_COUNTED, Probes};
use crate::advice::place::QueryText;
use crate::advice::terms::Guess;
use crate::advice::{AdviceRequest, Diagnostic};
use kgq_engine::Row;
use kgq_engine::query::atoms::{Atom, AtomKind, PatternTerm};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedNode, Term, Variable};
use std::collections::BTreeMap;

/// The solutions that come before a filter.
struct Before {
    variables: Vec<Variable>,
    rows: Vec<Row>,
}

impl Before {
    fn column(&self, variable: &Variable) -> Option<usize> {
        self.variables.iter().position(|own| own == variable)
    }

    /// The first value of a variable.
    fn value(&self, variable: &Variable) -> Option<&Term> {
        let column = self.column(variable)?;
        self.rows.iter().find_map(|row| row.get(column)?.as_ref())
    }
}

impl Probes<'_> {
    /// Reports that the last condition removes what the others found. Everything before it in the query is taken into
    /// account, so that no solution is shown that another condition has excluded.
    pub(super) fn rejected(&self, core: &[usize], text: &QueryText<'_>) -> Diagnostic {
        let last = core.last().copied().unwrap_or(0);
        let atom = &self.taken.atoms[last];
        let prefix: Vec<usize> = (0..last).collect();
        let before = self.rows(&prefix, MOST_COUNTED).map(|(variables, rows)| Before { variables, rows });
        let n = match before.as_ref().map(|before| before.rows.len()) {
            Some(1) => "the only solution before it".to_owned(),
            Some(n) => format!("all {} before it", some(n)),
            None => "all solutions before it".to_owned(),
        };
        if atom.condition == AtomKind::Minus {
            return Diagnostic::new("minus-removes-all", format!("MINUS takes {n} away")).at(text, text.atom(atom));
        }
        let Some(before) = before.filter(|before| !before.rows.is_empty()) else {
            return Diagnostic::new("filter-rejects-all", format!("this FILTER rejects {n}")).at(text, text.atom(atom));
        };
        let found = self.other_literal(last, &prefix);
        let found = found.or_else(|| self.other_kind(last, &before, &n)).or_else(|| self.other_form(last, &before, &n));
        let diagnostic = found.unwrap_or_else(|| {
            let hint = self.languages(atom, &before).or_else(|| example(self.asked, atom, &before));
            Diagnostic::new("filter-rejects-all", format!("this FILTER rejects {n}")).hint_if(hint)
        });
        diagnostic.at(text, text.atom(atom))
    }

    /// The property has the literal that the filter wants, but in another form.
    fn other_literal(&self, last: usize, prefix: &[usize]) -> Option<Diagnostic> {
        let atom = &self.taken.atoms[last];
        atom.comparisons().into_iter().find_map(|(variable, term)| {
            let Term::Literal(wanted) = term else { return None };
            let guess = of_property(self.asked, self.property_of(prefix, &variable)?, &wanted, true)?;
            let guess = Guess { only: Some(last), ..guess };
            let hint = guess.meant.iter().find_map(|meant| self.proposal(&guess, meant))?;
            Some(guess.diagnostic.hint_if(Some(hint)))
        })
    }

    /// The property whose value a variable is bound to.
    fn property_of(&self, prefix: &[usize], variable: &Variable) -> Option<&NamedNode> {
        prefix.iter().find_map(|at| match &self.taken.atoms[*at].condition {
            AtomKind::Triple {
                predicate: PatternTerm::Term(Term::NamedNode(p)),
                object: PatternTerm::Variable(v),
                ..
            } if v == variable => Some(p),
            _ => None,
        })
    }

    /// The filter compares values of different kinds, which are never equal, less or greater.
    fn other_kind(&self, last: usize, before: &Before, n: &str) -> Option<Diagnostic> {
        self.taken.atoms[last].comparisons().into_iter().find_map(|(variable, written)| {
            let value = before.value(&variable)?;
            let meant = comparable(&written, value)?;
            let (own, other) = (kind_of(self.asked, value), kind_of(self.asked, &written));
            let message = format!("this FILTER rejects {n}: {variable} is {own}, and is compared with {other}");
            let diagnostic = Diagnostic::new("filter-rejects-all", message);
            let guess = Guess { diagnostic, term: written, meant: Vec::new(), otherwise: None, only: Some(last) };
            let hint = self.proposal(&guess, &meant)?;
            Some(guess.diagnostic.hint_if(Some(hint)))
        })
    }

    /// The filter would accept something if it were written differently.
    fn other_form(&self, last: usize, before: &Before, n: &str) -> Option<Diagnostic> {
        let atom = &self.taken.atoms[last];
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        for variable in &atom.variables {
            let Some(value) = before.value(variable).filter(|value| !is_text(value)) else { continue };
            let Some((changed, function)) = self.taken.with_text_of(last, variable) else { continue };
            // The reason is that a value other than a text is searched, whatever a text would give.
            let hint = self.tried(&format!("write `{function}(STR({variable}), …)`"), &changed, &all);
            let own = kind_of(self.asked, value);
            let message = format!("this FILTER rejects {n}: {function} wants a text, and {variable} is {own}");
            let hint = hint.or_else(|| example(self.asked, atom, before));
            return Some(Diagnostic::new("filter-rejects-all", message).hint_if(hint));
        }
        let forms = [
            self.taken.in_any_case(last),
            self.taken.with_language_range(last).map(|(changed, words)| (changed, format!("write `{words}`"))),
        ];
        let hint = forms.into_iter().flatten().find_map(|(changed, words)| self.tried(&words, &changed, &all))?;
        Some(Diagnostic::new("filter-rejects-all", format!("this FILTER rejects {n}")).hint_if(Some(hint)))
    }

    /// The languages that occur, if a filter asks for one.
    fn languages(&self, atom: &Atom, before: &Before) -> Option<String> {
        let variable = atom.languages_of().into_iter().next()?;
        let column = before.column(&variable)?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for row in &before.rows {
            if let Some(Some(Term::Literal(literal))) = row.get(column) {
                let language = literal.language().map_or_else(|| "none".to_owned(), |tag| cased(tag).to_string());
                *counts.entry(language).or_default() += 1;
            }
        }
        let shown: Vec<String> = counts.iter().take(8).map(|(language, n)| format!("{language} ({n})")).collect();
        (!shown.is_empty()).then(|| format!("the languages of {variable} there are {}", shown.join(", ")))
    }
}

/// Whether functions on texts accept the term.
fn is_text(term: &Term) -> bool {
    match term {
        Term::Literal(literal) => literal.language().is_some() || literal.datatype() == oxrdf::vocab::xsd::STRING,
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => false,
    }
}

fn kind_of(asked: &AdviceRequest<'_>, term: &Term) -> String {
    match term {
        Term::NamedNode(_) => "an IRI".to_owned(),
        Term::BlankNode(_) => "a blank node".to_owned(),
        Term::Triple(_) => "a triple".to_owned(),
        Term::Literal(literal) => match literal.language() {
            Some(language) => format!("a text in the language {}", cased(language)),
            None if is_text(term) => "a text".to_owned(),
            None => format!("of the datatype {}", asked.prefixes.display(literal.datatype().as_str())),
        },
    }
}

/// Shows an example of a rejected solution.
fn example(asked: &AdviceRequest<'_>, atom: &Atom, before: &Before) -> Option<String> {
    let row = before.rows.first()?;
    let values: Vec<String> = atom
        .variables
        .iter()
        .map(|variable| {
            let value = before.column(variable).and_then(|column| row.get(column)?.as_ref());
            format!("{variable} is {}", value.map_or_else(|| "unbound".to_owned(), |value| asked.shown(value)))
        })
        .collect();
    (!values.is_empty()).then(|| format!("in one of them {}", values.join(", ")))
}
