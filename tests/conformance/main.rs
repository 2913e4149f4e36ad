//! The conformance suites of the W3C, one trial per case: SPARQL, its protocols, RDF and SHACL. `cargo test --test conformance --
//! NAME` runs the cases whose name contains NAME, `-- --list` lists them.
//!
//! The suites are looked for in `KGQ_W3C`, else in `../shared/w3c`. If they are missing, one line says so; with
//! `KGQ_REQUIRE=shared` that is a failure.

#[cfg(feature = "serve")]
#[allow(dead_code, reason = "the tests of the program use more of it")]
#[path = "../it/http.rs"]
mod http;
mod isomorphic;
mod shacl;
mod w3c;

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;

fn root() -> PathBuf {
    let root = std::env::var_os("KGQ_W3C").map_or_else(|| "../shared/w3c".into(), PathBuf::from);
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(root)
}

/// Compares the outcome of a case with the reason for which it is known to fail: a known failure that passes is a failure too.
fn judge(outcome: Result<(), String>, known: Option<&str>) -> Result<(), Failed> {
    match (outcome, known) {
        (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
        (Err(why), None) => Err(why.into()),
        (Ok(()), Some(_)) => Err("passes, but is listed as failing".into()),
    }
}

/// The name of a case, marked if it is known to fail.
fn title(name: String, known: Option<&str>) -> String {
    match known {
        Some(reason) => format!("{name} (known to fail: {reason})"),
        None => name,
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let root = root();
    let mut trials = Vec::new();
    if root.exists() {
        trials.extend(w3c::trials(&root));
        trials.extend(shacl::trials(&root));
        #[cfg(feature = "serve")]
        trials.extend(w3c::protocol::trials(&root));
    } else {
        let why = format!("the suites are not in {}; set KGQ_W3C", root.display());
        let required = std::env::var("KGQ_REQUIRE").unwrap_or_default();
        let ignored = !required.split(',').any(|kind| kind == "shared");
        trials.push(Trial::test(why, || Err("KGQ_REQUIRE names shared".into())).with_ignored_flag(ignored));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
