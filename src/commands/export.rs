//! `kgq export`.

mod folders;

use super::advice::{AdviceArgs, Adviser};
use super::answer::{AnswerArgs, write_answer, write_exported, write_graph, write_walked};
use super::output::{Output, write_file, write_to};
use super::progress::Progress;
use super::query::read_text;
use super::terminal::Content;
use super::watchdog::Watchdog;
use kgq_engine::query::Form;
use kgq_engine::{Answer, Failures};
use kgq_graph::audit::sha256_of;
use kgq_graph::export::sorted::Sorted;
use kgq_graph::export::turtle;
use kgq_graph::graph::Graph;
use kgq_graph::project::Entailment;
use kgq_graph::render::{Format, Walked, lacking};
use kgq_graph::request::export::Exported;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Quad, RdfFormat};
use kgq_syntax::text::{count, thousands};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Write the graph, one of its graphs, what follows from it, or what a CONSTRUCT query makes of it, in any RDF format
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq export --format nquads > all.nq
  kgq export --output graph.jsonld --checksum
  kgq export --sorted --output graph.trig
  kgq export --inferred=rdfs-plus --output inferred.ttl
  kgq export --tables tables
  kgq export --parquet columns
  kgq export --query 'CONSTRUCT WHERE { ?s a skos:Concept ; skos:prefLabel ?l }' --output sectors.ttl")]
pub struct Args {
    /// Only the graph of this IRI or CURIE; `default` is the default graph
    #[arg(long, value_name = "IRI", conflicts_with_all = ["query", "query_file"])]
    pub graph: Option<String>,
    /// What follows from all graphs and is stated in none: by the rules that kgq.toml names below `[infer]`, or by these: rdfs, rdfs-plus
    #[arg(long, value_name = "RULES", require_equals = true, value_parser = parse_rules, conflicts_with_all = ["graph", "query", "query_file"])]
    pub inferred: Option<Option<Entailment>>,
    /// What this CONSTRUCT or DESCRIBE query answers
    #[arg(long, value_name = "TEXT", conflicts_with = "query_file")]
    pub query: Option<String>,
    /// The same, read from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub query_file: Option<String>,
    /// As canonical N-Quads (RDFC-1.0): the same graph gives the same bytes, whatever its blank nodes are called
    #[arg(long, conflicts_with_all = ["query", "query_file", "format", "rdf"])]
    pub canonical: bool,
    /// In an order that depends on the graph alone; Turtle and TriG by subject, with annotations at what they are about
    #[arg(long, conflicts_with_all = ["query", "query_file", "canonical", "rdf"])]
    pub sorted: bool,
    /// As tables in this folder, in CSV or as --format says (csv, parquet, arrow, xlsx): one for each class, a row for each member, a column for
    /// each property
    #[arg(long, value_name = "DIR", conflicts_with_all = ["query", "query_file", "canonical", "sorted", "output", "rdf"])]
    pub tables: Option<PathBuf>,
    /// As two tables of Parquet in this folder: terms.parquet (id, kind, value, datatype, language) and triples.parquet (subject, predicate, object,
    /// graph: ids of terms), both sorted by ids
    #[arg(long, value_name = "DIR", conflicts_with_all = ["query", "query_file", "canonical", "sorted", "format", "output", "rdf", "tables"])]
    pub parquet: Option<PathBuf>,
    /// Write the SHA-256 of the file too, to FILE.sha256 (of tables, to SHA256SUMS), for `sha256sum -c`
    #[arg(long)]
    pub checksum: bool,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

fn parse_rules(text: &str) -> Result<Entailment, String> {
    let found = Entailment::ALL.into_iter().find(|rules| rules.name() == text && *rules != Entailment::None);
    found.ok_or_else(|| "the sets of rules are rdfs and rdfs-plus".into())
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    if args.canonical {
        // The format is fixed, whatever the file is called.
        args.answer.output.iter().try_for_each(|path| graph.refuse_own_file(path))?;
    } else {
        args.answer.check(graph)?;
    }
    if args.tables.is_some() {
        folders::format_of_tables(args)?;
    }
    if let Some(error) = args.parquet.as_ref().and_then(|_| lacking(Format::Parquet)) {
        return Err(error);
    }
    if args.query.is_some() || args.query_file.is_some() {
        let (name, text) = read_text(args.query.as_deref(), args.query_file.as_deref(), "query")?;
        let _watchdog = Watchdog::of_query(graph)?;
        let query = graph.parse(Source::new(&name, &text))?;
        if !matches!(query.form(), Form::Construct | Form::Describe) {
            return Err(Error::usage("only CONSTRUCT and DESCRIBE queries answer with a graph to export"));
        }
        let advice = AdviceArgs::default();
        let adviser = Adviser::new(&advice, Source::new(&name, &text), &query);
        adviser.before(graph, output)?;
        let failures = Failures::default();
        let answer: Answer = graph.evaluate_counting(&query, &failures)?;
        let written = write_answer(answer, &args.answer, graph, output, started)?;
        adviser.on_failures(&failures, output)?;
        adviser.after(written, started.elapsed(), graph, output)?;
        return Ok(0);
    }
    let to_file = args.answer.output.is_some() || args.tables.is_some() || args.parquet.is_some();
    let progress = if to_file { Progress::start(output) } else { Progress::beside_result(output) };
    let _watchdog = Watchdog::start(&graph.options().asked_limits);
    let budget = graph.budget_of(Work::Export);
    let target = |folder| folders::Target { folder, args, graph, budget: &budget };
    if let (Some(folder), None, None) = (&args.parquet, &args.graph, args.inferred) {
        target(folder).parquet(graph.snapshot()?, output)?;
        return Ok(0);
    }
    let mut by_rules = String::new();
    let exported = match (&args.graph, args.inferred) {
        (Some(name), _) => Exported::one_graph(graph, name, &budget)?,
        (None, _) => Exported::all(graph, &budget)?,
    };
    let mut quads: Option<Vec<Quad>> = None;
    if let (None, Some(rules)) = (&args.graph, args.inferred) {
        progress.say(|| "drawing conclusions".into());
        let (conclusions, by) = inferred(graph, rules, &budget)?;
        (quads, by_rules) = (Some(conclusions), by);
    }
    let statements = quads.as_ref().map_or(exported.len(), Vec::len);
    progress.say(|| format!("sorting {}", count(statements as u64, "statement", "statements")));
    if let Some(folder) = &args.tables {
        match quads {
            None => target(folder).tables(exported.snapshot(), exported.only(), output)?,
            Some(quads) => target(folder).tables(&Snapshot::from_quads_within(quads, &budget)?, None, output)?,
        }
        return Ok(0);
    }
    if let Some(folder) = &args.parquet {
        let apart = match quads {
            None => exported.apart(&budget)?,
            Some(quads) => Snapshot::from_quads_within(quads, &budget)?,
        };
        target(folder).parquet(&apart, output)?;
        return Ok(0);
    }
    if args.canonical || args.sorted {
        let apart = quads.map(|quads| Snapshot::from_quads_within(quads, &budget)).transpose()?;
        let (snapshot, only) = match &apart {
            Some(conclusions) => (conclusions, None),
            None => (exported.snapshot(), exported.only()),
        };
        let sorted = Sorted::canonical(snapshot, only, &budget)?;
        match args.canonical {
            true => write_canonical(&sorted, args, &progress, output)?,
            false => write_sorted(&sorted, args, graph, &budget, &progress, output)?,
        }
    } else {
        match &quads {
            None => write_exported(&exported, &args.answer, graph, &progress, output)?,
            Some(quads) => write_graph(quads, &args.answer, graph, &progress, output)?,
        }
    }
    drop(progress);
    if args.checksum {
        write_checksum(args)?;
    }
    if args.answer.output.is_some() && output.err_is_terminal {
        output.note(&format!("{}{by_rules}", count(statements as u64, "statement", "statements")));
    }
    Ok(0)
}

/// The inferred statements, and a line on how many each rule gave.
fn inferred(graph: &Graph, rules: Option<Entailment>, budget: &Budget) -> Result<(Vec<Quad>, String)> {
    let rules = rules.unwrap_or_else(|| graph.entailment());
    if rules == Entailment::None {
        return Err(Error::usage("kgq.toml turns inference off (`rules` below `[infer]` is `none`)")
            .hint("say by which rules: `--inferred=rdfs` or `--inferred=rdfs-plus`"));
    }
    let inferred = graph.infer(rules, budget)?;
    let used = inferred.by_rule.iter().filter(|(_, count)| *count > 0);
    let used: Vec<String> = used.map(|(rule, count)| format!("{} by {rule}", thousands(*count))).collect();
    let words = if used.is_empty() { String::new() } else { format!(": {}", used.join(", ")) };
    Ok((inferred.quads, words))
}

/// Writes the statements with canonical blank node labels, in the order of their lines; Turtle and TriG grouped by subject.
fn write_sorted(
    sorted: &Sorted<'_>,
    args: &Args,
    graph: &Graph,
    budget: &Budget,
    progress: &Progress,
    output: &mut Output,
) -> Result<()> {
    let named = sorted.has_named_graphs();
    match args.answer.chosen_format()? {
        None | Some(Format::Rdf(RdfFormat::TriG)) => {}
        Some(Format::Rdf(RdfFormat::Turtle)) if !named => {}
        Some(_) => {
            let triple_terms = sorted.has_triple_terms();
            let quads = Walked { walk: &|| sorted.walk(sorted.all()), named, triple_terms };
            return write_walked(&quads, &args.answer, graph, progress, output);
        }
    }
    let prefixes = graph.prefixes()?;
    write_to(args.answer.output.as_deref(), Content::Rdf, output, |out| {
        turtle::write_sorted(sorted, false, prefixes, budget, &mut progress.counting(out))
    })
}

/// Writes the checksum of the written file beside it.
fn write_checksum(args: &Args) -> Result<()> {
    let Some(path) = &args.answer.output else {
        return Err(Error::usage("`--checksum` is of a file: name it with `--output`"));
    };
    let file = std::fs::File::open(path).map_err(|e| Error::io(path.display(), &e))?;
    let hash = sha256_of(BufReader::new(file)).map_err(|e| Error::io(path.display(), &e))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut beside = path.clone().into_os_string();
    beside.push(".sha256");
    write_file(Path::new(&beside), |out| writeln!(out, "{hash}  {name}").map_err(|e| Error::io("the checksum", &e)))
}

fn write_canonical(sorted: &Sorted<'_>, args: &Args, progress: &Progress, output: &mut Output) -> Result<()> {
    let mapped = write_to(args.answer.output.as_deref(), Content::Rdf, output, |out| {
        sorted.write_canonical(&mut progress.counting(out))
    })?;
    if mapped > 0 {
        output.note(&format!("{} mapped to RDF 1.1", count(mapped, "term", "terms")));
    }
    Ok(())
}
