//! Walks updates.

use super::query::UPDATES;
use super::walk::Walk;
use crate::TokenKind;
use crate::fault::{Fault, Walked};

impl Walk<'_> {
    pub fn update_unit(&mut self) -> Walked {
        loop {
            if self.at > 0 && self.kw_any(&["PREFIX", "BASE"]) {
                return Err(self
                    .fault_here(format!("`{}` stands behind the first operation", self.here().to_uppercase()))
                    .hint("move it before all operations, with a prefix that means one thing in all of them"));
            }
            self.prologue()?;
            if self.peek().is_none() {
                return Ok(());
            }
            self.operation()?;
            if !self.eat(";") {
                break;
            }
        }
        if self.peek().is_none() {
            return Ok(());
        }
        if self.kw_any(UPDATES) {
            let word = self.here().to_uppercase();
            return Err(Fault::new(self.end(), format!("`;` is missing before `{word}`"))
                .hint("operations are separated by `;`"));
        }
        if self.is("}") {
            return Err(self.fault_here("this `}` closes nothing").hint("remove it, or add a `{` before"));
        }
        Err(self.unexpected("`;` or the end of the update"))
    }

    fn operation(&mut self) -> Walked {
        match self.here().to_uppercase().as_str() {
            "INSERT" | "DELETE" | "WITH" => self.modify(),
            "LOAD" => {
                self.advance();
                self.eat_kw("SILENT");
                self.iri("the address of a document")?;
                if self.eat_kw("INTO") {
                    self.expect_kw("GRAPH")?;
                    self.iri("the name of a graph")?;
                }
                Ok(())
            }
            word @ ("CLEAR" | "DROP" | "CREATE") => {
                let create = word == "CREATE";
                self.advance();
                self.eat_kw("SILENT");
                if self.eat_kw("GRAPH") {
                    return self.iri("the name of a graph");
                }
                if !create && (self.eat_kw("DEFAULT") || self.eat_kw("NAMED") || self.eat_kw("ALL")) {
                    return Ok(());
                }
                let wanted =
                    if create { "`GRAPH` and a name" } else { "`GRAPH` and a name, `DEFAULT`, `NAMED` or `ALL`" };
                Err(self.misspelt(&["GRAPH", "DEFAULT", "NAMED", "ALL"]).unwrap_or_else(|| self.unexpected(wanted)))
            }
            "ADD" | "MOVE" | "COPY" => {
                self.advance();
                self.eat_kw("SILENT");
                self.graph_or_default()?;
                self.expect_kw("TO")?;
                self.graph_or_default()
            }
            _ => Err(self.no_form(UPDATES, "an update such as `INSERT DATA { … }`")),
        }
    }

    fn graph_or_default(&mut self) -> Walked {
        if self.eat_kw("DEFAULT") {
            return Ok(());
        }
        self.eat_kw("GRAPH");
        self.iri("the name of a graph")
    }

    fn modify(&mut self) -> Walked {
        if self.eat_kw("WITH") {
            self.iri("the name of a graph")?;
        }
        let mut clauses = 0;
        while self.kw("INSERT") || self.kw("DELETE") {
            let word = self.here().to_uppercase();
            self.advance();
            if self.eat_kw("DATA") {
                return self.quads(&format!("after `{word} DATA`"), Some(&word));
            }
            if word == "DELETE" && self.eat_kw("WHERE") {
                return self.quads("after `DELETE WHERE`", None);
            }
            if let Some(fault) = self.misspelt(&["DATA", "WHERE"]) {
                return Err(fault);
            }
            self.quads(&format!("after `{word}`"), None)?;
            clauses += 1;
        }
        if clauses == 0 {
            return Err(self.unexpected("`DELETE` or `INSERT` after `WITH`"));
        }
        while self.eat_kw("USING") {
            self.eat_kw("NAMED");
            self.iri("the name of a graph")?;
        }
        if !self.kw("WHERE") {
            if let Some(fault) = self.misspelt(&["WHERE", "USING"]) {
                return Err(fault);
            }
            return Err(Fault::new(self.end(), "`WHERE { … }` is missing")
                .hint("to add or remove fixed triples write `INSERT DATA { … }` or `DELETE DATA { … }`"));
        }
        self.advance();
        self.group("after `WHERE`")
    }

    /// `{ triples GRAPH name { triples } … }`. If only constant terms are allowed, `data` names the operation.
    fn quads(&mut self, purpose: &str, data: Option<&str>) -> Walked {
        let first = self.at;
        self.open("{", purpose)?;
        self.scopes.pattern_number += 1;
        while !self.is("}") && self.peek().is_some() {
            if self.eat_kw("GRAPH") {
                if self.kind() == Some(TokenKind::Variable) {
                    self.advance()
                } else {
                    self.iri("the name of a graph")?
                }
                self.triples_block("after the name of the graph")?;
                self.eat(".");
                continue;
            }
            if self.kw_any(&["FILTER", "OPTIONAL", "BIND", "VALUES", "MINUS", "UNION"]) {
                let word = self.here().to_uppercase();
                return Err(self.fault_here(format!("`{word}` can stand only in a WHERE pattern")));
            }
            self.triples(false)?;
            if !self.eat(".") {
                if self.kw("GRAPH") {
                    continue;
                }
                self.after_triples()?;
            }
        }
        self.close()?;
        // A template and the pattern after it may use the same labels.
        self.scopes.labels.clear();
        let tokens = &self.tokens[first..self.at];
        let Some(operation) = data else { return Ok(()) };
        if let Some(token) = tokens.iter().find(|t| t.kind == TokenKind::Variable) {
            return Err(Fault::new(token.span(), format!("`{operation} DATA` holds no variables"))
                .hint(format!("write `{operation} {{ … }} WHERE {{ … }}`")));
        }
        if operation == "DELETE"
            && let Some(token) = tokens.iter().find(|t| t.kind == TokenKind::BlankNode || t.is(self.text, "["))
        {
            return Err(Fault::new(token.span(), "`DELETE DATA` holds no blank nodes")
                .hint("find the node in a pattern: `DELETE { … } WHERE { … }`"));
        }
        Ok(())
    }
}
