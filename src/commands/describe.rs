//! `kgq describe`.

use super::answer::{AnswerArgs, write_answer};
use super::output::Output;
use crate::cli::complete;
use clap_complete::ArgValueCompleter;
use kgq_engine::{Answer, Triples};
use kgq_graph::catalog::{Piece, expression, rank, sentence, words_of};
use kgq_graph::graph::Graph;
use kgq_graph::render::cell;
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, NamedNode, NamedOrBlankNode, Quad, Term, TermRef, Triple};
use kgq_syntax::text::{count, visible, width};
use std::collections::BTreeMap;
use std::time::Instant;

/// Show all about one thing: what the graph says of it, and what refers to it
///
/// The thing is named by a CURIE, an IRI, or a label in any language.
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

/// How many things that refer to it are listed for each property.
const SHOWN: usize = 20;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    let node = graph.resolve(&args.term)?;
    if args.answer.chosen_format()?.is_some() {
        let triples = about(&node, graph.snapshot()?, args.statements)?;
        let answer = Answer::Graph(Triples(Box::new(triples.into_iter().map(Ok))));
        write_answer(answer, &args.answer, graph, output, started)?;
        return Ok(0);
    }
    let text = page(&node, graph, output.colour, args.statements)?;
    output.page(&text)?;
    Ok(0)
}

/// The triples that have the thing as subject or object, and, if wanted, what is said of their reifiers.
fn about(node: &NamedNode, snapshot: &Snapshot, statements: bool) -> Result<Vec<Triple>> {
    let thing = TermRef::from(node.as_ref());
    let mut quads: Vec<Quad> = snapshot.find(Some(thing), None, None).collect();
    quads.extend(snapshot.find(None, None, Some(thing)).filter(|quad| statements || !by_reifier(quad, snapshot)));
    if statements {
        for reifier in reifiers(node, snapshot) {
            quads.extend(snapshot.find(Some(reifier.subject.as_ref().into()), None, None));
        }
    }
    snapshot.intact()?;
    let mut seen = rustc_hash::FxHashSet::default();
    Ok(quads.into_iter().map(Triple::from).filter(|triple| seen.insert(triple.clone())).collect())
}

/// The statements that name one which has the thing as subject or object.
fn reifiers(node: &NamedNode, snapshot: &Snapshot) -> Vec<Quad> {
    let Some(id) = snapshot.id(node.as_ref().into()) else { return Vec::new() };
    let triples = snapshot.kind_range(TermKind::Triple).map(TermId::new);
    let touching = triples.filter(|t| snapshot.triple_components(*t).is_some_and(|[s, _, o]| s == id || o == id));
    touching.flat_map(|t| snapshot.find(None, None, Some(snapshot.term(t).as_ref())).collect::<Vec<_>>()).collect()
}

/// Whether a statement is about another: its subject reifies something.
fn by_reifier(quad: &Quad, snapshot: &Snapshot) -> bool {
    snapshot.find(Some(quad.subject.as_ref().into()), Some(rdf::REIFIES.into()), None).next().is_some()
}

/// Up to how many values in other languages stand beside those in the reader's.
const FEW_LANGUAGES: usize = 3;

/// The values to show, and how many in other languages are passed over, where these are more than a few.
fn by_language<'q>(quads: &[&'q Quad], own: &str) -> (Vec<&'q Quad>, usize) {
    let language = |quad: &'q Quad| match &quad.object {
        Term::Literal(literal) => literal.language(),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    };
    let tags: Vec<&str> = quads.iter().filter_map(|quad| language(quad)).collect();
    if tags.iter().filter(|tag| **tag != own).count() <= FEW_LANGUAGES {
        return (quads.to_vec(), 0);
    }
    let wanted = [own, "en"].into_iter().find(|wanted| tags.contains(wanted)).or(tags.first().copied());
    let shown: Vec<&Quad> =
        quads.iter().filter(|quad| language(quad).is_none_or(|tag| Some(tag) == wanted)).copied().collect();
    let others = quads.len() - shown.len();
    (shown, others)
}

/// A class expression in words; `None` of any other blank node.
fn in_words(node: &BlankNode, graph: &Graph, language: &str) -> Option<String> {
    let (snapshot, prefixes) = (graph.snapshot().ok()?, graph.prefixes().ok()?);
    let facts = |node: &BlankNode| {
        let quads = snapshot.find(Some(node.as_ref().into()), None, None);
        quads.map(|quad| (quad.predicate, quad.object)).collect()
    };
    let pieces = expression(node, &facts)?;
    let nodes = pieces.iter().filter_map(|piece| match piece {
        Piece::Term(Term::NamedNode(node)) => Some(node),
        Piece::Term(_) | Piece::Word(_) | Piece::Open | Piece::Close | Piece::Comma => None,
    });
    let labels = graph.labels_of(nodes).ok()?;
    let name = |term: &Term| match term {
        Term::NamedNode(node) => {
            let label = labels.get(node, language).map(|label| visible(label).into_owned());
            label.unwrap_or_else(|| visible(&prefixes.display(node.as_str())).into_owned())
        }
        term => cell(term, prefixes),
    };
    Some(sentence(&pieces, &name))
}

/// The thing as a page of text, without statements about statements unless they are wanted.
pub fn page(node: &NamedNode, graph: &Graph, colour: bool, statements: bool) -> Result<String> {
    let (bold, dim, reset) = if colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let prefixes = graph.prefixes()?;
    let snapshot = graph.snapshot()?;
    let language = graph.language();
    let thing = TermRef::from(node.as_ref());
    let said: Vec<Quad> = snapshot.find(Some(thing), None, None).collect();
    let referring: Vec<Quad> =
        snapshot.find(None, None, Some(thing)).filter(|quad| statements || !by_reifier(quad, snapshot)).collect();
    let objects = said.iter().filter_map(|quad| match &quad.object {
        Term::NamedNode(object) => Some(object),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    let subjects = referring.iter().filter_map(|quad| match &quad.subject {
        NamedOrBlankNode::NamedNode(subject) => Some(subject),
        NamedOrBlankNode::BlankNode(_) => None,
    });
    let predicates = said.iter().chain(&referring).map(|quad| &quad.predicate);
    let labels = graph.labels_of(std::iter::once(node).chain(objects).chain(subjects).chain(predicates))?;
    let name = |term: &Term| match term {
        Term::NamedNode(n) => match labels.get(n, &language) {
            Some(label) => format!("{}  {dim}{}{reset}", visible(label), prefixes.display(n.as_str())),
            None => visible(&prefixes.display(n.as_str())).into_owned(),
        },
        Term::BlankNode(blank) => in_words(blank, graph, &language).unwrap_or_else(|| cell(term, prefixes)),
        Term::Literal(_) | Term::Triple(_) => cell(term, prefixes),
    };

    // A name that is a code, such as `BFO_0000050`, says nothing alone.
    let called = |p: &NamedNode| {
        let label = labels.get(p, &language).filter(|_| words_of(p.as_str()).is_none());
        let label = label.map(|label| format!("{}  ", visible(label))).unwrap_or_default();
        format!("{label}{}", prefixes.display(p.as_str()))
    };

    let mut out = String::new();
    let title = labels.get(node, &language).map_or_else(|| prefixes.display(node.as_str()), str::to_owned);
    out.push_str(&format!("{bold}{}{reset}\n", visible(&title)));
    let curie = prefixes.shorten(node.as_str()).map(|c| format!("{c}  ")).unwrap_or_default();
    out.push_str(&format!("{curie}<{}>\n", visible(node.as_str())));

    // `a` first, then names, then the other properties in the order of their IRIs.
    let mut facts: Vec<(&NamedNode, Vec<&Quad>)> = Vec::new();
    for quad in &said {
        match facts.iter_mut().find(|(p, _)| **p == quad.predicate) {
            Some((_, list)) => list.push(quad),
            None => facts.push((&quad.predicate, vec![quad])),
        }
    }
    facts.sort_by_key(|(p, _)| (p.as_ref() != rdf::TYPE, rank(p.as_str()).unwrap_or(u8::MAX)));
    let heading = |p: &NamedNode| if p.as_ref() == rdf::TYPE { "a".to_owned() } else { called(p) };
    let widest = facts.iter().map(|(p, _)| width(&heading(p))).max().unwrap_or(0);
    if !facts.is_empty() {
        out.push('\n');
    }
    for (predicate, list) in &facts {
        let (shown, others) = by_language(list, &language);
        for (number, quad) in shown.iter().enumerate() {
            let heading = if number == 0 { heading(predicate) } else { String::new() };
            let pad = " ".repeat(widest.saturating_sub(width(&heading)));
            let graph = match &quad.graph_name {
                oxrdf::GraphName::DefaultGraph => String::new(),
                graph => format!("  {dim}in {}{reset}", visible(&graph.to_string())),
            };
            out.push_str(&format!("  {heading}{pad}  {}{graph}\n", name(&quad.object)));
        }
        if others > 0 {
            let values = count(others as u64, "value", "values");
            let pad = " ".repeat(widest);
            out.push_str(&format!(
                "  {pad}  {dim}… and {values} in other languages: --format turtle shows them{reset}\n"
            ));
        }
    }

    let mut incoming: BTreeMap<String, Vec<Term>> = BTreeMap::new();
    for quad in &referring {
        incoming.entry(prefixes.display(quad.predicate.as_str())).or_default().push(quad.subject.clone().into());
    }
    if !incoming.is_empty() {
        out.push_str(&format!("\n{bold}referred to{reset}\n"));
    }
    for (predicate, subjects) in &incoming {
        out.push_str(&format!("  as {predicate} of {}\n", count(subjects.len() as u64, "thing", "things")));
        for subject in subjects.iter().take(SHOWN) {
            out.push_str(&format!("    {}\n", name(subject)));
        }
        if subjects.len() > SHOWN {
            out.push_str(&format!(
                "    … and {} more: kgq query 'SELECT ?s {{ ?s {predicate} {} }}'\n",
                subjects.len() - SHOWN,
                prefixes.display(node.as_str())
            ));
        }
    }
    let reified = reifiers(node, snapshot).len();
    snapshot.intact()?;
    if reified > 0 {
        out.push_str(&format!(
            "\n{} about it can be named; `--statements --format turtle` shows them\n",
            count(reified as u64, "statement", "statements")
        ));
    }
    Ok(out)
}
