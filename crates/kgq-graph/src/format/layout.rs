//! Turns the tree into what is printed: terms normalised, comments attached, everything sorted.

use super::comments::Comments;
use super::model::*;
use super::parts::Prefixes;
use super::{order, print};
use kgq_syntax::text::is_unsafe;
use kgq_syntax::turtle::tree::*;
use kgq_syntax::turtle::triples::unescape;
use kgq_syntax::{Span, turtle};
use std::collections::BTreeSet;
use std::ops::Range;

const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const ONTOLOGY: &str = "http://www.w3.org/2002/07/owl#Ontology";

/// Lays out one part of a document, and returns the prefixes that it uses.
pub(super) fn layout(
    text: &str,
    document: &Document,
    items: Range<usize>,
    span: Span,
    prefixes: &Prefixes,
) -> (Laid, BTreeSet<String>) {
    let comments = Comments::new(text, &document.tokens, &span);
    let mut layout = Layout { text, comments, prefixes, used: BTreeSet::new() };
    let numbered = items.clone().zip(&document.items[items]);
    let laid = layout.items(numbered, span);
    (laid, layout.used)
}

struct Layout<'a> {
    text: &'a str,
    comments: Comments<'a>,
    prefixes: &'a Prefixes,
    used: BTreeSet<String>,
}

impl<'a> Layout<'a> {
    fn items<'d>(&mut self, items: impl Iterator<Item = (usize, &'d Item)>, within: Span) -> Laid {
        let mut header = Vec::new();
        let mut declared: Vec<Declared> = Vec::new();
        let mut sections = vec![Section::default()];
        let mut end = within.start;
        for (number, item) in items {
            let span = item.span();
            let mut block = match item {
                Item::Directive(directive) => {
                    let (mut groups, _) = self.comments.groups(end..span.start);
                    // Comments before the first declaration are about the whole document.
                    let leading = if declared.is_empty() && end == within.start {
                        header.append(&mut groups);
                        Vec::new()
                    } else {
                        groups.concat()
                    };
                    let mut one = Declared::new(self.text, directive, number);
                    one.trailing = self.comments.trailing(span.end);
                    one.leading = leading;
                    one.leading.extend(self.comments.take(span.clone()));
                    declared.push(one);
                    end = span.end;
                    continue;
                }
                Item::Statement(statement) => self.statement(statement),
                Item::Graph(graph) => self.graph(graph),
            };
            let leading = self.begin(end..span.start, &mut sections);
            block.leading.splice(0..0, leading);
            push(&mut sections, block);
            end = span.end;
        }
        self.finish(end..within.end, &mut sections);
        Laid { header, declared, sections }
    }

    /// Takes the comments before a block: groups followed by a blank line begin a section, the rest belongs to the
    /// block.
    fn begin(&mut self, gap: Span, sections: &mut Vec<Section>) -> Vec<String> {
        let (mut groups, apart) = self.comments.groups(gap);
        let leading = if apart { None } else { groups.pop() };
        if !groups.is_empty() {
            sections.push(Section { heading: groups, blocks: Vec::new() });
        }
        leading.unwrap_or_default()
    }

    /// Takes the comments after the last block.
    fn finish(&mut self, gap: Span, sections: &mut Vec<Section>) {
        let (groups, _) = self.comments.groups(gap);
        if !groups.is_empty() {
            sections.push(Section { heading: groups, blocks: Vec::new() });
        }
        for section in sections {
            section.blocks.sort_by(order::blocks);
            section.blocks = join(std::mem::take(&mut section.blocks));
        }
    }

    fn graph(&mut self, graph: &GraphBlock) -> Block {
        let head = match &graph.name {
            Some(name) => format!("{} {{", inline(&self.node(name))),
            None => "{".to_owned(),
        };
        let mut sections = vec![Section::default()];
        let leading = self.comments.take(graph.span.start..graph.open.start);
        let head_comment = self.comments.trailing(graph.open.end);
        let mut end = graph.open.end;
        for statement in &graph.statements {
            let leading = self.begin(end..statement.span.start, &mut sections);
            let mut block = self.statement(statement);
            block.leading.splice(0..0, leading);
            push(&mut sections, block);
            end = statement.span.end;
        }
        self.finish(end..graph.span.end, &mut sections);
        Block {
            leading,
            head: vec![Line::new(0, head)],
            head_comment,
            body: Body::Graph(sections),
            tail: Vec::new(),
            trailing: self.comments.trailing(graph.span.end),
            named: false,
            ontology: false,
        }
    }

    fn statement(&mut self, statement: &Statement) -> Block {
        let head = self.node(&statement.subject);
        let leading = self.comments.take(statement.subject.span.clone());
        let head_comment = self.comments.trailing(statement.subject.span.end);
        let end = statement.span.end;
        let mut tail = Vec::new();
        let facts = self.facts(&statement.predicates, statement.subject.span.end..end, &mut tail);
        let ontology = facts.iter().any(|f| f.rank == 0 && f.key == ObjectKey::Name(ONTOLOGY.to_owned()));
        let named = matches!(statement.subject.form, TermForm::Plain);
        Block {
            leading,
            head,
            head_comment,
            body: Body::Facts(facts),
            tail,
            trailing: self.comments.trailing(end),
            named,
            ontology,
        }
    }

    /// Returns the sorted facts; `within` extends from the end of their subject to the end of the facts.
    fn facts(&mut self, predicates: &[Predicate], within: Span, tail: &mut Vec<String>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut end = within.start;
        for predicate in predicates {
            let mut start = predicate.verb.span.start;
            let (verb, iri) = self.verb(&predicate.verb);
            for object in &predicate.objects {
                let mut leading = self.comments.take(end..start);
                let lines = self.object(object);
                leading.extend(self.comments.take(start..object.span.end));
                facts.push(Fact {
                    leading,
                    verb: verb.clone(),
                    rank: order::rank(&iri),
                    object: lines,
                    bare: object.annotations.is_empty() && self.key(&object.node) != ObjectKey::Nested,
                    key: self.key(&object.node),
                    trailing: self.comments.trailing(object.span.end),
                });
                end = object.span.end;
                start = end;
            }
        }
        tail.extend(self.comments.take(end..within.end));
        arrange(&mut facts);
        facts
    }

    fn object(&mut self, object: &Object) -> Lines {
        let mut lines = self.node(&object.node);
        for annotation in &object.annotations {
            let more = match annotation {
                Annotation::Reifier { name: None, .. } => vec![Line::new(0, "~")],
                Annotation::Reifier { name: Some(name), .. } => {
                    vec![Line::new(0, format!("~ {}", inline(&self.node(name))))]
                }
                Annotation::Block { predicates, span } => self.nested("{|", predicates, span, "|}"),
            };
            append(&mut lines, more);
        }
        lines
    }

    /// Facts in brackets: on one line if there is only one and it fits there.
    fn nested(&mut self, open: &str, predicates: &[Predicate], span: &Span, close: &str) -> Lines {
        let mut tail = Vec::new();
        let facts = self.facts(predicates, span.start + open.len()..span.end, &mut tail);
        if facts.is_empty() && tail.is_empty() {
            return vec![Line::new(0, format!("{open}{close}"))];
        }
        if let [Fact { leading, verb, object, trailing: None, .. }] = facts.as_slice()
            && let [only] = object.as_slice()
            && leading.is_empty()
            && tail.is_empty()
        {
            return vec![Line::new(0, format!("{open} {verb} {} {close}", only.text))];
        }
        let mut lines = vec![Line::new(0, open)];
        lines.extend(print::facts(&facts, 1));
        lines.extend(tail.into_iter().map(|comment| Line::new(1, comment)));
        lines.push(Line::new(0, close));
        lines
    }

    fn node(&mut self, node: &TermNode) -> Lines {
        let text = match &node.form {
            TermForm::Plain => self.plain(&node.span),
            TermForm::Literal { text, tag, datatype } => self.literal(text, tag.as_ref(), datatype.as_deref()),
            TermForm::Anonymous(predicates) => return self.nested("[", predicates, &node.span, "]"),
            TermForm::Collection(members) => return self.collection(members, &node.span),
            TermForm::Reified { triple, reifier } => {
                let reifier = match reifier {
                    None => String::new(),
                    Some(None) => " ~".to_owned(),
                    Some(Some(name)) => format!(" ~ {}", inline(&self.node(name))),
                };
                format!("<< {}{reifier} >>", self.triple(triple))
            }
            TermForm::TripleTerm(triple) => format!("<<( {} )>>", self.triple(triple)),
        };
        vec![Line::new(0, text)]
    }

    fn triple(&mut self, parts: &[TermNode; 3]) -> String {
        let [subject, verb, object] = parts;
        let object = match &object.form {
            // The parser accepts no multi-line string here.
            TermForm::Literal { text, tag, datatype } => {
                let value = quoted_on_one_line(&string_value(&self.text[text.clone()]));
                self.tagged(value, tag.as_ref(), datatype.as_deref())
            }
            _ => inline(&self.node(object)),
        };
        format!("{} {} {object}", inline(&self.node(subject)), self.verb(verb).0)
    }

    /// A list: on one line if its members are simple and it fits, else one member per line.
    fn collection(&mut self, members: &[Object], span: &Span) -> Lines {
        const WIDTH: usize = 80;
        let mut lines = vec![Line::new(0, "(")];
        let mut plain = true;
        let mut end = span.start + 1;
        for member in members {
            let comments = self.comments.take(end..member.span.start);
            let mut more = self.node(&member.node);
            let trailing = self.comments.trailing(member.span.end);
            plain &= comments.is_empty() && trailing.is_none() && more.len() == 1 && !more[0].text.contains('\n');
            if let (Some(last), Some(trailing)) = (more.last_mut(), trailing) {
                last.text = format!("{} {trailing}", last.text);
            }
            lines.extend(comments.into_iter().map(|comment| Line::new(1, comment)));
            lines.extend(more.into_iter().map(|line| Line::new(line.depth + 1, line.text)));
            end = member.span.end;
        }
        let tail = self.comments.take(end..span.end);
        plain &= tail.is_empty();
        let words: Vec<&str> = lines[1..].iter().map(|line| line.text.as_str()).collect();
        let one_line = if words.is_empty() { "()".to_owned() } else { format!("( {} )", words.join(" ")) };
        if plain && kgq_syntax::text::width(&one_line) <= WIDTH {
            return vec![Line::new(0, one_line)];
        }
        lines.extend(tail.into_iter().map(|comment| Line::new(1, comment)));
        lines.push(Line::new(0, ")"));
        lines
    }

    /// How a predicate is written, and its IRI.
    fn verb(&mut self, node: &TermNode) -> (String, String) {
        let written = &self.text[node.span.clone()];
        let iri = if written == "a" { RDF_TYPE.to_owned() } else { self.iri(written) };
        if iri == RDF_TYPE {
            return ("a".into(), iri);
        }
        (self.plain(&node.span), iri)
    }

    fn iri(&self, written: &str) -> String {
        if let Some(inner) = written.strip_prefix('<') {
            return unescape(inner.trim_end_matches('>'));
        }
        let (prefix, local) = written.split_once(':').unwrap_or(("", written));
        let namespace = self.prefixes.get(prefix).map_or("", |meaning| meaning.iri.as_str());
        format!("{namespace}{}", local.replace('\\', ""))
    }

    /// A term of a single token: an IRI is shortened if a prefix is declared for it.
    fn plain(&mut self, span: &Span) -> String {
        let written = &self.text[span.clone()];
        if written.starts_with('<') {
            return self.shortened(written);
        }
        let is_name = !written.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
        if is_name
            && !written.starts_with("_:")
            && let Some((prefix, _)) = written.split_once(':')
        {
            self.used.insert(prefix.to_owned());
        }
        written.to_owned()
    }

    fn shortened(&mut self, written: &str) -> String {
        let iri = self.iri(written);
        // A relative namespace would match the written text only by chance.
        let best = self
            .prefixes
            .iter()
            .map(|(prefix, meaning)| (prefix, &meaning.iri))
            .filter(|(_, namespace)| namespace.contains(':') && iri.starts_with(namespace.as_str()))
            .filter(|(_, namespace)| is_plain_local(&iri[namespace.len()..]))
            .max_by_key(|(_, namespace)| namespace.len());
        let Some((prefix, namespace)) = best else { return written.to_owned() };
        self.used.insert(prefix.clone());
        format!("{prefix}:{}", &iri[namespace.len()..])
    }

    fn literal(&mut self, text: &Span, tag: Option<&Span>, datatype: Option<&TermNode>) -> String {
        let value = quoted(&string_value(&self.text[text.clone()]));
        self.tagged(value, tag, datatype)
    }

    fn tagged(&mut self, value: String, tag: Option<&Span>, datatype: Option<&TermNode>) -> String {
        match (tag, datatype) {
            (Some(tag), _) => format!("{value}{}", &self.text[tag.clone()]),
            (None, Some(datatype)) => format!("{value}^^{}", self.plain(&datatype.span)),
            (None, None) => value,
        }
    }

    fn key(&self, node: &TermNode) -> ObjectKey {
        let written = &self.text[node.span.clone()];
        match &node.form {
            TermForm::Plain if written.starts_with("_:") => ObjectKey::Label(written.to_owned()),
            TermForm::Plain if written.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => {
                ObjectKey::Literal("number".into(), written.to_owned())
            }
            TermForm::Plain => ObjectKey::Name(self.iri(written)),
            TermForm::Literal { text, tag, datatype } => {
                let kind = tag.as_ref().map(|tag| self.text[tag.clone()].to_owned());
                let datatype = datatype.as_ref().map(|d| self.iri(&self.text[d.span.clone()]));
                ObjectKey::Literal(kind.or(datatype).unwrap_or_default(), string_value(&self.text[text.clone()]))
            }
            TermForm::Anonymous(_) | TermForm::Collection(_) | TermForm::Reified { .. } | TermForm::TripleTerm(_) => {
                ObjectKey::Nested
            }
        }
    }
}

fn push(sections: &mut [Section], block: Block) {
    if let Some(section) = sections.last_mut() {
        section.blocks.push(block);
    }
}

/// Sorts the facts, and drops repeated ones that add nothing.
fn arrange(facts: &mut Vec<Fact>) {
    facts.sort_by(order::facts);
    facts.dedup_by(|b, a| {
        let silent = b.leading.is_empty() && b.trailing.is_none();
        silent && a.bare && b.bare && a.verb == b.verb && a.object == b.object
    });
}

/// Joins blocks with the same subject, so that their facts are together.
fn join(blocks: Vec<Block>) -> Vec<Block> {
    let mut joined: Vec<Block> = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        if let Some(last) = joined.last_mut()
            && last.named
            && block.named
            && last.head == block.head
            && let (Body::Facts(facts), Body::Facts(more)) = (&mut last.body, &mut block.body)
        {
            facts.append(more);
            arrange(facts);
            last.leading.append(&mut block.leading);
            last.leading.extend(block.head_comment);
            last.tail.append(&mut block.tail);
            last.tail.extend(block.trailing);
            continue;
        }
        joined.push(block);
    }
    joined
}

/// Joins lines that must be on one line.
fn inline(lines: &Lines) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Appends the first of the further lines to the last line, and the others after it.
fn append(lines: &mut Lines, mut more: Lines) {
    if let (Some(last), false) = (lines.last_mut(), more.is_empty()) {
        let first = more.remove(0);
        last.text = format!("{} {}", last.text, first.text);
    }
    lines.append(&mut more);
}

fn string_value(written: &str) -> String {
    let marks = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
    unescape(written.get(marks..written.len().saturating_sub(marks)).unwrap_or_default())
}

/// Quotes a string, with three quotation marks if it has several lines.
pub fn quoted(value: &str) -> String {
    let long = value.contains('\n');
    let mut out = String::with_capacity(value.len() + 6);
    let marks = if long { "\"\"\"" } else { "\"" };
    out.push_str(marks);
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' if long => out.push('\n'),
            '"' if long && !matches!(chars.peek(), None | Some('"')) => out.push('"'),
            '"' => out.push_str("\\\""),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) && u32::from(c) <= 0xFFFF => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if is_unsafe(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str(marks);
    out
}

/// Quotes a string with escapes in place of line breaks.
pub fn quoted_on_one_line(value: &str) -> String {
    let lines = value.split('\n').map(|line| {
        let line = quoted(line);
        line[1..line.len() - 1].to_owned()
    });
    format!("\"{}\"", lines.collect::<Vec<_>>().join("\\n"))
}

/// Whether a text can follow a colon without escapes.
pub fn is_plain_local(local: &str) -> bool {
    let name = format!("x:{local}");
    let one_token = turtle::tokenize(&name).len() == 1;
    one_token && !local.is_empty() && !local.contains(['\\', '%', ':'])
}
