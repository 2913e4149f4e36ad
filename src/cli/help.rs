//! What `--help` shows: a command its own options, `--help-all` those of every command too.

use clap::Command;
use std::ffi::{OsStr, OsString};

const ALL: &str = "--help-all";
const POINTER: &str = "`--help-all` shows the options of every command too: data, base, engine, limits.";

/// The command line with the help that these arguments ask for, and the arguments that clap knows.
pub fn shaped(command: Command, arguments: Vec<OsString>) -> (Command, Vec<OsString>) {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let typed = arguments.get(1..end).unwrap_or_default();
    let of = |word: &OsStr| command.get_subcommands().any(|known| word == known.get_name());
    let name = typed.iter().find(|argument| of(argument));
    if typed.iter().any(|argument| argument == ALL) {
        // `run` answers `--help` itself, with what a query asks; the help of the command is meant here.
        let shown = ["kgq".into(), "help".into()].into_iter().chain(name.cloned()).collect();
        return (command, shown);
    }
    if name.is_none() && !typed.iter().any(|argument| argument == "help") {
        return (command, arguments);
    }
    (with_own_options(command), arguments)
}

/// The command line in which a command's help has no option that all commands have.
pub fn with_own_options(command: Command) -> Command {
    command.mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument }).mut_subcommands(
        |known| {
            let below = |text: Option<&clap::builder::StyledStr>| match text {
                Some(text) => format!("{text}\n\n{POINTER}"),
                None => POINTER.to_owned(),
            };
            let short = below(known.get_after_help());
            let long = known.get_after_long_help().map(|text| below(Some(text)));
            let known = known.after_help(short);
            match long {
                Some(long) => known.after_long_help(long),
                None => known,
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn help(arguments: &[&str]) -> String {
        let arguments = arguments.iter().map(OsString::from).collect();
        let (command, arguments) = shaped(command(), arguments);
        command.try_get_matches_from(arguments).unwrap_err().render().to_string()
    }

    #[test]
    fn a_command_shows_its_own_options_and_those_of_every_command_when_asked() {
        let own = help(&["kgq", "query", "--help"]);
        assert!(own.contains("--explain") && own.contains(ALL), "{own}");
        assert!(!own.contains("--max-memory") && !own.contains("--engine"), "{own}");
        let all = help(&["kgq", "query", "--help-all"]);
        assert!(all.contains("--explain") && all.contains("--max-memory"), "{all}");
        assert!(help(&["kgq", "run", ALL]).contains("--max-memory"));
        assert!(help(&["kgq", ALL]).contains("--max-memory"));
    }

    #[test]
    fn the_program_shows_the_options_of_every_command() {
        assert!(help(&["kgq", "--help"]).contains("--max-memory"));
    }

    #[test]
    fn what_stands_behind_two_dashes_is_no_option() {
        let arguments = ["kgq", "describe", "--", ALL].map(OsString::from).to_vec();
        assert_eq!(shaped(command(), arguments.clone()).1, arguments);
    }
}
