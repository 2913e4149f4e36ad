//! Bad inputs, each with its expected exit code, place and message: none panics, takes more than five seconds of processor time,
//! or more than 512 MiB.
//!
//! The cases are in `cases.txt`; its head describes their syntax.

use super::program;
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(5);
const LARGEST: u64 = 512 << 20;

#[derive(Default)]
struct Case {
    name: String,
    line: usize,
    files: Vec<(String, Vec<u8>)>,
    input: Option<Vec<u8>>,
    arguments: Vec<String>,
    code: i32,
    says: Vec<String>,
}

#[test]
fn every_bad_input_gets_its_message_soon_and_cheaply() {
    let cases = cases(include_str!("cases.txt"));
    assert!(cases.len() >= 120, "{} cases", cases.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = check(case) {
                        // Writing to a `String` cannot fail.
                        let _ = writeln!(wrong.lock().unwrap(), "cases.txt:{}: {}: {why}", case.line, case.name);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn check(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &case.files {
        let path = folder.path().join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).unwrap();
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let ran = match &case.input {
        Some(input) => program::run_with_input(folder.path(), &case.arguments, input.clone()),
        None => program::run(folder.path(), &case.arguments),
    };
    let message = &ran.stderr;
    if ran.code != case.code {
        return Err(format!("ends with {}, not {}; {message}", ran.code, case.code));
    }
    if let Some(missing) = case.says.iter().find(|part| !message.contains(*part)) {
        return Err(format!("does not say `{missing}`: {message}"));
    }
    if message.contains("panicked") || message.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(format!("says {message:?}"));
    }
    if ran.cpu > LONGEST || ran.peak > LARGEST {
        return Err(format!("takes {:?} and {} MiB", ran.cpu, ran.peak >> 20));
    }
    if let Some(left) = leftovers(folder.path()) {
        return Err(format!("leaves {left}"));
    }
    Ok(())
}

/// A temporary file that was left behind.
fn leftovers(folder: &Path) -> Option<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| name.ends_with(".building"))
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let here = number + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("= ") {
            cases.push(Case { name: name.to_owned(), line: here, ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("cases.txt:{here}: no case is open"));
        if let Some(line) = line.strip_prefix("$ ") {
            case.arguments = words(line);
        } else if let Some((name, content)) = line.split_once(" < ") {
            let bytes = content_of(content);
            if name == "-" {
                case.input = Some(bytes);
            } else {
                case.files.push((name.to_owned(), bytes));
            }
        } else {
            let mut parts = line.split(" | ").map(str::trim);
            let code = parts.next().and_then(|code| code.parse().ok());
            case.code = code.unwrap_or_else(|| panic!("cases.txt:{here}: no line of a case"));
            case.says = parts.map(ToOwned::to_owned).collect();
        }
    }
    cases
}

/// Splits a line into words as a shell does, with single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The content of a file; see the head of `cases.txt`.
fn content_of(expression: &str) -> Vec<u8> {
    let (maker, rest) = expression.split_once(' ').unwrap_or((expression, ""));
    match maker {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&content_of(rest)).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::encode_all(content_of(rest).as_slice(), 3).unwrap(),
        "half" => {
            let whole = content_of(rest);
            whole[..whole.len() / 2].to_vec()
        }
        "utf16" => {
            let text = String::from_utf8(content_of(rest)).unwrap();
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        }
        "doubling" => {
            let binds = (1..=40).map(|i| format!("BIND(CONCAT(?x{}, ?x{}) AS ?x{i})", i - 1, i - 1));
            let binds: Vec<String> = binds.collect();
            format!("SELECT (STRLEN(?x40) AS ?n) {{ BIND('x' AS ?x0) {} }}", binds.join("\n")).into_bytes()
        }
        "clique" => {
            let nodes: u32 = rest.parse().unwrap();
            let edges = (0..nodes).flat_map(|a| (0..nodes).map(move |b| format!("<e:{a}> <e:p> <e:{b}> .\n")));
            edges.collect::<String>().into_bytes()
        }
        "entities" => {
            let mut text = String::from("<!DOCTYPE rdf:RDF [<!ENTITY a0 \"lol\">\n");
            for i in 1..=rest.parse().unwrap() {
                writeln!(text, "<!ENTITY a{i} \"{}\">", format!("&a{};", i - 1).repeat(10)).unwrap();
            }
            let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
            write!(text, "]><e:C xmlns:rdf=\"{rdf}\" xmlns:e=\"urn:e:\"><e:p>&a{rest};</e:p></e:C>").unwrap();
            text.into_bytes()
        }
        _ => joined(expression),
    }
}

/// Joins quoted texts, each repeated if a number follows it.
fn joined(expression: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = expression.trim_start();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').unwrap_or_else(|| panic!("`{rest}` is no quoted text"));
        let mut piece = Vec::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next().unwrap_or_else(|| panic!("`{rest}` has no end")) {
                (at, '"') => break at + 1,
                (_, '\\') => match chars.next().unwrap().1 {
                    'n' => piece.push(b'\n'),
                    'x' => {
                        let digits: String = [chars.next().unwrap().1, chars.next().unwrap().1].iter().collect();
                        piece.push(u8::from_str_radix(&digits, 16).unwrap());
                    }
                    c => piece.extend(c.to_string().bytes()),
                },
                (_, c) => piece.extend(c.to_string().bytes()),
            }
        };
        rest = quoted[end..].trim_start();
        let mut times = 1;
        if let Some(after) = rest.strip_prefix("* ") {
            let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            times = after[..digits].parse().unwrap();
            rest = after[digits..].trim_start();
        }
        out.extend(piece.repeat(times));
    }
    out
}
