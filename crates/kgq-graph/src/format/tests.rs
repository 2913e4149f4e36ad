use super::*;

fn format(text: &str) -> String {
    formatted(text, Dialect::Turtle)
}

#[track_caller]
fn formatted(text: &str, dialect: Dialect) -> String {
    let once = turtle(Source::new("d", text), dialect, &Bounds::default(), &Budget::default())
        .unwrap_or_else(|e| panic!("{e}"));
    let twice = turtle(Source::new("d", &once), dialect, &Bounds::default(), &Budget::default())
        .unwrap_or_else(|e| panic!("{e}\n{once}"));
    assert_eq!(twice, once, "formatting twice changes something");
    once
}

#[test]
fn facts_stand_one_a_line_with_types_and_names_first() {
    let text = "@prefix ex: <http://ex/> . @prefix no: <http://no/> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        ex:b ex:z 10, 9 ; rdfs:label 'zwei'@de , \"two\"@en ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ex:C .
        ex:a10 ex:p ex:b . ex:a9 <http://ex/p> <http://ex/b> .";
    assert_eq!(
        format(text),
        "@prefix ex: <http://ex/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

ex:a9
    ex:p ex:b ;
.

ex:a10
    ex:p ex:b ;
.

ex:b
    a ex:C ;
    rdfs:label \"zwei\"@de ;
    rdfs:label \"two\"@en ;
    ex:z 9 ;
    ex:z 10 ;
.
"
    );
}

#[test]
fn comments_stay_with_what_they_stand_at_and_headings_keep_their_place() {
    let text = "# About the file.

@prefix ex: <http://ex/> . # ours

# --- Second letter ---

# About b.
ex:b ex:p 1 ; # one
  # About two.
  ex:p 2 .

# --- First letter ---

ex:z ex:p 3 .
# About a.
ex:a # the subject
  ex:p ( 1 # first
  2 ) .
# The end.
";
    assert_eq!(
        format(text),
        "# About the file.

@prefix ex: <http://ex/> . # ours

# --- Second letter ---

# About b.
ex:b
    ex:p 1 ; # one
    # About two.
    ex:p 2 ;
.

# --- First letter ---

# About a.
ex:a # the subject
    ex:p (
        1 # first
        2
    ) ;
.

ex:z
    ex:p 3 ;
.

# The end.
"
    );
}

#[test]
fn reifiers_and_annotations_stay_as_written() {
    let text = "PREFIX ex: <http://ex/>
ex:a ex:p ex:b ~ ex:s {| ex:from ex:c |}, ex:a ~ ex:t {| ex:why 'x' ; a ex:Inference |} {| ex:q 1 |} ; ex:q << ex:x ex:y ex:z ~ ex:r >>, <<( ex:x a ex:z )>> .
<< ex:x ex:y ex:z >> ex:p 1 .";
    assert_eq!(
        format(text),
        "@prefix ex: <http://ex/> .

ex:a
    ex:p ex:a ~ ex:t {|
        a ex:Inference ;
        ex:why \"x\" ;
    |} {| ex:q 1 |} ;
    ex:p ex:b ~ ex:s {| ex:from ex:c |} ;
    ex:q << ex:x ex:y ex:z ~ ex:r >> ;
    ex:q <<( ex:x a ex:z )>> ;
.

<< ex:x ex:y ex:z >>
    ex:p 1 ;
.
"
    );
}

#[test]
fn nested_nodes_lists_and_long_strings_keep_their_shape() {
    let text = "@prefix ex: <http://ex/> .
[ ex:p [ ex:q 1 ] , [] ; ex:r [ ex:t 2 ; ex:s '''two
  \"lines\"''' ] ; ex:list ( 1 [ ex:q 2 ] () ) ] .
_:x ex:p ( 1 2 3 ) .";
    assert_eq!(
        format(text),
        "@prefix ex: <http://ex/> .

_:x
    ex:p ( 1 2 3 ) ;
.

[
    ex:list ( 1 [ ex:q 2 ] () ) ;
    ex:p [ ex:q 1 ] ;
    ex:p [] ;
    ex:r [
        ex:s \"\"\"two
  \"lines\\\"\"\"\" ;
        ex:t 2 ;
    ] ;
] .
"
    );
}

#[test]
fn graphs_of_trig_are_blocks_of_blocks() {
    let text = "@prefix ex: <http://ex/> .
GRAPH ex:g { ex:b ex:p 1 . # last
# About a.
ex:a ex:p 2 }
{ ex:c ex:p 3 } ex:d ex:p 4 .";
    assert_eq!(
        formatted(text, Dialect::TriG),
        "@prefix ex: <http://ex/> .

ex:d
    ex:p 4 ;
.

ex:g {
    # About a.
    ex:a
        ex:p 2 ;
    .

    ex:b
        ex:p 1 ; # last
    .
}

{
    ex:c
        ex:p 3 ;
    .
}
"
    );
}

#[test]
fn one_fact_more_is_one_line_more() {
    let with = |more: &str| {
        format(&format!("@prefix ex: <http://ex/> . ex:a ex:p 1 {more} . ex:b ex:p [ ex:q 1 ; ex:r 2 ] ."))
    };
    let before = with("");
    for more in ["; ex:z 2", ", 0", "; a ex:C", "; ex:q ex:b ~ ex:s {| ex:from ex:c |}"] {
        let after = with(more);
        let new: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
        assert_eq!(new.len(), 1, "{after}");
        assert_eq!(after.lines().count(), before.lines().count() + 1);
    }
}

#[test]
fn two_blocks_of_one_subject_become_one() {
    let text = "@prefix ex: <http://ex/> . ex:a ex:p 2 . ex:b ex:p 1 .\n# more\nex:a ex:p 1 , 1 .";
    assert_eq!(
        format(text),
        "@prefix ex: <http://ex/> .\n\n# more\nex:a\n    ex:p 1 ;\n    ex:p 2 ;\n.\n\nex:b\n    ex:p 1 ;\n.\n"
    );
}

#[test]
fn a_prefix_with_two_meanings_parts_the_text() {
    let text = "# One.
@prefix a: <http://a/> . @prefix b: <http://b/> . a:z a:c b:d . a:b a:c 1 . # last
# Two.
@prefix c: <http://c/> .
@prefix a: <http://other/> .
# About b.
a:b a:c b:d . a:a a:c <http://c/d> .
@prefix c: <http://c/> . @prefix d: <http://d/> . c:e a:c d:f .";
    assert_eq!(
        format(text),
        "# One.

@prefix a: <http://a/> .
@prefix b: <http://b/> .

a:b
    a:c 1 ; # last
.

a:z
    a:c b:d ;
.

# Two.

@prefix a: <http://other/> .
@prefix b: <http://b/> .
@prefix c: <http://c/> .
@prefix d: <http://d/> .

a:a
    a:c c:d ;
.

# About b.
a:b
    a:c b:d ;
.

c:e
    a:c d:f ;
.
"
    );
}

#[test]
fn a_second_meaning_that_nothing_uses_parts_nothing() {
    assert_eq!(
        format("@prefix a: <http://a/> . a:b a:c 1 . @prefix a: <http://b/> . # b\n<http://a/c> <http://a/c> 1 ."),
        "# b\n\n@prefix a: <http://a/> .\n\na:b\n    a:c 1 ;\n.\n\na:c\n    a:c 1 ;\n.\n"
    );
}

#[test]
fn a_second_base_parts_the_text_and_relative_namespaces_stay_with_theirs() {
    assert_eq!(
        format(
            "@prefix : <#> . @base <http://x/> . <b> :p :q . @base <http://x/> . <a> :p 1 . @base <y/> . <b> :p 1 ."
        ),
        "@prefix : <#> .

@base <http://x/> .

<a>
    :p 1 ;
.

<b>
    :p :q ;
.

@base <y/> .

<b>
    :p 1 ;
.
"
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    let refuse = |text: &str| {
        turtle(Source::new("d", text), Dialect::Turtle, &Bounds::default(), &Budget::default()).unwrap_err().to_string()
    };
    assert!(refuse("@prefix a: <http://a/> . a:b a:c \"x .").contains("never closed"));
    assert!(refuse(&format!("<a:b> <a:c> {}1{} .", "(".repeat(200), ")".repeat(200))).contains("--max-depth"));
}

#[test]
fn a_string_in_a_triple_term_stays_on_one_line() {
    let text = "@prefix e: <http://e/> . e:r e:p <<( e:a e:p \"two\\nlines \\\"\"@en )>> ; e:q \"two\\nlines\" .";
    assert_eq!(
        format(text),
        "@prefix e: <http://e/> .\n\ne:r\n    e:p <<( e:a e:p \"two\\nlines \\\"\"@en )>> ;\n    e:q \"\"\"two\nlines\"\"\" ;\n.\n"
    );
}
