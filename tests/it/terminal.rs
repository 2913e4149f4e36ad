//! The session as a person sees it: typed into a terminal (tmux), with its screens stored as text in `tests/screens`.
//!
//! `KGQ_ACCEPT_SCREENS=1` rewrites the screens. Times are masked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const DATA: &str = r#"@prefix : <http://e/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:miit a :Ministry ; rdfs:label "Ministry of Industry and Information Technology"@en , "工业和信息化部"@zh ; :leads :telecoms .
:mof a :Ministry ; rdfs:label "Ministry of Finance"@en , "财政部"@zh ; :leads :banking .
:banking a :Sector ; rdfs:label "Banking"@en .
:telecoms a :Sector ; rdfs:label "Telecommunications"@en .
:numbers :is 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 .
:text rdfs:comment "A text that is longer than a line of a terminal is likely to be, so that a table has to break it into several lines, or to set values one a line where there are too many columns."@en .
"#;

/// A terminal that shows a small project. It has a tmux server of its own, with the socket in its folder.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    /// Opens a terminal; `None`, with a message, if that is impossible.
    fn open(columns: u16, lines: u16, environment: &str) -> Option<Self> {
        Self::open_with(columns, lines, environment, "")
    }

    fn open_with(columns: u16, lines: u16, environment: &str, arguments: &str) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            crate::needs::absent_tool("tmux");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("p");
        fs::create_dir_all(project.join("queries")).unwrap();
        fs::write(project.join("kgq.toml"), "name = \"small\"\ndata = [\"*.ttl\"]\nqueries = [\"queries/**/*.rq\"]\n\n[prefixes]\n\"\" = \"http://e/\"\n").unwrap();
        fs::write(project.join("data.ttl"), DATA).unwrap();
        fs::write(
            project.join("queries/ministries.rq"),
            "#+ title: The ministries\nPREFIX : <http://e/>\nSELECT * { ?m a :Ministry }\n",
        )
        .unwrap();
        let terminal = Self { folder };
        let program = env!("CARGO_BIN_EXE_kgq");
        let home = terminal.folder.path().display().to_string();
        let shell = format!(
            "cd {home}/p && env -u PAGER -u LESS HOME={home} XDG_STATE_HOME={home}/state LANG=C.UTF-8 {environment} {program} {arguments}; printf 'left with %s\\n' $?; sleep 60"
        );
        terminal.tmux(&[
            "-u",
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns.to_string(),
            "-y",
            &lines.to_string(),
            &shell,
        ]);
        terminal.ready();
        Some(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let socket = self.folder.path().join("tmux");
        let output = Command::new("tmux").arg("-S").arg(socket).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("p")
    }

    fn text(&self, text: &str) -> &Self {
        self.tmux(&["send-keys", "-l", text]);
        self
    }

    fn keys(&self, keys: &[&str]) -> &Self {
        for key in keys {
            self.tmux(&["send-keys", key]);
            // The editor takes a burst of keys for a paste; a person's keys come one by one.
            std::thread::sleep(Duration::from_millis(60));
        }
        self
    }

    fn line(&self, text: &str) -> &Self {
        self.text(text).keys(&["Enter"])
    }

    fn screen(&self) -> String {
        let screen = self.tmux(&["capture-pane", "-p"]);
        screen.trim_end().to_owned() + "\n"
    }

    /// Waits until a text is on the screen.
    fn wait(&self, text: &str) -> &Self {
        let started = Instant::now();
        while !self.screen().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(60), "`{text}` never came:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(30));
        }
        self
    }

    /// Waits until the last line is a prompt and nothing else.
    fn ready(&self) -> &Self {
        let started = Instant::now();
        while self.screen().trim_end().lines().last().map(str::trim_end) != Some("small>") {
            assert!(started.elapsed() < Duration::from_secs(60), "no prompt came:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(30));
        }
        self
    }

    /// Compares the screen with the stored one.
    fn same(&self, name: &str) -> &Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
        let screen = masked(&self.screen());
        if std::env::var_os("KGQ_ACCEPT_SCREENS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &screen).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(screen, kept, "{name}: the screen is\n{screen}\nand was\n{kept}");
        self
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// The screen with varying parts masked.
fn masked(screen: &str) -> String {
    let time = regex::Regex::new(r"in \d+(\.\d+)? m?s").unwrap();
    time.replace_all(screen, "in TIME").into_owned()
}

#[test]
fn it_opens_with_what_is_loaded_and_completes_in_two_languages() {
    let Some(terminal) = Terminal::open(100, 24, "NO_COLOR=1") else { return };
    terminal.same("opens");
    terminal.text("SELECT * { industry min").keys(&["Tab"]).wait("(:Ministry)").same("completes-english");
    terminal.keys(&["Enter"]).wait("{ :miit").line("?p ?o }").wait("4 rows").ready();
    terminal.keys(&["C-l"]).text("SELECT * { 工信").keys(&["Tab"]).wait("(:Ministry)").same("completes-chinese");
    terminal.keys(&["Enter"]).wait("{ :miit").line("?p ?o }").ready();
    terminal
        .keys(&["C-l"])
        .text("SELECT * { ?m a :Ministry ; ")
        .keys(&["Tab"])
        .wait(":leads")
        .same("completes-properties");
}

#[test]
fn a_multi_line_query_is_one_entry_of_history_and_errors_come_at_once() {
    let Some(terminal) = Terminal::open(80, 30, "NO_COLOR=1") else { return };
    terminal.line("SELECT ?m {").line("?m a :Ministry").line("}").wait("2 rows").ready();
    terminal.line("SELCT *").wait("did you mean `SELECT`?").ready();
    terminal.keys(&["Up", "Up", "Enter"]).ready().same("history");
    terminal.line("SELECT * {").line(".prefix rdfs").wait("rdf-schema#").line("?s a :Sector }").wait("2 rows").ready();
    terminal.line("SELECT * { ?x a :Minister }").wait("did you mean `:Ministry`?").ready().same("explains-itself");
    let history = walk(&terminal.folder.path().join("state"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert!(!history.is_empty());
        for file in history {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
        }
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn ctrl_c_stops_a_runaway_query_and_never_the_session() {
    let Some(terminal) = Terminal::open(80, 24, "NO_COLOR=1") else { return };
    for runaway in [
        "SELECT (SUM(?a * ?b + ?c * ?d + ?e * ?f + ?g) AS ?n) { :numbers :is ?a, ?b, ?c, ?d, ?e, ?f, ?g }",
        "SELECT (COUNT(*) AS ?n) { :numbers :is ?a, ?b, ?c, ?d, ?e, ?f, ?g FILTER(?a + ?b + ?c + ?d + ?e + ?f = ?g * 999) }",
        "SELECT ?a (GROUP_CONCAT(?t) AS ?n) { :numbers :is ?a, ?b, ?c, ?d, ?e, ?f, ?g BIND(IF(?b + ?c + ?d + ?e + ?f + ?g > 9999, 'x', '') AS ?t) } GROUP BY ?a",
    ] {
        terminal.keys(&["C-l"]).line(runaway).wait("Ctrl-C stops it");
        terminal.keys(&["C-c"]).wait("interrupted").ready();
        terminal.line("ASK { :mof a :Ministry }").wait("true").ready();
    }
    terminal.keys(&["C-c"]).ready().line("help timing").wait("expected `SELECT`").ready();
    terminal.line("quit").wait("left with 0");
}

#[test]
fn ctrl_c_stops_a_query_of_the_other_engine_too() {
    let Some(terminal) = Terminal::open_with(80, 24, "NO_COLOR=1", "--engine oxigraph") else { return };
    for runaway in [
        "SELECT (SUM(?a * ?b + ?c * ?d + ?e * ?f + ?g) AS ?n) { :numbers :is ?a, ?b, ?c, ?d, ?e, ?f, ?g }",
        "SELECT * { :numbers :is ?a, ?b, ?c, ?d, ?e, ?f, ?g } ORDER BY ?g",
    ] {
        terminal.keys(&["C-l"]).line(runaway).wait("Ctrl-C stops it").keys(&["C-c"]).wait("interrupted").ready();
    }
    terminal.line("ASK { :mof a :Ministry }").wait("true").ready().keys(&["C-d"]).wait("left with 0");
}

#[test]
fn long_answers_are_paged_wide_ones_turn_and_rows_can_be_spoken_of() {
    let Some(terminal) = Terminal::open(80, 20, "NO_COLOR=1 KGQ_PAGER='less -R'") else { return };
    terminal.line("SELECT ?n { :numbers :is ?n } ORDER BY ?n").wait("17  17").same("pages");
    terminal.keys(&["q"]).wait("30 rows").ready().keys(&["C-l"]);
    terminal
        .line(".format vertical")
        .ready()
        .line("SELECT * { :mof ?p ?o } ORDER BY ?p ?o")
        .wait("4 rows")
        .ready()
        .keys(&["C-l"]);
    terminal
        .line("SELECT ?s ?label { ?s a :Ministry ; rdfs:label ?label } ORDER BY ?label LIMIT 2")
        .wait("2 rows")
        .ready();
    terminal.same("vertical").keys(&["C-l"]);
    terminal.line(".format auto").line(".describe 2.1").wait("Telecommunications").ready();
}

#[test]
fn an_answer_is_interrupted_while_it_is_laid_out_and_left_before_its_end() {
    let pager = r#"KGQ_PAGER='sh -c "trap \"\" INT; touch paging; cat > /dev/null"'"#;
    let Some(terminal) = Terminal::open(80, 20, &format!("NO_COLOR=1 {pager}")) else { return };
    terminal.line("SELECT * { :numbers :is ?a, ?b, ?c, ?d } LIMIT 400000");
    let started = Instant::now();
    while !terminal.project().join("paging").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no pager came:\n{}", terminal.screen());
        std::thread::sleep(Duration::from_millis(30));
    }
    terminal.keys(&["C-c"]).wait("the answer was interrupted while it was shown").ready();
    terminal.line("ASK { :mof a :Ministry }").wait("true").ready();

    let Some(terminal) = Terminal::open(80, 20, "NO_COLOR=1 KGQ_PAGER='head -n 2'") else { return };
    terminal.line("SELECT * { :numbers :is ?a, ?b, ?c }").wait("000 rows").ready();
    let Some(terminal) = Terminal::open(80, 20, "NO_COLOR=1 KGQ_PAGER=no-such-pager") else { return };
    terminal.line("SELECT ?n { :numbers :is ?n } ORDER BY ?n").wait("-- more").line("q").wait("30 rows").ready();
}

#[test]
fn the_last_query_is_edited_in_the_users_editor() {
    let Some(terminal) = Terminal::open(80, 24, "NO_COLOR=1 EDITOR='sed -i s/Ministry/Sector/'") else {
        return;
    };
    terminal.line("SELECT * { ?x a :Ministry }").wait("2 rows").ready();
    terminal.line(".edit").wait("a :Sector }").keys(&["Enter"]).wait(":telecoms").ready().same("edits");
}

#[test]
fn a_changed_file_is_loaded_anew_and_a_broken_one_leaves_the_graph_as_it_was() {
    let Some(terminal) = Terminal::open(80, 24, "NO_COLOR=1") else { return };
    let file = terminal.project().join("data.ttl");
    fs::write(&file, format!("{DATA}:pbc a :Ministry .\n")).unwrap();
    terminal.line("SELECT * { ?x a :Ministry }").wait("3 rows").ready();
    fs::write(&file, format!("{DATA}:broken a\n")).unwrap();
    terminal.line("SELECT * { ?x a :Ministry } ").wait("stays as it was").wait("3 rows").ready().same("reloads");
    terminal.keys(&["C-l"]).line("ASK { :pbc a :Ministry }").wait("from the files as they were").wait("true").ready();
    fs::write(&file, DATA).unwrap();
    terminal.keys(&["C-l"]).line("ASK { :pbc a :Ministry }").wait("false").ready();
    assert!(!terminal.screen().contains("as they were"), "{}", terminal.screen());
}

#[test]
fn the_same_screens_are_right_at_other_widths_and_in_colour() {
    for (columns, environment, name) in
        [(80, "NO_COLOR=1", "wide-80"), (160, "NO_COLOR=1", "wide-160"), (100, "TERM=xterm-256color", "colour")]
    {
        let Some(terminal) = Terminal::open(columns, 30, environment) else { return };
        terminal
            .line("SELECT * { ?s ?p ?o FILTER(isLITERAL(?o) && LANG(?o) != '') } ORDER BY ?s ?p ?o")
            .wait("7 rows")
            .ready();
        terminal.same(name);
    }
}

#[test]
fn the_last_answer_is_gone_on_from_without_running_it_again() {
    let Some(terminal) = Terminal::open(100, 40, "NO_COLOR=1") else { return };
    let long = "long ".repeat(80);
    let cited = "@prefix : <http://e/> . @prefix prov: <http://www.w3.org/ns/prov#> .
:mof :leads :insurance {| prov:wasDerivedFrom :decree |} .
:long :says \"";
    fs::write(terminal.project().join("more.ttl"), format!("{cited}{long}the end\" .\n")).unwrap();
    terminal.line("SELECT ?m ?s { ?m :leads ?s } ORDER BY ?m ?s").wait("3 rows").ready().keys(&["C-l"]);
    terminal.line(".describe 3").wait("3.2  s").ready().line(".describe 3.2").wait(":leads of").ready().keys(&["C-l"]);
    terminal.line(".cite 3").wait("(row 3)").ready().same("cites-a-row").keys(&["C-l"]);
    terminal.line(".values m as x").wait("limited to 2 values").ready();
    terminal.line("SELECT ?x ?l { ?x rdfs:label ?l FILTER(LANG(?l) = 'zh') }").wait("2 rows").ready().keys(&["C-l"]);
    terminal.line(".explain").wait("Plan").ready().keys(&["C-l"]);
    terminal.line("SELECT ?t { :long :says ?t }").wait(".last shows cut texts whole").ready();
    terminal.line(".last").wait("the end").ready().keys(&["C-l"]);
}

#[test]
fn answers_go_to_files_and_queries_are_saved() {
    let Some(terminal) = Terminal::open(90, 30, "NO_COLOR=1") else { return };
    terminal.line(".output answer.csv").wait("answers go to answer.csv").ready();
    terminal.line("SELECT ?m { ?m a :Ministry } ORDER BY ?m").wait("2 rows").ready();
    let written = fs::read_to_string(terminal.project().join("answer.csv")).unwrap();
    assert_eq!(written.replace('\r', ""), "m\nhttp://e/miit\nhttp://e/mof\n");
    terminal.line(".output").wait("answers go to the screen").ready();
    terminal.line(".save by-name").wait("saved as queries/by-name.rq").ready();
    assert!(terminal.project().join("tests/answers/by-name.csv").exists());
    terminal.line(".run by-name").wait("2 rows").ready().line(".save by-name").wait("canned one already").ready();
    terminal.line(".export -F ntriples -o all.nt").ready();
    assert!(fs::read_to_string(terminal.project().join("all.nt")).unwrap().contains("<http://e/mof>"));
    terminal.line(".timing off").wait("times are not shown").ready().same("saves");
}

#[test]
fn the_history_hints_and_a_leading_space_keeps_a_line_out_of_it() {
    let Some(terminal) = Terminal::open(90, 24, "TERM=xterm-256color") else { return };
    terminal.line("ASK { :banking a :Sector }").wait("true").ready();
    terminal.line(" ASK { :banking a :Ministry }").wait("false").ready().keys(&["C-l"]);
    terminal.text("ASK { :b").wait("anking a :Sector }").keys(&["Right", "Enter"]).wait("true").ready();
    terminal.keys(&["C-l", "Up"]).wait("small> ASK { :banking a :Sector }").keys(&["Enter"]).ready();
    terminal.keys(&["C-l"]).line("SELECT ?x {").line("?x a :Sector").line("}").wait("2 rows").ready();
    terminal.line("SELCT *").wait("did you mean `SELECT`?").ready().keys(&["C-d"]).wait("left with 0");
    let file =
        walk(&terminal.folder.path().join("state")).into_iter().find(|f| f.extension().is_some_and(|e| e == "sqlite3"));
    let history = reedline::SqliteBackedHistory::with_file(file.unwrap(), None, None).unwrap();
    let entries = reedline::History::search(
        &history,
        reedline::SearchQuery::everything(reedline::SearchDirection::Forward, None),
    )
    .unwrap();
    let shown: Vec<(&str, bool)> =
        entries.iter().map(|e| (e.command_line.as_str(), e.exit_status == Some(0))).collect();
    assert!(
        shown.contains(&("SELECT ?x {\n?x a :Sector\n}", true)) && shown.contains(&("SELCT *", false)),
        "{shown:?}"
    );
    assert!(!shown.iter().any(|(text, _)| text.contains(":Ministry")), "{shown:?}");
    assert!(entries.iter().all(|e| e.duration.is_some()));
}

#[test]
fn what_is_pasted_is_shown_in_characters_that_can_be_seen_and_means_the_same() {
    let Some(terminal) = Terminal::open(90, 24, "TERM=xterm-256color") else { return };
    terminal.tmux(&["set-buffer", "ASK { FILTER(STRLEN('\u{9b}31m\u{202e}\u{200b}') = 6) }"]);
    terminal.tmux(&["paste-buffer", "-p"]);
    terminal.wait(r"'\u009B31m\u202E\u200B'").keys(&["Enter"]).wait("true").ready();
    // The history returns it as it was shown.
    terminal.keys(&["C-l", "Up"]).wait(r"'\u009B31m\u202E\u200B'").keys(&["Enter"]).wait("true").ready();
}

#[test]
fn keys_edit_as_in_vi_where_that_is_wanted() {
    let Some(terminal) = Terminal::open(80, 24, "NO_COLOR=1") else { return };
    terminal.line(".mode vi").wait("keys edit as in vi").ready();
    // A burst of keys would be taken for a paste.
    terminal.text("ASK { :mof a :Mnistry }").wait("Mnistry }").keys(&["Escape"]).wait("small: ASK");
    terminal
        .keys(&["0", "f", "M", "a"])
        .wait("small> ASK")
        .text("i")
        .wait(":Ministry")
        .keys(&["Enter"])
        .wait("true")
        .ready();
    terminal.line(".mode emacs").wait("keys edit as in emacs").ready();
    terminal.text("K { :mof a :Ministry }").keys(&["C-a"]).text("AS").keys(&["Enter"]).wait("ASK { :mof").ready();
}
