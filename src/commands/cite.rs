//! `kgq cite`, and for `--cite` the sources of an answer's rows.

mod sentences;

use super::answer::{AnswerArgs, note_unlinked, parse_format, refuse_binary, seconds};
use super::output::{Output, write_to};
use super::terminal::Content;
use crate::cli::complete;
use clap_complete::ArgValueCompleter;
use kgq_engine::Answer;
use kgq_engine::query::Query;
use kgq_graph::audit::{Audit, Reference, Statement, Texts};
use kgq_graph::graph::Graph;
use kgq_graph::render::{
    Cited, ColumnOptions, Format, RdfVersion, RenderOptions, TableOptions, Written, cell, reference, write_cited,
};
use kgq_graph::request::cite::{CitationState, Wanted, cited};
use kgq_graph::request::cited::{CitedAnswer, cited_answer};
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Prefixes, Term, Triple};
use kgq_syntax::text::{count, visible};
use std::path::PathBuf;
use std::time::Instant;

/// Show where statements come from: document, date, sentence, characters, anchor
///
/// With one term, every statement about it; with three, the statements of that subject, predicate and object, each a
/// CURIE, an IRI, a label, a literal's text, or `_` for any.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq cite figure:fdi-2024
  kgq cite 'Zhu Bing' _ _
  kgq cite --sentences source:article
  kgq cite --sentences source:article --format json
  kgq cite _ ou:qualifier qualifier:about --source article.txt")]
pub struct Args {
    /// A term, or subject, predicate and object
    #[arg(value_name = "TERM", required_unless_present = "sentences", num_args = 1..=3, add = ArgValueCompleter::new(complete::terms))]
    pub terms: Vec<String>,
    /// List the sentences of a source document instead: number, characters, words, and how many statements rest on each
    #[arg(long, value_name = "DOCUMENT", conflicts_with = "terms")]
    pub sentences: Option<String>,
    #[command(flatten)]
    pub sources: SourceArgs,
    /// The format of the list of sentences: table, csv, tsv, json, xml, markdown, ndjson, html, arrow, parquet, xlsx
    #[arg(long, short = 'F', value_parser = parse_format, value_name = "FORMAT", conflicts_with = "terms")]
    pub format: Option<Format>,
    /// Write the list of sentences to this file; it is replaced when the list is whole
    #[arg(long, short, value_name = "FILE", conflicts_with = "terms")]
    pub output: Option<PathBuf>,
}

/// Where texts of source documents are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SourceArgs {
    /// The text of a source document, to show the sentences cited; known by its hash
    #[arg(long, value_name = "FILE")]
    pub source: Vec<PathBuf>,
}

/// Whether an answer's rows show what they rest on.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CiteArgs {
    /// Number the rows and list the sources of the statements behind each
    #[arg(long)]
    pub cite: bool,
    #[command(flatten)]
    pub sources: SourceArgs,
}

fn warn_of_hidden_texts(graph: &Graph, output: &mut Output) {
    if !output.quiet {
        graph.hidden_texts().into_iter().for_each(|text| output.warn(&text.as_warning()));
    }
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &args.sources.source)?;
    warn_of_hidden_texts(graph, output);
    if let Some(document) = &args.sentences {
        let answer = AnswerArgs {
            format: args.format,
            output: args.output.clone(),
            rdf: RdfVersion::V12,
            ..AnswerArgs::default()
        };
        answer.check(graph)?;
        return sentences::list(&graph.resolve(document)?, &audit, &texts, &answer, graph, output);
    }
    let wanted = Wanted::read(&args.terms, graph)?;
    let describe = || format!("`kgq describe {}` shows what it says", args.terms[0]);
    let found = cited(graph, &audit, &wanted).map_err(|error| error.hint(describe()))?;
    let prefixes = graph.prefixes()?;
    let mut page = Page { audit: &audit, texts: &texts, prefixes, colour: output.colour, out: String::new() };
    let (mut shown, mut uncited, mut exempt) = (0, 0, 0);
    for statement in found {
        match statement.state {
            CitationState::By(statements) => {
                shown += 1;
                page.statement(&statement.triple, &statements);
            }
            CitationState::Missing => {
                uncited += 1;
                page.uncited(&statement.triple);
            }
            CitationState::Exempt => exempt += 1,
        }
    }
    let text = page.out;
    if !text.is_empty() {
        output.page(&text)?;
    }
    output.note(&format!(
        "{} with a citation, {uncited} without, {exempt} that need none",
        count(shown, "statement", "statements"),
    ));
    Ok(0)
}

/// Prints statements with their sources as text.
struct Page<'a> {
    audit: &'a Audit<'a>,
    texts: &'a Texts,
    prefixes: &'a Prefixes,
    colour: bool,
    out: String,
}

/// How many levels of an inference's premises are printed.
const DEEPEST: usize = 8;

impl Page<'_> {
    fn triple(&self, triple: &Triple) -> String {
        let (bold, reset) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let part = |term: Term| cell(&term, self.prefixes);
        let subject = part(triple.subject.clone().into());
        let predicate = part(triple.predicate.clone().into());
        format!("{bold}{subject}  {predicate}  {}{reset}", part(triple.object.clone()))
    }

    fn uncited(&mut self, triple: &Triple) {
        let line = self.triple(triple);
        self.out.push_str(&format!("{line}\n  no citation\n\n"));
    }

    fn statement(&mut self, triple: &Triple, statements: &[Statement]) {
        let line = self.triple(triple);
        self.out.push_str(&format!("{line}\n"));
        for statement in statements {
            self.sources(statement, 1);
        }
        self.out.push('\n');
    }

    fn sources(&mut self, statement: &Statement, depth: usize) {
        let pad = "  ".repeat(depth);
        for (property, value) in self.audit.remarks(&statement.reifier) {
            let property =
                if property.as_ref() == rdf::TYPE { "a".to_owned() } else { self.prefixes.display(property.as_str()) };
            self.out.push_str(&format!("{pad}{property} {}\n", cell(&value, self.prefixes)));
        }
        for citation in &statement.citations {
            let text = reference(&Reference::new(citation, self.audit, self.texts), self.colour);
            for line in text.lines() {
                self.out.push_str(&format!("{pad}{line}\n"));
            }
        }
        for ground in &statement.grounds {
            let Some(ground) = self.audit.statement(ground) else {
                let node = cell(&ground.clone().into(), self.prefixes);
                self.out.push_str(&format!("{pad}inferred from {node}, which names no statement\n"));
                continue;
            };
            self.out.push_str(&format!("{pad}inferred from  {}\n", self.triple(&ground.triple)));
            if depth < DEEPEST {
                self.sources(&ground, depth + 1);
            }
        }
    }
}

/// Options for writing an answer with its sources.
#[derive(Clone, Copy, Debug)]
pub struct Citing<'a> {
    pub cite: &'a CiteArgs,
    pub answer: &'a AnswerArgs,
    /// The number of the first row.
    pub first: usize,
    /// When the work on it began.
    pub started: Instant,
}

/// Writes an answer with the sources of each row.
pub fn write_cited_answer(
    answer: Answer,
    query: &Query,
    citing: Citing<'_>,
    graph: &Graph,
    output: &mut Output,
) -> Result<Written> {
    let Citing { cite, answer: args, first, started } = citing;
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &cite.sources.source)?;
    warn_of_hidden_texts(graph, output);
    let is_false = matches!(answer, Answer::Boolean(false));
    let found = cited_answer(graph, query, answer, &audit, &texts, &graph.evaluation_options());
    let found = found.map_err(|error| match is_false {
        true => error.hint("`kgq why-not` says what is missing"),
        false => error,
    })?;
    let to_terminal = args.output.is_none() && output.terminal.is_some();
    let budget = graph.budget_of(Work::Query);
    let options = RenderOptions {
        format: args.chosen_format()?.unwrap_or(Format::Table),
        prefixes: graph.prefixes()?,
        width: output.terminal.filter(|_| args.output.is_none()),
        colour: output.colour && args.output.is_none(),
        graph: args.graph_options(),
        cells: kgq_graph::render::CellOptions::default(),
        columns: ColumnOptions { budget: Some(&budget), ..args.columns() },
        table: TableOptions::default(),
    };
    if to_terminal {
        refuse_binary(options.format)?;
    }
    if !audit.has_citations() {
        output.note("the graph cites nothing: no statement has a reifier that was derived from a citation");
    }
    let CitedAnswer { variables, rows, sources, has_rule, references, .. } = found;
    let cited = Cited { variables, rows, first, sources, has_rule, references: &references };
    let content = Content::of(options.format);
    let written = write_to(args.output.as_deref(), content, output, |out| write_cited(cited, options, out))?;
    note_unlinked(written.unlinked, output);
    if to_terminal {
        let rows = count(written.rows, "row", "rows");
        let what = format!("{rows}, {}", count(references.len() as u64, "source", "sources"));
        output.note(&visible(&format!("{what} in {}", seconds(started.elapsed()))));
    }
    Ok(written)
}
