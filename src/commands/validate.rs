//! `kgq validate`.

use super::answer::{AnswerArgs, seconds};
use super::output::{Output, files_of, write_to};
use super::terminal::Content;
use super::watchdog::Watchdog;
use kgq_engine::{Answer, Solutions};
use kgq_graph::check::shacl::{Report, ValidationResult};
use kgq_graph::check::{Finding, Severity, Validation};
use kgq_graph::export::turtle;
use kgq_graph::graph::Graph;
use kgq_graph::render::{self, Format};
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{GraphName, Literal, Prefixes, Quad, RdfFormat, Term, Variable};
use kgq_syntax::text::count;
use std::time::Instant;

/// Validate data against SHACL shapes, and report what does not conform
///
/// Data are the files named, else what -d names, else the project's, or the folder's if there is no kgq.toml. Shapes are those of --shapes, in a graph of their own;
/// without it, those among the data, or else the project's. SHACL 1.0 Core and SPARQL are run whole; of the Advanced Features,
/// targets and functions in SPARQL, sh:expression, and rules (sh:rule, sh:values), which add to the data before validation here
/// and in `kgq check`, never to what queries see. Rules of one sh:order see the same data; all are repeated until nothing new is found. JavaScript is not run,
/// and each shape that has some is named; so is what owl:imports names and no file holds. Rules that still find something after
/// 200 rounds fail.
///
/// The formats of graphs (turtle, ntriples, jsonld, …) write the sh:ValidationReport; json has an object for each result
/// with focus, path, value, shape and place; all others are tables. Exit codes: 0 the data conform; 1 a result is at least
/// as severe as --fail-on says; 3 a shape is ill-formed (it is named, and the rest is reported) or there are no shapes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDF files to validate; a folder means all below it, a glob ("data/**/*.ttl") those that it matches
    #[arg(value_name = "DATA")]
    pub files: Vec<String>,
    /// Files of shapes, folders or globs; may be repeated
    #[arg(long, short = 's', value_name = "FILE", num_args = 1..)]
    pub shapes: Vec<String>,
    /// The least severity that ends with exit code 1; a severity of your own counts as a violation
    #[arg(long, value_enum, default_value_t = FailOn::Info, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// Any result: the data do not conform, as the standard says it
    Info,
    Warning,
    Violation,
    /// None: results are reported only
    Never,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    let format = args.answer.chosen_format()?;
    let watchdog = Watchdog::start(&graph.options().limits);
    let (data, shapes) = (files_of(&args.files, output)?, files_of(&args.shapes, output)?);
    if let Some(path) = &args.answer.output {
        graph.refuse_file_of(path, &[&data[..], &shapes].concat())?;
    }
    let Validation { validated, prefixes, unnamed } = graph.validate(&data, &shapes)?;
    drop(watchdog);
    for fault in &validated.faults {
        fault.write_text(output.err_colour, &mut output.err).map_err(|e| Error::io("the standard error", &e))?;
    }
    if validated.shapes == 0 {
        return Err(
            Error::input("there are no shapes to validate against").hint("name their files with `--shapes FILE`")
        );
    }
    let (Some(report), None) = (&validated.report, &validated.failure) else {
        let kind = validated.failure.as_ref().map_or(Kind::Input, Error::kind);
        return Err(Error::new(kind, "validation failed, so there is no report"));
    };
    match format {
        Some(Format::Rdf(format)) => {
            let triples = report.to_triples().into_iter().chain(unnamed);
            let quads: Vec<Quad> = triples.map(|triple| triple.in_graph(GraphName::DefaultGraph)).collect();
            write_report(&quads, format, &prefixes, args, &graph.budget_of(Work::Validation), output)?;
        }
        Some(Format::Json) => {
            write_to(args.answer.output.as_deref(), Content::Json, output, |out| validated.write_json(out))?
        }
        Some(Format::Table) if report.conforms() => {}
        None if report.conforms() && output.terminal.is_some() => {}
        _ => {
            let rows = validated.findings.iter().filter_map(|finding| row(finding, &prefixes));
            let rows: Vec<_> = rows.map(Ok).collect();
            let variables = COLUMNS.map(Variable::new_unchecked).to_vec();
            let answer = Answer::Solutions(Solutions::new(variables, rows.into_iter()));
            let options = args.answer.options(&answer, &prefixes, output)?;
            write_to(args.answer.output.as_deref(), Content::of(options.format), output, |out| {
                render::write(answer, options, out)
            })?;
        }
    }
    output.note(&summary(report, validated.shapes, validated.inferred, started));
    let fails = report.results.iter().any(|result| severity(result) >= args.fail_on);
    let ill_formed = validated.faults.iter().any(|fault| fault.severity == Severity::Error);
    Ok(if ill_formed { Kind::Input.exit_code() } else { u8::from(fails) })
}

const COLUMNS: [&str; 7] = ["focus", "path", "value", "shape", "severity", "message", "place"];

fn row(finding: &Finding, prefixes: &Prefixes) -> Option<Vec<Option<Term>>> {
    let result = finding.result.as_deref()?;
    let text = |text: &str| Some(Term::from(Literal::new_simple_literal(text)));
    let path = result.path.as_ref().map(|path| match path {
        kgq_syntax::rdf::path::Path::Predicate(predicate) => predicate.clone().into(),
        path => {
            let path = path.map(&mut |predicate| prefixes.display(predicate.as_str()));
            Literal::new_simple_literal(path.to_string()).into()
        }
    });
    let shape = result.named_shape.clone().map_or_else(|| result.shape.clone(), Term::from);
    let messages: Vec<&str> = result.messages.iter().map(Literal::value).collect();
    Some(vec![
        Some(result.focus.clone()),
        path,
        result.value.clone(),
        Some(shape),
        Some(result.severity.clone().into()),
        text(&messages.join("; ")),
        text(&finding.place.to_string()),
    ])
}

/// Writes the report as the graph that SHACL 1.0 §3.6 defines, with the statements of the shapes graph about blank shapes.
fn write_report(
    quads: &[Quad],
    format: RdfFormat,
    prefixes: &Prefixes,
    args: &Args,
    budget: &Budget,
    output: &mut Output,
) -> Result<()> {
    let mut prefixes = prefixes.clone();
    for prefix in ["sh", "xsd"] {
        if let Some(namespace) = kgq_syntax::rdf::vocabulary::well_known(prefix) {
            prefixes.insert_if_absent(prefix, namespace);
        }
    }
    let content = Content::of(Format::Rdf(format));
    write_to(args.answer.output.as_deref(), content, output, |out| match format {
        RdfFormat::Turtle | RdfFormat::TriG if args.answer.rdf == render::RdfVersion::V12 => {
            out.write_all(turtle::write(quads, &prefixes, budget)?.as_bytes()).map_err(|e| Error::io("the output", &e))
        }
        format => render::write_quads(quads, format, &prefixes, args.answer.graph_options(), budget, out).map(|_| ()),
    })
}

fn severity(result: &ValidationResult) -> FailOn {
    match result.severity.as_str().strip_prefix("http://www.w3.org/ns/shacl#") {
        Some("Info") => FailOn::Info,
        Some("Warning") => FailOn::Warning,
        _ => FailOn::Violation,
    }
}

/// `does not conform: 2 violations, 1 warning; 3 shapes, 5 focus nodes, 4 statements added by rules, in 12 ms`.
fn summary(report: &Report, shapes: usize, inferred: usize, started: Instant) -> String {
    let mut counts = Vec::new();
    for (least, one, several) in [
        (FailOn::Violation, "violation", "violations"),
        (FailOn::Warning, "warning", "warnings"),
        (FailOn::Info, "remark", "remarks"),
    ] {
        let found = report.results.iter().filter(|result| severity(result) == least).count();
        if found > 0 {
            counts.push(count(found as u64, one, several));
        }
    }
    let verdict = match &counts[..] {
        [] if report.focus_nodes == 0 => "conforms, as no shape reaches any node".to_owned(),
        [] => "conforms".to_owned(),
        counts => format!("does not conform: {}", counts.join(", ")),
    };
    let added = match inferred {
        0 => String::new(),
        added => format!(", {} added by rules", count(added as u64, "statement", "statements")),
    };
    let time = seconds(started.elapsed());
    let shapes = count(shapes as u64, "shape", "shapes");
    let nodes = count(report.focus_nodes as u64, "focus node", "focus nodes");
    format!("{verdict}; {shapes}, {nodes}{added}, in {time}")
}
