//! Walks expressions: operators, calls and their arguments.

use super::query::near_keyword;
use super::walk::Walk;
use crate::TokenKind;
use crate::fault::{Fault, Walked};
use crate::text::nearest;
use crate::words::{AGGREGATES, FUNCTIONS};

impl Walk<'_> {
    pub fn expression(&mut self) -> Walked {
        loop {
            self.prefix_operators()?;
            self.operand()?;
            if self.kw("IN") || (self.kw("NOT") && self.kw_at(1, "IN")) {
                self.eat_kw("NOT");
                self.advance();
                self.arguments("IN")?;
            }
            let Some(operator) = self.operator() else { return Ok(()) };
            self.advance();
            self.after_operator(operator)?;
        }
    }

    /// `!` may be repeated. A sign may not, except before a number that has its own sign.
    fn prefix_operators(&mut self) -> Walked {
        while self.eat("!") {}
        let mut signs = 0;
        while self.is_any(&["-", "+"]) {
            signs += 1;
            let number = self
                .peek_at(1)
                .is_some_and(|t| matches!(t.kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Double));
            if signs > 2 || (signs == 2 && !number) {
                return Err(self
                    .fault_here("two signs stand in a row")
                    .hint("put the inner one in parentheses: `-(-?x)`"));
            }
            self.advance();
        }
        Ok(())
    }

    fn operator(&self) -> Option<&'static str> {
        const OPERATORS: &[&str] = &["||", "&&", "=", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/"];
        OPERATORS.iter().find(|o| self.is(o)).copied()
    }

    /// Two adjacent operators are often an operator of another language.
    fn after_operator(&self, operator: &str) -> Walked {
        let adjacent = self.peek().zip(self.previous()).is_some_and(|(here, before)| here.start == before.end);
        if !adjacent {
            return Ok(());
        }
        let meant = match (operator, self.here()) {
            ("=", "=") => ("==", "="),
            ("!=", "=") => ("!==", "!="),
            ("=", ">") => ("=>", ">="),
            ("=", "<") => ("=<", "<="),
            ("/", "/") => {
                return Err(self.fault_here("`//` does not start a comment").hint("a comment begins with `#`"));
            }
            _ => return Ok(()),
        };
        Err(self.fault_here(format!("`{}` is no operator", meant.0)).hint(format!("did you mean `{}`?", meant.1)))
    }

    /// The fault of a token where an operator or the end of the expression should be.
    pub fn operator_fault(&self, expected: &str) -> Fault {
        if let Some(fault) = self.lexical_fault() {
            return fault;
        }
        let here = self.here();
        match here.to_uppercase().as_str() {
            "AND" => return self.fault_here("`AND` is no operator").hint("did you mean `&&`?"),
            "OR" => return self.fault_here("`OR` is no operator").hint("did you mean `||`?"),
            "|" => return self.fault_here("`|` is no operator between conditions").hint("did you mean `||`?"),
            "<>" => return self.fault_here("`<>` is no operator").hint("did you mean `!=`?"),
            "LIKE" => {
                return self
                    .fault_here("SPARQL has no `LIKE`")
                    .hint("use `CONTAINS(?x, \"…\")` or `REGEX(?x, \"…\", \"i\")`");
            }
            "IS" => return self.fault_here("SPARQL has no `IS`").hint("use `BOUND(?x)` or `!BOUND(?x)`"),
            "BETWEEN" => return self.fault_here("SPARQL has no `BETWEEN`").hint("write `?x >= 1 && ?x <= 9`"),
            "MOD" => return self.fault_here("SPARQL has no `MOD`"),
            "NOT" => {
                return self.fault_here("`NOT` stands before `IN` or `EXISTS`").hint("negate a condition with `!`");
            }
            ":=" => return self.fault_here("`:=` is no operator").hint("write `BIND(expression AS ?name)`"),
            _ => {}
        }
        if self.peek().is_some_and(|t| t.kind == TokenKind::PrefixedName && here.starts_with(':')) && self.is_at(1, "=")
        {
            return self.fault_here("`:=` is no operator").hint("write `BIND(expression AS ?name)`");
        }
        if let Some(near) = (self.kind() == Some(TokenKind::Word)).then(|| near_keyword(here, &["AS", "IN"])).flatten()
        {
            return self.fault_here(format!("unknown keyword `{here}`")).hint(format!("did you mean `{near}`?"));
        }
        if self.begins_term() || self.begins_call() {
            let before = self.previous().map_or("", |t| self.words(t));
            return self.fault_here(format!("an operator is missing between `{before}` and `{here}`"));
        }
        self.unexpected(&format!("an operator or {expected}"))
    }

    /// The `)` after an expression.
    pub fn close_expression(&mut self) -> Walked {
        if self.is(")") || self.peek().is_none() || self.is_any(&["}", "]", ".", ";"]) {
            return self.close();
        }
        Err(self.operator_fault("`)`"))
    }

    /// Whether a function call begins here.
    pub fn begins_call(&self) -> bool {
        match self.kind() {
            Some(TokenKind::Keyword) => {
                let upper = self.here().to_uppercase();
                AGGREGATES.contains(&upper.as_str()) || FUNCTIONS.iter().any(|(f, _)| f.eq_ignore_ascii_case(&upper))
            }
            Some(TokenKind::PrefixedName | TokenKind::Iri) => self.is_at(1, "("),
            Some(TokenKind::Word) => self.is_at(1, "("),
            _ => false,
        }
    }

    fn operand(&mut self) -> Walked {
        if self.is_any(&[")", "]", "}", ".", ";", ","]) || self.peek().is_none() {
            if self.peek().is_none() && !self.open.is_empty() {
                return Err(self.unexpected(""));
            }
            let message = match self.previous().map(|t| self.words(t)) {
                Some("(") => "an expression is missing here".to_owned(),
                Some(before) => format!("a value is missing after `{before}`"),
                None => "a value is missing".to_owned(),
            };
            return Err(self.fault_here(message));
        }
        self.expression_primary()
    }

    /// A value, a call, or an expression in parentheses.
    pub fn expression_primary(&mut self) -> Walked {
        if self.is("(") {
            self.open("(", "")?;
            self.expression()?;
            return self.close_expression();
        }
        match self.kind() {
            Some(TokenKind::Variable) => {
                let token = self.peek();
                if let Some((name, token)) = token.and_then(|t| t.variable(self.text).map(|name| (name, t))) {
                    self.scopes.note(name, token.span());
                }
                self.advance();
                Ok(())
            }
            Some(TokenKind::Keyword) => self.keyword_call(),
            Some(TokenKind::Word) => Err(self.word_in_expression()),
            Some(TokenKind::PrefixedName | TokenKind::Iri) => {
                self.iri("a function or an IRI")?;
                if self.is("(") {
                    self.arguments("a function")?;
                }
                Ok(())
            }
            _ if self.is("{") => {
                Err(self.fault_here("a pattern in an expression needs `EXISTS`").hint("write `EXISTS { … }`"))
            }
            _ => self.term("a value"),
        }
    }

    fn word_in_expression(&self) -> Fault {
        if let Some(fault) = self.lexical_fault() {
            return fault;
        }
        let word = self.here();
        if self.is_at(1, "(") {
            let names = FUNCTIONS.iter().map(|(f, _)| *f).chain(AGGREGATES.iter().copied());
            let fault = self.fault_here(format!("unknown function `{word}`"));
            let foreign = match word.to_uppercase().as_str() {
                "LENGTH" | "LEN" => Some("STRLEN"),
                "SUBSTRING" => Some("SUBSTR"),
                "UPPER" | "TOUPPER" => Some("UCASE"),
                "LOWER" | "TOLOWER" => Some("LCASE"),
                "IFNULL" | "NVL" => Some("COALESCE"),
                "CEILING" => Some("CEIL"),
                "STARTSWITH" => Some("STRSTARTS"),
                "ENDSWITH" => Some("STRENDS"),
                "GROUPCONCAT" | "STRING_AGG" => Some("GROUP_CONCAT"),
                "AVERAGE" | "MEAN" => Some("AVG"),
                "MATCH" | "MATCHES" => Some("REGEX"),
                _ => nearest(word, names, 1).first().copied(),
            };
            return match foreign {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("the name of a custom function is an IRI or a prefixed name"),
            };
        }
        match word.to_uppercase().as_str() {
            "NULL" => self.fault_here("SPARQL has no NULL").hint("test with `BOUND(?x)` or `!BOUND(?x)`"),
            "NOTIN" => self.fault_here("unknown word `NOTIN`").hint("write `NOT IN`"),
            _ => match self.misspelt(&["EXISTS", "DISTINCT", "TRUE", "FALSE"]) {
                Some(fault) => fault,
                None => self
                    .fault_here(format!("the bare word `{word}` is no value"))
                    .hint(format!("a variable is `?{word}`, a text `\"{word}\"`")),
            },
        }
    }

    fn keyword_call(&mut self) -> Walked {
        let word = self.here().to_uppercase();
        match word.as_str() {
            "TRUE" | "FALSE" => return self.term("a value"),
            "EXISTS" => {
                self.advance();
                return self.group("after `EXISTS`");
            }
            "NOT" => {
                self.advance();
                if self.kw("EXISTS") {
                    self.advance();
                    return self.group("after `EXISTS`");
                }
                if let Some(fault) = self.misspelt(&["EXISTS"]) {
                    return Err(fault);
                }
                return Err(Fault::new(
                    self.previous().map_or(0..0, |t| t.span()),
                    "`NOT` stands before `IN` or `EXISTS`",
                )
                .hint("negate a condition with `!`"));
            }
            _ => {}
        }
        if AGGREGATES.contains(&word.as_str()) {
            return self.aggregate(&word);
        }
        let Some((_, signature)) = FUNCTIONS.iter().find(|(f, _)| f.eq_ignore_ascii_case(&word)) else {
            return Err(match word.as_str() {
                "A" => self.word_in_expression(),
                "AS" => self.fault_here("an expression is missing before `AS`"),
                _ => self.unexpected("a value"),
            });
        };
        let span = self.span_here();
        self.advance();
        if !self.is("(") {
            return Err(Fault::new(self.end(), format!("`(` is missing after `{word}`"))
                .hint(format!("write `{word}({signature})`")));
        }
        let count = self.arguments(&word)?;
        let most = if signature.is_empty() { 0 } else { signature.split(", ").count() };
        let least = if signature.contains('…') {
            0
        } else {
            signature.split(", ").filter(|a| !a.is_empty() && (!a.ends_with('?'))).count()
        };
        if count < least || (count > most && !signature.contains('…')) {
            return Err(Fault::new(span, format!("`{word}` cannot take {}", arguments(count)))
                .hint(format!("write `{word}({signature})`")));
        }
        Ok(())
    }

    fn aggregate(&mut self, word: &str) -> Walked {
        self.advance();
        self.scopes.select().aggregates = true;
        if !self.is("(") {
            return Err(
                Fault::new(self.end(), format!("`(` is missing after `{word}`")).hint(format!("write `{word}(?x)`"))
            );
        }
        self.open("(", "")?;
        self.scopes.aggregate_depth += 1;
        self.eat_kw("DISTINCT");
        if self.is("*") {
            if word != "COUNT" {
                return Err(self
                    .fault_here(format!("`{word}(*)` cannot be computed"))
                    .hint(format!("name what to take: `{word}(?x)`")));
            }
            self.advance();
        } else {
            if self.kind() == Some(TokenKind::Word)
                && let Some(fault) = self.misspelt(&["DISTINCT"])
            {
                return Err(fault);
            }
            self.expression()?;
        }
        if self.is(",") {
            return Err(self.fault_here(format!("`{word}` takes one expression")).hint(match word {
                "GROUP_CONCAT" => "write `GROUP_CONCAT(?x; SEPARATOR=\", \")`".to_owned(),
                _ => "count pairs over an inner `SELECT DISTINCT ?a ?b`".to_owned(),
            }));
        }
        if self.is(";") {
            if word != "GROUP_CONCAT" {
                return Err(self.fault_here(format!("`{word}` has no options")));
            }
            self.advance();
            self.expect_kw("SEPARATOR")?;
            if !self.eat("=") {
                return Err(self.unexpected("`=` after `SEPARATOR`"));
            }
            self.literal("a text after `SEPARATOR =`")?;
        }
        self.scopes.aggregate_depth -= 1;
        self.close_expression()
    }

    /// Reads `(a, b, …)`, and returns the number of arguments.
    fn arguments(&mut self, of: &str) -> Walked<usize> {
        self.open("(", &format!("after `{of}`"))?;
        let mut count = 0;
        if self.is(")") {
            self.close()?;
            return Ok(0);
        }
        self.eat_kw("DISTINCT");
        loop {
            self.expression()?;
            count += 1;
            if !self.is(",") {
                break;
            }
            self.advance();
        }
        self.close_expression()?;
        Ok(count)
    }

    /// The conditions of HAVING.
    pub fn constraints(&mut self, clause: &str) -> Walked {
        let mut any = false;
        while self.is("(") || self.begins_call() {
            self.expression_primary()?;
            any = true;
        }
        if any {
            if let Some(operator) = self.operator() {
                return Err(self
                    .fault_here(format!("`{operator}` stands outside the parentheses of {clause}"))
                    .hint(format!("write `{clause} (… {operator} …)`")));
            }
            return Ok(());
        }
        if self.begins_term() {
            return Err(self
                .fault_here(format!("`(` is missing after `{clause}`"))
                .hint(format!("write `{clause} (condition)`")));
        }
        Err(self.unexpected(&format!("a condition in parentheses after `{clause}`")))
    }
}

fn arguments(count: usize) -> String {
    match count {
        0 => "no argument".into(),
        1 => "1 argument".into(),
        n => format!("{n} arguments"),
    }
}
