//! What may come next in a query that is being written, according to the grammar and the tokens before the cursor.
//!
//! The walk is lenient: it skips what it does not understand.

use super::sparql::tokenize;
use super::{Span, Token, TokenKind, significant};

/// What is expected at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing that could be completed: inside a comment or a string, or at an alias that the user invents.
    Nothing,
    /// The beginning of a query.
    Query,
    /// A prefix to be declared.
    Prefix,
    /// An item in the list of SELECT, DESCRIBE or GROUP BY.
    Projection,
    /// The subject of a triple, or a clause of a group.
    Subject,
    /// The property of a subject; the subject is given as written.
    Verb { subject: Option<String> },
    /// The object of a property, given as written; `None` if that is a path or a variable.
    Object { property: Option<String> },
    /// The end of a triple.
    Separator,
    /// The name of a graph.
    Graph,
    /// Part of an expression.
    Expression,
    /// What can follow the last group.
    Modifier,
    /// The number of LIMIT or OFFSET.
    Number,
}

/// The syntactic context of the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorContext {
    pub expected: Expected,
    /// The part of the word at the cursor that was typed so far.
    pub typed: Span,
    /// The triples of the text so far.
    pub triples: Vec<Written>,
}

/// A triple pattern as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Subject, property, object. The property is empty for a path; a node in brackets is given as `[]` or `()`.
    pub parts: [String; 3],
    /// From the subject, or from the property if the subject was written before, to the object.
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Group,
    Expression,
    /// `[ … ]`
    Node,
    /// `( … )` as a list of nodes, or in a path.
    List,
    Values,
}

#[derive(Clone)]
struct Frame {
    bracket: Bracket,
    expected: Expected,
    subject: Option<String>,
    /// Empty for a path.
    property: Option<String>,
    /// Where the current pattern starts.
    start: usize,
}

/// The context of a byte position.
pub fn place(text: &str, cursor: usize) -> CursorContext {
    let before = text.get(..cursor).unwrap_or(text);
    let all = tokenize(before);
    let nothing = |typed| CursorContext { expected: Expected::Nothing, typed, triples: Vec::new() };
    let mut tokens = significant(&all);
    if let Some(last) = all.last()
        && matches!(last.kind, TokenKind::Comment | TokenKind::String(_) | TokenKind::LangTag)
    {
        return nothing(before.len()..before.len());
    }
    let mut typed = before.len()..before.len();
    if let Some(last) = tokens.last().filter(|t| t.end == before.len() && is_word(before, t)) {
        typed = last.span();
        tokens.pop();
    }
    let mut walk = Walk::new();
    for token in &tokens {
        walk.token(before, token);
    }
    CursorContext { expected: walk.expected(), typed, triples: walk.triples }
}

/// The triples of a whole text, as written.
pub fn triples(text: &str) -> Vec<Written> {
    let mut walk = Walk::new();
    for token in significant(&tokenize(text)) {
        walk.token(text, &token);
    }
    walk.triples
}

fn is_word(text: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Keyword
        | TokenKind::Word
        | TokenKind::Variable
        | TokenKind::PrefixedName
        | TokenKind::Iri
        | TokenKind::BadIri
        | TokenKind::BlankNode
        | TokenKind::Integer
        | TokenKind::Decimal
        | TokenKind::Double => true,
        // A variable whose name was not typed yet.
        TokenKind::Punctuation => token.text(text) == "?",
        TokenKind::Unknown => token.text(text) == "$",
        TokenKind::Whitespace | TokenKind::Comment | TokenKind::String(_) | TokenKind::LangTag => false,
    }
}

struct Walk {
    frames: Vec<Frame>,
    triples: Vec<Written>,
    /// The token being read.
    at: Span,
    /// The previous keyword, in upper case.
    last: String,
}

impl Walk {
    fn new() -> Self {
        let frame =
            Frame { bracket: Bracket::Group, expected: Expected::Query, subject: None, property: None, start: 0 };
        Self { frames: vec![frame], triples: Vec::new(), at: 0..0, last: String::new() }
    }

    fn expected(&self) -> Expected {
        let frame = self.frame();
        match &frame.expected {
            Expected::Verb { .. } => Expected::Verb { subject: frame.subject.clone() },
            Expected::Object { .. } => Expected::Object {
                property: frame.property.clone().filter(|p| !p.is_empty() && !p.starts_with(['?', '$'])),
            },
            other => other.clone(),
        }
    }

    fn frame(&self) -> &Frame {
        // The outermost frame is never popped.
        &self.frames[self.frames.len() - 1]
    }

    fn frame_mut(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn expect(&mut self, expected: Expected) {
        self.frame_mut().expected = expected;
    }

    fn push(&mut self, bracket: Bracket, expected: Expected) {
        self.frames.push(Frame { bracket, expected, subject: None, property: None, start: self.at.start });
    }

    fn token(&mut self, text: &str, token: &Token) {
        let own = token.text(text);
        self.at = token.span();
        match token.kind {
            TokenKind::Punctuation => self.punctuation(own),
            TokenKind::Keyword if !(own == "a" && matches!(self.frame().expected, Expected::Verb { .. })) => {
                self.keyword(&own.to_uppercase());
            }
            TokenKind::LangTag => {}
            _ => self.term(own, token.kind),
        }
        self.last = if token.kind == TokenKind::Keyword { own.to_uppercase() } else { String::new() };
    }

    fn keyword(&mut self, word: &str) {
        let outermost = self.frames.len() == 1;
        match word {
            "PREFIX" => self.expect(Expected::Prefix),
            "BASE" => self.expect(Expected::Query),
            "SELECT" | "DESCRIBE" => self.expect(Expected::Projection),
            "BY" => self.expect(Expected::Projection),
            "HAVING" => self.expect(Expected::Expression),
            "AS" => self.expect(Expected::Nothing),
            "FROM" | "NAMED" | "GRAPH" | "SERVICE" => self.expect(Expected::Graph),
            "LIMIT" | "OFFSET" => self.expect(Expected::Number),
            "FILTER" | "BIND" => self.expect(Expected::Expression),
            "OPTIONAL" | "UNION" | "MINUS" | "WHERE" if !outermost => self.expect(Expected::Subject),
            "VALUES" => self.expect(Expected::Nothing),
            "TRUE" | "FALSE" => self.term(word, TokenKind::Keyword),
            _ => {}
        }
    }

    fn punctuation(&mut self, mark: &str) {
        let expected = self.frame().expected.clone();
        let bracket = self.frame().bracket;
        match mark {
            "{" if self.last == "VALUES" || expected == Expected::Nothing => {
                self.push(Bracket::Values, Expected::Object { property: None })
            }
            "{" => self.push(Bracket::Group, Expected::Subject),
            "}" => self.close_group(),
            "[" => {
                self.node("[]");
                self.push(Bracket::Node, Expected::Verb { subject: None });
            }
            "]" => self.close(Bracket::Node),
            "(" => match expected {
                // A path: what is in brackets is no predicate by itself.
                Expected::Verb { .. } => self.frame_mut().property = Some(String::new()),
                Expected::Object { .. } | Expected::Subject if self.last.is_empty() && bracket != Bracket::Values => {
                    self.node("()");
                    self.push(Bracket::List, Expected::Object { property: None });
                }
                Expected::Nothing => self.push(Bracket::List, Expected::Nothing),
                _ => self.push(Bracket::Expression, Expected::Expression),
            },
            ")" if matches!(bracket, Bracket::Expression | Bracket::List) && self.frames.len() > 1 => {
                self.frames.pop();
                if self.frame().expected == Expected::Expression && self.frame().bracket == Bracket::Group {
                    let outermost = self.frames.len() == 1;
                    self.expect(if outermost { Expected::Modifier } else { Expected::Subject });
                }
            }
            "." if matches!(bracket, Bracket::Group) && self.frames.len() > 1 => self.expect(Expected::Subject),
            ";" if matches!(bracket, Bracket::Group | Bracket::Node) => {
                let next = self.at.end;
                let frame = self.frame_mut();
                (frame.property, frame.start) = (None, next);
                frame.expected = Expected::Verb { subject: None };
            }
            "," if matches!(bracket, Bracket::Group | Bracket::Node) => {
                self.expect(Expected::Object { property: None })
            }
            "/" | "|" | "^" | "!" if matches!(expected, Expected::Object { .. } | Expected::Verb { .. }) => {
                let frame = self.frame_mut();
                frame.property = Some(String::new());
                frame.expected = Expected::Verb { subject: None };
            }
            _ => {}
        }
    }

    fn close_group(&mut self) {
        while self.frames.len() > 1 {
            let closed = self.frames.pop().map(|f| f.bracket);
            if matches!(closed, Some(Bracket::Group | Bracket::Values)) {
                break;
            }
        }
        let outermost = self.frames.len() == 1;
        // After EXISTS, the expression goes on.
        if self.frame().bracket != Bracket::Expression {
            self.expect(if outermost { Expected::Modifier } else { Expected::Subject });
        }
    }

    fn close(&mut self, bracket: Bracket) {
        if self.frame().bracket == bracket && self.frames.len() > 1 {
            self.frames.pop();
        }
    }

    fn term(&mut self, own: &str, kind: TokenKind) {
        let frame = self.frame_mut();
        match frame.expected.clone() {
            Expected::Subject => {
                if matches!(kind, TokenKind::Word | TokenKind::Keyword) {
                    return;
                }
                self.node(own);
            }
            Expected::Verb { .. } => {
                let path = frame.property.as_deref() == Some("");
                frame.property = Some(if path { String::new() } else { own.to_owned() });
                frame.expected = Expected::Object { property: None };
            }
            Expected::Object { .. } | Expected::Separator => self.node(own),
            Expected::Graph => {
                self.expect(if self.frames.len() == 1 { Expected::Projection } else { Expected::Subject })
            }
            Expected::Prefix if kind == TokenKind::Iri => self.expect(Expected::Query),
            Expected::Number => self.expect(Expected::Modifier),
            _ => {}
        }
    }

    /// Takes a node where a subject or an object may stand.
    fn node(&mut self, own: &str) {
        let at = self.at.clone();
        let frame = self.frame_mut();
        match frame.expected {
            Expected::Subject | Expected::Separator => {
                (frame.subject, frame.property) = (Some(own.to_owned()), None);
                frame.start = at.start;
                frame.expected = Expected::Verb { subject: None };
            }
            Expected::Object { .. } if matches!(frame.bracket, Bracket::Group | Bracket::Node) => {
                let span = frame.start..at.end;
                let triple = frame.subject.clone().zip(frame.property.clone());
                frame.expected = Expected::Separator;
                self.triples.extend(triple.map(|(s, p)| Written { parts: [s, p, own.to_owned()], span }));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(text: &str) -> Expected {
        place(text, text.len()).expected
    }

    #[test]
    fn the_grammar_tells_what_is_expected() {
        let verb = |s: &str| Expected::Verb { subject: Some(s.into()) };
        let object = |p: &str| Expected::Object { property: Some(p.into()) };
        for (text, wanted) in [
            ("", Expected::Query),
            ("SEL", Expected::Query),
            ("PREFIX fo", Expected::Prefix),
            ("SELECT ", Expected::Projection),
            ("SELECT (COU", Expected::Expression),
            ("SELECT (COUNT(?x) AS ?", Expected::Nothing),
            ("SELECT * { ", Expected::Subject),
            ("SELECT * { ?s ", verb("?s")),
            ("SELECT * { ?s a ", object("a")),
            ("SELECT * { ?s ou:p/", verb("?s")),
            ("SELECT * { ?s ou:p ?o ; ", verb("?s")),
            ("SELECT * { ?s ou:p ?o , ", object("ou:p")),
            ("SELECT * { ?s ou:p ?o ", Expected::Separator),
            ("SELECT * { ?s ou:p ?o . ", Expected::Subject),
            ("SELECT * { ?s ou:p [ ", Expected::Verb { subject: None }),
            ("SELECT * { ?s ou:p [ a ou:C ] ; ", verb("?s")),
            ("SELECT * { FILTER(", Expected::Expression),
            ("SELECT * { FILTER(?x > 1) ", Expected::Subject),
            ("SELECT * { FILTER NOT EXISTS { ?s ", verb("?s")),
            ("SELECT * { GRAPH ", Expected::Graph),
            ("SELECT * { ?s ?p 1 } ", Expected::Modifier),
            ("SELECT * { ?s ?p 1 } ORDER BY ", Expected::Projection),
            ("SELECT * { ?s ?p 'abc", Expected::Nothing),
            ("SELECT * { # ab", Expected::Nothing),
        ] {
            assert_eq!(expected(text), wanted, "{text}");
        }
    }

    #[test]
    fn triples_are_read_as_they_are_written() {
        let text = "SELECT * { ?s a ou:C ; ou:p ?x , 'y' . ?x ou:q/ou:r ?z . ?z (ou:p)+ ?s }";
        let shown: Vec<String> = triples(text).iter().map(|t| t.parts.join(" ")).collect();
        assert_eq!(shown, ["?s a ou:C", "?s ou:p ?x", "?s ou:p 'y'", "?x  ?z", "?z  ?s"]);
        let spans: Vec<&str> = triples(text).iter().map(|t| text[t.span.clone()].trim()).collect();
        assert_eq!(spans, ["?s a ou:C", "ou:p ?x", "ou:p ?x , 'y'", "?x ou:q/ou:r ?z", "?z (ou:p)+ ?s"]);
    }
}
