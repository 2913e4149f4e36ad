//! The functions named by an IRI that are computed here: casts to XML Schema's datatypes, and those of XPath's
//! functions that work on single values. Functions that SPARQL has under another name become SPARQL's own (`lower.rs`);
//! the engine computes the rest.

use spargebra::algebra::Function;

pub const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
const FN: &str = "http://www.w3.org/2005/xpath-functions#";
const MATH: &str = "http://www.w3.org/2005/xpath-functions/math#";

/// A function, with its minimum and maximum number of arguments.
pub struct KnownFunction {
    pub namespace: &'static str,
    pub name: &'static str,
    pub least: usize,
    pub most: usize,
    pub meaning: Meaning,
}

/// The meaning of a call.
pub enum Meaning {
    /// A call of a SPARQL function with the same arguments.
    Standard(Function),
    /// CONCAT of the arguments' texts, because CONCAT accepts only strings.
    Concat,
    Not,
    Boolean,
    Constant(bool),
    Number,
    /// A cast to the datatype of this name.
    Cast,
    /// A function that SPARQL lacks.
    Native(Native),
}

/// A function that SPARQL lacks (XPath and XQuery Functions and Operators 3.1, §4.8, §5, §8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    Pi,
    Exp,
    Exp10,
    Log,
    Log10,
    Pow,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    NormalizeSpace,
    Translate,
    Compare,
    Years,
    Months,
    Days,
    Hours,
    Minutes,
    Seconds,
}

/// Returns the function with this IRI, if it is computed here.
pub fn known(iri: &str) -> Option<&'static KnownFunction> {
    KNOWN.iter().find(|known| iri.strip_prefix(known.namespace) == Some(known.name))
}

/// Returns all functions of a namespace.
pub fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static KnownFunction> {
    KNOWN.iter().filter(move |known| known.namespace == namespace)
}

/// Returns the IRIs of all functions.
pub fn all() -> impl Iterator<Item = String> {
    KNOWN.iter().map(|known| format!("{}{}", known.namespace, known.name))
}

const fn cast(name: &'static str) -> KnownFunction {
    KnownFunction { namespace: XSD, name, least: 1, most: 1, meaning: Meaning::Cast }
}

const fn standard(name: &'static str, least: usize, most: usize, function: Function) -> KnownFunction {
    KnownFunction { namespace: FN, name, least, most, meaning: Meaning::Standard(function) }
}

const fn function(name: &'static str, arguments: usize, meaning: Meaning) -> KnownFunction {
    KnownFunction { namespace: FN, name, least: arguments, most: arguments, meaning }
}

const fn math(name: &'static str, arguments: usize, native: Native) -> KnownFunction {
    KnownFunction { namespace: MATH, name, least: arguments, most: arguments, meaning: Meaning::Native(native) }
}

static KNOWN: &[KnownFunction] = &[
    cast("anyURI"),
    cast("boolean"),
    cast("byte"),
    cast("date"),
    cast("dateTime"),
    cast("dateTimeStamp"),
    cast("dayTimeDuration"),
    cast("decimal"),
    cast("double"),
    cast("duration"),
    cast("float"),
    cast("gDay"),
    cast("gMonth"),
    cast("gMonthDay"),
    cast("gYear"),
    cast("gYearMonth"),
    cast("int"),
    cast("integer"),
    cast("long"),
    cast("negativeInteger"),
    cast("nonNegativeInteger"),
    cast("nonPositiveInteger"),
    cast("normalizedString"),
    cast("positiveInteger"),
    cast("short"),
    cast("string"),
    cast("time"),
    cast("token"),
    cast("unsignedByte"),
    cast("unsignedInt"),
    cast("unsignedLong"),
    cast("unsignedShort"),
    cast("yearMonthDuration"),
    standard("abs", 1, 1, Function::Abs),
    standard("adjust-date-to-timezone", 2, 2, Function::Adjust),
    standard("adjust-dateTime-to-timezone", 2, 2, Function::Adjust),
    standard("adjust-time-to-timezone", 2, 2, Function::Adjust),
    standard("ceiling", 1, 1, Function::Ceil),
    standard("contains", 2, 2, Function::Contains),
    standard("current-dateTime", 0, 0, Function::Now),
    standard("day-from-date", 1, 1, Function::Day),
    standard("day-from-dateTime", 1, 1, Function::Day),
    standard("encode-for-uri", 1, 1, Function::EncodeForUri),
    standard("ends-with", 2, 2, Function::StrEnds),
    standard("floor", 1, 1, Function::Floor),
    standard("hours-from-dateTime", 1, 1, Function::Hours),
    standard("hours-from-time", 1, 1, Function::Hours),
    standard("lower-case", 1, 1, Function::LCase),
    standard("matches", 2, 3, Function::Regex),
    standard("minutes-from-dateTime", 1, 1, Function::Minutes),
    standard("minutes-from-time", 1, 1, Function::Minutes),
    standard("month-from-date", 1, 1, Function::Month),
    standard("month-from-dateTime", 1, 1, Function::Month),
    standard("replace", 3, 4, Function::Replace),
    standard("round", 1, 1, Function::Round),
    standard("seconds-from-dateTime", 1, 1, Function::Seconds),
    standard("seconds-from-time", 1, 1, Function::Seconds),
    standard("starts-with", 2, 2, Function::StrStarts),
    standard("string", 1, 1, Function::Str),
    standard("string-length", 1, 1, Function::StrLen),
    standard("substring", 2, 3, Function::SubStr),
    standard("substring-after", 2, 2, Function::StrAfter),
    standard("substring-before", 2, 2, Function::StrBefore),
    standard("timezone-from-date", 1, 1, Function::Timezone),
    standard("timezone-from-dateTime", 1, 1, Function::Timezone),
    standard("timezone-from-time", 1, 1, Function::Timezone),
    standard("upper-case", 1, 1, Function::UCase),
    standard("year-from-date", 1, 1, Function::Year),
    standard("year-from-dateTime", 1, 1, Function::Year),
    KnownFunction { namespace: FN, name: "concat", least: 2, most: usize::MAX, meaning: Meaning::Concat },
    function("boolean", 1, Meaning::Boolean),
    function("compare", 2, Meaning::Native(Native::Compare)),
    function("days-from-duration", 1, Meaning::Native(Native::Days)),
    function("false", 0, Meaning::Constant(false)),
    function("hours-from-duration", 1, Meaning::Native(Native::Hours)),
    function("minutes-from-duration", 1, Meaning::Native(Native::Minutes)),
    function("months-from-duration", 1, Meaning::Native(Native::Months)),
    function("normalize-space", 1, Meaning::Native(Native::NormalizeSpace)),
    function("not", 1, Meaning::Not),
    function("number", 1, Meaning::Number),
    function("seconds-from-duration", 1, Meaning::Native(Native::Seconds)),
    function("translate", 3, Meaning::Native(Native::Translate)),
    function("true", 0, Meaning::Constant(true)),
    function("years-from-duration", 1, Meaning::Native(Native::Years)),
    math("acos", 1, Native::Acos),
    math("asin", 1, Native::Asin),
    math("atan", 1, Native::Atan),
    math("atan2", 2, Native::Atan2),
    math("cos", 1, Native::Cos),
    math("exp", 1, Native::Exp),
    math("exp10", 1, Native::Exp10),
    math("log", 1, Native::Log),
    math("log10", 1, Native::Log10),
    math("pi", 0, Native::Pi),
    math("pow", 2, Native::Pow),
    math("sin", 1, Native::Sin),
    math("sqrt", 1, Native::Sqrt),
    math("tan", 1, Native::Tan),
];
