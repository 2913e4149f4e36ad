//! Names new things: in the namespace of similar things, and spelled as they are.

use super::statements::Statements;
use kgq_graph::catalog::rank;
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::rdf::vocabulary::rdf;
use rustc_hash::FxHashMap;

/// The most things that are looked at to name another: a class may have millions of members.
pub const MOST_LIKE: usize = 1_000;

/// How a label becomes a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// `opening-up`
    Hyphens,
    /// `opening_up`
    Underscores,
    /// `Opening_up`
    AsWritten,
    /// `OpeningUp`
    Capitals,
    /// `openingUp`
    Humps,
}

/// In order of preference, where existing names do not decide.
const MANNERS: [Manner; 5] = [Manner::Hyphens, Manner::Underscores, Manner::AsWritten, Manner::Capitals, Manner::Humps];

impl Manner {
    fn name(self, label: &str) -> String {
        let words = words(label);
        let lower = || words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
        let capital = |word: &String| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        };
        match self {
            Self::Hyphens => lower().join("-"),
            Self::Underscores => lower().join("_"),
            Self::AsWritten => words.join("_"),
            Self::Capitals => words.iter().map(capital).collect(),
            Self::Humps => {
                let words = lower();
                words.first().cloned().into_iter().chain(words.iter().skip(1).map(capital)).collect()
            }
        }
    }
}

/// The words of a label: runs of letters and digits; apostrophes are dropped.
fn words(label: &str) -> Vec<String> {
    let plain: String = label.chars().filter(|c| !['\'', '’'].contains(c)).collect();
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Proposes a name for a label, like those of the things in `like`. `None` if nothing tells a namespace, or if no word is left.
pub fn proposed(graph: &Graph, like: &[NamedNode], label: &str) -> Result<Option<NamedNode>> {
    let Some(namespace) = namespace(like).or_else(|| graph.base().map(str::to_owned)) else { return Ok(None) };
    let labels = graph.labels_of(like)?;
    let fits = |manner: &Manner| {
        let named = like.iter().filter_map(|thing| Some((thing.as_str().strip_prefix(namespace.as_str())?, thing)));
        named
            .filter(|(local, thing)| labels.all(thing).iter().any(|label| manner.name(label.value()) == *local))
            .count()
    };
    // `max_by_key` takes the last of equals, so the order is reversed.
    let manner = MANNERS.iter().rev().max_by_key(|manner| fits(manner)).copied().unwrap_or(Manner::Hyphens);
    let local = manner.name(label);
    if local.is_empty() {
        return Ok(None);
    }
    Ok(NamedNode::new(format!("{namespace}{local}")).ok())
}

/// The name, with a number appended if it is used already or about to be.
pub fn free(statements: &Statements<'_>, name: NamedNode, taken: &[&NamedNode]) -> NamedNode {
    let is_taken = |name: &NamedNode| taken.contains(&name) || !statements.about(&name.clone().into()).is_empty();
    let numbered = (2_u64..).map(|number| NamedNode::new_unchecked(format!("{}-{number}", name.as_str())));
    std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(name)
}

/// The most frequent namespace of these things, up to a slash or a hash.
fn namespace(like: &[NamedNode]) -> Option<String> {
    let mut times: FxHashMap<&str, usize> = FxHashMap::default();
    for thing in like {
        let end = thing.as_str().rfind(['/', '#'])?;
        *times.entry(&thing.as_str()[..=end]).or_default() += 1;
    }
    let most = times.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
    most.map(|(namespace, _)| namespace.to_owned())
}

/// The first things of a class, as many as are looked at to name another.
pub fn some_members(statements: &Statements<'_>, class: &NamedNode) -> Vec<NamedNode> {
    let members = statements.with_value(rdf::TYPE, class).into_iter();
    let named = members.filter_map(|[member, ..]| NamedNode::try_from(statements.snapshot.term(member)).ok());
    named.take(MOST_LIKE).collect()
}

/// Whether a property is a label.
pub fn names(property: &str) -> bool {
    rank(property).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_becomes_a_name_in_each_manner() {
        let label = "The State Council’s 2nd plan (draft)";
        let names: Vec<String> = MANNERS.iter().map(|manner| manner.name(label)).collect();
        assert_eq!(
            names,
            [
                "the-state-councils-2nd-plan-draft",
                "the_state_councils_2nd_plan_draft",
                "The_State_Councils_2nd_plan_draft",
                "TheStateCouncils2ndPlanDraft",
                "theStateCouncils2ndPlanDraft",
            ]
        );
        assert_eq!(Manner::Hyphens.name("商务部"), "商务部");
        assert_eq!(Manner::Hyphens.name("…"), "");
    }

    #[test]
    fn the_namespace_is_that_of_most() {
        let node = NamedNode::new_unchecked;
        let (one, two, other) = (node("http://e/id/a"), node("http://e/id/b"), node("http://f/c"));
        assert_eq!(namespace(&[one, other, two]).as_deref(), Some("http://e/id/"));
        assert_eq!(namespace(&[]), None);
    }
}
