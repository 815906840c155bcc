//! Tables whose numbers stand in line, and which leave out what matters least where it is narrow.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Paint;
use crate::theme::Theme;

/// The space between two columns.
const GAP: u16 = 2;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// How wide it is at least, 0 for not there; the last column takes what is left.
    pub(super) width: u16,
    pub(super) is_number: bool,
    /// The greater, the sooner it is left out.
    pub(super) rank: u8,
    /// Whether the table is sorted by it.
    pub(super) sorts: bool,
}

/// A line with one cell for each column.
pub(super) struct Row<'a> {
    pub(super) cells: Vec<Span<'a>>,
    pub(super) is_selected: bool,
}

/// A column of text.
pub(super) const fn text(title: &'static str, width: u16, rank: u8) -> Column {
    Column { title, width, is_number: false, rank, sorts: false }
}

/// A column of numbers.
pub(super) const fn number(title: &'static str, width: u16, rank: u8) -> Column {
    Column { title, width, is_number: true, rank, sorts: false }
}

impl Column {
    /// The same, with the sign that the table is sorted by it if it is.
    pub(super) const fn sorted(self, sorts: bool) -> Self {
        Self { sorts, ..self }
    }
}

/// Paints a table. Of more rows than there is room for those around the selected one are seen.
pub(super) fn paint(
    columns: &[Column],
    rows: Vec<Row<'_>>,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.is_empty() {
        return;
    }
    let columns = widened(columns, &rows);
    let shown = fitting(&columns, area.width);
    let places = places(&columns, &shown, area);
    for (index, place) in shown.iter().zip(&places) {
        let column = &columns[*index];
        let style = if column.sorts { theme.accent() } else { theme.dim() };
        put(column, Span::styled(column.title, style), *place, buffer);
    }
    let height = usize::from(area.height - 1);
    let first = first_row(&rows, height);
    for (line, row) in rows.into_iter().skip(first).take(height).enumerate() {
        let y = area.y + 1 + line as u16;
        if row.is_selected {
            buffer.set_string(area.x, y, "▌", theme.accent());
        }
        let mut cells: Vec<Option<Span<'_>>> = row.cells.into_iter().map(Some).collect();
        for (order, (index, place)) in shown.iter().zip(&places).enumerate() {
            let Some(mut cell) = cells.get_mut(*index).and_then(Option::take) else { continue };
            if row.is_selected && order == 0 {
                cell.style = theme.accent();
            }
            put(&columns[*index], cell, Rect { y, ..*place }, buffer);
        }
    }
}

/// The columns as wide as their widest cell, but for the last one that is shown.
fn widened(columns: &[Column], rows: &[Row<'_>]) -> Vec<Column> {
    const WIDTH_MAX: usize = 32;
    let widest = |index: usize| {
        rows.iter().filter_map(move |row| row.cells.get(index)).map(Span::width).max()
    };
    let last = columns.len().saturating_sub(1);
    let widened = columns.iter().enumerate().map(|(index, column)| {
        let widest = widest(index).unwrap_or(0).min(WIDTH_MAX) as u16;
        let width = if index == last { column.width } else { column.width.max(widest) };
        Column { width, ..*column }
    });
    widened.collect()
}

/// Which columns have room side by side.
fn fitting(columns: &[Column], width: u16) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let wide = |shown: &[usize]| {
        let widths: u16 = shown.iter().map(|index| columns[*index].width + GAP).sum();
        widths.saturating_sub(GAP) + 2
    };
    shown.retain(|index| columns[*index].width > 0);
    while wide(&shown) > width && shown.len() > 1 {
        let least = shown.iter().copied().max_by_key(|index| (columns[*index].rank, *index));
        shown.retain(|index| Some(*index) != least);
    }
    shown
}

/// Where each of them stands: a line for the selection at the left, a free one at the right.
fn places(columns: &[Column], shown: &[usize], area: Rect) -> Vec<Rect> {
    let mut x = area.x + 1;
    let last = columns.len() - 1;
    let place = |index: &usize| {
        let left = (area.right().saturating_sub(1)).saturating_sub(x);
        let width = if *index == last { left } else { columns[*index].width.min(left) };
        let place = Rect { x, y: area.y, width, height: 1 };
        x = (x + width + GAP).min(area.right());
        place
    };
    shown.iter().map(place).collect()
}

fn put(column: &Column, cell: Span<'_>, place: Rect, buffer: &mut Buffer) {
    let free = place.width.saturating_sub(cell.width() as u16);
    let x = if column.is_number { place.x + free } else { place.x };
    Line::from(cell).paint(Rect { x, width: place.right() - x, ..place }, buffer);
}

fn first_row(rows: &[Row<'_>], height: usize) -> usize {
    let selected = rows.iter().position(|row| row.is_selected).unwrap_or(0);
    selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height))
}

/// A cell of text.
pub(super) fn cell<'a>(text: impl Into<std::borrow::Cow<'a, str>>, style: Style) -> Span<'a> {
    Span::styled(text, style)
}
