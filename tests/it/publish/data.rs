//! The graph as data: inferred statements, dumps with their descriptions and checksums, exports.

use super::*;

#[test]
fn a_sorted_export_depends_on_the_graph_alone_and_its_checksum_is_of_the_file() {
    use sha2::{Digest, Sha256};
    let one = project(&[(
        "data/a.ttl",
        "<https://e.example/b> <http://p/q> [ <http://p/r> 1 ] . <https://e.example/a> <http://p/q> 2 .",
    )]);
    let two = project(&[(
        "data/a.ttl",
        "<https://e.example/a> <http://p/q> 2 . _:x <http://p/r> 1 . <https://e.example/b> <http://p/q> _:x .",
    )]);
    let texts: Vec<String> = [&one, &two]
        .iter()
        .map(|dir| {
            let path = dir.path().join("out.ttl");
            let run = kgq(dir.path(), &["export", "--sorted", "--checksum", "--output", path.to_str().unwrap()]);
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            let text = fs::read(&path).unwrap();
            let hash: String = Sha256::digest(&text).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(fs::read_to_string(dir.path().join("out.ttl.sha256")).unwrap(), format!("{hash}  out.ttl\n"));
            String::from_utf8(text).unwrap()
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn what_follows_is_exported_apart_by_the_rules_of_the_project_or_those_asked_for() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let export = |more: &[&str]| {
        let mut arguments = vec!["export", "--format", "ntriples"];
        arguments.extend(more);
        let run = kgq(project.path(), &arguments);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().replace("https://e.example/", "")
    };
    let kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";
    assert_eq!(export(&["--inferred"]), format!("<a> {kind} <Place> .\n<b> {kind} <Town> .\n"));
    assert_eq!(
        export(&["--inferred=rdfs-plus"]),
        format!("<a> {kind} <Place> .\n<b> {kind} <Town> .\n<b> <twin> <a> .\n")
    );
    let manifest = |rules: &str| {
        let text = format!("name = \"x\"\nbase = \"https://e.example/\"\n[infer]\nrules = \"{rules}\"\n");
        fs::write(project.path().join("kgq.toml"), text).unwrap();
    };
    manifest("rdfs-plus");
    assert!(export(&["--inferred"]).contains("<b> <twin> <a> ."));
    manifest("none");
    assert_eq!(kgq(project.path(), &["export", "--inferred"]).status.code(), Some(2));
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    assert!(!site.join("dump/x-inferred.nq").exists());
}

#[test]
fn dumps_hold_the_inferred_graph_in_files_of_its_own_which_the_descriptions_name() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let site = project.path().join("site");
    publish(project.path(), &site, &["--endpoint", "https://e.example/sparql"]);
    let lines = |path: &str| fs::read_to_string(site.join(path)).unwrap();
    let type_of = |thing: &str, class: &str| {
        format!(
            "<https://e.example/{thing}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://e.example/{class}> .\n"
        )
    };
    assert_eq!(lines("dump/x-inferred.nq"), type_of("a", "Place") + &type_of("b", "Town"));
    assert!(!lines("dump/x.nq").contains(&type_of("b", "Town")));
    let object = |path: &str, subject: &str, predicate: &str| -> Vec<String> {
        let found = quads(&fs::read(site.join(path)).unwrap(), RdfFormat::Turtle).into_iter().filter(|q| {
            q.subject.to_string() == format!("<https://e.example/#{subject}>")
                && q.predicate.as_str().ends_with(predicate)
        });
        found.map(|q| q.object.to_string().trim_matches(['<', '>', '"']).replace("https://e.example/", "")).collect()
    };
    assert_eq!(object("void.ttl", "inferred", "void#triples"), ["2\"^^<http://www.w3.org/2001/XMLSchema#integer"]);
    assert_eq!(object("void.ttl", "inferred", "wasDerivedFrom"), ["#dataset"]);
    assert_eq!(object("void.ttl", "inferred", "dataDump").len(), 10);
    assert_eq!(object("catalog.ttl", "catalog", "dcat#dataset"), ["#dataset", "#inferred"]);
    assert!(object("catalog.ttl", "inferred", "distribution").contains(&"#x-inferred.ttl.gz".to_owned()));
    assert!(object("catalog.ttl", "dataset", "distribution").iter().all(|name| !name.contains("inferred")));
    assert_eq!(object("service.ttl", "service", "endpoint"), ["sparql"]);
    assert_eq!(object("void.ttl", "dataset", "sparqlEndpoint"), ["sparql"]);
}

#[test]
fn the_checksums_of_a_site_and_of_tables_hold_for_sha256sum() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let (site, tables) = (project.path().join("site"), project.path().join("tables"));
    publish(project.path(), &site, &[]);
    let run = kgq(project.path(), &["export", "--tables", tables.to_str().unwrap(), "--checksum"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for folder in [site.join("dump"), tables] {
        match Command::new("sha256sum").args(["-c", "--strict", "SHA256SUMS"]).current_dir(&folder).output() {
            Ok(run) => assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout)),
            Err(_) => crate::needs::absent_tool("sha256sum"),
        }
    }
}

#[test]
fn tables_have_a_row_for_each_member_of_a_class_and_a_column_for_each_property() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let tables = project.path().join("tables");
    let run = kgq(project.path(), &["export", "--tables", tables.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("tables in"), "{said}");
    let found = files(&tables);
    let table = |part: &str| {
        let name =
            found.keys().find(|name| name.contains(part)).unwrap_or_else(|| panic!("no {part}: {:?}", found.keys()));
        String::from_utf8(found[name].clone()).unwrap()
    };
    assert!(table("Town").contains("b"), "{}", table("Town"));
    assert!(table("Place").contains("\"B, or \"\"bee\"\"\""));
}
