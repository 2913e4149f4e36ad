//! `kgq info`.

use super::output::Output;
use super::queries::ListFormat;
use kgq_graph::graph::Graph;
use kgq_snapshot::{QuadPermutation, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Contested, Quad, Term};
use kgq_syntax::text::{count, thousands, visible, width};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
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
    /// How it is shown; json has all
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    format: ListFormat,
}

/// How many rows of a table are shown.
const SHOWN: usize = 20;
const MOST_PREFIXES: usize = 60;

/// What is told of a dataset.
struct Facts {
    /// The project's, if there is one.
    title: Option<String>,
    origin: String,
    statements: usize,
    /// `None` if there are too many statements, else the hash or why there is none.
    hash: Option<Result<String>>,
    graphs: Counts,
    classes: Counts,
    properties: Counts,
    prefixes: Vec<(String, String)>,
    contested: Vec<Contested>,
    /// How many canned queries and checks the project has.
    queries: Option<(u64, u64)>,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let facts = facts(graph)?;
    match args.format {
        ListFormat::Text => facts.write_text(args.all, output)?,
        ListFormat::Json => output.line(&format!("{:#}", facts.to_json()))?,
    }
    if graph.project().is_some() {
        for (_, error) in &graph.catalog()?.broken {
            output.warn(error);
        }
    }
    Ok(0)
}

fn facts(graph: &Graph) -> Result<Facts> {
    let origin = graph.origin()?;
    let snapshot = graph.snapshot()?;
    let prefixes = graph.prefixes()?;
    let contested = graph.contested_prefixes()?.into_iter().cloned().collect();
    let hash = (snapshot.len() <= HASHED).then(|| {
        let quads: Vec<Quad> = snapshot.iter().collect();
        canonicalize(&quads).map(|canonical| canonical.hash())
    });
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
        let members = members.into_iter().filter(|(class, _)| snapshot.kind(*class) == TermKind::Iri);
        classes.extend(members.map(|(class, n)| (name(class), n)));
    }
    snapshot.intact()?;
    let queries = graph.catalog_if_any()?.map(|catalog| {
        let checks = catalog.queries.iter().filter(|q| q.is_check()).count();
        ((catalog.queries.len() - checks) as u64, checks as u64)
    });
    let title = graph.project().map(|p| p.manifest.title.clone().unwrap_or_else(|| p.manifest.name.clone()));
    let prefixes = prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), namespace.to_owned())).collect();
    let statements = snapshot.len();
    Ok(Facts { title, origin, statements, hash, graphs, classes, properties, prefixes, contested, queries })
}

impl Facts {
    fn write_text(self, all: bool, output: &mut Output) -> Result<()> {
        let (bold, reset) = if output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        if let Some(title) = &self.title {
            output.line(&format!("{bold}{}{reset}", visible(title)))?;
        }
        let statements = count(self.statements as u64, "statement", "statements");
        output.line(&format!("{statements} in {}", self.origin))?;
        output.line(&match &self.hash {
            Some(Ok(hash)) => format!("canonical hash (RDFC-1.0) sha256:{hash}"),
            Some(Err(error)) => format!("no canonical hash: {}", error.message()),
            None => format!(
                "no canonical hash of more than {} statements: `kgq export --canonical` makes one",
                thousands(HASHED as u64)
            ),
        })?;
        let most = if all { usize::MAX } else { SHOWN };
        for (title, counts) in [("Graphs", self.graphs), ("Classes", self.classes), ("Properties", self.properties)] {
            table(title, counts, most, (bold, reset), output)?;
        }
        output.line(&format!("\n{bold}Prefixes{reset}"))?;
        let widest = self.prefixes.iter().map(|(prefix, _)| width(prefix)).max().unwrap_or(0);
        // A project says its prefixes itself; hundreds come from files only.
        let most_prefixes = if all { usize::MAX } else { MOST_PREFIXES };
        for (prefix, namespace) in self.prefixes.iter().take(most_prefixes) {
            output.line(&format!("  {}{prefix}:  {}", " ".repeat(widest - width(prefix)), visible(namespace)))?;
            for contested in self.contested.iter().filter(|contested| contested.prefix == *prefix) {
                let (file, other) = (visible(&contested.file), visible(&contested.other));
                let blank = " ".repeat(widest + 5);
                output.line(&format!("{blank}as in {file}; in {} it is {other}", visible(&contested.other_file)))?;
            }
        }
        more(self.prefixes.len(), most_prefixes, output)?;
        if let Some((asked, checks)) = self.queries {
            let (asked, checks) = (count(asked, "canned query", "canned queries"), count(checks, "check", "checks"));
            output.line(&format!("\n{asked}, {checks}: `kgq queries` lists them"))?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let hash = self.hash.as_ref().and_then(|hash| Some(format!("sha256:{}", hash.as_ref().ok()?)));
        json!({
            "title": self.title,
            "source": self.origin,
            "statements": self.statements,
            "canonical-hash": hash,
            "graphs": self.graphs,
            "classes": self.classes,
            "properties": self.properties,
            "prefixes": self.prefixes.iter().cloned().collect::<BTreeMap<_, _>>(),
            "queries": self.queries.map(|(asked, _)| asked),
            "checks": self.queries.map(|(_, checks)| checks),
        })
    }
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
