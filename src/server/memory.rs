//! The memory that all queries share. A part of it is reserved for each answer that can be open, so that light queries are
//! answered whatever the heavy ones hold; the rest goes to whoever needs it.

use kgq_syntax::budget::{Budget, Limits, SystemClock, Work};
use std::sync::Arc;

/// One part in this many of the memory is reserved, in equal shares for all answers.
const SET_ASIDE: u64 = 4;

pub struct Memory {
    all: Budget,
    /// The bytes reserved for each answer.
    own: u64,
    /// How many bytes the queries of one client may hold beyond that, if limited.
    of_client: Option<u64>,
}

impl Memory {
    /// Divides `most` bytes, if there is a limit, among this many answers, with a limit for each client.
    pub fn new(most: Option<u64>, answers: usize, of_client: Option<u64>) -> Self {
        let aside = most.map_or(0, |most| most / SET_ASIDE);
        let limits = Limits { memory: most.map(|most| most - aside), ..Limits::default() };
        let all = Budget::of(Work::Serving, limits, Arc::new(SystemClock::default()));
        Self { all, own: aside / (answers as u64).max(1), of_client }
    }

    /// How many bytes a query may hold when it runs alone.
    pub fn of_one(&self) -> Option<u64> {
        [self.all.limits().memory, self.of_client].into_iter().flatten().min()
    }

    /// The budget that all clients share.
    pub fn all(&self) -> &Budget {
        &self.all
    }

    /// The budget of one request: a child of its client's budget if the client is limited, else of the shared one.
    pub fn part(&self, of_client: Option<&Budget>) -> Budget {
        of_client.unwrap_or(&self.all).child_with(Work::Query, Limits::default(), self.own)
    }

    /// The bytes held beyond the reserved parts.
    pub fn held(&self) -> u64 {
        self.all.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::budget::Exceeded;

    #[test]
    fn all_answers_together_hold_no_more_than_the_limit_and_each_has_its_share() {
        let memory = Memory::new(Some(1_000), 5, None);
        let parts: Vec<Budget> = (0..5).map(|_| memory.part(None)).collect();
        let heavy = parts[0].reserve(800).unwrap();
        assert_eq!(parts[1].reserve(51).unwrap_err().limit_passed(), Some(Exceeded::Memory(Work::Serving)));
        let light: Vec<_> = parts[1..].iter().map(|part| part.reserve(50).unwrap()).collect();
        assert_eq!((memory.held(), parts.iter().map(Budget::held).sum::<u64>()), (750, 1_000));
        drop(heavy);
        drop(parts[1].reserve(700).unwrap());
        drop(light);
        assert_eq!(memory.held(), 0);
        drop(Memory::new(None, 1, None).part(None).reserve(u64::from(u32::MAX)).unwrap());
    }
}
