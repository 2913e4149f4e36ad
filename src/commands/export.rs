//! `kgq export`.

use super::answer::{AnswerArgs, write_answer, write_graph};
use super::output::{Output, write_to};
use super::query::read_text;
use super::watchdog::Watchdog;
use crate::engine::Answer;
use crate::error::{Error, Result, Source};
use crate::query::Form;
use crate::rdf::canonical::canonicalize;
use crate::rdf::{GraphName, Quad};
use crate::session::Session;
use crate::text::count;
use std::time::Instant;

/// Write the graph, one of its graphs, or what a CONSTRUCT query makes of it, in any RDF format
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq export --format nquads > all.nq
  kgq export --output graph.jsonld
  kgq export --query 'CONSTRUCT WHERE { ?s a skos:Concept ; skos:prefLabel ?l }' --output sectors.ttl")]
pub struct Args {
    /// Only the graph of this IRI or CURIE; `default` is the default graph
    #[arg(long, value_name = "IRI", conflicts_with_all = ["query", "query_file"])]
    pub graph: Option<String>,
    /// What this CONSTRUCT or DESCRIBE query answers
    #[arg(long, value_name = "TEXT", conflicts_with = "query_file")]
    pub query: Option<String>,
    /// The same, read from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub query_file: Option<String>,
    /// As canonical N-Quads (RDFC-1.0): the same graph gives the same bytes, whatever its blank nodes are called
    #[arg(long, conflicts_with_all = ["query", "query_file", "format", "rdf"])]
    pub canonical: bool,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

pub fn run(args: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    if args.query.is_some() || args.query_file.is_some() {
        let (name, text) = read_text(args.query.as_deref(), args.query_file.as_deref(), "query")?;
        let _watchdog = Watchdog::of_query(session)?;
        let query = session.parse(Source::new(&name, &text))?;
        if !matches!(query.form(), Form::Construct | Form::Describe) {
            return Err(Error::usage("only CONSTRUCT and DESCRIBE queries answer with a graph to export"));
        }
        let answer: Answer<'_> = session.evaluate(&query)?;
        write_answer(answer, &args.answer, session, output, started)?;
        return Ok(0);
    }
    let all = session.dataset()?.quads();
    let chosen_quads: Vec<Quad>;
    let quads: &[Quad] = match &args.graph {
        None => all,
        Some(graph) => {
            chosen_quads = one_graph(session, graph)?;
            &chosen_quads
        }
    };
    if args.canonical {
        return write_canonical(quads, args, output);
    }
    write_graph(quads, &args.answer, session, output)?;
    if args.answer.output.is_some() && output.err_is_terminal {
        output.note(&count(quads.len() as u64, "statement", "statements"));
    }
    Ok(0)
}

fn write_canonical(quads: &[Quad], args: &Args, output: &mut Output) -> Result<u8> {
    let canonical = canonicalize(quads)?;
    write_to(args.answer.output.as_deref(), output, |out| {
        let mut lines = canonical.lines.iter();
        lines.try_for_each(|line| out.write_all(line.as_bytes())).map_err(|e| Error::io("the output", &e))
    })?;
    if canonical.mapped > 0 {
        output.note(&format!("{} mapped to RDF 1.1", count(canonical.mapped, "term", "terms")));
    }
    Ok(0)
}

/// The quads of one graph, moved to the default graph.
fn one_graph(session: &Session, graph: &str) -> Result<Vec<Quad>> {
    let all = session.dataset()?.quads();
    let name = if graph == "default" {
        GraphName::DefaultGraph
    } else {
        let prefixes = session.prefixes()?;
        let iri = graph.trim_start_matches('<').trim_end_matches('>');
        let node = prefixes.expand(graph).unwrap_or_else(|| oxrdf::NamedNode::new_unchecked(iri));
        GraphName::NamedNode(node)
    };
    let quads: Vec<Quad> = all
        .iter()
        .filter(|q| q.graph_name == name)
        .map(|q| Quad::new(q.subject.clone(), q.predicate.clone(), q.object.clone(), GraphName::DefaultGraph))
        .collect();
    if quads.is_empty() && graph != "default" {
        let mut names: Vec<String> = all
            .iter()
            .filter_map(|q| match &q.graph_name {
                GraphName::NamedNode(node) => Some(node.as_str().to_owned()),
                GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
            })
            .collect();
        names.sort();
        names.dedup();
        let near = crate::text::did_you_mean(graph, names.iter().map(String::as_str));
        let hint = near.unwrap_or_else(|| match names.as_slice() {
            [] => "the dataset has no named graphs".into(),
            names => format!("its named graphs: {}", names.join(", ")),
        });
        return Err(Error::input(format!("there is no graph `{graph}`")).hint(hint));
    }
    Ok(quads)
}
