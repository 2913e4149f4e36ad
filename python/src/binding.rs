//! Binds values to a query's variables: as terms in the algebra, never in the text.

use kgq_engine::query::{Binding, BoundTo, Query, bind, variables};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, NamedNode, Term, Variable};
use kgq_syntax::text::did_you_mean;
use pyo3::prelude::*;

/// A term as the Python half passes it.
#[derive(FromPyObject)]
pub struct Written {
    is_iri: bool,
    text: String,
    datatype: Option<String>,
    language: Option<String>,
}

/// A variable's name with its value, or with several values of which any matches.
#[derive(FromPyObject)]
pub struct Given {
    name: String,
    terms: Vec<Written>,
    is_list: bool,
}

impl Written {
    fn term(&self) -> Result<Term> {
        let iri = |text: &str| {
            NamedNode::new(text).map_err(|error| Error::input(format!("`{text}` is no absolute IRI: {error}")))
        };
        if self.is_iri {
            return Ok(iri(&self.text)?.into());
        }
        Ok(match (&self.language, &self.datatype) {
            (Some(language), _) => Literal::new_language_tagged_literal(&self.text, language)
                .map_err(|error| Error::input(format!("`{language}` is no language tag: {error}")))?,
            (None, Some(datatype)) => Literal::new_typed_literal(&self.text, iri(datatype)?),
            (None, None) => Literal::new_simple_literal(&self.text),
        }
        .into())
    }
}

/// Binds the values to the query's variables.
///
/// # Errors
/// A name that the query does not have.
pub fn apply(query: &mut Query, given: &[Given]) -> Result<()> {
    let known = variables(&query.algebra);
    let binding = |given: &Given| {
        let name = given.name.trim_start_matches(['$', '?']);
        if !known.iter().any(|variable| variable.as_str() == name) {
            return Err(Error::input(format!("the query has no variable `${name}`"))
                .hint_if(did_you_mean(name, known.iter().map(Variable::as_str))));
        }
        let mut terms = given.terms.iter().map(Written::term).collect::<Result<Vec<_>>>()?;
        let value = match (given.is_list, terms.pop()) {
            (false, Some(term)) => BoundTo::One(term),
            (_, last) => BoundTo::AnyOf(terms.into_iter().chain(last).collect()),
        };
        Ok(Binding { variable: Variable::new_unchecked(name), value })
    };
    let bindings = given.iter().map(binding).collect::<Result<Vec<_>>>()?;
    bind(query, &bindings);
    Ok(())
}
