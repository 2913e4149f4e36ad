//! Compares the snapshots of documents with oxttl and with what `store` reads.

use super::*;
use crate::store::{ReadOptions, read_all};
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::{NamedNode, RdfFormat};
use std::collections::BTreeSet;
use std::io::Write as _;

fn bytes(name: &str, text: &str, format: RdfFormat) -> Input {
    Input::bytes(name, text.as_bytes().to_vec(), format)
}

/// The statements that `store` reads, as sorted lines.
fn expected(inputs: &[Input], lenient: bool) -> Result<BTreeSet<String>> {
    let parsed = read_all(inputs, ReadOptions { lenient, ..ReadOptions::default() })?;
    Ok(parsed.into_iter().flat_map(|document| document.quads).map(|quad| quad.to_string()).collect())
}

fn load(inputs: &[Input], memory: Option<u64>) -> Result<(Snapshot, BuildSummary)> {
    Snapshot::load(inputs, &BuildOptions { memory, ..BuildOptions::default() })
}

fn lines(snapshot: &Snapshot) -> BTreeSet<String> {
    snapshot.iter().map(|quad| quad.to_string()).collect()
}

#[test]
fn plain_and_unusual_lines_are_read_as_oxttl_reads_them() {
    let text = r#"# a comment
<http://e/s> <http://e/p> <http://e/o> .
<http://e/s>	<http://e/p>	"plain" . # after it
  <http://e/s><http://e/p>"tight".
<http://e/s> <http://e/p> "esc\t\n\"\\\r\b\f\'" .
<http://e/s> <http://e/p> "\u00e9\U0001F600" .
<http://e/\u00e9> <http://e/p> "é" .
<http://e/s> <http://e/p> "x"@en-GB .
<http://e/s> <http://e/p> "x"@EN-gb .
<http://e/s> <http://e/p> "x"@ar--rtl .
<http://e/s> <http://e/p> "01"^^<http://www.w3.org/2001/XMLSchema#integer> .
<http://e/s> <http://e/p> "s"^^<http://www.w3.org/2001/XMLSchema#string> .
_:a <http://e/p> _:b-1.x .
_:é <http://e/p> _:a .
<http://e/s> <http://e/p> <<( _:a <http://e/q> <<( <http://e/s> <http://e/p> "in" )>> )>> .

<urn:x> <http://e/p> "" .
"#;
    let crlf = text.replace('\n', "\r\n");
    let unended = text.trim_end();
    for text in [text, &crlf, unended] {
        let inputs = [bytes("d.nt", text, RdfFormat::NTriples)];
        let (snapshot, summary) = load(&inputs, None).unwrap();
        assert_eq!(lines(&snapshot), expected(&inputs, false).unwrap());
        assert_eq!(summary.statements, 15);
        assert_eq!(summary.triples, 14);
    }
}

#[test]
fn graphs_are_those_of_the_document_or_of_the_input() {
    let quads = "<http://e/s> <http://e/p> 'x' <http://e/g> .\n".replace('\'', "\"")
        + "<http://e/s> <http://e/p> _:o _:g .\n<http://e/s> <http://e/p> <http://e/o> .\n";
    let mapped = Some(NamedNode::new_unchecked("http://e/mapped"));
    let inputs = [
        bytes("d.nq", &quads, RdfFormat::NQuads).with_graph(mapped.clone()),
        bytes("d.nt", "_:o <http://e/p> _:o .", RdfFormat::NTriples).with_graph(mapped),
        bytes("d.trig", "PREFIX : <http://e/> :a :b [] . :g { :a :b [] , _:o }", RdfFormat::TriG),
    ];
    let (snapshot, _) = load(&inputs, None).unwrap();
    assert_eq!(lines(&snapshot), expected(&inputs, false).unwrap());
    assert_eq!(snapshot.prefixes().get(""), Some("http://e/"));
}

#[test]
fn what_the_standard_forbids_is_an_error_at_its_place() {
    let good = "<http://e/s> <http://e/p> <http://e/o> .\n";
    for (line, message, column) in [
        ("<http://e/s> <http://e/p> <o> .", "scheme", 27),
        ("<http://e/s> <http://e/p> <http://e/a b> .", "", 1),
        ("<http://e/s> <http://e/p> \"x\"@e_ .", "", 1),
        ("<http://e/s> <http://e/p> \"x\"@toolonglanguagetag .", "", 31),
        ("<http://e/s> <http://e/p> \"x\\q\" .", "", 1),
        ("<http://e/s> \"p\" <http://e/o> .", "predicate", 1),
        ("<http://e/s> <http://e/p> <http://e/o>", "dot", 1),
        ("<http://e/s> <http://e/p> <http://e/o> <http://e/g> .", "dot", 1),
        ("<http://e/s> <http://e/p> \"x\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .", "", 1),
        ("nonsense", "", 1),
    ] {
        let text = format!("{good}{line}\n{good}");
        let inputs = [bytes("d.nt", &text, RdfFormat::NTriples)];
        let error = load(&inputs, None).map(|_| ()).expect_err(line);
        let place = error.place().unwrap_or_else(|| panic!("{error}"));
        assert_eq!((place.file.as_str(), place.line), ("d.nt", 2), "{line}: {error}");
        assert!(error.message().contains(message), "{line}: {error}");
        assert!(column == 1 || place.column == column, "{line}: {error}");
        assert!(expected(&inputs, false).is_err());
    }
    let invalid = [b"<http://e/s> <http://e/p> \"\xff\" .\n".as_slice(), good.as_bytes()].concat();
    let error = load(&[Input::bytes("d.nt", invalid, RdfFormat::NTriples)], None).map(|_| ()).unwrap_err();
    assert_eq!(error.place().map(|p| p.line), Some(1));
}

#[test]
fn the_first_error_is_told_whichever_thread_finds_one_first() {
    let good = "<http://e/s> <http://e/p> <http://e/o> .\n";
    // The error stands at the end of a long piece, which takes longer to read than the failures behind it to be found.
    let first = || bytes("first.nt", &(good.repeat(20_000) + "nonsense\n"), RdfFormat::NTriples);
    let second = || bytes("second.nt", "nonsense\n", RdfFormat::NTriples);
    let absent = || {
        let file = tempfile::Builder::new().suffix(".nt").tempfile().unwrap();
        Input::file("absent.nt", file.path(), None).unwrap()
    };
    for inputs in [vec![first(), second()], vec![first(), absent()], vec![first(), second(), absent()]] {
        for _ in 0..10 {
            let error = load(&inputs, None).map(|_| ()).unwrap_err();
            assert_eq!(error.place().map(|place| (place.file.as_str(), place.line)), Some(("first.nt", 20_001)));
        }
    }
}

#[test]
fn lenience_accepts_what_oxttl_does() {
    let text = "<http://e/a b> <p> \"x\"@toolonglanguagetag .\n<http://e/s> <http://e/p> \"two\nlines\" .\n<urn:a> <urn:b> <urn:c> .\n";
    let inputs = [bytes("d.nt", text, RdfFormat::NTriples)];
    let options = BuildOptions { lenient: true, ..BuildOptions::default() };
    let (snapshot, _) = Snapshot::load(&inputs, &options).unwrap();
    assert_eq!(lines(&snapshot), expected(&inputs, true).unwrap());
}

/// Documents with many statements of every kind; the first document is line-based.
fn many() -> Vec<Input> {
    let mut text = String::new();
    for i in 0..4000u32 {
        let n = i.wrapping_mul(2_654_435_761) % 1000;
        let object = match i % 7 {
            0 => format!("_:b{}", n % 50),
            1 => format!("\"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer>"),
            2 => format!("\"0{n}.0\"^^<http://www.w3.org/2001/XMLSchema#decimal>"),
            3 => format!("\"text {n}\"@en"),
            4 => format!("\"{n}\""),
            5 => format!("<<( <http://e/s{}> <http://e/p> \"{n}\" )>>", n % 10),
            _ => format!("<http://e/s{n}>"),
        };
        text += &format!("<http://e/s{}> <http://e/p{}> {object} .\n", n % 300, i % 5);
        if i % 3 == 0 {
            text.pop();
            text.pop();
            text += &format!("<http://e/g{}> .\n", i % 4);
        }
    }
    let turtle = "@prefix : <http://e/> . :s1 :p0 _:b1 , [ :p1 1 ] , 1.0 . _:b1 :p2 <s300> .";
    vec![
        bytes("d.nq", &text, RdfFormat::NQuads),
        bytes("t.ttl", turtle, RdfFormat::Turtle).with_base(Some("http://e/".into())),
        bytes("e.nq", &text.replace("s1", "t1"), RdfFormat::NQuads),
    ]
}

#[test]
fn little_memory_makes_the_same_snapshot() {
    let inputs = many();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, memory| {
        let path = folder.path().join(name);
        let summary = Snapshot::build(&inputs, &BuildOptions { memory, ..BuildOptions::default() }, &path).unwrap();
        (summary, std::fs::read(&path).unwrap())
    };
    let (summary, plenty) = file("plenty", None);
    assert_eq!(lines(&Snapshot::open(&folder.path().join("plenty")).unwrap()), expected(&inputs, false).unwrap());
    for memory in [1, 200_000, 4_000_000] {
        let (again, little) = file("little", Some(memory));
        assert_eq!(again, summary);
        assert!(little == plenty, "{memory} bytes make another file");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn compressed_documents_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = "<http://e/s> <http://e/p> <http://e/o> .\n".repeat(3);
    let gzip = folder.path().join("d.nt.gz");
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(&gzip).unwrap(), Default::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    let zstandard = folder.path().join("d.nt.zst");
    std::fs::write(&zstandard, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    for path in [gzip, zstandard] {
        let inputs = [Input::file(&path.display().to_string(), &path, None).unwrap()];
        let (snapshot, summary) = load(&inputs, None).unwrap();
        assert_eq!((snapshot.triple_count(), summary.statements), (1, 3));
        assert_eq!(summary.digests, [digest_of_file(&path).unwrap()]);
        let mut cut = std::fs::read(&path).unwrap();
        cut.truncate(cut.len() - 9);
        std::fs::write(&path, cut).unwrap();
        assert!(load(&inputs, None).is_err());
    }
}

#[test]
fn a_build_that_fails_or_is_stopped_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.kgq");
    std::fs::write(&path, "before").unwrap();
    let broken = [many(), vec![bytes("broken.ttl", "nonsense", RdfFormat::Turtle)]].concat();
    let error = Snapshot::build(&broken, &BuildOptions::default(), &path).unwrap_err();
    assert_eq!(error.place().map(|p| p.file.as_str()), Some("broken.ttl"), "{error}");

    for phase in [Phase::Reading, Phase::MergingTerms, Phase::SortingStatements, Phase::Writing] {
        let budget = Budget::default();
        let stop = |progress: Progress| {
            if progress.phase >= phase {
                budget.cancel();
            }
        };
        let options = BuildOptions {
            progress: Some(&stop),
            budget: budget.clone(),
            memory: Some(1_000_000),
            ..BuildOptions::default()
        };
        let error = Snapshot::build(&many(), &options, &path).unwrap_err();
        assert_eq!(error.kind(), Kind::Interrupted, "{phase:?}");
        assert_eq!(budget.held(), 0, "{phase:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_key_changes_with_all_that_decides_the_content() {
    let input = || bytes("d.nt", "<http://e/s> <http://e/p> <http://e/o> .", RdfFormat::NTriples);
    let key = |input: Input, lenient| {
        let options = BuildOptions { lenient, ..BuildOptions::default() };
        Snapshot::load(&[input], &options).unwrap().1.key
    };
    let mut renamed = input();
    renamed.name = "other.nt".into();
    assert_eq!(key(renamed, false), key(input(), false));
    let others = [
        key(input(), true),
        key(input().with_base(Some("http://e/".into())), false),
        key(input().with_graph(Some(NamedNode::new_unchecked("http://e/g"))), false),
        key(bytes("d.nt", "<http://e/s> <http://e/p> <http://e/q> .", RdfFormat::NTriples), false),
        key(bytes("d.nt", "<http://e/s> <http://e/p> <http://e/o> .", RdfFormat::NQuads), false),
        key(input(), false),
    ];
    assert_eq!(others.iter().collect::<std::collections::HashSet<_>>().len(), others.len());
}

#[test]
fn parts_are_made_in_their_order_with_and_without_threads() {
    let square = |n: i32| if n < 3 { Ok(n * n) } else { Err(Error::input(format!("{n} is too large"))) };
    for rows in [0, 1 << 20] {
        assert_eq!(threads::each(0..3, rows, "squaring", square).unwrap(), [0, 1, 4]);
        let error = threads::each(1..6, rows, "squaring", square).unwrap_err();
        assert_eq!(error.message(), "3 is too large");
        let (one, other) = threads::both(rows, "squaring", || square(2), || 5);
        assert_eq!((one.unwrap(), other), (4, 5));
    }
}
