//! The numbered variables of one query, their names, and sets of them.

use kgq_syntax::rdf::Variable;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::fmt;

/// A variable or blank node of a query. Variables with the same name in different scopes are different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(u32);

impl Var {
    /// Two different variables, for patterns that are only counted.
    pub const ANY_TWO: [Self; 2] = [Self(0), Self(1)];

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The variables of one query.
#[derive(Debug, Default)]
pub struct Variables {
    names: Vec<Variable>,
    taken: FxHashSet<String>,
}

impl Variables {
    /// Returns a new variable, whose unique name starts with `name`.
    pub fn fresh(&mut self, name: &str) -> Var {
        let var = Var(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let mut unique = name.to_owned();
        if self.taken.contains(name) {
            // SPARQL's grammar does not allow this name, so no query can contain it.
            unique = format!("{name}#{}", self.names.len());
        }
        self.taken.insert(unique.clone());
        self.names.push(Variable::new_unchecked(unique));
        var
    }

    pub fn name(&self, var: Var) -> &Variable {
        &self.names[var.index()]
    }

    /// Whether the query names the variable; otherwise it is a blank node, or was made in translation or planning.
    pub fn is_named(&self, var: Var) -> bool {
        !self.name(var).as_str().starts_with([':', '#', '/', '!', '<'])
    }
}

/// A set of variables: one bit each. The planner makes very many of them, so those of most queries need no memory of their own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct VarSet(SmallVec<[u64; 2]>);

impl fmt::Debug for VarSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl VarSet {
    pub fn insert(&mut self, var: Var) {
        let word = var.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (var.index() % 64);
    }

    pub fn remove(&mut self, var: Var) {
        if let Some(word) = self.0.get_mut(var.index() / 64) {
            *word &= !(1 << (var.index() % 64));
        }
    }

    pub fn contains(&self, var: Var) -> bool {
        self.0.get(var.index() / 64).is_some_and(|word| word & (1 << (var.index() % 64)) != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.extend(other);
        union
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().enumerate().map(|(i, word)| word & !other.0.get(i).copied().unwrap_or(0)).collect())
    }

    pub fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().enumerate().all(|(i, word)| word & !other.0.get(i).copied().unwrap_or(0) == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = Var> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros();
                    word &= word - 1;
                    Var(u32::try_from(i * 64).unwrap_or(u32::MAX) + bit)
                })
            })
        })
    }
}

impl FromIterator<Var> for VarSet {
    fn from_iter<I: IntoIterator<Item = Var>>(vars: I) -> Self {
        let mut set = Self::default();
        for var in vars {
            set.insert(var);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_variables_have_unions_intersections_and_differences() {
        let set = |ids: &[u32]| ids.iter().copied().map(Var).collect::<VarSet>();
        let (a, b) = (set(&[1, 63, 64]), set(&[64, 200]));
        assert_eq!(a.intersection(&b).iter().collect::<Vec<_>>(), [Var(64)]);
        assert_eq!(a.union(&b).len(), 4);
        assert!(a.without(&b).is_subset(&a) && !b.is_subset(&a));
        assert_eq!(a.without(&b).iter().collect::<Vec<_>>(), [Var(1), Var(63)]);
    }

    #[test]
    fn variables_of_one_name_in_two_scopes_have_two_names() {
        let mut variables = Variables::default();
        let (outer, inner) = (variables.fresh("x"), variables.fresh("x"));
        assert_ne!(variables.name(outer), variables.name(inner));
        assert_eq!(variables.name(outer).as_str(), "x");
    }
}
