//! The results and outputs of a site's scripts, run in node. Without node, only the data that they get are checked.

use super::{project, publish};
use crate::needs::absent_tool;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The lines that a script prints; `None` without node.
fn node(arguments: &[&str], script: &str) -> Option<Vec<String>> {
    let ran = match Command::new("node").args(arguments).arg("--eval").arg(script).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            absent_tool("node");
            return None;
        }
        ran => ran.unwrap(),
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect())
}

const NAMED: &str = r#"PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX : <https://e.example/> PREFIX t: <https://e.example/town/>
    t:xa rdfs:label "Xi'an"@en, "西安"@zh . t:qc rdfs:label "Québec" . t:mc rdfs:label "Ministry of Commerce"@en, "商务部"@zh .
    t:wr rdfs:label "Wrocław – Ostrów"@pl . :Town a <http://www.w3.org/2002/07/owl#Class> ; rdfs:label "place of many" ."#;

#[test]
fn search_finds_a_name_as_it_is_typed() {
    let project = project(&[("data/d.ttl", NAMED)]);
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    let index = site.join("assets/search-data.js");
    let text = fs::read_to_string(&index).unwrap();
    for entry in [
        r#"["Xi'an","西安"],"t:xa"]"#,
        r#"["Québec"],"t:qc"]"#,
        // A class is also found by the end of its IRI.
        r#"["place of many","Town"]"#,
    ] {
        assert!(text.contains(entry), "{entry} is not in {text}");
    }
    let own = include_str!("../../../crates/kgq-site/assets/search.js");
    let typed = [
        ("xian", "Xi'an"),
        ("XI’AN", "Xi'an"),
        ("xi an", "Xi'an"),
        ("安", "Xi'an"),
        ("quebec", "Québec"),
        ("QUÉ", "Québec"),
        ("t:qc", "Québec"),
        ("商务", "Ministry of Commerce"),
        ("commerce ministry", "Ministry of Commerce"),
        ("ostrow", "Wrocław – Ostrów"),
        ("town", "place of many"),
        ("minsitry", "near: Ministry of Commerce"),
        ("commmerce", "near: Ministry of Commerce"),
        ("zzzz", "near: "),
        ("  ", ""),
    ];
    let words: Vec<&str> = typed.iter().map(|(word, _)| *word).collect();
    let script = format!(
        "{own}\nlet data; globalThis.kgqSearch = (loaded) => {{ data = loaded; }};
        (0, eval)(require('node:fs').readFileSync({index}, 'utf8'));
        const folded = data.entries.map(([, , names, curie]) => [...names, ...(curie ? [curie] : [])].map(kgqNames.fold));
        for (const typed of {words}) {{
          const {{ hits, near }} = kgqNames.find(folded, typed);
          console.log((near ? 'near: ' : '') + hits.map(([, i]) => data.entries[i][2][0]).join(', '));
        }}",
        index = serde_json::to_string(&index).unwrap(),
        words = serde_json::to_string(&words).unwrap(),
    );
    let Some(found) = node(&[], &script) else { return };
    assert_eq!(found.len(), typed.len());
    for ((word, expected), found) in typed.iter().zip(found) {
        assert_eq!(&found, expected, "{word}");
    }
}

#[test]
fn the_query_page_tells_errors_with_their_place_and_why_nothing_is_found() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("site/explain.js");
    let script = format!(
        "import {{ explained, whole, why }} from {script};
        const data = {{ prefixes: {{ t: 'https://e.example/town/' }}, base: 'https://e.example/', things: {{ 'https://e.example/town/qc': [] }} }};
        const english = (text) => text;
        const shorten = (iri) => iri.replace(data.prefixes.t, 't:');
        const say = (text) => console.log(JSON.stringify(text));
        say(whole('SELECT * {{ t:qc ?p ?o }}', data.prefixes));
        say(whole('PREFIX t: <e:> SELECT * {{ t:qc ?p ?o }}', data.prefixes));
        say(explained('error at 1:57: expected a triple', 'SELECT * {{ t:qc ?p }}', data, english));
        say(explained('error at 2:3: expected a triple', 'SELECT * {{\\n  foaf:name ?p }}', data, english));
        say(explained('out of memory', 'ASK {{}}', data, english));
        say(why('SELECT * {{ t:nowhere ?p ?o }}', data, shorten, english));
        say(why('SELECT * {{ t:qc ?p \"Quebec\" }}', data, shorten, english));
        say(why('SELECT * {{ t:qc ?p 1 }}', data, shorten, english));",
        script = serde_json::to_string(&format!("file://{}", script.display())).unwrap(),
    );
    let Some(said) = node(&["--input-type=module"], &script) else { return };
    let said: Vec<String> = said.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        said,
        [
            "PREFIX t: <https://e.example/town/> SELECT * { t:qc ?p ?o }",
            "PREFIX t: <e:> SELECT * { t:qc ?p ?o }",
            "1:21: expected a triple\n  1 | SELECT * { t:qc ?p }\n    |                     ^",
            "2:3: expected a triple\n  2 |   foaf:name ?p }\n    |   ^\n  hint: no prefix foaf is known; declare it: PREFIX foaf: <…>",
            "error: out of memory",
            "No row answers it. The graph has no t:nowhere.",
            "No row answers it. A text with a language, such as \"a\"@en, is not the same as one without.",
            "No row answers it. Leave out one pattern or filter after the other to see which finds nothing.",
        ]
    );
}
