//! Findings in the Static Analysis Results Interchange Format (SARIF), which code hosts and editors show beside the
//! lines.

use super::explain;
use super::finding::{Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Writes a log with a single run.
pub fn write(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_ref()).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kgq",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn rule(code: &str) -> Value {
    match explain(code) {
        Ok(explanation) => json!({
            "id": code,
            "shortDescription": { "text": explanation.finds },
            "fullDescription": { "text": explanation.why },
            "help": { "text": explanation.mend },
        }),
        Err(_) => json!({ "id": code }),
    }
}

fn result(finding: &Finding) -> Value {
    let mut text = finding.text();
    for hint in &finding.hints {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    json!({
        "ruleId": finding.code,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": as_uri(&finding.place.file) },
            "region": { "startLine": finding.place.line, "startColumn": finding.place.column },
        } }],
        // Identifies the finding even if lines move.
        "partialFingerprints": { "kgq/v1": format!("{}|{}|{}", finding.code, finding.place.file, finding.message) },
    })
}

/// Turns a relative path into a URI reference.
fn as_uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Place;

    #[test]
    fn a_finding_is_a_result_with_its_rule_and_place() {
        let finding = Finding::warning("broken-link", Place::new("data/a b.ttl", 3, 5), "no x").hint("y");
        let mut out = Vec::new();
        write(&[finding], &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "broken-link");
        let result = &run["results"][0];
        assert_eq!(
            (result["level"].as_str(), result["message"]["text"].as_str()),
            (Some("warning"), Some("no x\nhint: y"))
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "data/a%20b.ttl");
        assert_eq!(place["region"]["startLine"], 3);
    }
}
