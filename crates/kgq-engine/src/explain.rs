//! A plan as text: what each operator does, how many rows were expected and how many there were.

use super::executor::Prepared;
use super::operator::{Context, Node};
use kgq_syntax::error::Result;
use std::fmt::Write as _;

/// The tree of operators; with `ran`, also what was counted, and where the planner was most wrong.
pub fn tree<'s>(plan: &Node<'s>, cx: &Context<'s>, ran: bool) -> String {
    let mut out = String::new();
    let mut worst: Option<(f64, String)> = None;
    // (node, depth): a stack, since a plan can be as deep as its query is long.
    let mut stack = vec![(plan, 0usize)];
    while let Some((node, depth)) = stack.pop() {
        let what = node.operator().describe(cx);
        let counted = &node.counted;
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{:indent$}{what}  [expected {}", "", rounded(node.estimate), indent = depth.min(40) * 2);
        if ran {
            let inputs = node.operator().inputs();
            let times = inputs.iter().map(|input| input.counted.time);
            let of_inputs =
                if node.operator().runs_inputs_together() { times.max().unwrap_or_default() } else { times.sum() };
            let own = counted.time.saturating_sub(of_inputs);
            let _ = write!(
                out,
                ", got {} in {} batches, {} KiB, {:.3} ms",
                counted.rows,
                counted.batches,
                counted.bytes / 1024,
                own.as_secs_f64() * 1e3
            );
            let (expected, got) = (node.estimate.max(1.0), (counted.rows as f64).max(1.0));
            let off = (expected / got).max(got / expected);
            if worst.as_ref().is_none_or(|(most, _)| off > *most) {
                worst = Some((off, what.clone()));
            }
        }
        out.push_str("]\n");
        stack.extend(node.operator().inputs().into_iter().rev().map(|input| (input, depth + 1)));
    }
    if let Some((off, what)) = worst.filter(|(off, _)| *off >= 2.0) {
        let _ = writeln!(out, "worst estimate: {off:.0} times off at `{what}`");
    }
    out
}

fn rounded(rows: f64) -> String {
    if rows >= 10.0 { format!("{rows:.0}") } else { format!("{rows:.1}") }
}

impl Prepared<'_> {
    /// The plan as text.
    pub fn explain(&self) -> String {
        tree(&self.plan, &self.cx, false)
    }

    /// Runs the plan to its end, dropping its rows, and gives it as text with what was counted.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn analyze(&mut self) -> Result<String> {
        self.cx.timed = true;
        while self.plan.next(&self.cx)?.is_some() {
            if self.asks_only() {
                break;
            }
        }
        self.cx.snapshot().intact()?;
        Ok(tree(&self.plan, &self.cx, true))
    }
}
