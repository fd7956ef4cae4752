//! Tests of `verify.rs`.

use matrix_archive::DERIVER_VERSION;

use super::*;

fn made(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn told(theirs: &[(&str, &str)], redrawn: bool) -> (Vec<String>, Vec<String>) {
    let ours = made(&[("a/x.svg", "<svg/>"), (RENDERER_FILE, RENDERER)]);
    let mut findings = Findings::default();
    files("figures", &made(theirs), &ours, redrawn, &mut findings);
    let faults = findings.faults.iter().map(|fault| format!("{}: {}", fault.file.display(), fault.what));
    let notes = findings.notes.iter().map(|note| format!("{}: {}", note.file.display(), note.what));
    (faults.collect(), notes.collect())
}

#[test]
fn only_pictures_that_both_have_may_be_redrawn() {
    let other = RENDERER.replace("plotters 0.3.7", "plotters 0.3.8");
    assert!(is_another_renderer(other.as_bytes()));
    let (faults, notes) = told(&[("a/x.svg", "<svg></svg>"), (RENDERER_FILE, &other)], true);
    assert_eq!(faults, [""; 0]);
    assert_eq!(notes[0], "data/figures/a/x.svg: redrawn: another renderer drew it");
    assert!(notes[1].contains("plotters 0.3.8"));
    let (faults, _) = told(&[("bogus.svg", "<svg/>"), (RENDERER_FILE, &other)], true);
    assert_eq!(
        faults,
        ["data/figures/a/x.svg: it is missing", "data/figures/bogus.svg: nothing in the results leads to it"]
    );
    let (faults, _) = told(&[("a/x.svg", "<svg></svg>"), (RENDERER_FILE, RENDERER)], false);
    assert_eq!(
        faults,
        [
            "data/figures/a/x.svg: it does not follow from the results: line 1, column 5: `></svg>` stands where `/>` should"
        ]
    );
    let (faults, _) = told(&[("a/x.svg", "<svg/>")], false);
    assert_eq!(faults, ["data/figures/renderer.txt: it is missing"]);
}

#[test]
fn of_another_deriver_what_differs_is_not_verified_and_the_rest_is() {
    let ours = made(&[("a/x.csv", "1"), ("a/y.csv", "2"), ("a/new.csv", "3")]);
    let theirs = made(&[("a/x.csv", "1"), ("a/y.csv", "forged"), ("a/more.csv", "4")]);
    let mut findings = Findings { deriver: Some(1), another_version: true, ..Findings::default() };
    files("tables", &theirs, &ours, false, &mut findings);
    assert!(findings.faults.is_empty());
    assert_eq!(findings.checked, [("tables: derived again, same bytes".to_owned(), 1)]);
    let said = findings.not_verified.iter().map(|file| format!("{}: {}", file.file.display(), file.what));
    let what = format!("NOT VERIFIED: derived by version 1, and version {DERIVER_VERSION} derives another file");
    assert_eq!(
        said.collect::<Vec<_>>(),
        [format!("data/tables/a/more.csv: {what}"), format!("data/tables/a/y.csv: {what}")]
    );
    // The same of this version's own: faults.
    let mut findings = Findings { deriver: Some(DERIVER_VERSION), ..Findings::default() };
    files("tables", &theirs, &ours, false, &mut findings);
    assert_eq!((findings.faults.len(), findings.not_verified.len()), (3, 0));
}

#[test]
fn the_filter_that_a_readme_names_is_found() {
    let text = "> Only cells that match `antipode = true` are in this bundle.\n\n# Results\n";
    assert_eq!(filter_of(text.as_bytes()), Some("antipode = true"));
    let mut extras = matrix_bundle::Extras { readme: b"# Results\n".to_vec(), ..Default::default() };
    derive::name_filter(&mut extras, "antipode = true");
    assert_eq!(extras.readme, text.as_bytes());
    assert_eq!(filter_of(b"# Results\n"), None);
}

#[test]
fn a_renderer_is_another_one_by_its_versions_only() {
    for text in [
        "",
        "\n",
        "x\n",
        "matrix-figures 0.1.0\n",
        &RENDERER.replace("usvg", "resvg"),
        &RENDERER.replace(", ", ","),
        RENDERER.trim_end(),
        RENDERER,
    ] {
        assert!(!is_another_renderer(text.as_bytes()), "{text}");
    }
    assert!(!is_another_renderer(RENDERER.replace("0.49", "newest").as_bytes()));
    assert!(is_another_renderer(RENDERER.replace("0.49", "0.50").as_bytes()));
}
