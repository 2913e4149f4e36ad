//! `kgq info`.

use super::output::Output;
use crate::error::Result;
use crate::rdf::canonical::canonicalize;
use crate::rdf::vocabulary::rdf;
use crate::rdf::{GraphName, Term};
use crate::session::Session;
use crate::text::{count, thousands, visible, width};
use std::collections::BTreeMap;

/// Show the project at a glance: files, graphs, classes and properties with counts, prefixes, canned queries
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    let dataset = session.dataset()?;
    let prefixes = session.prefixes()?;
    let (bold, reset) = if output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    if let Some(project) = session.project() {
        let title = project.manifest.title.as_deref().unwrap_or(&project.manifest.name);
        output.line(&format!("{bold}{}{reset}", visible(title)))?;
    }
    let files = count(dataset.files.len() as u64, "file", "files");
    output.line(&format!("{} in {files}", count(dataset.len() as u64, "statement", "statements")))?;

    match canonicalize(dataset.quads()) {
        Ok(canonical) => output.line(&format!("canonical hash (RDFC-1.0) sha256:{}", canonical.hash()))?,
        Err(error) => output.line(&format!("no canonical hash: {}", error.message()))?,
    }

    let mut graphs: BTreeMap<String, u64> = BTreeMap::new();
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    let mut properties: BTreeMap<String, u64> = BTreeMap::new();
    for quad in dataset.quads() {
        let graph = match &quad.graph_name {
            GraphName::DefaultGraph => "default graph".to_owned(),
            GraphName::NamedNode(node) => prefixes.display(node.as_str()),
            GraphName::BlankNode(node) => node.to_string(),
        };
        *graphs.entry(graph).or_default() += 1;
        *properties.entry(prefixes.display(quad.predicate.as_str())).or_default() += 1;
        if let (true, Term::NamedNode(class)) = (quad.predicate.as_ref() == rdf::TYPE, &quad.object) {
            *classes.entry(prefixes.display(class.as_str())).or_default() += 1;
        }
    }
    table("Graphs", graphs, bold, reset, output)?;
    table("Classes", classes, bold, reset, output)?;
    table("Properties", properties, bold, reset, output)?;

    output.line(&format!("\n{bold}Prefixes{reset}"))?;
    let widest = prefixes.names().map(width).max().unwrap_or(0);
    for (prefix, namespace) in prefixes.iter() {
        output.line(&format!("  {}{prefix}:  {}", " ".repeat(widest - width(prefix)), visible(namespace)))?;
    }
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
fn table(title: &str, counts: BTreeMap<String, u64>, bold: &str, reset: &str, output: &mut Output) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{bold}{title}{reset}"))?;
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let widest = rows.iter().map(|(_, n)| thousands(*n).len()).max().unwrap_or(0);
    for (name, n) in rows {
        output.line(&format!("  {:>widest$}  {}", thousands(n), visible(&name)))?;
    }
    Ok(())
}
