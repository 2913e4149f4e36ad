//! Checks whether a bundle holds: by itself, and against a graph.

use super::archive::{self, Entry};
use super::canonical::CanonicalGraph;
use super::files::{CHECKSUMS, checksums};
use super::make::{answer, items};
use super::stored::{Stored, row_line};
use super::{Bundle, sources};
use crate::audit::{CitedText, Failure, Reference};
use crate::graph::Graph;
use kgq_engine::EvaluationOptions;
use kgq_engine::why::{Item, holds, why};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, NamedOrBlankNode, Quad, Term};
use kgq_syntax::text::count;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One thing that was checked, and the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub truth: ClaimTruth,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimTruth {
    Holds,
    Fails,
    /// What is available does not decide it.
    Unknown,
}

impl Claim {
    pub fn holds(text: impl Into<String>) -> Self {
        Self { truth: ClaimTruth::Holds, text: text.into() }
    }

    pub fn fails(text: impl Into<String>) -> Self {
        Self { truth: ClaimTruth::Fails, text: text.into() }
    }

    pub fn unknown(text: impl Into<String>) -> Self {
        Self { truth: ClaimTruth::Unknown, text: text.into() }
    }
}

/// Reads an archive, and compares it with the archive written from what was read.
///
/// # Errors
/// What differs, or why it is not a bundle.
pub fn unpack(bytes: &[u8]) -> std::result::Result<Bundle, Vec<Claim>> {
    let failed = |error: Error| vec![Claim::fails(error.message())];
    let entries = archive::read(bytes).map_err(failed)?;
    let changed = changed(&entries);
    if !changed.is_empty() {
        return Err(changed);
    }
    let bundle = Bundle::read(&entries).map_err(failed)?;
    let again = bundle.entries().map_err(failed)?;
    let differs = differing(&entries, &again);
    if !differs.is_empty() {
        return Err(differs);
    }
    if archive::write(again).map_err(failed)? != bytes {
        return Err(vec![Claim::fails(
            "the form of the archive is not the one that kgq writes: it was changed or packed again",
        )]);
    }
    Ok(bundle)
}

/// Returns the files whose hash differs from the one in `checksums.txt`.
fn changed(entries: &[Entry]) -> Vec<Claim> {
    let Some(stated) = entries.iter().find(|entry| entry.name == CHECKSUMS) else {
        return vec![Claim::fails(format!("there is no {CHECKSUMS} in it"))];
    };
    let stated = String::from_utf8_lossy(&stated.bytes);
    let stated: FxHashSet<&str> = stated.lines().collect();
    let found = checksums(entries);
    let names = found.lines().filter(|line| !stated.contains(line)).filter_map(|line| line.get(66..));
    names.map(|name| Claim::fails(format!("{name} is not what {CHECKSUMS} says it is"))).collect()
}

fn differing(entries: &[Entry], again: &[Entry]) -> Vec<Claim> {
    let by_name = |entries: &[Entry]| -> BTreeMap<String, Vec<u8>> {
        entries.iter().map(|entry| (entry.name.clone(), entry.bytes.clone())).collect()
    };
    let (found, made) = (by_name(entries), by_name(again));
    let strange = found.keys().filter(|name| !made.contains_key(*name));
    let strange = strange.map(|name| Claim::fails(format!("{name:?} does not belong to a bundle")));
    let other = made.iter().filter(|(name, bytes)| found.get(*name) != Some(bytes));
    strange
        .chain(other.map(|(name, _)| Claim::fails(format!("{name} does not follow from the rest of the bundle"))))
        .collect()
}

/// Checks whether what a bundle says follows from what it holds: each row from its witness, the quoted words from their
/// hashes. It needs no graph.
///
/// # Errors
/// A query that cannot be evaluated; a limit that was exceeded.
pub fn verify(bundle: &Bundle, bounds: Bounds, options: &EvaluationOptions) -> Result<Vec<Claim>> {
    let mut claims =
        vec![Claim::holds("every file matches its checksum, and derived files came out the same when made again")];
    let asked = &bundle.facts.query;
    let query = asked.query(&bundle.query, bounds)?;
    let options = asked.options(options);
    let mut rows = 0;
    for (number, (item, witness)) in items(&bundle.answer).into_iter().zip(&bundle.witnesses).enumerate() {
        if holds(witness, &query, item, &options)? {
            rows += 1;
        } else {
            claims.push(Claim::fails(format!("the witness of {} does not give it", name(item, number))));
        }
    }
    claims.push(match (bundle.answer.parts(), rows) {
        (0, _) => Claim::unknown(
            "the answer has nothing that a witness could show: whether it holds, only the graph can tell",
        ),
        (all, rows) if all == rows => {
            Claim::holds(format!("{} by the statements of its witness", given(&bundle.answer)))
        }
        (all, rows) => Claim::fails(format!("{rows} of {all} are given by their witnesses")),
    });
    let statements = bundle.statements_and_provenance()?;
    let audit = sources::audit(&statements, &bundle.facts.citations);
    let faults = sources::faults(&audit, &bundle.quotes);
    if faults.is_empty() && !bundle.quotes.is_empty() {
        let quoted = count(bundle.quotes.len() as u64, "quotation has", "quotations have");
        claims.push(Claim::holds(format!("{quoted} the hash and the anchor that the graph states")));
    }
    claims.extend(faults.into_iter().map(Claim::fails));
    Ok(claims)
}

fn given(answer: &Stored) -> String {
    match answer {
        Stored::Boolean(_) => "the answer is made true".to_owned(),
        Stored::Table { rows, .. } => format!("each of {} is given", count(rows.len() as u64, "row", "rows")),
        Stored::Graph(triples) => format!("each of {} is given", count(triples.len() as u64, "triple", "triples")),
    }
}

fn name(item: Item<'_>, number: usize) -> String {
    match item {
        Item::Row(..) => format!("row {}", number + 1),
        Item::Triple(_) => format!("triple {}", number + 1),
        Item::True => "the answer".to_owned(),
    }
}

/// How a graph compares with a bundle.
pub struct Standing {
    pub claims: Vec<Claim>,
    /// Rows that the graph no longer gives, each with the statements of its witness that it no longer has.
    pub lost: Vec<(String, Vec<Quad>)>,
    /// Rows that the graph gives now, each with those statements of its witness that no witness of the bundle has.
    pub gained: Vec<(String, Vec<Quad>)>,
}

/// The largest number of new rows that are explained.
const EXPLAINED: usize = 50;

/// Asks the graph the bundle's question, and looks up the bundle's sentences in the available texts.
///
/// # Errors
/// Those of loading and evaluation.
pub fn compare(bundle: &Bundle, graph: &Graph, files: &[PathBuf]) -> Result<Standing> {
    let mut standing = Standing { claims: sentences(bundle, graph, files)?, lost: Vec::new(), gained: Vec::new() };
    let budget = graph.budget_of(Work::Export);
    let CanonicalGraph { snapshot, sha256, held: _held, .. } = CanonicalGraph::of(graph, &budget)?;
    let same = sha256 == bundle.facts.graph.sha256;
    standing.claims.push(match same {
        true => Claim::holds("the graph at hand is the one that was asked"),
        false => Claim::unknown("the graph at hand is not the one that was asked"),
    });
    let query = bundle.facts.query.query(&bundle.query, graph.options().bounds)?;
    let options = bundle.facts.query.options(&graph.evaluation_options());
    let now = answer(&snapshot, &query, &options)?;
    let (before, after) = (keys(&bundle.answer), keys(&now));
    for at in only(&before, &after) {
        let witness = bundle.witnesses.get(at).map(Vec::as_slice).unwrap_or_default();
        let gone = witness.iter().filter(|quad| snapshot.ids(quad.as_ref()).is_none()).cloned().collect();
        standing.lost.push((before[at].clone(), gone));
    }
    let known: FxHashSet<&Quad> = bundle.witnesses.iter().flatten().collect();
    let shown = items(&now);
    for (done, at) in only(&after, &before).into_iter().enumerate() {
        let found = match shown.get(at).filter(|_| done < EXPLAINED) {
            Some(item) => why(&snapshot, &query, *item, &options)?.map(|why| why.statements).unwrap_or_default(),
            None => Vec::new(),
        };
        standing.gained.push((after[at].clone(), found.into_iter().filter(|quad| !known.contains(quad)).collect()));
    }
    let same_answer = standing.lost.is_empty() && standing.gained.is_empty();
    standing.claims.push(match same_answer {
        true => Claim::holds("the graph at hand gives the same answer"),
        false => Claim::fails("the graph at hand gives another answer"),
    });
    Ok(standing)
}

/// Checks whether the sentences are in the available texts where the bundle says.
fn sentences(bundle: &Bundle, graph: &Graph, files: &[PathBuf]) -> Result<Vec<Claim>> {
    let statements = bundle.statements_and_provenance()?;
    let audit = sources::audit(&statements, &bundle.facts.citations);
    let texts = graph.source_texts(&audit, files)?;
    let citations = sources::citations(&audit, bundle.witnesses.iter().flatten());
    let (mut standing, mut claims, mut absent) = (0, Vec::new(), 0);
    for citation in &citations {
        let reference = Reference::new(citation, &audit, &texts);
        match reference.place {
            CitedText::Verified(text) => {
                let words = format!("{}{}{}", text.before, text.anchor, text.after);
                match bundle.quotes.get(citation.as_str()) {
                    Some(quoted) if *quoted != words => {
                        claims.push(moved(citation.as_str(), "other words stand there"))
                    }
                    _ => standing += 1,
                }
            }
            CitedText::Differs(failure) => claims.push(moved(citation.as_str(), &Failure::to_string(&failure))),
            CitedText::NotAtHand => absent += 1,
        }
    }
    if standing > 0 {
        let sentences = count(standing, "sentence stands", "sentences stand");
        claims.push(Claim::holds(format!("{sentences} in the texts at hand where the bundle says")));
    }
    if absent > 0 {
        claims.push(Claim::unknown(format!("the texts of {} are not at hand", count(absent, "citation", "citations"))));
    }
    Ok(claims)
}

fn moved(citation: &str, why: &str) -> Claim {
    Claim::fails(format!("<{citation}> does not stand where it is said to: {why}"))
}

/// The rows as texts without the names of blank nodes.
fn keys(answer: &Stored) -> Vec<String> {
    let anonymous = |term: &Term| match term {
        Term::BlankNode(_) => Term::BlankNode(BlankNode::new_unchecked("any")),
        term => term.clone(),
    };
    match answer {
        Stored::Boolean(value) => vec![value.to_string()],
        Stored::Table { rows, .. } => {
            let row = |row: &Vec<Option<Term>>| row.iter().map(|term| term.as_ref().map(anonymous)).collect::<Vec<_>>();
            rows.iter().map(|own| row_line(&row(own))).collect()
        }
        Stored::Graph(triples) => {
            let subject = |subject: &NamedOrBlankNode| anonymous(&subject.clone().into());
            triples
                .iter()
                .map(|t| format!("{} {} {}", subject(&t.subject), t.predicate, anonymous(&t.object)))
                .collect()
        }
    }
}

/// Returns the positions of rows that occur more often here than there, one for each extra occurrence.
fn only(these: &[String], those: &[String]) -> Vec<usize> {
    let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
    those.iter().for_each(|key| *counts.entry(key).or_default() += 1);
    let is_extra = |key: &str| match counts.get_mut(key) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    let mut is_extra = is_extra;
    these.iter().enumerate().filter(|(_, key)| is_extra(key)).map(|(at, _)| at).collect()
}

/// Whether a signature is in the canonical form of its bytes, so that no letter of it can be changed unnoticed.
pub fn is_plain_signature(text: &str) -> bool {
    const WIDTH: usize = 70;
    /// `SSHSIG` and version 1, which no signature covers (OpenSSH's PROTOCOL.sshsig), in Base64.
    const PREAMBLE: &str = "U1NIU0lHAAAAAQ";
    let body = text.strip_prefix("-----BEGIN SSH SIGNATURE-----\n");
    let Some(body) = body.and_then(|body| body.strip_suffix("\n-----END SSH SIGNATURE-----\n")) else { return false };
    let lines: Vec<&str> = body.split('\n').collect();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || ['+', '/', '='].contains(&c);
    let is_full =
        |(at, line): (usize, &&str)| line.len() == WIDTH || (at + 1 == lines.len() && (1..WIDTH).contains(&line.len()));
    body.starts_with(PREAMBLE)
        && body.chars().all(|c| c == '\n' || is_letter(c))
        && lines.iter().enumerate().all(is_full)
}
