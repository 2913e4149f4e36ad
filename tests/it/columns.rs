//! Columnar formats as a user meets them; `tests/cases/kinds` has the text formats.

use super::program::{Ran, run};
use std::path::Path;

const QUERY: &str = "SELECT ?s ?n { ?s <http://e/n> ?n } ORDER BY ?n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.ttl"), "PREFIX e: <http://e/> e:a a e:C ; e:n 1 . e:b a e:C ; e:n 2, 3 .")
        .unwrap();
    folder
}

fn query(folder: &Path, words: &[&str]) -> Ran {
    run(folder, &[&["query", "-d", "d.ttl"], words, &[QUERY]].concat())
}

#[test]
fn options_of_columns_are_refused_elsewhere() {
    let folder = folder();
    let ran = query(folder.path(), &["--terms", "-F", "csv"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("`--terms` is for columns"), "{}", ran.stderr);
    let ran = run(folder.path(), &["export", "-d", "d.ttl", "--tables", "t", "-F", "html"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(!folder.path().join("t").exists());
}

#[cfg(not(feature = "tables"))]
#[test]
fn a_build_without_columns_says_so_before_it_works() {
    let folder = folder();
    for words in [vec!["-F", "parquet"], vec!["-F", "arrow"], vec!["-o", "a.xlsx"]] {
        let ran = query(folder.path(), &words);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("this build of kgq does not write"), "{}", ran.stderr);
        assert!(ran.stderr.contains("the feature `tables`"), "{}", ran.stderr);
    }
    let ran = run(folder.path(), &["export", "-d", "d.ttl", "--parquet", "p"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(!folder.path().join("a.xlsx").exists() && !folder.path().join("p").exists());
}

#[cfg(feature = "tables")]
mod written {
    use super::*;

    /// Whether a file begins with its format's magic bytes.
    fn begins(bytes: &[u8], magic: &[u8]) -> bool {
        bytes.starts_with(magic)
    }

    #[test]
    fn a_file_of_arrow_is_a_file_and_the_standard_output_a_stream() {
        let folder = folder();
        assert_eq!(query(folder.path(), &["-o", "a.arrow"]).code, 0);
        let file = std::fs::read(folder.path().join("a.arrow")).unwrap();
        assert!(begins(&file, b"ARROW1") && file.ends_with(b"ARROW1"));
        let stream = query(folder.path(), &["-F", "arrow"]);
        assert_eq!(stream.code, 0, "{}", stream.stderr);
        assert!(begins(&stream.stdout, b"\xff\xff\xff\xff"), "an encapsulated message begins with its mark");
        let ask = run(folder.path(), &["query", "-d", "d.ttl", "-F", "parquet", "ASK {}"]);
        assert!(begins(&ask.stdout, b"PAR1") && ask.stdout.ends_with(b"PAR1"));
        assert!(begins(&query(folder.path(), &["-F", "xlsx"]).stdout, b"PK"));
    }

    #[test]
    fn terms_make_another_file_and_cited_rows_have_a_column_more() {
        let folder = folder();
        let (plain, terms) =
            (query(folder.path(), &["-F", "parquet"]), query(folder.path(), &["-F", "parquet", "--terms"]));
        assert!(terms.stdout.len() > plain.stdout.len());
        let cited = query(folder.path(), &["-F", "parquet", "--cite"]);
        assert_eq!(cited.code, 0, "{}", cited.stderr);
        assert!(cited.stdout.windows(4).any(|window| window == b"cite"));
    }

    #[test]
    fn a_graph_as_parquet_is_whole_or_not_there_and_replaces_its_own_folder_alone() {
        let folder = folder();
        let export = |words: &[&str]| run(folder.path(), &[&["export", "-d", "d.ttl"], words].concat());
        let ran = export(&["--parquet", "p", "--checksum"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("5 statements"), "{}", ran.stderr);
        let sums = std::fs::read_to_string(folder.path().join("p/SHA256SUMS")).unwrap();
        assert!(sums.contains("  terms.parquet\n") && sums.contains("  triples.parquet\n"), "{sums}");
        assert_eq!(export(&["--parquet", "p"]).code, 0);
        assert!(!folder.path().join("p/SHA256SUMS").exists());
        std::fs::create_dir(folder.path().join("mine")).unwrap();
        std::fs::write(folder.path().join("mine/terms.parquet"), "mine").unwrap();
        assert_eq!(export(&["--parquet", "mine"]).code, 6);
        assert_eq!(std::fs::read(folder.path().join("mine/terms.parquet")).unwrap(), b"mine");
        assert_eq!(export(&["--parquet", "few", "--max-memory", "100"]).code, 5);
        assert!(!folder.path().join("few").exists());
    }

    #[test]
    fn tables_of_classes_are_written_as_columns_too() {
        let folder = folder();
        for ending in ["parquet", "arrow", "xlsx"] {
            let ran = run(folder.path(), &["export", "-d", "d.ttl", "--tables", ending, "-F", ending]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let names: Vec<_> = std::fs::read_dir(folder.path().join(ending)).unwrap().flatten().collect();
            assert!(
                names.iter().any(|name| name.file_name().to_string_lossy() == format!("e-C.{ending}")),
                "{names:?}"
            );
        }
    }
}
