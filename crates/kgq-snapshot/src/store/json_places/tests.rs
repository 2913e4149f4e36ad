use super::*;

/// For each statement: subject, predicate and object, and the text at the key and at the value.
fn told(text: &str) -> Vec<String> {
    let name = |node: JsonNode| node.unwrap_or_else(|| "_".to_owned());
    let found = json_ld_statements(text, false, Some("http://base/d"), &Contexts::default());
    let line = |found: JsonStatement| {
        let object = match found.object {
            JsonObject::Node(node) => format!("<{}>", name(node)),
            JsonObject::Literal(text) => format!("'{text}'"),
        };
        let [subject_at, key, value] = [found.subject_at, found.key_at, found.object_at].map(|span| &text[span]);
        format!("{} {} {object} at {subject_at} {key} {value}", name(found.subject), found.predicate)
    };
    found.into_iter().map(line).collect()
}

#[test]
fn statements_stand_at_their_keys_and_values() {
    let text = r#"{ "@context": {"@vocab": "http://v/", "e": "http://e/", "id": "@id", "a": "@type",
            "knows": {"@id": "e:knows", "@type": "@id"}, "of": {"@reverse": "e:has"}},
        "id": "e:s", "a": ["T", "e:U"], "n": [1, {"@value": "x", "@language": "en"}],
        "knows": ["o", {"id": "_:b", "n": true}], "of": {"id": "e:w"} , "l": {"@list": ["m"]} }"#;
    assert_eq!(
        told(text),
        [
            r#"http://e/s http://www.w3.org/1999/02/22-rdf-syntax-ns#type <http://v/T> at "e:s" "a" "T""#,
            r#"http://e/s http://www.w3.org/1999/02/22-rdf-syntax-ns#type <http://e/U> at "e:s" "a" "e:U""#,
            r#"http://e/s http://v/n '1' at "e:s" "n" 1"#,
            r#"http://e/s http://v/n 'x' at "e:s" "n" "x""#,
            r#"http://e/s http://e/knows <http://base/o> at "e:s" "knows" "o""#,
            r#"_ http://v/n 'true' at "_:b" "n" true"#,
            r#"http://e/s http://e/knows <_> at "e:s" "knows" "_:b""#,
            r#"http://e/w http://e/has <http://e/s> at "e:w" "of" "e:w""#,
            r#"http://e/s http://v/l <_> at "e:s" "l" {"#,
            r#"_ http://www.w3.org/1999/02/22-rdf-syntax-ns#first 'm' at { "l" "m""#,
        ]
    );
}

#[test]
fn contexts_of_terms_and_types_hold_where_the_standard_says() {
    let text = r#"{ "@context": {"@vocab": "http://v/", "T": {"@context": {"n": "http://t/n"}},
            "in": {"@context": {"n": "http://p/n"}}, "by": {"@container": "@language"}, "m": {"@container": "@id"}},
        "@graph": [{"@type": "T", "n": 1, "z": {"n": 2}}, {"in": {"n": 3}, "by": {"de": "x"}, "m": {"http://k": {"n": 4}}}] }"#;
    let predicates: Vec<String> =
        told(text).iter().map(|line| line.split(" at ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        predicates[1..],
        [
            "_ http://t/n '1'",
            "_ http://v/n '2'",
            "_ http://v/z <_>",
            "_ http://p/n '3'",
            "_ http://v/in <_>",
            "_ http://v/by 'x'",
            "http://k http://v/n '4'",
            "_ http://v/m <http://k>",
        ]
    );
}

#[test]
fn terms_that_define_each_other_end() {
    let text = r#"{"@context": {"a": "b:x", "b": "a:y", "c": "c"}, "@id": "http://s", "a": 1, "c": 2}"#;
    assert!(told(text).is_empty());
}
