//! Graphs, canned queries, names and things, each at its address.

use super::{shipped, small};
use crate::http::Served;

#[test]
fn graphs_are_read_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let data = "<http://e/a> <http://e/p> 1 .\n<http://e/g> { <http://e/b> <http://e/p> 2 }";
    std::fs::write(folder.path().join("a.trig"), data).unwrap();
    let served = Served::start(folder.path(), &["-d", "a.trig"]);
    let default = served.get("/graphs?default", "application/n-triples");
    assert_eq!(default.text(), "<http://e/a> <http://e/p> \"1\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n");
    let named = served.get("/graphs?graph=http%3A%2F%2Fe%2Fg", "text/turtle");
    assert_eq!(named.header("content-type"), Some("text/turtle; charset=utf-8"));
    assert!(named.text().contains("<http://e/b>") && !named.text().contains("<http://e/a>"), "{}", named.text());
    assert_eq!(served.request("HEAD", "/graphs?graph=http%3A%2F%2Fe%2Fg", &[]).status, 200);
    assert_eq!(served.get("/graphs?graph=http%3A%2F%2Fe%2Fh", "*/*").status, 404);
    for wrong in ["/graphs", "/graphs?graph=g", "/graphs?default&graph=http%3A%2F%2Fe%2Fg"] {
        assert_eq!(served.get(wrong, "*/*").status, 400, "{wrong}");
    }
    let written = served.request_with_body("PUT", "/graphs?default", &[("Content-Type", "text/turtle")], b"");
    assert_eq!((written.status, written.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
}

#[test]
fn a_graph_below_the_base_is_at_its_own_address() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.trig\"]\n")
        .unwrap();
    std::fs::write(folder.path().join("a.trig"), "<http://e/g/x> { <http://e/b> <http://e/p> 2 }").unwrap();
    let served = Served::start(folder.path(), &[]);
    assert!(served.get("/g/x", "application/n-triples").text().starts_with("<http://e/b> "));
}

#[test]
fn a_canned_query_has_an_address_with_its_parameters() {
    let served = shipped();
    let run = served.get("/query/fdi-2024", "*/*");
    assert_eq!((run.status, run.header("content-type")), (200, Some("application/sparql-results+json")));
    let tasks = served.get(
        "/query/tasks-of-ministry?ministry=%E5%B7%A5%E4%B8%9A%E5%92%8C%E4%BF%A1%E6%81%AF%E5%8C%96%E9%83%A8&format=csv",
        "*/*",
    );
    assert!(tasks.status == 200 && tasks.text().lines().count() > 1, "{}", tasks.text());
    assert!(served.get("/query/tasks-of-ministry?ministry=body:miit", "text/markdown").text().starts_with("| "));

    let wrong = served.get("/query/tasks-of-ministry?minister=x", "*/*");
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["hints"][0].as_str().unwrap().contains("`ministry`"), "{}", wrong.text());
    let unknown = served.get("/query/tasks-of-minister", "*/*");
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["hints"][0].as_str().unwrap().contains("tasks-of-ministry"), "{}", unknown.text());

    let all = served.get("/query", "*/*").json();
    let listed = all["queries"].as_array().unwrap();
    assert!(
        listed.iter().any(|query| query["name"] == "tasks-of-ministry" && query["parameters"][0]["name"] == "ministry")
    );
}

#[test]
fn a_parameter_that_is_called_as_what_says_how_to_answer_has_its_sigil() {
    let folder = tempfile::tempdir().unwrap();
    let (data, query) = (folder.path().join("a.ttl"), folder.path().join("queries/by-format.rq"));
    std::fs::write(data, "<http://e/a> <http://e/format> \"csv\" . <http://e/b> <http://e/format> \"xml\" .").unwrap();
    std::fs::create_dir(folder.path().join("queries")).unwrap();
    let header = "#+ params:\n#+   format: { required: true }\n#+   why: { type: integer, default: 7 }\n";
    let text = "SELECT ?thing ?why { ?thing <http://e/format> ?format }";
    std::fs::write(query, format!("{header}{text}")).unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"p\"\ndata = [\"a.ttl\"]\n").unwrap();
    let served = Served::start(folder.path(), &[]);
    let asked = |values: &str| served.get(&format!("/query/by-format?{values}"), "*/*");
    assert_eq!(asked("%24format=csv&$why=3&format=csv").text(), "thing,why\r\nhttp://e/a,3\r\n");
    let missing = asked("format=csv");
    assert!(missing.status == 400 && missing.text().contains("`format`"), "{}", missing.text());

    let described = served.get("/openapi.json", "*/*").json();
    let parameters = described["paths"]["/query/by-format"]["get"]["parameters"].clone();
    let count =
        |name: &str| parameters.as_array().unwrap().iter().filter(|parameter| parameter["name"] == name).count();
    assert_eq!([count("$format"), count("format"), count("$why"), count("why")], [1; 4], "{parameters}");
    let page = served.get("/query/by-format?%24format=xml", "text/html");
    let page = page.text();
    assert!(page.contains("name=\"$format\"") && page.contains("%24format=xml&amp;format=csv"), "{page}");
}

#[test]
fn things_are_found_by_their_names_in_any_language() {
    let served = shipped();
    let found = |path: &str| served.get(path, "*/*").json()["found"].clone();
    let by_chinese = found("/find?text=%E5%95%86%E5%8A%A1%E9%83%A8&lang=en");
    assert_eq!(by_chinese[0]["label"], "Ministry of Commerce", "{by_chinese}");
    assert_eq!(by_chinese[0]["kind"], "thing");
    assert_eq!(found("/find?text=ministry%20comm&lang=zh")[0]["label"], "商务部");
    assert_eq!(found("/find?text=ministry&limit=2").as_array().unwrap().len(), 2);
    for class in found("/find?text=region&kind=class").as_array().unwrap() {
        assert_eq!(class["kind"], "class");
    }
    assert_eq!(served.get("/find", "*/*").status, 400);
    assert_eq!(served.get("/find?text=a&kind=nonsense", "*/*").status, 400);
}

#[test]
fn every_thing_below_the_base_is_at_its_path_and_any_by_its_iri() {
    let served = shipped();
    let found = served.get("/find?text=Ministry%20of%20Commerce&lang=en", "*/*").json();
    let iri = found["found"][0]["iri"].as_str().unwrap().to_owned();
    let path = iri.strip_prefix("https://opening-up.example").unwrap();
    for (accept, sign) in
        [("text/turtle", "@prefix"), ("application/ld+json", "\"@id\""), ("application/n-triples", "<http")]
    {
        let thing = served.get(path, accept);
        assert_eq!((thing.status, thing.text().contains(sign)), (200, true), "{accept}: {}", thing.text());
        let about = served.get(&format!("/about?iri={}", crate::http::escaped(&iri)), accept);
        assert_eq!((about.status, about.body.len()), (200, thing.body.len()));
    }
    assert!(served.get("/ontology", "text/turtle").text().contains("owl:Class"), "a document of things behind a hash");
    let missing = served.get("/id/organisation/ministry-of-commerse", "*/*");
    assert_eq!(missing.status, 404);
    assert!(missing.json()["near"][0]["iri"].is_string(), "{}", missing.text());
    let (_folder, small) = small(&[]);
    assert_eq!(small.get("/about?iri=http%3A%2F%2Fe%2Fada", "*/*").status, 200);
    assert_eq!((small.get("/about?iri=nonsense", "*/*").status, small.get("/about", "*/*").status), (400, 400));
}

#[test]
fn what_makes_a_row_is_told_as_json_ld() {
    let (_folder, served) = small(&[]);
    let query = crate::http::escaped("SELECT ?c { <http://e/ada> <http://e/knows> ?b . ?b <http://e/knows> ?c }");
    let told = served.get(&format!("/sparql?query={query}&why=1"), "*/*");
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/ld+json")), "{}", told.text());
    let graph = told.json()["@graph"].clone();
    assert_eq!(graph[0]["value"]["c"], "<http://e/cid>", "{graph}");
    let places: Vec<_> = graph.as_array().unwrap().iter().filter(|node| node["statement"].is_string()).collect();
    assert!(places.len() == 2 && places.iter().all(|node| node["file"] == "people.ttl"), "{graph}");
    for (why, detail) in [("0", "from 1"), ("x", "from 1"), ("2", "no row 2")] {
        let wrong = served.get(&format!("/sparql?query={query}&why={why}"), "*/*");
        assert_eq!(wrong.status, 400);
        assert!(wrong.json()["detail"].as_str().unwrap().contains(detail), "{}", wrong.text());
    }
    let canned = shipped().get("/query/fdi-2024?why=1", "*/*").json();
    assert!(canned["@graph"].to_string().contains("prov:hadPrimarySource"), "{canned}");
}

#[test]
fn why_a_row_is_missing_is_told_as_json() {
    let (_folder, served) = small(&[]);
    let address = |text: &str, rest: &str| format!("/sparql?query={}{rest}", crate::http::escaped(text));
    let query = "SELECT ?c { <http://e/ada> <http://e/knows> ?b . ?b <http://e/knows> ?c }";
    let told = served.get(&address(query, "&why-not=c%3Dhttp%3A%2F%2Fe%2Fada"), "*/*");
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/json")), "{}", told.text());
    let document = told.json();
    assert_eq!(document["reason"]["kind"], "removed", "{document}");
    assert!(document["statements"].as_array().unwrap().iter().all(|near| near["file"] == "people.ttl"), "{document}");
    // As a form would send it.
    let form = served.get(&address(query, "&why-not=c&why-not-value=http%3A%2F%2Fe%2Fada"), "*/*");
    assert_eq!(form.json(), document);
    let there = served.get(&address(query, "&why-not=c%3Dhttp%3A%2F%2Fe%2Fcid"), "*/*");
    assert_eq!((&there.json()["reason"]["kind"], &there.json()["reason"]["row"]), (&"there".into(), &1.into()));
    let nothing = served.get(&address("ASK { <http://e/cid> <http://e/knows> <http://e/ada> }", "&why-not="), "*/*");
    assert_eq!(nothing.json()["reason"]["kind"], "removed", "{}", nothing.text());
    for (wrong, detail) in [
        ("why-not=c", "COLUMN=VALUE"),
        ("why-not=", "has rows"),
        ("why-not=x%3D1", "no column"),
        ("why=1&why-not=", "one of them"),
        ("why=1&cite=*", "`cite` is 1"),
        ("why-not=&cite=2", "`cite` is 1"),
        ("format=bundle&cite=2", "`cite` is 1"),
    ] {
        let refused = served.get(&address(query, &format!("&{wrong}")), "*/*");
        assert_eq!(refused.status, 400, "{wrong}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(detail), "{}", refused.text());
    }
    let other = served.get(&address(query, "&why=1&format=csv"), "*/*");
    assert!(other.status == 406 && other.text().contains("as JSON, not as `csv`"), "{}", other.text());
    for offered in ["accepted", "formats"].map(|key| other.json()[key].clone()) {
        for name in offered.as_array().unwrap() {
            let format = name.as_str().unwrap().replace('+', "%2B");
            assert_eq!(served.get(&address(query, &format!("&why=1&format={format}")), "*/*").status, 200, "{name}");
        }
    }
    let canned = shipped().get("/query/enterprises-approved?why-not=enterprise%3DHuawei", "*/*").json();
    assert!(canned["not-stated"].to_string().contains("names of the 13 enterprises"), "{canned}");
}

#[test]
fn an_answer_is_given_with_the_sources_of_its_rows() {
    let served = shipped();
    let told = served.get("/query/fdi-2024?cite=1", "*/*");
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/sparql-results+json")));
    let row = told.json()["results"]["bindings"][0].clone();
    assert_eq!(row["cite"]["citations"][0]["sentences"][0], "41", "{row}");
    let plain = served.get("/query/fdi-2024", "*/*");
    assert!(plain.json()["results"]["bindings"][0]["cite"].is_null());
    assert_ne!(plain.header("etag"), told.header("etag"));
    let csv = served.get("/query/fdi-2024?cite=1&format=csv", "*/*");
    assert!(csv.text().lines().next().unwrap().ends_with(",cite"), "{}", csv.text());
    let triples = served.get("/query/organisation-chart?cite=1&format=markdown", "*/*");
    assert!(triples.text().contains("## Sources"), "{}", triples.text());
    assert_eq!(served.get("/query/fdi-2024?cite=yes", "*/*").status, 400);
    assert_eq!(served.get("/query/organisation-chart?cite=1&format=turtle", "*/*").status, 406);
}

#[test]
fn an_answer_is_given_as_a_bundle_that_holds() {
    let served = shipped();
    let folder = tempfile::tempdir().unwrap();
    let query = crate::http::escaped("SELECT ?figure { ?figure ou:qualifier qualifier:about }");
    for (name, path) in [
        ("fdi-2024.zip", "/query/fdi-2024?format=bundle".to_owned()),
        ("answer.zip", format!("/sparql?query={query}&format=bundle")),
    ] {
        let told = served.get(&path, "text/html");
        assert_eq!(
            (told.status, told.header("content-type")),
            (200, Some("application/zip")),
            "{}",
            String::from_utf8_lossy(&told.body)
        );
        assert_eq!(told.header("content-disposition"), Some(format!("attachment; filename=\"{name}\"").as_str()));
        std::fs::write(folder.path().join(name), &told.body).unwrap();
        let verified = crate::program::run(folder.path(), &["verify", name, "--alone"]);
        assert_eq!(verified.code, 0, "{}", verified.text());
    }
    let wrong = served.get("/sparql?query=SELECT&format=bundle", "*/*");
    assert_eq!((wrong.status, &wrong.json()["line"]), (400, &1.into()), "{}", wrong.text());
}
