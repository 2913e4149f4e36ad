//! A long document for the tests of places.

use kgq_snapshot::store::Input;
use kgq_syntax::rdf::{Quad, RdfFormat};
use std::fmt::Write as _;

/// Blocks of many kinds; in TriG, some stand in graphs, one of which is as large as the rest.
pub fn text(format: RdfFormat) -> String {
    let mut text = String::from("@prefix : <http://e/> .\n");
    let statement = |n: usize| match n % 5 {
        0 => format!(":s{n} :p \"{n}\" ; # a comment. with a dot .\n   :q [ :r \"in {n}\" ] ,\n  ( {n} :x ) ."),
        1 => format!(":s{n} :p 1.5 , \"\"\"a text of {n}\n. \n\"\"\" ~ :r{n} {{| :from :c |}} . :t{n} :p {n} ."),
        2 => format!("[] :p {n} .  [ :q {n} ] :p 1 ."),
        3 => format!("<s{n}> a :C{n} ; :é \"é{n}\"@en ."),
        _ => format!("_:b{n} :p _:b{} .", n + 5),
    };
    for n in 0..6000 {
        let block = match (format, n % 7) {
            (RdfFormat::TriG, 3) => format!(":g{} {{ {} }}", n % 4, statement(n)),
            (_, 4) => format!("@prefix : <http://e/> .\n@prefix p{}: <http://e/p/> .\n{}", n % 3, statement(n)),
            _ => statement(n),
        };
        writeln!(text, "{block}").unwrap();
    }
    if format == RdfFormat::TriG {
        let inner: String = (6000..9000).map(|n| statement(n) + "\n").collect();
        write!(text, ":large {{\n{inner}}}\n:s :p :last .").unwrap();
    }
    text
}

pub fn read(input: &Input) -> Vec<Quad> {
    let dataset = kgq_snapshot::store::Dataset::read(std::slice::from_ref(input), Default::default()).unwrap();
    dataset.quads().to_vec()
}

/// The document in memory, with the base that its relative IRIs need.
pub fn input(format: RdfFormat) -> Input {
    Input::bytes("d.ttl", text(format).into_bytes(), format).with_base(Some("http://e/base/".into()))
}
