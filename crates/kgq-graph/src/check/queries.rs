//! Canned queries: whether they parse, whether header and text agree on the parameters, and whether the graph has the
//! terms they use.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::subject::Subject;
use super::{Check, Explanation};
use crate::catalog::{CannedQuery, Param, ParameterContext, ScalarOrList, Values};
use kgq_engine::query::functions::refuse_unknown;
use kgq_engine::query::{Position, Query, parse_query, used_terms, variables, wanted_terms};
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Place, Result};
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, Prefixes};
use kgq_syntax::text::{did_you_mean, nearest};
use kgq_syntax::{self as syntax, Span, TokenKind};
use std::cell::OnceCell;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "query-syntax",
            finds: "a canned query that does not parse, or whose header is not right",
            why: "nobody can run it",
            mend: "mend what the message names",
        },
        Explanation {
            code: "not-a-query",
            finds: "an executable of SHACL among the canned queries that is an update",
            why: "`kgq run` answers and changes nothing, so it passes the update over",
            mend: "nothing has to be done; to run it, write its text to a file for `kgq update`",
        },
        Explanation {
            code: "unknown-function",
            finds: "a function in a canned query that is called by an IRI and that kgq does not have",
            why: "it would be an error in every row, so the query cannot be run",
            mend: "correct the name, or write it with SPARQL's own functions; the hint says how",
        },
        Explanation {
            code: "undeclared-parameter",
            finds: "a `$name` in a canned query that its header does not declare",
            why: "it cannot be given a value, so it is a plain variable that looks like a parameter",
            mend: "declare it under `params` in the header, or write `?name`",
        },
        Explanation {
            code: "unused-parameter",
            finds: "a parameter in the header of a canned query that the query does not mention",
            why: "whoever gives it a value gets the same answer as without it",
            mend: "use it in the query, or remove it from the header",
        },
        Explanation {
            code: "parameter-value",
            finds: "a parameter in the header of a canned query whose type does not exist, or whose default or example does not \
                    have that type or is not among the things that it allows",
            why: "the query fails when it is run with its defaults, or as its help shows",
            mend: "correct the header; the hint says what is allowed",
        },
        Explanation {
            code: "header-key",
            finds: "a key in the header of a canned query that grlc knows and that has no meaning here, such as mime or method",
            why: "it has no effect",
            mend: "nothing has to be done; a query that is run by both keeps it",
        },
        Explanation {
            code: "unknown-column",
            finds: "a column described in the header of a canned query that the query does not select",
            why: "it describes something that does not exist; most often the name is misspelt",
            mend: "correct the name, or remove the description",
        },
        Explanation {
            code: "unknown-term",
            finds: "an IRI in a canned query that no statement of the project holds. Queries for another server are passed over \
                    (`#+ endpoint`, SERVICE); the project's rules, NOT EXISTS, MINUS and negated conditions look for what need \
                    not be there, so in them only a name close to another is reported, as a warning",
            why: "the pattern that has it can match nothing: the query answers less than it should, or nothing, with success",
            mend: "correct the name; the hint lists similar names",
        },
    ],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    for (_, error) in &subject.catalog.broken {
        report.findings.push(Finding::from_error("query-syntax", "queries", error));
    }
    for (_, why) in &subject.catalog.passed_over {
        let finding = Finding::from_error("not-a-query", "queries", why);
        report.findings.push(Finding { severity: Severity::Note, ..finding });
    }
    if subject.catalog.queries.is_empty() {
        return Ok(());
    }
    // Made only when a query uses a term that the graph does not have.
    let names = OnceCell::new();
    let known_terms = KnownTerms { subject };
    for query in &subject.catalog.queries {
        parameters(query, report);
        if let keys @ [_, ..] = &query.header.without_meaning()[..] {
            let message = format!("the header's {} has no meaning here: it is passed over", keys.join(", "));
            let place = place_of_name(query, keys[0]);
            report.findings.push(Finding::new(Severity::Note, "header-key", place, message));
        }
        let source = query.source();
        let parsed = match parse_query(source, subject.parse_context()) {
            Ok(parsed) => parsed,
            Err(error) => {
                let errors = std::iter::once(&error).chain(error.others());
                report.findings.extend(errors.map(|e| Finding::from_error("query-syntax", &query.file, e)));
                continue;
            }
        };
        if let Err(error) = refuse_unknown(source, &parsed.algebra, &subject.prefixes) {
            let errors = std::iter::once(&error).chain(error.others());
            report.findings.extend(errors.map(|e| Finding::from_error("unknown-function", &query.file, e)));
        }
        mentions(query, &parsed, report);
        // The terms may be in a file that does not parse, or on another server.
        if !subject.is_whole() || query.endpoint().is_some() {
            continue;
        }
        values(query, &parsed, &known_terms, report);
        let wanted: BTreeSet<NamedNode> = wanted_terms(&parsed.algebra).into_iter().map(|term| term.iri).collect();
        for term in used_terms(&parsed.algebra) {
            let asked_for = term.position != Position::Function && !is_datatype(&term.iri);
            if asked_for && !subject.occurs(&term.iri) {
                let must_be_there = !query.is_check() && wanted.contains(&term.iri);
                let names = names.get_or_init(|| names_of(subject));
                report.findings.extend(unknown_term(subject, query, &term.iri, names, must_be_there));
            }
        }
    }
    Ok(())
}

/// Datatypes occur in queries as arguments of functions and casts, so no statement need contain them.
fn is_datatype(iri: &NamedNode) -> bool {
    iri.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
}

fn parameters(query: &CannedQuery, report: &mut Report) {
    let text = &query.text;
    let header = &query.header;
    // In SHACL `$x` is only another spelling of `?x`.
    if query.is_executable() && header.params.is_empty() {
        return;
    }
    let mut seen = BTreeSet::new();
    for (name, span) in syntax::sparql::parameters(text, &syntax::sparql::tokenize(text)) {
        let declared = header.params.iter().any(|(key, param)| param.variables(key).iter().any(|(v, _)| *v == name));
        if declared || !seen.insert(name) {
            continue;
        }
        let message = format!("`${name}` is not among the parameters of the header");
        let declared = header.params.keys().map(String::as_str);
        let hint =
            did_you_mean(name, declared).unwrap_or_else(|| format!("declare it under `params`, or write `?{name}`"));
        let place = query.source().place(span);
        report.findings.push(Finding::error("undeclared-parameter", place, message).hint(hint));
    }
}

fn mentions(query: &CannedQuery, parsed: &Query, report: &mut Report) {
    let header = &query.header;
    let variables: BTreeSet<String> = variables(&parsed.algebra).iter().map(|v| v.as_str().to_owned()).collect();
    let slices = |name: &String| [&header.limit, &header.offset].into_iter().flatten().any(|n| n == name);
    let unused = |(name, param): &(&String, &Param)| {
        !slices(name) && !param.variables(name).iter().any(|(variable, _)| variables.contains(*variable))
    };
    for (name, _) in header.params.iter().filter(unused) {
        let message = format!("the query does not mention the parameter `{name}`");
        let hint = did_you_mean(name, variables.iter().map(String::as_str));
        report.findings.push(Finding::error("unused-parameter", place_of_name(query, name), message).hint_if(hint));
    }
    for name in header.columns.keys().filter(|name| !variables.contains(*name)) {
        let message = format!("the query has no column `{name}`");
        let hint = did_you_mean(name, variables.iter().map(String::as_str));
        report.findings.push(Finding::warning("unknown-column", place_of_name(query, name), message).hint_if(hint));
    }
}

/// Binds the defaults, then the examples, as running the query would.
fn values(query: &CannedQuery, parsed: &Query, known: &KnownTerms<'_, '_>, report: &mut Report) {
    let given = |of: fn(&Param) -> Option<&ScalarOrList>| {
        let params = query.header.params.iter().map(|(name, param)| (name, param, of(param)));
        let required = |(_, param, value): &(&String, &Param, Option<&ScalarOrList>)| param.required && value.is_none();
        let values: Vec<_> = params.collect();
        if values.iter().any(required) {
            return None;
        }
        let texts = values.into_iter().flat_map(|(name, _, value)| {
            let texts = value.map(ScalarOrList::texts).unwrap_or_default();
            texts.into_iter().map(move |text| (name.clone(), text))
        });
        Some(Values::from_pairs(texts.collect::<Vec<_>>()))
    };
    for (name, param) in &query.header.params {
        if let Err(error) = query.kind(name, param, known) {
            let mut finding = Finding::from_error("parameter-value", &query.file, &error);
            finding.place = place_of_name(query, name);
            report.findings.push(finding);
            return;
        }
    }
    let defaults = given(|param| param.default.as_ref());
    let examples = given(|param| param.example.as_ref().or(param.default.as_ref()));
    for values in [defaults, examples].into_iter().flatten() {
        if let Err(error) = query.apply(&mut parsed.clone(), &values, known) {
            let name = error.message().split('`').nth(1).unwrap_or_default();
            let mut finding = Finding::from_error("parameter-value", &query.file, &error);
            finding.place = place_of_name(query, name);
            report.findings.push(finding);
            return;
        }
    }
}

/// The terms in the files, against which parameter values are checked.
struct KnownTerms<'s, 'p> {
    subject: &'s Subject<'p>,
}

/// The display names of all IRIs in the graph.
fn names_of(subject: &Subject<'_>) -> BTreeSet<String> {
    let iris = subject.snapshot().kind_range(TermKind::Iri).filter_map(|id| subject.iri(TermId::new(id)));
    iris.map(|iri| subject.prefixes.display(iri.as_str())).collect()
}

impl ParameterContext for KnownTerms<'_, '_> {
    fn prefixes(&self) -> &Prefixes {
        &self.subject.prefixes
    }

    fn snapshot(&self) -> &Snapshot {
        self.subject.snapshot()
    }

    fn budget(&self) -> &Budget {
        &self.subject.options.budget
    }

    fn contains(&self, term: &NamedNode) -> bool {
        self.subject.occurs(term)
    }

    fn members(&self, class: &NamedNode) -> Vec<NamedNode> {
        let subject = self.subject;
        let with = |predicate: NamedNodeRef<'static>, class: TermId| {
            let pattern = subject.id(predicate).map(|predicate| [None, Some(predicate), Some(class)]);
            let found = pattern.into_iter().flat_map(|pattern| subject.snapshot().find_ids(pattern));
            found.map(|[member, ..]| member)
        };
        let mut classes: Vec<TermId> = subject.id(class.as_ref()).into_iter().collect();
        let mut at = 0;
        let mut members = BTreeSet::new();
        while let Some(class) = classes.get(at).copied() {
            at += 1;
            for narrower in with(rdfs::SUB_CLASS_OF, class) {
                if !classes.contains(&narrower) {
                    classes.push(narrower);
                }
            }
            members.extend(with(rdf::TYPE, class).filter_map(|member| subject.iri(member)));
        }
        members.into_iter().collect()
    }
}

/// Where the header mentions this name; for a query without a header, its start.
fn place_of_name(query: &CannedQuery, name: &str) -> Place {
    let mut start = 0;
    for line in query.text.split_inclusive('\n') {
        let key = line.trim_start().strip_prefix("#+").and_then(|rest| rest.split(':').next()).map(str::trim);
        if key == Some(name)
            && let Some(at) = line.find(name)
        {
            return query.source().place(start + at..start + at + name.len());
        }
        start += line.len();
    }
    query.source().place(0..0)
}

fn unknown_term(
    subject: &Subject<'_>,
    query: &CannedQuery,
    iri: &NamedNode,
    known: &BTreeSet<String>,
    must_be_there: bool,
) -> Option<Finding> {
    let span = span_of(&query.text, iri, &subject.prefixes).unwrap_or(0..0);
    let name = subject.prefixes.display(iri.as_str());
    let near = nearest(&name, known.iter().map(String::as_str), 2);
    let hint = (!near.is_empty()).then(|| format!("did you mean `{}`?", near.join("` or `")));
    let message = format!("the graph has no {name}");
    let severity = match (must_be_there, &hint) {
        (true, _) => Severity::Error,
        (false, Some(_)) => Severity::Warning,
        (false, None) => return None,
    };
    Some(Finding::new(severity, "unknown-term", query.source().place(span), message).about(iri).hint_if(hint))
}

/// Where an IRI appears in a query, in full or as a prefixed name.
fn span_of(text: &str, iri: &NamedNode, prefixes: &Prefixes) -> Option<Span> {
    let tokens = syntax::sparql::tokenize(text);
    let mut known = prefixes.clone();
    let declarations = syntax::sparql::prefixes_declared(text, &tokens);
    for declaration in &declarations {
        known.insert(declaration.prefix, declaration.iri);
    }
    let mut tokens = tokens.iter().filter(|t| !declarations.iter().any(|d| d.span.contains(&t.start)));
    let found = tokens.find(|token| match token.kind {
        TokenKind::Iri => token.text(text).trim_matches(['<', '>']) == iri.as_str(),
        TokenKind::PrefixedName => known.expand(token.text(text)).as_ref() == Some(iri),
        TokenKind::Keyword => token.text(text) == "a" && *iri == oxrdf::vocab::rdf::TYPE,
        _ => false,
    });
    found.map(|token| token.span())
}
