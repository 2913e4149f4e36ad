//! `kgq describe`.

use super::answer::{AnswerArgs, write_answer};
use super::output::Output;
use crate::cli::complete;
use clap_complete::ArgValueCompleter;
use kgq_engine::{Answer, Triples};
use kgq_graph::catalog::{sentence, words_of};
use kgq_graph::graph::Graph;
use kgq_graph::render::cell;
use kgq_graph::request::describe::{Description, describe, triples};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, Prefixes, Term, Triple};
use kgq_syntax::text::{count, visible, width};
use std::time::Instant;

/// Show all about one thing: what the graph says of it, and what refers to it
///
/// The thing is named by a CURIE, an IRI, or a label in any language. What is inferred from other
/// statements is marked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq describe 商务部
  kgq describe 'Ministry of Commerce' --format turtle")]
pub struct Args {
    /// A CURIE, an IRI, or a label in any language
    #[arg(add = ArgValueCompleter::new(complete::terms))]
    pub term: String,
    /// Show statements about statements too: what cites it, what follows from it, whose words it is in
    #[arg(long)]
    pub statements: bool,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// For each property, the number of listed things that refer to the thing.
const SHOWN: usize = 20;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    let node = graph.resolve(&args.term)?;
    if args.answer.chosen_format()?.is_some() {
        let triples = triples(graph, &node, args.statements)?;
        let answer = Answer::Graph(Triples(Box::new(triples.into_iter().map(Ok))));
        write_answer(answer, &args.answer, graph, output, started)?;
        return Ok(0);
    }
    let text = page(&node, graph, output.colour, args.statements)?;
    output.page(&text)?;
    Ok(0)
}

/// Describes a thing as a page of text, with `statements` also the statements about its statements.
pub fn page(node: &NamedNode, graph: &Graph, colour: bool, statements: bool) -> Result<String> {
    let description = describe(graph, node, statements)?;
    let page = Page {
        description: &description,
        prefixes: graph.prefixes()?,
        language: &graph.language(),
        style: if colour { ["\x1b[1m", "\x1b[2m", "\x1b[0m"] } else { ["", "", ""] },
    };
    let mut out = page.head();
    page.write_facts(&mut out);
    page.write_referring(&mut out);
    if description.reified > 0 {
        out.push_str(&format!(
            "\n{} about it can be named; `--statements --format turtle` shows them\n",
            count(description.reified as u64, "statement", "statements")
        ));
    }
    Ok(out)
}

struct Page<'a> {
    description: &'a Description,
    prefixes: &'a Prefixes,
    language: &'a str,
    /// The escape sequences for bold, dim and normal.
    style: [&'a str; 3],
}

impl Page<'_> {
    fn label(&self, node: &NamedNode) -> Option<String> {
        self.description.labels.get(node, self.language).map(|label| visible(label).into_owned())
    }

    fn head(&self) -> String {
        let (thing, [bold, _, reset]) = (&self.description.thing, self.style);
        let title = self.label(thing).unwrap_or_else(|| visible(&self.prefixes.display(thing.as_str())).into_owned());
        let curie = self.prefixes.shorten(thing.as_str()).map(|curie| format!("{curie}  ")).unwrap_or_default();
        format!("{bold}{title}{reset}\n{curie}<{}>\n", visible(thing.as_str()))
    }

    fn name(&self, term: &Term) -> String {
        let [_, dim, reset] = self.style;
        match term {
            Term::NamedNode(node) => match self.label(node) {
                Some(label) => format!("{label}  {dim}{}{reset}", self.prefixes.display(node.as_str())),
                None => visible(&self.prefixes.display(node.as_str())).into_owned(),
            },
            Term::BlankNode(blank) => match self.description.expressions.get(blank) {
                Some(pieces) => sentence(pieces, &|term| self.in_words(term)),
                None => cell(term, self.prefixes),
            },
            Term::Literal(_) | Term::Triple(_) => cell(term, self.prefixes),
        }
    }

    /// Writes a term in a class expression in words.
    fn in_words(&self, term: &Term) -> String {
        match term {
            Term::NamedNode(node) => {
                self.label(node).unwrap_or_else(|| visible(&self.prefixes.display(node.as_str())).into_owned())
            }
            term => cell(term, self.prefixes),
        }
    }

    fn heading(&self, property: &NamedNode) -> String {
        if property.as_ref() == rdf::TYPE {
            return "a".to_owned();
        }
        // A coded name, such as `BFO_0000050`, is meaningless without its label.
        let label = if words_of(property.as_str()).is_none() { self.label(property) } else { None };
        let label = label.map(|label| format!("{label}  ")).unwrap_or_default();
        format!("{label}{}", self.prefixes.display(property.as_str()))
    }

    fn mark(&self, triple: &Triple) -> String {
        let [_, dim, reset] = self.style;
        if self.description.inferred.contains(triple) { format!("  {dim}inferred{reset}") } else { String::new() }
    }

    fn write_facts(&self, out: &mut String) {
        let (facts, [_, dim, reset]) = (&self.description.facts, self.style);
        let widest = facts.iter().map(|fact| width(&self.heading(&fact.property))).max().unwrap_or(0);
        if !facts.is_empty() {
            out.push('\n');
        }
        for fact in facts {
            for (number, (value, graph)) in fact.values.iter().enumerate() {
                let heading = if number == 0 { self.heading(&fact.property) } else { String::new() };
                let pad = " ".repeat(widest.saturating_sub(width(&heading)));
                let graph = match graph {
                    GraphName::DefaultGraph => String::new(),
                    graph => format!("  {dim}in {}{reset}", visible(&graph.to_string())),
                };
                let triple = Triple::new(self.description.thing.clone(), fact.property.clone(), value.clone());
                out.push_str(&format!("  {heading}{pad}  {}{graph}{}\n", self.name(value), self.mark(&triple)));
            }
            if fact.in_other_languages > 0 {
                let values = count(fact.in_other_languages as u64, "value", "values");
                let pad = " ".repeat(widest);
                out.push_str(&format!(
                    "  {pad}  {dim}… and {values} in other languages: --format turtle shows them{reset}\n"
                ));
            }
        }
    }

    fn write_referring(&self, out: &mut String) {
        let (Description { thing, referring, .. }, [bold, _, reset]) = (self.description, self.style);
        if !referring.is_empty() {
            out.push_str(&format!("\n{bold}referred to{reset}\n"));
        }
        let mut by_name: Vec<_> =
            referring.iter().map(|(p, list)| (self.prefixes.display(p.as_str()), p, list)).collect();
        by_name.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        for (property, iri, subjects) in by_name {
            out.push_str(&format!("  as {property} of {}\n", count(subjects.len() as u64, "thing", "things")));
            for subject in subjects.iter().take(SHOWN) {
                let triple = Triple::new(subject.clone(), iri.clone(), thing.clone());
                out.push_str(&format!("    {}{}\n", self.name(&subject.clone().into()), self.mark(&triple)));
            }
            if subjects.len() > SHOWN {
                out.push_str(&format!(
                    "    … and {} more: kgq query 'SELECT ?s {{ ?s {property} {} }}'\n",
                    subjects.len() - SHOWN,
                    self.prefixes.display(thing.as_str())
                ));
            }
        }
    }
}
