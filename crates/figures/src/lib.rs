//! Tables to figures: SVG by plotters, PNG by resvg.
