//! Walks group graph patterns: triples, paths, clauses, values.

use super::query::near_keyword;
use super::walk::Walk;
use crate::TokenKind;
use crate::fault::{Fault, Walked};

/// The keywords that may begin something other than triples inside a group.
const CLAUSES: &[&str] =
    &["OPTIONAL", "FILTER", "UNION", "MINUS", "BIND", "VALUES", "GRAPH", "SERVICE", "SELECT", "WHERE", "EXISTS"];

impl<'a> Walk<'a> {
    /// `{ … }`
    pub fn group(&mut self, purpose: &str) -> Walked {
        let first = self.at;
        if !self.is("{") && self.begins_term() {
            return Err(self
                .fault_here(format!("`{{` is missing {purpose}"))
                .hint("a pattern stands in braces: `{ … }`"));
        }
        self.open("{", purpose)?;
        self.scopes.pattern_number += 1;
        if self.kw("SELECT") {
            self.select_query(true)?;
        } else {
            self.group_body(first)?;
        }
        self.close()?;
        self.scopes.pattern_number += 1;
        // The outermost group of a SELECT ends last, so its span is the one that remains.
        self.scopes.select().pattern = (first, self.at);
        Ok(())
    }

    fn group_body(&mut self, first: usize) -> Walked {
        let mut after_clause = true;
        loop {
            if self.is("}") || self.peek().is_none() {
                return Ok(());
            }
            if self.clause(first)? {
                self.eat(".");
                after_clause = true;
                continue;
            }
            if self.is(".") {
                let fault = self.fault_here("this `.` does not end a triple");
                return Err(if after_clause { fault.hint("remove it") } else { fault.hint("one `.` is enough") });
            }
            self.triples(true)?;
            after_clause = false;
            if !self.eat(".") {
                self.after_triples()?;
            }
        }
    }

    /// Reads one clause other than triples, if one begins here.
    fn clause(&mut self, first: usize) -> Walked<bool> {
        if self.is("{") {
            self.group("")?;
            while self.eat_kw("UNION") {
                self.group("after `UNION`")?;
            }
            return Ok(true);
        }
        if self.kind() == Some(TokenKind::Word) {
            return self.bare_word().map_or(Ok(false), Err);
        }
        if self.kind() != Some(TokenKind::Keyword) {
            return Ok(false);
        }
        let word = self.here().to_uppercase();
        match word.as_str() {
            "OPTIONAL" | "MINUS" | "LATERAL" => {
                self.advance();
                self.group(&format!("after `{word}`"))?;
            }
            "GRAPH" => {
                self.advance();
                self.variable_or_iri("the name of a graph")?;
                self.group("after the name of the graph")?;
            }
            "SERVICE" => {
                self.advance();
                self.eat_kw("SILENT");
                self.variable_or_iri("the address of a service")?;
                self.group("after the address of the service")?;
            }
            "FILTER" => {
                self.advance();
                self.filter()?;
            }
            "BIND" => self.bind(first)?,
            "VALUES" => {
                self.advance();
                self.values()?;
            }
            "UNION" => {
                return Err(self
                    .fault_here("`UNION` stands between two groups in braces")
                    .hint("write `{ … } UNION { … }`"));
            }
            "SELECT" => {
                return Err(self.fault_here("an inner query needs braces of its own").hint("write `{ SELECT … }`"));
            }
            "ORDER" | "GROUP" | "LIMIT" | "OFFSET" | "HAVING" => {
                let clause = if matches!(word.as_str(), "ORDER" | "GROUP") { format!("{word} BY") } else { word };
                return Err(self
                    .fault_here(format!("`{clause}` stands inside the pattern"))
                    .hint("close the pattern with `}` before it"));
            }
            "NOT" | "EXISTS" => {
                let text = if word == "NOT" { "NOT EXISTS" } else { "EXISTS" };
                return Err(self
                    .fault_here(format!("`{text}` needs a FILTER"))
                    .hint(format!("write `FILTER {text} {{ … }}`")));
            }
            "A" => return Err(self.fault_here("`a` stands only for a predicate").hint("write `?s a ?class`")),
            "TRUE" | "FALSE" => return Ok(false),
            _ if self.is_at(1, "(") => {
                return Err(self
                    .fault_here(format!("`{word}(…)` stands alone in a pattern"))
                    .hint(format!("write `FILTER({word}(…))` or `BIND({word}(…) AS ?value)`")));
            }
            _ => return Err(self.unexpected("a triple, a clause such as `OPTIONAL`, or `}`")),
        }
        Ok(true)
    }

    /// The fault of a bare word where a triple or a clause should begin.
    fn bare_word(&self) -> Option<Fault> {
        let word = self.here();
        let upper = word.to_uppercase();
        if matches!(upper.as_str(), "JOIN" | "INNER" | "LEFT") {
            return Some(
                self.fault_here(format!("SPARQL has no `{word}`"))
                    .hint("patterns that share a variable are joined; `OPTIONAL { … }` is the left join"),
            );
        }
        if matches!(upper.as_str(), "AND" | "WITH") {
            return Some(
                self.fault_here(format!("`{word}` cannot stand between patterns")).hint("end a triple with `.`"),
            );
        }
        if let Some(near) = near_keyword(word, CLAUSES) {
            return Some(self.fault_here(format!("unknown keyword `{word}`")).hint(format!("did you mean `{near}`?")));
        }
        if let Some(near) = near_keyword(word, &["ORDER", "GROUP", "LIMIT"]) {
            return Some(
                self.fault_here(format!("unknown keyword `{word}`"))
                    .hint(format!("did you mean `{near}`, behind the closing `}}`?")),
            );
        }
        Some(self.bare_word_as_term())
    }

    fn variable_or_iri(&mut self, what: &str) -> Walked {
        if self.kind() == Some(TokenKind::Variable) {
            self.advance();
            return Ok(());
        }
        self.iri(what)
    }

    /// Subject, predicates and objects, up to the dot.
    pub fn triples(&mut self, paths: bool) -> Walked {
        let start = self.at;
        let whole = match self.here() {
            "<<" => {
                self.reified()?;
                true
            }
            "[" | "(" => self.node(paths)?,
            _ => {
                self.term("a subject")?;
                false
            }
        };
        let subject = self.written(start);
        if whole && (self.is_any(&[".", "}"]) || self.peek().is_none()) {
            return Ok(());
        }
        self.predicates(&format!("after the subject {subject}"), paths)
    }

    fn written(&self, start: usize) -> String {
        let (Some(first), Some(last)) = (self.tokens.get(start), self.previous()) else { return String::new() };
        let text = &self.text[first.start..last.end.max(first.end)];
        if text.chars().count() > 30 || text.contains('\n') { String::new() } else { format!("`{text}`") }
    }

    pub fn predicates(&mut self, place: &str, paths: bool) -> Walked {
        loop {
            let verb = self.at;
            self.verb(place, paths)?;
            let predicate = self.written(verb);
            self.objects(&predicate, paths)?;
            if !self.is(";") {
                return Ok(());
            }
            while self.eat(";") {}
            if self.is_any(&[".", "}", "]", "|}"]) || self.peek().is_none() {
                return Ok(());
            }
            if self.kw_any(CLAUSES) {
                // A `;` may end a list of predicates.
                return Ok(());
            }
            if self.is(",") {
                return Err(self
                    .fault_here("`,` follows `;`")
                    .hint("`;` begins another predicate, `,` another object: keep one"));
            }
        }
    }

    pub fn verb(&mut self, place: &str, paths: bool) -> Walked {
        match self.kind() {
            Some(TokenKind::Variable) => {
                self.advance();
                let adjacent = self.previous().is_some_and(|p| p.end == self.span_here().start);
                if paths && adjacent && self.is_any(&["*", "+", "?", "/", "|"]) {
                    let (mark, name) = (self.here(), self.previous().map_or("", |t| self.words(t)));
                    return Err(self
                        .fault_here(format!("the path operator `{mark}` cannot follow a variable"))
                        .hint(format!("a path is made of IRIs; `{name}` can only be a single predicate")));
                }
                Ok(())
            }
            Some(TokenKind::Keyword) if self.here() == "a" && !paths => {
                self.advance();
                Ok(())
            }
            Some(TokenKind::String(q)) if q.closed => {
                Err(self.fault_here("a literal cannot be a predicate").hint("a predicate is an IRI or a variable"))
            }
            Some(TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) => {
                Err(self.fault_here("a number cannot be a predicate").hint("a predicate is an IRI or a variable"))
            }
            Some(TokenKind::BlankNode) => {
                Err(self.fault_here("a blank node cannot be a predicate").hint("use a variable"))
            }
            Some(TokenKind::Word) => {
                let word = self.here();
                if (self.is_at(1, "{") || self.is_at(1, "("))
                    && let Some(near) = near_keyword(word, CLAUSES)
                {
                    let fault = self.fault_here(format!("unknown keyword `{word}`"));
                    return Err(fault.hint(format!("did you mean `{near}`?")));
                }
                Err(self.bare_word_as_term())
            }
            Some(TokenKind::Keyword) if self.kw("A") && self.here() == "A" => {
                Err(self.fault_here("`A` is not a predicate").hint("write `a` in lower case"))
            }
            _ if self.is_any(&[".", "}", ";", ","]) || self.peek().is_none() || self.kw_any(CLAUSES) => {
                if let Some(fault) = self.unclosed() {
                    return Err(fault);
                }
                Err(Fault::new(self.end(), format!("the predicate and the object are missing {place}")))
            }
            _ if paths => self.path(),
            _ if matches!(self.kind(), Some(TokenKind::Iri | TokenKind::PrefixedName | TokenKind::BadIri)) => {
                self.iri("a predicate")?;
                if self.is_any(&["*", "+", "?", "/", "|"]) {
                    return Err(self.fault_here("a path can stand only in the WHERE pattern"));
                }
                Ok(())
            }
            _ => Err(self.unexpected("a predicate")),
        }
    }

    /// If the text ends inside open brackets: the fault of the unclosed bracket.
    fn unclosed(&self) -> Option<Fault> {
        (self.peek().is_none() && !self.open.is_empty()).then(|| self.unexpected(""))
    }

    fn path(&mut self) -> Walked {
        loop {
            self.eat("^");
            if self.eat("!") {
                self.negated()?;
            } else if self.is("(") {
                self.open("(", "")?;
                self.path()?;
                self.close()?;
            } else if self.here() == "a" && self.kind() == Some(TokenKind::Keyword) {
                self.advance();
            } else if self.kind() == Some(TokenKind::Variable) {
                return Err(self.fault_here("a variable cannot stand in a path").hint("a path is made of IRIs"));
            } else {
                self.iri("a predicate")?;
            }
            if self.is("{") && self.peek_at(1).is_some_and(|t| t.kind == TokenKind::Integer) {
                return Err(self
                    .fault_here("SPARQL paths have no counts `{n,m}`")
                    .hint("write the steps out: `p/p`, or use `*` or `+`"));
            }
            let _ = self.eat("*") || self.eat("+") || self.eat("?");
            if !self.eat("/") && !self.eat("|") {
                return Ok(());
            }
        }
    }

    fn negated(&mut self) -> Walked {
        let list = self.is("(");
        if list {
            self.open("(", "")?;
        }
        loop {
            self.eat("^");
            if self.here() == "a" && self.kind() == Some(TokenKind::Keyword) {
                self.advance()
            } else {
                self.iri("a predicate after `!`")?
            }
            if !list {
                return Ok(());
            }
            if !self.eat("|") {
                return self.close();
            }
        }
    }

    fn objects(&mut self, predicate: &str, paths: bool) -> Walked {
        loop {
            if self.is_any(&[".", "}", ";", ",", "]", "|}"]) || self.peek().is_none() || self.kw_any(CLAUSES) {
                if let Some(fault) = self.unclosed() {
                    return Err(fault);
                }
                return Err(Fault::new(self.end(), format!("the object is missing after the predicate {predicate}")));
            }
            self.node_or_term("an object", paths)?;
            while self.is_any(&["~", "{|"]) {
                self.annotation(paths)?;
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    fn annotation(&mut self, paths: bool) -> Walked {
        if self.eat("~") {
            if matches!(self.kind(), Some(TokenKind::Variable | TokenKind::BlankNode)) {
                self.advance();
            } else if matches!(self.kind(), Some(TokenKind::Iri | TokenKind::PrefixedName | TokenKind::BadIri)) {
                self.iri("a reifier")?;
            }
            return Ok(());
        }
        self.open("{|", "")?;
        self.predicates("after `{|`", paths)?;
        self.close()
    }

    /// Checks what follows the last object of a triple, if it neither ends the triple nor begins a clause.
    pub fn after_triples(&mut self) -> Walked {
        if self.is_any(&["}", "{"]) || self.peek().is_none() {
            return Ok(());
        }
        if self.kind() == Some(TokenKind::Keyword) && !self.kw("A") && !self.kw("TRUE") && !self.kw("FALSE") {
            return Ok(());
        }
        if let Some(fault) = self.lexical_fault() {
            return Err(fault);
        }
        let before = self.previous().map_or("", |t| self.words(t));
        if self.kind() == Some(TokenKind::Word) {
            return self.bare_word().map_or(Ok(()), Err);
        }
        if !self.begins_term() && !self.kw("A") {
            return Err(self.unexpected("`.`, `;` or `,` after the triple"));
        }
        let here = self.here();
        let terms = (0..4)
            .take_while(|n| {
                self.peek_at(*n).is_some_and(|t| {
                    !matches!(t.kind, TokenKind::Punctuation | TokenKind::Keyword | TokenKind::Word)
                        || t.is_keyword(self.text, "a")
                })
            })
            .count();
        let separator = self.last_separator();
        let fault = Fault::new(self.end(), format!("`.` is missing after `{before}`"));
        Err(match (terms, separator) {
            // `?s :p ?o , :q ?r`
            (1, Some(",")) => Fault::new(self.span_here(), format!("`{here}` is one term too many after `,`"))
                .hint("`,` adds an object of the same predicate; to add a predicate write `;`"),
            // `?s :p ?o ; ?t :q ?r`
            (1, Some(";")) => Fault::new(self.span_here(), format!("`{here}` is one term too many after `;`"))
                .hint("`;` keeps the subject; to begin with a new one write `.`"),
            (1, _) => Fault::new(self.span_here(), format!("expected `.`, `;` or `,` before `{here}`"))
                .hint(format!("two objects are separated by a comma: `{before} , {here}`")),
            (2, _) => Fault::new(self.end(), format!("`;` or `.` is missing after `{before}`")).hint(format!(
                "write `;` before `{here}` to say more about the same subject, or `.` to begin a new triple"
            )),
            _ => fault.hint(format!("end the triple with `.` before `{here}`")),
        })
    }

    /// The separator before the current predicate or object, within this triple.
    fn last_separator(&self) -> Option<&'a str> {
        self.tokens[..self.at]
            .iter()
            .rev()
            .take(3)
            .filter(|t| t.kind == TokenKind::Punctuation)
            .map(|t| t.text(self.text))
            .find(|mark| matches!(*mark, ";" | "," | "." | "{"))
    }

    /// Triples in braces, without clauses: a template.
    pub fn triples_block(&mut self, purpose: &str) -> Walked {
        self.open("{", purpose)?;
        while !self.is("}") && self.peek().is_some() {
            if self.kind() == Some(TokenKind::Keyword) && !self.kw("TRUE") && !self.kw("FALSE") && !self.kw("A") {
                let word = self.here().to_uppercase();
                return Err(self.fault_here(format!("`{word}` cannot stand in a template of triples")));
            }
            self.triples(false)?;
            if !self.eat(".") {
                self.after_triples()?;
            }
        }
        self.close()
    }

    fn filter(&mut self) -> Walked {
        if self.is("(") || self.begins_call() || self.kw("NOT") || self.kw("EXISTS") {
            return self.expression_primary();
        }
        if self.is("!") {
            return Err(self.fault_here("a condition after `FILTER` stands in parentheses").hint("write `FILTER(!…)`"));
        }
        if let Some(fault) = self.misspelt(&["EXISTS", "NOT"]) {
            return Err(fault);
        }
        if self.kind() == Some(TokenKind::Word) && self.is_at(1, "(") {
            return self.expression_primary();
        }
        if self.begins_term() {
            return Err(self.fault_here("`(` is missing after `FILTER`").hint("write `FILTER(condition)`"));
        }
        Err(self.unexpected("a condition in parentheses after `FILTER`"))
    }

    fn bind(&mut self, first: usize) -> Walked {
        self.advance();
        if !self.is("(") && self.peek().is_some() {
            return Err(self.fault_here("`(` is missing after `BIND`").hint("write `BIND(expression AS ?name)`"));
        }
        self.open("(", "after `BIND`")?;
        self.expression()?;
        if !self.kw("AS") {
            if self.is(")") || self.is(",") || self.kind() == Some(TokenKind::Variable) {
                return Err(self.fault_here("`AS` is missing in BIND").hint("write `BIND(expression AS ?name)`"));
            }
            return Err(self.operator_fault("`AS` and a variable"));
        }
        self.advance();
        let span = self.span_here();
        let name = self.named("after `AS`")?;
        self.scopes.binds.push((name, span, first));
        self.close()
    }
}
