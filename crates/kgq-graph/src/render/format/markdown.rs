//! A table in GitHub Flavored Markdown.

use crate::render::{output_error, term};
use kgq_engine::Solutions;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Prefixes;
use std::io::Write;

pub fn write(solutions: Solutions, prefixes: &Prefixes, out: &mut dyn Write) -> Result<u64> {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let names = solutions.variables.iter().map(|v| escape(v.as_str())).collect::<Vec<_>>();
    let rule = names.iter().map(|_| "---".to_owned()).collect();
    writeln!(out, "{}\n{}", line(names), line(rule)).map_err(|e| output_error(&e))?;
    let mut count = 0;
    for row in solutions.rows {
        let cells = row?
            .iter()
            .map(|value| value.as_ref().map_or(String::new(), |value| escape(&term::cell(value, prefixes))))
            .collect();
        writeln!(out, "{}", line(cells)).map_err(|e| output_error(&e))?;
        count += 1;
    }
    Ok(count)
}

/// Escapes every character that Markdown, or HTML within it, would interpret.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
