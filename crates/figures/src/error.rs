//! What can go wrong when a figure is drawn.

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The table holds nothing that the figure could show.
    #[error("nothing to draw for `{figure}`: it needs {needs}")]
    NoData {
        /// The figure that was requested.
        figure: &'static str,
        /// The cells that it is made from.
        needs: &'static str,
    },
    /// The figure has no number to show.
    #[error("nothing to draw for `{name}`: {why}")]
    Empty {
        /// The figure.
        name: String,
        /// Why it has none.
        why: String,
    },
    /// The embedded font is damaged.
    #[error("the embedded font cannot be read")]
    Font(#[source] ttf_parser::FaceParsingError),
    /// Plotters refused an element.
    #[error("drawing failed")]
    Draw(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The SVG cannot be read back.
    #[error("the SVG cannot be rendered")]
    Svg(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The picture is too large to render.
    #[error("a picture of {width} x {height} pixels cannot be rendered")]
    Size {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// The PNG cannot be encoded.
    #[error("the PNG cannot be encoded")]
    Png(#[from] png::EncodingError),
}

impl FigureError {
    /// Where nothing was measured that a figure could show.
    pub(crate) const NO_RESULT: &str = "none of its cells has a result";

    pub(crate) fn empty(name: &str, why: &str) -> Self {
        Self::Empty { name: name.to_owned(), why: why.to_owned() }
    }
}
