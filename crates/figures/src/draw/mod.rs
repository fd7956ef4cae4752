//! What every figure is drawn with: a pen that turns plotters' elements into SVG paths, letters, colours, axes, legends
//! and the page around the panels.

pub mod authors;
pub mod canvas;
pub mod font;
pub mod format;
pub mod geometry;
pub mod grid;
pub mod legend;
pub mod page;
pub mod palette;
pub mod panel;
pub mod pen;
pub mod scale;
pub mod ticks;

pub use canvas::{Canvas, Stroke, Type};
pub use geometry::{Point, Rect};
pub use grid::Grid;
pub use legend::{Entry, Sample};
pub use page::Page;
pub use panel::Panel;
pub use scale::Scale;
