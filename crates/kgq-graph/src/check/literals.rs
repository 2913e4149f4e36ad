//! Literals whose text is not valid for their datatype.

use super::finding::Finding;
use super::report::Report;
use super::subject::Subject;
use super::{Check, Explanation};
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::literal::is_well_formed;
use kgq_syntax::rdf::{Term, Triple};
use rustc_hash::FxHashSet;

pub const CHECK: Check = Check {
    codes: &[Explanation {
        code: "ill-formed-literal",
        finds: "a literal of an XML Schema datatype whose text is not in it, such as \"2025-02-30\"^^xsd:date",
        why: "it has no value: it compares with nothing, sorts last and is left out of sums, without a word",
        mend: "correct the text, or take the datatype that it is of",
    }],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let literals = subject.snapshot().kind_range(TermKind::Literal).map(TermId::new);
    let is_ill = |id: &TermId| matches!(subject.term(*id), Term::Literal(literal) if !is_well_formed(&literal));
    let ill: FxHashSet<TermId> = literals.filter(is_ill).collect();
    for (file, statement) in subject.each().filter(|(_, [_, _, object, _])| ill.contains(object)) {
        let Some(Triple { subject: node, object: Term::Literal(literal), .. }) = subject.triple(statement) else {
            continue;
        };
        let datatype = subject.prefixes.display(literal.datatype().as_str());
        let message = format!("\"{}\" is no {datatype}", literal.value());
        let place = subject.place_in(file, statement);
        report.findings.push(Finding::error("ill-formed-literal", place, message).about_node(&node));
    }
    Ok(())
}
