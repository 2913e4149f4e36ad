//! What the limits are called on the command line and in kgq.toml. The libraries name the limit that was passed; this says how to move it.

use kgq_syntax::budget::{Exceeded, Work};
use kgq_syntax::error::Error;

/// The error, and those reported with it, with hints on the limits that were passed.
pub fn with_hints(error: Error) -> Error {
    error.hinted(&|error| Some(hint(error.limit_passed()?)))
}

/// How to move a limit.
fn hint(limit: Exceeded) -> &'static str {
    match limit {
        Exceeded::Time(Work::Query | Work::Serving | Work::Client | Work::Edit) => {
            "`--timeout` (`timeout` in kgq.toml) sets how long it may take"
        }
        // kgq.toml bounds queries only: large files may take longer.
        Exceeded::Time(Work::Loading | Work::Export | Work::Validation) => "`--timeout` sets how long it may take",
        Exceeded::Memory(Work::Query | Work::Loading | Work::Serving | Work::Edit) => {
            "`--max-memory` (`max-memory` in kgq.toml) sets how much a query, or reading its data, may take"
        }
        Exceeded::Memory(Work::Client) => "`--per-client-memory` sets how much the queries of one client may hold",
        Exceeded::Memory(Work::Export | Work::Validation) => {
            "`--max-memory` (`max-memory` in kgq.toml) sets how much it may take"
        }
        Exceeded::Rows => {
            "`--max-rows` (`max-rows` in kgq.toml) sets how many it may have; LIMIT in the query asks for fewer"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_that_was_passed_gets_its_hint_also_among_others() {
        let rows = Error::exceeded(Exceeded::Rows, "too many rows");
        let all = Error::all([Error::input("broken"), rows]).unwrap();
        let shown = with_hints(all).render(false);
        assert_eq!(shown.matches("hint:").count(), 1, "{shown}");
        assert!(shown.contains("`--max-rows`"), "{shown}");
    }
}
