//! What every figure must hold, whatever the numbers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]
#![allow(clippy::disallowed_methods, reason = "made-up numbers need not be the same on every machine")]

#[path = "../examples/gallery/synthetic.rs"]
mod synthetic;

use std::sync::LazyLock;

use matrix_analysis::tables::Estimate;
use matrix_presets::{Drawing, Figure, FigureError};
use proptest::prelude::*;
use resvg::usvg::{Node, Options, Rect, Tree, roxmltree};
use synthetic::{Tables, cases};

fn draw(figure: Figure, tables: &Tables) -> Result<Drawing, FigureError> {
    tables.draw(figure, &Tables::default())
}

/// Every figure of every case that has data, drawn once for all tests.
static DRAWINGS: LazyLock<Vec<(String, Tables, Drawing)>> = LazyLock::new(drawings);

fn drawings() -> Vec<(String, Tables, Drawing)> {
    let mut drawings = Vec::new();
    for (case, tables) in cases().unwrap() {
        for figure in Figure::ALL {
            match draw(figure, &tables) {
                Ok(drawing) => drawings.push((format!("{case}/{figure}"), tables.clone(), drawing)),
                Err(FigureError::NoData { figure: which, .. }) => assert_eq!((case, which), ("empty", figure.name())),
                Err(error) => panic!("{case}/{figure}: {error}"),
            }
        }
    }
    assert_eq!(drawings.len(), 70);
    drawings
}

/// The words of a picture: those of its labels, and those that describe it.
fn words(svg: &str) -> (Vec<String>, String) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let labels = document.descendants().filter_map(|node| node.attribute("aria-label")).map(str::to_owned).collect();
    let description = document.descendants().find(|node| node.has_tag_name("desc")).and_then(|node| node.text());
    (labels, description.unwrap().to_owned())
}

/// The labels of a picture and the boxes that their ink fills, in points.
fn label_boxes(svg: &str) -> Vec<(String, Rect)> {
    let tree = Tree::from_str(svg, &Options::default()).unwrap();
    let mut boxes = Vec::new();
    collect(tree.root().children(), &mut boxes);
    let document = roxmltree::Document::parse(svg).unwrap();
    let paths: Vec<_> = document.descendants().filter(|node| node.has_tag_name("path")).collect();
    assert_eq!(paths.len(), boxes.len(), "a path was dropped: it has no extent");
    let labels =
        paths.iter().zip(boxes).filter_map(|(path, ink)| Some((path.attribute("aria-label")?.to_owned(), ink)));
    labels.collect()
}

fn collect(nodes: &[Node], boxes: &mut Vec<Rect>) {
    for node in nodes {
        match node {
            Node::Group(group) => collect(group.children(), boxes),
            Node::Path(path) => {
                // Resolved lengths are CSS pixels, 96 to the inch; a point is 4/3 of one.
                let ink = path.abs_stroke_bounding_box();
                let points = |value: f32| value * 0.75;
                let rect =
                    Rect::from_ltrb(points(ink.left()), points(ink.top()), points(ink.right()), points(ink.bottom()));
                boxes.push(rect.unwrap());
            }
            other => panic!("neither group nor path: {other:?}"),
        }
    }
}

/// The figures that show the authors' numbers, those of other tables.
fn against(figure: Figure, tables: &Tables, authors: &Tables) -> Option<Drawing> {
    figure.shows_authors().then(|| tables.draw(figure, authors).unwrap())
}

#[test]
fn the_authors_numbers_stand_in_the_same_figure() {
    for (name, tables, alone) in DRAWINGS.iter() {
        let figure: Figure = name.split_once('/').unwrap().1.parse().unwrap();
        let mut authors = tables.clone();
        authors.windows.iter_mut().for_each(|row| row.original_p50_ms *= 100.0);
        authors.delays.iter_mut().for_each(|row| row.delay_ms *= 7);
        authors.curves.iter_mut().flat_map(|curve| &mut curve.points).for_each(|point| point.window_ms *= 100.0);
        let drawing = against(figure, tables, &authors);
        assert_eq!(drawing.is_some(), figure.shows_authors(), "{name}");
        let Some(drawing) = drawing else { continue };
        let (labels, description) = words(&drawing.svg);
        assert!(labels.iter().any(|label| label == "the authors'") && description.contains("The authors': "), "{name}");
        let (_, before) = words(&alone.svg);
        assert!(!before.contains("The authors'"), "{name}");
        // However far away their numbers are, they are on the page.
        let tree = Tree::from_str(&drawing.svg, &Options::default()).unwrap();
        let mut boxes = Vec::new();
        collect(tree.root().children(), &mut boxes);
        let outside = boxes.iter().find(|ink| ink.left() < -1.0 || ink.right() > 433.0 || ink.top() < -1.0);
        assert_eq!(outside, None, "{name}");
    }
}

#[test]
fn a_table_without_rows_is_an_error_that_names_what_is_missing() {
    for figure in Figure::ALL {
        let error = draw(figure, &Tables::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("nothing to draw for `{figure}`: it needs {}", figure.needs()));
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let second = drawings();
    for ((name, _, one), (_, _, other)) in DRAWINGS.iter().zip(&second) {
        assert!(one == other, "{name}");
    }
    let (_, _, one) = &DRAWINGS[0];
    assert_eq!(one.to_png().unwrap(), second[0].2.to_png().unwrap());
}

#[test]
fn pictures_are_six_inches_of_paths() {
    for (name, _, drawing) in DRAWINGS.iter() {
        let document = roxmltree::Document::parse(&drawing.svg).unwrap();
        assert_eq!(document.root_element().attribute("width"), Some("6in"), "{name}");
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let tag = node.tag_name().name();
            assert!(["svg", "title", "desc", "path"].contains(&tag), "{name}: <{tag}>");
            assert!(node.attributes().all(|attribute| !attribute.name().starts_with("font")), "{name}");
        }
    }
}

#[test]
fn the_png_is_1800_pixels_wide_and_says_300_dpi() {
    for (name, _, drawing) in DRAWINGS.iter().take(10) {
        let file = drawing.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let info = reader.info();
        let resolution = info.pixel_dims.unwrap();
        assert_eq!((info.width, info.color_type), (1800, png::ColorType::Rgb), "{name}");
        assert_eq!((resolution.xppu, resolution.yppu, resolution.unit), (11_811, 11_811, png::Unit::Meter), "{name}");
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let ink = pixels.chunks_exact(3).filter(|pixel| **pixel != [255, 255, 255]).count();
        let share = ink as f64 / (pixels.len() / 3) as f64;
        assert!((0.01..0.9).contains(&share), "{name}: {share} of the paper is inked");
    }
}

#[test]
fn no_label_leaves_the_page_or_covers_another() {
    for (name, _, drawing) in DRAWINGS.iter() {
        let height: f32 = {
            let document = roxmltree::Document::parse(&drawing.svg).unwrap();
            let height = document.root_element().attribute("height").unwrap().trim_end_matches("in");
            height.parse::<f32>().unwrap() * 72.0
        };
        let labels = label_boxes(&drawing.svg);
        for (index, (label, ink)) in labels.iter().enumerate() {
            let inside = ink.left() >= 0.5 && ink.top() >= 0.5 && ink.right() <= 431.5 && ink.bottom() <= height - 0.5;
            assert!(inside, "{name}: `{label}` leaves the page: {ink:?}");
            for (other, over) in &labels[..index] {
                let across = ink.right().min(over.right()) - ink.left().max(over.left());
                let down = ink.bottom().min(over.bottom()) - ink.top().max(over.top());
                assert!(across <= 0.0 || down <= 0.0, "{name}: `{label}` covers `{other}` by {across} x {down}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_numbers_make_a_picture_that_keeps_to_its_page(
        numbers in prop::collection::vec((-1.0..10.0f64, 0.0..=1.0f64, prop::option::of(-2.0..10.0f64), 0u64..4), 8),
    ) {
        let mut tables = cases().unwrap().swap_remove(0).1;
        for (row, (power, share, on, _)) in tables.windows.iter_mut().zip(&numbers) {
            row.original_p50_ms = 10f64.powf(*power);
            row.missed = Estimate { value: *share, low: share / 2.0, high: (share * 2.0).min(1.0) };
            row.antipode_p50_ms = on.map(|on| 10f64.powf(on));
            row.extra_ms = row.antipode_p50_ms.map(|on| on - row.original_p50_ms);
        }
        for (row, (power, share, _, few)) in tables.delays.iter_mut().zip(numbers.iter().cycle()) {
            row.delay_ms = if *few == 0 { 0 } else { 10f64.powf(power.abs()) as u64 };
            row.inconsistent = Estimate { value: *share, low: 0.0, high: 1.0 };
        }
        for (row, (power, _, on, few)) in tables.overheads.iter_mut().zip(&numbers) {
            row.baseline_objects = *few;
            row.baseline_average_bytes = 10f64.powf(*power);
            row.antipode_average_bytes = on.map_or(f64::NAN, |on| 10f64.powf(on));
            row.overhead_bytes = row.antipode_average_bytes - row.baseline_average_bytes;
            row.overhead_percent = row.overhead_bytes / row.baseline_average_bytes * 100.0;
        }
        for (curve, (power, share, ..)) in tables.curves.iter_mut().zip(numbers.iter().cycle()) {
            curve.points.truncate((share * 20.0) as usize);
            curve.points.iter_mut().for_each(|point| point.window_ms *= 10f64.powf(*power - 4.0));
        }
        for figure in Figure::ALL {
            match draw(figure, &tables) {
                Ok(drawing) => {
                    for (label, ink) in label_boxes(&drawing.svg) {
                        let inside = ink.left() >= 0.0 && ink.right() <= 432.0 && ink.top() >= 0.0;
                        prop_assert!(inside, "{figure}: `{label}` leaves the page: {ink:?}");
                    }
                }
                Err(FigureError::NoData { .. }) => {}
                Err(error) => prop_assert!(false, "{figure}: {error}"),
            }
        }
    }
}

#[test]
fn labels_are_large_enough_to_be_read() {
    // The scale of a label's outline, times the 2048 units of the font, is its size in points.
    let (mut all, mut small) = (0, 0);
    for (name, tables, drawing) in DRAWINGS.iter() {
        let document = roxmltree::Document::parse(&drawing.svg).unwrap();
        for node in document.descendants().filter(|node| node.has_attribute("aria-label")) {
            let matrix = node.attribute("transform").unwrap().trim_start_matches("matrix(");
            let numbers: Vec<f64> = matrix.split([' ', ')']).filter_map(|number| number.parse().ok()).collect();
            let size = numbers[0].abs().max(numbers[1].abs()) * 2048.0;
            assert!(size > 5.9, "{name}: {:?} has {size} pt", node.attribute("aria-label"));
            if tables.source.experiment == "made-up" {
                all += 1;
                small += usize::from(size < 6.9);
            }
        }
    }
    assert!(small * 50 < all, "{small} of {all} labels are below 7 pt");
}

#[test]
fn where_numbers_come_from_is_said() {
    for (name, tables, drawing) in DRAWINGS.iter() {
        let (labels, description) = words(&drawing.svg);
        let source = &tables.source;
        assert_eq!(labels.iter().any(|label| label == "simulated"), source.nature.simulated, "{name}");
        assert_eq!(description.contains("simulated"), source.nature.simulated, "{name}");
        let notes = labels.join(" ");
        assert_eq!(notes.contains("configured lag"), !source.nature.configured_lag.is_empty(), "{name}");
        assert_eq!(notes.contains("incomplete"), source.incomplete() > 0, "{name}");
        if name.starts_with("troubled") {
            assert!(
                notes.contains("3 of 312 cells incomplete")
                    && notes.contains("configured lag: DynamoDB, S3, DynamoDB notifications")
            );
        }
    }
}

#[test]
fn the_numbers_of_the_table_are_in_the_picture() {
    let tables = &cases().unwrap()[0].1;
    let labels = |figure| words(&draw(figure, tables).unwrap().svg).0;
    let has = |labels: &[String], expected: &[&str]| {
        for text in expected {
            assert!(labels.iter().any(|label| label == text), "`{text}` is not among {labels:?}");
        }
    };
    has(
        &labels(Figure::ConsistencyWindow),
        &["eu \u{2192} us, SNS", "375", "81.0 %", "+489", "696", "100 %", "+17,759"],
    );
    has(
        &labels(Figure::StorageOverhead),
        &["350,012 B", "350,054 B", "+42 B", "+0.012 %", "logical bytes per object (MB)"],
    );
    has(&labels(Figure::Inconsistencies), &["62.0 %", "60.2\u{2013}63.7", "0 %", "0\u{2013}0.1", "AMQ", "antipode on"]);
    has(&labels(Figure::DelayVsPerInconsistencies), &["0", "100", "1,000", "10,000", "artificial delay (ms)"]);
    has(&labels(Figure::VisibilityLatency), &["antipode off, consistent reads", "consistency window (ms)", "10\u{b3}"]);
}

#[test]
fn dense_markers_leave_the_line_between_them_to_be_seen() {
    let tables = &cases().unwrap().into_iter().find(|(name, _)| *name == "many_delays").unwrap().1;
    let svg = draw(Figure::DelayVsPerInconsistencies, tables).unwrap().svg;
    let document = roxmltree::Document::parse(&svg).unwrap();
    let white = |node: &roxmltree::Node| node.attribute("fill") == Some("#ffffff");
    // Every marker has a rim of paper. On two lines of 101 points each, whose markers would touch from the tenth on, no
    // more rims are drawn than an axis of 6 in has room for.
    let rims = document.descendants().filter(|node| node.has_tag_name("path") && white(node)).count();
    assert!((20..110).contains(&rims), "{rims} rims");
}

#[test]
fn every_notification_storage_has_panels_of_its_own() {
    let tables = &cases().unwrap().into_iter().find(|(name, _)| *name == "three_notifications").unwrap().1;
    for figure in [Figure::ConsistencyWindow, Figure::DelayVsPerInconsistencies, Figure::VisibilityLatency] {
        let labels = words(&draw(figure, tables).unwrap().svg).0;
        for name in ["SNS", "AMQ", "DynamoDB"] {
            let heading = format!("eu \u{2192} us, {name}");
            assert!(labels.contains(&heading), "{figure}: `{heading}` is not among {labels:?}");
        }
        if figure != Figure::DelayVsPerInconsistencies {
            assert!(labels.contains(&"us \u{2192} sg, AMQ *".to_owned()), "{figure}: {labels:?}");
        }
        assert!(labels.join(" ").contains("* extrapolated, as the model has no data: us \u{2192} sg"), "{figure}");
    }
}
