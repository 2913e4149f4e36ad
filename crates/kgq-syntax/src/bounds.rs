//! Bounds on texts, checked before any recursive parser sees them: nesting, size of the text and of single tokens, number of
//! operators.
//!
//! The engine bounds time, memory and rows; `guard` watches data files.

use super::sparql::{self, closing};
use super::{Token, TokenKind, significant};
use crate::error::{Error, Result, Source};
use crate::text::thousands;

/// The limits; `Default` gives those that the program starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Levels of brackets, triple terms, and prefix operators such as `!`.
    pub max_depth: usize,
    /// Bytes of a query or update.
    pub max_query_size: usize,
    /// Bytes of one string, IRI or name.
    pub max_token: usize,
    /// Operators, clauses and triple patterns of a query.
    pub max_operators: usize,
    /// The most bytes that a compressed file may decompress to.
    pub max_decompressed: u64,
    /// The most times its own size that a compressed file may decompress to.
    pub max_ratio: u64,
    /// The most bytes that the entities of an XML document may expand to.
    pub max_entities: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_depth: 128,
            max_query_size: 1 << 20,
            max_token: 16 << 20,
            max_operators: 2_000,
            max_decompressed: 10 << 30,
            max_ratio: 1_000,
            max_entities: 1 << 20,
        }
    }
}

/// The highest possible depth, whatever the setting: the parsers recurse, and a few thousand levels overflow an ordinary
/// stack of 8 MiB.
pub const DEEPEST: usize = 1_000;

/// The highest possible number of operators, for the same reason: a chain of operators is a tree as deep as it is long.
const MOST_OPERATORS: usize = 10_000;

/// The most nested calls of the kind that spargebra parses twice, so that each level doubles the work.
const MAX_BACKTRACKING: usize = 16;

/// Smaller decompressed sizes do no harm, whatever the ratio.
const RATIO_FROM: u64 = 1 << 20;

impl Bounds {
    /// The depth that is really allowed.
    pub fn depth(&self) -> usize {
        self.max_depth.min(DEEPEST)
    }

    pub fn too_deep(&self) -> Error {
        let error = Error::input(format!("this nests more than {} levels deep", thousands(self.depth() as u64)));
        if self.depth() < self.max_depth {
            return error.hint("write it flatter; no setting allows more");
        }
        error.hint("write it flatter, or raise the limit with `--max-depth` or `max-depth` in kgq.toml")
    }

    pub fn entities_too_large(&self) -> Error {
        Error::input(format!("the entities of this document expand to more than {}", size(self.max_entities)))
            .hint("raise the limit with `--max-entities` or `max-entities` in kgq.toml")
    }

    /// Fails if this many decompressed bytes, from this many stored ones, are more than allowed.
    pub fn check_decompressed(&self, name: &str, stored: u64, decompressed: u64) -> Result<()> {
        if decompressed > self.max_decompressed {
            let most = size(usize::try_from(self.max_decompressed).unwrap_or(usize::MAX));
            return Err(Error::input(format!("{name} decompresses to more than {most}"))
                .hint("raise the limit with `--max-decompressed` or `max-decompressed` in kgq.toml"));
        }
        if decompressed > RATIO_FROM && decompressed / self.max_ratio.max(1) > stored {
            return Err(Error::input(format!(
                "{name} decompresses to more than {} times its size",
                thousands(self.max_ratio)
            ))
            .hint("raise the limit with `--max-ratio` or `max-ratio` in kgq.toml"));
        }
        Ok(())
    }

    pub fn token_too_long(&self) -> Error {
        Error::input(format!("this string, IRI or name is longer than {}", size(self.max_token)))
            .hint("a closing quote or `>` may be missing before; or raise the limit with `--max-token` or `max-token` in kgq.toml")
    }
}

/// A number of bytes in the largest unit of which it is a multiple.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 1 << 30 && b % (1 << 30) == 0 => format!("{} GiB", thousands((b >> 30) as u64)),
        b if b >= 1 << 20 && b % (1 << 20) == 0 => format!("{} MiB", thousands((b >> 20) as u64)),
        b if b >= 1 << 10 && b % (1 << 10) == 0 => format!("{} KiB", thousands((b >> 10) as u64)),
        b => format!("{} bytes", thousands(b as u64)),
    }
}

/// Returns the tokens of a query or update that a parser sees, if they keep the bounds.
///
/// # Errors
/// The first limit that is exceeded, at its place.
pub fn tokens_within(source: Source<'_>, bounds: &Bounds) -> Result<Vec<Token>> {
    let text = source.text;
    if text.len() > bounds.max_query_size {
        return Err(Error::input(format!(
            "this query has {} bytes; the limit is {}",
            thousands(text.len() as u64),
            size(bounds.max_query_size)
        ))
        .hint("raise the limit with `--max-query-size` or `max-query-size` in kgq.toml"));
    }
    let tokens = significant(&sparql::tokenize(text));
    if let Some(long) = tokens.iter().find(|t| t.end - t.start > bounds.max_token) {
        return Err(bounds.token_too_long().at(source.place(long.start..long.start + 1)));
    }
    check_depth(source, &tokens, bounds)?;
    check_operators(source, &tokens, bounds)?;
    Ok(tokens)
}

/// An open bracket, for the count of operators.
struct Open {
    mark: &'static str,
    /// Whether it holds quad data or VALUES rows, whose items do not count as operators.
    data: bool,
}

fn check_depth(source: Source<'_>, tokens: &[Token], bounds: &Bounds) -> Result<()> {
    let text = source.text;
    let mut stack: Vec<bool> = Vec::new();
    let mut twice = 0usize;
    let mut prefixes = 0usize;
    let mut negated = false;
    for (i, token) in tokens.iter().enumerate() {
        let mark = if token.kind == TokenKind::Punctuation { token.text(text) } else { "" };
        prefixes = if matches!(mark, "!" | "-" | "+" | "^") { prefixes + 1 } else { 0 };
        if closing(mark).is_some() {
            let doubles = std::mem::take(&mut negated) || mark == "(" && i > 0 && is_read_twice(text, &tokens[i - 1]);
            twice += usize::from(doubles);
            stack.push(doubles);
            if twice > MAX_BACKTRACKING {
                return Err(Error::input(format!(
                    "calls of REGEX, SUBSTR, REPLACE and GROUP_CONCAT, and brackets behind `!`, nest more than {MAX_BACKTRACKING} \
                     levels deep, which the parser could not read in reasonable time"
                ))
                .at(source.place(token.span()))
                .hint("compute the inner ones with BIND first"));
            }
        } else if is_closing(mark) {
            twice -= usize::from(stack.pop().unwrap_or(false));
        }
        // The operand of `!` is parsed again if it turns out wrong: `!(…)`, `!BOUND(…)`, `!EXISTS { … }`.
        negated = mark == "!"
            || negated && matches!(token.kind, TokenKind::Keyword | TokenKind::PrefixedName | TokenKind::Iri);
        if stack.len() + prefixes > bounds.depth() {
            return Err(bounds.too_deep().at(source.place(token.span())));
        }
    }
    Ok(())
}

fn is_closing(mark: &str) -> bool {
    matches!(mark, ")" | "]" | "}" | ">>" | ")>>" | "|}")
}

/// Whether this function has forms with fewer arguments, which spargebra tries after the longest one.
fn is_read_twice(text: &str, token: &Token) -> bool {
    ["REGEX", "SUBSTR", "REPLACE", "GROUP_CONCAT"].iter().any(|k| token.is_keyword(text, k))
}

fn check_operators(source: Source<'_>, tokens: &[Token], bounds: &Bounds) -> Result<()> {
    const CLAUSES: &[&str] = &[
        "UNION", "OPTIONAL", "MINUS", "FILTER", "BIND", "GRAPH", "SERVICE", "VALUES", "SELECT", "EXISTS", "IN",
        "LATERAL",
    ];
    let text = source.text;
    let mut stack: Vec<Open> = Vec::new();
    let mut data_next = false;
    let mut count = 0usize;
    for token in tokens {
        let in_data = stack.last().is_some_and(|open| open.data);
        let operator = match token.kind {
            TokenKind::Punctuation => {
                let mark = token.text(text);
                if let Some(closer) = closing(mark) {
                    let data = in_data || (mark == "{" && std::mem::take(&mut data_next));
                    stack.push(Open { mark: closer, data });
                } else if is_closing(mark) {
                    stack.pop();
                }
                match mark {
                    "." | ";" | "," => stack.last().is_some_and(|open| open.mark != ")"),
                    "||" | "&&" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "|" | "^" | "!"
                    | "~" => true,
                    "[" | "<<" | "<<(" | "{|" => true,
                    _ => false,
                }
            }
            TokenKind::Keyword => {
                data_next = data_next || token.is_keyword(text, "DATA") || token.is_keyword(text, "VALUES");
                CLAUSES.iter().any(|k| token.is_keyword(text, k))
            }
            _ => false,
        };
        count += usize::from(operator && !in_data);
        let most = bounds.max_operators.min(MOST_OPERATORS);
        if count > most {
            let raise = if most < bounds.max_operators {
                "use VALUES for long lists; no setting allows more"
            } else {
                "use VALUES for long lists, or raise the limit with `--max-operators` or `max-operators` in kgq.toml"
            };
            let message = format!("this query has more than {} operators and triple patterns", thousands(most as u64));
            return Err(Error::input(message).at(source.place(token.span())).hint(raise));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<()> {
        check_within(text, &Bounds::default())
    }

    fn check_within(text: &str, bounds: &Bounds) -> Result<()> {
        tokens_within(Source::new("q", text), bounds).map(drop)
    }

    fn message(text: &str) -> String {
        check(text).unwrap_err().to_string()
    }

    #[test]
    fn nesting_holds_at_the_limit_and_fails_one_beyond() {
        for (open, close) in
            [("(", ")"), ("{", "}"), ("[", "]"), ("<< ", ">>"), ("<<(", ")>>"), ("{|", "|}"), ("!", ""), ("-", "")]
        {
            let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
            assert!(check(&nested(127)).is_ok() && check(&nested(128)).is_ok(), "{open}");
            let error = message(&nested(129));
            assert!(error.contains("128 levels") && error.contains("--max-depth"), "{open}: {error}");
        }
    }

    #[test]
    fn no_setting_lets_a_text_overflow_the_stack() {
        let text = format!("ASK {{ FILTER({}1{}) }}", "(".repeat(5_000), ")".repeat(5_000));
        let bounds = Bounds { max_depth: 1_000_000, ..Bounds::default() };
        let error = check_within(&text, &bounds).unwrap_err().to_string();
        assert!(error.contains("1,000 levels") && error.contains("no setting"), "{error}");
    }

    #[test]
    fn brackets_in_strings_comments_and_iris_do_not_nest() {
        let text = format!("ASK {{ ?s ?p '{0}', <a{0}> }} # {0}", "(".repeat(500));
        assert!(check(&text).is_ok());
    }

    #[test]
    fn operators_are_counted_but_data_is_not() {
        let ors = |n: usize| format!("ASK {{ FILTER({}?x) }}", "?x||".repeat(n));
        assert!(check(&ors(1_999)).is_ok());
        assert!(message(&ors(2_000)).contains("--max-operators"));
        assert!(check(&format!("INSERT DATA {{ GRAPH <g> {{ {} }} }}", "<a> <b> 1 . ".repeat(5_000))).is_ok());
        assert!(check(&format!("ASK {{ ?x ?y ?z FILTER(?x IN ({}1)) }}", "1, ".repeat(5_000))).is_ok());
        assert!(check(&format!("ASK {{ {} }}", "?x ?y ?z . ".repeat(2_001))).is_err());
        let bounds = Bounds { max_operators: usize::MAX, ..Bounds::default() };
        let check = |text: &str| check_within(text, &bounds);
        assert!(check(&ors(10_000)).unwrap_err().to_string().contains("no setting allows more"));
        assert!(check(&ors(9_999)).is_ok());
    }

    #[test]
    fn a_ratio_holds_at_the_limit_and_fails_one_beyond_but_not_for_small_files() {
        let bounds = Bounds { max_ratio: 50, ..Bounds::default() };
        let check = |stored, times| bounds.check_decompressed("d.gz", stored, stored * times);
        assert!(check(100_000, 49).is_ok() && check(100_000, 50).is_ok());
        assert!(check(100_000, 51).unwrap_err().to_string().contains("--max-ratio"));
        assert!(check(100, 1_000).is_ok());
    }

    #[test]
    fn sizes_hold_at_the_limit_and_fail_one_beyond() {
        let bounds = Bounds { max_query_size: 10, max_token: 5, ..Bounds::default() };
        let check = |text: &str| check_within(text, &bounds);
        assert!(check("'123' 1234").is_ok());
        assert!(check("'1234'").unwrap_err().to_string().contains("--max-token"));
        assert!(check("           ").unwrap_err().to_string().contains("--max-query-size"));
    }

    #[test]
    fn calls_that_the_parser_reads_twice_may_not_nest_without_end() {
        let nested = |n: usize| format!("ASK {{ FILTER({}?x{}) }}", "REPLACE(".repeat(n), ", 'a', 'b')".repeat(n));
        assert!(check(&nested(16)).is_ok());
        assert!(message(&nested(17)).contains("BIND"));
        for (open, close) in [("!(", ")"), ("! STR(", ")"), ("!EXISTS { FILTER(", ") }")] {
            let nested = |n: usize| format!("ASK {{ FILTER({}?x{}) }}", open.repeat(n), close.repeat(n));
            assert!(check(&nested(16)).is_ok() && check(&nested(17)).is_err(), "{open}");
        }
    }
}
