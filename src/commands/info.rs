//! `kgq info`.

use super::output::Output;
use kgq_graph::session::Session;
use kgq_snapshot::{QuadPermutation, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Quad, Term};
use kgq_syntax::text::{count, thousands, visible, width};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Up to how many statements the canonical hash is worth waiting for.
const HASHED: usize = 250_000;

/// Names with how often each occurs.
type Counts = BTreeMap<String, u64>;

/// Show the project at a glance: files, graphs, classes and properties with counts, prefixes, canned queries
///
/// Of graphs, classes, properties and prefixes the first are shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show all, not the largest only
    #[arg(long)]
    pub all: bool,
}

/// How many rows of a table are shown.
const SHOWN: usize = 20;
const MOST_PREFIXES: usize = 60;

pub fn run(args: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    let origin = session.origin()?;
    let snapshot = session.snapshot()?;
    let prefixes = session.prefixes()?;
    let (bold, reset) = if output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    if let Some(project) = session.project() {
        let title = project.manifest.title.as_deref().unwrap_or(&project.manifest.name);
        output.line(&format!("{bold}{}{reset}", visible(title)))?;
    }
    output.line(&format!("{} in {origin}", count(snapshot.len() as u64, "statement", "statements")))?;
    if snapshot.len() <= HASHED {
        let quads: Vec<Quad> = snapshot.iter().collect();
        match canonicalize(&quads) {
            Ok(canonical) => output.line(&format!("canonical hash (RDFC-1.0) sha256:{}", canonical.hash()))?,
            Err(error) => output.line(&format!("no canonical hash: {}", error.message()))?,
        }
    } else {
        let most = thousands(HASHED as u64);
        output
            .line(&format!("no canonical hash of more than {most} statements: `kgq export --canonical` makes one"))?;
    }

    let name = |id: TermId| match snapshot.term(id) {
        Term::NamedNode(node) => prefixes.display(node.as_str()),
        term => term.to_string(),
    };
    let (mut graphs, mut classes, mut properties) = (Counts::new(), Counts::new(), Counts::new());
    if snapshot.triple_count() > 0 {
        graphs.insert("default graph".to_owned(), snapshot.triple_count() as u64);
    }
    let by_graph = snapshot.quads(QuadPermutation::Gspo);
    graphs.extend(by_graph.keys().map(|(graph, rows)| (name(graph), rows.len() as u64)));
    for statistics in [snapshot.statistics(), snapshot.quad_statistics()] {
        for predicate in &statistics.predicates {
            *properties.entry(name(predicate.predicate)).or_default() += predicate.rows;
        }
    }
    if let Some(kind) = snapshot.id(rdf::TYPE.into()) {
        let of_kind = [None, Some(kind), None];
        let mut members: FxHashMap<TermId, u64> = FxHashMap::default();
        for (index, rows) in [snapshot.matching_triples(of_kind), snapshot.matching_quads(of_kind)] {
            index.column(2, rows).iter().for_each(|class| *members.entry(*class).or_default() += 1);
        }
        classes.extend(
            members
                .into_iter()
                .filter(|(class, _)| snapshot.kind(*class) == TermKind::Iri)
                .map(|(class, n)| (name(class), n)),
        );
    }
    snapshot.intact()?;
    let most = if args.all { usize::MAX } else { SHOWN };
    for (title, counts) in [("Graphs", graphs), ("Classes", classes), ("Properties", properties)] {
        table(title, counts, most, (bold, reset), output)?;
    }

    output.line(&format!("\n{bold}Prefixes{reset}"))?;
    let widest = prefixes.names().map(width).max().unwrap_or(0);
    // A project says its prefixes itself; hundreds come from files only.
    let most_prefixes = if args.all { usize::MAX } else { MOST_PREFIXES };
    for (prefix, namespace) in prefixes.iter().take(most_prefixes) {
        output.line(&format!("  {}{prefix}:  {}", " ".repeat(widest - width(prefix)), visible(namespace)))?;
    }
    more(prefixes.iter().count(), most_prefixes, output)?;
    if session.project().is_some() {
        let catalog = session.catalog()?;
        let asked = catalog.queries.iter().filter(|q| !q.is_check()).count() as u64;
        let checks = catalog.queries.len() as u64 - asked;
        output.line(&format!(
            "\n{}, {}: `kgq queries` lists them",
            count(asked, "canned query", "canned queries"),
            count(checks, "check", "checks")
        ))?;
        for (_, error) in &catalog.broken {
            output.warn(error);
        }
    }
    Ok(0)
}

/// Names with their counts, the largest first.
fn table(title: &str, counts: Counts, most: usize, (bold, reset): (&str, &str), output: &mut Output) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{bold}{title}{reset}"))?;
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let widest = rows.iter().map(|(_, n)| thousands(*n).len()).max().unwrap_or(0);
    for (name, n) in rows.iter().take(most) {
        output.line(&format!("  {:>widest$}  {}", thousands(*n), visible(name)))?;
    }
    more(rows.len(), most, output)
}

/// How many there are beyond those shown.
fn more(all: usize, shown: usize, output: &mut Output) -> Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        rest => output.line(&format!("  … and {} more: `kgq info --all` shows them", thousands(rest as u64))),
    }
}
