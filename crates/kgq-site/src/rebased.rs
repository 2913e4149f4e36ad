//! Changes the base of IRIs in what is published.

use super::query::{PublishedAnswer, PublishedQuery};
use super::standalone;
use kgq_graph::audit::RowSources;
use kgq_graph::catalog::ParamKind;
use kgq_graph::export::rebase::Rebase;

/// Rewrites a query, its parameters, and its answer if it was computed.
pub fn rebase_query(query: &mut PublishedQuery<'_>, rebase: &Rebase) {
    query.text = standalone::rebase(&query.text, &rebase.old, &rebase.new);
    query.bound = standalone::rebase(&query.bound, &rebase.old, &rebase.new);
    query.names.iter_mut().for_each(|node| *node = rebase.node(node));
    for param in &mut query.params {
        if let ParamKind::MemberOf(class) = &mut param.kind {
            *class = rebase.node(class);
        }
    }
    let Some(answer) = query.answer.get_mut() else { return };
    match answer {
        PublishedAnswer::Table { rows, sources, .. } => {
            for term in rows.iter_mut().flatten().flatten() {
                *term = rebase.term(term);
            }
            sources.iter_mut().for_each(|source| rebase_sources(source, rebase));
        }
        PublishedAnswer::Graph(triples) => triples.iter_mut().for_each(|triple| *triple = rebase.triple(triple)),
        PublishedAnswer::Truth(_) | PublishedAnswer::None(_) => {}
    }
}

fn rebase_sources(sources: &mut RowSources, rebase: &Rebase) {
    sources.triples.iter_mut().chain(&mut sources.uncited).for_each(|triple| *triple = rebase.triple(triple));
    sources.citations.iter_mut().for_each(|node| *node = rebase.node(node));
    for statement in &mut sources.statements {
        statement.reifier = rebase.subject(&statement.reifier);
        statement.triple = rebase.triple(&statement.triple);
        statement.citations.iter_mut().for_each(|node| *node = rebase.node(node));
        statement.grounds.iter_mut().for_each(|ground| *ground = rebase.subject(ground));
    }
}
