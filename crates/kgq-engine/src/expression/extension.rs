//! Functions that SPARQL lacks and both executors provide: XPath's mathematics, some of its functions on strings and durations,
//! and casts to datatypes derived from those of `cast.rs` (XPath and XQuery Functions and Operators 3.1, §4.8, §5, §8.3, §19).
//!
//! They take terms and return a term, because a value does not hold the datatype of their results.

use super::cast::{self, Target, cast};
use super::compare::double;
use super::pattern::Reason;
use super::value::{Number, Text, Value};
use crate::query::functions::{self, Native};
use crate::query::prebind;
use kgq_syntax::rdf::literal::{integer_bounds, is_integer_within};
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use oxrdf::vocab::xsd;
use oxsdatatypes::{Double, Duration};

/// One of these functions.
#[derive(Clone, Copy, Debug)]
pub enum Extension {
    Native(Native),
    Cast(Derived),
    /// Returns the data's blank node that a bound query names.
    BlankNode,
}

/// A datatype that restricts the values of another.
#[derive(Clone, Copy, Debug)]
pub enum Derived {
    /// Derived from `xsd:integer`; its full IRI.
    Integer(&'static str),
    DateTimeStamp,
    NormalizedString,
    Token,
    AnyUri,
}

const INTEGERS: &[&str] = &[
    "http://www.w3.org/2001/XMLSchema#long",
    "http://www.w3.org/2001/XMLSchema#int",
    "http://www.w3.org/2001/XMLSchema#short",
    "http://www.w3.org/2001/XMLSchema#byte",
    "http://www.w3.org/2001/XMLSchema#nonNegativeInteger",
    "http://www.w3.org/2001/XMLSchema#positiveInteger",
    "http://www.w3.org/2001/XMLSchema#nonPositiveInteger",
    "http://www.w3.org/2001/XMLSchema#negativeInteger",
    "http://www.w3.org/2001/XMLSchema#unsignedLong",
    "http://www.w3.org/2001/XMLSchema#unsignedInt",
    "http://www.w3.org/2001/XMLSchema#unsignedShort",
    "http://www.w3.org/2001/XMLSchema#unsignedByte",
];

/// Lists all extensions that remain calls by an IRI, for an evaluator that must be given them.
pub fn all() -> impl Iterator<Item = (NamedNode, Extension)> {
    functions::all().filter_map(|iri| Some((NamedNode::new_unchecked(&iri), Extension::of(&iri)?)))
}

impl Extension {
    /// Returns the extension with this IRI.
    pub fn of(iri: &str) -> Option<Self> {
        if iri == prebind::blank_node_function().as_str() {
            return Some(Self::BlankNode);
        }
        if let functions::Meaning::Native(native) = functions::known(iri)?.meaning {
            return Some(Self::Native(native));
        }
        if let Some(integer) = INTEGERS.iter().find(|integer| **integer == iri) {
            return Some(Self::Cast(Derived::Integer(integer)));
        }
        let derived = match iri.strip_prefix("http://www.w3.org/2001/XMLSchema#")? {
            "dateTimeStamp" => Derived::DateTimeStamp,
            "normalizedString" => Derived::NormalizedString,
            "token" => Derived::Token,
            "anyURI" => Derived::AnyUri,
            _ => return None,
        };
        Some(Self::Cast(derived))
    }

    /// Computes its value; `None` is an error.
    pub fn call(self, arguments: &[Term]) -> Option<Term> {
        match self {
            Self::Native(native) => call(native, arguments),
            Self::Cast(derived) => derived.cast(arguments.first()?),
            Self::BlankNode => prebind::call_blank_node_function(arguments),
        }
    }

    /// Returns the reason why there is no value, unless the arguments' types are the reason.
    pub fn failure(self, arguments: &[Term]) -> Option<Reason> {
        let Self::Cast(derived) = self else { return None };
        cast::failure(&Value::of(arguments.first()?.clone()), derived.datatype())
    }
}

fn call(native: Native, arguments: &[Term]) -> Option<Term> {
    let number = |at: usize| match Value::of(arguments.get(at)?.clone()) {
        Value::Number(number) => Some(f64::from(double(&number))),
        _ => None,
    };
    let text = |at: usize| match Value::of(arguments.get(at)?.clone()) {
        Value::Text(Text { value, .. }) => Some(value),
        _ => None,
    };
    let part = |of: fn(Duration) -> i64| match Value::of(arguments.first()?.clone()) {
        Value::Span(span) => Some(Value::integer(of(span.into_duration()))),
        _ => None,
    };
    let value = match native {
        Native::Pi => real(std::f64::consts::PI),
        Native::Exp => real(number(0)?.exp()),
        Native::Exp10 => real(10f64.powf(number(0)?)),
        Native::Log => real(number(0)?.ln()),
        Native::Log10 => real(number(0)?.log10()),
        Native::Pow => real(number(0)?.powf(number(1)?)),
        Native::Sqrt => real(number(0)?.sqrt()),
        Native::Sin => real(number(0)?.sin()),
        Native::Cos => real(number(0)?.cos()),
        Native::Tan => real(number(0)?.tan()),
        Native::Asin => real(number(0)?.asin()),
        Native::Acos => real(number(0)?.acos()),
        Native::Atan => real(number(0)?.atan()),
        Native::Atan2 => real(number(0)?.atan2(number(1)?)),
        Native::NormalizeSpace => Value::string(collapsed(&text(0)?)),
        Native::Translate => Value::string(translated(&text(0)?, &text(1)?, &text(2)?)),
        Native::Compare => Value::integer(text(0)?.cmp(&text(1)?) as i64),
        Native::Years => part(Duration::years)?,
        Native::Months => part(Duration::months)?,
        Native::Days => part(Duration::days)?,
        Native::Hours => part(Duration::hours)?,
        Native::Minutes => part(Duration::minutes)?,
        Native::Seconds => match Value::of(arguments.first()?.clone()) {
            Value::Span(span) => Number::Decimal(span.into_duration().seconds()).into(),
            _ => return None,
        },
    };
    Some(value.into_term())
}

fn real(value: f64) -> Value {
    Number::Double(Double::from(value)).into()
}

/// Returns the text with each run of white space replaced by one space, and none around it.
fn collapsed(text: &str) -> String {
    let words: Vec<&str> = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Replaces the characters of `from` by those of `to`; characters beyond the end of `to` are removed.
fn translated(text: &str, from: &str, to: &str) -> String {
    let mut map = rustc_hash::FxHashMap::default();
    let mut to = to.chars();
    for c in from.chars() {
        let with = to.next();
        map.entry(c).or_insert(with);
    }
    text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c))).collect()
}

impl Derived {
    fn datatype(self) -> &'static str {
        match self {
            Self::Integer(datatype) => datatype,
            Self::DateTimeStamp => xsd::DATE_TIME_STAMP.as_str(),
            Self::NormalizedString => xsd::NORMALIZED_STRING.as_str(),
            Self::Token => xsd::TOKEN.as_str(),
            Self::AnyUri => xsd::ANY_URI.as_str(),
        }
    }

    fn cast(self, term: &Term) -> Option<Term> {
        let of = |target| Some(cast(Value::of(term.clone()), target)?.into_term());
        let lexical = |term: Term| match term {
            Term::Literal(literal) => Some(literal.destruct().0),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        };
        let (text, datatype) = match self {
            Self::Integer(datatype) => {
                let text = lexical(of(Target::Integer)?)?;
                (in_range(&text, datatype).then_some(text)?, NamedNode::new_unchecked(datatype))
            }
            Self::DateTimeStamp => {
                let text = lexical(of(Target::DateTime)?)?;
                let literal = Literal::new_typed_literal(text, xsd::DATE_TIME_STAMP);
                // A value without a time zone is not a `dateTimeStamp`.
                return matches!(Value::of_literal(literal.clone()), Value::Moment(_)).then(|| literal.into());
            }
            Self::NormalizedString => {
                (lexical(of(Target::String)?)?.replace(['\t', '\n', '\r'], " "), xsd::NORMALIZED_STRING.into_owned())
            }
            Self::Token => (collapsed(&lexical(of(Target::String)?)?), xsd::TOKEN.into_owned()),
            Self::AnyUri => (collapsed(&lexical(of(Target::String)?)?), xsd::ANY_URI.into_owned()),
        };
        Some(Literal::new_typed_literal(text, datatype).into())
    }
}

/// Whether an integer is within the bounds of the datatype.
fn in_range(text: &str, datatype: &str) -> bool {
    integer_bounds(datatype).is_some_and(|bounds| is_integer_within(text, bounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(iri: &str, arguments: &[Value]) -> Option<String> {
        let terms: Vec<Term> = arguments.iter().cloned().map(Value::into_term).collect();
        Some(Extension::of(iri)?.call(&terms)?.to_string())
    }

    #[test]
    fn casts_to_derived_integers_keep_to_their_range() {
        for (name, text, is_one) in [
            ("int", "2147483647", true),
            ("int", "2147483648", false),
            ("byte", "-128", true),
            ("byte", "128", false),
            ("unsignedByte", "-1", false),
            ("unsignedShort", "65535", true),
            ("positiveInteger", "0", false),
            ("nonNegativeInteger", "0", true),
            ("nonPositiveInteger", "0", true),
            ("negativeInteger", "0", false),
            ("long", "one", false),
        ] {
            let iri = format!("http://www.w3.org/2001/XMLSchema#{name}");
            let cast = call(&iri, &[Value::string(text)]);
            assert_eq!(cast, is_one.then(|| format!("\"{text}\"^^<{iri}>")), "{name} {text}");
        }
        let int = "http://www.w3.org/2001/XMLSchema#int";
        assert_eq!(call(int, &[Number::Double(Double::from(7.9)).into()]), Some(format!("\"7\"^^<{int}>")));
        assert_eq!(call(int, &[Value::Boolean(true)]), Some(format!("\"1\"^^<{int}>")));
    }

    #[test]
    fn functions_follow_xpath() {
        let math = "http://www.w3.org/2005/xpath-functions/math#";
        let double = "^^<http://www.w3.org/2001/XMLSchema#double>";
        assert_eq!(call(&format!("{math}exp10"), &[Value::integer(2)]), Some(format!("\"100\"{double}")));
        assert_eq!(call(&format!("{math}sqrt"), &[Value::integer(-1)]), Some(format!("\"NaN\"{double}")));
        assert_eq!(call(&format!("{math}sqrt"), &[Value::string("4")]), None);
        let f = |name, arguments: &[Value]| call(&format!("http://www.w3.org/2005/xpath-functions#{name}"), arguments);
        assert_eq!(f("normalize-space", &[Value::string(" a \n b ")]).as_deref(), Some("\"a b\""));
        let translated = f("translate", &["--aaa--", "abc-", "ABC"].map(Value::string));
        assert_eq!(translated.as_deref(), Some("\"AAA\""));
        let days = Value::of_literal(Literal::new_typed_literal("P1DT25H", xsd::DURATION));
        let days = f("days-from-duration", &[days]).unwrap();
        assert!(days.starts_with("\"2\""), "{days}");
    }

    #[test]
    fn every_function_that_is_known_is_computed() {
        for iri in functions::all() {
            let cast = Target::of(NamedNode::new_unchecked(&iri).as_ref()).is_some();
            let rewritten = !matches!(
                functions::known(&iri).map(|known| &known.meaning),
                Some(functions::Meaning::Cast | functions::Meaning::Native(_))
            );
            assert!(cast || rewritten || Extension::of(&iri).is_some(), "{iri}");
        }
    }
}
