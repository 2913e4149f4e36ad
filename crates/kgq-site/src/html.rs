//! The frame of every page, and how terms, links and texts appear in it. The templates escape all data, and a link leads
//! only to the web, to a mailbox or to another page.

use super::facts::FEW_LANGUAGES;
use super::model::Model;
use kgq_graph::catalog::{ClassWord, expression};
use kgq_graph::export::names::relative;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::{is_unsafe, visible};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use oxrdf::vocab::xsd;
use std::borrow::Cow;

/// The policy of pages: they load nothing from other hosts, and run only the script of the site.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// The policy of pages on a server: they may also query it and send forms to it.
pub const SERVED_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'";

/// The policy of the query page: it compiles WebAssembly, starts a worker and fetches the dump, all from the site itself.
const QUERY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'";

/// The page that a server shows for a missing page.
pub const MISSING: &str = "404.html";

/// The maximum depth of nested blank nodes.
const DEEPEST: usize = 4;

/// The maximum number of list members shown.
const LONGEST_LIST: usize = 200;

const FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
const REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";

/// The prefix of the properties that state what an axiom annotates: its source, property and target.
const ANNOTATED: &str = "http://www.w3.org/2002/07/owl#annotated";
const AXIOM: &str = "<http://www.w3.org/2002/07/owl#Axiom>";

/// The page being written; its path decides how links to other pages are written.
pub struct At<'m, 'a> {
    pub model: &'m Model<'a>,
    pub path: &'m str,
}

/// The parts of a page besides its body.
#[derive(Default)]
pub struct Head<'h> {
    pub title: String,
    pub description: Option<String>,
    /// Files with the same content, as media type and path.
    pub alternates: Vec<(&'static str, String)>,
    /// Its schema.org description, as JSON.
    pub json_ld: Option<serde_json::Value>,
    /// The entry of the navigation to which the page belongs.
    pub section: &'h str,
    /// Scripts besides the one of the site.
    pub scripts: Vec<&'h str>,
    pub styles: Vec<&'h str>,
    pub runs_queries: bool,
    /// The query string of the page's address, without the language.
    pub query: String,
}

impl At<'_, '_> {
    /// The link from this page to another file of the site.
    pub fn href(&self, path: &str) -> String {
        // This page appears at any missing address, where a relative link would be wrong.
        if self.path == MISSING && !self.model.source.served {
            return format!("{}{path}", self.model.root_path());
        }
        if !self.model.source.served {
            return relative(self.path, path);
        }
        let (file, query) = path.split_once('?').map_or((path, None), |(file, query)| (file, Some(query)));
        let mut out = relative(self.path, self.model.shown(file));
        if out.is_empty() {
            out.push_str("./");
        }
        let language = (self.model.chosen && file.ends_with(".html")).then(|| format!("lang={}", self.model.language));
        for (i, part) in query.map(str::to_owned).into_iter().chain(language).enumerate() {
            out.push(if i == 0 { '?' } else { '&' });
            out.push_str(&part);
        }
        out
    }

    /// A text of the site itself, in its language.
    pub fn say(&self, english: &'static str) -> &'static str {
        self.model.say(english)
    }

    /// A text of the site itself with a value inserted.
    pub fn fill(&self, english: &'static str, value: impl std::fmt::Display) -> String {
        self.model.fill(english, value)
    }

    /// A number with its noun.
    pub fn count(&self, number: u64, one: &'static str, several: &'static str) -> String {
        self.model.count(number, one, several)
    }

    /// A thing as a link with its label.
    pub fn thing(&self, node: &NamedNode) -> Markup {
        let label = self.model.label(node);
        self.link(node, &text(&label))
    }

    /// A link to the page of a thing, else to its own address on the web; only the words if it has neither.
    pub fn link(&self, node: &NamedNode, words: &str) -> Markup {
        let iri = node.as_str();
        if let Some(page) = self.model.page(iri) {
            let deprecated = self.model.is_deprecated(node);
            return html! { a href=(self.href(&page)) class=[deprecated.then_some("deprecated")] { bdi { (words) } } };
        }
        match web_link(iri) {
            Some(iri) => html! { a .external href=(iri) rel="external noopener" title=(iri) { bdi { (words) } } },
            None => html! { span title=(text(iri)) { bdi { (words) } } },
        }
    }

    /// A property, by its label, else in words.
    pub fn property(&self, node: &NamedNode) -> Markup {
        self.thing(node)
    }

    /// The heading of a thing's page: its name in one language, with the names in others folded.
    pub fn heading(&self, thing: &NamedNode) -> Markup {
        let titles = self.model.titles(thing);
        let language = titles.best.and_then(|title| title.language()).map(cased);
        html! {
            h1 { bdi lang=[language] dir="auto" { (text(&self.model.label(thing))) } }
            (self.other_names(&titles.others))
        }
    }

    /// Names in other languages: a few side by side, more of them folded.
    pub fn other_names(&self, names: &[&Literal]) -> Markup {
        html! {
            @if (1..=FEW_LANGUAGES).contains(&names.len()) {
                ul .inline.others { @for name in names { li { (self.literal(name)) } } }
            } @else if !names.is_empty() {
                details .others {
                    summary { (self.count(names.len() as u64, "other language", "other languages")) }
                    ul .inline { @for name in names { li { (self.literal(name)) } } }
                }
            }
        }
    }

    /// A value in a readable form.
    pub fn term(&self, term: &Term) -> Markup {
        self.term_to(term, 0)
    }

    fn term_to(&self, term: &Term, depth: usize) -> Markup {
        match term {
            Term::NamedNode(node) => self.thing(node),
            Term::Literal(literal) => self.literal(literal),
            Term::BlankNode(node) => self.blank(node, depth),
            Term::Triple(triple) => self.triple(triple, depth),
        }
    }

    /// A value as plain text.
    pub fn plain(&self, term: &Term) -> String {
        match term {
            Term::NamedNode(node) => self.model.label(node),
            Term::Literal(literal) => literal.value().to_owned(),
            Term::BlankNode(_) | Term::Triple(_) => String::new(),
        }
    }

    pub fn subject(&self, subject: &NamedOrBlankNode) -> Markup {
        match subject {
            NamedOrBlankNode::NamedNode(node) => self.thing(node),
            NamedOrBlankNode::BlankNode(node) => self.blank(node, 0),
        }
    }

    pub fn triple(&self, triple: &Triple, depth: usize) -> Markup {
        let object = if depth < DEEPEST {
            self.term_to(&triple.object, depth + 1)
        } else {
            html! { "…" }
        };
        html! { span .triple { (self.subject(&triple.subject)) " — " (self.property(&triple.predicate)) " — " (object) } }
    }

    fn blank(&self, node: &BlankNode, depth: usize) -> Markup {
        let facts = self.model.blank_facts(node);
        if depth >= DEEPEST || facts.is_empty() {
            return html! { span .muted { (self.say("something without a name")) } };
        }
        if let Some(pieces) = expression(node, &|node| self.model.said_of(node)) {
            return self.expression(&pieces, depth);
        }
        if let Some(items) = self.list(facts) {
            return html! { span .list { @for (i, item) in items.iter().enumerate() { @if i > 0 { ", " } (self.term_to(item, depth + 1)) } } };
        }
        let axiom = self.axiom(facts);
        let annotates =
            |quad: &Quad| quad.predicate.as_str().starts_with(ANNOTATED) || quad.object.to_string() == AXIOM;
        html! {
            @if let Some(axiom) = &axiom { (self.say("note on “")) (axiom) "”" }
            dl .nested {
                @for quad in facts.iter().filter(|quad| axiom.is_none() || !annotates(quad)) {
                    dt { (self.property(&quad.predicate)) }
                    dd { (self.term_to(&quad.object, depth + 1)) }
                }
            }
        }
    }

    /// The statement that an OWL axiom annotates, if these facts are of one.
    fn axiom(&self, facts: &[Quad]) -> Option<Markup> {
        let part = |name: &str| object(facts, &format!("{ANNOTATED}{name}"));
        let (subject, property, value) = (part("Source")?, part("Property")?, part("Target")?);
        Some(
            html! { (self.term_to(subject, DEEPEST)) " — " (self.term_to(property, DEEPEST)) " — " (self.term_to(value, DEEPEST)) },
        )
    }

    /// A class expression in words, with its terms as links.
    fn expression(&self, pieces: &[ClassWord], depth: usize) -> Markup {
        let mut open = true;
        html! {
            span .expression {
                @for piece in pieces {
                    @if !open && !matches!(piece, ClassWord::Close | ClassWord::Comma) { " " }
                    @match piece {
                        ClassWord::Word(word) => span .word { (self.say(word)) },
                        ClassWord::Term(term) => (self.term_to(term, depth + 1)),
                        ClassWord::Open => "(",
                        ClassWord::Close => ")",
                        ClassWord::Comma => ",",
                    }
                    ({ open = *piece == ClassWord::Open; "" })
                }
            }
        }
    }

    /// The members of an RDF list, if these facts are the head of one; at most as many as a page can show.
    fn list(&self, facts: &[Quad]) -> Option<Vec<Term>> {
        let mut items = vec![object(facts, FIRST)?.clone()];
        let mut rest = object(facts, REST)?;
        while let Term::BlankNode(node) = rest
            && items.len() < LONGEST_LIST
        {
            let facts = self.model.blank_facts(node);
            items.push(object(facts, FIRST)?.clone());
            rest = object(facts, REST)?;
        }
        Some(items)
    }

    pub fn literal(&self, literal: &Literal) -> Markup {
        let value = text(literal.value());
        if let Some(language) = literal.language() {
            let direction = literal.direction().map_or("auto".to_owned(), |d| d.to_string());
            let other = language != self.model.language;
            return html! {
                bdi .text lang=(cased(language)) dir=(direction) { (value) }
                @if other { " " span .tag { (cased(language)) } }
            };
        }
        let datatype = literal.datatype();
        if is_date(literal) {
            return html! { time datetime=(value) { (value) } };
        }
        if datatype == xsd::ANY_URI
            && let Some(iri) = web_link(literal.value())
        {
            return html! { a .external href=(iri) rel="external noopener" { bdi { (value) } } };
        }
        if is_number(literal) {
            return html! { span .number { (value) } };
        }
        let plain = [xsd::STRING, xsd::BOOLEAN, xsd::ANY_URI].contains(&datatype);
        html! {
            bdi .text dir="auto" { (value) }
            @if !plain { " " span .tag { (self.model.curie(datatype.as_str())) } }
        }
    }
}

fn object<'f>(facts: &'f [Quad], property: &str) -> Option<&'f Term> {
    facts.iter().find(|q| q.predicate.as_str() == property).map(|q| &q.object)
}

pub fn is_date(literal: &Literal) -> bool {
    let datatype = literal.datatype();
    [xsd::DATE, xsd::DATE_TIME, xsd::G_YEAR, xsd::G_YEAR_MONTH].contains(&datatype)
}

pub fn is_number(literal: &Literal) -> bool {
    let datatype = literal.datatype();
    [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT, xsd::INT, xsd::LONG, xsd::NON_NEGATIVE_INTEGER]
        .contains(&datatype)
}

/// Returns the IRI if a link to it leads to the web or to a mailbox.
pub fn web_link(iri: &str) -> Option<&str> {
    let lower = iri.get(..8.min(iri.len())).unwrap_or_default().to_ascii_lowercase();
    let allowed = ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    (allowed && !iri.chars().any(|c| c.is_whitespace() || is_unsafe(c))).then_some(iri)
}

/// Makes characters visible that hide text or change its direction; line breaks are kept.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unsafe(c) && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(|line| visible(line.trim_end_matches('\r'))).collect();
    Cow::Owned(lines.join("\n"))
}

/// The punctuation that ends a sentence after these words: only a space if they already end with some.
pub fn stop(words: &str) -> &'static str {
    let ended = words.trim_end_matches(['”', '"', '’', ')', ' ']).ends_with(['.', '!', '?', '…', '。', '！', '？']);
    if ended { " " } else { ". " }
}

/// A complete page.
pub fn page(at: &At<'_, '_>, head: Head<'_>, body: Markup) -> String {
    let source = &at.model.source;
    let title = text(source.title);
    let policy = match (source.served, head.runs_queries) {
        (true, _) => SERVED_POLICY,
        (false, true) => QUERY_POLICY,
        (false, false) => POLICY,
    };
    let nav = [
        ("things", "Things", "index.html".to_owned()),
        ("ontology", "Ontology", at.model.ontology_page()),
        ("queries", "Questions", "queries.html".to_owned()),
        ("query", "Ask", "ask.html".to_owned()),
        ("data", "Data", "data.html".to_owned()),
    ];
    let asks = at.model.asks();
    let own_title =
        if head.title == source.title { title.to_string() } else { format!("{} · {title}", text(&head.title)) };
    let out = html! {
        (DOCTYPE)
        html lang=(at.model.own_language()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                // A browser that sends no referrer also sends no origin with a form.
                meta name="referrer" content=(if source.served { "same-origin" } else { "no-referrer" });
                meta name="color-scheme" content="light dark";
                title { (own_title) }
                @if let Some(description) = &head.description { meta name="description" content=(text(description)); }
                @if !source.served { link rel="canonical" href=(at.model.url(at.path)); }
                @for (media, path) in &head.alternates {
                    link rel="alternate" type=(media) href=(at.href(path));
                }
                @if let Some((media, path)) = head.alternates.first() {
                    link rel="describedby" type=(media) href=(at.href(path));
                }
                link rel="icon" href=(at.href("assets/icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(at.href("assets/site.css"));
                @for style in &head.styles { link rel="stylesheet" href=(at.href(style)); }
                script src=(at.href("assets/site.js")) defer {}
                @if source.served { script src=(at.href("assets/served.js")) defer {} }
                @for script in &head.scripts { script src=(at.href(script)) defer {} }
                @if let Some(json) = &head.json_ld { (data_block(json)) }
            }
            body {
                a .skip href="#main" { (at.say("Skip to the content")) }
                @if let Some(why) = at.model.broken {
                    p .banner role="status" { (at.say("The files cannot be read as they are now, so the graph is what they were: ")) (text(why)) }
                }
                header .site {
                    a .home href=(at.href("index.html")) { (title) }
                    nav aria-label=(at.say("Site")) {
                        @for (key, words, path) in &nav {
                            @if *key != "query" || asks {
                                a href=(at.href(path)) aria-current=[(head.section == *key).then_some("true")] { (at.say(words)) }
                            }
                        }
                    }
                    @if source.served { (languages(at, &head.query)) }
                }
                main #main tabindex="-1" { (body) }
                footer .site {
                    p { a href=(at.href("data.html")) { (at.say("All of it as data")) } (at.say(" · made by kgq from files, the same from the same")) }
                }
            }
        }
    };
    out.into_string()
}

/// Links to the same page in other languages.
fn languages(at: &At<'_, '_>, query: &str) -> Markup {
    let before = if query.is_empty() { String::new() } else { format!("{query}&") };
    html! {
        nav .languages aria-label=(at.say("Language")) {
            @for tag in &at.model.languages {
                a href=(format!("?{before}lang={tag}")) lang=(cased(tag)) hreflang=(cased(tag)) aria-current=[(tag == at.model.language).then_some("true")] { (name_of(tag)) }
            }
        }
    }
}

/// The name of a language in that language, if known; else its tag.
fn name_of(tag: &str) -> String {
    let name = match tag {
        "ar" => "العربية",
        "de" => "Deutsch",
        "en" => "English",
        "es" => "Español",
        "fr" => "Français",
        "it" => "Italiano",
        "ja" => "日本語",
        "ko" => "한국어",
        "nl" => "Nederlands",
        "pl" => "Polski",
        "pt" => "Português",
        "ru" => "Русский",
        "zh" => "中文",
        tag => return cased(tag).into_owned(),
    };
    name.to_owned()
}

/// Embeds JSON in a page as data, which browsers do not execute; escaping `<` keeps it from closing the block.
fn data_block(json: &serde_json::Value) -> Markup {
    let text = json.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    PreEscaped(format!("<script type=\"application/ld+json\">{text}</script>"))
}
