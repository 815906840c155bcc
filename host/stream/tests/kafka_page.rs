//! The page about Kafka: its settings and what it says is refused are those of the code.

use stream::kafka::{REFUSED, Role, settings};

const PAGE: &str = include_str!("../../../docs/kafka.md");

/// What stands between two marks of the page.
fn between(from: &str, to: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(from).expect("the first mark");
    let (part, _) = rest.split_once(to).expect("the second mark");
    part
}

#[track_caller]
fn check(found: &str, expected: &str) {
    assert!(found.trim() == expected.trim(), "expected in docs/kafka.md:\n\n{expected}\n");
}

#[test]
fn every_setting_is_in_the_table_with_its_reason() {
    let rows = settings().iter().map(|setting| {
        let clients = if setting.roles.len() == Role::ALL.len() {
            "all".to_owned()
        } else {
            setting.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
        };
        format!(
            "| `{}` | {} | {} | {clients} | {} |\n",
            setting.property, setting.low_latency, setting.throughput, setting.reason
        )
    });
    let found = between("|---|---|---|---|---|\n", "<!-- end of settings -->");
    check(found, &rows.collect::<String>());
}

#[test]
fn every_property_that_is_refused_is_named() {
    let names: Vec<_> = REFUSED.iter().map(|(property, _)| format!("`{property}`")).collect();
    let mut lines = vec![String::new()];
    for (index, name) in names.iter().enumerate() {
        let end = if index + 1 == names.len() { "." } else { "," };
        let last = lines.last_mut().expect("invariant: there is one");
        if last.len() + name.len() + 2 > 138 {
            lines.push(format!("{name}{end}"));
        } else if last.is_empty() {
            *last = format!("{name}{end}");
        } else {
            last.push_str(&format!(" {name}{end}"));
        }
    }
    check(between("<!-- refused -->", "<!-- end of refused -->"), &lines.join("\n"));
}
