//! Explains the codes of findings: what is found, why it is bad, how to fix it.

use super::CHECKS;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::did_you_mean;

/// The explanation of a finding code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    pub finds: &'static str,
    pub why: &'static str,
    pub mend: &'static str,
}

impl Explanation {
    /// The explanation as it is printed.
    pub fn text(&self) -> String {
        let Self { code, finds, why, mend } = self;
        format!("{code}\n\nWhat it finds\n  {finds}\n\nWhy it is bad\n  {why}\n\nHow to mend it\n  {mend}\n")
    }
}

/// The explanation of a code. Codes that continue another after a dash or a colon, such as `rule:NAME`, share its explanation.
pub fn explain(code: &str) -> Result<&'static Explanation> {
    let all = || CHECKS.iter().flat_map(|check| check.codes);
    let continues = |e: &&Explanation| {
        e.code.split_once(['<']).is_some_and(|(stem, _)| code.len() > stem.len() && code.starts_with(stem))
    };
    all().find(|e| e.code == code).or_else(|| all().find(continues)).ok_or_else(|| {
        let codes: Vec<&str> = all().map(|e| e.code).collect();
        let hint = did_you_mean(code, codes.iter().copied()).unwrap_or_else(|| format!("codes: {}", codes.join(", ")));
        Error::usage(format!("no check has the code `{code}`")).hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_once_and_found_by_its_name() {
        let mut codes: Vec<&str> = CHECKS.iter().flat_map(|check| check.codes).map(|e| e.code).collect();
        for code in &codes {
            assert_eq!(explain(code).unwrap().code, *code);
        }
        let before = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }

    #[test]
    fn a_code_with_a_name_in_it_is_explained_by_its_kind() {
        assert_eq!(explain("rule:no-such-thing").unwrap().code, "rule:<name>");
        assert_eq!(explain("shape-min-count").unwrap().code, "shape-<constraint>");
    }

    #[test]
    fn a_mistyped_code_gets_the_near_one() {
        assert!(explain("uncitd").unwrap_err().to_string().contains("did you mean `uncited`?"));
    }
}
