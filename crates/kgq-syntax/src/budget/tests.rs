use super::*;
use std::sync::atomic::AtomicU64;

/// Each look at the clock lets one second pass.
#[derive(Debug, Default)]
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn of_memory(bytes: u64) -> Limits {
    Limits { memory: Some(bytes), ..Limits::default() }
}

#[test]
fn a_part_that_another_budget_stops_counts_in_its_whole_only() {
    let (whole, other) = (Budget::default(), Budget::default());
    let part = whole.child_stopped_by(Work::Keeping, &other);
    let _held = part.reserve(10).unwrap();
    assert_eq!((whole.held(), other.held()), (10, 0));
    part.check().unwrap();
    other.cancel();
    assert_eq!(part.check().unwrap_err().kind(), Kind::Interrupted);
    assert!(part.is_cancelled() && !whole.is_cancelled());
}

#[test]
fn memory_beyond_the_limit_is_refused_and_not_counted() {
    let budget = Budget::new(of_memory(100));
    let first = budget.reserve(60).unwrap();
    let error = budget.reserve(60).unwrap_err();
    assert_eq!((error.kind(), error.limit_passed()), (Kind::Limit, Some(Exceeded::Memory(Work::Query))));
    assert_eq!(budget.held(), 60);
    drop(first);
    let mut all = budget.reserve(75).unwrap();
    assert_eq!((budget.is_scarce(), budget.room()), (false, Some(25)));
    all.grow(&budget, 25).unwrap();
    assert!(budget.is_scarce() && budget.child(Work::Query, Limits::default()).is_scarce());
    assert!(all.grow(&budget, 1).is_err());
    assert_eq!((all.bytes(), budget.peak()), (100, 100));
    all.resize(&budget, 30).unwrap();
    assert_eq!(budget.held(), 30);
    drop(all);
    assert_eq!(budget.held(), 0);
}

#[test]
fn files_may_have_some_times_as_many_bytes_as_memory() {
    let whole = Budget::new(of_memory(1 << 20));
    let part = whole.child(Work::Query, Limits::default());
    let mut file = FileSpace::new(&part);
    file.grow(7 << 20).unwrap();
    let mut other = FileSpace::new(&part);
    other.grow(1 << 20).unwrap();
    let error = other.grow(1).unwrap_err();
    assert_eq!(error.message(), "the query needs more memory than 1 MiB, and more than 8 MiB in temporary files");
    assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Query)));
    drop(file);
    other.grow(1).unwrap();
    FileSpace::new(&Budget::default()).grow(1 << 40).unwrap();
}

#[test]
fn what_a_part_uses_is_used_of_the_whole() {
    let whole = Budget::new(of_memory(100));
    let [one, other] = [80, 80].map(|bytes| whole.child(Work::Query, of_memory(bytes)));
    let held = one.reserve(70).unwrap();
    assert!(one.reserve(20).is_err(), "its own limit");
    assert!(other.reserve(40).is_err(), "the limit of the whole");
    assert_eq!((one.held(), other.held(), whole.held()), (70, 0, 70));
    drop(held);
    assert_eq!((one.held(), whole.held()), (0, 0));

    other.cancel();
    assert!(whole.check().is_ok() && one.check().is_ok() && other.check().is_err());
    whole.cancel();
    assert_eq!(one.check().unwrap_err().kind(), Kind::Interrupted);
}

#[test]
fn what_is_set_aside_for_a_part_is_there_whatever_others_hold() {
    let whole = Budget::of(Work::Serving, of_memory(100), Arc::new(SystemClock::default()));
    let [heavy, light] = [30, 30].map(|own| whole.child_with(Work::Query, Limits::default(), own));
    let held = heavy.reserve(130).unwrap();
    assert_eq!((heavy.held(), whole.held()), (130, 100));
    let mut own = light.reserve(20).unwrap();
    let error = own.grow(&light, 11).unwrap_err();
    assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Serving)));
    assert_eq!((own.bytes(), light.held(), whole.held()), (20, 20, 100));
    drop(held);
    own.grow(&light, 100).unwrap();
    assert_eq!((light.held(), whole.held()), (120, 90));
    own.shrink(95);
    assert_eq!((light.held(), whole.held()), (25, 0));
    drop(own);
    assert_eq!((light.held(), whole.held()), (0, 0));
}

#[test]
fn the_clock_is_looked_at_once_in_many_steps() {
    let limits = Limits { time: Some(Duration::from_secs(3)), ..Limits::default() };
    let budget = Budget::of(Work::Export, limits, Arc::new(Seconds::default()));
    let steps = Steps::new(&budget);
    let taken = (0..10_000).take_while(|_| steps.take().is_ok()).count();
    assert_eq!(taken as u32, 3 * Steps::BETWEEN_LOOKS - 1);
}

#[test]
fn work_stops_when_its_time_is_up() {
    let limits = Limits { time: Some(Duration::from_secs(3)), ..Limits::default() };
    let budget = Budget::of(Work::Loading, limits, Arc::new(Seconds::default()));
    assert!(budget.check().is_ok() && budget.check().is_ok());
    let error = budget.check().unwrap_err();
    assert_eq!(error.limit_passed(), Some(Exceeded::Time(Work::Loading)));
    assert_eq!(error.message(), "reading the data took longer than 3 s");
    let part = budget.child(Work::Query, Limits::default());
    assert_eq!(part.check().unwrap_err().message(), error.message());
    Budget::new(Limits { time: Some(Duration::MAX), ..Limits::default() }).check().unwrap();
}

#[test]
fn a_limit_on_memory_is_said_as_it_is() {
    for (most, said) in [(1000, "1,000 bytes"), (256 << 10, "256 KiB"), (1 << 20, "1 MiB"), ((1 << 30) + 1, "1025 MiB")]
    {
        let error = needs_more_memory(Work::Query, most);
        assert_eq!(error.message(), format!("the query needs more memory than {said}"));
    }
}

#[test]
fn a_reservation_that_joins_another_takes_nothing_more() {
    let budget = Budget::new(Limits { memory: Some(100), ..Limits::default() });
    let (mut all, first, second) = (Reservation::default(), budget.reserve(40).unwrap(), budget.reserve(60).unwrap());
    all.join(first);
    all.join(second);
    all.join(Reservation::default());
    assert_eq!((all.bytes(), budget.held(), budget.peak()), (100, 100, 100));
    all.shrink(30);
    drop(all);
    assert_eq!(budget.held(), 0);
}
