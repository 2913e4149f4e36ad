//! A plan as text: what each operator does, the rows and cost that were expected, and how many rows there were.

use super::operator::Context;
use super::operator::measure::{Counted, Measures};
use super::plan::physical::{Basis, Labels, PhysicalPlan};
use kgq_snapshot::TermId;
use std::fmt::Write as _;
use std::time::Duration;

/// The worst estimate is reported if it is off by at least this factor.
const OFF: f64 = 2.0;

/// Returns the tree of operators. If the run is measured, it includes the counts and the planner's worst estimate.
pub fn tree(plan: &PhysicalPlan, cx: &Context<'_>) -> String {
    let term = |id: TermId| cx.terms().term(id).to_string();
    let labels = Labels { variables: &cx.variables, term: &term };
    text(plan, &labels, cx.measures.as_ref())
}

/// Returns the tree of operators, with the names from `labels`.
pub fn text(plan: &PhysicalPlan, labels: &Labels<'_>, measures: Option<&Measures>) -> String {
    let mut out = String::new();
    let mut worst: Option<(f64, &PhysicalPlan, u64)> = None;
    // A stack of (node, depth), because a plan can be as deep as its query is long.
    let mut stack = vec![(plan, 0usize)];
    while let Some((node, depth)) = stack.pop() {
        let what = node.operation.describe(labels);
        let (rows, cost) = (rounded(node.rows), rounded(node.cost));
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{:indent$}{what}  [expected {rows}, cost {cost}", "", indent = depth.min(40) * 2);
        if let Some(measures) = measures {
            let counted = measures.counted(node);
            write_counted(&mut out, &counted, own_time(node, &counted, measures));
            let off = times_off(node.rows, counted.rows);
            // A node that passes on an estimate is as wrong as its input, which is reported instead.
            if node.basis != Basis::Input && worst.is_none_or(|(most, ..)| off >= most) {
                worst = Some((off, node, counted.rows));
            }
        }
        out.push_str("]\n");
        stack.extend(node.operation.inputs().into_iter().rev().map(|input| (input, depth + 1)));
    }
    if let Some((off, node, got)) = worst.filter(|(off, ..)| *off >= OFF) {
        let (what, rows, basis) = (node.operation.describe(labels), rounded(node.rows), node.basis);
        let _ =
            writeln!(out, "worst estimate: {off:.0} times off at `{what}`: expected {rows}, got {got}; from {basis}");
    }
    out
}

fn write_counted(out: &mut String, counted: &Counted, own: Duration) {
    let (rows, batches, kib) = (counted.rows, counted.batches, counted.bytes / 1024);
    let _ = write!(out, ", got {rows} in {batches} batches, {kib} KiB, {:.3} ms", own.as_secs_f64() * 1e3);
}

/// Returns the time without that of the inputs. Parallel parts have the time of all their threads, which leaves none
/// for the node that starts them.
fn own_time(node: &PhysicalPlan, counted: &Counted, measures: &Measures) -> Duration {
    let of_inputs = node.operation.inputs().into_iter().map(|input| measures.counted(input).time).sum();
    counted.time.saturating_sub(of_inputs)
}

fn times_off(expected: f64, got: u64) -> f64 {
    let (expected, got) = (expected.max(1.0), (got as f64).max(1.0));
    (expected / got).max(got / expected)
}

fn rounded(rows: f64) -> String {
    if rows >= 10.0 { format!("{rows:.0}") } else { format!("{rows:.1}") }
}
