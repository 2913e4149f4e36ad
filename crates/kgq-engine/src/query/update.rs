//! An update, operation by operation, as spargebra has it, except for COPY, MOVE and ADD: spargebra rewrites them to a
//! form that no longer shows whether a graph is missing. Here they are kept as they are.

use super::functions;
use super::parse::{ParseContext, parse};
use kgq_syntax::bounds::tokens_within;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{GraphName, NamedNode};
use kgq_syntax::{Span, Token, diagnose, significant, sparql, strict};
use spargebra::algebra::{GraphPattern, QueryDataset};
use spargebra::term::GraphNamePattern;
use spargebra::{GraphUpdateOperation, SparqlParser};

/// A parsed update.
#[derive(Clone, Debug)]
pub struct Update {
    /// The base of relative IRIs in its expressions.
    pub base: Option<String>,
    pub operations: Vec<Operation>,
}

/// One operation, and its place in the text.
#[derive(Clone, Debug)]
pub struct Operation {
    pub form: OperationForm,
    pub span: Span,
}

impl Update {
    /// Sets the dataset of all patterns to these graphs (SPARQL 1.1 Protocol, §2.2.3).
    ///
    /// # Errors
    /// An operation that names its graphs by USING or WITH, at its place.
    pub fn set_dataset(&mut self, source: Source<'_>, default: &[NamedNode], named: &[NamedNode]) -> Result<()> {
        for operation in &mut self.operations {
            let OperationForm::Plain(GraphUpdateOperation::DeleteInsert { using, .. }) = &mut operation.form else {
                continue;
            };
            if using.is_some() {
                return Err(Error::input(
                    "both the update (by USING or WITH) and the request say which graphs to read",
                )
                .at(source.place(operation.span.clone())));
            }
            *using = Some(QueryDataset { default: default.to_vec(), named: Some(named.to_vec()) });
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub enum OperationForm {
    Plain(GraphUpdateOperation),
    Transfer(Transfer),
}

/// COPY, MOVE or ADD from one graph to another.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub kind: TransferKind,
    pub silent: bool,
    pub from: GraphName,
    pub to: GraphName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    Copy,
    Move,
    Add,
}

/// Parses an update.
pub fn parse_update(source: Source<'_>, context: ParseContext<'_>) -> Result<Update> {
    let tokens = tokens_within(source, &context.bounds)?;
    let mut algebra = parse(source, &tokens, context, SparqlParser::parse_update, diagnose::update)?;
    strict::check(source, &tokens)?;
    functions::lower_update(&mut algebra);
    let mut left = algebra.operations.into_iter();
    let mut operations = Vec::new();
    let mut declarations = Vec::new();
    for statement in statements(source.text, &tokens) {
        declarations.extend_from_slice(statement.prologue);
        let (Some(first), Some(last)) = (statement.operation.first(), statement.operation.last()) else { continue };
        let span = first.start..last.end;
        let form = match transfer_kind(source.text, first) {
            None => OperationForm::Plain(left.next().ok_or_else(|| unknown_shape(source, &span))?),
            Some(kind) => {
                let alone = text_of(source.text, declarations.iter().chain(statement.operation));
                let (copy, pieces) = transfer(Source::new(source.name, &alone), context)?;
                left.by_ref().take(pieces).for_each(drop);
                // Copying a graph to itself does nothing.
                let Some((from, to)) = copy else { continue };
                let silent = statement.operation.get(1).is_some_and(|token| token.is_keyword(source.text, "SILENT"));
                OperationForm::Transfer(Transfer { kind, silent, from, to })
            }
        };
        operations.push(Operation { form, span });
    }
    if left.next().is_some() {
        return Err(unknown_shape(source, &(0..source.text.len())));
    }
    Ok(Update { base: algebra.base_iri.map(|iri| iri.into_inner()), operations })
}

fn unknown_shape(source: Source<'_>, span: &Span) -> Error {
    Error::bug("the operations of the update are not those of its text").at(source.place(span.clone()))
}

/// The tokens of one operation, and of the declarations before it.
struct Statement<'t> {
    prologue: &'t [Token],
    operation: &'t [Token],
}

fn statements<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = Statement<'t>> {
    let mut depth = 0usize;
    let separates = move |token: &Token| {
        depth = if token.is(text, "{") { depth + 1 } else { depth.saturating_sub(usize::from(token.is(text, "}"))) };
        depth == 0 && token.is(text, ";")
    };
    tokens.split(separates).map(move |tokens| {
        let mut start = 0;
        while let Some(token) = tokens.get(start) {
            start += match () {
                () if token.is_keyword(text, "PREFIX") => 3,
                () if token.is_keyword(text, "BASE") || token.is_keyword(text, "VERSION") => 2,
                () => break,
            };
        }
        let (prologue, operation) = tokens.split_at(start.min(tokens.len()));
        Statement { prologue, operation }
    })
}

fn transfer_kind(text: &str, first: &Token) -> Option<TransferKind> {
    let kinds = [("COPY", TransferKind::Copy), ("MOVE", TransferKind::Move), ("ADD", TransferKind::Add)];
    kinds.into_iter().find(|(word, _)| first.is_keyword(text, word)).map(|(_, kind)| kind)
}

fn text_of<'t>(text: &str, tokens: impl Iterator<Item = &'t Token>) -> String {
    tokens.map(|token| token.text(text)).collect::<Vec<_>>().join(" ")
}

/// Returns the two graphs of a COPY, MOVE or ADD, if they differ, and into how many operations spargebra translates it.
fn transfer(source: Source<'_>, context: ParseContext<'_>) -> Result<(Option<(GraphName, GraphName)>, usize)> {
    let tokens = significant(&sparql::tokenize(source.text));
    let pieces = parse(source, &tokens, context, SparqlParser::parse_update, diagnose::update)?.operations;
    let graphs = pieces.iter().find_map(|piece| match piece {
        GraphUpdateOperation::DeleteInsert { insert, pattern, .. } => {
            let to = insert.first().map(|quad| name(&quad.graph_name))?;
            let from = match pattern.as_ref() {
                GraphPattern::Graph { name, .. } => GraphName::NamedNode(NamedNode::try_from(name.clone()).ok()?),
                _ => GraphName::DefaultGraph,
            };
            Some((from, to?))
        }
        _ => None,
    });
    Ok((graphs, pieces.len()))
}

fn name(name: &GraphNamePattern) -> Option<GraphName> {
    match name {
        GraphNamePattern::NamedNode(node) => Some(GraphName::NamedNode(node.clone())),
        GraphNamePattern::DefaultGraph => Some(GraphName::DefaultGraph),
        GraphNamePattern::Variable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::bounds::Bounds;
    use kgq_syntax::rdf::Prefixes;

    fn operations(text: &str) -> Vec<String> {
        let prefixes = Prefixes::new();
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        let update = parse_update(Source::new("<update>", text), context).unwrap();
        let shown = update.operations.iter().map(|operation| match &operation.form {
            OperationForm::Plain(plain) => plain.to_string(),
            OperationForm::Transfer(Transfer { kind, silent, from, to }) => {
                format!("{kind:?}{} {from} {to}", if *silent { " silent" } else { "" })
            }
        });
        shown.collect()
    }

    #[test]
    fn transfers_stay_what_they_are_among_other_operations() {
        let text = "PREFIX : <http://e/> COPY :a TO :b ; DROP SILENT GRAPH :c ;
            INSERT { GRAPH :c { ?s ?p ?o } } WHERE { GRAPH :a { ?s ?p ?o } } ;
            PREFIX x: <http://x/> MOVE SILENT DEFAULT TO GRAPH x:g ; CLEAR ALL ; ADD x:g TO DEFAULT ;";
        let found = operations(text);
        assert_eq!(found.len(), 6, "{found:#?}");
        assert_eq!(found[0], "Copy <http://e/a> <http://e/b>");
        assert!(found[1].contains("DROP SILENT"), "{}", found[1]);
        assert!(found[2].contains("INSERT"), "{}", found[2]);
        assert_eq!(found[3], "Move silent DEFAULT <http://x/g>");
        assert_eq!(found[5], "Add <http://x/g> DEFAULT");
    }

    #[test]
    fn a_transfer_from_a_graph_to_itself_is_nothing() {
        let text = "PREFIX : <http://e/> COPY :a TO <http://e/a> ; DROP SILENT GRAPH :b ;
            INSERT { GRAPH :b { ?s ?p ?o } } WHERE { GRAPH :a { ?s ?p ?o } }";
        let found = operations(text);
        assert_eq!(found.len(), 2, "{found:#?}");
    }
}
