//! Names the limits as the command line and kgq.toml do. The libraries report which limit was exceeded; this adds how to change
//! it.

use kgq_syntax::budget::{Exceeded, Work};
use kgq_syntax::error::Error;

/// Adds hints to the error, and to those reported with it, on the limits that were exceeded.
pub fn with_hints(error: Error) -> Error {
    error.hinted(&|error| Some(hint(error.limit_passed()?)))
}

/// The hint on how to change a limit.
fn hint(limit: Exceeded) -> &'static str {
    match limit {
        Exceeded::Time(Work::Query | Work::Serving | Work::Client | Work::Edit) => {
            "`--timeout` (`timeout` in kgq.toml) sets how long it may take"
        }
        // kgq.toml limits the time of queries only: large files may take longer.
        Exceeded::Time(Work::Loading | Work::Keeping | Work::Export | Work::Validation) => {
            "`--timeout` sets how long it may take"
        }
        Exceeded::Memory(Work::Query | Work::Loading | Work::Keeping | Work::Serving | Work::Edit) => {
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
