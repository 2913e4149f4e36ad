//! The share of the server that one client may use: concurrent requests, memory, and working time per minute.
//!
//! Rows and bytes are limited per answer only. A client that requests many answers is limited by the working time.

use super::clients::Client;
use kgq_syntax::budget::{Budget, Limits, Work};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The period over which working time is counted.
const MINUTE: Duration = Duration::from_secs(60);
/// The number of known clients from which on accounts that are no longer needed are dropped.
const KNOWN: usize = 1_024;

/// The shares of each client; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shares {
    /// Requests that run or wait at the same time.
    pub requests: Option<usize>,
    /// The bytes that its queries may hold together, beyond what is reserved for each.
    pub memory: Option<u64>,
    /// How long its queries may work per minute.
    pub time: Option<Duration>,
}

/// The current use by one client.
#[derive(Debug, Default)]
struct Account {
    open: usize,
    memory: Option<Budget>,
    /// When the used working time will have been paid back.
    even: Option<Instant>,
}

impl Account {
    fn is_needed(&self, now: Instant) -> bool {
        self.open > 0 || self.even.is_some_and(|even| even > now)
    }
}

#[derive(Debug, Default)]
struct Accounts {
    of: FxHashMap<Client, Account>,
    /// The number of accounts that were left after the last cleanup.
    kept: usize,
}

impl Accounts {
    fn forget(&mut self, now: Instant) {
        if self.of.len() >= KNOWN.max(2 * self.kept) {
            self.of.retain(|_, account| account.is_needed(now));
            self.kept = self.of.len();
        }
    }
}

/// Why a client has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It already has this many requests open.
    Requests(usize),
    /// Its queries worked for this long within a minute; after `wait` it has time again.
    Time { most: Duration, wait: Duration },
}

/// Keeps the accounts of all clients.
#[derive(Debug)]
pub struct Clients {
    shares: Shares,
    /// The memory that all clients share.
    all: Budget,
    accounts: Arc<Mutex<Accounts>>,
}

impl Clients {
    pub fn new(shares: Shares, all: Budget) -> Self {
        Self { shares, all, accounts: Arc::default() }
    }

    /// Counts one more request of a client.
    ///
    /// # Errors
    /// The share that is used up.
    pub fn enter(&self, client: &Client) -> Result<Presence, Refusal> {
        let Shares { requests, memory, time } = self.shares;
        if requests.is_none() && memory.is_none() && time.is_none() {
            return Ok(Presence::default());
        }
        let now = Instant::now();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.forget(now);
        let account = accounts.of.entry(client.clone()).or_default();
        if let Some(most) = requests.filter(|most| account.open >= *most) {
            return Err(Refusal::Requests(most));
        }
        if let (Some(most), Some(even)) = (time, account.even) {
            let wait = even.saturating_duration_since(now).saturating_sub(MINUTE);
            if !wait.is_zero() {
                return Err(Refusal::Time { most, wait });
            }
        }
        account.open += 1;
        if account.memory.is_none() {
            let limits = |most| Limits { memory: Some(most), ..Limits::default() };
            account.memory = memory.map(|most| self.all.child(Work::Client, limits(most)));
        }
        let counted = Counted { client: client.clone(), time, accounts: Arc::clone(&self.accounts) };
        Ok(Presence { memory: account.memory.clone(), counted: Some(counted) })
    }
}

/// One counted request, until it is dropped.
#[derive(Debug, Default)]
pub struct Presence {
    memory: Option<Budget>,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    client: Client,
    time: Option<Duration>,
    accounts: Arc<Mutex<Accounts>>,
}

impl Presence {
    /// The memory shared by the client's queries, if it is limited.
    pub fn memory(&self) -> Option<&Budget> {
        self.memory.as_ref()
    }

    /// Charges working time to the client.
    pub fn worked(&self, time: Duration) {
        let Some(Counted { client, time: Some(most), accounts }) = &self.counted else { return };
        let made_up = MINUTE.as_secs_f64() / most.as_secs_f64() * time.as_secs_f64();
        let made_up = Duration::try_from_secs_f64(made_up).unwrap_or(Duration::MAX);
        let now = Instant::now();
        let mut accounts = accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.of.get_mut(client) {
            // A time beyond the range of the clock is not counted.
            account.even = account.even.map_or(now, |even| even.max(now)).checked_add(made_up);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(account) = accounts.of.get_mut(&self.client) else { return };
        account.open = account.open.saturating_sub(1);
        if account.open == 0 {
            account.memory = None;
        }
        if !account.is_needed(now) {
            accounts.of.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Client {
        Client::Token(name.into())
    }

    fn known(clients: &Clients) -> usize {
        clients.accounts.lock().unwrap().of.len()
    }

    #[test]
    fn a_client_is_refused_when_so_many_of_its_requests_are_there_and_forgotten_when_none_is() {
        let clients = Clients::new(Shares { requests: Some(2), ..Shares::default() }, Budget::default());
        let first = clients.enter(&named("one")).unwrap();
        let _second = clients.enter(&named("one")).unwrap();
        assert_eq!(clients.enter(&named("one")).unwrap_err(), Refusal::Requests(2));
        drop(clients.enter(&named("other")).unwrap());
        drop(first);
        drop(clients.enter(&named("one")).unwrap());
        assert_eq!(known(&clients), 1);
        assert!(Clients::new(Shares::default(), Budget::default()).enter(&named("one")).is_ok());
    }

    #[test]
    fn who_worked_for_its_share_of_a_minute_waits_until_that_is_made_up_for() {
        let share = Duration::from_secs(10);
        let clients = Clients::new(Shares { time: Some(share), ..Shares::default() }, Budget::default());
        let first = clients.enter(&named("one")).unwrap();
        first.worked(Duration::from_secs(9));
        // Below the share: one more request may start, and then exceed it.
        drop(clients.enter(&named("one")).unwrap());
        first.worked(Duration::from_secs(6));
        let Err(Refusal::Time { most, wait }) = clients.enter(&named("one")) else { panic!("it is not refused") };
        // 15 seconds take 90 to pay back, of which 60 may be owed.
        assert!(most == share && wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        drop(clients.enter(&named("other")).unwrap());
        drop(first);
        assert_eq!(known(&clients), 1, "what is owed is remembered");
        assert!(clients.enter(&named("one")).is_err());
        // Beyond the range of the clock: nobody is refused forever.
        clients.enter(&named("other")).unwrap().worked(Duration::MAX);
    }

    #[test]
    fn queries_of_one_client_hold_no_more_than_its_share_and_those_of_others_are_not_touched() {
        let limits = Limits { memory: Some(1_000), ..Limits::default() };
        let all = Budget::default().child(Work::Serving, limits);
        let clients = Clients::new(Shares { memory: Some(300), ..Shares::default() }, all.clone());
        let presences = ["one", "one", "other"].map(|name| clients.enter(&named(name)).unwrap());
        let parts =
            presences.each_ref().map(|presence| presence.memory().unwrap().child(Work::Query, Limits::default()));
        let _held = parts[0].reserve(250).unwrap();
        let refused = parts[1].reserve(100).unwrap_err();
        assert_eq!(refused.message(), "the work in progress for one client needs more memory than 300 bytes");
        let _other = parts[2].reserve(300).unwrap();
        assert_eq!(all.held(), 550);
    }

    #[test]
    fn clients_of_whom_nothing_need_be_known_are_forgotten() {
        let mut accounts = Accounts::default();
        let now = Instant::now();
        let even = now.checked_add(MINUTE);
        for number in 0..KNOWN {
            let account = Account { even: even.filter(|_| number % 2 == 0), ..Account::default() };
            accounts.of.insert(named(&number.to_string()), account);
        }
        accounts.forget(now);
        assert_eq!((accounts.of.len(), accounts.kept), (KNOWN / 2, KNOWN / 2));
    }
}
