//! A finished picture, and its rendering to pixels.

use png::{BitDepth, ColorType, DeflateCompression, Filter, PixelDimensions, Unit};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::FigureError;

/// Width of every figure, in inches.
pub const WIDTH_IN: f64 = 6.0;

/// Points in an inch; the SVG's user unit is the point.
pub(crate) const POINTS_PER_IN: f64 = 72.0;

/// Resolution of the PNG, in pixels per inch.
const PIXELS_PER_IN: f32 = 300.0;

/// The same in pixels per metre, the unit of the PNG's `pHYs` chunk.
const PIXELS_PER_M: u32 = 11_811;

/// A finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The picture as SVG made of paths alone. Its user unit is the point; the words of every label stand in an
    /// `aria-label`, and the numbers that it shows in `<desc>`.
    pub svg: String,
}

impl Drawing {
    /// Renders the picture at 300 pixels per inch: 1800 pixels wide, opaque, with its resolution in a `pHYs` chunk.
    ///
    /// # Errors
    /// [`FigureError::Svg`], [`FigureError::Size`] or [`FigureError::Png`] if the picture cannot be read, rendered or
    /// encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        // An SVG inch is 96 of the units that usvg resolves lengths to.
        let tree = Tree::from_str(&self.svg, &Options::default()).map_err(|error| FigureError::Svg(Box::new(error)))?;
        let scale = PIXELS_PER_IN / 96.0;
        let size = tree.size();
        let (width, height) = ((size.width() * scale).round() as u32, (size.height() * scale).round() as u32);
        let mut pixels = Pixmap::new(width, height).ok_or(FigureError::Size { width, height })?;
        pixels.fill(Color::WHITE);
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        encode(width, height, pixels.data())
    }
}

/// Encodes opaque RGBA pixels as an RGB PNG.
fn encode(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, FigureError> {
    let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    // Of the quick settings the one that gave the smallest files on figures like these.
    encoder.set_deflate_compression(DeflateCompression::Level(1));
    encoder.set_filter(Filter::Up);
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: PIXELS_PER_M, yppu: PIXELS_PER_M, unit: Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(file)
}
