//! Refused writes and their reasons: the files stay unchanged.

use super::{ADA, GRAPHS, MANIFEST, PEOPLE, TURTLE, UPDATE, file, project, served, update, writable};
use crate::http::Served;
use crate::program;

const INSERT: &[u8] = b"INSERT DATA { e:ada e:age 36 }";

#[test]
fn a_server_that_writes_needs_a_token_and_a_project() {
    let folder = project();
    let root = folder.path().join("p");
    let without = program::run(&root, &["serve", "--writable", "--listen", "127.0.0.1:0"]);
    assert_eq!(without.code, 6);
    assert!(without.stderr.contains("sha256sum") && without.stderr.contains("--tokens FILE"), "{}", without.stderr);
    let file = ["serve", "-d", "data/people.ttl", "--writable", "--tokens", "../tokens", "--listen", "127.0.0.1:0"];
    assert_eq!(program::run(&root, &file).code, 6);
    assert_eq!(program::run(&root, &["serve", "--commit"]).code, 2);
}

#[test]
fn who_has_no_token_for_it_writes_nothing() {
    let folder = project();
    let served = Served::start(&folder.path().join("p"), &["--writable", "--tokens", "../readers"]);
    let by = |headers: &[(&str, &str)]| {
        let refused = served.request_with_body("POST", "/sparql", &[&[UPDATE], headers].concat(), INSERT);
        let graph = served.request_with_body("PUT", "/graphs?default", &[&[TURTLE], headers].concat(), b"");
        assert_eq!(refused.status, graph.status);
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        (refused.status, refused.header("www-authenticate").map(str::to_owned))
    };
    assert_eq!(by(&[]), (401, Some("Bearer".into())));
    assert_eq!(by(&[("Authorization", "Bearer of-adam")]), (401, Some("Bearer".into())));
    assert_eq!(by(&[("Authorization", "Basic of-ada")]), (401, Some("Bearer".into())));
    assert_eq!(by(&[("Authorization", "Bearer of-cid")]), (403, None));
    assert_eq!(by(&[ADA, ("Origin", "https://evil.example")]), (403, None));
    assert_eq!((file(&folder, "data/people.ttl"), file(&folder, "data/graphs.trig")), (PEOPLE.into(), GRAPHS.into()));
    assert_eq!(served.request_with_body("POST", "/sparql", &[UPDATE, ADA], INSERT).status, 200);
}

#[test]
fn where_reading_is_open_a_wrong_token_still_writes_nothing() {
    let (folder, served) = writable(&[]);
    for headers in [vec![UPDATE], vec![UPDATE, ("Authorization", "Bearer of-adam")]] {
        assert_eq!(served.request_with_body("POST", "/sparql", &headers, INSERT).status, 401);
        assert_eq!(served.request("DELETE", "/graphs?default", &headers).status, 401);
        assert_eq!(served.request("DELETE", "/g", &headers).status, 401);
        // Missing permission is reported before any other fault.
        for path in ["/graphs", "/graphs?default&graph=http%3A%2F%2Fe%2Fg", "/graphs?graph=g"] {
            assert_eq!(served.request("PUT", path, &headers).status, 401, "{path}");
        }
    }
    assert_eq!(served.request("PUT", "/graphs", &[UPDATE, ADA]).status, 400);
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ADA];
    let sent = |body: &str| served.request_with_body("POST", "/sparql", &form, body.as_bytes()).status;
    assert_eq!((sent("update=&cite=2"), sent("update=&why=0"), sent("update=")), (400, 400, 200));
    let own = format!("http://{}", served.address);
    assert_eq!(update(&served, "INSERT DATA {}", &[("Origin", &own)]).status, 200);
    assert_eq!(file(&folder, "data/graphs.trig"), GRAPHS);
}

#[test]
fn a_server_that_only_reads_takes_no_change_by_any_token() {
    let folder = project();
    let served = Served::start(&folder.path().join("p"), &["--tokens", "../tokens"]);
    assert_eq!(served.request_with_body("POST", "/sparql", &[UPDATE, ADA], INSERT).status, 403);
    for path in ["/graphs?default", "/g"] {
        let refused = served.request_with_body("PUT", path, &[TURTLE, ADA], b"");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{path}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let (folder, served) = writable(&[]);
    let refused = update(&served, "INSERT DATA {\n  e:ada e:age 36 36 }", &[]);
    let problem = refused.json();
    assert_eq!((refused.status, &problem["line"]), (400, &2.into()), "{problem}");
    let body = served.request_with_body("PUT", "/graphs?default", &[TURTLE, ADA], b"<http://e/a> <http://e/p>\n 1 2 .");
    assert_eq!((body.status, &body.json()["line"]), (400, &2.into()), "{}", body.text());
    let load = update(&served, "LOAD <http://e/x>", &[]);
    assert_eq!(load.status, 403, "{}", load.text());
    for (path, types, status) in [
        ("/graphs", ("Content-Type", "text/plain"), 415),
        ("/graphs?default", ("Content-Type", "text/html"), 415),
        ("/graphs?default&graph=http%3A%2F%2Fe%2Fg", TURTLE, 400),
        ("/graphs?graph=g", TURTLE, 400),
    ] {
        assert_eq!(served.request_with_body("POST", path, &[types, ADA], b"<a> <b> <c> .").status, status, "{path}");
    }
    let several = served.request_with_body(
        "PUT",
        "/graphs?default",
        &[("Content-Type", "application/n-quads"), ADA],
        b"<http://e/a> <http://e/p> 1 <http://e/g> .".as_slice(),
    );
    assert_eq!(several.status, 400);
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
}

#[test]
fn what_is_not_kept_line_by_line_is_refused_by_its_name() {
    let folder = project();
    let xml = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"http://e/\">\n<rdf:Description rdf:about=\"http://e/old\"><e:p>x</e:p></rdf:Description>\n</rdf:RDF>\n";
    std::fs::write(folder.path().join("p/data/old.rdf"), xml).unwrap();
    let served = served(folder.path(), &[]);
    let refused = update(&served, "DELETE DATA { e:old e:p \"x\" }", &[]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.json()["detail"].as_str().unwrap().starts_with("data/old.rdf is rdfxml"), "{}", refused.text());
    assert_eq!(served.request("DELETE", "/graphs?default", &[ADA]).status, 409);
    assert_eq!((file(&folder, "data/old.rdf"), file(&folder, "data/people.ttl")), (xml.into(), PEOPLE.into()));
}

#[test]
fn what_is_too_long_or_takes_too_long_is_not_written() {
    let (folder, served) = writable(&["--timeout", "1s"]);
    let long = format!("INSERT DATA {{ e:a e:p \"{}\" }}", "x".repeat(4 << 20));
    assert_eq!(update(&served, &long, &[]).status, 413);
    let cross = "INSERT { e:a e:p ?n } WHERE { SELECT (COUNT(*) AS ?n) { VALUES ?a { 1 2 3 4 5 6 7 8 9 10 } VALUES ?b { 1 2 3 4 5 6 7 8 9 10 } \
        VALUES ?c { 1 2 3 4 5 6 7 8 9 10 } VALUES ?d { 1 2 3 4 5 6 7 8 9 10 } VALUES ?e { 1 2 3 4 5 6 7 8 9 10 } VALUES ?f { 1 2 3 4 5 6 7 8 9 10 } \
        VALUES ?g { 1 2 3 4 5 6 7 8 9 10 } VALUES ?h { 1 2 3 4 5 6 7 8 9 10 } FILTER(?a + ?b + ?c > ?d) } }";
    let late = update(&served, cross, &[]);
    assert_eq!((late.status, &late.json()["limit"]), (503, &"time".into()), "{}", late.text());
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    // The project is no longer locked.
    let later = Served::start(&folder.path().join("p"), &["--writable", "--tokens", "../tokens"]);
    assert_eq!(update(&later, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200);
}

#[test]
fn with_check_what_adds_a_finding_is_refused_with_it() {
    let folder = project();
    let shape = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix e: <http://e/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n\
                 e:PersonShape\n    a sh:NodeShape ;\n    sh:property [ sh:path e:age ; sh:datatype xsd:integer ; sh:message \"an age is a number\" ] ;\n    sh:targetClass e:Person ;\n.\n";
    std::fs::write(folder.path().join("p/data/shapes.ttl"), shape).unwrap();
    let served = served(folder.path(), &["--check"]);
    let refused = update(&served, "INSERT DATA { e:ada e:age \"old\" }", &[]);
    let problem = refused.json();
    assert_eq!(refused.status, 422, "{problem}");
    assert!(problem["findings"].to_string().contains("an age is a number"), "{problem}");
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200);
}

#[test]
fn where_the_files_are_broken_nothing_is_written_until_they_are_mended() {
    let (folder, served) = writable(&[]);
    let path = folder.path().join("p/data/people.ttl");
    std::fs::write(&path, PEOPLE.replace("e:ada\n", "e:ada e:ada\n")).unwrap();
    let refused = update(&served, "INSERT DATA { e:ada e:age 36 }", &[]);
    assert_eq!((refused.status, &refused.json()["line"]), (409, &6.into()), "{}", refused.text());
    std::fs::write(&path, PEOPLE).unwrap();
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200);
}

#[test]
fn a_body_that_is_coded_is_refused_wherever_it_is_sent() {
    let (folder, served) = writable(&[]);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for (method, path, types) in [
        ("POST", "/sparql", UPDATE),
        ("POST", "/sparql", ("Content-Type", "application/sparql-query")),
        ("POST", "/sparql", form),
        ("PATCH", "/graphs?default", UPDATE),
        ("PUT", "/graphs?default", TURTLE),
        ("POST", "/login", form),
        ("POST", "/edit", form),
    ] {
        for coding in ["gzip", "identity, gzip"] {
            let refused = served.request_with_body(method, path, &[types, ADA, ("Content-Encoding", coding)], INSERT);
            assert_eq!(refused.status, 415, "{method} {path} {}: {}", types.1, refused.text());
            assert_eq!(refused.header("accept-encoding"), Some("identity"), "{method} {path}");
        }
    }
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[("Content-Encoding", "Identity")]).status, 200);
}

#[test]
fn where_no_file_is_named_for_new_things_the_server_says_so_and_its_log_how() {
    let folder = project();
    let manifest = MANIFEST.replace("[edit]\nfile = \"data/new.ttl\"\n", "");
    std::fs::write(folder.path().join("p/kgq.toml"), manifest).unwrap();
    let served = served(folder.path(), &[]);
    let refused = update(&served, "INSERT DATA { e:new e:p 1 }", &[]);
    let problem = refused.json();
    assert_eq!(refused.status, 409, "{problem}");
    let hints = serde_json::json!(["who runs the server can name a file for it in kgq.toml; the log says how"]);
    assert_eq!(problem["hints"], hints);
    served.signal(libc::SIGTERM);
    let said = served.wait().1;
    assert!(said.contains("new things of no class with members are refused"), "{said}");
    assert!(said.contains("<http://e/new>, which is new") && said.contains("name it in kgq.toml"), "{said}");
}

#[test]
fn numbers_of_any_size_start_a_server_that_writes() {
    let most = u64::MAX.to_string();
    let far = "4000000000000h";
    for arguments in [["--queue", &most], ["--max-age", &most], ["--patience", far], ["--timeout", far]] {
        let (_folder, served) = writable(&arguments);
        assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200, "{arguments:?}");
    }
    let (_folder, served) = writable(&["--queue", "0", "--threads", "1"]);
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200);
}
