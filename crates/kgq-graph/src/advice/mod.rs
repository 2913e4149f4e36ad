//! What is said about a query besides its answer: likely mistakes, and why the answer is empty.
//!
//! Diagnostics are errors that stop nothing. They have a place in the query's text, a code, and often a suggestion.

mod budget;
mod empty;
mod incomparable;
mod missing;
mod names;
mod place;
mod silence;
mod terms;

pub use budget::Allowance;
pub use missing::{Lack, Removal, Wanted};

use crate::project::SilenceSettings;
use budget::MOST_DIAGNOSTICS;
use kgq_engine::query::expected::Expectation;
use kgq_engine::query::{self, Query};
use kgq_engine::{EvaluationOptions, Failures};
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::rdf::language::written;
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Term, Variable};
use kgq_syntax::text::visible;
use oxrdf::vocab::xsd;
use place::QueryText;

/// The code of the diagnostic that there are no data at all.
pub(crate) const EMPTY_DATASET: &str = "empty-dataset";

/// A remark with its code.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub code: &'static str,
    pub error: Error,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static str, message: impl std::fmt::Display) -> Self {
        // An input error, in case the user turns diagnostics into errors: the query is at fault.
        Self { code, error: Error::new(Kind::Input, format!("{message} [{code}]")) }
    }

    #[must_use]
    fn hint_if(mut self, hint: Option<String>) -> Self {
        self.error = self.error.hint_if(hint);
        self
    }

    #[must_use]
    fn at(mut self, text: &QueryText<'_>, span: Option<std::ops::Range<usize>>) -> Self {
        self.error = self.error.at(text.source.place(span.unwrap_or_else(|| text.pattern())));
        self
    }
}

/// Returns the diagnostic on expressions that failed during evaluation.
pub fn failed(failures: &Failures) -> Option<Diagnostic> {
    let (count, reason) = failures.told()?;
    // An expression that is evaluated once for equal rows is counted once.
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times, for example") };
    let diagnostic =
        Diagnostic::new("expression-failed", format!("an expression gave no value at least {times}: {reason}"));
    Some(diagnostic.hint_if(Some("COALESCE(…, …) gives a value to use instead, without this warning".into())))
}

/// A query with everything known about the graph that it is evaluated on.
#[derive(Clone, Copy)]
pub struct AdviceRequest<'a> {
    pub source: Source<'a>,
    pub query: &'a Query,
    pub snapshot: &'a Snapshot,
    pub prefixes: &'a Prefixes,
    /// Cancelling their budget stops the queries that advice evaluates.
    pub options: &'a EvaluationOptions,
    pub budget: &'a Allowance,
}

/// Keeps at most [`MOST_DIAGNOSTICS`], and says how many more there are.
fn with_more(mut diagnostics: Vec<Diagnostic>, more: usize) -> Vec<Diagnostic> {
    let more = more + diagnostics.len().saturating_sub(MOST_DIAGNOSTICS);
    diagnostics.truncate(MOST_DIAGNOSTICS);
    if more > 0
        && let Some(last) = diagnostics.pop()
    {
        diagnostics.push(last.hint_if(Some(format!("and {more} more"))));
    }
    diagnostics
}

impl<'a> AdviceRequest<'a> {
    /// Returns likely mistakes, to be shown before the query runs.
    pub fn mistakes(&self) -> Vec<Diagnostic> {
        let text = self.text();
        let misspelt = text.variables_used_once(self.budget);
        let is_misspelt = |v: &Variable| misspelt.iter().any(|(name, _, _)| name == v.as_str());
        let lints = query::lint::lint(self.query, self.budget.of_search());
        let said: Vec<Variable> =
            lints.iter().filter(|lint| lint.code != "used-once").filter_map(|lint| lint.variable.clone()).collect();
        let lints: Vec<query::lint::Lint> = lints
            .into_iter()
            // The diagnostic with the similar name is more helpful.
            .filter(|lint| lint.code != "used-once" || !lint.variable.as_ref().is_some_and(is_misspelt))
            .filter(|lint| !lint.variable.as_ref().is_some_and(|v| text.is_parameter(v.as_str())))
            .filter(|lint| lint.if_several.as_ref().is_none_or(|property| self.has_several(property)))
            .collect();
        // Diagnostics on a variable already contain its similar name.
        let misspelt: Vec<_> =
            misspelt.into_iter().filter(|(name, _, _)| said.iter().all(|v| v.as_str() != name)).collect();
        let more = (lints.len() + misspelt.len()).saturating_sub(MOST_DIAGNOSTICS);
        let mut diagnostics: Vec<Diagnostic> = lints
            .into_iter()
            .take(MOST_DIAGNOSTICS)
            .map(|lint| {
                let name = lint.variable.as_ref().map(Variable::as_str);
                let (span, hint) = match (lint.code, name) {
                    ("having-alias", Some(name)) => (
                        text.variable_behind("HAVING", name),
                        text.expression_named(name)
                            .map(|written| format!("write `{written}` in place of ?{name}"))
                            .or(lint.hint),
                    ),
                    ("out-of-scope", Some(name)) => (text.variable_out_of_scope(name), lint.hint),
                    ("unbounded-path", Some(name)) => {
                        (text.path_to(name).or_else(|| text.last_variable(name)), lint.hint)
                    }
                    (_, name) => (name.and_then(|name| text.last_variable(name)), lint.hint),
                };
                let hint = hint.map(|hint| self.with_curies(&hint));
                Diagnostic::new(lint.code, lint.message).at(&text, span).hint_if(hint)
            })
            .collect();
        diagnostics.extend(misspelt.into_iter().take(MOST_DIAGNOSTICS - diagnostics.len()).map(
            |(name, span, near)| {
                Diagnostic::new("used-once", format!("?{name} occurs only here"))
                    .at(&text, Some(span))
                    .hint_if(Some(format!("did you mean `?{near}`?")))
            },
        ));
        with_more(diagnostics, more)
    }

    /// Returns diagnostics on terms that the graph does not know, or not in the position where the query uses them.
    pub fn unknown_terms(&self) -> Vec<Diagnostic> {
        terms::told(self, &self.text())
    }

    /// Returns diagnostics on values of other types that comparisons leave out.
    pub fn incomparable(&self) -> Vec<Diagnostic> {
        with_more(incomparable::incomparable(self, &self.text()), 0)
    }

    /// Returns why nothing was found. All suggestions were tried.
    pub fn why_empty(&self) -> Vec<Diagnostic> {
        empty::why(self, &self.text())
    }

    /// Returns what removes an expected row with these values: the first condition that removes all such rows. `None`
    /// if every condition lets some pass.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn removal(&self, expected: &[Expectation]) -> Result<Option<Removal>> {
        missing::removal(self, expected, &self.text())
    }

    /// Returns what the graph says is not stated, as far as the query asks for it.
    pub fn not_stated(&self, settings: &SilenceSettings) -> Vec<Diagnostic> {
        silence::silences(self, settings, &self.text())
    }

    fn text(&self) -> QueryText<'a> {
        QueryText::new(self.source, self.prefixes)
    }

    fn has_several(&self, property: &NamedNode) -> bool {
        let Some(id) = self.snapshot.id(property.as_ref().into()) else { return false };
        [self.snapshot.statistics(), self.snapshot.quad_statistics()].iter().any(|statistics| {
            let p = statistics.predicate(id);
            p.rows > p.distinct_subjects
        })
    }

    fn curie(&self, iri: &NamedNode) -> String {
        self.prefixes.display(iri.as_str())
    }

    /// Formats a term as it would be written in a query.
    fn shown(&self, term: &Term) -> String {
        match term {
            Term::NamedNode(iri) => self.curie(iri),
            Term::Literal(literal) if is_bare(literal) => literal.value().to_owned(),
            term => {
                let text = written(term).to_string();
                match text.split_once("^^<") {
                    Some((value, datatype)) => {
                        let datatype = self.prefixes.display(datatype.trim_end_matches('>'));
                        visible(&format!("{value}^^{datatype}")).into_owned()
                    }
                    None => visible(&text).into_owned(),
                }
            }
        }
    }

    /// Shortens the IRIs in angle brackets in a text.
    fn with_curies(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, iri, after)) = rest
            .split_once('<')
            .and_then(|(before, after)| after.split_once('>').map(|(iri, after)| (before, iri, after)))
        {
            out.push_str(before);
            out.push_str(&self.prefixes.display(iri));
            rest = after;
        }
        out + rest
    }
}

/// Whether a literal can be written without quotes.
pub(crate) fn is_bare(literal: &Literal) -> bool {
    let text = literal.value();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match literal.datatype() {
        xsd::INTEGER => digits(unsigned),
        xsd::DECIMAL => unsigned.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part)),
        xsd::BOOLEAN => matches!(text, "true" | "false"),
        _ => false,
    }
}

/// Returns the codes of all diagnostics with their meanings.
pub fn codes() -> Vec<(&'static str, &'static str)> {
    let own = [
        ("not-stated", "the graph says that its source does not state this"),
        ("unknown-term", "the graph does not have this term at all"),
        ("unknown-property", "the graph has no statement with this property"),
        ("unknown-class", "nothing in the graph is of this class"),
        ("class-as-property", "a class stands where a property is expected"),
        ("property-as-class", "a property stands where a class is expected"),
        ("unknown-graph", "the dataset has no graph of this name"),
        ("in-named-graph", "what is asked for stands in a named graph, which the query does not look at"),
        ("in-default-graph", "what is asked for in a named graph stands in the default graph"),
        ("literal-language", "the data have this text with another language tag, or with none"),
        ("literal-datatype", "the data have this value with another datatype"),
        ("literal-case", "the data have this text in other case"),
        ("unknown-literal", "the data do not have this literal"),
        ("outside-of-dataset", "FROM and FROM NAMED leave out the graph in which this is matched"),
        ("reversed", "nothing is found, and something would be the other way round"),
        ("not-of-class", "no member of the class has the property"),
        ("literal-as-subject", "a value that is a text or a number is asked for its properties"),
        ("no-match", "a pattern that has no solution by itself"),
        ("no-common-solution", "patterns that each have solutions, but none together"),
        ("filter-rejects-all", "every solution is rejected by a FILTER"),
        ("minus-removes-all", "every solution is taken away by MINUS"),
        ("having-rejects-all", "every group is rejected by HAVING"),
        ("limit-zero", "the query asks for no rows"),
        ("offset-beyond", "OFFSET passes over all rows"),
        ("empty-dataset", "there are no data"),
        ("incomparable", "a property has values of a type that a comparison in a FILTER leaves out"),
        ("not-there", "the graph does not have a statement that DELETE DATA names"),
        (
            "expression-failed",
            "an expression gave no value: a computed pattern is wrong, a text is no number that it is cast to or added to, a number is divided by zero",
        ),
        (
            "template-unbound",
            "the template of CONSTRUCT needs what no solution binds, or binds to what cannot stand there",
        ),
    ];
    query::lint::CODES.iter().copied().chain(own).collect()
}
