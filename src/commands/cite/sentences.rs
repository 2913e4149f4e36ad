//! `kgq cite --sentences`: lists the sentences of a source document with the numbers and bounds that its selectors give.

use crate::commands::answer::{AnswerArgs, write_answer};
use crate::commands::output::Output;
use kgq_engine::{Answer, Row, Solutions};
use kgq_graph::audit::{Audit, Sentence, Texts, span_of};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, NamedNode, Term, Variable};
use kgq_syntax::text::{count, visible};
use std::time::Instant;

/// The columns of the list in answer formats.
const COLUMNS: [&str; 6] = ["sentence", "start", "end", "words", "statements", "states_nothing"];

/// Lists the sentences: as text, or if a format or file is named, as a table in that format.
pub(super) fn list(
    document: &NamedNode,
    audit: &Audit<'_>,
    texts: &Texts,
    args: &AnswerArgs,
    graph: &Graph,
    output: &mut Output,
) -> Result<u8> {
    let started = Instant::now();
    let text = texts.get(document);
    let found = kgq_graph::audit::sentences(audit, document);
    if found.is_empty() {
        return Err(Error::input("the graph numbers no sentence of this document")
            .hint("a selector has oa:start, oa:end and the number that the property named `sentence` in `[citations]` of kgq.toml holds"));
    }
    if args.chosen_format()?.is_some() {
        let variables = COLUMNS.map(Variable::new_unchecked).to_vec();
        let rows: Vec<Row> = found.iter().map(|sentence| row(sentence, text)).collect();
        let answer = Answer::Solutions(Solutions::new(variables, rows.into_iter().map(Ok)));
        return write_answer(answer, args, graph, output, started).map(|_| 0);
    }
    let listed: String = found.iter().map(|sentence| paragraph(sentence, text)).collect();
    output.page(&listed)?;
    let without = found.iter().filter(|sentence| sentence.statements == 0).count();
    let at_hand = if text.is_some() { "" } else { "; its text is not at hand" };
    output.note(&format!(
        "{}, {without} without a statement{at_hand}",
        count(found.len() as u64, "sentence", "sentences")
    ));
    Ok(0)
}

fn words<'a>(sentence: &Sentence, text: Option<&'a str>) -> Option<&'a str> {
    let (span, text) = sentence.span.zip(text)?;
    text.get(span_of(text, span)?)
}

/// A sentence as a row; a sentence number becomes an integer if it is written as one.
fn row(sentence: &Sentence, text: Option<&str>) -> Row {
    let number = |n: u64| Term::from(Literal::from(n));
    vec![
        Some(sentence.number.parse().map_or_else(|_| Literal::from(sentence.number.as_str()).into(), number)),
        sentence.span.map(|span| number(span.start as u64)),
        sentence.span.map(|span| number(span.end as u64)),
        words(sentence, text).map(|words| Literal::from(words).into()),
        Some(number(sentence.statements as u64)),
        sentence.states_nothing.as_deref().map(|why| Literal::from(why).into()),
    ]
}

fn paragraph(sentence: &Sentence, text: Option<&str>) -> String {
    let place = sentence
        .span
        .map_or_else(|| "no span of its own".to_owned(), |span| format!("characters {}–{}", span.start, span.end));
    let rests = match (sentence.statements, &sentence.states_nothing) {
        (0, Some(why)) => format!("no statement: {why}"),
        (0, None) => "no statement, and the graph does not say why".to_owned(),
        (n, _) => count(n as u64, "statement", "statements"),
    };
    let mut out = format!("{:>3}  {place}, {}\n", visible(&sentence.number), visible(&rests));
    if let Some(words) = words(sentence, text) {
        out.push_str(&format!("     {}\n", visible(words)));
    }
    out
}
