//! Compiles SPARQL expressions for evaluation. Variables become columns, constant parts are folded, comparisons with
//! constants become ranges of ids, and costly conditions on one variable are evaluated once per distinct term.

use super::Context;
use super::arithmetic::Rounding;
use super::by_class::ByClass;
use super::call::{Function, PatternSource};
use super::cast::Target;
use super::column::Selection;
use super::dates::DateComponent;
use super::digest::Digest;
use super::distinct::PerDistinct;
use super::evaluate::Evaluation;
use super::extension::Extension;
use super::node::{Constant, ExpressionNode, Generator, Test};
use super::pattern::{Pattern, Patterns};
use super::range::{Comparison, Ranges};
use super::text_test::{Looking, TextTest};
use super::value::{Moment, Text, Value};
use crate::batch::Batch;
use crate::plan::expression::OrderTest;
use crate::plan::function::Function as Named;
use crate::plan::{Expression, Var};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use std::sync::Arc;

/// Compiles a whole expression.
pub fn root(expression: &Expression, columns: &[Var], context: &Context<'_>) -> Result<ExpressionNode> {
    let node = Compiler { columns, context }.node(expression)?;
    Ok(share(node, true))
}

struct Compiler<'c> {
    /// The variable of each column.
    columns: &'c [Var],
    context: &'c Context<'c>,
}

impl Compiler<'_> {
    fn node(&self, expression: &Expression) -> Result<ExpressionNode> {
        let node = match expression {
            Expression::Constant(term) => return self.constant(term.clone()),
            Expression::Variable(var) => self.column(*var).map_or(ExpressionNode::Error, ExpressionNode::Variable),
            Expression::Bound(var) => match self.column(*var) {
                Some(column) => ExpressionNode::Bound(column),
                None => return self.folded(Value::Boolean(false)),
            },
            Expression::Or(parts) => {
                let mut nodes = Vec::new();
                for node in self.nodes(parts)? {
                    match node {
                        ExpressionNode::Or(inner) => nodes.extend(inner),
                        node => nodes.push(node),
                    }
                }
                ExpressionNode::Or(nodes)
            }
            Expression::And(parts) => {
                let mut nodes = Vec::new();
                for node in self.nodes(parts)? {
                    match node {
                        ExpressionNode::And(inner) => nodes.extend(inner),
                        node => nodes.push(node),
                    }
                }
                ExpressionNode::And(nodes)
            }
            Expression::Not(operand) => ExpressionNode::Not(Box::new(self.node(operand)?)),
            Expression::Equal(pair) => {
                let (a, b) = self.pair(pair)?;
                self.equal(a, b)
            }
            Expression::Order(test, pair) => {
                let (a, b) = self.pair(pair)?;
                self.order(*test, a, b)
            }
            Expression::SameTerm(pair) => ExpressionNode::SameTerm(Box::new(self.pair(pair)?)),
            Expression::In(operand, list) => self.membership(operand, list)?,
            Expression::Arithmetic(operation, pair) => {
                ExpressionNode::Arithmetic(*operation, Box::new(self.pair(pair)?))
            }
            Expression::Plus(operand) => ExpressionNode::Plus(Box::new(self.node(operand)?)),
            Expression::Minus(operand) => ExpressionNode::Minus(Box::new(self.node(operand)?)),
            Expression::If(parts) => {
                let [a, b, c] = &**parts;
                ExpressionNode::If(Box::new((self.node(a)?, self.node(b)?, self.node(c)?)))
            }
            Expression::Coalesce(parts) => ExpressionNode::Coalesce(self.nodes(parts)?),
            Expression::Call(function, arguments) => self.call(function, arguments)?,
        };
        self.fold(node)
    }

    fn column(&self, var: Var) -> Option<usize> {
        self.columns.iter().position(|own| *own == var)
    }

    fn pair(&self, [a, b]: &[Expression; 2]) -> Result<(ExpressionNode, ExpressionNode)> {
        Ok((self.node(a)?, self.node(b)?))
    }

    fn nodes(&self, expressions: &[Expression]) -> Result<Vec<ExpressionNode>> {
        expressions.iter().map(|expression| self.node(expression)).collect()
    }

    fn constant(&self, term: Term) -> Result<ExpressionNode> {
        let value = Value::of(term.clone());
        Ok(ExpressionNode::Constant(Constant { id: self.context.terms.id(term)?, value }))
    }

    fn folded(&self, value: Value) -> Result<ExpressionNode> {
        let id = self.context.terms.id_of_value(value.clone())?;
        Ok(ExpressionNode::Constant(Constant { id, value }))
    }

    /// Evaluates parts that do not depend on the row.
    fn fold(&self, node: ExpressionNode) -> Result<ExpressionNode> {
        if matches!(node, ExpressionNode::Constant(_) | ExpressionNode::Error) || !node.is_constant() {
            return Ok(node);
        }
        let batch = Batch::unit(0);
        let evaluation = Evaluation::new(self.context)?;
        let column = evaluation.column(&node, &Selection::all(&batch, 0))?;
        let value = column.value(0, self.context).map(std::borrow::Cow::into_owned);
        match (value, column.into_ids(self.context)?.first()) {
            (Some(value), Some(id)) if *id != TermId::UNBOUND => {
                Ok(ExpressionNode::Constant(Constant { id: *id, value }))
            }
            _ => Ok(ExpressionNode::Error),
        }
    }

    fn equal(&self, a: ExpressionNode, b: ExpressionNode) -> ExpressionNode {
        match (a, b) {
            (node, ExpressionNode::Constant(constant)) | (ExpressionNode::Constant(constant), node) => {
                self.compare_with(Comparison::Equal, node, constant)
            }
            (a, b) => ExpressionNode::Equal(Box::new((a, b))),
        }
    }

    fn order(&self, test: OrderTest, a: ExpressionNode, b: ExpressionNode) -> ExpressionNode {
        match (a, b) {
            (node, ExpressionNode::Constant(constant)) => self.compare_with(Comparison::Order(test), node, constant),
            (ExpressionNode::Constant(constant), node) => {
                self.compare_with(Comparison::Order(test.mirrored()), node, constant)
            }
            (a, b) => ExpressionNode::Order(test, Box::new((a, b))),
        }
    }

    fn compare_with(&self, comparison: Comparison, node: ExpressionNode, constant: Constant) -> ExpressionNode {
        if let Value::Text(Text { value, language: None }) = &constant.value
            && let Some((column, true)) = text_of(&node)
        {
            let test = Looking::Compared(comparison, value.clone());
            return ExpressionNode::TextTest(Box::new(TextTest::new(test, true)), column);
        }
        let ranges = Ranges::new(comparison, constant.id, constant.value, self.context);
        ExpressionNode::InRanges(Box::new(ranges), Box::new(node))
    }

    fn membership(&self, operand: &Expression, list: &[Expression]) -> Result<ExpressionNode> {
        // `IN ()` is false, whatever the operand.
        if list.is_empty() {
            return self.folded(Value::Boolean(false));
        }
        let operand = self.node(operand)?;
        let (mut ranges, mut others) = (Vec::new(), Vec::new());
        for node in self.nodes(list)? {
            match node {
                ExpressionNode::Constant(Constant { id, value }) => {
                    ranges.push(Ranges::new(Comparison::Equal, id, value, self.context));
                }
                node => others.push(node),
            }
        }
        let Some(ranges) = Ranges::any(ranges) else { return Ok(ExpressionNode::In(Box::new(operand), others)) };
        let constants = |operand| ExpressionNode::InRanges(Box::new(ranges), Box::new(operand));
        Ok(match operand {
            operand if others.is_empty() => constants(operand),
            ExpressionNode::Variable(column) => ExpressionNode::Or(vec![
                constants(ExpressionNode::Variable(column)),
                ExpressionNode::In(Box::new(ExpressionNode::Variable(column)), others),
            ]),
            // The operand is evaluated once, because it may have a new value each time.
            operand => return Ok(ExpressionNode::In(Box::new(operand), self.nodes(list)?)),
        })
    }

    fn call(&self, function: &Named, expressions: &[Expression]) -> Result<ExpressionNode> {
        let mut arguments = self.nodes(expressions)?;
        if !function.arity().is_some_and(|arity| arity.contains(&arguments.len())) {
            return Ok(ExpressionNode::Error);
        }
        let test = |test, mut arguments: Vec<ExpressionNode>| {
            arguments.pop().map_or(ExpressionNode::Error, |argument| ExpressionNode::Test(test, Box::new(argument)))
        };
        let function = match function {
            Named::IsIri => return Ok(test(Test::IsIri, arguments)),
            Named::IsBlank => return Ok(test(Test::IsBlank, arguments)),
            Named::IsLiteral => return Ok(test(Test::IsLiteral, arguments)),
            Named::IsNumeric => return Ok(test(Test::IsNumeric, arguments)),
            Named::IsTriple => return Ok(test(Test::IsTriple, arguments)),
            Named::HasLang => return Ok(test(Test::HasLang, arguments)),
            Named::HasLangDir => return Ok(test(Test::HasLangDir, arguments)),
            Named::Rand => return Ok(ExpressionNode::Generate(Generator::Rand, None)),
            Named::Uuid => return Ok(ExpressionNode::Generate(Generator::Uuid, None)),
            Named::StrUuid => return Ok(ExpressionNode::Generate(Generator::StrUuid, None)),
            Named::BNode => return Ok(ExpressionNode::Generate(Generator::BlankNode, arguments.pop().map(Box::new))),
            Named::Now => return self.folded(Moment::DateTime(self.context.now()).into()),
            Named::Str => Function::Str,
            Named::Lang => Function::Lang,
            Named::LangDir => Function::LangDir,
            Named::LangMatches => Function::LangMatches,
            Named::Datatype => Function::Datatype,
            Named::Iri => Function::Iri,
            Named::Abs => Function::Round(Rounding::Absolute),
            Named::Ceil => Function::Round(Rounding::Ceiling),
            Named::Floor => Function::Round(Rounding::Floor),
            Named::Round => Function::Round(Rounding::Nearest),
            Named::Concat => Function::Concat,
            Named::SubStr => Function::SubStr,
            Named::StrLen => Function::StrLen,
            Named::UCase => Function::UpperCase,
            Named::LCase => Function::LowerCase,
            Named::EncodeForUri => Function::EncodeForUri,
            Named::Contains => Function::Contains,
            Named::StrStarts => Function::StrStarts,
            Named::StrEnds => Function::StrEnds,
            Named::StrBefore => Function::StrBefore,
            Named::StrAfter => Function::StrAfter,
            Named::Year => Function::Part(DateComponent::Year),
            Named::Month => Function::Part(DateComponent::Month),
            Named::Day => Function::Part(DateComponent::Day),
            Named::Hours => Function::Part(DateComponent::Hours),
            Named::Minutes => Function::Part(DateComponent::Minutes),
            Named::Seconds => Function::Part(DateComponent::Seconds),
            Named::Timezone => Function::Part(DateComponent::Timezone),
            Named::Tz => Function::Part(DateComponent::Tz),
            Named::Adjust => Function::Adjust,
            Named::Md5 => Function::Digest(Digest::Md5),
            Named::Sha1 => Function::Digest(Digest::Sha1),
            Named::Sha256 => Function::Digest(Digest::Sha256),
            Named::Sha384 => Function::Digest(Digest::Sha384),
            Named::Sha512 => Function::Digest(Digest::Sha512),
            Named::StrLang => Function::StrLang,
            Named::StrLangDir => Function::StrLangDir,
            Named::StrDt => Function::StrDt,
            Named::Regex => Function::Regex(pattern_source(&arguments, 2)),
            Named::Replace => Function::Replace(pattern_source(&arguments, 3)),
            Named::Triple => Function::Triple,
            Named::Subject => Function::Subject,
            Named::Predicate => Function::Predicate,
            Named::Object => Function::Object,
            Named::Custom(name) => match Target::of(name.as_ref()) {
                Some(target) => match arguments.pop() {
                    Some(ExpressionNode::Call(Function::Str, of)) => {
                        arguments = of;
                        Function::CastOfStr(target)
                    }
                    argument => {
                        arguments.extend(argument);
                        Function::Cast(target)
                    }
                },
                None => match Extension::of(name.as_str()) {
                    Some(extension) => Function::Extension(extension),
                    // Calling an undefined function is always an error; `query/functions` reports it beforehand.
                    None => return Ok(ExpressionNode::Error),
                },
            },
        };
        Ok(text_test(&function, &arguments).unwrap_or(ExpressionNode::Call(function, arguments)))
    }
}

/// Returns the call as a test of a column's text, if it is one.
fn text_test(function: &Function, arguments: &[ExpressionNode]) -> Option<ExpressionNode> {
    let part = || match arguments.get(1) {
        Some(ExpressionNode::Constant(Constant { value: Value::Text(Text { value, language: None }), .. })) => {
            Some(value.clone())
        }
        _ => None,
    };
    let test = match function {
        Function::Contains => Looking::containing(&part()?),
        Function::StrStarts => Looking::StartsWith(part()?),
        Function::StrEnds => Looking::EndsWith(part()?),
        Function::Regex(PatternSource::Constant(Ok(pattern))) => Looking::matching(Arc::clone(pattern)),
        _ => return None,
    };
    let (column, of_str) = text_of(arguments.first()?)?;
    Some(ExpressionNode::TextTest(Box::new(TextTest::new(test, of_str)), column))
}

/// The column whose text a node is, and whether it is that of STR().
fn text_of(node: &ExpressionNode) -> Option<(usize, bool)> {
    match node {
        ExpressionNode::Variable(column) => Some((*column, false)),
        ExpressionNode::Call(Function::Str, inner) => match inner.first()? {
            ExpressionNode::Variable(column) => Some((*column, true)),
            _ => None,
        },
        _ => None,
    }
}

/// The pattern, if it and its flags are constant.
fn pattern_source(arguments: &[ExpressionNode], flags: usize) -> PatternSource {
    let constant = |node: Option<&ExpressionNode>| match node {
        None => Some(Some(String::new())),
        Some(ExpressionNode::Constant(Constant { value: Value::Text(Text { value, language: None }), .. })) => {
            Some(Some(value.clone()))
        }
        Some(ExpressionNode::Constant(_) | ExpressionNode::Error) => Some(None),
        Some(_) => None,
    };
    match (constant(arguments.get(1)), constant(arguments.get(flags))) {
        (Some(Some(pattern)), Some(Some(flags))) => {
            PatternSource::Constant(Pattern::new(&pattern, &flags).map(Arc::new))
        }
        (Some(None), _) | (_, Some(None)) => PatternSource::NoText,
        (None, _) | (_, None) => PatternSource::Arguments(Patterns::default()),
    }
}

/// Wraps costly expressions of one variable so that their results are remembered by term.
fn share(mut node: ExpressionNode, is_root: bool) -> ExpressionNode {
    if node.is_boolean()
        && node.reads_class_only()
        && let Some(column) = node.only_column()
    {
        node.move_columns();
        return ExpressionNode::ByClass(Box::new(ByClass::new(node)), column);
    }
    if node.is_costly()
        && (is_root || node.is_boolean() || node.builds_much())
        && node.is_deterministic()
        && let Some(column) = node.only_column()
    {
        node.move_columns();
        return ExpressionNode::PerDistinct(Box::new(PerDistinct::new(column, node)));
    }
    for child in node.children_mut() {
        let taken = std::mem::replace(child, ExpressionNode::Error);
        *child = share(taken, false);
    }
    node
}
