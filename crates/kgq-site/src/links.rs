//! Whether links lead somewhere: of the graph's statements before a page is made, and of every page as it is made.

use super::html::MISSING;
use super::model::Model;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};

/// How many broken links one message names.
const MOST: usize = 20;

/// What is named in the site's own namespace and is the subject of no statement, sorted: as a property, an object, a part of a quoted
/// triple, or the name of a graph.
pub fn undescribed<'a>(quads: &'a [Quad], base: &str, described: &FxHashSet<&str>) -> Vec<&'a NamedNode> {
    let mut found: Vec<&NamedNode> = Vec::new();
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    for quad in quads {
        each_named(quad, &mut |node| {
            let iri = node.as_str();
            let own = !base.is_empty() && iri.starts_with(base) && iri != base;
            if own && !described.contains(iri) && seen.insert(iri) {
                found.push(node);
            }
        });
    }
    found.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    found
}

/// Visits what a statement names besides its subject.
fn each_named<'q>(quad: &'q Quad, visit: &mut dyn FnMut(&'q NamedNode)) {
    visit(&quad.predicate);
    match &quad.object {
        Term::NamedNode(node) => visit(node),
        Term::Triple(triple) => nodes(triple).into_iter().for_each(&mut *visit),
        Term::BlankNode(_) | Term::Literal(_) => {}
    }
    if let GraphName::NamedNode(graph) = &quad.graph_name {
        visit(graph);
    }
}

/// The first statements that have one of these as their property or within a quoted triple.
pub fn named_in<'a>(quads: &'a [Quad], iris: &FxHashSet<&str>) -> FxHashMap<&'a str, Vec<&'a Quad>> {
    let mut found: FxHashMap<&str, Vec<&Quad>> = FxHashMap::default();
    if iris.is_empty() {
        return found;
    }
    for quad in quads {
        let within = match &quad.object {
            Term::Triple(triple) => nodes(triple),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) => Vec::new(),
        };
        for node in within.into_iter().chain([&quad.predicate]).filter(|node| iris.contains(node.as_str())) {
            let statements = found.entry(node.as_str()).or_default();
            if statements.len() < MOST_MENTIONS && statements.last() != Some(&quad) {
                statements.push(quad);
            }
        }
    }
    found
}

/// Refuses a graph that names, in the site's own namespace, what it does not describe. The name of a graph needs no description.
pub fn check_graph(model: &Model<'_>) -> Result<()> {
    let lacking: FxHashSet<&str> =
        model.stubs.iter().map(|node| node.as_str()).filter(|iri| !model.graphs.contains_key(iri)).collect();
    let mut missing: Vec<Error> = Vec::new();
    let mut properties: FxHashSet<&str> = FxHashSet::default();
    let mut count = 0usize;
    for quad in model.source.quads {
        each_named(quad, &mut |node| {
            // A property is reported once, not with every statement.
            let again = *node == quad.predicate && !properties.insert(node.as_str());
            if lacking.contains(node.as_str()) && !again {
                count += 1;
                if missing.len() < MOST {
                    missing.push(broken(model, node, quad));
                }
            }
        });
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

/// What a triple names, quoted ones within it included.
pub fn nodes(triple: &Triple) -> Vec<&NamedNode> {
    let mut found = vec![&triple.predicate];
    if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
        found.push(node);
    }
    match &triple.object {
        Term::NamedNode(node) => found.push(node),
        Term::Triple(inner) => found.extend(nodes(inner)),
        Term::BlankNode(_) | Term::Literal(_) => {}
    }
    found
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

/// How many statements that name a thing without describing it are kept for its page.
const MOST_MENTIONS: usize = 60;

/// The files of a site, to check the links of its pages against.
pub struct Links {
    files: FxHashSet<String>,
    /// The path at which the site stands.
    root: String,
}

impl Links {
    pub fn new(files: &[String], root: String) -> Self {
        Self { files: files.iter().cloned().collect(), root }
    }

    /// Checks that each link of a page leads to the web, to a file of the site, or to a place in the page itself.
    pub fn check(&self, path: &str, html: &str) -> Result<()> {
        let wrong = |link: &str| Err(Error::bug(format!("{path} links to `{link}`, which is not there")));
        for link in attributes(html) {
            if ["http://", "https://", "mailto:"].iter().any(|scheme| starts_with_ignoring_case(link, scheme)) {
                continue;
            }
            let (file, fragment) = link.split_once('#').map_or((link, None), |(file, fragment)| (file, Some(fragment)));
            if file.is_empty() {
                let id = unescape(fragment.unwrap_or_default());
                if !id.is_empty() && !html.contains(&format!("id=\"{}\"", maud::html! { (id) }.into_string())) {
                    return wrong(link);
                }
                continue;
            }
            let target = match file.strip_prefix(&self.root) {
                Some(below) if path == MISSING => Some(below.to_owned()),
                _ => resolve(path, file),
            };
            if !target.is_some_and(|target| self.files.contains(&target)) {
                return wrong(link);
            }
        }
        Ok(())
    }
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The values of `href` and `src`. Text cannot hold them: its quotes are escaped.
fn attributes(html: &str) -> impl Iterator<Item = &str> {
    [" href=\"", " src=\""].into_iter().flat_map(move |name| {
        html.match_indices(name).filter_map(move |(at, name)| {
            let value = html.get(at + name.len()..)?;
            value.get(..value.find('"')?)
        })
    })
}

/// What the percent signs of a fragment or a path stand for.
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

/// The file that a relative link of a page means; `None` if it leads out of the site.
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
        let links = Links::new(&["a/b.html".into(), "c.html".into()], "/".into());
        let check = |html: &str| links.check("a/b.html", html).is_ok();
        assert!(check(r##"<a href="../c.html">x</a> <a href="#x">y</a><p id="x"></p> <a href="https://e/">"##));
        assert!(!check(r#"<a href="c.html">x</a>"#));
        assert!(!check(r#"<a href="../../c.html">x</a>"#));
        assert!(!check(r##"<a href="#gone">x</a>"##));
        assert!(!check(r#"<a href="javascript:alert(1)">x</a>"#));
    }
}
