//! Pages and data at the same addresses: clients that prefer HTML get the site, all others the data.

use super::{DATA, numbers, shipped, small};
use crate::http::{Response, Served, escaped};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

fn page(served: &Served, path: &str) -> String {
    let page = served.get(path, BROWSER);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
    page.text().to_owned()
}

fn in_chinese(served: &Served, path: &str) -> Response {
    served.request("GET", path, &[("Accept", BROWSER), ("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8")])
}

#[test]
fn an_iri_is_a_page_for_a_browser_and_data_for_a_program() {
    let served = shipped();
    let thing = "/id/organisation/mofcom";
    let page = served.get(thing, BROWSER);
    assert!(page.text().contains("Ministry of Commerce</bdi></h1>"), "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("vary"), Some("Accept, Accept-Encoding, Accept-Language"));
    let known = served.request("GET", thing, &[("Accept", BROWSER), ("If-None-Match", page.header("etag").unwrap())]);
    assert_eq!(known.status, 304);
    assert_eq!(served.get(thing, "text/turtle").header("content-type"), Some("text/turtle; charset=utf-8"));
    assert_eq!(
        served.get(thing, "text/turtle, text/html;q=0.5").header("content-type"),
        Some("text/turtle; charset=utf-8")
    );
    assert!(served.get(&format!("{thing}.ttl"), "*/*").text().contains("商务部"));

    let chinese = in_chinese(&served, thing);
    assert_eq!(chinese.header("content-language"), Some("zh"));
    assert!(chinese.text().contains("商务部</bdi></h1>"));
    // French, which the client likes best, is none of the site's.
    let french = served.request("GET", thing, &[("Accept", BROWSER), ("Accept-Language", "fr, zh-TW;q=0.8, *;q=0.5")]);
    assert_eq!(french.header("content-language"), Some("zh"));
    assert!(self::page(&served, &format!("{thing}?lang=zh")).contains("?lang=zh\""));
}

#[test]
fn the_site_has_its_first_page_its_files_and_a_page_for_what_is_not_there() {
    let served = shipped();
    assert!(page(&served, "/").contains("statements") && served.get("/", "*/*").text().starts_with("<!DOCTYPE html>"));
    for (path, media_type) in [
        ("/assets/site.css", "text/css; charset=utf-8"),
        ("/assets/served.js", "text/javascript; charset=utf-8"),
        ("/void.ttl", "text/turtle"),
    ] {
        let file = served.get(path, "*/*");
        assert_eq!((file.status, file.header("content-type")), (200, Some(media_type)), "{path}");
    }
    let missing = served.get("/id/organisation/nobody", BROWSER);
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(missing.text().contains("href=\"../../assets/site.css\""), "{}", missing.text());
    assert_eq!(served.get("/assets/nothing.js", "*/*").status, 404);
    assert!(page(&served, "/about?iri=foaf:Person").contains("http://xmlns.com/foaf/0.1/Person"));
    assert!(page(&served, "/query").contains("href=\"query/tasks-of-ministry\""));
}

#[test]
fn a_canned_query_is_asked_in_its_form() {
    let served = shipped();
    let form = page(&served, "/query/tasks-of-ministry?ministry=body:miit");
    assert!(form.contains("<select id=\"field-0\" name=\"ministry\"") && form.contains("value=\"body:miit\" selected"));
    assert!(form.contains("<table class=\"answer\">") && form.contains("format=csv"), "{form}");
    let wrong = page(&served, "/query/tasks-of-ministry?ministry=nobody");
    assert!(wrong.contains("aria-invalid=\"true\"") && !wrong.contains("<table class=\"answer\">"), "{wrong}");
    assert_eq!(served.get("/query/tasks-of-nobody", BROWSER).status, 404);
}

#[test]
fn any_query_is_asked_in_the_page_by_its_address_and_by_its_form() {
    let (_folder, served) = small(&[]);
    let query = "SELECT ?n { <http://e/ada> <http://e/name> ?n }";
    for path in ["/ask", "/sparql"] {
        let page = page(&served, &format!("{path}?query={}", escaped(query)));
        assert!(page.contains("Ada</bdi>") && page.contains("name=\"query\""), "{path}: {page}");
    }
    let form = format!("part=1&query={}", escaped(query));
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    let part = served.request_with_body("POST", "/ask", &headers, form.as_bytes()).text().to_owned();
    assert!(part.starts_with("<section class=\"answer\">"), "{part}");
    let wrong = page(&served, &format!("/ask?query={}", escaped("SELECT * {\n  ?s ?p }")));
    assert!(wrong.contains("data-line=\"2\""), "{wrong}");
    let (_folder, served) = numbers(300, &[]);
    let long = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(CONCAT(?c, ?f, ?i) = 'x') }";
    let limited = served.get(&format!("/ask?timeout=200ms&query={}", escaped(long)), BROWSER);
    assert_eq!((limited.status, limited.header("content-type")), (503, Some("application/problem+json")));
}

#[test]
fn every_page_says_that_the_files_are_broken() {
    let (folder, served) = small(&[]);
    assert!(!page(&served, "/").contains("class=\"banner\""));
    std::fs::write(folder.path().join("people.ttl"), format!("{DATA}e:cid e:age")).unwrap();
    for _ in 0..2_400 {
        if served.get("/readyz", "*/*").json()["current"] == false {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    for path in ["/", "/ask", "/data", "/about?iri=http%3A%2F%2Fe%2Fada"] {
        let page = page(&served, path);
        assert!(page.contains("class=\"banner\"") && page.contains("people.ttl:4"), "{path}: {page}");
        assert!(!page.contains(folder.path().to_str().unwrap()));
    }
}

#[test]
fn a_page_of_a_thing_says_which_answers_hold_it_once_these_are_known() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("queries")).unwrap();
    std::fs::write(
        folder.path().join("queries/who.rq"),
        "# title: Who knows whom\nSELECT * { ?s <http://e/knows> ?o }",
    )
    .unwrap();
    let manifest = "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\nqueries = [\"queries/*.rq\"]\n";
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("people.ttl"), DATA).unwrap();
    let served = Served::start(folder.path(), &[]);
    for _ in 0..2_400 {
        if page(&served, "/bob").contains("href=\"query/who\"") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{}", page(&served, "/bob"));
}

#[test]
fn what_the_server_answers_is_told_to_programmers_in_a_page() {
    let served = shipped();
    let docs = served.get("/docs", "*/*");
    assert_eq!((docs.status, docs.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for told in ["GET ", "/sparql", "default-graph-uri", "href=\"query/tasks-of-ministry\"", "text/csv", "curl"] {
        assert!(docs.text().contains(told), "{told}");
    }
    for elsewhere in ["src=\"http", "<link rel=\"stylesheet\" href=\"http"] {
        assert!(!docs.text().contains(elsewhere), "{elsewhere}");
    }
    assert!(in_chinese(&served, "/docs").text().contains("<h1>供程序使用</h1>"));
}

#[test]
fn things_at_the_servers_own_addresses_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n").unwrap();
    let data =
        "<http://e/find> <http://e/p> 1 . <http://e/query/x> <http://e/p> 2 . <http://e/finder> <http://e/p> 3 .";
    std::fs::write(folder.path().join("a.ttl"), data).unwrap();
    let served = Served::start(folder.path(), &[]);
    assert!(served.get("/about?iri=http%3A%2F%2Fe%2Ffind", "application/n-triples").text().contains("<http://e/find>"));
    served.signal(libc::SIGTERM);
    let (_, said) = served.wait();
    assert!(said.contains("hide <http://e/find>, <http://e/query/x>: ask"), "{said}");
}

#[test]
fn an_address_that_is_not_opened_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n").unwrap();
    let things = ["edit", "login", "logout", "metrics", "find"];
    let data = things.map(|thing| format!("<http://e/{thing}> <http://e/p> 1 .\n")).concat();
    std::fs::write(folder.path().join("a.ttl"), data).unwrap();
    let served = Served::start(folder.path(), &["--metrics", "127.0.0.1:0"]);
    for thing in ["edit", "login", "logout", "metrics"] {
        let told = served.get(&format!("/{thing}"), "application/n-triples");
        assert!(told.text().contains(&format!("<http://e/{thing}> <http://e/p>")), "{thing}: {}", told.text());
    }
    served.signal(libc::SIGTERM);
    let (_, said) = served.wait();
    assert!(said.contains("hide <http://e/find>: ask"), "{said}");
}
