//! Checks that links lead somewhere: in the statements of the graph before pages are made, and in every page as it is made.

use super::folder::Paths;
use super::html::MISSING;
use super::indexing::Making;
use super::model::Model;
use super::reads::{MOST_IN_ORDER, id_of, node_of, sort};
use kgq_snapshot::{Ids, Snapshot, TermId, TermKind};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad};
use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::LazyCell;

/// The maximum number of broken links in one message.
const MOST: usize = 20;

/// What is named and not described, with the triple terms within which it is.
type Undescribed = (Vec<TermId>, FxHashMap<TermId, Vec<TermId>>);

/// What is named in the site's own namespace and is the subject of no statement, sorted: as a property, an object, a part of a quoted
/// triple, or the name of a graph. With it, for each that is within quoted triples, these.
pub fn undescribed(snapshot: &Snapshot, base: &str, making: &mut Making) -> Result<Undescribed> {
    if base.is_empty() {
        return Ok(Default::default());
    }
    let own = snapshot.iris_beginning_with(base);
    let itself = id_of(snapshot, base);
    let described = |id: TermId| snapshot.has([Some(id), None, None]);
    let mut within: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    for triple in snapshot.kind_range(TermKind::Triple).map(TermId::new) {
        making.step()?;
        for node in parts(snapshot, triple) {
            if own.contains(&node.get()) && Some(node) != itself && !described(node) {
                let triples = within.entry(node).or_default();
                if triples.last() != Some(&triple) {
                    making.push(triples, triple)?;
                }
            }
        }
    }
    let is_stub = |id: &TermId| {
        let is_named = || {
            within.contains_key(id)
                || snapshot.has([None, None, Some(*id)])
                || snapshot.has([None, Some(*id), None])
                || snapshot.named_graphs().binary_search(id).is_ok()
        };
        Some(*id) != itself && !described(*id) && is_named()
    };
    let mut stubs = Vec::new();
    for id in own.clone().map(TermId::new) {
        making.step()?;
        if is_stub(&id) {
            making.push(&mut stubs, id)?;
        }
    }
    Ok((stubs, within))
}

/// What a triple term is made of, triples within it taken apart.
fn parts(snapshot: &Snapshot, triple: TermId) -> Vec<TermId> {
    let mut found = Vec::new();
    let mut next = Some(triple);
    while let Some([subject, predicate, object]) = next.and_then(|triple| snapshot.triple_components(triple)) {
        found.extend([predicate, subject, object]);
        next = (snapshot.kind(object) == TermKind::Triple).then_some(object);
    }
    found
}

/// The first statements that have this as their property or are about a quoted triple that it is within.
pub fn naming(snapshot: &Snapshot, node: TermId, within: &[TermId]) -> Vec<Ids> {
    let as_property = snapshot.find_ids([None, Some(node), None]);
    let quoted = within.iter().flat_map(|triple| snapshot.find_ids([None, None, Some(*triple)]));
    // One may do both.
    let quoted = quoted.filter(|[_, predicate, ..]| *predicate != node);
    let mut found: Vec<Ids> = as_property.chain(quoted).take(MOST_IN_ORDER).collect();
    sort(snapshot, &mut found);
    found.truncate(MOST_MENTIONS);
    found
}

/// Refuses a graph that names things below the base without describing them. Names of graphs need no description.
pub fn check_graph(model: &Model<'_>) -> Result<()> {
    let snapshot = model.source.snapshot;
    let names_graph = |id: &TermId| snapshot.named_graphs().binary_search(id).is_ok();
    let lacking: FxHashSet<TermId> = model.stubs.iter().copied().filter(|id| !names_graph(id)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let mut missing: Vec<Error> = Vec::new();
    let mut properties: FxHashSet<TermId> = FxHashSet::default();
    let mut count = 0usize;
    let order = snapshot.file_order(model.budget)?;
    for statement in snapshot.in_file_order(&order) {
        let [_, predicate, object, graph] = statement;
        let quoted = if snapshot.kind(object) == TermKind::Triple { parts(snapshot, object) } else { Vec::new() };
        for node in [predicate, object].into_iter().chain(quoted).chain([graph]) {
            // A property is reported once, not with every statement.
            if !lacking.contains(&node) || node == predicate && !properties.insert(node) {
                continue;
            }
            count += 1;
            if missing.len() < MOST
                && let (Some(node), Some(quad)) = (node_of(snapshot, node), snapshot.statement(statement))
            {
                missing.push(broken(model, &node, &quad));
            }
        }
    }
    let more = count.saturating_sub(missing.len());
    match Error::all(missing) {
        None => Ok(()),
        Some(error) => Err(error
            .hint("say what the thing is, at least its `rdf:type` or a label; or mend the statement")
            .hint("without `--strict` it gets a page that says that it is not described")
            .hint_if((more > 0).then(|| format!("{more} more statements lead nowhere")))),
    }
}

fn broken(model: &Model<'_>, node: &NamedNode, quad: &Quad) -> Error {
    let prefixes = model.source.prefixes;
    let subject = match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => prefixes.display(node.as_str()),
        NamedOrBlankNode::BlankNode(node) => node.to_string(),
    };
    let fact = format!(
        "{subject} {} {}",
        prefixes.display(quad.predicate.as_str()),
        kgq_graph::render::cell(&quad.object, prefixes)
    );
    Error::new(
        Kind::Check,
        format!(
            "{} would be a broken link: the graph says nothing of it, and has `{fact}`",
            prefixes.display(node.as_str())
        ),
    )
}

/// How many statements that mention an undescribed thing are kept for its page.
const MOST_MENTIONS: usize = 60;

/// The files of a site, to check the links of its pages against.
pub struct Links<'f> {
    files: &'f Paths,
    /// The path at which the site stands.
    root: String,
}

impl<'f> Links<'f> {
    pub fn new(files: &'f Paths, root: String) -> Self {
        Self { files, root }
    }

    /// Checks that each link of a page leads to the web, to a file of the site, or to a place in the page itself.
    pub fn check(&self, path: &str, html: &str) -> Result<()> {
        let wrong = |link: &str| Err(Error::bug(format!("{path} links to `{link}`, which is not there")));
        // A page of many values has as many links within itself: searching it for each would take the square of its length.
        let ids = LazyCell::new(|| values_of(html, " id=\"").collect::<FxHashSet<&str>>());
        for link in [" href=\"", " src=\""].into_iter().flat_map(|name| values_of(html, name)) {
            if ["http://", "https://", "mailto:"].iter().any(|scheme| starts_with_ignoring_case(link, scheme)) {
                continue;
            }
            let (file, fragment) = link.split_once('#').map_or((link, None), |(file, fragment)| (file, Some(fragment)));
            if file.is_empty() {
                let id = unescape(fragment.unwrap_or_default());
                if !id.is_empty() && !ids.contains(maud::html! { (id) }.into_string().as_str()) {
                    return wrong(link);
                }
                continue;
            }
            let target = match file.strip_prefix(&self.root) {
                Some(below) if path == MISSING => Some(below.to_owned()),
                _ => resolve(path, file),
            };
            if !target.is_some_and(|target| self.files.has(&target)) {
                return wrong(link);
            }
        }
        Ok(())
    }
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The values of an attribute, given as ` NAME="`. Text cannot be mistaken for one, because its quotes are escaped.
fn values_of<'h>(html: &'h str, name: &'static str) -> impl Iterator<Item = &'h str> {
    memmem::find_iter(html.as_bytes(), name).filter_map(move |at| {
        let value = html.get(at + name.len()..)?;
        value.get(..memchr::memchr(b'"', value.as_bytes())?)
    })
}

/// Decodes the percent signs of a fragment or a path.
pub fn unescape(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The file to which a relative link of a page leads; `None` if it leaves the site.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_or_out_of_the_site_is_found() {
        let files = Paths::of(vec!["a/b.html".to_owned(), "c.html".to_owned()]).unwrap();
        let links = Links::new(&files, "/".into());
        let check = |html: &str| links.check("a/b.html", html).is_ok();
        assert!(check(r##"<a href="../c.html">x</a> <a href="#x">y</a><p id="x"></p> <a href="https://e/">"##));
        assert!(!check(r#"<a href="c.html">x</a>"#));
        assert!(!check(r#"<a href="../../c.html">x</a>"#));
        assert!(!check(r##"<a href="#gone">x</a>"##));
        assert!(!check(r#"<a href="javascript:alert(1)">x</a>"#));
    }
}
