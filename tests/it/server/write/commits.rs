//! Each change becomes a commit; and the answer to a writer if git refuses one.

use super::{ADA, PEOPLE, TURTLE, UPDATE, file, project, served, update};
use crate::http::Served;
use std::path::PathBuf;

/// A project in a git repository.
struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    /// `None` if git is missing.
    fn new() -> Option<Self> {
        if std::process::Command::new("git").arg("--version").output().is_err() {
            crate::needs::absent_tool("git");
            return None;
        }
        let kept = Self { folder: project() };
        kept.git(&["init", "-q", "."]);
        kept.git(&["config", "user.name", "server"]);
        kept.git(&["config", "user.email", "server@e.example"]);
        kept.git(&["add", "-A"]);
        kept.git(&["commit", "-qm", "first"]);
        Some(kept)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("p")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new("git").arg("-C").arg(self.root()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn served(&self) -> Served {
        served(self.folder.path(), &["--commit"])
    }
}

#[test]
fn each_change_is_a_commit_by_the_name_of_the_token() {
    let Some(kept) = Kept::new() else { return };
    std::fs::write(kept.root().join("notes"), "not of the change").unwrap();
    let served = kept.served();
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "Bearer of-bob")];
    let body = b"message=Ada+is+36&update=INSERT+DATA+%7B+e%3Aada+e%3Aage+36+%7D";
    let changed = served.request_with_body("POST", "/sparql", &form, body).json();
    assert_eq!(changed["committed"], true, "{changed}");
    assert_eq!(update(&served, "INSERT DATA { e:ada e:age 37 }", &[]).status, 200);
    assert_eq!(
        kept.git(&["log", "-2", "--reverse", "--format=%an <%ae> %cn: %s"]),
        "bob@e.example <bob@e.example> server: Ada is 36\nada <> server: Change the graph by SPARQL Update\n"
    );
    assert_eq!(
        kept.git(&["show", "--stat", "--format="]).lines().next().unwrap().trim().split(' ').next(),
        Some("data/people.ttl")
    );
    assert_eq!(kept.git(&["status", "--short"]), "?? notes\n");
}

#[test]
fn a_commit_is_called_by_the_graph_that_changed() {
    let Some(kept) = Kept::new() else { return };
    let served = kept.served();
    let one = b"<http://e/ada> <http://e/age> 1 .".as_slice();
    let patch = b"INSERT DATA { e:ada e:age 2 }".as_slice();
    for (method, path, body, status, title) in [
        ("POST", "/graphs?default", one, 204, "Add to the default graph"),
        ("PATCH", "/graphs?graph=http%3A%2F%2Fe%2Fg", patch, 204, "Change the graph <http://e/g>"),
        ("PUT", "/g", one, 204, "Replace the graph <http://e/g>"),
        ("PUT", "/new/graph", one, 201, "Make the graph <http://e/new/graph>"),
        ("DELETE", "/graphs?graph=http%3A%2F%2Fe%2Fh", b"".as_slice(), 204, "Remove the graph <http://e/h>"),
    ] {
        let types = if method == "PATCH" { UPDATE } else { TURTLE };
        let answer = served.request_with_body(method, path, &[types, ADA], body);
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{method} {path}: {}", answer.text());
        assert_eq!(kept.git(&["log", "-1", "--format=%s"]).trim_end(), title);
    }
    let made = served.request_with_body("POST", "/graphs", &[TURTLE, ADA], one);
    let title = format!("Make the graph <{}>", made.header("location").unwrap());
    assert_eq!(kept.git(&["log", "-1", "--format=%s"]).trim_end(), title);
}

#[cfg(unix)]
#[test]
fn every_writer_is_told_that_the_commit_was_not_made() {
    use std::os::unix::fs::PermissionsExt;
    let Some(kept) = Kept::new() else { return };
    let hook = kept.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho refused by the hook >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let served = kept.served();
    let one = b"<http://e/ada> <http://e/age> 1 .".as_slice();
    let (g, patch) = ("/graphs?graph=http%3A%2F%2Fe%2Fg", b"INSERT DATA { e:ada e:age 2 }".as_slice());
    for (method, path, body, status) in [
        ("POST", "/sparql", b"INSERT DATA { e:ada e:age 3 }".as_slice(), 200),
        ("POST", "/graphs?default", one, 200),
        ("PUT", "/graphs?graph=http%3A%2F%2Fe%2Fnew", one, 201),
        ("PATCH", g, patch, 200),
        ("PUT", g, one, 200),
        ("DELETE", g, b"".as_slice(), 200),
    ] {
        let types = if method == "PATCH" || path == "/sparql" { UPDATE } else { TURTLE };
        let answer = served.request_with_body(method, path, &[types, ADA], body);
        let report = answer.json();
        assert_eq!((answer.status, &report["committed"]), (status, &false.into()), "{method} {path}: {report}");
        assert!(report["warnings"].to_string().contains("only the commit is not made"), "{report}");
        assert_eq!(answer.header("location").is_some(), status == 201, "{method} {path}");
        assert_eq!(answer.header("etag").unwrap(), format!("\"{}\"", report["version"].as_str().unwrap()));
    }
    assert_ne!(file(&kept.folder, "data/people.ttl"), PEOPLE, "the files are changed all the same");
    assert_eq!(kept.git(&["log", "--format=%s"]), "first\n");
    served.signal(libc::SIGTERM);
    let said = served.wait().1;
    assert!(said.contains("refused by the hook"), "{said}");
}

#[test]
fn where_git_fails_before_nothing_is_written_and_the_client_is_told_so() {
    let Some(kept) = Kept::new() else { return };
    let served = kept.served();
    std::fs::rename(kept.root().join(".git"), kept.root().join("elsewhere")).unwrap();
    let refused = update(&served, "INSERT DATA { e:ada e:age 36 }", &[]);
    let problem = refused.json();
    assert_eq!(refused.status, 500, "{problem}");
    assert_eq!(problem["detail"], "the files cannot be changed, and nothing is written; the server's log says why");
    assert_eq!(file(&kept.folder, "data/people.ttl"), PEOPLE);
    served.signal(libc::SIGTERM);
    let said = served.wait().1;
    assert!(said.contains("git: "), "{said}");
}
