//! Renames token by token in Turtle and SPARQL: declarations, prefixed names, IRIs, and names in comments and strings.

use super::Renaming;
use super::mentions::Mentions;
use crate::files::Kept;
use crate::splice::Splices;
use crate::text::{declaration, may_declare, new_words};
use crate::words::{SHACL, Words, prefixed_name};
use kgq_graph::format::is_plain_local;
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::rdf::iri::escaped;
use kgq_syntax::turtle::triples::unescape;
use kgq_syntax::{Token, TokenKind};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Whether the strings of a predicate are queries.
pub fn holds_names(predicate: &str) -> bool {
    predicate.strip_prefix(SHACL).is_some_and(|name| ["select", "ask", "construct", "update"].contains(&name))
}

/// Renames in a text of the project, which may adopt one more prefix.
pub fn rename(kept: &Kept, renaming: &Renaming, prefixes: &Prefixes) -> String {
    let more = renaming.prefixes(prefixes);
    let may = |prefix: &str, namespace: &str| may_declare(kept, prefix, namespace);
    let mut words = new_words(kept, &more, &may);
    words.own = renaming.prefixes(&words.own);
    let mut splices = turtle(&kept.text, &kept.document.tokens, renaming, prefixes, &mut words);
    declaration(kept, &words.needed, &mut splices);
    splices.apply(&kept.text)
}

/// Renames in any text of Turtle or TriG.
pub fn rename_text(text: &str, tokens: &[Token], renaming: &Renaming, prefixes: &Prefixes) -> String {
    let own = declared(text, tokens).into_iter().collect();
    let more = Prefixes::new();
    let mut words = words(renaming.prefixes(&own), &more);
    turtle(text, tokens, renaming, prefixes, &mut words).apply(text)
}

/// Renames in a query. `prefixes` resolve its names; `own` are those that it uses.
pub fn rename_in_query(
    text: &str,
    tokens: &[Token],
    renaming: &Renaming,
    prefixes: &Prefixes,
    own: Prefixes,
) -> String {
    let more = Prefixes::new();
    let mut words = words(renaming.prefixes(&own), &more);
    let is_name = |token: &Token, _: usize| renaming.iri(token.text(text).trim_matches(['"', '\''])).is_some();
    each(text, tokens, renaming, prefixes, &is_name, &mut words).apply(text)
}

fn words(own: Prefixes, more: &Prefixes) -> Words<'_> {
    let (needed, labels) = (BTreeMap::new(), FxHashMap::default());
    Words { own, more, may_declare: &|_, _| false, needed, labels, has_long_strings: true }
}

fn turtle(text: &str, tokens: &[Token], renaming: &Renaming, prefixes: &Prefixes, words: &mut Words<'_>) -> Splices {
    let mut known = prefixes.clone();
    for (prefix, namespace) in declared(text, tokens) {
        known.insert(prefix, namespace);
    }
    let is_query = |_: &Token, at: usize| {
        let verb = tokens[..at].iter().rev().find(|token| !token.is_trivia() && !token.is(text, ","));
        let is_verb = verb.is_some_and(|verb| meaning(text, verb, &known).is_some_and(|iri| holds_names(&iri)));
        let mut next = tokens[at + 1..].iter().filter(|token| !token.is_trivia());
        let is_iri = next.next().is_some_and(|token| token.is(text, "^^"))
            && next.next().is_some_and(|token| meaning(text, token, &known).is_some_and(|iri| iri == ANY_URI));
        is_verb || is_iri
    };
    each(text, tokens, renaming, &known, &is_query, words)
}

const ANY_URI: &str = "http://www.w3.org/2001/XMLSchema#anyURI";

fn declared<'t>(text: &'t str, tokens: &[Token]) -> Vec<(&'t str, String)> {
    let tokens = kgq_syntax::significant(tokens);
    let is_declaration = |w: &&[Token]| {
        let word = w[0].text(text).trim_start_matches('@');
        w[0].kind == TokenKind::Keyword && word.eq_ignore_ascii_case("prefix") && w[2].kind == TokenKind::Iri
    };
    let pair = |w: &[Token]| Some((prefixed_name(text, &w[1])?.0, unescape(w[2].text(text).trim_matches(['<', '>']))));
    tokens.windows(3).filter(is_declaration).filter_map(pair).collect()
}

/// The IRI that a token stands for, if it is an IRI or a prefixed name.
fn meaning(text: &str, token: &Token, prefixes: &Prefixes) -> Option<String> {
    if token.kind == TokenKind::Iri {
        return Some(unescape(token.text(text).trim_matches(['<', '>'])));
    }
    let (prefix, local) = prefixed_name(text, token)?;
    Some(format!("{}{}", prefixes.get(prefix)?, local.replace('\\', "")))
}

/// The new name with the prefix of the old one, if that still fits.
pub fn same_prefix(written: &str, new: &str, prefixes: &Prefixes) -> Option<String> {
    let (prefix, _) = written.split_once(':')?;
    let local = new.strip_prefix(prefixes.get(prefix)?)?;
    is_plain_local(local).then(|| format!("{prefix}:{local}"))
}

/// The replacements in a text. `names` tells of a string token, by its position, whether it contains names.
fn each(
    text: &str,
    tokens: &[Token],
    renaming: &Renaming,
    prefixes: &Prefixes,
    names: &dyn Fn(&Token, usize) -> bool,
    words: &mut Words<'_>,
) -> Splices {
    let mentions = Mentions { renaming, prefixes };
    let moved = renaming.prefixes(prefixes);
    let mut splices = Splices::default();
    for (at, token) in tokens.iter().enumerate() {
        let written = token.text(text);
        let new = match token.kind {
            TokenKind::Iri | TokenKind::PrefixedName => {
                let Some(new) = meaning(text, token, prefixes).and_then(|iri| renaming.iri(&iri)) else { continue };
                let stays = token.kind == TokenKind::PrefixedName
                    && (written.ends_with(':') || meaning(text, token, &moved).as_deref() == Some(new.as_str()));
                match token.kind {
                    _ if stays => continue,
                    TokenKind::Iri => format!("<{}>", escaped(&new)),
                    _ => same_prefix(written, &new, &words.own).unwrap_or_else(|| words.iri(&new)),
                }
            }
            TokenKind::Comment => mentions.rename(written),
            TokenKind::String(_) if names(token, at) => mentions.rename(written),
            _ => continue,
        };
        if new != written {
            splices.replace(token.span(), new);
        }
    }
    splices
}
