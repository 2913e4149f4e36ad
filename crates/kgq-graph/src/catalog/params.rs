//! Parameters of canned queries: turns what the user typed into terms, checked against the declared types.

use super::header::Param;
use super::labels::Labels;
use super::lookup::{Named, resolve};
use super::queries::CannedQuery;
use kgq_engine::query::{Binding, BoundTo, Query, bind, set_slice};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Term, Variable};
use kgq_syntax::text::{did_you_mean, nearest};
use oxrdf::vocab::xsd;

/// The values that a parameter accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    Iri,
    String,
    LangString,
    /// A text in this language.
    Language(String),
    /// An integer if written as one, else a decimal.
    Number,
    Integer,
    Decimal,
    Date,
    Boolean,
    /// A literal of this datatype.
    Datatype(NamedNode),
    /// A member of this class or of one of its subclasses.
    MemberOf(NamedNode),
}

const KINDS: &[&str] = &["iri", "string", "langString", "number", "integer", "decimal", "date", "boolean"];

/// What has to be known of the dataset to read parameter values.
pub trait ParameterContext {
    fn prefixes(&self) -> &Prefixes;
    fn snapshot(&self) -> &Snapshot;
    /// Bounds how long names are looked for, and what is held meanwhile.
    fn budget(&self) -> &Budget;
    /// Whether the term occurs in the dataset.
    fn contains(&self, term: &NamedNode) -> bool;
    /// Returns the members of a class and of its subclasses, sorted.
    fn members(&self, class: &NamedNode) -> Vec<NamedNode>;
}

/// The values given to the parameters of a canned query, as typed: `name=value`; for a list, the members are separated
/// by commas or the name is repeated.
#[derive(Clone, Debug, Default)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// Reads arguments of the form `name=value`.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut values = Vec::new();
        for argument in arguments {
            let Some((name, value)) = argument.split_once('=') else {
                return Err(Error::usage(format!("`{argument}` is no parameter: write it NAME=VALUE")));
            };
            values.push((name.trim_start_matches(['$', '?']).to_owned(), value.to_owned()));
        }
        Ok(Self(values))
    }

    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    fn of(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }
}

impl CannedQuery {
    /// Binds the values in the parsed query, as terms.
    pub fn apply(&self, query: &mut Query, values: &Values, known: &dyn ParameterContext) -> Result<()> {
        bind(query, &self.bindings(values, known)?);
        self.apply_slice(query, values)
    }

    /// Returns the terms of the values: those given, else the defaults. A parameter with neither is left out.
    pub fn bindings(&self, values: &Values, known: &dyn ParameterContext) -> Result<Vec<Binding>> {
        for (name, _) in &values.0 {
            if !self.header.params.contains_key(name) && !self.slices(name) {
                return Err(self.unknown_parameter(name));
            }
        }
        let mut bindings = Vec::new();
        for (name, param) in &self.header.params {
            if self.slices(name) {
                continue;
            }
            let texts = self.texts(name, param, values)?;
            if let Some(other) = texts.iter().find(|text| !param.values.is_empty() && !param.values.contains(text)) {
                return Err(Error::input(format!("parameter `{name}` cannot be `{other}`"))
                    .hint(format!("allowed: {}", param.values.join(", "))));
            }
            for (variable, kind) in param.variables(name) {
                let kind = self.kind_of(name, kind, known)?;
                let mut terms = Vec::new();
                for text in &texts {
                    terms.push(parse_value(name, text, &kind, known)?);
                }
                bindings.extend(self.binding(name, param, variable, terms)?);
            }
        }
        Ok(bindings)
    }

    fn binding(&self, name: &str, param: &Param, variable: &str, mut terms: Vec<Term>) -> Result<Option<Binding>> {
        let variable = Variable::new(variable).map_err(|_| {
            Error::input(format!("{}: parameter `{name}` is not a valid name of a variable", self.file))
        })?;
        let given = terms.len();
        Ok(match (param.list, terms.pop()) {
            (_, None) if param.required => return Err(self.missing_parameter(name, param)),
            (_, None) => None,
            (false, Some(term)) if given == 1 => Some(Binding { variable, value: BoundTo::One(term) }),
            (false, Some(_)) => {
                return Err(Error::input(format!("parameter `{name}` takes one value, not {given}")));
            }
            (true, Some(term)) => {
                terms.push(term);
                Some(Binding { variable, value: BoundTo::AnyOf(terms) })
            }
        })
    }

    fn slices(&self, name: &str) -> bool {
        [&self.header.limit, &self.header.offset].into_iter().flatten().any(|n| n == name)
    }

    /// Returns the numbers that the values put in place of the query's LIMIT and OFFSET.
    ///
    /// # Errors
    /// A value that is not a number.
    pub fn slice(&self, values: &Values) -> Result<(Option<usize>, Option<usize>)> {
        let number = |name: &Option<String>| -> Result<Option<usize>> {
            let Some(name) = name else { return Ok(None) };
            let default = self.header.params.get(name).and_then(|p| p.default.as_ref()).map(|d| d.texts());
            let default = default.and_then(|d| d.into_iter().next());
            let Some(text) = values.of(name).last().map(|v| (*v).to_owned()).or(default) else { return Ok(None) };
            text.trim()
                .parse()
                .map(Some)
                .map_err(|_| Error::input(format!("parameter `{name}` must be a whole number, not `{text}`")))
        };
        Ok((number(&self.header.limit)?, number(&self.header.offset)?))
    }

    fn apply_slice(&self, query: &mut Query, values: &Values) -> Result<()> {
        let (limit, offset) = self.slice(values)?;
        if (limit.is_some() || offset.is_some()) && !set_slice(query, limit, offset) {
            return Err(Error::input(format!(
                "{}: the header's `limit` or `offset` replaces a number, but the query has no LIMIT or OFFSET at its end",
                self.file
            )));
        }
        Ok(())
    }

    /// Returns the type of a parameter; a wrong one is an error in the header.
    pub fn kind(&self, name: &str, param: &Param, known: &dyn ParameterContext) -> Result<ParamKind> {
        let kind = param.variables(name).first().and_then(|(_, kind)| *kind);
        self.kind_of(name, kind, known)
    }

    fn kind_of(&self, name: &str, kind: Option<&str>, known: &dyn ParameterContext) -> Result<ParamKind> {
        let Some(kind) = kind else { return Ok(ParamKind::String) };
        Ok(match kind {
            "iri" => ParamKind::Iri,
            "string" => ParamKind::String,
            "langString" => ParamKind::LangString,
            "number" => ParamKind::Number,
            "integer" => ParamKind::Integer,
            "decimal" => ParamKind::Decimal,
            "date" => ParamKind::Date,
            "boolean" => ParamKind::Boolean,
            other if other.starts_with('@') => ParamKind::Language(other[1..].to_owned()),
            other => {
                let iri = other.strip_prefix('<').and_then(|o| o.strip_suffix('>'));
                let node = match iri {
                    Some(iri) => NamedNode::new(iri).ok(),
                    None => known.prefixes().expand(other).or_else(|| other.strip_prefix("xsd:").and_then(xsd_type)),
                };
                if let Some(datatype) = node.as_ref().and_then(|node| node.as_str().strip_prefix(XSD)) {
                    if let Some(kind) = of_datatype(datatype) {
                        return Ok(kind);
                    }
                } else if let Some(class) = node.filter(|class| known.contains(class)) {
                    return Ok(ParamKind::MemberOf(class));
                }
                let error = Error::input(format!("{}: parameter `{name}` has an unknown type `{other}`", self.file));
                let local = other.rsplit([':', '#', '/']).next().unwrap_or(other).trim_end_matches('>');
                let simple = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(local));
                let near = did_you_mean(local, KINDS.iter().copied().chain(DATATYPES));
                let near = simple.map(|kind| format!("did you mean `{kind}`?")).or(near);
                return Err(error.hint(near.unwrap_or_else(|| {
                    format!(
                        "{}, a datatype such as xsd:gYear, or a class of the graph as CURIE or <IRI>",
                        KINDS.join(", ")
                    )
                })));
            }
        })
    }

    fn texts(&self, name: &str, param: &Param, values: &Values) -> Result<Vec<String>> {
        let given = values.of(name);
        if given.is_empty() {
            return Ok(param.default.as_ref().map(|d| d.texts()).unwrap_or_default());
        }
        let mut texts = Vec::new();
        for value in given {
            if param.list {
                texts.extend(
                    split_list(value).map_err(|message| Error::input(format!("parameter `{name}`: {message}")))?,
                );
            } else {
                texts.push(value.to_owned());
            }
        }
        Ok(texts)
    }

    fn unknown_parameter(&self, name: &str) -> Error {
        let known: Vec<&str> = self.header.params.keys().map(String::as_str).collect();
        let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.as_slice() {
            [] => "it has none".into(),
            known => format!("its parameters: {}", known.join(", ")),
        });
        Error::input(format!("canned query `{}` has no parameter `{name}`", self.name)).hint(hint)
    }

    fn missing_parameter(&self, name: &str, param: &Param) -> Error {
        let example = param.example.as_ref().and_then(|e| e.texts().into_iter().next());
        Error::new(Kind::Input, format!("canned query `{}` needs a value for `{name}`", self.name)).hint(format!(
            "for example: kgq run {} {name}={}",
            self.name,
            example.as_deref().unwrap_or("VALUE")
        ))
    }
}

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// The XML Schema datatypes that RDF 1.1 §5.1 lists, except those with a kind of their own.
const DATATYPES: [&str; 30] = [
    "double",
    "float",
    "time",
    "dateTime",
    "dateTimeStamp",
    "gYear",
    "gMonth",
    "gDay",
    "gYearMonth",
    "gMonthDay",
    "duration",
    "yearMonthDuration",
    "dayTimeDuration",
    "byte",
    "short",
    "int",
    "long",
    "unsignedByte",
    "unsignedShort",
    "unsignedInt",
    "unsignedLong",
    "positiveInteger",
    "nonNegativeInteger",
    "negativeInteger",
    "nonPositiveInteger",
    "hexBinary",
    "base64Binary",
    "anyURI",
    "token",
    "normalizedString",
];

fn xsd_type(local: &str) -> Option<NamedNode> {
    NamedNode::new(format!("{XSD}{local}")).ok()
}

/// The kind for the XML Schema datatype with this local name; `None` if there is no such datatype.
fn of_datatype(local: &str) -> Option<ParamKind> {
    match local {
        "string" => Some(ParamKind::String),
        "integer" => Some(ParamKind::Integer),
        "decimal" => Some(ParamKind::Decimal),
        "date" => Some(ParamKind::Date),
        "boolean" => Some(ParamKind::Boolean),
        other => DATATYPES.contains(&other).then(|| xsd_type(other).map(ParamKind::Datatype)).flatten(),
    }
}

/// Splits a list at commas; a member in double quotes may contain commas and doubled quotes.
fn split_list(text: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut members = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        members.extend(record.iter().map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()));
    }
    Ok(members)
}

fn parse_value(name: &str, text: &str, kind: &ParamKind, known: &dyn ParameterContext) -> Result<Term> {
    let wrong = |what: &str| Error::input(format!("parameter `{name}` must be {what}, not `{text}`"));
    Ok(match kind {
        ParamKind::String => Literal::new_simple_literal(text).into(),
        ParamKind::LangString => {
            let (value, language) =
                text.rsplit_once('@').ok_or_else(|| wrong("a text with its language, as in `贸易@zh`"))?;
            Literal::new_language_tagged_literal(value.trim_matches('"'), language)
                .map_err(|_| wrong("a text with its language, as in `贸易@zh`"))?
                .into()
        }
        ParamKind::Language(tag) => Literal::new_language_tagged_literal(text, tag)
            .map_err(|_| wrong(&format!("a text in the language `{tag}`")))?
            .into(),
        ParamKind::Number if text.trim().parse::<oxsdatatypes::Integer>().is_ok() => {
            Literal::new_typed_literal(text.trim(), xsd::INTEGER).into()
        }
        ParamKind::Datatype(datatype) => {
            let literal = Literal::new_typed_literal(text.trim(), datatype.clone());
            if !kgq_syntax::rdf::literal::is_well_formed(&literal) {
                return Err(wrong(&format!("of the datatype {}", known.prefixes().display(datatype.as_str()))));
            }
            literal.into()
        }
        ParamKind::Integer => {
            text.trim().parse::<oxsdatatypes::Integer>().map_err(|_| wrong("a whole number"))?;
            Literal::new_typed_literal(text.trim(), xsd::INTEGER).into()
        }
        ParamKind::Decimal | ParamKind::Number => {
            text.trim().parse::<oxsdatatypes::Decimal>().map_err(|_| wrong("a decimal number, as in `12.5`"))?;
            Literal::new_typed_literal(text.trim(), xsd::DECIMAL).into()
        }
        ParamKind::Date => {
            text.trim().parse::<oxsdatatypes::Date>().map_err(|_| wrong("a date, as in `2025-04-21`"))?;
            Literal::new_typed_literal(text.trim(), xsd::DATE).into()
        }
        ParamKind::Boolean => match text.trim() {
            "true" | "1" => Literal::from(true).into(),
            "false" | "0" => Literal::from(false).into(),
            _ => return Err(wrong("true or false")),
        },
        ParamKind::Iri => parse_term(text, known).map_err(|e| prefixed(name, &e))?.into(),
        ParamKind::MemberOf(class) => member(name, text, class, known)?.into(),
    })
}

fn prefixed(name: &str, error: &Error) -> Error {
    let out = Error::input(format!("parameter `{name}`: {}", error.message()));
    error.hints().iter().fold(out, |out, hint| out.hint(hint))
}

fn member(name: &str, text: &str, class: &NamedNode, known: &dyn ParameterContext) -> Result<NamedNode> {
    let members = known.members(class);
    let show = |node: &NamedNode| known.prefixes().display(node.as_str());
    let found = match resolve(text, known, |n| members.contains(n))? {
        Named::One(node) => vec![node],
        Named::Several(nodes) => nodes,
        Named::Unknown(_) => Vec::new(),
    };
    let allowed: Vec<NamedNode> = found.iter().filter(|n| members.contains(n)).cloned().collect();
    if let [one] = allowed.as_slice() {
        return Ok(one.clone());
    }
    let error = Error::input(format!("parameter `{name}` must be a {}, and `{text}` is none", show(class)));
    let names: Vec<String> = members.iter().map(show).collect();
    let labels = Labels::of_things(&members, known.snapshot(), known.budget())?;
    let called = members.iter().flat_map(|member| labels.all(member)).map(|label| label.value());
    let near = nearest(text, names.iter().map(String::as_str).chain(called), 3);
    let error = match near.as_slice() {
        [] => error,
        near => error.hint(format!("did you mean `{}`?", near.join("`, `"))),
    };
    const SHOWN: usize = 12;
    let more = members.len().saturating_sub(SHOWN);
    let mut list = named_all(members.iter().take(SHOWN), known)?.join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    Err(if list.is_empty() {
        error.hint(format!("the graph has no member of {}", show(class)))
    } else {
        error.hint(format!("allowed: {list}"))
    })
}

/// Formats things as they are offered: their CURIEs and their labels, so that the user need not know codes.
///
/// # Errors
/// The budget's.
pub fn named_all<'n>(
    nodes: impl IntoIterator<Item = &'n NamedNode>,
    known: &dyn ParameterContext,
) -> Result<Vec<String>> {
    let nodes: Vec<&NamedNode> = nodes.into_iter().collect();
    let labels = Labels::of_things(nodes.iter().copied(), known.snapshot(), known.budget())?;
    let named = |node: &NamedNode| {
        let curie = known.prefixes().display(node.as_str());
        match labels.get(node, "en") {
            Some(label) => format!("{curie} ({label})"),
            None => curie,
        }
    };
    Ok(nodes.into_iter().map(named).collect())
}

/// Finds the IRI that a user means by `<iri>`, an absolute IRI, a CURIE, or the label of something in the dataset.
pub(crate) fn parse_term(text: &str, known: &dyn ParameterContext) -> Result<NamedNode> {
    match resolve(text, known, |node| known.contains(node))? {
        Named::One(node) => Ok(node),
        Named::Several(nodes) => {
            let names = named_all(&nodes, known)?;
            Err(Error::input(format!("`{text}` is the label of several things"))
                .hint(format!("say which: {}", names.join(", "))))
        }
        Named::Unknown(near) => {
            // An IRI that is not in the data can still be what the user means.
            if let Some(node) = known.prefixes().expand(text) {
                return Ok(node);
            }
            if let Ok(node) = NamedNode::new(text)
                && text.contains("://")
            {
                return Ok(node);
            }
            let error = Error::input(format!("nothing is called `{text}`: no label, CURIE or IRI of the graph"));
            let unknown_prefix = text.split_once(':').filter(|(p, _)| known.prefixes().get(p).is_none());
            Err(if near.is_empty() {
                error.hint_if(unknown_prefix.and_then(|(p, _)| did_you_mean(p, known.prefixes().names())))
            } else {
                error.hint(format!("did you mean `{}`?", near.join("`, `")))
            })
        }
    }
}
