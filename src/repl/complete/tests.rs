//! Tests what completion offers over a small graph, and what that costs over a large one.

use super::*;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::budget::{Budget, Limits};
use std::time::Duration;

const GRAPH: &str = r#"
@prefix : <http://e/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:miit a :Ministry ; rdfs:label "Ministry of Industry and Information Technology"@en , "工业和信息化部"@zh ; :leads :telecoms ; :seat "Beijing" .
:mof a :Ministry ; rdfs:label "Ministry of Finance"@en , "财政部"@zh ; :leads :banking .
:banking a :Sector ; rdfs:label "Banking"@en .
:telecoms a :Sector ; rdfs:label "Telecommunications"@en ; :partOf :services .
:Ministry rdfs:label "Ministry"@en .
"#;

fn state_of(text: impl Into<Vec<u8>>, format: kgq_syntax::rdf::RdfFormat) -> ProjectState {
    let options = OpenOptions {
        files: vec!["-".into()],
        stdin: Some(text.into()),
        input_format: Some(format),
        ..OpenOptions::default()
    };
    let graph = Graph::open(options).unwrap();
    let state = ProjectState::of(&graph).unwrap();
    state.index_when_ready().unwrap();
    state
}

fn offered(text: &str) -> Vec<String> {
    let state = state_of(GRAPH, kgq_syntax::rdf::RdfFormat::Turtle);
    offers(&state, text, text.len()).into_iter().map(|offer| offer.value).collect()
}

fn first(text: &str) -> String {
    offered(text).into_iter().next().unwrap_or_default()
}

#[test]
fn keywords_are_those_of_the_position() {
    assert_eq!(offered("SE"), ["SELECT"]);
    assert_eq!(first("SELECT * { ?s ?p ?o } OR"), "ORDER BY");
    assert_eq!(first("SELECT * { OP"), "OPTIONAL");
    assert_eq!(first("SELECT * { ?s ?p ?o FILTER(STRSTA"), "STRSTARTS(");
}

#[test]
fn every_prefix_of_a_namespace_completes_its_names() {
    let graph = "@prefix : <http://e/> . @prefix om: <http://e/> . @prefix sub: <http://e/sub/> .
        :University a :Class ; :seat sub:place .";
    let state = state_of(graph, kgq_syntax::rdf::RdfFormat::Turtle);
    let offered =
        |text: &str| -> Vec<String> { offers(&state, text, text.len()).into_iter().map(|offer| offer.value).collect() };
    assert_eq!(offered("SELECT * { ?s ?p om:Uni"), ["om:University"]);
    assert_eq!(offered("SELECT * { ?s ?p :Uni"), [":University"]);
    assert_eq!(offered("PREFIX new: <http://e/> SELECT * { ?s ?p new:Uni"), ["new:University"]);
    assert_eq!(offered("SELECT * { ?s om:se"), ["om:seat"]);
    assert_eq!(offered("SELECT * { ?s ?p om:pla"), Vec::<String>::new());
    let named = |typed: &str| named(&state, typed, &(0..typed.len()), false);
    assert_eq!(named("om:Uni")[0].value, "om:University");
}

#[test]
fn a_term_is_offered_by_words_of_its_label_in_any_language() {
    assert_eq!(first("SELECT * { industry min"), ":miit");
    assert_eq!(first("SELECT * { ?s ?p industry min"), ":miit");
    assert_eq!(first("SELECT * { ?s ?p 工信"), ":miit");
    assert_eq!(first("SELECT * { ?s ?p 财"), ":mof");
}

#[test]
fn the_words_of_a_label_are_replaced_by_the_term() {
    let state = state_of(GRAPH, kgq_syntax::rdf::RdfFormat::Turtle);
    let text = "SELECT * { ?s ?p industry min";
    let offer = &offers(&state, text, text.len())[0];
    assert_eq!(&text[offer.span.clone()], "industry min");
    assert!(offer.about.contains("Ministry of Industry") && offer.about.contains("(Ministry)"), "{}", offer.about);
}

#[test]
fn after_a_subject_come_the_properties_of_its_class_by_frequency() {
    let properties = offered("SELECT * { ?m a :Ministry ; ");
    assert_eq!(properties[..3], ["a", ":leads", "rdfs:label"]);
    assert!(properties.contains(&":seat".to_owned()) && !properties.contains(&":partOf".to_owned()), "{properties:?}");
    // Ministries lead sectors.
    assert!(offered("SELECT * { ?m :leads ?x . ?x ").contains(&":partOf".to_owned()));
}

#[test]
fn after_a_property_come_the_classes_or_values_that_it_takes() {
    assert_eq!(offered("SELECT * { ?m a ")[..2], [":Ministry", ":Sector"]);
    assert_eq!(offered("SELECT * { ?m :leads ")[..2], [":banking", ":telecoms"]);
    assert_eq!(first("SELECT * { ?m :leads tele"), ":telecoms");
    assert_eq!(first("SELECT * { ?m :seat "), "\"Beijing\"");
}

#[test]
fn names_of_a_namespace_and_variables_are_completed() {
    assert_eq!(offered("SELECT * { ?s ?p :mii"), [":miit"]);
    assert_eq!(offered("SELECT ?n { ?ministry ?p ?o . ?mi"), ["?ministry"]);
    assert_eq!(first("SELECT * { ?s ?p <http://e/mo"), "<http://e/mof>");
}

#[test]
fn nothing_is_offered_in_strings_and_comments() {
    assert_eq!(offered("SELECT * { ?s ?p \"mini"), [""; 0]);
    assert_eq!(offered("SELECT * { # mini"), [""; 0]);
}

/// Eight triples a thing: of a hundred classes, with labels in two languages and links.
fn large_graph(things: usize) -> Vec<u8> {
    use std::fmt::Write as _;
    let words =
        ["ministry", "industry", "trade", "finance", "service", "region", "harbour", "northern", "central", "plan"];
    let characters: Vec<char> = "工业和信息化部商务财政地区服务计划北中".chars().collect();
    let (mut out, mut numbers) = (String::new(), fastrand::Rng::with_seed(1));
    let mut next = |n: usize| numbers.usize(..n);
    for i in 0..things {
        let label: Vec<&str> = (0..4).map(|_| words[next(words.len())]).collect();
        let chinese: String = (0..6).map(|_| characters[next(characters.len())]).collect();
        let _ = writeln!(
            out,
            "<http://e/t{i}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/C{}> .\n\
             <http://e/t{i}> <http://www.w3.org/2000/01/rdf-schema#label> \"{} {i}\"@en .\n\
             <http://e/t{i}> <http://www.w3.org/2000/01/rdf-schema#label> \"{chinese}\"@zh .",
            next(100),
            label.join(" ")
        );
        for _ in 0..5 {
            let _ = writeln!(out, "<http://e/t{i}> <http://e/p{}> <http://e/t{}> .", next(50), next(things));
        }
    }
    out.into_bytes()
}

/// The time that a processor gave to this thread, whatever else the machine does.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
#[ignore = "loads a million triples"]
fn completion_costs_no_more_than_in_proportion_to_the_graph() {
    let [small, large] = [12_500, 125_000].map(|things| {
        let mut state = state_of(large_graph(things), kgq_syntax::rdf::RdfFormat::NTriples);
        state.prefixes.insert("e", "http://e/");
        state
    });
    let cost = |state: &ProjectState, text: &str| {
        let runs = (0..5).map(|_| {
            let before = processor_time();
            let found = offers(state, text, text.len()).len();
            (processor_time() - before, found)
        });
        runs.min().unwrap()
    };
    for text in [
        "SELECT * { ?s ?p m",
        "SELECT * { ?s ?p t",
        "SELECT * { ?s ?p min",
        "SELECT * { ?s ?p harbour plan trade",
        "SELECT * { ?s ?p industry min",
        "SELECT * { ?s ?p 工信",
        "SELECT * { ?s ?p 部",
        "SELECT * { ?s ",
        "SELECT * { ?s a e:C7 ; ",
        "SELECT * { ?s e:p1 ?x . ?x ",
        "SELECT * { ?s e:p1 ",
        "SELECT * { ?s e:p1 trade",
        "SELECT * { ?s trade",
        "SELECT * { ?s a c",
        "SELECT * { ?s e:t1",
        "SELECT * { ?s ?p e:t1",
        "SELECT * { ?s a ",
        "SE",
    ] {
        let ((of_small, _), (of_large, found)) = (cost(&small, text), cost(&large, text));
        assert!(found > 0 || text.ends_with("?s trade") || text.ends_with("?s e:t1"), "{text}");
        assert!(of_large < 15 * of_small.max(Duration::from_micros(100)), "{text}: {of_small:?}, then {of_large:?}");
    }
}

#[test]
fn a_tab_before_the_index_is_there_is_answered_once_it_is() {
    let shared = Shared::new(state_of(GRAPH, kgq_syntax::rdf::RdfFormat::Turtle).before_index());
    let mut completion = Completion::new(shared.clone());
    assert_eq!(completion.poll_completion(), CompletionStatus::Idle);
    let text = "SELECT * { industry min";
    assert!(completion.complete(text, text.len()).is_provisional());
    assert_eq!(completion.poll_completion(), CompletionStatus::Pending);
    shared.get().fill_index(&Budget::default());
    assert_eq!(completion.poll_completion(), CompletionStatus::Ready);
    let answered = completion.complete(text, text.len());
    assert_eq!((answered.is_provisional(), answered.suggestions()[0].value.as_str()), (false, ":miit"));
    assert_eq!(completion.poll_completion(), CompletionStatus::Idle);
}

#[test]
fn where_no_index_can_be_made_a_tab_is_answered_without_names_and_the_reason_is_told_once() {
    let state = state_of(GRAPH, kgq_syntax::rdf::RdfFormat::Turtle).before_index();
    assert!(state.failure_to_tell().is_none());
    state.fill_index(&Budget::new(Limits { memory: Some(1), ..Limits::default() }));
    let error = state.failure_to_tell().unwrap();
    assert!(error.limit_passed().is_some() && state.index_when_ready().is_err());
    assert!(state.failure_to_tell().is_none());
    let text = "SELECT * { industry min";
    let answered = Completion::new(Shared::new(state)).complete(text, text.len());
    assert!(!answered.is_provisional() && answered.suggestions().iter().all(|offer| offer.value != ":miit"));
}

/// The completions after a text in a project with these canned queries.
fn offered_in_project(queries: &[(&str, &str)], text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("queries")).unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"x\"\nontology = []\ndata = []\n").unwrap();
    for (name, text) in queries {
        std::fs::write(folder.path().join("queries").join(name), text).unwrap();
    }
    let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..OpenOptions::default() }).unwrap();
    let state = ProjectState::of(&graph).unwrap();
    offers(&state, text, text.len()).into_iter().map(|offer| offer.value).collect()
}

#[test]
fn canned_queries_of_all_kinds_are_offered_with_their_parameters() {
    let executables = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix q: <http://e/> .\n\
        q:bright sh:ask \"ASK { ?s ?p $colour }\" ; sh:parameter [ sh:path q:colour ] .\nq:stars sh:ask \"ASK {}\" .";
    let queries = [
        ("bands.rq", "#+ summary: Bands\nSELECT ?band { ?band ?p ?_genre_iri ; ?q ?__year_integer }"),
        ("sky.ttl", executables),
    ];
    let offered = |text: &str| offered_in_project(&queries, text);
    assert_eq!(offered(".run "), ["bands", "bright", "stars"]);
    assert_eq!(offered(".run br"), ["bright"]);
    assert_eq!(offered(".run bands "), ["genre=", "year="]);
    assert_eq!(offered(".run bands y"), ["year="]);
    assert_eq!(offered(".run bright "), ["colour="]);
}
