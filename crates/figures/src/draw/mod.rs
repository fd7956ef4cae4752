//! What every figure is drawn with: a pen that turns plotters' elements into SVG paths, letters, colours, axes, legends
//! and the page around the panels.

pub(crate) mod canvas;
pub(crate) mod font;
pub(crate) mod format;
pub(crate) mod geometry;
pub(crate) mod legend;
pub(crate) mod page;
pub(crate) mod palette;
pub(crate) mod panel;
pub(crate) mod pen;
pub(crate) mod scale;
pub(crate) mod ticks;

pub(crate) use canvas::{Canvas, Stroke, Type};
pub(crate) use geometry::{Point, Rect};
pub(crate) use legend::{Entry, Sample};
pub(crate) use page::Page;
pub(crate) use panel::Panel;
pub(crate) use scale::Scale;
