//! Parameters in the notation of grlc and BASIL: in the names of variables. `?_genre_iri` is the required parameter
//! `genre`, an IRI; `?__genre` is an optional one; other endings are a language (`_en`), `_integer`, `_number`,
//! `_literal`, or `_PREFIX_DATATYPE`.
//!
//! This applies to queries whose header declares no parameters of our own kind.

use super::header::{Enumerate, Header, Param, ScalarOrList, Variable};
use kgq_syntax::sparql;
use std::collections::BTreeSet;

/// Adds the parameters that the text's variables stand for.
pub(super) fn add_parameters(text: &str, header: &mut Header) {
    if !header.params.is_empty() {
        return;
    }
    let tokens = sparql::tokenize(text);
    let mut seen = BTreeSet::new();
    for variable in tokens.iter().filter_map(|token| token.variable(text)) {
        if let Some((name, kind, required)) = parameter(variable)
            && seen.insert(variable)
        {
            let param = header.params.entry(name.to_owned()).or_default();
            param.required |= required;
            param.variables.push(Variable { name: variable.to_owned(), kind });
        }
    }
    let values: Vec<(String, ScalarOrList)> = header.enumerate.take().map(Enumerate::values).unwrap_or_default();
    let defaults: Vec<(String, ScalarOrList)> = header.defaults.take().map(Enumerate::values).unwrap_or_default();
    for (name, param) in &mut header.params {
        let of = |list: &[(String, ScalarOrList)]| {
            list.iter().find(|(n, _)| is_called(name, param, n)).map(|(_, v)| v.clone())
        };
        let (default, values) = (of(&defaults), of(&values));
        param.values = values.map(|values| values.texts()).unwrap_or_default();
        param.default = default;
    }
}

/// Whether a decorator refers to this parameter: by its name, or by one of its variables.
fn is_called(name: &str, param: &Param, written: &str) -> bool {
    let written = written.trim_start_matches(['?', '$']);
    name == written || param.variables.iter().any(|variable| variable.name == written)
}

/// The parameter that a variable stands for: its name, its type, and whether it needs a value.
fn parameter(variable: &str) -> Option<(&str, Option<String>, bool)> {
    let rest = variable.strip_prefix('_')?;
    let (rest, required) = rest.strip_prefix('_').map_or((rest, true), |rest| (rest, false));
    let mut parts = rest.splitn(3, '_');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let kind = match (parts.next(), parts.next()) {
        (None, _) | (Some("literal" | "string"), None) => None,
        (Some("iri"), _) => Some("iri".to_owned()),
        (Some("number"), None) => Some("number".to_owned()),
        (Some(prefix), Some(datatype)) => Some(format!("{prefix}:{datatype}")),
        (Some(tag), None) if tag.len() == 2 => Some(format!("@{tag}")),
        (Some(datatype), None) => Some(format!("xsd:{datatype}")),
    };
    Some((name, kind, required))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_says_name_type_and_whether_it_is_needed() {
        for (variable, expected) in [
            ("_genre", Some(("genre", None, true))),
            ("__genre_iri", Some(("genre", Some("iri"), false))),
            ("_name_en", Some(("name", Some("@en"), true))),
            ("_year_integer", Some(("year", Some("xsd:integer"), true))),
            ("_day_xsd_date", Some(("day", Some("xsd:date"), true))),
            ("_text_literal", Some(("text", None, true))),
            ("genre_iri", None),
            ("_", None),
        ] {
            let found = parameter(variable);
            assert_eq!(found.as_ref().map(|(n, k, r)| (*n, k.as_deref(), *r)), expected, "{variable}");
        }
    }
}
