//! Explains, with the place, what oxjsonld refuses in a document without saying where.

use super::json_places::{Entry, JsonValue, Spanned};
use kgq_syntax::Span;
use kgq_syntax::error::{Error, Place, Source};
use std::collections::BTreeMap;

/// The end of the message about a context that is not available.
pub const NOT_AT_HAND: &str = ": it is not at hand";

/// The place of a span in a document's text.
pub fn place(name: &str, text: &[u8], span: Span) -> Place {
    std::str::from_utf8(text).map_or_else(|_| Place::new(name, 1, 1), |text| Source::new(name, text).place(span))
}

/// The error for one of oxjsonld's messages, if it is one that needs better words or a place.
pub fn of(name: &str, text: &[u8], message: &str) -> Option<Error> {
    let tree = || Spanned::parse(text).ok();
    let placed = |error: Error, span: Option<Span>| error.at(place(name, text, span.unwrap_or(0..0)));
    let unknown = message.split_once("Failed to load remote context ");
    if let Some((address, _)) = unknown.and_then(|(_, rest)| rest.split_once(NOT_AT_HAND)) {
        let why = if address.starts_with("file:") {
            "is in another file, which kgq does not read unasked"
        } else {
            "is on the network, and kgq makes no network request"
        };
        let error = Error::policy(format!("the context <{address}> {why}"));
        let hint =
            format!("fetch it and name the file with `--context {address}=FILE`, or in kgq.toml below `[contexts]`");
        return Some(placed(error.hint(hint), tree().and_then(|tree| address_of_context(&tree, address))));
    }
    if message.contains("Inconsistent expansion of") {
        // If there are several such terms, the one that oxjsonld names changes from run to run.
        let error = Error::input("a term of the context looks like a compact IRI, and its `@id` gives it another one");
        let hint = "let the term's `@id` be what its prefix and name make, or choose a name without a colon";
        return Some(placed(error.hint(hint), tree().and_then(|tree| inconsistent_term(&tree))));
    }
    if message.contains("@type must be the first key") {
        let error = Error::input("kgq reads a node's `@type` only if no keys but `@context` and `@id` come before it");
        return Some(placed(error.hint("put `@type` first"), tree().and_then(|tree| late_type(&tree))));
    }
    None
}

/// The place of a term that has a context of its own.
pub fn first_scoped(tree: &Spanned) -> Option<Span> {
    let mut found = None;
    each_definition(tree, &mut |_, entry| {
        let has_own = entry.value.as_object().is_some_and(|entries| entries.iter().any(|own| own.key == "@context"));
        if has_own {
            found.get_or_insert(entry.key_span.clone());
        }
    });
    found
}

/// Calls `f` for each term definition in a context, with all definitions of that context.
fn each_definition<'t>(tree: &'t Spanned, f: &mut dyn FnMut(&'t [Entry], &'t Entry)) {
    tree.each(&mut |value| {
        let contexts = value.as_object().unwrap_or_default().iter().filter(|entry| entry.key == "@context");
        for terms in contexts.flat_map(|entry| entry.value.items()).filter_map(Spanned::as_object) {
            terms.iter().for_each(|entry| f(terms, entry));
        }
    });
}

/// The string that names a context by its address, or that the address ends with.
fn address_of_context(tree: &Spanned, address: &str) -> Option<Span> {
    let mut found = None;
    tree.each(&mut |value| {
        let contexts = value.as_object().unwrap_or_default().iter().filter(|entry| entry.key == "@context");
        for named in contexts.flat_map(|entry| entry.value.items()) {
            if let Some(text) = named.as_text().filter(|text| address.ends_with(text.trim_start_matches("./"))) {
                found.get_or_insert((named.span.clone(), text));
            }
        }
    });
    found.map(|(span, _)| span)
}

/// The first term with a colon whose `@id` differs from what its prefix and name make.
fn inconsistent_term(tree: &Spanned) -> Option<Span> {
    let mut found = None;
    each_definition(tree, &mut |terms, entry| {
        let prefixes: BTreeMap<&str, &str> =
            terms.iter().filter_map(|entry| Some((entry.key.as_str(), id(entry)?))).collect();
        let whole = |name: &str| match name.split_once(':') {
            Some((prefix, rest)) if !rest.starts_with("//") => {
                prefixes.get(prefix).map_or_else(|| name.to_owned(), |start| format!("{start}{rest}"))
            }
            _ => name.to_owned(),
        };
        let is_inconsistent = entry.key.contains(':') && id(entry).is_some_and(|id| whole(id) != whole(&entry.key));
        if is_inconsistent {
            found.get_or_insert(entry.key_span.clone());
        }
    });
    found
}

fn id(definition: &Entry) -> Option<&str> {
    let value = &definition.value;
    let id = || value.as_object()?.iter().find(|entry| entry.key == "@id")?.value.as_text();
    value.as_text().or_else(id)
}

/// The first `@type` that comes after other keys of its node.
fn late_type(tree: &Spanned) -> Option<Span> {
    let mut aliases = vec!["@type"];
    each_definition(tree, &mut |_, entry| {
        if id(entry) == Some("@type") {
            aliases.push(&entry.key);
        }
    });
    let mut found = None;
    find_late_type(tree, &aliases, &mut found);
    found
}

fn find_late_type(value: &Spanned, aliases: &[&str], found: &mut Option<Span>) {
    let entries = match &value.value {
        JsonValue::Scalar(_) => return,
        JsonValue::Array(items) => return items.iter().for_each(|item| find_late_type(item, aliases, found)),
        JsonValue::Object(entries) => entries,
    };
    let first = |entry: &&Entry| matches!(entry.key.as_str(), "@context" | "@id") || aliases.contains(&&*entry.key);
    let late = entries.iter().skip_while(first).find(|entry| aliases.contains(&&*entry.key));
    if let Some(late) = late {
        found.get_or_insert(late.key_span.clone());
    }
    // Term definitions have types of their own.
    let inner = entries.iter().filter(|entry| entry.key != "@context");
    inner.for_each(|entry| find_late_type(&entry.value, aliases, found));
}
