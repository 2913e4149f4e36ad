//! SPARQL as classified spans, for the prompt and for pages. This decides what a span is; the front ends choose how it
//! looks.

use super::sparql::{self, closing};
use super::{Span, Token, TokenKind, lexical, words};

/// The class of a span of a query, as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Whitespace, and words without a meaning.
    Plain,
    Keyword,
    Function,
    Variable,
    /// A prefix with its colon.
    Prefix,
    /// A prefix that is not declared.
    UnknownPrefix,
    /// The part of a name after its colon.
    Local,
    Iri,
    BlankNode,
    String,
    /// `@en`
    Tag,
    Number,
    Operator,
    Bracket,
    /// The bracket at the cursor, and the one that it opens or closes.
    MatchedBracket,
    /// A bracket that closes nothing, or closes the wrong bracket.
    WrongBracket,
    Comment,
    Error,
}

/// The spans of a query in order, without gaps. `cursor` is a byte position; `known` tells which prefixes need no
/// declaration.
pub fn highlight(text: &str, cursor: Option<usize>, known: &dyn Fn(&str) -> bool) -> Vec<(Span, Class)> {
    let tokens = sparql::tokenize(text);
    let declared: Vec<&str> = sparql::prefixes_declared(text, &tokens).iter().map(|d| d.prefix).collect();
    let brackets = brackets(text, &tokens);
    let matched = cursor.and_then(|at| pair_at(at, &tokens, &brackets));
    let mut spans = Vec::with_capacity(tokens.len());
    let mut previous: Option<Token> = None;
    for (i, token) in tokens.iter().enumerate() {
        let own = token.text(text);
        let class = match token.kind {
            TokenKind::Whitespace => Class::Plain,
            TokenKind::Comment => Class::Comment,
            TokenKind::Keyword if words::is_function(own) => Class::Function,
            TokenKind::Keyword => Class::Keyword,
            TokenKind::Word => Class::Plain,
            TokenKind::Variable => Class::Variable,
            TokenKind::Iri => Class::Iri,
            TokenKind::BadIri | TokenKind::Unknown => Class::Error,
            TokenKind::BlankNode => Class::BlankNode,
            TokenKind::String(quotes) if !quotes.closed || lexical::escape(text, *token).is_some() => Class::Error,
            TokenKind::String(_) => Class::String,
            TokenKind::Integer | TokenKind::Decimal | TokenKind::Double => Class::Number,
            TokenKind::LangTag if previous.is_some_and(|p| matches!(p.kind, TokenKind::String(_))) => Class::Tag,
            TokenKind::LangTag => Class::Error,
            TokenKind::Punctuation if matched.is_some_and(|(a, b)| a == i || b == i) => Class::MatchedBracket,
            TokenKind::Punctuation => match brackets[i] {
                Bracket::None => Class::Operator,
                Bracket::Open | Bracket::Paired(_) => Class::Bracket,
                Bracket::Wrong => Class::WrongBracket,
            },
            TokenKind::PrefixedName => {
                let (prefix, local) = own.split_once(':').unwrap_or((own, ""));
                let declares = previous.is_some_and(|p| p.is_keyword(text, "PREFIX"));
                let fine = declares || declared.contains(&prefix) || known(prefix);
                let colon = token.end - local.len();
                spans.push((token.start..colon, if fine { Class::Prefix } else { Class::UnknownPrefix }));
                if !local.is_empty() {
                    spans.push((colon..token.end, Class::Local));
                }
                previous = Some(*token);
                continue;
            }
        };
        spans.push((token.span(), class));
        if !token.is_trivia() {
            previous = Some(*token);
        }
    }
    spans
}

/// The role of a token as a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    None,
    /// Not closed by the end of the text: perhaps still being written.
    Open,
    /// The index of its partner.
    Paired(usize),
    Wrong,
}

fn brackets(text: &str, tokens: &[Token]) -> Vec<Bracket> {
    let mut found = vec![Bracket::None; tokens.len()];
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, t)| t.kind == TokenKind::Punctuation) {
        let mark = token.text(text);
        if let Some(closer) = closing(mark) {
            open.push((i, closer));
            found[i] = Bracket::Open;
        } else if matches!(mark, ")" | "]" | "}" | ">>" | ")>>" | "|}") {
            found[i] = match open.pop_if(|(_, closer)| *closer == mark) {
                Some((opener, _)) => {
                    found[opener] = Bracket::Paired(i);
                    Bracket::Paired(opener)
                }
                None => Bracket::Wrong,
            };
        }
    }
    found
}

/// The pair of the bracket at the cursor, or just before it.
fn pair_at(cursor: usize, tokens: &[Token], brackets: &[Bracket]) -> Option<(usize, usize)> {
    let behind = tokens.partition_point(|t| t.end < cursor);
    (behind..tokens.len().min(behind + 2)).find_map(|i| match brackets[i] {
        Bracket::Paired(partner) if tokens[i].start <= cursor => Some((i, partner)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str, part: &str, cursor: Option<usize>) -> Class {
        let at = text.find(part).expect("the part is in the text");
        let spans = highlight(text, cursor, &|prefix| prefix == "foaf");
        assert_eq!(spans.iter().map(|(s, _)| &text[s.clone()]).collect::<String>(), text);
        spans.into_iter().find(|(span, _)| span.start == at).expect("a span begins there").1
    }

    #[test]
    fn every_kind_of_word_has_its_class() {
        let text =
            "PREFIX ex: <http://ex/> SELECT (COUNT(?x) AS ?n) { ?x foaf:name 'a'@en ; zzz:p 'b\\q', 1.5, “ } # end";
        for (part, expected) in [
            ("SELECT", Class::Keyword),
            ("COUNT", Class::Function),
            ("?x", Class::Variable),
            ("ex:", Class::Prefix),
            ("foaf:", Class::Prefix),
            ("name", Class::Local),
            ("zzz:", Class::UnknownPrefix),
            ("<http", Class::Iri),
            ("'a'", Class::String),
            ("@en", Class::Tag),
            ("'b", Class::Error),
            ("1.5", Class::Number),
            ("“", Class::Error),
            ("{", Class::Bracket),
            (";", Class::Operator),
            ("# end", Class::Comment),
        ] {
            assert_eq!(class(text, part, None), expected, "{part}");
        }
    }

    #[test]
    fn the_bracket_at_the_cursor_shows_its_partner_and_a_wrong_one_is_marked() {
        let text = "ASK { ?s ?p [ ] )";
        assert_eq!(class(text, "[", Some(15)), Class::MatchedBracket);
        assert_eq!(class(text, ")", None), Class::WrongBracket);
        assert_eq!(class(text, "{", None), Class::Bracket);
    }
}
