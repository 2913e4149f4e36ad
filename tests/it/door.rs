//! What reaches a terminal: run in a pseudo-terminal of `script`, which records every byte, no command shows a character from a
//! file that could control the terminal, or hide or reorder text; files and pipes get the same bytes unchanged.

use super::program;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Sets the title, the clipboard and a colour, and reverses the text: as C0, C1 and format characters.
const HOSTILE: &str = "\u{9b}31mRED\u{202e}evil\u{9d}52;c;ZXZpbA==\u{9c}\u{200b}\u{e0041}";
/// Such characters as Turtle's short strings can only hold escaped.
const ESCAPED: &str = r"\u001B]52;c;ZXZpbA==\u0007\u001B[31m";

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "kgq.toml",
        "name = \"a\"\ntitle = \"A \\u001B]0;PWNED\\u0007\"\ndata = [\"*.trig\"]\n[prefixes]\n\"\" = \"http://e/\"\n"
            .into(),
    );
    write(
        "data.trig",
        format!(
            "@prefix : <http://e/> . @prefix evil: <http://e/x\u{202e}y/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
             :a a :C ; rdfs:label \"{HOSTILE}\" ; :says \"{ESCAPED}\" ; evil:p :b .
             :b a :C . GRAPH <http://e/g\u{202e}raph> {{ :a :p \"{HOSTILE}\" }}\n"
        ),
    );
    let header = "#+ title: \"Sales \\e]52;c;ZXZpbA==\\a\\e[31m\\u202e\"\n#+ description: \"\\e]0;PWNED\\a\"\n";
    write("queries/title.rq", format!("{header}SELECT * {{ ?s ?p ?o }} ORDER BY ?s ?p ?o\n"));
    write("broken.ttl", format!("<http://e/a> <http://e/b> \"{HOSTILE}\" {HOSTILE} .\n"));
    folder
}

/// The bytes that a terminal gets from a command; `None` if `script` is missing.
fn on_terminal(folder: &Path, command: &str) -> Option<Vec<u8>> {
    let kgq = Path::new(env!("CARGO_BIN_EXE_kgq")).parent().unwrap();
    let path = format!("{}:{}", kgq.display(), std::env::var("PATH").unwrap_or_default());
    let ran = Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .current_dir(folder)
        .env_clear()
        .envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8"), ("TERM", "xterm"), ("PAGER", "cat")])
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output();
    if ran.is_err() {
        crate::needs::absent_tool("script");
    }
    Some(ran.ok()?.stdout)
}

/// The harmful characters among the bytes, apart from line ends and styles.
fn harmful(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).expect("the terminal gets UTF-8");
    let styles = regex::Regex::new("\x1b\\[[0-9;]*[mK]").unwrap();
    let text = styles.replace_all(&text, "").replace("\r\n", "\n").replace(['\r', '\t'], "");
    let hidden = |c: &char| *c != '\n' && kgq_syntax::text::is_unsafe(*c);
    text.chars().filter(hidden).map(|c| format!("{c:?}")).collect()
}

const COMMANDS: &[&str] = &[
    "kgq queries",
    "kgq run title --help",
    "kgq run title",
    "kgq run title -F vertical",
    "kgq info",
    "kgq describe :a",
    "kgq cite :a",
    "kgq load",
    "kgq check",
    "kgq check --format json",
    "kgq fmt data.trig",
    "kgq fmt - < data.trig",
    "kgq export",
    "kgq export --sorted",
    "kgq export --canonical",
    "kgq export --graph nothing",
    "kgq query 'CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }'",
    "kgq query 'DESCRIBE :a'",
    "kgq query 'SELECT ?g { GRAPH ?g { ?s ?p ?o } }'",
    "kgq load broken.ttl",
    "kgq update --dry-run 'DELETE WHERE { ?s ?p ?o }'",
    "kgq update --dry-run 'INSERT DATA { :a :b \"\u{202e}\u{9b}1m\" }'",
    "kgq query 'SELECT \u{202e}\u{9b}1m'",
    "kgq quer\u{202e}y",
];

#[test]
fn nothing_of_a_file_or_a_word_steers_the_terminal() {
    let folder = project();
    let mut shown = 0;
    let formats = kgq_graph::render::Format::ALL.iter();
    let in_formats = formats.map(|f| {
        let form = if matches!(f, kgq_graph::render::Format::Rdf(_)) {
            "CONSTRUCT WHERE { ?s ?p ?o }"
        } else {
            "SELECT * { ?s ?p ?o }"
        };
        format!("kgq query -F {} '{form}'", f.name())
    });
    for command in COMMANDS.iter().map(|c| (*c).to_owned()).chain(in_formats) {
        let Some(bytes) = on_terminal(folder.path(), &command) else { return };
        assert_eq!(harmful(&bytes), [""; 0], "{command}\n{}", String::from_utf8_lossy(&bytes));
        shown += bytes.len();
    }
    assert!(shown > 10_000, "{shown}");
}

#[test]
fn a_title_from_a_file_sets_no_style_either() {
    let folder = project();
    for command in ["kgq queries", "kgq run title --help"] {
        let Some(bytes) = on_terminal(folder.path(), command) else { return };
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(r"Sales \u{1B}]52;c;ZXZpbA==\u{7}\u{1B}[31m\u{202E}"), "{text}");
    }
}

#[test]
fn what_a_terminal_shows_of_data_reads_back_as_the_same_data() {
    let folder = project();
    let query = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }";
    let Some(bytes) = on_terminal(folder.path(), &format!("kgq query -q -F ntriples '{query}'")) else { return };
    let shown = String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    assert!(shown.contains(r"\u009B31mRED\u202Eevil"), "{shown}");
    let piped = program::run(folder.path(), &["query", "-F", "ntriples", query]).text();
    assert!(piped.contains(HOSTILE), "a pipe gets the bytes as they are");
    fs::write(folder.path().join("shown.nt"), shown).unwrap();
    let again = program::run(folder.path(), &["query", "-d", "shown.nt", "-F", "ntriples", query]).text();
    assert_eq!(again, piped);
}
