//! Splits a text into queries and dot-commands.
//!
//! A query ends at a `;` outside all brackets, at an empty line, before a line that begins another query, before a
//! dot-command, and at the end of the text. It never ends while a bracket, a string or a clause is open, except at a `;`
//! alone on its line.

use kgq_syntax::sparql::{dot_command, tokenize, unfinished};
use kgq_syntax::{TokenKind, significant};

/// A part of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptItem {
    Query(String),
    /// A dot-command, without its dot.
    Command(String),
    /// A query that is incomplete at the end of the text.
    Unfinished(String),
}

/// The parts in order, each with the number of its first line, counted from 1. A dot-command within an unfinished query precedes
/// that query.
pub fn parts(text: &str) -> Vec<(usize, ScriptItem)> {
    let mut parts = Vec::new();
    let mut open = String::new();
    let mut first = 1;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(command) = dot_command(line) {
            if !unfinished(&open) {
                // A comment before a command belongs to the command.
                let query = std::mem::take(&mut open);
                parts.extend((!blank(&query)).then_some((first, ScriptItem::Query(query))));
            } else if !open.is_empty() {
                // Keep an empty line in place of the command, so that the following lines keep their numbers.
                open.push('\n');
            }
            parts.push((number, ScriptItem::Command(command.trim().to_owned())));
            continue;
        }
        if !blank(&open) && !unfinished(&open) && (line.trim().is_empty() || begins_query(line)) {
            parts.push((first, ScriptItem::Query(std::mem::take(&mut open))));
        }
        if blank(&open) {
            if line.trim().is_empty() {
                // Keep empty lines after a comment, so that the following lines keep their numbers.
                open.push_str(if open.is_empty() { "" } else { "\n" });
                continue;
            }
            if open.is_empty() {
                first = number;
            }
        }
        if line.trim() == ";" {
            if !blank(&open) {
                parts.push((first, ScriptItem::Query(std::mem::take(&mut open))));
            }
            open.clear();
            continue;
        }
        open.push_str(line);
        open.push('\n');
        while let Some((end, next)) = terminator(&open) {
            let rest = open[next..].to_owned();
            // Pad with spaces, so that the rest of the line keeps its columns.
            let column = open[..next].rsplit('\n').next().map_or(0, |line| line.chars().count());
            open.truncate(end);
            parts.push((first, ScriptItem::Query(std::mem::take(&mut open))));
            if !rest.trim().is_empty() {
                open = " ".repeat(column) + &rest;
            }
            first = number;
        }
    }
    if !blank(&open) {
        let whole = open.trim_end().to_owned();
        parts.push((first, if unfinished(&open) { ScriptItem::Unfinished(whole) } else { ScriptItem::Query(whole) }));
    }
    parts
}

/// Whether a text has only space and comments.
fn blank(text: &str) -> bool {
    significant(&tokenize(text)).is_empty()
}

fn begins_query(line: &str) -> bool {
    let tokens = significant(&tokenize(line));
    let Some(first) = tokens.first().filter(|t| t.kind == TokenKind::Keyword) else { return false };
    ["SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "PREFIX", "BASE"].iter().any(|k| first.is_keyword(line, k))
}

/// The first `;` outside all brackets that ends a query: where it starts, and where the text continues.
fn terminator(text: &str) -> Option<(usize, usize)> {
    let mut depth = 0i32;
    for token in significant(&tokenize(text)) {
        if token.kind != TokenKind::Punctuation {
            continue;
        }
        match token.text(text) {
            "{" | "(" | "[" | "<<" | "<<(" | "{|" => depth += 1,
            "}" | ")" | "]" | ">>" | ")>>" | "|}" => depth -= 1,
            ";" if depth <= 0 => return Some((token.start, token.end)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parts(text)
            .into_iter()
            .map(|(line, part)| match part {
                ScriptItem::Query(q) => format!("{line} {}", q.trim().replace('\n', "⏎")),
                ScriptItem::Command(c) => format!("{line} .{c}"),
                ScriptItem::Unfinished(q) => format!("{line} {}…", q.trim().replace('\n', "⏎")),
            })
            .collect()
    }

    #[test]
    fn a_query_ends_at_a_semicolon_an_empty_line_another_query_or_a_command() {
        assert_eq!(shown("ASK {} ; ASK { ?s ?p 1 ; ?q 2 }\n;"), ["1 ASK {}", "1 ASK { ?s ?p 1 ; ?q 2 }"]);
        assert_eq!(
            shown("SELECT *\n{\n\n?s ?p ?o }\nLIMIT 1\n\nASK {}\n"),
            ["1 SELECT *⏎{⏎⏎?s ?p ?o }⏎LIMIT 1", "7 ASK {}"]
        );
        assert_eq!(shown("ASK {}\nASK {}\n.help x\nASK {}"), ["1 ASK {}", "2 ASK {}", "3 .help x", "4 ASK {}"]);
    }

    #[test]
    fn a_command_in_an_unfinished_query_comes_first_and_the_query_goes_on() {
        assert_eq!(shown("SELECT * {\n.prefix\n?s ?p ?o }"), ["2 .prefix", "1 SELECT * {⏎⏎?s ?p ?o }"]);
        assert_eq!(shown("SELECT * {\n.prefix"), ["2 .prefix", "1 SELECT * {…"]);
    }

    #[test]
    fn comments_before_a_query_belong_to_it_and_alone_are_nothing() {
        assert_eq!(shown("# one\n\nASK {}\n# end\n"), ["1 # one⏎⏎ASK {}⏎# end"]);
        assert_eq!(shown("# one"), [""; 0]);
    }

    #[test]
    fn every_line_and_column_of_a_script_keeps_its_number() {
        let script = "# a\n\n# b\n\nASK {}\n# c\n.help\n\nASK {} ; ASK {\n.prefix\n} ; # d\nASK {}\n";
        let queries: Vec<(usize, String)> = parts(script)
            .into_iter()
            .filter_map(|(line, part)| match part {
                ScriptItem::Query(query) => Some((line, query)),
                ScriptItem::Command(_) | ScriptItem::Unfinished(_) => None,
            })
            .collect();
        assert_eq!(queries.len(), 4);
        for (line, query) in queries {
            let at = query.find("ASK").unwrap();
            let number = line + query[..at].matches('\n').count();
            let column = query[..at].chars().rev().take_while(|c| *c != '\n').count();
            let there = script.lines().nth(number - 1).unwrap();
            assert!(there[column..].starts_with("ASK"), "{number}:{column} is {there:?} of {query:?}");
        }
    }

    #[test]
    fn a_semicolon_alone_ends_even_what_is_open() {
        assert_eq!(shown("SELECT * {\n;\nASK {}"), ["1 SELECT * {", "3 ASK {}"]);
    }
}
