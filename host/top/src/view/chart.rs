//! Charts of characters: layers upon each other over time, and small lines of bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::Paint;
use crate::theme::{Ink, Theme};

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// The room for the numbers at the left.
const LABELS: u16 = 8;
/// How high a chart is at most, its time included: more says no more.
pub(super) const HEIGHT_MAX: u16 = 13;

/// One layer: a value for each column, and what it is painted with.
pub(super) struct Layer {
    pub(super) values: Vec<f64>,
    pub(super) ink: Ink,
}

/// How many columns a chart has in this area.
pub(super) const fn columns(area: Rect) -> usize {
    area.width.saturating_sub(LABELS + 1) as usize
}

/// Paints layers upon each other, with their scale at the left and the time below.
pub(super) fn stacked(
    layers: &[Layer],
    label: impl Fn(f64) -> String,
    covered_s: f64,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 3 || area.width < LABELS + 10 {
        return;
    }
    let plot = Rect {
        x: area.x + LABELS,
        width: area.width - LABELS - 1,
        y: area.y,
        height: area.height - 1,
    };
    let top = ceiling(highest(layers));
    let middle = plot.y + plot.height / 2;
    // A number stands at the upper edge of its line: only an even number of lines has a middle one.
    let has_middle = plot.height > 5 && plot.height.is_multiple_of(2);
    let half = has_middle.then_some((middle, top / 2.0));
    let marks = [Some((plot.y, top)), half, Some((plot.bottom() - 1, 0.0))];
    for (y, value) in marks.into_iter().flatten() {
        let text = label(value);
        let width = text.chars().count().min(usize::from(LABELS - 1)) as u16;
        buffer.set_stringn(plot.x - 1 - width, y, text, usize::from(width), theme.dim());
    }
    for column in 0..plot.width {
        paint_column(layers, usize::from(column), top, plot, buffer, column);
    }
    let past = match covered_s {
        seconds if seconds < 100.0 => format!("{seconds:.0} s ago"),
        seconds => format!("{:.1} min ago", seconds / 60.0),
    };
    let below = Rect { y: plot.bottom(), height: 1, ..plot };
    Line::styled(past, theme.dim()).paint(below, buffer);
    let now = Rect { x: below.right().saturating_sub(3), width: 3, ..below };
    Line::styled("now", theme.dim()).paint(now, buffer);
}

fn paint_column(
    layers: &[Layer],
    index: usize,
    top: f64,
    plot: Rect,
    buffer: &mut Buffer,
    column: u16,
) {
    // Where each layer ends, in eighths of a cell from below.
    let mut sum = 0.0;
    let mut ends = Vec::with_capacity(layers.len());
    for layer in layers {
        let value = layer.values.get(index).copied().unwrap_or(f64::NAN);
        sum += if value.is_finite() { value.max(0.0) } else { 0.0 };
        ends.push((sum / top * f64::from(plot.height) * 8.0).round() as u32);
    }
    // What is there but too small to be seen is seen all the same.
    if sum > 0.0 && ends.last() == Some(&0) {
        let first =
            layers.iter().position(|layer| layer.values.get(index).is_some_and(|it| *it > 0.0));
        ends.iter_mut().skip(first.unwrap_or(0)).for_each(|end| *end = 1);
    }
    for row in 0..plot.height {
        let floor = u32::from(row) * 8;
        let Some((symbol, style)) = cell(layers, &ends, floor) else { continue };
        let at = (plot.x + column, plot.bottom() - 1 - row);
        if let Some(cell) = buffer.cell_mut(at) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// The cell that begins so many eighths above the ground: a layer, or the border of two.
fn cell(layers: &[Layer], ends: &[u32], floor: u32) -> Option<(&'static str, Style)> {
    let below = ends.iter().position(|end| *end > floor)?;
    let ink = layers[below].ink;
    let filled = (ends[below] - floor).min(8);
    let Some(colour) = ink.colour else {
        // A cell of signs belongs to the layer of its middle.
        let middle = ends.iter().position(|end| *end > floor + 3);
        return match middle {
            Some(middle) => Some((layers[middle].ink.fill, Style::new())),
            None => Some((EIGHTHS[filled as usize], Style::new())),
        };
    };
    let style = Style::new().fg(colour);
    let above = ends.iter().position(|end| *end > floor + filled).filter(|_| filled < 8);
    let style = match above.and_then(|above| layers[above].ink.colour) {
        Some(colour) => style.bg(colour),
        None => style,
    };
    Some((EIGHTHS[filled as usize], style))
}

/// A line of bars, one for each value, from nothing to the highest of them.
pub(super) fn sparkline(values: &[f64]) -> String {
    let highest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let bar = |value: &f64| match *value {
        value if !value.is_finite() => ' ',
        value if value <= 0.0 || highest <= 0.0 => '▁',
        value => {
            let eighths = (value / highest * 8.0).ceil().clamp(1.0, 8.0) as usize;
            EIGHTHS[eighths].chars().next().unwrap_or(' ')
        }
    };
    values.iter().map(bar).collect()
}

fn highest(layers: &[Layer]) -> f64 {
    let columns = layers.iter().map(|layer| layer.values.len()).max().unwrap_or(0);
    let sum = |index: usize| -> f64 {
        let values = layers.iter().filter_map(|layer| layer.values.get(index).copied());
        values.filter(|value| value.is_finite()).sum()
    };
    (0..columns).map(sum).fold(0.0, f64::max)
}

/// The next round number: 1, 1.5, 2, 3, 4, 5, 6, 8 of each power of ten.
fn ceiling(highest: f64) -> f64 {
    const ROUND: [f64; 9] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    if !highest.is_finite() || highest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(highest.log10().floor());
    let round = ROUND.into_iter().find(|round| round * power >= highest * 0.999_999);
    round.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        let ceilings = [0.0, 0.7, 1.0, 1.2, 93.0, 1_234.0, 80.0].map(ceiling);
        assert_eq!(ceilings, [1.0, 0.8, 1.0, 1.5, 100.0, 1_500.0, 80.0]);
    }

    #[test]
    fn a_line_of_bars_shows_gaps_and_zeros() {
        assert_eq!(sparkline(&[0.0, f64::NAN, 1.0, 4.0, 8.0]), "▁ ▁▄█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }

    fn painted(theme: Theme) -> Buffer {
        let area = Rect::new(0, 0, 18, 3);
        let mut buffer = Buffer::empty(area);
        let layer =
            |values: [f64; 3], number| Layer { values: values.into(), ink: theme.ink(number) };
        let layers = [layer([8.0, 4.0, 0.1], 0), layer([2.0, 2.0, f64::NAN], 1)];
        stacked(&layers, |value| format!("{value:.0}"), 300.0, theme, area, &mut buffer);
        buffer
    }

    #[test]
    fn layers_stand_upon_each_other() {
        let buffer = painted(Theme::COLOURS);
        let look = |x, y| {
            let cell = buffer.cell((x, y)).unwrap();
            (cell.symbol().to_owned(), cell.fg, cell.bg)
        };
        let [one, other] = [0, 1].map(|number| Theme::COLOURS.ink(number).colour.unwrap());
        let nothing = ratatui::style::Color::Reset;
        // 8 of 10 over two lines of eight eighths: 13 eighths, and the other layer up to 16.
        assert_eq!(look(8, 1), ("█".into(), one, nothing));
        assert_eq!(look(8, 0), ("▅".into(), one, other));
        // 4 and 2: the border is in the lower line, and the rest just reaches the upper one.
        assert_eq!(look(9, 1), ("▆".into(), one, other));
        assert_eq!(look(9, 0), ("▂".into(), other, nothing));
        assert_eq!(look(10, 1).0, "▁", "a little is more than nothing");
    }

    #[test]
    fn signs_tell_layers_apart_where_there_is_no_colour() {
        let buffer = painted(Theme::PLAIN);
        let symbols = [(8, 1), (8, 0), (9, 0)].map(|at| buffer.cell(at).unwrap().symbol());
        assert_eq!(symbols, ["█", "█", "▂"]);
        assert!(buffer.content().iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
    }
}
