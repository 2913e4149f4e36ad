//! Literals that are not what their datatype says.

use super::finding::Finding;
use super::report::Report;
use super::subject::{Subject, triple_of};
use super::{Check, Explanation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use kgq_syntax::rdf::literal::is_well_formed;

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
    for file in &subject.files {
        for quad in subject.quads_in(file) {
            if let Term::Literal(literal) = &quad.object
                && !is_well_formed(literal)
            {
                let datatype = subject.prefixes.display(literal.datatype().as_str());
                let message = format!("\"{}\" is no {datatype}", literal.value());
                let place = subject.place_in(file, &triple_of(quad));
                report.findings.push(Finding::error("ill-formed-literal", place, message).about_node(&quad.subject));
            }
        }
    }
    Ok(())
}
