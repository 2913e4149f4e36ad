//! Addresses of former things answer 410 and those of unknown things 404, according to the project's history.

use crate::http::Served;
use std::path::Path;
use std::process::Command;

const BROWSER: &str = "text/html";

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@e", "-c", "commit.gpgsign=false"]);
    let done = command.args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn write(folder: &Path, file: &str, things: &[&str]) {
    let lines = things.iter().map(|thing| format!("e:{thing} e:p e:object-only , \"{thing}\" .\n"));
    let text = format!("@prefix e: <http://e/id/> .\n{}", lines.collect::<String>());
    std::fs::write(folder.join(file), text).unwrap();
}

#[test]
fn a_thing_that_git_knows_was_there_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let manifest = "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n";
    std::fs::write(folder.join("kgq.toml"), manifest).unwrap();
    git(folder, &["init", "-q"]);
    write(folder, "a.ttl", &["ada", "bob", "cid", "moved", "dan-o-1"]);
    write(folder, "b.ttl", &["eve"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "one"]);
    write(folder, "a.ttl", &["ada", "bob", "dan-o-1"]);
    std::fs::write(folder.join("b.ttl"), "@prefix e: <http://e/id/> .\ne:moved e:p 1 .\n").unwrap();
    git(folder, &["commit", "-qam", "two"]);
    git(folder, &["rm", "-q", "b.ttl"]);
    write(folder, "c.ttl", &["moved"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "three"]);
    // This state is not committed.
    write(folder, "a.ttl", &["ada", "bob"]);
    let served = Served::start(folder, &[]);
    for (thing, status) in
        [("ada", 200), ("moved", 200), ("cid", 410), ("eve", 410), ("dan-o-1", 410), ("dan", 404), ("never", 404)]
    {
        let path = format!("/id/{thing}");
        assert_eq!(served.get(&path, "text/turtle").status, status, "{thing}");
        assert_eq!(served.get(&path, BROWSER).status, status, "{thing}, as a page");
    }
    let gone = served.get("/id/cid", "*/*");
    assert_eq!(gone.header("content-type"), Some("application/problem+json"));
    assert!(gone.json()["detail"].as_str().unwrap().contains("<http://e/id/cid> was removed"), "{}", gone.text());
    assert!(served.get("/id/cid", BROWSER).text().contains("<h1>No longer here</h1>"));
    assert!(served.request("HEAD", "/id/eve", &[]).status == 410);
}
