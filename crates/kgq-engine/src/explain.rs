//! A plan as text: what each operator does, how many rows were expected, at which cost, and how many there were.

use super::operator::Context;
use super::operator::measure::{Counted, Measures};
use super::plan::physical::{Basis, Labels, PhysicalPlan};
use kgq_snapshot::TermId;
use std::fmt::Write as _;
use std::time::Duration;

/// An estimate that was so many times off is told of.
const OFF: f64 = 2.0;

/// The tree of operators; of a run that measures also what was counted, and where the planner was most wrong.
pub fn tree(plan: &PhysicalPlan, cx: &Context<'_>) -> String {
    let term = |id: TermId| cx.terms().term(id).to_string();
    let labels = Labels { variables: &cx.variables, term: &term };
    text(plan, &labels, cx.measures.as_ref())
}

/// The tree of operators, by the names that `labels` has.
pub fn text(plan: &PhysicalPlan, labels: &Labels<'_>, measures: Option<&Measures>) -> String {
    let mut out = String::new();
    let mut worst: Option<(f64, &PhysicalPlan, u64)> = None;
    // (node, depth): a stack, since a plan can be as deep as its query is long.
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
            // What hands on an estimate is as wrong as its input, which is told of instead.
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

/// The time without that of the inputs. What runs side by side has the time of all its threads, so that what starts them has none left.
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
