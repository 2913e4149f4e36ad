//! The dot-commands: one list, used to find them, to complete them, and for their help.
//!
//! A dot-command that corresponds to a command of `kgq` calls the same function.

use super::complete::Offer;
use super::editor::Mode;
use super::shared::ProjectState;
use super::{Shell, explore, last, pager, save, sink};
use crate::cli;
use crate::commands;
use kgq_graph::catalog::Values;
use kgq_graph::render::Format;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{did_you_mean, visible, width};

/// A dot-command.
struct Dot {
    name: &'static str,
    arguments: &'static str,
    /// A one-line description.
    about: &'static str,
    /// More words under which `.help` finds it.
    topics: &'static str,
    run: fn(&mut Shell<'_>, &[String]) -> Result<()>,
}

const ALL: &[Dot] = &[
    Dot { name: "help", arguments: "[TOPIC]", about: "this list, or what it has on a topic", topics: "?", run: help },
    Dot {
        name: "queries",
        arguments: "[WORD]",
        about: "the canned queries",
        topics: "canned list",
        run: |shell, words| verb(shell, "queries", words),
    },
    Dot {
        name: "run",
        arguments: "NAME [NAME=VALUE…]",
        about: "run a canned query; without values, `.run NAME --help` shows what it takes",
        topics: "canned parameters",
        run: run_dot,
    },
    Dot {
        name: "describe",
        arguments: "TERM | ROW | ROW.COLUMN [OPTIONS]",
        about: "all about a thing, a row of the last answer, or a cell of it",
        topics: "row cell label show",
        run: explore::describe,
    },
    Dot {
        name: "classes",
        arguments: "[WORD]",
        about: "the classes with the number of their members",
        topics: "schema types ontology",
        run: explore::classes,
    },
    Dot {
        name: "properties",
        arguments: "[CLASS]",
        about: "the properties, or those that a class's members have, by frequency",
        topics: "schema predicates ontology",
        run: explore::properties,
    },
    Dot {
        name: "prefix",
        arguments: "[NAME [IRI]]",
        about: "the prefixes; or declare one for this session",
        topics: "namespace",
        run: explore::prefix,
    },
    Dot {
        name: "format",
        arguments: "[FORMAT | vertical | auto]",
        about: "how answers are written",
        topics: "output table csv json",
        run: format,
    },
    Dot {
        name: "output",
        arguments: "[FILE]",
        about: "write answers to a file: the first replaces it, the next are appended; without one, to the screen again",
        topics: "file save format append",
        run: sink::output,
    },
    Dot {
        name: "last",
        arguments: "",
        about: "the last answer whole, without running it again",
        topics: "row cell long again",
        run: last::last,
    },
    Dot {
        name: "values",
        arguments: "COLUMN [as NAME]",
        about: "limit the next query that has this variable to the values of the last answer's column",
        topics: "reuse column parameters",
        run: last::values,
    },
    Dot {
        name: "cite",
        arguments: "[ROW | TERM…]",
        about: "where the statements behind the last answer come from, or those behind a row of it, or about a thing",
        topics: "source citation why",
        run: |shell, words| {
            if last::cites_the_answer(words) { last::cite(shell, words) } else { verb(shell, "cite", words) }
        },
    },
    Dot {
        name: "why",
        arguments: "[ROW]",
        about: "the statements that make the last answer have a row, with their files, lines and sources",
        topics: "source witness proof reason because",
        run: last::why,
    },
    Dot {
        name: "why-not",
        arguments: "[COLUMN=VALUE…]",
        about: "the condition that keeps such a row out of the last answer, and the statement that is missing",
        topics: "absent empty missing reason silence",
        run: last::why_not,
    },
    Dot {
        name: "explain",
        arguments: "[analyze]",
        about: "how the last query is answered; analyze runs it and counts",
        topics: "plan algebra",
        run: last::explain,
    },
    Dot {
        name: "timing",
        arguments: "[on | off]",
        about: "whether the time of each answer is shown",
        topics: "time",
        run: timing,
    },
    Dot {
        name: "edit",
        arguments: "",
        about: "write the last query on in $EDITOR (Ctrl-O: the one at the prompt)",
        topics: "editor",
        run: edit,
    },
    Dot {
        name: "read",
        arguments: "FILE",
        about: "run a file of queries and dot-commands",
        topics: "script file",
        run: read,
    },
    Dot {
        name: "save",
        arguments: "NAME",
        about: "make the last query a canned query, with its answer as the expected one",
        topics: "canned file keep",
        run: save::save,
    },
    Dot {
        name: "reload",
        arguments: "",
        about: "load the files anew (changed ones are noticed by themselves)",
        topics: "files",
        run: reload,
    },
    Dot {
        name: "export",
        arguments: "[OPTIONS]",
        about: "the graph in another format, as `kgq export`",
        topics: "graph file",
        run: |shell, words| verb(shell, "export", words),
    },
    Dot { name: "mode", arguments: "[vi | emacs]", about: "how keys edit", topics: "keys editor", run: mode },
    Dot { name: "quit", arguments: "", about: "leave (or Ctrl-D)", topics: "exit leave", run: quit },
];

/// Runs the command of a line that is given without its dot.
pub fn run(shell: &mut Shell<'_>, line: &str) -> Result<()> {
    let words = split(line)?;
    let Some((name, arguments)) = words.split_first() else { return help(shell, &[]) };
    match find(name)? {
        Found::Dot(dot) => (dot.run)(shell, arguments),
        Found::Verb(name) => verb(shell, &name, arguments),
    }
}

/// The command whose name was typed without the dot. No query consists of a single word.
pub fn meant_by(text: &str) -> Option<&'static str> {
    let word = text.trim().trim_end_matches(';').trim_end();
    let word = if word.eq_ignore_ascii_case("exit") { "quit" } else { word };
    ALL.iter().map(|dot| dot.name).find(|name| *name != "describe" && name.eq_ignore_ascii_case(word))
}

enum Found {
    Dot(&'static Dot),
    /// A command of the program that does not depend on the session.
    Verb(String),
}

fn find(typed: &str) -> Result<Found> {
    let lower = typed.to_lowercase();
    let name = match lower.as_str() {
        "?" => "help",
        "exit" => "quit",
        name => name,
    };
    if let Some(dot) = ALL.iter().find(|dot| dot.name == name) {
        return Ok(Found::Dot(dot));
    }
    let verbs = cli::verbs();
    if verbs.iter().any(|verb| verb == name) {
        return Ok(Found::Verb(name.to_owned()));
    }
    let starting: Vec<&Dot> = ALL.iter().filter(|dot| dot.name.starts_with(name)).collect();
    // The session's own commands come first: other commands are abbreviated only if none of these matches.
    let verbs_starting: Vec<&String> = verbs.iter().filter(|v| starting.is_empty() && v.starts_with(name)).collect();
    match (starting.as_slice(), verbs_starting.as_slice()) {
        ([dot], []) => Ok(Found::Dot(dot)),
        ([], [verb]) => Ok(Found::Verb((*verb).clone())),
        ([], []) => {
            let known = ALL.iter().map(|dot| dot.name).chain(verbs.iter().map(String::as_str));
            Err(Error::usage(format!("there is no command `.{typed}`"))
                .hint(did_you_mean(name, known).unwrap_or_else(|| "`.help` lists them".into())))
        }
        (dots, verbs) => {
            let all = dots.iter().map(|d| d.name).chain(verbs.iter().map(|v| v.as_str()));
            let names: Vec<String> = all.map(|n| format!("`.{n}`")).collect();
            Err(Error::usage(format!("`.{name}` may be {}", names.join(" or "))))
        }
    }
}

/// Splits a line into words at spaces outside quotes.
fn split(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(mark) => Err(Error::usage(format!("a {mark} is never closed"))),
        None => Ok(words),
    }
}

/// The single argument of a command, if it was given.
pub fn at_most_one(words: &[String]) -> Result<Option<&str>> {
    match words {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        [_, more, ..] => {
            Err(Error::usage(format!("`{more}` is one word too many")).hint("words with spaces stand in quotes"))
        }
    }
}

/// Runs a command of the program.
pub fn verb(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Result<()> {
    match cli::parse_verb(name, words)? {
        Ok(command) => commands::run(&command, &shell.graph, shell.output).map(|_| ()),
        Err(help) => pager::page(&help, shell.output),
    }
}

fn help(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let topic = words.join(" ").to_lowercase();
    let topic = topic.trim_start_matches('.');
    let fits = |dot: &&Dot| {
        let text = format!("{} {} {}", dot.name, dot.about, dot.topics).to_lowercase();
        topic.split_whitespace().all(|word| text.contains(word))
    };
    let found: Vec<&Dot> = ALL.iter().filter(fits).collect();
    if found.is_empty() {
        return Err(Error::usage(format!("no command has to do with `{topic}`")).hint("`.help` lists them all"));
    }
    let (bold, reset) = if shell.output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut text = String::new();
    let head = |dot: &Dot| format!(".{} {}", dot.name, dot.arguments).trim_end().to_owned();
    let widest = found.iter().map(|dot| width(&head(dot))).filter(|w| *w <= 30).max().unwrap_or(0);
    for dot in &found {
        let head = head(dot);
        let pad = " ".repeat(widest.saturating_sub(width(&head)));
        let gap = if width(&head) > widest { format!("\n{}", " ".repeat(widest)) } else { pad };
        text.push_str(&format!("{bold}{head}{reset}{gap}  {}\n", dot.about));
    }
    if topic.is_empty() {
        text.push_str("\nNames may be shortened while that is clear. Other commands of kgq work too: ");
        let others: Vec<String> =
            cli::verbs().into_iter().filter(|v| !ALL.iter().any(|d| d.name == v)).map(|v| format!(".{v}")).collect();
        text.push_str(&others.join(", "));
        text.push_str(
            "\nA query runs when it is complete; `;` or an empty line runs what stands there. Alt-Enter begins a new line, \
             Ctrl-O opens $EDITOR, Ctrl-R searches the history, a space before a query keeps it out of it.\n",
        );
    }
    pager::page(&text, shell.output)
}

fn run_canned(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Result<()> {
    let canned = shell.graph.catalog()?.get(name)?.clone();
    let query = shell.graph.parse_canned(&canned, &Values::parse(words)?)?;
    shell.text = Some(canned.text.clone());
    let written = shell.graph.parse(canned.source())?;
    shell.answer(canned.source(), &written, query)
}

fn run_help(shell: &mut Shell<'_>, name: &str) -> Result<()> {
    let text = commands::canned_help(shell.graph.catalog()?.get(name)?, &shell.graph)?;
    pager::page(&text, shell.output)
}

fn format(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some(name) = at_most_one(words)? else {
        let now = match (shell.view.vertical, shell.view.format) {
            (true, _) => "vertical",
            (false, Some(format)) => format.name(),
            (false, None) => "auto",
        };
        return shell.output.line(&format!("{now} (there are auto, vertical, {})", Format::list()));
    };
    let (format, vertical) = match name {
        "auto" => (None, false),
        "vertical" => (Some(Format::Table), true),
        name => {
            let Some(format) = Format::from_name(name) else {
                let known = Format::ALL.iter().map(|f| f.name()).chain(["auto", "vertical"]);
                return Err(Error::usage(format!("there is no format `{name}`"))
                    .hint_if(did_you_mean(name, known))
                    .hint(format!("the formats are auto, vertical, {}", Format::list())));
            };
            (Some(format), false)
        }
    };
    (shell.view.format, shell.view.vertical) = (format, vertical);
    Ok(())
}

fn timing(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    shell.timing = match at_most_one(words)? {
        Some("on") => true,
        Some("off") => false,
        Some(word) => return Err(Error::usage(format!("`{word}` is neither on nor off"))),
        None => !shell.timing,
    };
    shell.output.note(if shell.timing { "times are shown" } else { "times are not shown" });
    Ok(())
}

fn mode(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    shell.mode = match at_most_one(words)? {
        Some("vi") => Mode::Vi,
        Some("emacs") => Mode::Emacs,
        Some(word) => return Err(Error::usage(format!("`{word}` is no mode")).hint("there are vi and emacs")),
        None => shell.mode,
    };
    let now = match shell.mode {
        Mode::Vi => "vi",
        Mode::Emacs => "emacs",
    };
    shell.output.note(&format!("keys edit as in {now}"));
    Ok(())
}

fn edit(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    at_most_one(words)?;
    let text = shell.text.clone().unwrap_or_default();
    shell.edit(&text)
}

fn read(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some(file) = at_most_one(words)? else { return Err(Error::usage("`.read` needs the name of a file")) };
    let (name, text) = commands::read_text(None, Some(file), "script")?;
    shell.play(&name, &text, false).map(|_| ())
}

fn reload(shell: &mut Shell<'_>, _: &[String]) -> Result<()> {
    let reloaded = shell.live.reload().map(Some);
    shell.reloaded(reloaded)
}

fn quit(shell: &mut Shell<'_>, _: &[String]) -> Result<()> {
    shell.over = true;
    Ok(())
}

/// Completions at the cursor in a line that starts with a dot.
pub fn offers(state: &ProjectState, text: &str, line_start: usize, cursor: usize) -> Vec<Offer> {
    let line = &text[line_start..cursor];
    let word = line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let typed = &line[word..];
    let span = line_start + word..cursor;
    let offer = |value: String, about: String| Offer { span: span.clone(), value, about };
    let before: Vec<&str> = line[..word].split_whitespace().collect();
    let Some(command) = before.first() else {
        let typed = typed.trim_start_matches('.');
        let dots = ALL.iter().filter(|d| d.name.starts_with(typed));
        return dots.map(|d| offer(format!(".{}", d.name), d.about.to_owned())).collect();
    };
    let Ok(Found::Dot(dot)) = find(command.trim_start_matches('.')) else { return Vec::new() };
    let of = |names: &[&str]| {
        names.iter().filter(|n| n.starts_with(typed)).map(|n| offer((*n).to_owned(), String::new())).collect()
    };
    match dot.name {
        "run" if before.len() == 1 => {
            let fits = state.queries.iter().filter(|(name, title, _)| {
                name.contains(typed) || title.to_lowercase().contains(&typed.to_lowercase())
            });
            fits.map(|(name, title, _)| offer(name.clone(), title.clone())).collect()
        }
        "run" => {
            let params = state.queries.iter().find(|(name, _, _)| *name == before[1]).map(|(_, _, params)| params);
            let params = params.into_iter().flatten().filter(|p| p.starts_with(typed));
            params.map(|p| offer(format!("{p}="), String::new())).collect()
        }
        "describe" | "properties" | "classes" => super::complete::named(state, typed, &span, dot.name != "describe"),
        "format" => {
            let mut names: Vec<&str> = vec!["auto", "vertical"];
            names.extend(Format::ALL.iter().map(|f| f.name()));
            of(&names)
        }
        "mode" => of(&["vi", "emacs"]),
        "timing" => of(&["on", "off"]),
        "explain" => of(&["analyze"]),
        "help" => {
            ALL.iter().filter(|d| d.name.starts_with(typed)).map(|d| offer(d.name.into(), d.about.into())).collect()
        }
        "prefix" => state
            .prefixes
            .iter()
            .filter(|(p, _)| p.starts_with(typed))
            .map(|(p, iri)| offer(p.to_owned(), visible(iri).into_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

fn run_dot(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some((name, rest)) = words.split_first() else {
        return Err(Error::usage("`.run` needs the name of a canned query").hint("`.queries` lists them"));
    };
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        return run_help(shell, name);
    }
    run_canned(shell, name, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(typed: &str) -> String {
        match find(typed) {
            Ok(Found::Dot(dot)) => dot.name.to_owned(),
            Ok(Found::Verb(verb)) => verb,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_may_be_shortened_while_that_is_clear() {
        assert_eq!(name("he"), "help");
        assert_eq!(name("t"), "timing");
        assert_eq!(name("RUN"), "run");
        assert_eq!(name("Exit"), "quit");
        assert!(name("RNU").contains("did you mean `run`?"), "{}", name("RNU"));
        assert!(name("re").contains("`.read` or `.reload`"), "{}", name("re"));
        assert!(name("clases").contains("did you mean `classes`?"), "{}", name("clases"));
    }

    #[test]
    fn a_name_alone_is_meant_as_a_command_unless_it_begins_a_query() {
        assert_eq!(meant_by("help\n"), Some("help"));
        assert_eq!(meant_by(" Exit;"), Some("quit"));
        assert_eq!(meant_by("describe"), None);
        assert_eq!(meant_by("help me"), None);
    }

    #[test]
    fn words_in_quotes_hold_together() {
        assert_eq!(
            split("describe 'Ministry of Finance' a\"b c\"").unwrap(),
            ["describe", "Ministry of Finance", "ab c"]
        );
        assert!(split("a 'b").is_err());
    }
}
