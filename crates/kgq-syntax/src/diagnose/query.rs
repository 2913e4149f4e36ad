//! Walks queries: prologue, the four forms, dataset clauses, solution modifiers.

use super::scope::Select;
use super::walk::Walk;
use crate::fault::{Fault, Walked};
use crate::text::nearest;
use crate::{TokenKind, words};

const FORMS: &[&str] = &["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"];
pub(super) const UPDATES: &[&str] =
    &["INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"];
/// In the order in which they must appear.
const MODIFIERS: &[&str] = &["GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES"];

impl<'a> Walk<'a> {
    pub fn query_unit(&mut self) -> Walked {
        self.prologue()?;
        if self.kw("SELECT") {
            self.select_query(false)?;
        } else if self.kw("ASK") {
            self.advance();
            self.dataset()?;
            self.where_clause()?;
            self.modifiers(false)?;
        } else if self.kw("CONSTRUCT") {
            self.construct()?;
        } else if self.kw("DESCRIBE") {
            self.describe()?;
        } else {
            return Err(self.no_form(FORMS, "`SELECT`, `ASK`, `CONSTRUCT` or `DESCRIBE`"));
        }
        self.nothing_more()
    }

    pub fn prologue(&mut self) -> Walked {
        loop {
            if self.eat_kw("BASE") {
                if self.kind() != Some(TokenKind::Iri) {
                    return Err(self.unexpected("an IRI `<…>` after `BASE`"));
                }
                self.has_base = true;
                self.advance();
            } else if self.kw("PREFIX") {
                self.declaration()?;
            } else if self.eat_kw("VERSION") {
                if !matches!(self.kind(), Some(TokenKind::String(_))) {
                    return Err(self.unexpected("a text such as `\"1.2\"` after `VERSION`"));
                }
                self.advance();
            } else {
                break;
            }
            if self.is_any(&[".", ";"]) {
                let mark = self.here();
                return Err(self
                    .fault_here(format!("a declaration in SPARQL cannot end with `{mark}`"))
                    .hint(format!("remove the `{mark}`")));
            }
        }
        if self.kind() == Some(TokenKind::LangTag)
            && matches!(self.here().to_ascii_lowercase().as_str(), "@prefix" | "@base")
        {
            let keyword = self.here()[1..].to_uppercase();
            return Err(self
                .fault_here(format!("`{}` is Turtle; SPARQL writes `{keyword}`", self.here()))
                .hint(format!("write `{keyword} …` without `@`, and without the dot at the end")));
        }
        Ok(())
    }

    fn declaration(&mut self) -> Walked {
        self.advance();
        match self.peek().map(|t| (t, t.prefixed_name(self.text))) {
            Some((_, Some((prefix, "")))) => self.declared.push(prefix),
            Some((token, Some((prefix, local)))) => {
                return Err(Fault::new(
                    token.span(),
                    format!("a declared prefix ends with its colon, found `{prefix}:{local}`"),
                )
                .hint(format!("write `PREFIX {prefix}: <…>`")));
            }
            Some((token, None)) if matches!(token.kind, TokenKind::Word | TokenKind::Keyword) => {
                let word = self.words(token);
                return Err(Fault::new(
                    token.end..token.end,
                    format!("the colon after the prefix `{word}` is missing"),
                )
                .hint(format!("write `PREFIX {word}: <…>`")));
            }
            _ => return Err(self.unexpected("a prefix such as `ex:` after `PREFIX`")),
        }
        self.advance();
        match self.kind() {
            Some(TokenKind::Iri) => {
                self.iri("the IRI of the prefix")?;
                Ok(())
            }
            Some(TokenKind::BadIri) => Err(self.unexpected("an IRI")),
            Some(TokenKind::PrefixedName | TokenKind::Word | TokenKind::String(_)) => Err(self
                .fault_here(format!("the IRI of a prefix stands between `<` and `>`, found `{}`", self.here()))
                .hint("write `PREFIX ex: <http://…>`")),
            _ => Err(self.unexpected("the IRI of the prefix, as `<http://…>`")),
        }
    }

    /// The fault of a wrong first word of a query.
    pub fn no_form(&self, forms: &[&'static str], expected: &str) -> Fault {
        if let Some(fault) = self.misspelt(forms).or_else(|| self.misspelt(&["PREFIX", "BASE"])) {
            return fault;
        }
        if self.tokens.is_empty() {
            return Fault::new(0..0, "there is no query here").hint("try `SELECT * { ?s ?p ?o } LIMIT 10`");
        }
        if self.peek().is_none() {
            return Fault::new(self.end(), format!("the declarations are not followed by {expected}"));
        }
        if forms == FORMS && self.kw_any(UPDATES) {
            return self
                .fault_here(format!("`{}` is an update, not a query", self.here().to_uppercase()))
                .hint("`kgq update` runs updates");
        }
        if forms == UPDATES && self.kw_any(FORMS) {
            return self
                .fault_here(format!("`{}` is a query, not an update", self.here().to_uppercase()))
                .hint("`kgq query` answers queries");
        }
        if self.kw("WHERE") || self.is("{") {
            return self.fault_here("a pattern alone is not a query").hint("write `SELECT *` before it");
        }
        self.unexpected(expected)
    }

    pub fn select_query(&mut self, inner: bool) -> Walked {
        self.scopes.begin(Select::default());
        self.advance();
        self.select_clause()?;
        if !inner {
            self.dataset()?;
        }
        self.where_clause()?;
        self.modifiers(inner)?;
        self.scopes.end();
        Ok(())
    }

    fn select_clause(&mut self) -> Walked {
        let _ = self.eat_kw("DISTINCT") || self.eat_kw("REDUCED");
        if self.is("*") {
            self.scopes.select().star = Some(self.span_here());
            self.advance();
            return Ok(());
        }
        let mut items = 0;
        loop {
            if let Some(name) = self.peek().and_then(|t| t.variable(self.text)) {
                let span = self.span_here();
                self.scopes.select().variables.push((name, span));
                self.advance();
                if self.kw("AS") {
                    return Err(self
                        .fault_here("an expression with `AS` stands in parentheses")
                        .hint(format!("write `(?{name} AS ?…)`")));
                }
            } else if self.is("(") {
                self.projected_expression()?;
            } else {
                break;
            }
            items += 1;
            if self.is(",") {
                return Err(self
                    .fault_here("a comma cannot stand between the variables of SELECT")
                    .hint("separate them by spaces"));
            }
        }
        if self.kind() == Some(TokenKind::Keyword) && self.is_at(1, "(") && !self.kw("WHERE") {
            return Err(self.bare_call());
        }
        if self.kind() == Some(TokenKind::Word) {
            if let Some(fault) = self.misspelt(&["DISTINCT", "REDUCED", "WHERE", "FROM"]) {
                return Err(fault);
            }
            let word = self.here();
            return Err(self
                .fault_here(format!("expected a variable, found the bare word `{word}`"))
                .hint(format!("a variable begins with a question mark: `?{word}`")));
        }
        if items == 0 {
            return Err(self.unexpected("a variable, an expression in parentheses, or `*` after `SELECT`"));
        }
        Ok(())
    }

    /// The fault of a call in SELECT without parentheses and a name.
    fn bare_call(&self) -> Fault {
        let word = self.here().to_uppercase();
        let mut depth = 0usize;
        let mut rest = self.tokens[self.at..].iter();
        let end = rest.find(|t| {
            depth += usize::from(t.is(self.text, "("));
            depth -= usize::from(t.is(self.text, ")") && depth > 0);
            depth == 0 && t.is(self.text, ")")
        });
        let call = end.map_or("…", |end| &self.text[self.span_here().start..end.end]);
        let name = match (rest.next(), rest.next()) {
            (Some(first), Some(name)) if first.is_keyword(self.text, "AS") && name.kind == TokenKind::Variable => {
                self.words(*name)
            }
            _ if words::AGGREGATES.contains(&word.as_str()) => &format!("?{}", word.to_lowercase()),
            _ => "?value",
        };
        self.fault_here(format!("`{word}(…)` in SELECT needs parentheses and a name"))
            .hint(format!("write `({} AS {name})`", shortened(call)))
    }

    /// `(expression AS ?name)`
    fn projected_expression(&mut self) -> Walked {
        self.open("(", "before an expression")?;
        let start = self.span_here();
        self.scopes.collect();
        self.expression()?;
        let used = self.scopes.collected();
        if self.is(")") {
            let written = &self.text[start.start..self.previous().map_or(start.end, |t| t.end)];
            let fault = self.fault_here("`AS` and a variable are missing: an expression in SELECT needs a name");
            return Err(match written.strip_prefix('?') {
                Some(_) if !written.contains(['(', ' ']) => {
                    fault.hint(format!("write `{written}` without parentheses"))
                }
                _ => fault.hint(format!("write `({} AS ?value)`", shortened(written))),
            });
        }
        if !self.kw("AS") {
            return Err(self.misspelt(&["AS"]).unwrap_or_else(|| self.operator_fault("`AS` and a variable")));
        }
        self.advance();
        let span = self.span_here();
        let alias = self.named("after `AS`")?;
        self.close()?;
        let select = self.scopes.select();
        // Names defined earlier in the clause may be used.
        select.used.extend(used.into_iter().filter(|(name, _)| !select.aliases.iter().any(|(alias, _)| alias == name)));
        select.aliases.push((alias, span));
        Ok(())
    }

    fn dataset(&mut self) -> Walked {
        while self.eat_kw("FROM") {
            self.eat_kw("NAMED");
            self.iri("the IRI of a graph after `FROM`")?;
        }
        Ok(())
    }

    fn where_clause(&mut self) -> Walked {
        if self.eat_kw("WHERE") || self.is("{") {
            return self.group("after `WHERE`");
        }
        if self.kw_any(MODIFIERS) {
            let word = self.here().to_uppercase();
            return Err(self
                .fault_here(format!("`{word}` stands before the pattern"))
                .hint(format!("move `{word} …` behind the closing `}}` of `WHERE {{ … }}`")));
        }
        if let Some(fault) = self.misspelt(&["WHERE", "FROM"]) {
            return Err(fault);
        }
        if self.peek().is_none() {
            return Err(Fault::new(self.end(), "the pattern is missing: `{ … }` must follow").hint("add `WHERE { … }`"));
        }
        if self.kw("AS") {
            return Err(self
                .fault_here("an expression with `AS` stands in parentheses")
                .hint("write `(expression AS ?name)`"));
        }
        Err(self.unexpected("`WHERE {`"))
    }

    fn construct(&mut self) -> Walked {
        self.advance();
        if self.is("{") {
            self.triples_block("of the template")?;
            self.dataset()?;
            self.where_clause()?;
        } else {
            self.dataset()?;
            if !self.kw("WHERE") {
                return Err(self.misspelt(&["WHERE"]).unwrap_or_else(|| self.unexpected("`{` before the template")));
            }
            self.advance();
            self.triples_block("after `WHERE`")?;
        }
        self.modifiers(false)
    }

    fn describe(&mut self) -> Walked {
        self.advance();
        if !self.eat("*") {
            let mut any = false;
            while matches!(
                self.kind(),
                Some(TokenKind::Variable | TokenKind::Iri | TokenKind::PrefixedName | TokenKind::BadIri)
            ) {
                if self.kind() == Some(TokenKind::Variable) {
                    self.advance()
                } else {
                    self.iri("a thing to describe")?
                }
                any = true;
            }
            if !any {
                return Err(self.unexpected("a variable, an IRI, or `*` after `DESCRIBE`"));
            }
        }
        self.dataset()?;
        if self.kw("WHERE") || self.is("{") {
            self.where_clause()?;
        }
        self.modifiers(false)
    }

    fn modifiers(&mut self, inner: bool) -> Walked {
        let mut last = 0;
        while let Some(index) = MODIFIERS.iter().position(|k| self.kw(k)) {
            // LIMIT and OFFSET may stand in either order, but once each.
            let swapped = MODIFIERS[last] == "OFFSET" && MODIFIERS[index] == "LIMIT";
            if index < last && !swapped {
                return Err(self
                    .fault_here(format!(
                        "`{}` must stand before `{}`",
                        clause(MODIFIERS[index]),
                        clause(MODIFIERS[last])
                    ))
                    .hint("the order is: GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET, VALUES"));
            }
            last = index;
            match MODIFIERS[index] {
                "GROUP" => self.group_by()?,
                "HAVING" => {
                    self.advance();
                    self.constraints("HAVING")?;
                }
                "ORDER" => self.order_by()?,
                "VALUES" => {
                    self.advance();
                    self.values()?;
                }
                word => self.count(word)?,
            }
        }
        if inner && !self.is("}") {
            return Err(self.after_pattern());
        }
        Ok(())
    }

    fn group_by(&mut self) -> Walked {
        self.advance();
        self.expect_kw("BY")?;
        let mut any = false;
        self.scopes.select().grouped.get_or_insert_default();
        loop {
            if let Some(name) = self.peek().and_then(|t| t.variable(self.text)) {
                self.scopes.select().grouped.get_or_insert_default().push(name);
                self.advance();
            } else if self.is("(") {
                self.open("(", "")?;
                self.expression()?;
                if self.eat_kw("AS") {
                    let name = self.named("after `AS`")?;
                    self.scopes.select().grouped.get_or_insert_default().push(name);
                } else if !self.is(")") {
                    return Err(self.operator_fault("`)`"));
                }
                self.close()?;
            } else if self.begins_call() {
                self.expression_primary()?;
            } else {
                break;
            }
            any = true;
            self.no_comma("GROUP BY")?;
        }
        if any { Ok(()) } else { Err(self.unexpected("a variable or an expression after `GROUP BY`")) }
    }

    fn order_by(&mut self) -> Walked {
        self.advance();
        self.expect_kw("BY")?;
        let mut any = false;
        loop {
            if self.kw("ASC") || self.kw("DESC") {
                let word = self.here().to_uppercase();
                if any && !self.is_at(1, "(") {
                    let before = self.previous().map_or("?x", |t| self.words(t));
                    return Err(self
                        .fault_here(format!("`{word}` stands before what it sorts, with parentheses"))
                        .hint(format!("write `{word}({before})`")));
                }
                self.advance();
                if !self.is("(") {
                    let next = self.here();
                    return Err(self
                        .fault_here(format!("`(` is missing after `{word}`"))
                        .hint(format!("write `{word}({next})`")));
                }
                self.open("(", "")?;
                self.expression()?;
                self.close_expression()?;
            } else if self.kind() == Some(TokenKind::Variable) {
                self.advance();
            } else if self.is("(") || self.begins_call() {
                self.expression_primary()?;
            } else {
                break;
            }
            any = true;
            self.no_comma("ORDER BY")?;
        }
        if any { Ok(()) } else { Err(self.unexpected("a variable or an expression after `ORDER BY`")) }
    }

    fn no_comma(&self, clause: &str) -> Walked {
        if self.is(",") {
            return Err(self
                .fault_here(format!("a comma cannot stand between the parts of {clause}"))
                .hint("separate them by spaces"));
        }
        Ok(())
    }

    /// `LIMIT n` or `OFFSET n`
    fn count(&mut self, word: &str) -> Walked {
        self.advance();
        if self.is("-") {
            return Err(self.fault_here(format!("{word} cannot be negative")));
        }
        if self.kind() != Some(TokenKind::Integer) {
            return Err(self.unexpected(&format!("a whole number after `{word}`")));
        }
        if self.here().parse::<usize>().is_err() {
            return Err(self.fault_here(format!("the number after `{word}` is too large")));
        }
        self.advance();
        if self.is(",") {
            return Err(self.fault_here(format!("{word} takes one number")).hint("write `LIMIT n OFFSET m`"));
        }
        Ok(())
    }

    /// Checks that nothing follows the query.
    fn nothing_more(&mut self) -> Walked {
        if self.peek().is_none() { Ok(()) } else { Err(self.after_pattern()) }
    }

    /// The fault of a token that cannot follow a pattern and its modifiers.
    fn after_pattern(&self) -> Fault {
        if self.is("}") && self.open.is_empty() {
            return self.fault_here("this `}` closes nothing").hint("remove it, or add a `{` before");
        }
        if self.is(";") {
            return self.fault_here("a query cannot end with `;`").hint("remove it");
        }
        if self.is(".") {
            return self.fault_here("a query cannot end with `.`").hint("remove it");
        }
        if self.kw("UNION") {
            return self
                .fault_here("`UNION` joins two groups inside the pattern")
                .hint("write `WHERE { { … } UNION { … } }`");
        }
        if self.kw_any(&["FILTER", "OPTIONAL", "BIND", "MINUS"]) {
            let word = self.here().to_uppercase();
            return self.fault_here(format!("`{word}` stands behind the pattern")).hint("move it before the last `}`");
        }
        if self.kw_any(FORMS) || self.kw_any(UPDATES) {
            return self.fault_here("a second query begins here").hint("run them one by one");
        }
        if matches!(self.kind(), Some(TokenKind::Variable | TokenKind::Iri | TokenKind::PrefixedName)) {
            if !self.open.is_empty() {
                return self
                    .fault_here("this stands behind the inner query, in its braces")
                    .hint("an inner query has braces of its own: `{ SELECT … }`");
            }
            return self
                .fault_here("this stands behind the pattern, whose `{` was closed before")
                .hint("a `}` may be one too many before");
        }
        let modifiers = ["GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES"];
        self.misspelt(&modifiers).unwrap_or_else(|| self.unexpected("`GROUP BY`, `ORDER BY`, `LIMIT` or the end"))
    }
}

fn clause(keyword: &str) -> String {
    match keyword {
        "GROUP" | "ORDER" => format!("{keyword} BY"),
        other => other.into(),
    }
}

fn shortened(written: &str) -> String {
    let one_line = written.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() > 40 { "…".into() } else { one_line }
}

/// The keyword that a word in a group may have meant.
pub(super) fn near_keyword(word: &str, keywords: &[&'static str]) -> Option<&'static str> {
    nearest(&word.to_uppercase(), keywords.iter().copied(), 1).first().copied()
}
