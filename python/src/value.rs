//! Converts terms to Python values: numbers, texts and booleans to native ones, the rest to classes of the Python half
//! (`kgq/terms.py`).

use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{Literal, Term, Triple};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

/// The namespace of XML Schema's datatypes.
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// The Python classes of terms, and the conversion of literals.
pub struct Terms {
    iri: Py<PyAny>,
    blank_node: Py<PyAny>,
    literal: Py<PyAny>,
    triple: Py<PyAny>,
    /// Converts a text and a datatype to a value, or to a literal if there is no such value.
    native: Py<PyAny>,
    /// Whether every literal stays a literal, as it is written.
    exact: bool,
}

impl Terms {
    pub fn new(py: Python<'_>, exact: bool) -> PyResult<Self> {
        let module = py.import("kgq.terms")?;
        let class = |name: &str| Ok::<_, PyErr>(module.getattr(name)?.unbind());
        Ok(Self {
            iri: class("IRI")?,
            blank_node: class("BlankNode")?,
            literal: class("Literal")?,
            triple: class("Triple")?,
            native: class("native")?,
            exact,
        })
    }

    pub fn value(&self, py: Python<'_>, term: &Term) -> PyResult<Py<PyAny>> {
        match term {
            Term::NamedNode(node) => self.iri.call1(py, (node.as_str(),)),
            Term::BlankNode(node) => self.blank_node.call1(py, (node.as_str(),)),
            Term::Triple(triple) => self.triple(py, triple),
            Term::Literal(literal) if self.exact => self.literal(py, literal),
            Term::Literal(literal) => self.native(py, literal),
        }
    }

    pub fn triple(&self, py: Python<'_>, triple: &Triple) -> PyResult<Py<PyAny>> {
        let subject = self.value(py, &triple.subject.clone().into())?;
        let predicate = self.iri.call1(py, (triple.predicate.as_str(),))?;
        self.triple.call1(py, (subject, predicate, self.value(py, &triple.object)?))
    }

    fn literal(&self, py: Python<'_>, literal: &Literal) -> PyResult<Py<PyAny>> {
        let direction = literal.direction().map(|direction| direction.to_string());
        let datatype = self.iri.call1(py, (literal.datatype().as_str(),))?;
        self.literal.call1(py, (literal.value(), datatype, literal.language().map(cased), direction))
    }

    fn native(&self, py: Python<'_>, literal: &Literal) -> PyResult<Py<PyAny>> {
        let (text, datatype) = (literal.value(), literal.datatype());
        if literal.language().is_some() {
            return self.literal(py, literal);
        }
        let known = datatype.as_str().strip_prefix(XSD).unwrap_or_default();
        Ok(match (known, text) {
            ("string", _) => PyString::new(py, text).into_any().unbind(),
            ("boolean", "true" | "1") => PyBool::new(py, true).to_owned().into_any().unbind(),
            ("boolean", "false" | "0") => PyBool::new(py, false).to_owned().into_any().unbind(),
            ("integer" | "int" | "long", _) if text.parse::<i64>().is_ok() => {
                PyInt::new(py, text.parse::<i64>().unwrap_or_default()).into_any().unbind()
            }
            ("double", _) if is_plain_number(text) => {
                PyFloat::new(py, text.parse().unwrap_or_default()).into_any().unbind()
            }
            _ => self.native.call1(py, (text, datatype.as_str()))?,
        })
    }
}

/// Whether a number is written with digits: all are, except infinities and NaN.
fn is_plain_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) && text.parse::<f64>().is_ok()
}
