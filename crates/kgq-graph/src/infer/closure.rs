//! The least set of triples that holds the stated ones and is closed under rules, by forward chaining: each triple is joined once, as
//! every premise that it fits, with what is known when its turn comes.

use super::rules::{REFLEXIVE, Rule, Slot, TOP, VARIABLES};
use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNodeRef, TermRef};
use rustc_hash::{FxHashMap, FxHashSet};

/// A term by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TermNumber(u32);

type Ids = [TermNumber; 3];

/// A place of a premise or a conclusion, with IRIs by their numbers.
#[derive(Clone, Copy)]
enum Place {
    Variable(usize),
    Term(TermNumber),
}

struct CompiledRule {
    premises: Vec<[Place; 3]>,
    link: Option<usize>,
    chains: bool,
    conclusion: [Place; 3],
}

/// What the variables of a rule stand for so far.
type Binding = [Option<TermNumber>; VARIABLES];

/// The pairs that a property links.
#[derive(Default)]
struct Relation {
    all: Pairs,
    /// Those that no chain concluded.
    links: Pairs,
}

#[derive(Default)]
struct Pairs {
    pairs: Vec<(TermNumber, TermNumber)>,
    objects: FxHashMap<TermNumber, Vec<TermNumber>>,
    subjects: FxHashMap<TermNumber, Vec<TermNumber>>,
}

impl Pairs {
    fn push(&mut self, subject: TermNumber, object: TermNumber) {
        self.pairs.push((subject, object));
        self.objects.entry(subject).or_default().push(object);
        self.subjects.entry(object).or_default().push(subject);
    }
}

pub struct Closure<'a> {
    steps: &'a Steps,
    held: Reservation,
    rules: Vec<CompiledRule>,
    terms: Vec<TermRef<'a>>,
    ids: FxHashMap<TermRef<'a>, TermNumber>,
    triples: FxHashSet<Ids>,
    /// Those of them that a chain concluded.
    chained: FxHashSet<Ids>,
    relations: FxHashMap<TermNumber, Relation>,
    /// Triples in the order in which they became known: first the stated ones, then the concluded.
    known: Vec<Ids>,
    stated: usize,
    /// The rule of each concluded triple.
    by: Vec<usize>,
    top: Vec<TermNumber>,
    reflexive: Vec<TermNumber>,
}

impl<'a> Closure<'a> {
    /// About what is held for a triple: its number in the order, its entries in three tables.
    const BYTES_OF_A_TRIPLE: u64 = 140;
    /// So many triples are counted at once.
    const COUNTED_AT_ONCE: usize = 1 << 10;

    pub fn new(rules: &[Rule], steps: &'a Steps) -> Self {
        let mut closure = Self {
            steps,
            held: Reservation::default(),
            rules: Vec::new(),
            terms: Vec::new(),
            ids: FxHashMap::default(),
            triples: FxHashSet::default(),
            chained: FxHashSet::default(),
            relations: FxHashMap::default(),
            known: Vec::new(),
            stated: 0,
            by: Vec::new(),
            top: Vec::new(),
            reflexive: Vec::new(),
        };
        let mut iri = |iri: &'static str| closure.id(NamedNodeRef::new_unchecked(iri).into());
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
        closure.rules = compiled.collect();
        (closure.top, closure.reflexive) = (top, reflexive);
        closure
    }

    fn id(&mut self, term: TermRef<'a>) -> TermNumber {
        let next = TermNumber(u32::try_from(self.terms.len()).expect("memory ends before four billion terms do"));
        *self.ids.entry(term).or_insert_with(|| {
            self.terms.push(term);
            next
        })
    }

    /// Adds a stated triple, before anything is concluded.
    ///
    /// # Errors
    /// The budget's.
    pub fn state(&mut self, triple: [TermRef<'a>; 3]) -> Result<()> {
        self.steps.take()?;
        let triple = triple.map(|term| self.id(term));
        if self.triples.insert(triple) {
            self.keep(triple, false)?;
            self.stated = self.known.len();
        }
        Ok(())
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

    /// Concludes until nothing new follows; `false` if more than `most` would.
    ///
    /// # Errors
    /// The budget's.
    pub fn close(&mut self, most: u64) -> Result<bool> {
        let mut next = 0;
        let mut conclusions: Vec<(Ids, usize)> = Vec::new();
        while let Some(triple) = self.known.get(next) {
            for (number, rule) in self.rules.iter().enumerate() {
                self.apply(rule, *triple, &mut |conclusion| conclusions.push((conclusion, number)))?;
            }
            next += 1;
            for (conclusion, rule) in conclusions.drain(..) {
                self.steps.take()?;
                if self.is_triple(conclusion) && self.tells_something(conclusion) && self.triples.insert(conclusion) {
                    if self.by.len() as u64 >= most {
                        return Ok(false);
                    }
                    self.keep(conclusion, self.rules[rule].chains)?;
                    self.by.push(rule);
                }
            }
        }
        Ok(true)
    }

    /// The concluded triples, each with the number of the rule that gave it first.
    pub fn concluded(&self) -> impl Iterator<Item = ([TermRef<'a>; 3], usize)> {
        let new = self.known.iter().skip(self.stated);
        new.zip(&self.by).map(|(ids, rule)| (ids.map(|id| self.terms[id.0 as usize]), *rule))
    }

    /// Whether these terms can stand where they do: a literal is no subject, and only IRIs are predicates.
    fn is_triple(&self, [subject, predicate, _]: Ids) -> bool {
        let term = |id: TermNumber| self.terms[id.0 as usize];
        matches!(term(subject), TermRef::NamedNode(_) | TermRef::BlankNode(_))
            && matches!(term(predicate), TermRef::NamedNode(_))
    }

    fn tells_something(&self, [subject, predicate, object]: Ids) -> bool {
        let of_all = self.top.contains(&object) || self.top.contains(&predicate);
        let of_itself = subject == object && self.reflexive.contains(&predicate);
        !of_all && !of_itself
    }

    /// Gives what follows by one rule where the triple is one of its premises.
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

    /// Joins the premises from `next` on, but for the one that the triple already is.
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
        if let (Some(subject), Some(object)) = (subject, object) {
            let triple = [subject, predicate, object];
            if self.triples.contains(&triple) && (rule.link != Some(next) || !self.chained.contains(&triple)) {
                go_on([subject, predicate, object])?;
            }
            return Ok(());
        }
        let Some(relation) = self.relations.get(&predicate) else { return Ok(()) };
        let relation = if rule.link == Some(next) { &relation.links } else { &relation.all };
        match (subject, object) {
            (Some(s), _) => relation.objects.get(&s).into_iter().flatten().try_for_each(|o| go_on([s, predicate, *o])),
            (_, Some(o)) => relation.subjects.get(&o).into_iter().flatten().try_for_each(|s| go_on([*s, predicate, o])),
            (None, None) => relation.pairs.iter().try_for_each(|(s, o)| go_on([*s, predicate, *o])),
        }
    }
}

fn value(place: Place, binding: &Binding) -> Option<TermNumber> {
    match place {
        Place::Variable(number) => binding[number],
        Place::Term(term) => Some(term),
    }
}

/// The binding with which a premise is this triple.
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
