//! Colours: few, calm, and never the only thing that tells two things apart.

use ratatui::style::{Color, Modifier, Style};

/// What things look like. Colours of the 256 that every terminal of today has, chosen to be seen on
/// dark and on light; what has no meaning has the terminal's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    has_colour: bool,
}

/// The inks of the charts: blue, green, sand, mauve, teal, rose, olive.
const INKS: [u8; 7] = [67, 108, 179, 139, 73, 174, 144];
/// Where there are no colours, shades and signs tell the parts of a chart apart.
const FILLS: [&str; 7] = ["█", "▒", "░", "▓", "+", "·", "="];

/// The look of one part of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink {
    pub(crate) colour: Option<Color>,
    pub(crate) fill: &'static str,
}

impl Theme {
    /// With colours.
    pub const COLOURS: Self = Self { has_colour: true };
    /// Without them: <https://no-color.org>.
    pub const PLAIN: Self = Self { has_colour: false };

    /// What is to be looked at first.
    pub(crate) const fn accent(self) -> Style {
        self.style(Some(173), Modifier::BOLD)
    }

    /// What frames the rest.
    pub(crate) const fn dim(self) -> Style {
        if self.has_colour {
            Style::new().fg(Color::Indexed(244))
        } else {
            Style::new().add_modifier(Modifier::DIM)
        }
    }

    /// What is in order.
    pub(crate) const fn good(self) -> Style {
        self.style(Some(108), Modifier::empty())
    }

    /// What is to be kept an eye on.
    pub(crate) const fn odd(self) -> Style {
        self.style(Some(179), Modifier::empty())
    }

    /// What is wrong.
    pub(crate) const fn bad(self) -> Style {
        self.style(Some(167), Modifier::BOLD)
    }

    /// What stands out without meaning anything.
    pub(crate) const fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The look of a state of a model.
    pub(crate) fn state(self, state: &str) -> Style {
        match state {
            "live" => self.good(),
            "refused" | "quarantined" => self.bad(),
            "loading" | "probed" | "paused" | "demoted" => self.odd(),
            _ => self.dim(),
        }
    }

    /// The ink of the part of this number.
    pub(crate) fn ink(self, number: usize) -> Ink {
        let index = number % INKS.len();
        Ink { colour: self.colour(INKS[index]), fill: FILLS[index] }
    }

    /// The ink of what nobody chose: the default.
    pub(crate) fn grey_ink(self) -> Ink {
        Ink { colour: self.colour(244), fill: "▫" }
    }

    /// The ink of what should not be.
    pub(crate) fn bad_ink(self) -> Ink {
        Ink { colour: self.colour(167), fill: "!" }
    }

    fn colour(self, index: u8) -> Option<Color> {
        self.has_colour.then_some(Color::Indexed(index))
    }

    const fn style(self, index: Option<u8>, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        match index {
            Some(index) if self.has_colour => style.fg(Color::Indexed(index)),
            _ => style,
        }
    }
}

impl Ink {
    /// The style of what is painted with it.
    pub(crate) fn style(self) -> Style {
        self.colour.map_or_else(Style::new, |colour| Style::new().fg(colour))
    }

    /// The sign in a legend.
    pub(crate) const fn sign(self) -> &'static str {
        if self.colour.is_some() { "■" } else { self.fill }
    }
}
