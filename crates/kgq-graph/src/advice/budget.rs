//! Limits the cost of advice on one query. Advice is a courtesy: it must not take longer than the answer was allowed
//! to.

use kgq_engine::{Budget, Limits};
use kgq_syntax::budget::Work;
use std::cell::Cell;
use std::time::Duration;

/// The most diagnostics reported for one query.
pub const MOST_DIAGNOSTICS: usize = 10;

/// The most names that may be compared for one query; this many take about 50 ms.
const WORK: u64 = 200_000;
/// The same limit in time. The clock is read once per `LOOK` names, so that small cases never depend on it.
const COMPARING: Duration = Duration::from_millis(50);
const LOOK: u64 = 4_096;
/// The longest time that the whole search for a reason may take.
const SEARCHING: Duration = Duration::from_secs(1);

/// The remaining work and time.
pub struct Allowance {
    /// A child of the query's budget: cancelling the query also stops its advice.
    budget: Budget,
    work: Cell<u64>,
    compared: Cell<Duration>,
    /// When the comparison of names in progress began.
    comparing: Cell<Option<Duration>>,
}

impl Allowance {
    /// Starts now; `budget` is what the query has left. If that is used up, nothing is allowed.
    pub fn new(budget: &Budget) -> Self {
        let limits = Limits { time: Some(SEARCHING), ..Limits::default() };
        let work = if budget.check().is_ok() { WORK } else { 0 };
        let (work, compared) = (Cell::new(work), Cell::new(Duration::ZERO));
        Self { budget: budget.child(Work::Query, limits), work, compared, comparing: Cell::new(None) }
    }

    /// The budget of the whole search.
    pub(super) fn of_search(&self) -> &Budget {
        &self.budget
    }

    /// Runs a comparison of names, and counts its time.
    pub(super) fn compare<T>(&self, work: impl FnOnce() -> T) -> T {
        self.comparing.set(Some(self.budget.now()));
        let found = work();
        self.compared.set(self.time_compared());
        self.comparing.set(None);
        found
    }

    fn time_compared(&self) -> Duration {
        let since = |since| self.budget.now().saturating_sub(since);
        self.compared.get() + self.comparing.get().map_or(Duration::ZERO, since)
    }

    /// Spends this many steps; returns `false` if too few are left.
    pub(super) fn spend(&self, steps: usize) -> bool {
        let steps = steps as u64;
        let before = self.work.get();
        let Some(left) = before.checked_sub(steps).filter(|_| !self.budget.is_cancelled()) else {
            self.work.set(0);
            return false;
        };
        let looks = before / LOOK != left / LOOK;
        let late = looks && (self.budget.check().is_err() || self.time_compared() >= COMPARING);
        self.work.set(if late { 0 } else { left });
        !late
    }

    /// Returns the time left for querying the data; `None` if there is none.
    pub(super) fn left(&self) -> Option<Duration> {
        self.budget.time_left().filter(|left| !left.is_zero() && !self.budget.is_cancelled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::budget::Clock;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A clock that stands still until it is set.
    #[derive(Debug, Default)]
    struct Hand(AtomicU64);

    impl Hand {
        fn set(&self, time: Duration) {
            self.0.store(time.as_millis() as u64, Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    /// The allowance of a query that has this much time left.
    fn allowance(time: Option<Duration>) -> (Arc<Hand>, Budget, Allowance) {
        let clock = Arc::new(Hand::default());
        let limits = Limits { time, ..Limits::default() };
        let budget = Budget::of(Work::Query, limits, Arc::clone(&clock) as Arc<dyn Clock>);
        let allowance = Allowance::new(&budget);
        (clock, budget, allowance)
    }

    #[test]
    fn work_ends_by_count_by_the_clock_and_when_it_is_stopped() {
        let (_, _, counted) = allowance(None);
        assert_eq!((0..WORK * 2).take_while(|_| counted.spend(1)).count() as u64, WORK);
        assert_eq!(counted.left(), Some(SEARCHING));

        let (clock, _, late) = allowance(None);
        clock.set(SEARCHING);
        assert!((0..WORK).take_while(|_| late.spend(1)).count() as u64 <= LOOK);
        assert_eq!(late.left(), None);

        let (_, budget, unwanted) = allowance(None);
        budget.cancel();
        assert!(!unwanted.spend(1));
        assert_eq!(unwanted.left(), None);
    }

    #[test]
    fn comparing_has_a_time_of_its_own_and_small_work_none() {
        let (clock, _, allowance) = allowance(None);
        allowance.compare(|| clock.set(COMPARING));
        assert!(allowance.spend(1));
        assert!(!allowance.spend(LOOK as usize));
    }

    #[test]
    fn the_time_of_the_query_counts() {
        let left = Duration::from_millis(20);
        assert_eq!(allowance(Some(left)).2.left(), Some(left));
        assert_eq!(allowance(Some(Duration::ZERO)).2.left(), None);
    }
}
