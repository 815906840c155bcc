//! Terminals of every size, and the one of the documentation.

use ratatui::crossterm::event::KeyCode;

use top::Theme;

use crate::rig::Rig;

#[test]
fn every_page_fits_every_terminal() {
    let mut rig = Rig::watching();
    let mut painted = 0;
    for keys in ["", "j", "\n", "?", "xp", "\n"] {
        for key in keys.chars() {
            rig.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) });
        }
        for width in [1, 20, 39, 40, 80, 133, 400] {
            for height in [1, 7, 8, 12, 24, 120] {
                rig.size = (width, height);
                let lines = rig.lines();
                painted += usize::from(lines.iter().any(|line| !line.is_empty()));
            }
        }
    }
    assert_eq!(painted, 6 * 7 * 6, "nothing is ever all blank");
}

#[test]
fn a_terminal_that_is_too_small_says_how_large_it_has_to_be() {
    let rig = Rig { size: (20, 5), ..Rig::watching() };
    assert_eq!(rig.text().trim(), "40 × 8 at least");
    let rig = Rig { size: (40, 8), ..Rig::watching() };
    rig.sees(&["flights", "req/s"]);
}

#[test]
fn where_it_is_narrow_the_least_important_columns_go_first() {
    let rig = Rig { size: (70, 24), ..Rig::watching() };
    rig.sees(&["endpoint", "req/s", "p99 ms", "faults/s"]);
    rig.misses("champion");
    rig.misses("models");
    let wide = Rig { size: (200, 24), ..Rig::watching() };
    wide.sees(&["champion", "models", "requests/s, 2 min"]);
}

#[test]
fn of_many_models_those_around_the_selected_one_are_seen() {
    let mut rig = Rig::new();
    let models: Vec<_> = (0..200)
        .map(|number| serde_json::json!({ "name": format!("client-{number:03}"), "state": "live" }))
        .collect();
    for _ in 0..2 {
        let endpoint = serde_json::json!({ "name": "many", "models": models });
        rig.hear(Ok(serde_json::json!({ "endpoints": [endpoint] })));
    }
    rig.size = (100, 20);
    rig.press(KeyCode::Enter);
    rig.sees(&["▌client-000"]);
    (0..10).for_each(|_| drop(rig.press(KeyCode::PageDown)));
    rig.sees(&["▌client-100", "client-099", "client-101"]);
    rig.misses("client-000");
    rig.press(KeyCode::End);
    rig.sees(&["▌client-199"]);
}

/// Where the screens of the documentation are.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/top.md");

/// With `UPDATE` in the environment it writes what it would otherwise look for.
#[test]
fn the_documentation_shows_what_is_so() {
    let mut rig = Rig { size: (112, 27), theme: Theme::PLAIN, ..Rig::watching() };
    rig.press(KeyCode::Down);
    let overview = rig.text();
    rig.press(KeyCode::Enter);
    let screens = [overview, rig.text()];
    if std::env::var_os("UPDATE").is_some() {
        let page = std::fs::read_to_string(PAGE).unwrap();
        std::fs::write(PAGE, with_screens(&page, &screens)).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let is_current = page == with_screens(&page, &screens);
    assert!(is_current, "docs/top.md shows other screens than these:\n{}", screens.join("\n\n"));
}

/// The page with these screens in place of its own.
fn with_screens(page: &str, screens: &[String]) -> String {
    const OPEN: &str = "```text\n";
    let mut parts = page.split(OPEN);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        let after = part.split_once("```").map_or("", |(_, after)| after);
        let screen = screens.get(index).map_or("", |screen| screen.trim_end());
        text += &format!("{OPEN}{screen}\n```{after}");
    }
    text
}
