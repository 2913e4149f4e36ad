//! Commands that write files of a project wait until nobody reads or writes there.

use super::program::{command, finish};
use kgq_snapshot::store::together;
use std::fs;
use std::time::Duration;

#[test]
fn commands_that_write_files_of_a_project_wait_for_those_who_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.ttl"), "@prefix e: <http://e/> . e:a e:p 1 .").unwrap();
    let writes: [(&[&str], &str); 4] = [
        (&["init"], "kgq.toml"),
        (&["fmt"], "a.ttl"),
        (&["check", "--baseline", "known.json", "--update-baseline"], "known.json"),
        (&["test", "--accept"], "tests/answers/all.csv"),
    ];
    for (arguments, file) in writes {
        let before = fs::read(path(file)).ok();
        let (reading, _) = together::read(folder.path()).unwrap();
        let mut child = command(folder.path()).args(arguments).spawn().unwrap();
        // Long enough to write, if it did not wait.
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "{arguments:?} did not wait");
        assert_eq!(fs::read(path(file)).ok(), before, "{arguments:?}");
        drop(reading);
        let ran = finish(child);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        assert!(fs::read(path(file)).ok() != before, "{arguments:?}: {}", ran.text());
        if file == "kgq.toml" {
            fs::write(path("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\nqueries = [\"queries/*.rq\"]\n").unwrap();
            fs::create_dir(path("queries")).unwrap();
            fs::write(path("queries/all.rq"), "#+ title: All\nSELECT ?s { ?s ?p ?o }\n").unwrap();
        }
    }
}
