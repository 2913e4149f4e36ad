//! Turns cross products into nested loops for Oxigraph's evaluator. It would otherwise hold one side in memory and
//! iterate over both without reading the dataset, and only when it reads the dataset can it be stopped.
//!
//! Patterns within EXISTS have an order of their own (`joins.rs`) and are not changed.

use super::parts::{Child, for_each_part};
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use std::collections::BTreeSet;

/// Chains triple patterns and paths that share no variable, so that each is evaluated for each solution of those before
/// it. The solutions stay the same: a triple pattern or path depends on the others only through its variables.
pub(crate) fn as_loops(pattern: &mut GraphPattern) {
    if !is_joins(pattern) {
        for_each_part(pattern, &mut |part| match part {
            Child::Pattern(inner) => as_loops(inner),
            Child::Expression(_) => {}
        });
        return;
    }
    let mut leaves = Vec::new();
    take_leaves(std::mem::take(pattern), &mut leaves);
    let mut groups = connected(leaves);
    // Groups that need joins come first and are evaluated once; single patterns are read again for each solution.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let lateral = |left, right| GraphPattern::Lateral { left: Box::new(left), right: Box::new(right) };
    *pattern = groups.into_iter().map(joined).reduce(lateral).unwrap_or_default();
}

fn is_joins(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => true,
        GraphPattern::Join { left, right } => is_joins(left) && is_joins(right),
        _ => false,
    }
}

/// Collects the single triple patterns and paths, in their order.
fn take_leaves(pattern: GraphPattern, leaves: &mut Vec<GraphPattern>) {
    match pattern {
        GraphPattern::Bgp { patterns } => {
            leaves.extend(patterns.into_iter().map(|triple| GraphPattern::Bgp { patterns: vec![triple] }));
        }
        GraphPattern::Join { left, right } => {
            take_leaves(*left, leaves);
            take_leaves(*right, leaves);
        }
        leaf => leaves.push(leaf),
    }
}

/// Leaves with their positions in the query, and the names of all of them.
type Group = (BTreeSet<String>, Vec<(usize, GraphPattern)>);

/// Divides the leaves into groups, such that no two groups share a variable.
fn connected(leaves: Vec<GraphPattern>) -> Vec<Vec<GraphPattern>> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, leaf) in leaves.into_iter().enumerate() {
        let (mut names, mut members) = (names(&leaf), vec![(at, leaf)]);
        let (connected, apart) = groups.into_iter().partition(|(own, _)| !own.is_disjoint(&names));
        groups = apart;
        for (own, others) in connected {
            names.extend(own);
            members.extend(others);
        }
        groups.push((names, members));
    }
    let in_order = |(_, mut members): Group| {
        members.sort_by_key(|(at, _)| *at);
        members.into_iter().map(|(_, leaf)| leaf).collect()
    };
    groups.into_iter().map(in_order).collect()
}

/// Returns the variables and blank nodes of a triple pattern or a path.
fn names(leaf: &GraphPattern) -> BTreeSet<String> {
    fn of_term(term: &TermPattern, names: &mut BTreeSet<String>) {
        match term {
            TermPattern::Variable(_) | TermPattern::BlankNode(_) => {
                names.insert(term.to_string());
            }
            TermPattern::Triple(triple) => of_triple(triple, names),
            TermPattern::NamedNode(_) | TermPattern::Literal(_) => {}
        }
    }
    fn of_triple(triple: &TriplePattern, names: &mut BTreeSet<String>) {
        of_term(&triple.subject, names);
        of_term(&triple.object, names);
        if let NamedNodePattern::Variable(predicate) = &triple.predicate {
            names.insert(predicate.to_string());
        }
    }
    let mut names = BTreeSet::new();
    match leaf {
        GraphPattern::Bgp { patterns } => patterns.iter().for_each(|triple| of_triple(triple, &mut names)),
        GraphPattern::Path { subject, object, .. } => {
            of_term(subject, &mut names);
            of_term(object, &mut names);
        }
        _ => {}
    }
    names
}

/// Joins leaves; consecutive triple patterns become one basic graph pattern.
fn joined(leaves: Vec<GraphPattern>) -> GraphPattern {
    let mut parts: Vec<GraphPattern> = Vec::new();
    for leaf in leaves {
        match (parts.last_mut(), leaf) {
            (Some(GraphPattern::Bgp { patterns }), GraphPattern::Bgp { patterns: more }) => patterns.extend(more),
            (_, leaf) => parts.push(leaf),
        }
    }
    let join = |left, right| GraphPattern::Join { left: Box::new(left), right: Box::new(right) };
    parts.into_iter().reduce(join).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::{Query, SparqlParser};

    fn looped(text: &str) -> (String, String) {
        let mut query = SparqlParser::new().parse_query(&format!("PREFIX : <http://e/> {text}")).unwrap();
        let before = query.to_string();
        let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &mut query else { panic!("{query}") };
        as_loops(pattern);
        (before, query.to_string().replace("http://e/", ":"))
    }

    #[test]
    fn what_shares_no_variable_is_a_loop_and_what_does_is_a_join() {
        let (_, after) =
            looped("SELECT * { ?a :p ?b . ?c :q ?d . ?b :r ?e . ?f :s+ ?g OPTIONAL { ?h :t ?i . ?j :u ?k } }");
        assert_eq!(after.matches("LATERAL").count(), 3, "{after}");
        let (first, second) = (after.find("<:r>").unwrap(), after.find("<:q>").unwrap());
        assert!(first < second, "{after}");
    }

    #[test]
    fn what_is_connected_stays() {
        for text in [
            "SELECT * WHERE { ?a :p ?b . ?b :q ?c FILTER(?a != ?c) }",
            "ASK { ?a :p [ :q ?c ] . ?a :r+ ?d }",
            "SELECT * { ?r :reifies <<( ?a :p ?b )>> . ?b :q ?c }",
        ] {
            let (before, after) = looped(text);
            assert_eq!(before.replace("http://e/", ":"), after);
        }
    }
}
