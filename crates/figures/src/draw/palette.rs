//! Colours, markers and dashes. The colours are those of Okabe and Ito, which people with any of the common colour
//! vision deficiencies can tell apart; markers, dashes and lightness carry the same distinction into grey.

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of lesser weight.
pub const SOFT: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// The lines of the grid.
pub const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// Where nothing was measured.
pub const BLANK: RGBColor = RGBColor(0xf2, 0xf2, 0xf2);
/// Paper.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
/// The first colour.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
/// The same hue, dark enough to be seen on it.
pub const DEEP_BLUE: RGBColor = RGBColor(0x00, 0x2f, 0x4f);
/// The second colour.
pub const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
/// Text that belongs to it: the same hue, dark enough to be read on paper.
pub const BROWN: RGBColor = RGBColor(0x8a, 0x5a, 0x00);

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle, its point up.
    Triangle,
    /// A square on its corner.
    Diamond,
}

/// How one of several lines looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its colour.
    pub color: RGBColor,
    /// The shape of its points.
    pub marker: Marker,
    /// Dashes and gaps of its line.
    pub dashes: &'static [f64],
}

/// How the n-th of several series looks. After the eighth they repeat, which markers and dashes then tell apart no more.
pub fn series(number: usize) -> Look {
    const COLORS: [RGBColor; 8] = [
        BLUE,
        ORANGE,
        RGBColor(0x00, 0x9e, 0x73),
        RGBColor(0xcc, 0x79, 0xa7),
        RGBColor(0xd5, 0x5e, 0x00),
        RGBColor(0x56, 0xb4, 0xe9),
        RGBColor(0x00, 0x00, 0x00),
        RGBColor(0xb0, 0xa0, 0x00),
    ];
    const MARKERS: [Marker; 4] = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond];
    const DASHES: [&[f64]; 4] = [&[], &[6.0, 2.0], &[2.5, 1.5], &[7.0, 1.8, 1.5, 1.8]];
    Look { color: COLORS[number % 8], marker: MARKERS[number % 4], dashes: DASHES[number % 4] }
}

/// From somewhere to somewhere.
pub fn arrow(from: &str, to: &str) -> String {
    format!("{from} \u{2192} {to}")
}

/// The colour of a share between 0 and 1: white to blue, and on to a dark blue.
pub fn heat(share: f64) -> RGBColor {
    // Lightness falls evenly from one stop to the next, so that equal steps look equal, in grey too.
    const STOPS: [(u8, u8, u8); 5] =
        [(0xf7, 0xfb, 0xff), (0xc9, 0xdd, 0xf0), (0x86, 0xb6, 0xdb), (0x3d, 0x86, 0xbd), (0x08, 0x45, 0x84)];
    let place = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 } * (STOPS.len() - 1) as f64;
    let index = (place.floor() as usize).min(STOPS.len() - 2);
    let part = place - index as f64;
    let (from, to) = (STOPS[index], STOPS[index + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Black or white, whichever is the better read on the colour.
pub fn readable_on(color: RGBColor) -> RGBColor {
    const BLACK: RGBColor = RGBColor(0, 0, 0);
    if contrast(color, PAPER) >= contrast(color, BLACK) { PAPER } else { BLACK }
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
pub fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance of a colour (WCAG 2.2).
fn luminance(color: RGBColor) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable_on_every_shade() {
        for percent in 0..=100 {
            let shade = heat(f64::from(percent) / 100.0);
            // 4.5 is what WCAG asks of text of this size.
            assert!(contrast(shade, readable_on(shade)) >= 4.5, "{percent} %");
        }
        for color in [SOFT, BROWN, BLUE] {
            assert!(contrast(color, PAPER) >= 4.5);
        }
    }

    #[test]
    fn shades_darken_evenly() {
        let shades: Vec<f64> = (0..=20).map(|step| luminance(heat(f64::from(step) / 20.0))).collect();
        assert!(shades.windows(2).all(|pair| pair[1] < pair[0]), "{shades:?}");
    }
}
