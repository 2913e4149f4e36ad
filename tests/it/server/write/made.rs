//! Things created in a browser: a thing of a class, a citation beside a value, and the contents of a value without a name.

use super::forms::{Browser, hidden};
use super::{MANIFEST, PEOPLE, file, project, served};
use crate::http::Response;

const SHAPES: &str = "@prefix e: <http://e/> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n\n\
    e:PersonShape\n    a sh:NodeShape ;\n    sh:property [\n        sh:node e:AddressShape ;\n        sh:path e:address ;\n    ] ;\n    sh:property [ sh:path e:name ] ;\n    sh:targetClass e:Person ;\n.\n\n\
    e:AddressShape\n    sh:property [ sh:path e:city ] ;\n.\n";
const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";

/// An opened form: its contents besides the rows.
struct Opened {
    secret: String,
    version: String,
    page: String,
}

fn open(browser: &mut Browser<'_>, address: &str) -> Opened {
    let response = browser.get(address);
    assert_eq!(response.status, 200, "{}", response.text());
    let page = response.text().to_owned();
    Opened { secret: hidden(&page, "secret"), version: hidden(&page, "version"), page }
}

impl Opened {
    fn send(&self, browser: &mut Browser<'_>, step: &str, of: &[(&str, &str)], rows: &[(&str, &str)]) -> Response {
        let common = [("secret", self.secret.as_str()), ("version", self.version.as_str()), ("step", step)];
        browser.post("/edit", &[&common[..], of, rows].concat())
    }
}

#[test]
fn a_thing_of_a_class_is_made_and_called_by_its_label() {
    let folder = project();
    std::fs::write(folder.path().join("p/data/shapes.ttl"), SHAPES).unwrap();
    let served = served(folder.path(), &[]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let class = browser.get("/Person");
    assert!(class.text().contains("edit?class=http%3A%2F%2Fe%2FPerson"), "{}", class.text());
    let form = open(&mut browser, "/edit?class=e%3APerson");
    assert!(form.page.contains("Left empty, it is made of the label"), "{}", form.page);
    let chinese = browser.get("/edit?class=e%3APerson&lang=zh");
    assert!(chinese.text().contains("添加到“") && chinese.text().contains("留空则"), "{}", chinese.text());

    let of = [("class", "http://e/Person"), ("iri", "")];
    let city = "http://e/address  / ";
    let rows = [
        [("p", LABEL), ("n", ""), ("o", ""), ("v", "Grace Hopper"), ("l", "en"), ("c", "")],
        [("p", "http://e/address"), ("n", ""), ("o", ""), ("v", ""), ("l", ""), ("c", "")],
        [("p", "http://e/city"), ("n", city), ("o", ""), ("v", "New York"), ("l", ""), ("c", "")],
    ]
    .concat();
    let unnamed = form.send(&mut browser, "look", &of, &rows[6..]);
    assert!(unnamed.status == 422 && unnamed.text().contains("no label to make a name of"), "{}", unnamed.text());
    let taken = form.send(&mut browser, "look", &[("class", "http://e/Person"), ("iri", "e:ada")], &rows);
    assert!(taken.status == 409 && taken.text().contains("there is e:ada already"), "{}", taken.text());
    let looked = form.send(&mut browser, "look", &of, &rows);
    assert_eq!(looked.status, 200, "{}", looked.text());
    assert!(looked.text().contains("<ins>+e:grace-hopper</ins>"), "{}", looked.text());
    assert_eq!(hidden(looked.text(), "iri"), "http://e/grace-hopper");
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE, "nothing is written before it is saved");
    let of = [("class", "http://e/Person"), ("iri", "http://e/grace-hopper")];
    let saved = form.send(&mut browser, "save", &of, &rows);
    assert!(saved.status == 200 && saved.text().contains("It is saved."), "{}", saved.text());
    let text = file(&folder, "data/people.ttl");
    let block = "\ne:grace-hopper\n    a e:Person ;\n    rdfs:label \"Grace Hopper\"@en ;\n    e:address [ e:city \"New York\" ] ;\n.\n";
    assert!(text.ends_with(block), "{text}");
    let again = open(&mut browser, "/edit?class=e%3APerson");
    assert_eq!(again.send(&mut browser, "save", &of, &rows).status, 409);
    for unknown in ["/edit?class=e%3ANobody", "/edit?iri=e%3Anobody"] {
        assert_eq!(browser.get(unknown).status, 404);
    }
    assert_eq!(browser.get("/edit").status, 400);

    // The contents of the new value have rows now.
    let form = open(&mut browser, "/edit?iri=e%3Agrace-hopper");
    assert!(form.page.contains("This value stays, with:") && form.page.contains("value=\"New York\""), "{}", form.page);
    let key = hidden(form.page.split_once("value=\"http://e/address\"").unwrap().1, "o");
    let within = format!("http://e/address {key} / ");
    let stays = [("p", "http://e/address"), ("n", ""), ("o", key.as_str()), ("v", "[]")];
    let city = [("p", "http://e/city"), ("n", within.as_str()), ("o", "\"New York\""), ("v", "Arlington")];
    let of = [("iri", "http://e/grace-hopper")];
    let saved = form.send(&mut browser, "save", &of, &[stays, city].concat());
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert_eq!(file(&folder, "data/people.ttl"), text.replace("New York", "Arlington"));
    let form = open(&mut browser, "/edit?iri=e%3Agrace-hopper");
    let key = hidden(form.page.split_once("value=\"http://e/address\"").unwrap().1, "o");
    // An unchecked box sends nothing.
    let goes = [("p", "http://e/address"), ("n", ""), ("o", key.as_str())];
    assert_eq!(form.send(&mut browser, "save", &of, &goes).status, 200);
    assert_eq!(file(&folder, "data/people.ttl"), text.replace("    e:address [ e:city \"New York\" ] ;\n", ""));
}

#[test]
fn a_citation_is_made_beside_the_value_that_it_is_of() {
    let folder = project();
    let manifest = format!(
        "{MANIFEST}[citations]\nrequired = true\nanchor = \"e:words\"\n[sources]\n\"http://e/book\" = \"book.txt\"\n"
    );
    std::fs::write(folder.path().join("p/kgq.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("p/book.txt"), "Ada was 35 then. Später war sie 36, as she was.").unwrap();
    let text = "@prefix e: <http://e/> .\n@prefix oa: <http://www.w3.org/ns/oa#> .\n@prefix prov: <http://www.w3.org/ns/prov#> .\n\n\
        e:ada\n    a e:Person ;\n    e:age 35 ~ e:st1 {| prov:wasDerivedFrom e:c1 |} ;\n.\n\n\
        e:c1\n    a e:Citation ;\n    e:words \"was 35\" ;\n    oa:hasSelector e:s1 ;\n    oa:hasSource e:book ;\n.\n\n\
        e:s1\n    oa:end 16 ;\n    oa:start 0 ;\n.\n";
    std::fs::write(folder.path().join("p/data/people.ttl"), text).unwrap();
    let served = served(folder.path(), &["--check"]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let form = open(&mut browser, "/edit?iri=e%3Aada");
    assert!(form.page.contains("A new citation") && form.page.contains("<option value=\"e:book\">"), "{}", form.page);
    let mut send = |step: &str, value: &str, words: &str| {
        let old = "\"35\"^^<http://www.w3.org/2001/XMLSchema#integer>";
        let rows =
            [("p", "http://e/age"), ("o", old), ("v", value), ("l", ""), ("c", ""), ("d", "e:book"), ("w", words)];
        form.send(&mut browser, step, &[("iri", "http://e/ada")], &rows)
    };
    let absent = send("look", "36", "was 37");
    assert!(absent.status == 422 && absent.text().contains("do not stand in the text"), "{}", absent.text());
    let twice = send("look", "36", "was");
    assert!(twice.status == 422 && twice.text().contains("stand 2 times"), "{}", twice.text());
    let saved = send("save", "36", "war sie 36");
    assert_eq!(saved.status, 200, "{}", saved.text());
    let after = file(&folder, "data/people.ttl");
    assert!(after.contains("e:age 36 ~ e:st1 {| prov:wasDerivedFrom e:war-sie-36 |} ;"), "{after}");
    let made = "e:war-sie-36\n    a e:Citation ;\n    e:words \"war sie 36\" ;\n    oa:hasSelector [\n        oa:end 34 ;\n        oa:start 24 ;\n    ] ;\n    oa:hasSource e:book ;\n.\n";
    assert!(after.contains(made), "{after}");
    // Words within a named span are cited by that span.
    let form = open(&mut browser, "/edit?iri=e%3Aada");
    let old = "\"36\"^^<http://www.w3.org/2001/XMLSchema#integer>";
    let rows = [("p", "http://e/age"), ("o", old), ("v", "35"), ("c", ""), ("d", "e:book"), ("w", "Ada was 35")];
    let saved = form.send(&mut browser, "save", &[("iri", "http://e/ada")], &rows);
    assert_eq!(saved.status, 200, "{}", saved.text());
    let after = file(&folder, "data/people.ttl");
    let made = "e:ada-was-35\n    a e:Citation ;\n    e:words \"Ada was 35\" ;\n    oa:hasSelector e:s1 ;\n    oa:hasSource e:book ;\n.\n";
    assert!(after.contains(made), "{after}");
}
