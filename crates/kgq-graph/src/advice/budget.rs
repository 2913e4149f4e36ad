//! What advice on one query may cost. It is a courtesy: it must not take longer than the answer was allowed to.

use std::cell::Cell;
use std::time::Duration;

/// How many findings are told of one query.
pub const MOST_FINDINGS: usize = 10;

/// How many names may be looked at for one query, which takes some 50 ms.
const WORK: u64 = 200_000;
/// The same by the clock, which is looked at after each so many names: what is small never depends on it.
const COMPARING: Duration = Duration::from_millis(50);
const LOOK: u64 = 4_096;
/// How long the search for a reason may take altogether.
const SEARCHING: Duration = Duration::from_secs(1);

/// Work and time that are left.
pub struct Allowance<'a> {
    /// How long it is since the advice began.
    clock: &'a dyn Fn() -> Duration,
    time: Duration,
    work: Cell<u64>,
    compared: Cell<Duration>,
    /// Since when names are being compared.
    comparing: Cell<Option<Duration>>,
    is_stopped: &'a dyn Fn() -> bool,
}

impl<'a> Allowance<'a> {
    /// `clock` tells the time since the advice began, `left` how much of the query's own time is left, and `is_stopped` whether nobody
    /// wants the advice any more.
    pub fn new(clock: &'a dyn Fn() -> Duration, left: Option<Duration>, is_stopped: &'a dyn Fn() -> bool) -> Self {
        let time = left.map_or(SEARCHING, |left| left.min(SEARCHING));
        let (work, compared) = (Cell::new(WORK), Cell::new(Duration::ZERO));
        Self { clock, time, work, compared, comparing: Cell::new(None), is_stopped }
    }

    /// Runs what compares names; its time is counted.
    pub(super) fn compare<T>(&self, work: impl FnOnce() -> T) -> T {
        self.comparing.set(Some((self.clock)()));
        let found = work();
        self.compared.set(self.time_compared((self.clock)()));
        self.comparing.set(None);
        found
    }

    fn time_compared(&self, now: Duration) -> Duration {
        self.compared.get() + self.comparing.get().map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Takes so many steps from what is left; `false` if that is not enough.
    pub(super) fn spend(&self, steps: usize) -> bool {
        let steps = steps as u64;
        let before = self.work.get();
        let Some(left) = before.checked_sub(steps).filter(|_| !(self.is_stopped)()) else {
            self.work.set(0);
            return false;
        };
        let looks = before / LOOK != left / LOOK;
        let is_late = |now| now >= self.time || self.time_compared(now) >= COMPARING;
        let late = looks && is_late((self.clock)());
        self.work.set(if late { 0 } else { left });
        !late
    }

    /// How much time is left for asking the data; `None` if none is.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.time.checked_sub((self.clock)()).filter(|left| !left.is_zero());
        left.filter(|_| !(self.is_stopped)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_by_count_by_the_clock_and_when_it_is_stopped() {
        let (still, no) = (|| Duration::ZERO, || false);
        let budget = Allowance::new(&still, None, &no);
        assert_eq!((0..WORK * 2).take_while(|_| budget.spend(1)).count() as u64, WORK);
        assert_eq!(budget.left(), Some(SEARCHING));

        let late = || Duration::from_secs(5);
        let budget = Allowance::new(&late, None, &no);
        assert!((0..WORK).take_while(|_| budget.spend(1)).count() as u64 <= LOOK);
        assert_eq!(budget.left(), None);

        let yes = || true;
        let budget = Allowance::new(&still, None, &yes);
        assert!(!budget.spend(1));
        assert_eq!(budget.left(), None);
    }

    #[test]
    fn comparing_has_a_time_of_its_own_and_small_work_none() {
        let at = Cell::new(Duration::ZERO);
        let (clock, no) = (|| at.get(), || false);
        let budget = Allowance::new(&clock, None, &no);
        budget.compare(|| at.set(COMPARING));
        assert!(budget.spend(1));
        assert!(!budget.spend(LOOK as usize));
    }

    #[test]
    fn the_time_of_the_query_counts() {
        let (still, no) = (|| Duration::ZERO, || false);
        let left = Duration::from_millis(20);
        assert_eq!(Allowance::new(&still, Some(left), &no).left(), Some(left));
        assert_eq!(Allowance::new(&still, Some(Duration::ZERO), &no).left(), None);
    }
}
