//! A table as a self-contained HTML page: links, languages and text directions as markup, no script, nothing loaded
//! from elsewhere.

use crate::render::xml::{escape, quote};
use crate::render::{output_error, term};
use kgq_engine::Solutions;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{Prefixes, Term};
use kgq_syntax::text::visible;
use std::io::Write;

/// The Content-Security-Policy of such a page: a browser loads and runs nothing, whatever the data contain.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The HTML before a page's content.
fn head() -> String {
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Answer</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #8888; padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; overflow-wrap: anywhere; white-space: pre-wrap; }}
td.number {{ text-align: end; font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
"
    )
}

const FOOT: &str = "</body>\n</html>\n";

pub fn write(solutions: Solutions, prefixes: &Prefixes, out: &mut dyn Write) -> Result<u64> {
    let mut text = head() + "<table>\n<thead><tr>";
    for variable in &solutions.variables {
        text.push_str("<th scope=\"col\">");
        escape(variable.as_str(), &mut text);
        text.push_str("</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    let mut count = 0;
    for row in solutions.rows {
        text.push_str("<tr>");
        row?.iter().for_each(|term| cell(term.as_ref(), prefixes, &mut text));
        text.push_str("</tr>\n");
        out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
        text.clear();
        count += 1;
    }
    text.push_str("</tbody>\n</table>\n");
    text.push_str(FOOT);
    out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
    Ok(count)
}

pub fn write_boolean(value: bool, out: &mut dyn Write) -> Result<()> {
    write!(out, "{}<p>{value}</p>\n{FOOT}", head()).map_err(|e| output_error(&e))
}

fn cell(term: Option<&Term>, prefixes: &Prefixes, out: &mut String) {
    match term {
        None => out.push_str("<td></td>"),
        Some(Term::NamedNode(node)) => {
            out.push_str("<td>");
            let shown = prefixes.display(node.as_str());
            if leads_somewhere(node.as_str()) {
                out.push_str("<a href=");
                quote(node.as_str(), out);
                out.push('>');
                escape(&visible(&shown), out);
                out.push_str("</a>");
            } else {
                escape(&visible(&shown), out);
            }
            out.push_str("</td>");
        }
        Some(Term::Literal(literal)) if literal.language().is_some() => {
            out.push_str("<td lang=");
            quote(&cased(literal.language().unwrap_or_default()), out);
            out.push_str(" dir=");
            quote(&literal.direction().map_or_else(|| "auto".to_owned(), |direction| direction.to_string()), out);
            out.push('>');
            escape(&lines(literal.value()), out);
            out.push_str("</td>");
        }
        Some(number) if term::is_number(number) => {
            out.push_str("<td class=\"number\">");
            escape(&term::cell(number, prefixes), out);
            out.push_str("</td>");
        }
        Some(term) => {
            out.push_str("<td dir=\"auto\">");
            match term {
                Term::Literal(literal) if literal.datatype() == oxrdf::vocab::xsd::STRING => {
                    escape(&lines(literal.value()), out);
                }
                term => escape(&term::cell(term, prefixes), out),
            }
            out.push_str("</td>");
        }
    }
}

/// Whether a browser may open it: `javascript:` and similar schemes must not become links.
fn leads_somewhere(iri: &str) -> bool {
    let scheme = iri.split(':').next().unwrap_or_default();
    ["http", "https", "mailto", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Returns a text with its line ends, and with other invisible characters spelled out.
fn lines(text: &str) -> String {
    text.split('\n').map(|line| visible(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{BaseDirection, Literal, NamedNode};

    fn shown(term: impl Into<Term>) -> String {
        let mut out = String::new();
        cell(Some(&term.into()), &Prefixes::from_iter([("e", "http://e/")]), &mut out);
        out
    }

    #[test]
    fn only_what_a_browser_opens_is_a_link() {
        assert_eq!(
            shown(NamedNode::new_unchecked("http://e/a?b&c")),
            "<td><a href=\"http://e/a?b&amp;c\">&lt;http://e/a?b&amp;c&gt;</a></td>"
        );
        assert_eq!(shown(NamedNode::new_unchecked("http://e/a")), "<td><a href=\"http://e/a\">e:a</a></td>");
        for scheme in ["javascript", "JavaScript", "data", "vbscript", "urn"] {
            let cell = shown(NamedNode::new_unchecked(format!("{scheme}:alert(1)")));
            assert!(!cell.contains("href"), "{cell}");
        }
    }

    #[test]
    fn texts_are_escaped_and_have_their_language_and_direction() {
        assert_eq!(shown(Literal::new_simple_literal("<b>&\"")), "<td dir=\"auto\">&lt;b&gt;&amp;\"</td>");
        let tagged = Literal::new_language_tagged_literal_unchecked("税", "zh-hant");
        assert_eq!(shown(tagged), "<td lang=\"zh-Hant\" dir=\"auto\">税</td>");
        let right = Literal::new_directional_language_tagged_literal_unchecked("א", "he", BaseDirection::Rtl);
        assert_eq!(shown(right), "<td lang=\"he\" dir=\"rtl\">א</td>");
        assert_eq!(shown(Literal::new_simple_literal("a\u{202e}b\nc")), "<td dir=\"auto\">a\\u{202E}b\nc</td>");
        assert_eq!(shown(Literal::from(5)), "<td class=\"number\">5</td>");
    }
}
