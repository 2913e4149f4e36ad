//! Correcting a thing in a browser: signing in, the form, the diff, saving; and that no other page can do it meanwhile.
//! `KGQ_SAVES` is how many forms are saved on a crowded server.

use super::{MANIFEST, PEOPLE, TURTLE, file, project, served, update};
use crate::http::{Response, Served, escaped};
use std::path::Path;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const BROWSER: (&str, &str) = ("Accept", "text/html");

const SHAPES: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix e: <http://e/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n\
    e:PersonShape\n    a sh:NodeShape ;\n    sh:property [\n        sh:path e:age ;\n        sh:datatype xsd:integer ;\n        sh:maxCount 1 ;\n        sh:message \"an age is a number\" ;\n        \
    sh:name \"age in years\"@en ;\n        sh:name \"年龄\"@zh ;\n    ] ;\n    sh:property [ sh:path e:mood ; sh:in ( \"glad\" \"sad\" ) ] ;\n    sh:targetClass e:Person ;\n.\n";

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&start).unwrap_or_else(|| panic!("no {name} in {page}")).1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// A minimal browser that keeps cookies and sends forms.
pub struct Browser<'s> {
    served: &'s Served,
    cookies: Vec<(String, String)>,
}

impl<'s> Browser<'s> {
    pub fn new(served: &'s Served) -> Self {
        Self { served, cookies: Vec::new() }
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = vec![BROWSER, ("Cookie", cookies.as_str())];
        all.extend(headers);
        let response = self.served.request_with_body(method, path, &all, body.as_bytes());
        for (_, value) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            assert!(value.contains("; HttpOnly; SameSite=Strict"), "{value}");
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        response
    }

    pub fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], "")
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let origin = format!("http://{}", self.served.address);
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.send("POST", path, &[FORM, ("Origin", &origin)], &pairs.join("&"))
    }

    /// Signs in; returns the response.
    pub fn sign_in(&mut self, token: &str) -> Response {
        let secret = hidden(self.get("/login").text(), "secret");
        self.post("/login", &[("secret", &secret), ("to", "/ada"), ("token", token)])
    }
}

fn with_shapes(arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = project();
    std::fs::write(folder.path().join("p/data/shapes.ttl"), SHAPES).unwrap();
    let served = served(folder.path(), arguments);
    (folder, served)
}

const AGE: &str = "http://e/age";

#[test]
fn a_fact_is_corrected_by_a_form_that_shows_the_difference_before() {
    let (folder, served) = with_shapes(&[]);
    let mut browser = Browser::new(&served);
    assert!(
        browser.get("/ada").text().contains("edit?iri=http%3A%2F%2Fe%2Fada"),
        "the page of a thing leads to its form"
    );
    let to_login = browser.get("/edit?iri=e%3Aada");
    assert_eq!((to_login.status, to_login.header("location")), (303, Some("/login?to=%2Fedit%3Firi%3De%253Aada")));
    let signed_in = browser.sign_in("of-ada");
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/ada")));

    let form = browser.get("/edit?iri=e%3Aada");
    assert_eq!((form.status, form.header("cache-control")), (200, Some("no-store")));
    let policy = form.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
    let page = form.text();
    // With another policy browsers send `null` as the origin of a form.
    assert!(page.contains("<meta name=\"referrer\" content=\"same-origin\">"), "{page}");
    assert!(page.contains("age in years") && page.contains("<option value=\"glad\">"), "{page}");
    let chinese = browser.get("/edit?iri=e%3Aada&lang=zh");
    assert!(chinese.text().contains("年龄") && chinese.text().contains("显示差异"));

    let (secret, version) = (hidden(page, "secret"), hidden(page, "version"));
    let common = [("secret", secret.as_str()), ("version", version.as_str()), ("iri", "http://e/ada")];
    let rows = [
        ("p", "http://e/name"),
        ("o", "\"Ada\""),
        ("v", "Ada Lovelace"),
        ("l", ""),
        ("c", ""),
        ("p", AGE),
        ("o", ""),
        ("v", "36"),
        ("l", ""),
        ("c", ""),
        ("p", "http://e/knows"),
        ("o", "<http://e/bob>"),
        ("v", "e:bob"),
        ("l", ""),
        ("c", ""),
    ];
    let looked = browser.post("/edit", &[&common[..], &rows, &[("step", "look")]].concat());
    assert_eq!(looked.status, 200, "{}", looked.text());
    for line in [
        "<del>-    e:name &quot;Ada&quot; ;</del>",
        "<ins>+    e:name &quot;Ada Lovelace&quot; ;</ins>",
        "<ins>+    e:age 36 ;</ins>",
    ] {
        assert!(looked.text().contains(line), "{line}: {}", looked.text());
    }
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE, "nothing is written before it is saved");
    let saved = browser.post("/edit", &[&common[..], &rows, &[("step", "save"), ("message", "Her name")]].concat());
    assert!(saved.status == 200 && saved.text().contains("It is saved."), "{}", saved.text());
    assert_eq!(
        file(&folder, "data/people.ttl"),
        PEOPLE.replace("    e:knows", "    e:age 36 ;\n    e:knows").replace("\"Ada\"", "\"Ada Lovelace\"")
    );
    // The form was made for an older version.
    let late = browser.post("/edit", &[&common[..], &rows, &[("step", "save")]].concat());
    assert!(late.status == 412 && late.text().contains("has changed since"), "{}", late.text());
    let late = browser.post("/edit", &[&common[..], &rows, &[("step", "look")]].concat());
    assert_eq!(late.status, 412);
}

#[test]
fn a_value_that_cannot_be_read_is_told_at_its_row_and_an_empty_one_removes_its_fact() {
    let (folder, served) = with_shapes(&["--check"]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let page = browser.get("/edit?iri=e%3Aada").text().to_owned();
    let (secret, version) = (hidden(&page, "secret"), hidden(&page, "version"));
    let mut send = |step: &str, rows: &[(&str, &str)]| {
        let common =
            [("secret", secret.as_str()), ("version", version.as_str()), ("iri", "http://e/ada"), ("step", step)];
        browser.post("/edit", &[&common[..], rows].concat())
    };
    let wrong = send("look", &[("p", "http://e/knows"), ("o", "<http://e/bob>"), ("v", "nobody at all")]);
    assert!(wrong.status == 422 && wrong.text().contains("id=\"wrong-0\""), "{}", wrong.text());
    let gone = send("look", &[("p", "http://e/knows"), ("o", "<http://e/cid>"), ("v", "e:bob")]);
    assert!(gone.status == 422 && gone.text().contains("not there any more"), "{}", gone.text());
    let refused = send("save", &[("p", AGE), ("o", ""), ("v", "old")]);
    assert!(refused.status == 422 && refused.text().contains("an age is a number"), "{}", refused.text());
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    let removed = send("save", &[("p", "http://e/name"), ("o", "\"Ada\""), ("v", "")]);
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE.replace("    e:name \"Ada\" ;\n", ""));
}

/// A project that asks for citations, with one existing citation.
fn cited(folder: &Path) {
    let manifest = format!("{MANIFEST}[citations]\nrequired = true\n");
    std::fs::write(folder.join("p/kgq.toml"), manifest).unwrap();
    let text = "@prefix e: <http://e/> .\n@prefix oa: <http://www.w3.org/ns/oa#> .\n@prefix prov: <http://www.w3.org/ns/prov#> .\n\n\
        e:ada\n    a e:Person ;\n    e:age 35 ~ e:st1 {| prov:wasDerivedFrom e:c1 |} ;\n.\n\n\
        e:c1\n    oa:hasSource e:book ;\n.\n\ne:c2\n    oa:hasSource e:book ;\n.\n";
    std::fs::write(folder.join("p/data/people.ttl"), text).unwrap();
}

#[test]
fn where_the_project_asks_for_citations_a_new_fact_needs_one_and_a_corrected_one_keeps_its_reifier() {
    let folder = project();
    cited(folder.path());
    let served = served(folder.path(), &[]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let page = browser.get("/edit?iri=e%3Aada").text().to_owned();
    assert!(page.contains("name=\"c\" value=\"e:c1\""), "{page}");
    let (secret, version) = (hidden(&page, "secret"), hidden(&page, "version"));
    let common = [("secret", secret.as_str()), ("version", version.as_str()), ("iri", "http://e/ada")];
    let without = [("p", "http://e/name"), ("o", ""), ("v", "Ada"), ("l", ""), ("c", ""), ("step", "look")];
    // A property that no member has is not offered as a field.
    assert_eq!(browser.post("/edit", &[&common[..], &without].concat()).status, 422);
    let old = ("o", "\"35\"^^<http://www.w3.org/2001/XMLSchema#integer>");
    let second = [("p", AGE), ("o", ""), ("v", "37"), ("l", ""), ("c", ""), ("step", "look")];
    let uncited = browser.post("/edit", &[&common[..], &second].concat());
    assert!(uncited.status == 422 && uncited.text().contains("asks for a citation"), "{}", uncited.text());
    let cited = [("p", AGE), ("o", ""), ("v", "37"), ("l", ""), ("c", "e:c2"), ("step", "look")];
    let shown = browser.post("/edit", &[&common[..], &cited].concat());
    assert!(shown.text().contains("e:age 37 {| prov:wasDerivedFrom e:c2 |} ;"), "{}", shown.text());
    let corrected = [("p", AGE), old, ("v", "36"), ("l", ""), ("c", "e:c2"), ("step", "save")];
    let saved = browser.post("/edit", &[&common[..], &corrected].concat());
    assert_eq!(saved.status, 200, "{}", saved.text());
    let text = file(&folder, "data/people.ttl");
    assert!(!text.contains("35") && text.matches("e:st1").count() == 1, "{text}");
    let ask = "ASK { e:ada e:age 36 ~ e:st1 . e:st1 prov:wasDerivedFrom e:c2 . FILTER NOT EXISTS { e:st1 prov:wasDerivedFrom e:c1 } }";
    assert_eq!(served.query(ask, "*/*").json()["boolean"], true, "{text}");
}

#[test]
fn a_form_of_another_page_changes_nothing() {
    let (folder, served) = with_shapes(&[]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let page = browser.get("/edit?iri=e%3Aada").text().to_owned();
    let version = hidden(&page, "version");
    let rows =
        [("version", version.as_str()), ("iri", "http://e/ada"), ("step", "save"), ("p", AGE), ("o", ""), ("v", "1")];
    for secret in ["", "0123"] {
        assert_eq!(browser.post("/edit", &[&[("secret", secret)], &rows[..]].concat()).status, 403);
        assert_eq!(browser.post("/logout", &[("secret", secret)]).status, 403);
    }
    let secret = hidden(&page, "secret");
    let body =
        format!("secret={secret}&version={version}&iri=http%3A%2F%2Fe%2Fada&step=save&p=http%3A%2F%2Fe%2Fage&o=&v=1");
    let foreign = browser.send("POST", "/edit", &[FORM, ("Origin", "https://evil.example")], &body);
    assert_eq!(foreign.status, 403);
    // With only the cookie, data are written only for a stated version.
    let put = browser.send("PUT", "/graphs?default", &[TURTLE], "");
    assert_eq!((put.status, put.header("content-type")), (428, Some("application/problem+json")));
    let tag = served.get("/graphs?default", "*/*").header("etag").unwrap().to_owned();
    let put =
        browser.send("POST", "/graphs?default", &[TURTLE, ("If-Match", &tag)], "<http://e/x> a <http://e/Person> .");
    assert_eq!(put.status, 204);
    assert!(file(&folder, "data/people.ttl").starts_with("# People, by hand.\n"));
    // After signing out, the cookie is invalid.
    let before = browser.cookies.clone();
    assert_eq!(browser.post("/logout", &[("secret", &secret)]).status, 303);
    browser.cookies = before;
    assert_eq!(browser.get("/edit?iri=e%3Aada").status, 303);
}

#[test]
fn signing_in_takes_a_token_and_not_too_many_wrong_ones() {
    let (_folder, served) = with_shapes(&[]);
    let mut browser = Browser::new(&served);
    let page = browser.get("/login?to=https://evil.example/").text().to_owned();
    assert_eq!(hidden(&page, "to"), "/");
    let stolen = browser.post("/login", &[("secret", "0123"), ("token", "of-ada")]);
    assert_eq!(stolen.status, 403);
    let wrong = browser.sign_in("of-adam");
    assert!(wrong.status == 403 && wrong.text().contains("Nobody holds this token."), "{}", wrong.text());
    for _ in 0..9 {
        browser.sign_in("of-adam");
    }
    let more = browser.sign_in("of-ada");
    assert_eq!((more.status, more.header("retry-after")), (429, Some("60")));
}

#[test]
fn where_reading_needs_a_token_a_browser_is_sent_to_sign_in() {
    let folder = project();
    let served = Served::start(&folder.path().join("p"), &["--writable", "--tokens", "../readers"]);
    let mut browser = Browser::new(&served);
    let sent = browser.get("/ada");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/login?to=%2Fada")));
    assert_eq!(browser.get("/assets/site.css").status, 200);
    assert_eq!(browser.sign_in("of-cid").status, 303);
    assert_eq!(browser.get("/ada").status, 200);
    // A user who may only read is told so.
    assert_eq!(browser.get("/edit?iri=e%3Aada").status, 403);
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 36 }", &[]).status, 200);
}

/// The form fields that set Ada's age, besides the hidden ones.
fn of_age<'a>(page: &'a [(&'a str, &'a str)], age: &'a str, step: &'a str) -> Vec<(&'a str, &'a str)> {
    [page, &[("iri", "http://e/ada"), ("step", step), ("p", AGE), ("o", ""), ("v", age), ("l", ""), ("c", "")]].concat()
}

#[test]
fn who_is_no_longer_signed_in_is_sent_to_sign_in_and_back_to_the_form() {
    let folder = project();
    for tokens in ["../tokens", "../readers"] {
        let served = Served::start(&folder.path().join("p"), &["--writable", "--tokens", tokens]);
        let mut browser = Browser::new(&served);
        let form = of_age(&[("secret", "0123"), ("version", "x")], "36", "save");
        let sent = browser.post("/edit", &form);
        let there = "/login?to=%2Fedit%3Firi%3Dhttp%253A%252F%252Fe%252Fada";
        assert_eq!((sent.status, sent.header("location")), (303, Some(there)), "{}", sent.text());
        let login = browser.get(there).text().to_owned();
        let to = hidden(&login, "to");
        assert_eq!(to, "/edit?iri=http%3A%2F%2Fe%2Fada");
        let secret = hidden(&login, "secret");
        let back = browser.post("/login", &[("secret", &secret), ("to", &to), ("token", "of-ada")]);
        assert_eq!((back.status, back.header("location")), (303, Some(to.as_str())));
        assert_eq!(browser.get(&to).status, 200);
    }
}

#[test]
fn what_goes_wrong_with_a_form_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let (_folder, served) = with_shapes(&[]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    for (path, status, why) in [
        ("/edit", 400, "there is no `iri`"),
        ("/edit?iri=e%3Anobody", 404, "the graph says nothing of"),
        ("/edit?iri=no+iri", 400, "is neither an IRI nor a CURIE"),
    ] {
        let told = browser.get(path);
        assert_eq!((told.status, told.header("content-type")), (status, Some("text/html; charset=utf-8")), "{path}");
        assert!(told.text().contains(why) && told.text().contains("This was not done"), "{}", told.text());
        let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let plain = served.request("GET", path, &[("Cookie", &cookies.join("; "))]);
        assert_eq!((plain.status, plain.header("content-type")), (status, Some("application/problem+json")), "{path}");
    }
    let foreign = browser.post("/edit", &of_age(&[("secret", "0123")], "36", "save"));
    assert_eq!((foreign.status, foreign.header("content-type")), (403, Some("text/html; charset=utf-8")));
    assert!(foreign.text().contains("open it again"), "{}", foreign.text());
    // The typed input is kept if the change fails.
    let page = browser.get("/edit?iri=e%3Aada").text().to_owned();
    let (secret, version) = (hidden(&page, "secret"), hidden(&page, "version"));
    let own = [("secret", secret.as_str()), ("version", version.as_str())];
    let long = "x".repeat(10_001);
    let told = browser.post("/edit", &[of_age(&own, "361", "save"), vec![("message", long.as_str())]].concat());
    assert!(told.status == 400 && told.text().contains("value=\"361\""), "{}", told.text());
    assert!(told.text().contains("the message is longer than"), "{}", told.text());
}

#[test]
fn a_look_at_a_form_ends_where_the_time_of_a_request_does() {
    let (folder, served) = with_shapes(&[]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let page = browser.get("/edit?iri=e%3Aada").text().to_owned();
    let (secret, version) = (hidden(&page, "secret"), hidden(&page, "version"));
    let own = [("secret", secret.as_str()), ("version", version.as_str())];
    for step in ["look", "save"] {
        let late = browser.post("/edit?timeout=0s", &of_age(&own, "36", step));
        assert!(late.status == 503, "{step}: {} {}", late.status, late.text());
    }
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    assert_eq!(browser.post("/edit", &of_age(&own, "36", "look")).status, 200);
}

#[test]
fn a_form_that_was_saved_says_so_however_crowded_the_server_is() {
    let most = crate::updates::number("KGQ_SAVES", 5);
    let (folder, served) = with_shapes(&["--threads", "1", "--queue", "0", "--log", "none"]);
    let mut browser = Browser::new(&served);
    browser.sign_in("of-ada");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let mut saved = 0;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    served.query("SELECT * { ?a ?b ?c . ?d ?e ?f }", "text/csv");
                }
            });
        }
        for age in 1..100 * most {
            let page = browser.get("/edit?iri=e%3Aada");
            if page.status != 200 {
                assert_eq!(page.status, 429);
                continue;
            }
            let (secret, version) = (hidden(page.text(), "secret"), hidden(page.text(), "version"));
            let before = file(&folder, "data/people.ttl");
            let age = age.to_string();
            let told = browser.post("/edit", &of_age(&[("secret", &secret), ("version", &version)], &age, "save"));
            let is_written = file(&folder, "data/people.ttl") != before;
            assert_eq!(told.status, if is_written { 200 } else { 429 }, "{}", told.text());
            saved += u64::from(is_written);
            if saved == most {
                break;
            }
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(saved > 0, "nothing was saved");
}
