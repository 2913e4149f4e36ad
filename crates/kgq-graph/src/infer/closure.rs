//! The least set of triples that contains the stated ones and is closed under the rules, by forward chaining: each
//! triple is joined once, as every premise that it matches, with the triples known when its turn comes.

use super::rules::{REFLEXIVE, Rule, Slot, TOP, VARIABLES};
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, Term};
use rustc_hash::{FxHashMap, FxHashSet};

/// Subject, predicate and object: ids of the snapshot, followed by ids for those IRIs of the rules that it does not
/// have.
type Ids = [TermId; 3];

/// A position in a premise or a conclusion, with IRIs replaced by ids.
#[derive(Clone, Copy)]
enum Place {
    Variable(usize),
    Term(TermId),
}

struct CompiledRule {
    premises: Vec<[Place; 3]>,
    link: Option<usize>,
    chains: bool,
    conclusion: [Place; 3],
}

/// The values of a rule's variables so far.
type Binding = [Option<TermId>; VARIABLES];

/// The pairs concluded for one property.
#[derive(Default)]
struct Relation {
    all: Pairs,
    /// Pairs that were not concluded by a chain rule.
    links: Pairs,
}

#[derive(Default)]
struct Pairs {
    pairs: Vec<(TermId, TermId)>,
    objects: FxHashMap<TermId, Vec<TermId>>,
    subjects: FxHashMap<TermId, Vec<TermId>>,
}

impl Pairs {
    fn push(&mut self, subject: TermId, object: TermId) {
        self.pairs.push((subject, object));
        self.objects.entry(subject).or_default().push(object);
        self.subjects.entry(object).or_default().push(subject);
    }
}

/// Stated triples are read from the snapshot; only concluded ones are held here.
pub struct Closure<'a> {
    steps: &'a Steps,
    held: Reservation,
    stated: &'a Snapshot,
    rules: Vec<CompiledRule>,
    /// The IRIs of the rules that the snapshot lacks.
    others: Vec<NamedNode>,
    triples: FxHashSet<Ids>,
    /// Triples that a chain rule concluded.
    chained: FxHashSet<Ids>,
    relations: FxHashMap<TermId, Relation>,
    /// The concluded triples, in the order of conclusion.
    known: Vec<Ids>,
    /// The rule of each concluded triple.
    by: Vec<usize>,
    top: Vec<TermId>,
    reflexive: Vec<TermId>,
}

impl<'a> Closure<'a> {
    /// Estimated bytes held for a concluded triple: its place in the order, and its entries in three tables.
    const BYTES_OF_A_TRIPLE: u64 = 140;
    /// Memory is accounted for once per this many triples.
    const COUNTED_AT_ONCE: usize = 1 << 10;

    pub fn new(stated: &'a Snapshot, rules: &[Rule], steps: &'a Steps) -> Self {
        let mut others: Vec<NamedNode> = Vec::new();
        let mut iri = |iri: &'static str| {
            let node = NamedNodeRef::new_unchecked(iri);
            stated.id(node.into()).unwrap_or_else(|| {
                let known = others.iter().position(|other| other.as_ref() == node);
                let number = known.unwrap_or_else(|| {
                    others.push(node.into_owned());
                    others.len() - 1
                });
                TermId::new(stated.term_count().saturating_add(number as u32))
            })
        };
        let (top, reflexive) = (TOP.iter().map(|i| iri(i)).collect(), REFLEXIVE.iter().map(|i| iri(i)).collect());
        let mut place = |slot: &Slot| match slot {
            Slot::Variable(number) => Place::Variable(*number),
            Slot::Iri(text) => Place::Term(iri(text)),
        };
        let mut places = |[s, p, o]: &[Slot; 3]| [place(s), place(p), place(o)];
        let compiled = rules.iter().map(|rule| CompiledRule {
            premises: rule.premises.iter().map(&mut places).collect(),
            link: rule.link,
            chains: rule.chains,
            conclusion: places(&rule.conclusion),
        });
        let rules = compiled.collect();
        Self {
            steps,
            held: Reservation::default(),
            stated,
            rules,
            others,
            triples: FxHashSet::default(),
            chained: FxHashSet::default(),
            relations: FxHashMap::default(),
            known: Vec::new(),
            by: Vec::new(),
            top,
            reflexive,
        }
    }

    fn keep(&mut self, triple: Ids, chained: bool) -> Result<()> {
        if self.known.len().is_multiple_of(Self::COUNTED_AT_ONCE) {
            self.held.grow(self.steps.budget(), Self::COUNTED_AT_ONCE as u64 * Self::BYTES_OF_A_TRIPLE)?;
        }
        let [subject, predicate, object] = triple;
        let relation = self.relations.entry(predicate).or_default();
        relation.all.push(subject, object);
        if chained {
            self.chained.insert(triple);
        } else {
            relation.links.push(subject, object);
        }
        self.known.push(triple);
        Ok(())
    }

    /// Draws conclusions until nothing new follows; returns `false` if there would be more than `most`.
    ///
    /// # Errors
    /// Those of the budget; damage to the snapshot.
    pub fn close(&mut self, most: u64) -> Result<bool> {
        let stated = self.stated;
        let order = stated.file_order(self.steps.budget())?;
        for [subject, predicate, object, _] in stated.in_file_order(&order) {
            self.steps.take()?;
            if !self.conclude([subject, predicate, object], most)? {
                return Ok(false);
            }
        }
        stated.intact()?;
        let mut next = 0;
        while let Some(triple) = self.known.get(next) {
            if !self.conclude(*triple, most)? {
                return Ok(false);
            }
            next += 1;
        }
        stated.intact()?;
        Ok(true)
    }

    /// Draws all conclusions from a triple and the known ones; returns `false` if there would be more than `most`.
    fn conclude(&mut self, triple: Ids, most: u64) -> Result<bool> {
        let mut conclusions: Vec<(Ids, usize)> = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            self.apply(rule, triple, &mut |conclusion| conclusions.push((conclusion, number)))?;
        }
        for (conclusion, rule) in conclusions {
            self.steps.take()?;
            let is_new = self.is_triple(conclusion) && self.tells_something(conclusion) && !self.holds(conclusion);
            if is_new {
                if self.by.len() as u64 >= most {
                    return Ok(false);
                }
                self.triples.insert(conclusion);
                self.keep(conclusion, self.rules[rule].chains)?;
                self.by.push(rule);
            }
        }
        Ok(true)
    }

    /// Returns the concluded triples, each with the number of the rule that concluded it first.
    pub fn concluded(&self) -> impl Iterator<Item = ([Term; 3], usize)> {
        self.known.iter().zip(&self.by).map(|(ids, rule)| (ids.map(|id| self.term(id)), *rule))
    }

    fn term(&self, id: TermId) -> Term {
        let other = id.get().checked_sub(self.stated.term_count()).and_then(|number| self.others.get(number as usize));
        other.map_or_else(|| self.stated.term(id), |node| node.clone().into())
    }

    fn kind(&self, id: TermId) -> TermKind {
        if id.get() < self.stated.term_count() { self.stated.kind(id) } else { TermKind::Iri }
    }

    /// Whether a triple is stated, or was concluded.
    fn holds(&self, triple: Ids) -> bool {
        self.stated.has(triple.map(Some)) || self.triples.contains(&triple)
    }

    /// Whether the terms are in valid positions: a literal cannot be a subject, and only IRIs can be predicates.
    fn is_triple(&self, [subject, predicate, _]: Ids) -> bool {
        matches!(self.kind(subject), TermKind::Iri | TermKind::BlankNode) && self.kind(predicate) == TermKind::Iri
    }

    fn tells_something(&self, [subject, predicate, object]: Ids) -> bool {
        let of_all = self.top.contains(&object) || self.top.contains(&predicate);
        let of_itself = subject == object && self.reflexive.contains(&predicate);
        !of_all && !of_itself
    }

    /// Passes on what follows by one rule with this triple as one of its premises.
    fn apply(&self, rule: &CompiledRule, triple: Ids, give: &mut dyn FnMut(Ids)) -> Result<()> {
        for (number, premise) in rule.premises.iter().enumerate() {
            if rule.link == Some(number) && self.chained.contains(&triple) {
                continue;
            }
            if let Some(binding) = unify(premise, triple, [None; VARIABLES]) {
                self.join(rule, number, 0, binding, give)?;
            }
        }
        Ok(())
    }

    /// Joins the premises from `next` on, except for the one that the triple matches already.
    fn join(
        &self,
        rule: &CompiledRule,
        taken: usize,
        next: usize,
        binding: Binding,
        give: &mut dyn FnMut(Ids),
    ) -> Result<()> {
        self.steps.take()?;
        let Some(premise) = rule.premises.get(next) else {
            if let [Some(subject), Some(predicate), Some(object)] = rule.conclusion.map(|place| value(place, &binding))
            {
                give([subject, predicate, object]);
            }
            return Ok(());
        };
        if next == taken {
            return self.join(rule, taken, next + 1, binding, give);
        }
        let [subject, Some(predicate), object] = premise.map(|place| value(place, &binding)) else { return Ok(()) };
        let mut go_on = |triple: Ids| match unify(premise, triple, binding) {
            Some(binding) => self.join(rule, taken, next + 1, binding, give),
            None => Ok(()),
        };
        let links = rule.link == Some(next);
        if let (Some(subject), Some(object)) = (subject, object) {
            let triple = [subject, predicate, object];
            return if self.holds(triple) && !(links && self.chained.contains(&triple)) {
                go_on(triple)
            } else {
                Ok(())
            };
        }
        for [s, p, o, _] in self.stated.find_ids([subject, Some(predicate), object]) {
            go_on([s, p, o])?;
        }
        let Some(relation) = self.relations.get(&predicate) else { return Ok(()) };
        let relation = if links { &relation.links } else { &relation.all };
        match (subject, object) {
            (Some(s), _) => relation.objects.get(&s).into_iter().flatten().try_for_each(|o| go_on([s, predicate, *o])),
            (_, Some(o)) => relation.subjects.get(&o).into_iter().flatten().try_for_each(|s| go_on([*s, predicate, o])),
            (None, None) => relation.pairs.iter().try_for_each(|(s, o)| go_on([*s, predicate, *o])),
        }
    }
}

fn value(place: Place, binding: &Binding) -> Option<TermId> {
    match place {
        Place::Variable(number) => binding[number],
        Place::Term(term) => Some(term),
    }
}

/// The binding for which a premise is this triple.
fn unify(premise: &[Place; 3], triple: Ids, mut binding: Binding) -> Option<Binding> {
    for (place, term) in premise.iter().zip(triple) {
        match place {
            Place::Term(own) if *own != term => return None,
            Place::Term(_) => {}
            Place::Variable(number) => match binding[*number] {
                Some(bound) if bound != term => return None,
                Some(_) => {}
                None => binding[*number] = Some(term),
            },
        }
    }
    Some(binding)
}
