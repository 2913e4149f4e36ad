//! `kgq diff`.

use super::output::Output;
use super::revision::Revision;
use super::watchdog::Watchdog;
use kgq_graph::catalog::Labels;
use kgq_graph::graph::Graph;
use kgq_graph::render::cell;
use kgq_graph::request::diff::{Difference, QueryChange, RowChange, SubjectChange, diff};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term};
use kgq_syntax::text::{count, visible};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Show what changed between two revisions of the project: statements, and the rows of canned queries with their reasons
///
/// A revision is what git takes for one: a commit, a branch, a tag, HEAD~3. Without a second one the first is compared with the files as
/// they are; without any, HEAD is. Canned queries are asked in their newer text; those that need a parameter are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq diff
  kgq diff HEAD~5
  kgq diff v1.0 v1.1 --format markdown")]
pub struct Args {
    /// The older revision
    #[arg(value_name = "REVISION", default_value = "HEAD")]
    pub old: String,
    /// The newer revision, instead of the files as they are
    #[arg(value_name = "REVISION")]
    pub new: Option<String>,
    /// How it is shown
    #[arg(long, short = 'F', value_enum, default_value_t = DiffFormat::Text, value_name = "FORMAT")]
    pub format: DiffFormat,
    /// End with exit code 1 where something differs
    #[arg(long)]
    pub exit_status: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DiffFormat {
    /// For people
    Text,
    /// For a pull request
    Markdown,
    Json,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let _watchdog = Watchdog::start(&graph.options().asked_limits);
    let old = Revision::open(graph, &args.old, output)?;
    let new = args.new.as_ref().map(|new| Revision::open(graph, new, output)).transpose()?;
    let (newer, newer_name) = match &new {
        Some(new) => (&new.graph, new.name.as_str()),
        None => (graph, "the files as they are"),
    };
    let difference = diff(&old.graph, newer)?;
    match args.format {
        DiffFormat::Json => output.line(&format!("{:#}", to_json(&difference)))?,
        DiffFormat::Text | DiffFormat::Markdown => {
            let things = difference.subjects.iter().filter_map(|change| match &change.subject {
                NamedOrBlankNode::NamedNode(node) => Some(node),
                NamedOrBlankNode::BlankNode(_) => None,
            });
            let things: Vec<&NamedNode> = things.collect();
            let page = Page {
                prefixes: newer.prefixes()?,
                labels: [&newer.labels_of(things.iter().copied())?, &old.graph.labels_of(things)?],
                language: &newer.language(),
                markdown: args.format == DiffFormat::Markdown,
                colour: output.colour && args.format == DiffFormat::Text,
            };
            output.line(page.text(&difference, &old.name, newer_name).trim_end())?;
        }
    }
    Ok(u8::from(args.exit_status && !difference.is_empty()))
}

struct Page<'a> {
    prefixes: &'a Prefixes,
    /// The labels in the newer graph, then those in the older.
    labels: [&'a Labels; 2],
    language: &'a str,
    markdown: bool,
    colour: bool,
}

impl Page<'_> {
    fn text(&self, difference: &Difference, old: &str, new: &str) -> String {
        let mut out = String::new();
        let (removed, added) = difference.subjects.iter().fold((0, 0), |(removed, added), change| {
            (removed + change.removed.len() as u64, added + change.added.len() as u64)
        });
        // Writing to a `String` cannot fail.
        let lead = if self.markdown { "## " } else { "" };
        let _ = writeln!(out, "{lead}{} → {}", visible(old), visible(new));
        let _ = writeln!(
            out,
            "\n{} added, {} removed, about {}",
            count(added, "statement", "statements"),
            count(removed, "statement", "statements"),
            count(difference.subjects.len() as u64, "thing", "things")
        );
        for change in &difference.subjects {
            self.subject(change, &mut out);
        }
        let _ = writeln!(
            out,
            "\n{} of {} asked with a different answer",
            count(difference.queries.len() as u64, "canned query", "canned queries"),
            difference.asked
        );
        for change in &difference.queries {
            self.query(change, &mut out);
        }
        if !difference.left_out.is_empty() {
            let names: Vec<_> = difference.left_out.iter().map(|name| visible(name)).collect();
            let _ = writeln!(out, "\nnot asked, as a parameter has no value: {}", names.join(", "));
        }
        out
    }

    fn heading(&self, title: &str, out: &mut String) {
        let (bold, reset) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = match self.markdown {
            true => writeln!(out, "\n### {title}\n\n```diff"),
            false => writeln!(out, "\n{bold}{title}{reset}"),
        };
    }

    fn end(&self, out: &mut String) {
        if self.markdown {
            out.push_str("```\n");
        }
    }

    fn line(&self, is_new: bool, text: &str, out: &mut String) {
        let sign = if is_new { '+' } else { '-' };
        let (colour, reset) = match (self.colour, is_new) {
            (false, _) => ("", ""),
            (true, true) => ("\x1b[32m", "\x1b[0m"),
            (true, false) => ("\x1b[31m", "\x1b[0m"),
        };
        let _ = writeln!(out, "{colour}{sign} {text}{reset}");
    }

    fn subject(&self, change: &SubjectChange, out: &mut String) {
        let shown = cell(&change.subject.clone().into(), self.prefixes);
        let label = match &change.subject {
            NamedOrBlankNode::NamedNode(node) => self.labels.iter().find_map(|labels| labels.get(node, self.language)),
            NamedOrBlankNode::BlankNode(_) => None,
        };
        let title = label.map_or(shown.clone(), |label| format!("{}  {shown}", visible(label)));
        self.heading(&title, out);
        for (is_new, quads) in [(false, &change.removed), (true, &change.added)] {
            for quad in quads {
                self.line(is_new, &self.property(quad), out);
            }
        }
        self.end(out);
    }

    fn property(&self, quad: &Quad) -> String {
        let graph = match &quad.graph_name {
            GraphName::DefaultGraph => String::new(),
            graph => format!("  in {}", visible(&graph.to_string())),
        };
        let object = cell(&quad.object, self.prefixes);
        format!("{}  {object}{graph}", cell(&quad.predicate.clone().into(), self.prefixes))
    }

    fn query(&self, change: &QueryChange, out: &mut String) {
        let text = if change.text_changed { " (its text changed; the newer was asked of both)" } else { "" };
        self.heading(&format!("{}{text}", visible(&change.name)), out);
        if let Some(failure) = &change.failure {
            let _ = writeln!(out, "  it cannot be asked of both: {}", visible(failure.message()));
        }
        for (is_new, rows) in [(false, &change.lost), (true, &change.gained)] {
            for row in rows {
                self.row(is_new, row, out);
            }
        }
        self.end(out);
    }

    fn row(&self, is_new: bool, change: &RowChange, out: &mut String) {
        let value = |term: &Option<Term>| term.as_ref().map_or_else(|| "–".to_owned(), |t| cell(t, self.prefixes));
        let cells: Vec<String> = change.row.iter().map(value).collect();
        self.line(is_new, &cells.join("  "), out);
        for quad in &change.because {
            let _ = writeln!(
                out,
                "    because of {}  {}",
                cell(&quad.subject.clone().into(), self.prefixes),
                self.property(quad)
            );
        }
    }
}

fn to_json(difference: &Difference) -> Value {
    let quads = |quads: &[Quad]| quads.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows = |change: &QueryChange, rows: &[RowChange]| -> Vec<Value> {
        let row = |row: &RowChange| {
            let cells = change.columns.iter().zip(&row.row);
            let cells = cells.map(|(v, value)| (v.as_str().to_owned(), value.as_ref().map(Term::to_string).into()));
            json!({ "row": Value::Object(cells.collect()), "because": quads(&row.because) })
        };
        rows.iter().map(row).collect()
    };
    json!({
        "statements": difference.subjects.iter().map(|change| json!({
            "subject": change.subject.to_string(),
            "removed": quads(&change.removed),
            "added": quads(&change.added),
        })).collect::<Vec<_>>(),
        "queries": difference.queries.iter().map(|change| json!({
            "name": change.name,
            "text-changed": change.text_changed,
            "failure": change.failure.as_ref().map(|failure| failure.message()),
            "lost": rows(change, &change.lost),
            "gained": rows(change, &change.gained),
        })).collect::<Vec<_>>(),
        "asked": difference.asked,
        "not-asked": difference.left_out,
    })
}
