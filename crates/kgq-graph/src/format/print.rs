//! Prints the model as text.

use super::model::*;
use super::order;

const INDENT: &str = "    ";

pub(super) fn print(laid: Laid) -> String {
    let Laid { mut header, mut declared, sections } = laid;
    let mut out = String::new();
    declared.sort_by(|a, b| match (&a.prefix, &b.prefix) {
        (Some(a), Some(b)) => order::natural(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    declared.dedup_by(|b, a| {
        let same = a.text == b.text && b.leading.is_empty() && !b.accumulates;
        same && (b.trailing.is_none() || a.trailing == b.trailing)
    });
    // A comment above all declarations looks the same as one about the file.
    if let Some(first) = declared.first_mut().filter(|first| !first.leading.is_empty()) {
        header.push(std::mem::take(&mut first.leading));
    }
    comment_groups(&mut out, 0, &header);
    for one in &declared {
        for comment in &one.leading {
            line(&mut out, 0, comment);
        }
        line(&mut out, 0, &with_comment(&one.text, one.trailing.as_deref()));
    }
    if !declared.is_empty() {
        out.push('\n');
    }
    print_sections(&mut out, &sections, 0);
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn print_sections(out: &mut String, sections: &[Section], depth: usize) {
    for section in sections {
        comment_groups(out, depth, &section.heading);
        for block in &section.blocks {
            print_block(out, block, depth);
            out.push('\n');
        }
    }
}

fn comment_groups(out: &mut String, depth: usize, groups: &[Vec<String>]) {
    for group in groups {
        for comment in group {
            line(out, depth, comment);
        }
        out.push('\n');
    }
}

fn print_block(out: &mut String, block: &Block, depth: usize) {
    for comment in &block.leading {
        line(out, depth, comment);
    }
    let Some((last, before)) = block.head.split_last() else { return };
    for head in before {
        line(out, depth + head.depth, &head.text);
    }
    let alone = matches!(&block.body, Body::Facts(facts) if facts.is_empty());
    let last_text = if alone { format!("{} .", last.text) } else { last.text.clone() };
    line(out, depth + last.depth, &with_comment(&last_text, block.head_comment.as_deref()));
    let end = match &block.body {
        Body::Facts(facts) => {
            for fact in self::facts(facts, 1) {
                line(out, depth + fact.depth, &fact.text);
            }
            "."
        }
        Body::Graph(sections) => {
            print_sections(out, sections, depth + 1);
            // The blank line after the last block is not needed before the brace.
            if out.ends_with("\n\n") {
                out.pop();
            }
            "}"
        }
    };
    for comment in &block.tail {
        line(out, depth + 1, comment);
    }
    if !alone {
        line(out, depth, &with_comment(end, block.trailing.as_deref()));
    } else if let Some(comment) = &block.trailing {
        line(out, depth, comment);
    }
}

/// Prints each fact on one line, or on as many lines as its object takes.
pub(super) fn facts(facts: &[Fact], depth: usize) -> Lines {
    let mut lines = Lines::new();
    for fact in facts {
        lines.extend(fact.leading.iter().map(|comment| Line::new(depth, comment)));
        let count = fact.object.len();
        for (i, object) in fact.object.iter().enumerate() {
            let mut text = if i == 0 { format!("{} {}", fact.verb, object.text) } else { object.text.clone() };
            if i + 1 == count {
                text = with_comment(&format!("{text} ;"), fact.trailing.as_deref());
            }
            lines.push(Line::new(depth + object.depth, text));
        }
    }
    lines
}

fn with_comment(text: &str, comment: Option<&str>) -> String {
    match comment {
        Some(comment) => format!("{text} {comment}"),
        None => text.to_owned(),
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    for _ in 0..depth {
        out.push_str(INDENT);
    }
    out.push_str(text);
    out.push('\n');
}
