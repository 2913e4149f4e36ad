//! Things that a statement points to and no file describes.

use super::finding::{Finding, Report};
use super::subject::{Subject, triple_of};
use super::{Check, Explanation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Term, Triple};
use kgq_syntax::text::nearest;
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};

pub const CHECK: Check = Check {
    codes: &[Explanation {
        code: "broken-link",
        finds: "a thing of the project that statements point to, but that no file describes: one below the `base` of kgq.toml, \
                or one whose name is nearly that of a thing described",
        why: "the link leads nowhere: joins over it give fewer rows without a word",
        mend: "correct the name, or describe the thing; a thing that was renamed or removed must be so in every file",
    }],
    run,
    needs_all_files: true,
};

/// How many pairs of names are compared in all: in a graph with many links to things that others describe, comparing each with
/// each would take longer than a hint is worth.
const MOST_COMPARISONS: usize = 1_000_000;

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let graphs: FxHashSet<&NamedNode> = subject
        .quads
        .iter()
        .filter_map(|quad| match &quad.graph_name {
            GraphName::NamedNode(graph) => Some(graph),
            GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
        })
        .collect();
    let mut near: FxHashMap<&NamedNode, Option<String>> = FxHashMap::default();
    let names: Vec<&str> = {
        let mut names: Vec<&str> = subject.described().map(NamedNode::as_str).collect();
        names.sort_unstable();
        names
    };
    let mut comparisons = MOST_COMPARISONS;
    let mut reported: FxHashSet<(Triple, &NamedNode)> = FxHashSet::default();
    for quad in &subject.quads {
        // Classes and properties are `terms.rs`'s.
        if quad.predicate == rdf::TYPE {
            continue;
        }
        for target in targets(&quad.object) {
            if subject.is_described(&target.clone().into()) || graphs.contains(target) {
                continue;
            }
            let hint = near.entry(target).or_insert_with(|| near_name(target.as_str(), &names, &mut comparisons));
            if !(is_own(subject, target) || hint.is_some()) || !reported.insert((triple_of(quad), target)) {
                continue;
            }
            let name = subject.prefixes.display(target.as_str());
            let hint = hint.as_ref().map(|iri| format!("did you mean `{}`?", subject.prefixes.display(iri)));
            let message = format!("{name} is described nowhere");
            report
                .findings
                .push(Finding::error("broken-link", subject.place_of(&triple_of(quad)), message).hint_if(hint));
        }
    }
    Ok(())
}

/// The things that an object names: itself, or the ends of the statement that it is.
fn targets(object: &Term) -> Vec<&NamedNode> {
    match object {
        Term::NamedNode(iri) => vec![iri],
        Term::Triple(triple) if triple.predicate != rdf::TYPE => targets(&triple.object),
        Term::Triple(_) | Term::BlankNode(_) | Term::Literal(_) => Vec::new(),
    }
}

fn is_own(subject: &Subject<'_>, iri: &NamedNode) -> bool {
    subject.project.manifest.base.as_deref().is_some_and(|base| iri.as_str().starts_with(base))
}

/// A described thing of the same namespace whose name is so near that it must have been meant: one letter off, or two in a
/// long name.
fn near_name(iri: &str, described: &[&str], comparisons: &mut usize) -> Option<String> {
    let at = iri.rfind(['#', '/']).map_or(0, |at| at + 1);
    let (namespace, local) = iri.split_at(at);
    // Short names and numbers are near to each other without being misspellings.
    let letters = local.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 5 {
        return None;
    }
    let start = described.partition_point(|name| *name < namespace);
    let siblings: Vec<&str> =
        described[start..].iter().map_while(|name| name.strip_prefix(namespace)).take(*comparisons + 1).collect();
    *comparisons = comparisons.checked_sub(siblings.len())?;
    let allowed = if letters < 9 { 1 } else { 2 };
    let near = nearest(local, siblings, 1).first().copied()?;
    (strsim::damerau_levenshtein(local, near) <= allowed).then(|| format!("{namespace}{near}"))
}
