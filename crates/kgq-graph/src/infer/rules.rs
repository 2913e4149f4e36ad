//! The rules, named as in RDF 1.1 Semantics §9.2.1 (RDFS) and OWL 2 Profiles §4.3 (OWL 2 RL). To add a rule, add a line
//! to a table.

use crate::project::Entailment;

/// One of the three positions of a premise or a conclusion.
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    /// The same term wherever this number occurs in a rule.
    Variable(usize),
    Iri(&'static str),
}

/// The most variables that a rule can have.
pub const VARIABLES: usize = 5;

const A: Slot = Slot::Variable(0);
const B: Slot = Slot::Variable(1);
const X: Slot = Slot::Variable(2);
const Y: Slot = Slot::Variable(3);
const Z: Slot = Slot::Variable(4);

const TYPE: Slot = Slot::Iri("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");
const DOMAIN: Slot = Slot::Iri("http://www.w3.org/2000/01/rdf-schema#domain");
const RANGE: Slot = Slot::Iri("http://www.w3.org/2000/01/rdf-schema#range");
const SUB_CLASS_OF: Slot = Slot::Iri("http://www.w3.org/2000/01/rdf-schema#subClassOf");
const SUB_PROPERTY_OF: Slot = Slot::Iri("http://www.w3.org/2000/01/rdf-schema#subPropertyOf");
const INVERSE_OF: Slot = Slot::Iri("http://www.w3.org/2002/07/owl#inverseOf");
const SYMMETRIC: Slot = Slot::Iri("http://www.w3.org/2002/07/owl#SymmetricProperty");
const TRANSITIVE: Slot = Slot::Iri("http://www.w3.org/2002/07/owl#TransitiveProperty");
const EQUIVALENT_CLASS: Slot = Slot::Iri("http://www.w3.org/2002/07/owl#equivalentClass");
const EQUIVALENT_PROPERTY: Slot = Slot::Iri("http://www.w3.org/2002/07/owl#equivalentProperty");

/// Classes and properties that hold of everything: that a thing belongs to one, or is below it, is no information.
pub const TOP: &[&str] = &[
    "http://www.w3.org/2000/01/rdf-schema#Resource",
    "http://www.w3.org/2002/07/owl#Thing",
    "http://www.w3.org/2002/07/owl#topObjectProperty",
    "http://www.w3.org/2002/07/owl#topDataProperty",
];

/// Relations in which everything stands to itself.
pub const REFLEXIVE: &[&str] = &[
    "http://www.w3.org/2000/01/rdf-schema#subClassOf",
    "http://www.w3.org/2000/01/rdf-schema#subPropertyOf",
    "http://www.w3.org/2002/07/owl#equivalentClass",
    "http://www.w3.org/2002/07/owl#equivalentProperty",
];

/// If the premises hold, so does the conclusion.
///
/// A variable that is a premise's predicate also occurs in another premise. So whichever premise is matched last, the
/// others can be looked up by predicate.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub name: &'static str,
    pub premises: &'static [[Slot; 3]],
    /// The premise that need not match triples concluded by a chain rule, because the links of the chain match it too.
    /// Otherwise each member of a long chain would be joined with each pair of others.
    pub link: Option<usize>,
    /// Whether this is a chain rule: its conclusion says in one step what its links say in several.
    pub chains: bool,
    pub conclusion: [Slot; 3],
}

const RDFS: &[Rule] = &[
    Rule { name: "rdfs2", premises: &[[A, DOMAIN, B], [X, A, Y]], link: None, chains: false, conclusion: [X, TYPE, B] },
    Rule { name: "rdfs3", premises: &[[A, RANGE, B], [X, A, Y]], link: None, chains: false, conclusion: [Y, TYPE, B] },
    Rule {
        name: "rdfs5",
        premises: &[[X, SUB_PROPERTY_OF, Y], [Y, SUB_PROPERTY_OF, Z]],
        link: Some(1),
        chains: true,
        conclusion: [X, SUB_PROPERTY_OF, Z],
    },
    Rule {
        name: "rdfs7",
        premises: &[[A, SUB_PROPERTY_OF, B], [X, A, Y]],
        link: Some(0),
        chains: false,
        conclusion: [X, B, Y],
    },
    Rule {
        name: "rdfs9",
        premises: &[[A, SUB_CLASS_OF, B], [X, TYPE, A]],
        link: Some(0),
        chains: false,
        conclusion: [X, TYPE, B],
    },
    Rule {
        name: "rdfs11",
        premises: &[[X, SUB_CLASS_OF, Y], [Y, SUB_CLASS_OF, Z]],
        link: Some(1),
        chains: true,
        conclusion: [X, SUB_CLASS_OF, Z],
    },
];

const PLUS: &[Rule] = &[
    Rule {
        name: "prp-inv1",
        premises: &[[A, INVERSE_OF, B], [X, A, Y]],
        link: None,
        chains: false,
        conclusion: [Y, B, X],
    },
    Rule {
        name: "prp-inv2",
        premises: &[[A, INVERSE_OF, B], [X, B, Y]],
        link: None,
        chains: false,
        conclusion: [Y, A, X],
    },
    Rule {
        name: "prp-symp",
        premises: &[[A, TYPE, SYMMETRIC], [X, A, Y]],
        link: None,
        chains: false,
        conclusion: [Y, A, X],
    },
    Rule {
        name: "prp-trp",
        premises: &[[A, TYPE, TRANSITIVE], [X, A, Y], [Y, A, Z]],
        link: Some(2),
        chains: true,
        conclusion: [X, A, Z],
    },
    // Together with rdfs9 and rdfs7, this yields the members of equivalent classes and the uses of equivalent
    // properties.
    Rule {
        name: "scm-eqc1",
        premises: &[[A, EQUIVALENT_CLASS, B]],
        link: None,
        chains: false,
        conclusion: [A, SUB_CLASS_OF, B],
    },
    Rule {
        name: "scm-eqc1",
        premises: &[[A, EQUIVALENT_CLASS, B]],
        link: None,
        chains: false,
        conclusion: [B, SUB_CLASS_OF, A],
    },
    Rule {
        name: "scm-eqp1",
        premises: &[[A, EQUIVALENT_PROPERTY, B]],
        link: None,
        chains: false,
        conclusion: [A, SUB_PROPERTY_OF, B],
    },
    Rule {
        name: "scm-eqp1",
        premises: &[[A, EQUIVALENT_PROPERTY, B]],
        link: None,
        chains: false,
        conclusion: [B, SUB_PROPERTY_OF, A],
    },
];

/// The rules of an entailment.
pub fn of(entailment: Entailment) -> Vec<Rule> {
    match entailment {
        Entailment::None => Vec::new(),
        Entailment::Rdfs => RDFS.to_vec(),
        Entailment::RdfsPlus => [RDFS, PLUS].concat(),
    }
}
