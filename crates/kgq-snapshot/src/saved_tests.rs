//! Saved snapshots: read back whole, refused when damaged, replaced while they are read.

use super::file::Reader;
use super::tests::{dataset, iri};
use super::*;
use oxrdf::Literal;
use std::io::{Seek, SeekFrom, Write as _};
use std::path::PathBuf;

/// Everything that a snapshot contains, or the damage found in it.
fn content(snapshot: &Snapshot) -> Result<String> {
    use std::fmt::Write as _;
    let mut out = String::new();
    let mut text = Vec::new();
    for id in (0..snapshot.term_count()).map(TermId::new) {
        let term = snapshot.term(id);
        let (value, rank) = (snapshot.value(id), snapshot.value_rank(id));
        let parts = (
            snapshot.triple_components(id),
            snapshot.datatype(id),
            snapshot.language(id),
            snapshot.text(id, &mut text),
        );
        let _ = writeln!(
            out,
            "{term} {value:?} {rank:?} {parts:?} {:?} {:?}",
            snapshot.kind(id),
            snapshot.id(term.as_ref())
        );
        if let Term::Literal(literal) = &term {
            let _ = writeln!(out, "{:?}", snapshot.equal_range(literal.as_ref()));
        }
    }
    let mut index = |index: Index<'_>| {
        for (key, run) in index.keys() {
            let _ = writeln!(out, "{key:?} {run:?}");
            for depth in 1..index.width() {
                let mut ids = Vec::new();
                index.read(depth, run.clone(), &mut ids);
                let _ = writeln!(out, "{ids:?}");
                if depth == 1 {
                    for id in ids {
                        let _ = writeln!(out, "{:?} {}", index.range(&[key, id]), index.seek(1, run.clone(), id));
                    }
                }
            }
        }
    };
    Permutation::ALL.into_iter().for_each(|p| index(snapshot.triples(p)));
    QuadPermutation::ALL.into_iter().for_each(|p| index(snapshot.quads(p)));
    for statement in snapshot.find_ids([None; 3]) {
        let _ = writeln!(out, "{:?}", snapshot.origin(statement));
    }
    let _ = writeln!(out, "{:?}", (snapshot.named_graphs(), snapshot.statistics(), snapshot.quad_statistics()));
    snapshot.intact()?;
    Ok(out)
}

fn save(snapshot: &Snapshot) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.kgq");
    snapshot.save(&path, ContentKey::of([b"test".as_slice()])).unwrap();
    (folder, path)
}

/// A few statements with terms of every kind, and their places.
fn small() -> Snapshot {
    let mut quads: Vec<Quad> = dataset().into_iter().step_by(60).collect();
    quads.push(Quad::new(iri("s"), iri("p"), Literal::from(1), GraphName::DefaultGraph));
    Snapshot::from_quads_in_order(&quads, &Default::default()).unwrap()
}

#[test]
fn a_snapshot_that_is_given_as_a_file_of_rdf_is_told_to_be_opened() {
    let (_folder, path) = save(&Snapshot::from_quads(dataset()).unwrap());
    let error = crate::store::Input::file("d.kgq", &path, None).unwrap_err();
    assert!(error.message().contains("this is a snapshot"), "{error}");
    assert_eq!(error.hints(), ["say `--snapshot d.kgq`"]);
}

#[test]
fn a_saved_snapshot_reads_as_it_was() {
    for snapshot in [Snapshot::from_quads(dataset()).unwrap(), Snapshot::from_quads([]).unwrap(), small()] {
        let (_folder, path) = save(&snapshot);
        let opened = Snapshot::open(&path).unwrap();
        assert_eq!(content(&opened).unwrap(), content(&snapshot).unwrap());
        assert_eq!(opened.content_key(), ContentKey::of([b"test".as_slice()]));
        opened.verify().unwrap();
        // A copy of a copy is the same file.
        let again = path.with_extension("again");
        opened.save(&again, opened.content_key()).unwrap();
        assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&path).unwrap());
    }
}

#[test]
fn a_snapshot_with_any_byte_flipped_is_refused_or_reads_as_it_was() {
    let snapshot = small();
    let expected = content(&snapshot).unwrap();
    let (_folder, path) = save(&snapshot);
    let sound = std::fs::read(&path).unwrap();
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    let mut put = |at: usize, byte: u8| {
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    for (at, byte) in sound.iter().enumerate() {
        put(at, byte ^ 1 << (at % 8));
        let error = Snapshot::open(&path).unwrap_err();
        assert!(error.message().contains("snapshot"), "{error}");
        // A large file is checked only as it is read.
        if let Ok(snapshot) = Reader::open(&path, 0).and_then(|mut reader| Snapshot::read(&mut reader)) {
            match content(&snapshot) {
                Ok(actual) => assert_eq!(actual, expected, "byte {at}"),
                Err(error) => assert!(error.message().contains("damaged"), "{error}"),
            }
            assert!(snapshot.verify().is_err());
        }
        put(at, *byte);
    }
}

#[test]
fn a_snapshot_cut_at_any_length_is_refused() {
    let (_folder, path) = save(&small());
    let sound = std::fs::read(&path).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    for length in (0..sound.len()).rev() {
        file.set_len(length as u64).unwrap();
        assert!(Snapshot::open(&path).is_err(), "{length}");
        assert!(Reader::open(&path, 0).is_err(), "{length}");
    }
    std::fs::write(&path, [sound.as_slice(), b"\0"].concat()).unwrap();
    assert!(Snapshot::open(&path).unwrap_err().message().contains("cut off"));
}

#[test]
fn another_version_or_another_file_is_named_as_such() {
    let (folder, path) = save(&small());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 77;
    let sum = crc32fast::hash(&bytes[..4092]);
    bytes[4092..4096].copy_from_slice(&sum.to_ne_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert!(Snapshot::open(&path).unwrap_err().message().contains("format version 77"));
    std::fs::write(&path, vec![b'a'; 9000]).unwrap();
    assert!(Snapshot::open(&path).unwrap_err().message().contains("not a snapshot"));
    assert!(Snapshot::open(folder.path()).is_err());
    assert!(Snapshot::open(&folder.path().join("absent")).is_err());
}

/// A file with the sections of a snapshot, some of them changed.
fn written(snapshot: &Snapshot, change: impl Fn(&mut Writer)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.kgq");
    let whole = crate::store::WholeFile::create(&path, &crate::store::Unfinished::default()).unwrap();
    let mut writer = Writer::new(whole).unwrap();
    change(&mut writer);
    snapshot.write(&mut writer).unwrap();
    writer.finish(ContentKey::default()).unwrap();
    (folder, path)
}

#[test]
fn a_section_that_is_not_known_is_skipped() {
    let (_folder, path) = written(&small(), |writer| {
        writer.section(file::Section { name: "of-tomorrow", version: 9 });
        writer.numbers(&[7; 100]).unwrap();
    });
    let opened = Snapshot::open(&path).unwrap();
    assert_eq!(content(&opened).unwrap(), content(&small()).unwrap());
    opened.verify().unwrap();
}

#[test]
fn a_section_of_another_version_is_named() {
    let (_folder, path) = written(&small(), |writer| {
        writer.section(file::Section { name: section::QUADS.name, version: 9 });
    });
    let error = Snapshot::open(&path).unwrap_err();
    assert!(error.message().contains("its section `quads` has version 9, this program reads 2"), "{error}");
    assert!(error.to_string().contains("build it again"), "{error}");
}

#[test]
fn nothing_is_left_behind_by_a_writer_that_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.kgq");
    let mut writer =
        Writer::new(crate::store::WholeFile::create(&path, &crate::store::Unfinished::default()).unwrap()).unwrap();
    writer.section(section::GRAPHS);
    writer.numbers(&[1, 2, 3]).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // The next builder removes what a killed one left behind, but not what a running one has.
    let dead = folder.path().join(".s.kgq.1-0.building");
    std::fs::write(&dead, "").unwrap();
    let running =
        Writer::new(crate::store::WholeFile::create(&path, &crate::store::Unfinished::default()).unwrap()).unwrap();
    assert!(!dead.exists());
    let second =
        Writer::new(crate::store::WholeFile::create(&path, &crate::store::Unfinished::default()).unwrap()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    drop((running, second));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn readers_go_on_while_the_snapshot_is_replaced() {
    let (_folder, path) = save(&small());
    let other = Snapshot::from_quads([Quad::new(iri("s"), iri("p"), iri("o"), GraphName::DefaultGraph)]).unwrap();
    let contents = [content(&small()).unwrap(), content(&other).unwrap()];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let opened = Snapshot::open(&path).unwrap();
                    std::thread::yield_now();
                    assert!(contents.contains(&content(&opened).unwrap()));
                }
            });
        }
        for _ in 0..25 {
            other.save(&path, ContentKey::default()).unwrap();
            small().save(&path, ContentKey::default()).unwrap();
        }
    });
}
