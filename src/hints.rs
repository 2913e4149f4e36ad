//! Hints for clients of a server, who have neither our command line nor our kgq.toml.

use kgq_syntax::error::Error;

/// The hints of an error that mention no command, option or setting of ours.
pub fn of(error: &Error) -> impl Iterator<Item = &str> {
    error.hints().iter().map(String::as_str).filter(|hint| !is_for_the_command_line(hint))
}

/// The hints of an error that are kept from clients, because they are for whoever runs the server.
pub fn kept_back(error: &Error) -> impl Iterator<Item = &str> {
    error.hints().iter().map(String::as_str).filter(|hint| is_for_the_command_line(hint))
}

fn is_for_the_command_line(hint: &str) -> bool {
    hint.contains("kgq ") || hint.contains("`-") || hint.contains("kgq.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_nothing_of_commands_and_settings() {
        let error =
            Error::input("nothing is called so").hint("did you mean `e:name`?").hint("`kgq describe e:x` shows it");
        let error =
            error.hint("raise the limit with `--max-depth` or `max-depth` in kgq.toml").hint("`-d FILE` names one");
        assert_eq!(of(&error).collect::<Vec<_>>(), ["did you mean `e:name`?"]);
        assert_eq!(kept_back(&error).count(), 3);
    }
}
