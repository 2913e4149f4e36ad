//! Functions of the values of one row (SPARQL 1.1 §17.4): the list of them, and what each returns for its arguments.

use super::Context;
use super::arithmetic::{self, Rounding};
use super::cast::{self, Target, cast};
use super::column::{Column, Datum};
use super::dates::{self, DateComponent};
use super::digest::Digest;
use super::extension::Extension;
use super::pattern::{Pattern, Patterns, Reason, Replacement};
use super::strings;
use super::value::{Language, Number, Text, Value};
use kgq_snapshot::TermKind;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{BaseDirection, Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use oxiri::Iri;
use oxrdf::vocab::rdf;
use std::borrow::Cow;
use std::sync::Arc;

/// A function whose result depends only on its arguments' values.
#[derive(Debug)]
pub enum Function {
    Str,
    Lang,
    LangDir,
    LangMatches,
    Datatype,
    Iri,
    Round(Rounding),
    Concat,
    SubStr,
    StrLen,
    UpperCase,
    LowerCase,
    EncodeForUri,
    Contains,
    StrStarts,
    StrEnds,
    StrBefore,
    StrAfter,
    Part(DateComponent),
    Adjust,
    Digest(Digest),
    StrLang,
    StrLangDir,
    StrDt,
    Regex(PatternSource),
    Replace(PatternSource),
    Triple,
    Subject,
    Predicate,
    Object,
    Cast(Target),
    /// The cast of a term's text.
    CastOfStr(Target),
    Extension(Extension),
}

/// Where the pattern of a regular expression comes from.
#[derive(Debug)]
pub enum PatternSource {
    /// It is the same for all rows.
    Constant(Result<Arc<Pattern>, Reason>),
    /// It is the same for all rows, but not a text.
    NoText,
    /// Each row has its own.
    Arguments(Patterns),
}

impl Function {
    /// Whether the result can only be a boolean.
    pub fn is_boolean(&self) -> bool {
        matches!(
            self,
            Self::LangMatches
                | Self::Contains
                | Self::StrStarts
                | Self::StrEnds
                | Self::Regex(_)
                | Self::Cast(Target::Boolean)
                | Self::CastOfStr(Target::Boolean)
        )
    }
}

impl Function {
    /// Whether computing it for a whole column is as fast as looking up remembered results.
    pub fn is_cheap(&self) -> bool {
        matches!(
            self,
            Self::Round(_)
                | Self::Part(DateComponent::Year | DateComponent::Month | DateComponent::Day)
                | Self::Lang
                | Self::LangDir
                | Self::Datatype
        )
    }

    /// Whether its first argument is a string, or a term whose text it reads.
    pub fn reads_text(&self) -> bool {
        matches!(
            self,
            Self::Str
                | Self::Concat
                | Self::SubStr
                | Self::StrLen
                | Self::UpperCase
                | Self::LowerCase
                | Self::EncodeForUri
                | Self::Contains
                | Self::StrStarts
                | Self::StrEnds
                | Self::StrBefore
                | Self::StrAfter
                | Self::Digest(_)
                | Self::Regex(_)
                | Self::Replace(_)
                | Self::CastOfStr(_)
        )
    }
}

/// The arguments of a function in one row.
pub struct Arguments<'a, 'b> {
    pub columns: &'a [Column<'b>],
    pub row: usize,
    pub context: &'a Context<'a>,
    /// Whether failures are counted. They are not if the query says what to use instead.
    pub counts: bool,
}

impl Arguments<'_, '_> {
    fn value(&self, argument: usize) -> Option<Cow<'_, Value>> {
        self.columns.get(argument)?.value(self.row, self.context)
    }

    fn text(&self, argument: usize) -> Option<Cow<'_, Text>> {
        self.columns.get(argument)?.text(self.row, self.context)
    }

    /// Returns the text of a string without a language.
    fn plain(&self, argument: usize) -> Option<Cow<'_, str>> {
        match self.text(argument)? {
            Cow::Borrowed(Text { value, language: None }) => Some(Cow::Borrowed(value)),
            Cow::Owned(Text { value, language: None }) => Some(Cow::Owned(value)),
            Cow::Borrowed(_) | Cow::Owned(_) => None,
        }
    }

    fn term(&self, argument: usize) -> Option<Term> {
        self.columns.get(argument)?.term(self.row, self.context)
    }

    fn integer(&self, argument: usize) -> Option<i64> {
        match *self.value(argument)? {
            Value::Number(Number::Integer(n)) => Some(n.into()),
            // Saturates, because no text has that many characters.
            Value::Number(Number::Wide(ref n)) if n.is_integer => {
                Some(if n.is_negative() { i64::MIN } else { i64::MAX })
            }
            _ => None,
        }
    }

    /// Returns no value, and counts the reason, which is reported with the answer.
    fn failed<T>(&self, reason: &Reason) -> Option<T> {
        if self.counts {
            self.context.failures.count(reason);
        }
        None
    }

    fn failed_if<T>(&self, reason: Option<Reason>) -> Option<T> {
        reason.and_then(|reason| self.failed(&reason))
    }

    fn has(&self, argument: usize) -> bool {
        argument < self.columns.len()
    }
}

/// Calls the function for one row; `None` is an error value.
///
/// # Errors
/// A limit: a string that is too large, or no room for another term.
pub fn call(function: &Function, arguments: &Arguments<'_, '_>) -> Result<Option<Datum>> {
    match function {
        Function::Concat => {
            let mut texts = Vec::with_capacity(arguments.columns.len());
            for argument in 0..arguments.columns.len() {
                match arguments.text(argument) {
                    Some(text) => texts.push(text),
                    None => return Ok(None),
                }
            }
            Ok(Some(Datum::Value(strings::concat(&texts)?.into())))
        }
        Function::Replace(source) => replace(source, arguments),
        Function::StrDt => {
            let (Some(lexical), Some(datatype)) = (arguments.plain(0), arguments.value(1)) else { return Ok(None) };
            let Value::Iri(datatype) = &*datatype else { return Ok(None) };
            // Literals of these two datatypes need a language, which is not given here.
            if matches!(datatype.as_ref(), rdf::LANG_STRING | rdf::DIR_LANG_STRING) {
                return Ok(None);
            }
            // The term must keep its lexical form, so it is not computed as a value.
            let literal = Literal::new_typed_literal(lexical.into_owned(), datatype.clone());
            Ok(Some(Datum::Term(arguments.context.terms.id(literal.into())?)))
        }
        Function::Subject | Function::Predicate | Function::Object => component(function, arguments),
        Function::Extension(extension) => {
            let terms: Option<Vec<Term>> = (0..arguments.columns.len()).map(|at| arguments.term(at)).collect();
            let Some(terms) = terms else { return Ok(None) };
            match extension.call(&terms) {
                Some(term) => Ok(Some(Datum::Term(arguments.context.terms.id(term)?))),
                None => Ok(arguments.failed_if(extension.failure(&terms))),
            }
        }
        Function::Str
        | Function::Lang
        | Function::LangDir
        | Function::LangMatches
        | Function::Datatype
        | Function::Iri
        | Function::Round(_)
        | Function::SubStr
        | Function::StrLen
        | Function::UpperCase
        | Function::LowerCase
        | Function::EncodeForUri
        | Function::Contains
        | Function::StrStarts
        | Function::StrEnds
        | Function::StrBefore
        | Function::StrAfter
        | Function::Part(_)
        | Function::Adjust
        | Function::Digest(_)
        | Function::StrLang
        | Function::StrLangDir
        | Function::Regex(_)
        | Function::Triple
        | Function::Cast(_)
        | Function::CastOfStr(_) => Ok(simple(function, arguments).map(Datum::Value)),
    }
}

/// The functions that cannot reach a limit.
fn simple(function: &Function, arguments: &Arguments<'_, '_>) -> Option<Value> {
    Some(match function {
        Function::Str => match arguments.term(0)? {
            Term::NamedNode(iri) => Value::string(iri.into_string()),
            Term::Literal(literal) => Value::string(literal.destruct().0),
            Term::BlankNode(_) | Term::Triple(_) => return None,
        },
        Function::Lang => match &*arguments.value(0)? {
            Value::Text(Text { language: Some(Language { tag, .. }), .. }) => Value::string(tag.clone()),
            Value::Iri(_) | Value::Blank(_) | Value::Triple(_) => return None,
            _ => Value::string(""),
        },
        Function::LangDir => match &*arguments.value(0)? {
            Value::Text(Text { language: Some(Language { direction: Some(direction), .. }), .. }) => {
                Value::string(match direction {
                    BaseDirection::Ltr => "ltr",
                    BaseDirection::Rtl => "rtl",
                })
            }
            Value::Iri(_) | Value::Blank(_) | Value::Triple(_) => return None,
            _ => Value::string(""),
        },
        Function::LangMatches => strings::language_matches(&arguments.plain(0)?, &arguments.plain(1)?).into(),
        Function::Datatype => match arguments.term(0)? {
            Term::Literal(literal) => Value::Iri(literal.datatype().into_owned()),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => return None,
        },
        Function::Iri => match arguments.value(0)?.into_owned() {
            Value::Iri(iri) => Value::Iri(iri),
            Value::Text(Text { value, language: None }) => {
                let iri = match &arguments.context.base {
                    Some(base) => base.resolve(&value),
                    None => Iri::parse(value),
                };
                Value::Iri(NamedNode::new_unchecked(iri.ok()?.into_inner()))
            }
            _ => return None,
        },
        Function::Round(rounding) => match &*arguments.value(0)? {
            Value::Number(number) => arithmetic::round(*rounding, number)?.into(),
            _ => return None,
        },
        Function::SubStr => {
            let text = arguments.text(0)?;
            let start = arguments.integer(1)?;
            let length = if arguments.has(2) { Some(arguments.integer(2)?) } else { None };
            let value = strings::substring(&text.value, start, length).to_owned();
            Text { value, language: text.language.clone() }.into()
        }
        Function::StrLen => Value::integer(i64::try_from(arguments.text(0)?.value.chars().count()).ok()?),
        Function::UpperCase => {
            let text = arguments.text(0)?;
            Text { value: text.value.to_uppercase(), language: text.language.clone() }.into()
        }
        Function::LowerCase => {
            let text = arguments.text(0)?;
            Text { value: text.value.to_lowercase(), language: text.language.clone() }.into()
        }
        Function::EncodeForUri => {
            let mut out = String::new();
            strings::encode_for_uri(&arguments.text(0)?.value, &mut out);
            Value::string(out)
        }
        Function::Contains | Function::StrStarts | Function::StrEnds | Function::StrBefore | Function::StrAfter => {
            let (text, part) = (arguments.text(0)?, arguments.text(1)?);
            if !strings::are_compatible(&text, &part) {
                return None;
            }
            let (whole, part) = (text.value.as_str(), part.value.as_str());
            let around = |found: Option<&str>| match found {
                Some(found) => Text { value: found.to_owned(), language: text.language.clone() }.into(),
                None => Value::string(""),
            };
            match function {
                Function::Contains => whole.contains(part).into(),
                Function::StrStarts => whole.starts_with(part).into(),
                Function::StrEnds => whole.ends_with(part).into(),
                Function::StrBefore => around(whole.find(part).map(|at| &whole[..at])),
                _ => around(whole.find(part).map(|at| &whole[at + part.len()..])),
            }
        }
        Function::Part(part) => dates::part(*part, &*arguments.value(0)?)?,
        Function::Adjust => {
            let (moment, offset) = (arguments.value(0)?, arguments.value(1)?);
            match dates::adjust(&moment, &offset) {
                Some(value) => value,
                None if matches!((&*moment, &*offset), (Value::Moment(_), Value::Span(_))) => {
                    return arguments.failed(&arithmetic::OUT_OF_RANGE.into());
                }
                None => return None,
            }
        }
        Function::Digest(digest) => {
            let mut out = String::new();
            digest.write(&arguments.plain(0)?, &mut out);
            Value::string(out)
        }
        Function::StrLang => Value::of_literal(
            Literal::new_language_tagged_literal(arguments.plain(0)?.into_owned(), arguments.plain(1)?.into_owned())
                .ok()?,
        ),
        Function::StrLangDir => {
            let direction = match &*arguments.plain(2)? {
                "ltr" => BaseDirection::Ltr,
                "rtl" => BaseDirection::Rtl,
                _ => return None,
            };
            let (text, tag) = (arguments.plain(0)?.into_owned(), arguments.plain(1)?.into_owned());
            Value::of_literal(Literal::new_directional_language_tagged_literal(text, tag, direction).ok()?)
        }
        Function::Regex(source) => {
            let pattern = pattern(source, arguments, 2)?;
            pattern.is_match(&arguments.text(0)?.value).into()
        }
        Function::Triple => {
            let subject = match arguments.term(0)? {
                Term::NamedNode(iri) => NamedOrBlankNode::NamedNode(iri),
                Term::BlankNode(node) => NamedOrBlankNode::BlankNode(node),
                Term::Literal(_) | Term::Triple(_) => return None,
            };
            let Term::NamedNode(predicate) = arguments.term(1)? else { return None };
            Value::Triple(Box::new(Triple { subject, predicate, object: arguments.term(2)? }))
        }
        Function::Cast(target) => {
            let value = arguments.value(0)?;
            match cast(value.clone().into_owned(), *target) {
                Some(value) => value,
                None => return arguments.failed_if(cast::failure(&value, target.datatype().as_str())),
            }
        }
        Function::CastOfStr(target) => {
            let value = arguments.value(0)?;
            if let Some(number) = cast::of_own_text(&value, *target) {
                return Some(number);
            }
            let text = match value.into_owned() {
                Value::Text(text) => Value::string(text.value),
                Value::Iri(iri) => Value::string(iri.into_string()),
                Value::Opaque(literal) => Value::string(literal.destruct().0),
                Value::Blank(_) | Value::Triple(_) => return None,
                // The value does not tell how its term is written.
                Value::Boolean(_) | Value::Number(_) | Value::Moment(_) | Value::Span(_) => {
                    simple(&Function::Str, arguments)?
                }
            };
            match cast(text.clone(), *target) {
                Some(value) => value,
                None => return arguments.failed_if(cast::failure(&text, target.datatype().as_str())),
            }
        }
        Function::Concat
        | Function::Replace(_)
        | Function::StrDt
        | Function::Subject
        | Function::Predicate
        | Function::Object
        | Function::Extension(_) => return None,
    })
}

/// Returns the pattern of one row. Its flags are the argument at `flags`, if there is one.
fn pattern(source: &PatternSource, arguments: &Arguments<'_, '_>, flags: usize) -> Option<Arc<Pattern>> {
    match source {
        PatternSource::Constant(Ok(pattern)) => Some(Arc::clone(pattern)),
        PatternSource::Constant(Err(reason)) => arguments.failed(reason),
        PatternSource::NoText => None,
        PatternSource::Arguments(patterns) => {
            let flags = if arguments.has(flags) { arguments.plain(flags)? } else { Cow::Borrowed("") };
            match patterns.get(&arguments.plain(1)?, &flags) {
                Ok(pattern) => Some(pattern),
                Err(reason) => arguments.failed(&reason),
            }
        }
    }
}

fn replace(source: &PatternSource, arguments: &Arguments<'_, '_>) -> Result<Option<Datum>> {
    let parts = (arguments.text(0), pattern(source, arguments, 3), arguments.plain(2));
    let (Some(text), Some(pattern), Some(replacement)) = parts else { return Ok(None) };
    Ok(match Replacement::new(&pattern, &replacement) {
        Ok(replacement) => {
            let mut value = String::new();
            replacement.write(&text.value, &mut value, arguments.context.terms.budget())?;
            Some(Datum::Value(Text { value, language: text.language.clone() }.into()))
        }
        Err(reason) => arguments.failed(&reason),
    })
}

/// SUBJECT, PREDICATE and OBJECT.
fn component(function: &Function, arguments: &Arguments<'_, '_>) -> Result<Option<Datum>> {
    let position = match function {
        Function::Subject => 0,
        Function::Predicate => 1,
        _ => 2,
    };
    let Some(column) = arguments.columns.first() else { return Ok(None) };
    match column.datum(arguments.row, arguments.context)? {
        Some(Datum::Term(id)) => {
            let terms = &arguments.context.terms;
            if terms.kind(id) != TermKind::Triple {
                return Ok(None);
            }
            Ok(terms.triple_components(id)?.map(|components| Datum::Term(components[position])))
        }
        Some(Datum::Value(Value::Triple(triple))) => {
            let Triple { subject, predicate, object } = *triple;
            let term = match position {
                0 => subject.into(),
                1 => predicate.into(),
                _ => object,
            };
            Ok(Some(Datum::Term(arguments.context.terms.id(term)?)))
        }
        Some(Datum::Value(_)) | None => Ok(None),
    }
}
