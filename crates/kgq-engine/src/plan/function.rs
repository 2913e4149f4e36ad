//! The functions that an expression may call. One list says how SPARQL writes each of them and how many arguments it takes.

use crate::query::{functions, prebind};
use kgq_syntax::rdf::NamedNode;
use spargebra::algebra::Function as Parsed;
use std::fmt;
use std::ops::RangeInclusive;

/// No upper limit on the number of arguments.
const MANY: usize = usize::MAX;

macro_rules! functions {
    ($($name:ident $text:literal $least:literal..=$most:expr,)*) => {
        /// The function that a call names.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Function {
            $($name,)*
            /// A function named by an IRI: a cast, or an extension of SPARQL.
            Custom(NamedNode),
        }

        impl From<&Parsed> for Function {
            fn from(function: &Parsed) -> Self {
                match function {
                    $(Parsed::$name => Self::$name,)*
                    Parsed::Custom(name) => Self::Custom(name.clone()),
                }
            }
        }

        impl Function {
            /// Returns how many arguments it takes; `None` if the function is not defined.
            pub fn arity(&self) -> Option<RangeInclusive<usize>> {
                Some(match self {
                    $(Self::$name => $least..=$most,)*
                    Self::Custom(name) if *name == prebind::blank_node_function() => 1..=1,
                    Self::Custom(name) => {
                        let known = functions::known(name.as_str())?;
                        known.least..=known.most
                    }
                })
            }
        }

        impl fmt::Display for Function {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($text),)*
                    Self::Custom(name) => name.fmt(f),
                }
            }
        }
    };
}

functions! {
    Str "STR" 1..=1,
    Lang "LANG" 1..=1,
    LangMatches "LANGMATCHES" 2..=2,
    Datatype "DATATYPE" 1..=1,
    Iri "IRI" 1..=1,
    BNode "BNODE" 0..=1,
    Rand "RAND" 0..=0,
    Abs "ABS" 1..=1,
    Ceil "CEIL" 1..=1,
    Floor "FLOOR" 1..=1,
    Round "ROUND" 1..=1,
    Concat "CONCAT" 0..=MANY,
    SubStr "SUBSTR" 2..=3,
    StrLen "STRLEN" 1..=1,
    Replace "REPLACE" 3..=4,
    UCase "UCASE" 1..=1,
    LCase "LCASE" 1..=1,
    EncodeForUri "ENCODE_FOR_URI" 1..=1,
    Contains "CONTAINS" 2..=2,
    StrStarts "STRSTARTS" 2..=2,
    StrEnds "STRENDS" 2..=2,
    StrBefore "STRBEFORE" 2..=2,
    StrAfter "STRAFTER" 2..=2,
    Year "YEAR" 1..=1,
    Month "MONTH" 1..=1,
    Day "DAY" 1..=1,
    Hours "HOURS" 1..=1,
    Minutes "MINUTES" 1..=1,
    Seconds "SECONDS" 1..=1,
    Timezone "TIMEZONE" 1..=1,
    Tz "TZ" 1..=1,
    Now "NOW" 0..=0,
    Uuid "UUID" 0..=0,
    StrUuid "STRUUID" 0..=0,
    Md5 "MD5" 1..=1,
    Sha1 "SHA1" 1..=1,
    Sha256 "SHA256" 1..=1,
    Sha384 "SHA384" 1..=1,
    Sha512 "SHA512" 1..=1,
    StrLang "STRLANG" 2..=2,
    StrDt "STRDT" 2..=2,
    IsIri "isIRI" 1..=1,
    IsBlank "isBLANK" 1..=1,
    IsLiteral "isLITERAL" 1..=1,
    IsNumeric "isNUMERIC" 1..=1,
    Regex "REGEX" 2..=3,
    Triple "TRIPLE" 3..=3,
    Subject "SUBJECT" 1..=1,
    Predicate "PREDICATE" 1..=1,
    Object "OBJECT" 1..=1,
    IsTriple "isTRIPLE" 1..=1,
    LangDir "LANGDIR" 1..=1,
    HasLang "hasLANG" 1..=1,
    HasLangDir "hasLANGDIR" 1..=1,
    StrLangDir "STRLANGDIR" 3..=3,
    Adjust "ADJUST" 2..=2,
}
