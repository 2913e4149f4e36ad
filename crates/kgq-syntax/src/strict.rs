//! Where spargebra's grammar deviates from the standard: what it accepts but should refuse, and what it refuses but should
//! accept.

use super::{Span, Token, TokenKind, patterns, words};
use crate::error::{Error, Result, Source};
use crate::rdf::iri::without_dots;
use std::borrow::Cow;

/// A text adapted for spargebra: lines stay lines, and positions can be mapped back.
pub struct AsRead<'a> {
    pub text: Cow<'a, str>,
    /// The positions of the added backslashes, in bytes of the adapted text.
    added: Vec<usize>,
}

/// Adapts a text for spargebra. `tokens` are those that a parser sees.
///
/// - `TRUE` and `False` are keywords in any case (SPARQL 1.1 §19.8), but spargebra knows them in lower case only.
/// - spargebra keeps dot segments in a base until relative IRIs are resolved; here they are removed before.
/// - spargebra accepts no space in `CONCAT (`, and no comment between `[` and `]`, or `(` and `)`.
/// - spargebra ends a local name before its second dot (`v:1.2.3`), unless that dot is escaped.
pub fn as_read<'a>(text: &'a str, tokens: &[Token]) -> AsRead<'a> {
    let (mut out, mut from, mut added) = (String::new(), 0, Vec::new());
    let mut replace = |span: Span, with: &str| {
        out.push_str(&text[from..span.start]);
        from = span.end;
        out.push_str(with);
        out.len()
    };
    let mut previous: Option<&Token> = None;
    for token in tokens {
        let word = token.text(text);
        let is_base = token.kind == TokenKind::Iri && previous.is_some_and(|before| before.is_keyword(text, "BASE"));
        if let Some(before) = previous.replace(token).filter(|before| before.end < token.start) {
            let gap = &text[before.end..token.start];
            let called = ["CONCAT", "COALESCE", "BNODE"].iter().any(|k| before.is_keyword(text, k));
            if called && word == "(" {
                replace(before.start..token.start, &format!("{gap}{}", before.text(text)));
            } else if matches!((before.text(text), word), ("[", "]") | ("(", ")")) && gap.contains('#') {
                let blank: String = gap.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
                replace(before.end..token.start, &blank);
            }
        }
        if (token.is_keyword(text, "TRUE") || token.is_keyword(text, "FALSE"))
            && word.bytes().any(|b| b.is_ascii_uppercase())
        {
            replace(token.span(), &word.to_ascii_lowercase());
        }
        if is_base {
            // Padded to the old length, so that positions stay.
            let base = format!("<{}>", without_dots(word.trim_matches(['<', '>'])));
            let blank = " ".repeat(word.len().saturating_sub(base.len()));
            replace(token.span(), &(base + &blank));
        }
        for dot in dots_to_escape(text, token) {
            let end = replace(dot..dot + 1, "\\.");
            added.push(end - 2);
        }
    }
    if from == 0 {
        return AsRead { text: Cow::Borrowed(text), added };
    }
    out.push_str(&text[from..]);
    AsRead { text: Cow::Owned(out), added }
}

/// The dots of a prefixed name that would end it: all of them, if dots occur at more than one position.
fn dots_to_escape(text: &str, token: &Token) -> Vec<usize> {
    let Some((prefix, local)) = token.prefixed_name(text) else { return Vec::new() };
    let start = token.start + prefix.len() + 1;
    let bytes = local.as_bytes();
    let plain = |at: usize| bytes[at] == b'.' && (at == 0 || bytes[at - 1] != b'\\');
    let dots: Vec<usize> = (0..bytes.len()).filter(|at| plain(*at)).collect();
    // Consecutive dots count as one.
    let runs = dots.iter().enumerate().filter(|(i, at)| *i == 0 || dots[i - 1] + 1 < **at).count();
    if runs < 2 { Vec::new() } else { dots.into_iter().map(|at| start + at).collect() }
}

impl AsRead<'_> {
    /// A refusal that begins with `error at LINE:COLUMN` of the adapted text, with the position in the text as written.
    pub fn as_written(&self, refusal: &str) -> String {
        self.moved(refusal).unwrap_or_else(|| refusal.to_owned())
    }

    fn moved(&self, refusal: &str) -> Option<String> {
        let place = refusal.strip_prefix("error at ")?;
        let (line, rest) = place.split_once(':')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, column): (usize, usize) = (line.parse().ok()?, rest[..digits].parse().ok()?);
        let start: usize = self.text.split_inclusive('\n').take(number.checked_sub(1)?).map(str::len).sum();
        let before = self.text.get(start..)?.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum::<usize>();
        let added = self.added.iter().filter(|at| (start..start + before).contains(at)).count();
        Some(format!("error at {line}:{}{}", column - added, &rest[digits..]))
    }
}

/// Refuses what spargebra accepts against the grammar of SPARQL 1.2, and invalid regular expressions. `tokens` are those
/// that a parser sees.
pub fn check(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    triple_terms(source, tokens)?;
    nested_aggregates(source, tokens)?;
    patterns::check(source, tokens)
}

/// In an expression, the subject of a triple term is an IRI or a variable (§19.8, `ExprTripleTermSubject`).
fn triple_terms(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    let text = source.text;
    // For each open bracket, whether it is inside an expression: inside the bracket of `BIND (` and the like.
    let mut open: Vec<bool> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let inside = open.last() == Some(&true);
        match token.text(text) {
            "(" => open.push(inside || (i > 0 && tokens[i - 1].kind == TokenKind::Keyword)),
            "<<(" => open.push(inside),
            "{" => open.push(false),
            ")" | ")>>" | "}" => {
                open.pop();
            }
            _ => {}
        }
        let Some(subject) = tokens.get(i + 1) else { break };
        let value =
            matches!(subject.kind, TokenKind::String(_) | TokenKind::Integer | TokenKind::Decimal | TokenKind::Double)
                || subject.is_keyword(text, "TRUE")
                || subject.is_keyword(text, "FALSE")
                || subject.is(text, "<<(");
        if inside && token.is(text, "<<(") && value {
            return Err(Error::input("in an expression, the subject of a triple term is an IRI or a variable")
                .at(source.place(subject.span())));
        }
    }
    Ok(())
}

/// An aggregate works on the solutions of a group, so its argument cannot contain another aggregate (§18.2.4.1), except
/// inside a sub-SELECT.
fn nested_aggregates(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    let text = source.text;
    let mut open: Vec<bool> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let aggregate = |token: &Token| {
            token.kind == TokenKind::Keyword
                && words::AGGREGATES.iter().any(|k| k.eq_ignore_ascii_case(token.text(text)))
        };
        let called = tokens.get(i + 1).is_some_and(|next| next.is(text, "("));
        match token.text(text) {
            "(" => {
                let inside = open.last() == Some(&true);
                open.push(inside || (i > 0 && aggregate(&tokens[i - 1])));
            }
            "{" => open.push(false),
            ")" | "}" => {
                open.pop();
            }
            _ if called && aggregate(token) && open.last() == Some(&true) => {
                return Err(Error::input("an aggregate cannot be inside another aggregate")
                    .at(source.place(token.span()))
                    .hint("compute the inner one in a sub-SELECT"));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{significant, sparql};

    fn message(text: &str) -> Option<String> {
        check(Source::new("q", text), &significant(&sparql::tokenize(text))).err().map(|e| e.message().to_owned())
    }

    #[test]
    fn booleans_in_any_case_are_read_and_strings_are_left_alone() {
        let text = "ASK { BIND(TRUE AS ?x) FILTER(False || 'TRUE' = ?TRUE) }";
        let read = as_read(text, &sparql::tokenize(text)).text;
        assert_eq!(read, "ASK { BIND(true AS ?x) FILTER(false || 'TRUE' = ?TRUE) }");
    }

    #[test]
    fn what_the_parser_does_not_take_is_written_as_it_does() {
        let text = "SELECT (CONCAT # é\n ('a', BNODE ()) AS ?x) { ?s ?p [ # é [\n ], ( # c\n) . ?t ?q [] }";
        let adapted = as_read(text, &significant(&sparql::tokenize(text))).text;
        assert_eq!(adapted, "SELECT ( # é\n CONCAT('a',  BNODE()) AS ?x) { ?s ?p [       \n ], (    \n) . ?t ?q [] }");
        assert_eq!(adapted.len(), text.len());
        assert!(spargebra::SparqlParser::new().parse_query(text).is_err());
        assert!(spargebra::SparqlParser::new().parse_query(&adapted).is_ok());
    }

    #[test]
    fn a_local_name_has_any_number_of_dots_and_errors_keep_their_column() {
        let text = "ASK { é:a v:1.2.3 v:a..b. v:a\\.b.c.d, 1.2 . v:1.2.3 v:x }\nv:1.2.3";
        let read = as_read(text, &significant(&sparql::tokenize(text)));
        let expected = "ASK { é:a v:1\\.2\\.3 v:a..b. v:a\\.b\\.c\\.d, 1.2 . v:1\\.2\\.3 v:x }\nv:1\\.2\\.3";
        assert_eq!(read.text, expected);
        for (refused, written) in
            [("1:23: x", "1:21: x"), ("1:7: x", "1:7: x"), ("2:10", "2:8"), ("no place", "no place")]
        {
            assert_eq!(read.as_written(&format!("error at {refused}")), format!("error at {written}"));
        }
    }

    #[test]
    fn an_aggregate_of_an_aggregate_is_refused_but_not_across_a_sub_select() {
        assert!(message("SELECT (COUNT(SUM(?x)) AS ?n) {}").is_some());
        assert!(message("SELECT (MAX(1 + (MIN(?x))) AS ?n) {}").is_some());
        assert!(message("SELECT (SUM(?n) + COUNT(*) AS ?m) { { SELECT (COUNT(*) AS ?n) {} } }").is_none());
    }

    #[test]
    fn a_triple_term_of_an_expression_has_no_literal_or_triple_term_for_a_subject() {
        assert!(message("ASK { BIND(<<( 'a' ?p ?o )>> AS ?t) }").is_some());
        assert!(message("ASK { FILTER(?t = <<( <<( ?s ?p ?o )>> ?p ?o )>>) }").is_some());
        assert!(message("ASK { BIND(<<( ?s ?p <<( ?s ?p 'a' )>> )>> AS ?t) }").is_none());
        assert!(message("ASK { ?r ?q <<( <<( ?s ?p ?o )>> ?p ?o )>> }").is_none());
    }
}
