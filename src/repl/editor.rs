//! The line editor: key bindings, colours, detection of complete input, hints from the history.

use super::complete::Completion;
use super::shared::Shared;
use kgq_syntax::highlight::{Class, highlight};
use kgq_syntax::sparql::{dot_command, tokenize, unfinished};
use kgq_syntax::text::{is_unsafe, typeable};
use kgq_syntax::{TokenKind, significant};
use nu_ansi_term::{Color, Style};
use reedline::{
    DefaultHinter, EditCommand, EditMode, Emacs, Highlighter, History, IdeMenu, KeyCode, KeyModifiers, Keybindings,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, PromptViMode, Reedline,
    ReedlineEvent, ReedlineMenu, ReedlineRawEvent, StyledText, ValidationResult, Validator, Vi,
    default_emacs_keybindings, default_vi_insert_keybindings, default_vi_normal_keybindings,
    default_vi_visual_keybindings,
};
use std::borrow::Cow;

/// The key bindings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Emacs,
    Vi,
}

const MENU: &str = "completion";
/// The command that the session receives when the key for the editor of `$EDITOR` is pressed.
pub const EDIT: &str = "edit";

/// Builds the editor of a session.
pub fn build(shared: &Shared, history: Option<Box<dyn History>>, mode: Mode, colour: bool) -> Reedline {
    let menu = IdeMenu::default()
        .with_name(MENU)
        .with_max_completion_height(12)
        .with_max_completion_width(120)
        .with_marker("> ")
        .with_text_style(Style::new())
        .with_selected_text_style(Style::new().reverse())
        .with_match_text_style(Style::new())
        .with_selected_match_text_style(Style::new().reverse());
    let editor = Reedline::create()
        .with_completer(Box::new(Completion::new(shared.clone())))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_partial_completions(true)
        .with_highlighter(Box::new(Colours { shared: shared.clone(), colour }))
        .with_validator(Box::new(Completeness))
        .with_history_exclusion_prefix(Some(" ".into()))
        // Even without colours, the selected item is shown in reverse.
        .with_ansi_colors(true)
        .use_bracketed_paste(true)
        .with_edit_mode(edit_mode(mode));
    let editor = match history {
        Some(history) => editor.with_history(history),
        None => editor,
    };
    if colour {
        editor.with_hinter(Box::new(DefaultHinter::default().with_style(Style::new().fg(Color::DarkGray))))
    } else {
        // Without colours, a hint would look like typed text.
        editor
    }
}

/// Makes pasted and typed text safe to show, because reedline echoes it to the terminal itself.
struct Typeable(Box<dyn EditMode>);

impl EditMode for Typeable {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        match self.0.parse_event(event) {
            ReedlineEvent::Edit(commands) => ReedlineEvent::Edit(commands.into_iter().map(typeable_edit).collect()),
            event => event,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.0.edit_mode()
    }
}

fn typeable_edit(command: EditCommand) -> EditCommand {
    match command {
        EditCommand::InsertString(text) => EditCommand::InsertString(typeable(&text).into_owned()),
        EditCommand::InsertChar(c) if is_unsafe(c) => {
            EditCommand::InsertString(typeable(c.encode_utf8(&mut [0; 4])).into_owned())
        }
        command => command,
    }
}

pub fn edit_mode(mode: Mode) -> Box<dyn EditMode> {
    Box::new(Typeable(keys(mode)))
}

fn keys(mode: Mode) -> Box<dyn EditMode> {
    match mode {
        Mode::Emacs => {
            let mut keys = default_emacs_keybindings();
            bind(&mut keys);
            Box::new(Emacs::new(keys))
        }
        Mode::Vi => {
            let mut insert = default_vi_insert_keybindings();
            bind(&mut insert);
            Box::new(Vi::new(insert, default_vi_normal_keybindings(), default_vi_visual_keybindings()))
        }
    }
}

fn bind(keys: &mut Keybindings) {
    let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('o'), ReedlineEvent::ExecuteHostCommand(EDIT.into()));
}

/// Decides whether Enter runs the input or begins a new line.
struct Completeness;

impl Validator for Completeness {
    fn validate(&self, text: &str) -> ValidationResult {
        if is_complete(text) { ValidationResult::Complete } else { ValidationResult::Incomplete }
    }
}

pub fn is_complete(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or(text);
    last.trim().is_empty() || last.trim() == ";" || dot_command(last).is_some() || !unfinished(text)
}

struct Colours {
    shared: Shared,
    colour: bool,
}

impl Highlighter for Colours {
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        if !self.colour || dot_command(line).is_some() {
            let style = if self.colour { Style::new().fg(Color::Cyan) } else { Style::new() };
            styled.push((style, line.to_owned()));
            return styled;
        }
        let state = self.shared.get();
        let known = |prefix: &str| state.prefixes.get(prefix).is_some();
        let mut prefix = "";
        for (span, class) in highlight(line, Some(cursor), &known) {
            let text = &line[span.clone()];
            let mut style = style(class);
            match class {
                Class::Prefix => prefix = text.trim_end_matches(':'),
                // A name that is still being typed is not marked as wrong.
                Class::Local if cursor != span.end && !self.is_known(&state, line, prefix, text) => {
                    style = Style::new().fg(Color::Yellow).underline();
                }
                _ => {}
            }
            styled.push((style, text.to_owned()));
        }
        styled
    }
}

impl Colours {
    /// Whether the graph has the term. Datatypes count as known, and so does any IRI that occurs as a term.
    fn is_known(&self, state: &super::shared::ProjectState, line: &str, prefix: &str, local: &str) -> bool {
        let tokens = tokenize(line);
        let declared = kgq_syntax::sparql::prefixes_declared(line, &tokens);
        let iri = match declared.iter().rev().find(|d| d.prefix == prefix) {
            Some(declaration) => kgq_syntax::rdf::NamedNode::new(format!("{}{local}", declaration.iri)).ok(),
            None => state.prefixes.expand(&format!("{prefix}:{local}")),
        };
        // Datatypes and cast functions need no statement in the graph.
        let Some(iri) = iri else { return false };
        iri.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
            || state.snapshot.id(iri.as_ref().into()).is_some()
    }
}

fn style(class: Class) -> Style {
    let style = Style::new();
    match class {
        Class::Plain | Class::Operator | Class::Bracket => style,
        Class::Keyword => style.fg(Color::Blue).bold(),
        Class::Function => style.fg(Color::Magenta),
        Class::Variable => style.fg(Color::Green),
        Class::Prefix => style.fg(Color::Cyan),
        Class::Local => style.fg(Color::Cyan),
        Class::Iri | Class::BlankNode => style.fg(Color::Cyan),
        Class::String | Class::Tag | Class::Number => style.fg(Color::Yellow),
        Class::MatchedBracket => style.bold().reverse(),
        Class::Comment => style.fg(Color::DarkGray),
        Class::UnknownPrefix | Class::WrongBracket | Class::Error => style.fg(Color::Red).underline(),
    }
}

/// The prompt: the project's name; continuation lines are indented by the same width.
pub struct ProjectPrompt {
    pub name: String,
    pub colour: bool,
}

impl Prompt for ProjectPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, mode: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed(match mode {
            PromptEditMode::Vi(PromptViMode::Normal) => ": ",
            _ => "> ",
        })
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Owned(" ".repeat(kgq_syntax::text::width(&self.name) + 2))
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing like ",
        };
        Cow::Owned(format!(" ({failing}`{}`) ", search.term))
    }

    fn get_prompt_color(&self) -> Color {
        if self.colour { Color::Blue } else { Color::Default }
    }

    fn get_indicator_color(&self) -> Color {
        self.get_prompt_color()
    }

    fn get_prompt_multiline_color(&self) -> Color {
        Color::Default
    }
}

/// The text without a final `;` outside all brackets.
pub fn without_terminator(text: &str) -> &str {
    let text = text.trim_end();
    let tokens = significant(&tokenize(text));
    match tokens.last() {
        Some(last) if last.kind == TokenKind::Punctuation && last.text(text) == ";" => &text[..last.start],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_or_typed_reaches_the_line_in_characters_that_can_be_seen() {
        let pasted = EditCommand::InsertString("ASK {\n'\u{9b}31m\x1b]0;t\x07' }".into());
        let shown = EditCommand::InsertString("ASK {\n'\\u009B31m\\u001B]0;t\\u0007' }".into());
        assert_eq!(typeable_edit(pasted), shown);
        assert_eq!(typeable_edit(EditCommand::InsertChar('\u{202e}')), EditCommand::InsertString("\\u202E".into()));
        assert_eq!(typeable_edit(EditCommand::InsertChar('é')), EditCommand::InsertChar('é'));
    }

    #[test]
    fn enter_runs_what_is_complete_wrong_or_asked_for() {
        for run in
            ["SELECT * { ?s ?p ?o }", "SELCT", "SELECT * {\n", "SELECT * {\n;", "SELECT * {\n.help", "SELECT * }", ""]
        {
            assert!(is_complete(run), "{run}");
        }
        for wait in ["SELECT * {", "SELECT * { ?s a ?c ;", "SELECT ?x"] {
            assert!(!is_complete(wait), "{wait}");
        }
    }
}
