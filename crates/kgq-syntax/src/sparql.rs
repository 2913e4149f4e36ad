//! SPARQL 1.1 and 1.2 as tokens, and what the tokens alone show: prefixes, parameters, and whether a text is unfinished.

use super::scan::{self, Language};
use super::{Span, Token, TokenKind, significant, words};

const LANGUAGE: Language = Language {
    is_keyword,
    punctuation: &[
        "<<(", ")>>", "<<", ">>", "{|", "|}", "^^", "&&", "||", "!=", "<=", ">=", "{", "}", "(", ")", "[", "]", ".",
        ";", ",", "=", "<", ">", "!", "+", "-", "*", "/", "|", "^", "?", "~",
    ],
    signed_numbers: false,
    compares: true,
    directives: &[],
};

fn is_keyword(word: &str) -> bool {
    words::is_function(word) || words::KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(word))
}

/// The tokens of a query or update, valid or not, without gaps.
pub fn tokenize(text: &str) -> Vec<Token> {
    scan::tokenize(text, &LANGUAGE)
}

/// A `PREFIX` declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration<'a> {
    /// Without the colon.
    pub prefix: &'a str,
    /// The span of the prefix with its colon.
    pub prefix_span: Span,
    /// As written between `<` and `>`; relative IRIs are not resolved.
    pub iri: &'a str,
    /// The span of the whole declaration.
    pub span: Span,
}

/// The complete `PREFIX` declarations, in order.
pub fn prefixes_declared<'a>(text: &'a str, tokens: &[Token]) -> Vec<Declaration<'a>> {
    let tokens = significant(tokens);
    tokens
        .windows(3)
        .filter(|w| w[0].is_keyword(text, "PREFIX") && matches!(w[2].kind, TokenKind::Iri | TokenKind::BadIri))
        .filter_map(|w| {
            let (prefix, local) = w[1].prefixed_name(text)?;
            local.is_empty().then(|| Declaration {
                prefix,
                prefix_span: w[1].span(),
                iri: w[2].text(text).trim_matches(['<', '>']),
                span: w[0].start..w[2].end,
            })
        })
        .collect()
}

/// Every use of a prefix, in order, with the span of `prefix:`. Declarations do not count as uses.
pub fn prefixes_used<'a>(text: &'a str, tokens: &[Token]) -> Vec<(&'a str, Span)> {
    let tokens = significant(tokens);
    let mut used = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let declares = i > 0 && tokens[i - 1].is_keyword(text, "PREFIX");
        if let Some((prefix, _)) = token.prefixed_name(text)
            && !declares
        {
            used.push((prefix, token.start..token.start + prefix.len() + 1));
        }
    }
    used
}

/// The prefixes that a text uses but does not declare, each once, in the order of their first use.
pub fn undeclared_prefixes<'a>(text: &'a str, tokens: &[Token]) -> Vec<&'a str> {
    let declared = prefixes_declared(text, tokens);
    let mut missing: Vec<&str> = Vec::new();
    let mut seen: rustc_hash::FxHashSet<&str> = declared.iter().map(|d| d.prefix).collect();
    for (prefix, _) in prefixes_used(text, tokens) {
        if seen.insert(prefix) {
            missing.push(prefix);
        }
    }
    missing
}

/// The declarations that a text lacks and `known` can supply, one per line, to make the text self-contained.
///
/// For parsing, give `undeclared_prefixes` to the parser instead: its positions are then those of the text.
pub fn prologue<'a>(text: &str, known: impl Fn(&str) -> Option<&'a str>) -> String {
    undeclared_prefixes(text, &tokenize(text))
        .into_iter()
        .filter_map(|prefix| known(prefix).map(|iri| format!("PREFIX {prefix}: <{iri}>\n")))
        .collect()
}

/// The span of the IRI of the last `BASE` declaration, without `<` and `>`.
pub fn base(text: &str, tokens: &[Token]) -> Option<Span> {
    significant(tokens)
        .windows(2)
        .filter(|w| w[0].is_keyword(text, "BASE") && w[1].kind == TokenKind::Iri)
        .map(|w| w[1].start + 1..w[1].end - 1)
        .next_back()
}

/// Every `$name`, in order, with its name. In SPARQL, `$x` and `?x` are the same variable; a canned query marks its
/// parameters by `$`.
pub fn parameters<'a>(text: &'a str, tokens: &[Token]) -> Vec<(&'a str, Span)> {
    tokens
        .iter()
        .filter(|t| t.text(text).starts_with('$'))
        .filter_map(|t| t.variable(text).map(|name| (name, t.span())))
        .collect()
}

/// The command on a line that starts with a dot: `.help queries` gives `help queries`. No line of SPARQL starts with a dot
/// and a letter, unless the dot could be left out.
pub fn dot_command(line: &str) -> Option<&str> {
    let command = line.trim().strip_prefix('.')?;
    command.starts_with(|c: char| c.is_ascii_alphabetic() || c == '?').then_some(command)
}

/// Whether the text needs more lines: a bracket, a long string or a clause is open. False for a text that is complete but
/// wrong, or whose mistake no further line could repair.
pub fn unfinished(text: &str) -> bool {
    let all = tokenize(text);
    let tokens = significant(&all);
    let Some(last) = tokens.last() else { return false };
    if let TokenKind::String(quotes) = last.kind
        && !quotes.closed
    {
        return quotes.long;
    }
    let mut open: Vec<&str> = Vec::new();
    for token in tokens.iter().filter(|t| t.kind == TokenKind::Punctuation) {
        let mark = token.text(text);
        if let Some(closer) = closing(mark) {
            open.push(closer);
        } else if matches!(mark, ")" | "]" | "}" | ">>" | ")>>" | "|}") && open.pop() != Some(mark) {
            return false;
        }
    }
    if !open.is_empty() {
        return true;
    }
    clause_open(text, &tokens, last)
}

/// The bracket that closes this one.
pub fn closing(opening: &str) -> Option<&'static str> {
    Some(match opening {
        "(" => ")",
        "[" => "]",
        "{" => "}",
        "<<" => ">>",
        "<<(" => ")>>",
        "{|" => "|}",
        _ => return None,
    })
}

fn clause_open(text: &str, tokens: &[Token], last: &Token) -> bool {
    const WANT_MORE: &[&str] = &[
        "AS",
        "ASC",
        "ASK",
        "BASE",
        "BY",
        "CLEAR",
        "CONSTRUCT",
        "COPY",
        "CREATE",
        "DATA",
        "DELETE",
        "DESC",
        "DESCRIBE",
        "DISTINCT",
        "DROP",
        "FILTER",
        "FROM",
        "GRAPH",
        "GROUP",
        "HAVING",
        "INSERT",
        "INTO",
        "LIMIT",
        "LOAD",
        "MINUS",
        "MOVE",
        "NAMED",
        "OFFSET",
        "OPTIONAL",
        "ORDER",
        "PREFIX",
        "REDUCED",
        "SELECT",
        "SERVICE",
        "SILENT",
        "TO",
        "UNION",
        "USING",
        "VALUES",
        "VERSION",
        "WHERE",
        "WITH",
    ];
    // Declarations alone are not a query yet; a wrong declaration is already an error.
    let mut at = 0;
    loop {
        match tokens.get(at) {
            None => return true,
            Some(t) if t.is_keyword(text, "PREFIX") => {
                let name = tokens.get(at + 1);
                if name.is_some_and(|t| t.kind != TokenKind::PrefixedName) {
                    return false;
                }
                at += 3;
            }
            Some(t) if t.is_keyword(text, "BASE") || t.is_keyword(text, "VERSION") => at += 2,
            Some(_) => break,
        }
        if at > tokens.len() {
            return true;
        }
    }
    let form = &tokens[at..];
    // After a word that cannot begin a query, nothing that follows can repair the text.
    if form[0].kind != TokenKind::Keyword {
        return false;
    }
    if last.kind == TokenKind::Keyword && WANT_MORE.iter().any(|k| last.is_keyword(text, k)) {
        return true;
    }
    let is = |keyword: &str| form[0].is_keyword(text, keyword);
    let groups = top_level_groups(text, form);
    let where_at = form.iter().position(|t| t.is_keyword(text, "WHERE"));
    let lacks_group = if is("SELECT") || is("ASK") {
        groups.is_empty()
    } else if is("CONSTRUCT") {
        groups.len() < 2 && where_at.is_none_or(|_| groups.is_empty())
    } else if form.get(1).is_some_and(|t| t.is_keyword(text, "DATA")) {
        groups.is_empty()
    } else if is("INSERT") || is("DELETE") || is("WITH") {
        where_at.is_none_or(|at| !groups.iter().any(|group| *group > at))
    } else {
        false
    };
    // `SELECT ?x ;` can no longer become a query.
    lacks_group && !last.is(text, ";") && !last.is(text, ".")
}

/// The positions of the braces that open a group outside all other brackets.
fn top_level_groups(text: &str, tokens: &[Token]) -> Vec<usize> {
    let mut depth = 0usize;
    let mut groups = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, t)| t.kind == TokenKind::Punctuation) {
        match token.text(text) {
            mark if closing(mark).is_some() => {
                if depth == 0 && mark == "{" {
                    groups.push(i);
                }
                depth += 1;
            }
            ")" | "]" | "}" | ">>" | ")>>" | "|}" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::Quotes;
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        significant(&tokenize(text)).iter().map(|t| (t.kind, t.text(text))).collect()
    }

    #[test]
    fn tokens_without_a_gap_are_the_text() {
        for text in
            ["", "SELECT * { ?s ?p '''a\n'' }", "<a b", "\u{feff}“x” ?，ex:，\\u0041", "'\\", "@", "_:", "?", "'\\é"]
        {
            let tokens = tokenize(text);
            let joined: String = tokens.iter().map(|t| t.text(text)).collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn a_less_than_sign_is_told_from_an_iri() {
        assert_eq!(kinds("?a<?b")[1], (TokenKind::Punctuation, "<"));
        assert_eq!(kinds("?a <b>")[1], (TokenKind::Iri, "<b>"));
        assert_eq!(kinds("?a <= 3")[1], (TokenKind::Punctuation, "<="));
        assert_eq!(kinds("<http://a b> ?p")[0], (TokenKind::BadIri, "<http://a b>"));
        assert_eq!(kinds("?a <http://a ?p")[1], (TokenKind::BadIri, "<http://a"));
        assert_eq!(kinds("<<( <s> ?p 'o' )>>")[0], (TokenKind::Punctuation, "<<("));
    }

    #[test]
    fn names_numbers_strings_and_tags_end_where_the_grammar_says() {
        assert_eq!(kinds("ex:a.b. x:")[0], (TokenKind::PrefixedName, "ex:a.b"));
        assert_eq!(kinds("ex:a\\,b%20c-1,")[0], (TokenKind::PrefixedName, "ex:a\\,b%20c-1"));
        assert_eq!(
            kinds("1.5e3 .5 2. 1.e2").iter().map(|k| k.1).collect::<Vec<_>>(),
            ["1.5e3", ".5", "2", ".", "1.e2"]
        );
        assert_eq!(kinds("'a\\'b'@ar--rtl .").iter().map(|k| k.1).collect::<Vec<_>>(), ["'a\\'b'", "@ar--rtl", "."]);
        assert_eq!(kinds("ex:p?")[1], (TokenKind::Punctuation, "?"));
        assert_eq!(kinds("_:b1.")[0], (TokenKind::BlankNode, "_:b1"));
        let open = Quotes { mark: '"', long: false, closed: false };
        assert_eq!(kinds("\"abc\n x")[0], (TokenKind::String(open), "\"abc"));
    }

    #[test]
    fn prefixes_used_but_not_declared_are_listed_once() {
        let text = "PREFIX ex: <http://ex/> SELECT * { ?s a ex:C ; foaf:name ?n ; foaf:mbox ?m ; :p 'x:y' } # z:z";
        let tokens = tokenize(text);
        assert_eq!(undeclared_prefixes(text, &tokens), ["foaf", ""]);
        assert_eq!(prefixes_declared(text, &tokens)[0].iri, "http://ex/");
        let known = |prefix: &str| (prefix == "foaf").then_some("http://f/");
        assert_eq!(prologue(text, known), "PREFIX foaf: <http://f/>\n");
    }

    #[test]
    fn parameters_are_the_variables_with_a_dollar_sign() {
        let text = "SELECT ?x { ?x ?p $name . FILTER(?y = '$no') # $no\n }";
        assert_eq!(parameters(text, &tokenize(text)), [("name", 18..23)]);
    }

    #[test]
    fn a_text_is_unfinished_only_while_something_is_open() {
        for open in [
            "SELECT *",
            "SELECT * {",
            "SELECT * WHERE { ?s ?p '''a",
            "PREFIX ex: <http://ex/>",
            "ASK { ?s ?p ?o } ORDER BY",
            "SELECT * { { ?s ?p ?o } UNION",
            "PREFIX",
            "PREFIX a:",
            "CONSTRUCT { ?s ?p ?o }",
            "INSERT DATA",
            "SELECT (COUNT(*)",
            "DELETE { ?s ?p ?o } INSERT { ?s ?p 1 }",
            "SELECT ?x # {",
            "DESCRIBE",
            "SELECT ?x WHERE",
        ] {
            assert!(unfinished(open), "{open}");
        }
        for done in [
            "",
            "SELECT * { ?s ?p ?o }",
            "SELCT * WHERE",
            "SELECT * { ?s ?p 'a }",
            "SELECT * { ?s ?p ?o } }",
            "DESCRIBE <x>",
            "SELECT ?x ;",
            "foo",
            "# only a comment",
            "SELECT * { ( }",
            "INSERT DATA { <a> <b> <c> }",
            "CONSTRUCT WHERE { ?s ?p ?o }",
            "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }",
            "DELETE WHERE { ?s ?p ?o }",
        ] {
            assert!(!unfinished(done), "{done}");
        }
    }

    #[test]
    fn a_line_with_a_dot_and_a_letter_is_a_command() {
        assert_eq!(dot_command("  .help queries\n"), Some("help queries"));
        assert_eq!(dot_command(". ?s ?p ?o"), None);
        assert_eq!(dot_command(".5"), None);
    }
}
