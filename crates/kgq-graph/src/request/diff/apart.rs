//! What one snapshot has and another may lack: the statements that are worth a comparison. What both have is never parsed.

use kgq_snapshot::{Ids, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Quad, Term, Triple};

/// Some statements, in the order of their files.
pub struct Apart {
    pub quads: Vec<Quad>,
    _held: Reservation,
}

/// About what one statement takes while it is compared, beside its ids.
const BYTES_OF_A_STATEMENT: u64 = size_of::<Quad>() as u64 + 400;

/// The statements of a snapshot that another has not, and all with blank nodes, whose names say nothing.
///
/// # Errors
/// The budget's.
pub fn apart(snapshot: &Snapshot, other: &Snapshot, budget: &Budget) -> Result<Apart> {
    let (steps, mut held) = (Steps::new(budget), Reservation::default());
    let mut terms = Terms::new(snapshot, other, budget)?;
    let mut found: Vec<Ids> = Vec::new();
    for statement in snapshot.find_ids([None; 3]) {
        steps.take()?;
        if !terms.has(statement) {
            held.grow(budget, BYTES_OF_A_STATEMENT)?;
            found.push(statement);
        }
    }
    snapshot.sort_by_origin(&mut found);
    Ok(Apart { quads: found.into_iter().filter_map(|ids| snapshot.statement(ids)).collect(), _held: held })
}

/// The ids that the terms of one snapshot have in another.
struct Terms<'a> {
    snapshot: &'a Snapshot,
    other: &'a Snapshot,
    /// By the id, what was looked up.
    known: Vec<Looked>,
    _held: Reservation,
}

#[derive(Clone, Copy)]
enum Looked {
    NotYet,
    /// The other has no such term, or it has a blank node within.
    Nothing,
    Found(TermId),
}

impl<'a> Terms<'a> {
    fn new(snapshot: &'a Snapshot, other: &'a Snapshot, budget: &Budget) -> Result<Self> {
        let terms = snapshot.term_count() as usize;
        let held = budget.reserve((terms * size_of::<Looked>()) as u64)?;
        Ok(Self { snapshot, other, known: vec![Looked::NotYet; terms], _held: held })
    }

    /// Whether the other has a statement of this snapshot.
    fn has(&mut self, [subject, predicate, object, graph]: Ids) -> bool {
        let triple = [subject, predicate, object].map(|id| self.there(id));
        let [Some(subject), Some(predicate), Some(object)] = triple else { return false };
        let graph = if graph.is_bound() { self.there(graph) } else { Some(graph) };
        graph.is_some_and(|graph| self.other.has_statement([subject, predicate, object, graph]))
    }

    fn there(&mut self, id: TermId) -> Option<TermId> {
        let looked = match self.known.get(id.index()).copied()? {
            Looked::NotYet => self.look(id).map_or(Looked::Nothing, Looked::Found),
            known => known,
        };
        self.known[id.index()] = looked;
        match looked {
            Looked::Found(id) => Some(id),
            Looked::NotYet | Looked::Nothing => None,
        }
    }

    fn look(&self, id: TermId) -> Option<TermId> {
        if self.snapshot.kind(id) == TermKind::BlankNode {
            return None;
        }
        let term = self.snapshot.term(id);
        if matches!(&term, Term::Triple(triple) if has_blank_node(triple)) {
            return None;
        }
        self.other.id(term.as_ref())
    }
}

fn has_blank_node(triple: &Triple) -> bool {
    triple.subject.is_blank_node()
        || match &triple.object {
            Term::BlankNode(_) => true,
            Term::Triple(inner) => has_blank_node(inner),
            Term::NamedNode(_) | Term::Literal(_) => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::store::{Dataset, Input, ReadOptions};
    use kgq_syntax::rdf::RdfFormat;

    fn snapshot(text: &str) -> Snapshot {
        let text = format!("PREFIX : <http://e/> {text}");
        let file = Input::bytes("g.trig", text.into_bytes(), RdfFormat::TriG);
        let dataset = Dataset::read(&[file], ReadOptions::default()).unwrap();
        Snapshot::from_dataset(&dataset, &Budget::default()).unwrap()
    }

    #[test]
    fn what_both_have_is_left_out_unless_it_has_a_blank_node() {
        let old = snapshot(":z :p 1 . :a :p 1 , 2 ; :q _:b , <<( :a :p _:b )>> , <<( :a :p 1 )>> . :g { :a :p 1 }");
        let new = snapshot(":a :p 1 , \"1\" ; :q _:b , <<( :a :p _:b )>> , <<( :a :p 1 )>> . :h { :a :p 1 }");
        let told = |these: &Snapshot, those: &Snapshot| -> Vec<String> {
            let apart = apart(these, those, &Budget::default()).unwrap();
            apart.quads.iter().map(|quad| quad.to_string().replace("http://e/", "")).collect()
        };
        let is_of_nodes = |line: &String| line.contains("_:");
        let integer = |n: u8| format!("\"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer>");
        let (mut old_only, mut new_only) = (told(&old, &new), told(&new, &old));
        assert_eq!(old_only.iter().filter(|line| is_of_nodes(line)).count(), 2);
        old_only.retain(|line| !is_of_nodes(line));
        new_only.retain(|line| !is_of_nodes(line));
        assert_eq!(
            old_only,
            [
                format!("<z> <p> {}", integer(1)),
                format!("<a> <p> {}", integer(2)),
                format!("<a> <p> {} <g>", integer(1))
            ]
        );
        assert_eq!(new_only, ["<a> <p> \"1\"".to_owned(), format!("<a> <p> {} <h>", integer(1))]);
    }
}
