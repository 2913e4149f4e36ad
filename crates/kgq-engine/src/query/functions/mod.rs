//! Functions that are called by an IRI. A function that is not computed here would be an error in every row (SPARQL 1.1
//! §17.6), and the result would still look like an answer. So it is refused by name before the query runs, at its place.

mod foreign;
mod known;
mod lower;

pub use known::{Meaning, Native, all, known};
pub use lower::lower;
pub(crate) use lower::lower_update;

use super::Update;
use super::inspect::{Call, calls, calls_of_update};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{NamedNode, Prefixes};
use kgq_syntax::text::nearest;
use kgq_syntax::{Span, Token, TokenKind, significant, sparql, words};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Functions declared by data, such as a shapes graph: for each IRI, how many arguments the function takes.
pub type Declared = BTreeMap<String, RangeInclusive<usize>>;

/// Refuses a query that calls functions which are not computed here.
///
/// # Errors
/// The calls, each at its place.
pub fn refuse_unknown(source: Source<'_>, query: &spargebra::Query, prefixes: &Prefixes) -> Result<()> {
    refuse(source, calls(query), prefixes, &Declared::new())
}

/// Does the same as [`refuse_unknown`], but also accepts declared functions.
///
/// # Errors
/// The calls, each at its place.
pub(crate) fn refuse_undeclared(
    source: Source<'_>,
    query: &spargebra::Query,
    prefixes: &Prefixes,
    declared: &Declared,
) -> Result<()> {
    refuse(source, calls(query), prefixes, declared)
}

/// Does the same as [`refuse_unknown`] for the patterns of an update.
///
/// # Errors
/// The calls, each at its place.
pub fn refuse_unknown_in_update(source: Source<'_>, update: &Update, prefixes: &Prefixes) -> Result<()> {
    refuse(source, calls_of_update(update), prefixes, &Declared::new())
}

/// The most calls that are listed.
const MOST_LISTED: usize = 10;

fn refuse(source: Source<'_>, calls: BTreeSet<Call>, prefixes: &Prefixes, declared: &Declared) -> Result<()> {
    let wrong: BTreeSet<Call> = calls.into_iter().filter(|call| is_wrong(call, declared)).collect();
    let Some(first) = wrong.first() else { return Ok(()) };
    let text = Text::new(source, prefixes);
    let mut errors: Vec<Error> =
        text.places(&wrong).map(|(call, span)| fault(call, &text.prefixes, declared).at(source.place(span))).collect();
    if errors.is_empty() {
        errors.push(fault(first, &text.prefixes, declared));
    }
    Error::all(errors).map_or(Ok(()), Err)
}

/// Whether a call must be refused. A predicate is refused if it is one that only another engine computes.
fn is_wrong(call: &Call, declared: &Declared) -> bool {
    match call.arguments {
        Some(arguments) => takes(call.name.as_str(), declared).is_none_or(|takes| !takes.contains(&arguments)),
        None => foreign::is_property_function(call.name.as_str()),
    }
}

/// Returns how many arguments a function takes; `None` if there is no such function.
fn takes(iri: &str, declared: &Declared) -> Option<RangeInclusive<usize>> {
    known::known(iri).map(|known| known.least..=known.most).or_else(|| declared.get(iri).cloned())
}

/// Returns the error for a refused call.
fn fault(call: &Call, prefixes: &Prefixes, declared: &Declared) -> Error {
    let iri = call.name.as_str();
    let name = prefixes.display(iri);
    if let (Some(takes), Some(arguments)) = (takes(iri, declared), call.arguments) {
        return Error::input(format!("{name} takes {}, not {arguments}", numbered(&takes)));
    }
    let near = near(iri, prefixes, declared);
    match foreign::namespace(iri) {
        Some(namespace) if near.is_none() => {
            let what = if call.arguments.is_some() { "a function" } else { "a property function" };
            Error::input(format!("{name} is {what} of {}, which kgq does not have", namespace.engine))
                .hint_if(foreign::instead(iri).map(|instead| format!("SPARQL 1.1 has `{instead}`")))
        }
        _ => Error::input(format!("there is no function {name}")).hint_if(near),
    }
}

fn numbered(takes: &RangeInclusive<usize>) -> String {
    let words = |n: usize| match n {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        n => format!("{n} arguments"),
    };
    match (*takes.start(), *takes.end()) {
        (least, most) if least == most => words(least),
        (least, usize::MAX) => format!("{} or more", words(least)),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

/// Returns a hint with the name that may have been meant.
fn near(iri: &str, prefixes: &Prefixes, declared: &Declared) -> Option<String> {
    let local = iri.rsplit(['#', '/', ':']).next().unwrap_or(iri);
    let namespace = iri.strip_suffix(local).unwrap_or(iri);
    let others = declared.keys().filter_map(|name| name.strip_prefix(namespace));
    let names = known::of_namespace(namespace).map(|known| known.name).chain(others);
    let near: Vec<String> =
        nearest(local, names, 2).iter().map(|near| prefixes.display(&format!("{namespace}{near}"))).collect();
    let plain = local.replace('-', "");
    let mut own = words::FUNCTIONS.iter().map(|(name, _)| *name);
    let own = match own.clone().find(|name| name.eq_ignore_ascii_case(&plain)) {
        Some(name) if foreign::namespace(iri).is_none() => Some(name),
        // A short name is similar to anything, and a name of another engine is no typing error.
        _ if !near.is_empty() || plain.len() < 5 || foreign::namespace(iri).is_some() => None,
        _ => nearest(&plain, &mut own, 1).first().copied(),
    };
    match own {
        Some(name) => Some(format!("did you mean `{name}`? SPARQL's own functions are written without a prefix")),
        None if near.is_empty() => None,
        None => Some(format!("did you mean `{}`?", near.join("` or `"))),
    }
}

/// A query text, with its names resolved.
struct Text<'a> {
    source: Source<'a>,
    tokens: Vec<Token>,
    /// The prefixes known before, and those that the text declares.
    prefixes: Prefixes,
}

impl<'a> Text<'a> {
    fn new(source: Source<'a>, known: &Prefixes) -> Self {
        let tokens = significant(&sparql::tokenize(source.text));
        let mut prefixes = known.clone();
        for declaration in sparql::prefixes_declared(source.text, &tokens) {
            prefixes.insert(declaration.prefix, declaration.iri);
        }
        Self { source, tokens, prefixes }
    }

    /// Returns the places of the first few calls: a name before its bracket, or a predicate anywhere.
    fn places<'c>(&'c self, calls: &'c BTreeSet<Call>) -> impl Iterator<Item = (&'c Call, Span)> {
        let mut seen = BTreeSet::new();
        let found = self.tokens.iter().enumerate().filter_map(move |(at, token)| {
            let name = self.names(token)?;
            let bracket = self.tokens.get(at + 1).is_some_and(|next| next.is(self.source.text, "("));
            let start = Call { name: name.clone(), arguments: None };
            let mut named = calls.range(start..).take_while(|call| call.name == name);
            let call = named.find(|call| (bracket || call.arguments.is_none()) && !seen.contains(*call))?;
            seen.insert(call);
            Some((call, token.span()))
        });
        found.take(MOST_LISTED)
    }

    fn names(&self, token: &Token) -> Option<NamedNode> {
        let written = token.text(self.source.text);
        match token.kind {
            TokenKind::Iri => NamedNode::new(written.trim_matches(['<', '>'])).ok(),
            TokenKind::PrefixedName => self.prefixes.expand(written),
            _ => None,
        }
    }
}
