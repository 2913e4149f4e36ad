//! Checks the arguments of a call: each needs a name that the tool knows, and a type.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::did_you_mean;
use serde_json::{Map, Value};

pub type Arguments = Map<String, Value>;

/// Checks that the tool knows all argument names.
///
/// # Errors
/// A name is unknown; the hint has a similar one.
pub fn check(arguments: &Arguments, known: &[&str]) -> Result<()> {
    let Some(name) = arguments.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let hint = did_you_mean(name, known.iter().copied());
    let all = || if known.is_empty() { "it has none".into() } else { format!("its arguments: {}", known.join(", ")) };
    Err(Error::input(format!("this tool has no argument `{name}`")).hint(hint.unwrap_or_else(all)))
}

/// A text argument; an empty text counts as missing.
///
/// # Errors
/// The argument is not a text.
pub fn text<'a>(arguments: &'a Arguments, name: &str) -> Result<Option<&'a str>> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::input(format!("`{name}` is a text"))),
    }
}

/// A text argument that must be given.
///
/// # Errors
/// The argument is missing or not a text.
pub fn required<'a>(arguments: &'a Arguments, name: &str) -> Result<&'a str> {
    text(arguments, name)?.ok_or_else(|| Error::input(format!("`{name}` is missing")))
}

/// A whole number, which clients may also write as text.
///
/// # Errors
/// The argument is not a whole number.
pub fn number(arguments: &Arguments, name: &str) -> Result<Option<usize>> {
    let wrong = || Error::input(format!("`{name}` is a whole number"));
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
            number.map(Some).ok_or_else(wrong)
        }
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

/// A boolean argument.
///
/// # Errors
/// The argument is neither true nor false.
pub fn truth(arguments: &Arguments, name: &str) -> Result<Option<bool>> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(_) => Err(Error::input(format!("`{name}` is true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_are_read_as_clients_write_them_and_others_are_refused() {
        let arguments = json!({"a": "x", "n": "12", "m": 3, "e": " ", "t": true, "f": 1.5});
        let arguments = arguments.as_object().unwrap();
        assert_eq!(text(arguments, "a").unwrap(), Some("x"));
        assert_eq!(text(arguments, "e").unwrap(), None);
        assert_eq!(number(arguments, "n").unwrap(), Some(12));
        assert_eq!(number(arguments, "m").unwrap(), Some(3));
        assert!(number(arguments, "f").is_err() && number(arguments, "t").is_err());
        assert_eq!(truth(arguments, "t").unwrap(), Some(true));
        assert!(required(arguments, "none").is_err());
        let error = check(arguments, &["a", "n", "m", "e", "t", "fx"]).unwrap_err();
        assert_eq!(error.message(), "this tool has no argument `f`");
    }
}
