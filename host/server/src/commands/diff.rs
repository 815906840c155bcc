//! What is different between two texts, line by line.

/// How many lines that stay are shown around those that do not.
const CONTEXT: usize = 2;
/// Texts of more lines are shown as replaced.
const LINES_MAX: usize = 4_000;

/// A line of one text or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Kept(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The lines of two texts, those that are common to both once: a longest common subsequence.
pub(super) fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old.len().max(new.len()) > LINES_MAX {
        let removed = old.into_iter().map(Line::Removed);
        return removed.chain(new.into_iter().map(Line::Added)).collect();
    }
    // How long the common subsequence is from each pair of places on.
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let has_both = i < old.len() && j < new.len();
        if has_both && old[i] == new[j] {
            lines.push(Line::Kept(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (has_both && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push(Line::Removed(old[i]));
            i += 1;
        } else {
            lines.push(Line::Added(new[j]));
            j += 1;
        }
    }
    lines
}

/// The lines that are different, and those around them.
pub(super) fn page(lines: &[Line<'_>], colour: bool) -> String {
    let is_near = |index: usize| {
        let from = index.saturating_sub(CONTEXT);
        let near = &lines[from..lines.len().min(index + CONTEXT + 1)];
        near.iter().any(|line| !matches!(line, Line::Kept(_)))
    };
    let mut page = String::new();
    let mut skipped = false;
    for (index, line) in lines.iter().enumerate() {
        if !is_near(index) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) && !page.is_empty() {
            page += "   ...\n";
        }
        page += &match (line, colour) {
            (Line::Kept(""), _) => "\n".to_owned(),
            (Line::Kept(line), _) => format!("   {line}\n"),
            (Line::Removed(line), false) => format!("  -{line}\n"),
            (Line::Added(line), false) => format!("  +{line}\n"),
            (Line::Removed(line), true) => format!("  \u{1b}[31m-{line}\u{1b}[0m\n"),
            (Line::Added(line), true) => format!("  \u{1b}[32m+{line}\u{1b}[0m\n"),
        };
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: &str) {
        assert_eq!(page(&lines(before, after), false), expected);
    }

    #[test]
    fn only_what_is_different_is_shown_with_what_is_around_it() {
        check("a\nb\nc\n", "a\nb\nc\n", "");
        check("", "a\n", "  +a\n");
        check("a\nb\n", "b\nc\n", "  -a\n   b\n  +c\n");
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        check(
            before,
            &before.replace('1', "one").replace('9', "nine"),
            "  -1\n  +one\n   2\n   3\n   ...\n   7\n   8\n  -9\n  +nine\n",
        );
    }

    #[test]
    fn colours_are_for_terminals() {
        let page = page(&lines("a\n", "b\n"), true);
        assert_eq!(page, "  \u{1b}[31m-a\u{1b}[0m\n  \u{1b}[32m+b\u{1b}[0m\n");
    }
}
