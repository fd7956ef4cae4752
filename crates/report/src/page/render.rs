//! From a page's contents to its HTML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest as _, Sha256};

use super::model::{Page, Section};
use super::paper::{self, breakable};
use super::text::{size, thousands};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The template does not fit the page's contents.
#[derive(Debug, thiserror::Error)]
#[error("the report")]
pub struct PageError(#[source] minijinja::Error);

impl Page {
    /// The page as HTML: the same bytes from the same results.
    ///
    /// The policy in it allows the page's own style and script by their digests, and pictures inside the page; nothing else,
    /// and nothing from outside.
    ///
    /// # Errors
    /// When the template does not fit the page's contents.
    pub fn render(&self) -> Result<String, PageError> {
        let mut environment = Environment::new();
        // A misspelt name is an error, not an empty place.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("thousands", |number: u64| thousands(&number.to_string()));
        environment.add_filter("size", |bytes: u64| size(bytes));
        environment.add_filter("breakable", |text: String| Value::from_safe_string(breakable(&text)));
        environment.add_filter("on_paper", |rows: Vec<Vec<String>>, heads: Vec<String>| paper::of_rows(&heads, &rows));
        let on_paper: Vec<&str> = self.sections.iter().map(Section::on_paper).collect();
        let page = Value::from(Serde(self));
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        // The ending of its name makes the template escape every value.
        let rendered = syntax
            .and_then(|syntax| {
                environment.set_syntax(syntax);
                environment.add_template("page.html", TEMPLATE)
            })
            .and_then(|()| environment.get_template("page.html"))
            .and_then(|template| {
                template.render(context! { page, on_paper, style => STYLE, script => SCRIPT, policy => policy() })
            });
        rendered.map_err(PageError)
    }
}

impl Section {
    /// How the table of its points is printed: the columns are axes, metrics, state and attempts.
    fn on_paper(&self) -> &'static str {
        let axes = self.axes.iter().enumerate().map(|(n, axis)| {
            let values = self.points.iter().filter_map(move |point| point.values.get(n));
            std::iter::once(&axis.name).chain(values).map(String::as_str).collect()
        });
        let metrics = self.metrics.iter().enumerate().map(|(n, metric)| {
            let texts = self.points.iter().filter_map(move |point| point.texts.get(n));
            std::iter::once(&metric.name).chain(texts).map(String::as_str).collect()
        });
        let states = std::iter::once("state").chain(self.points.iter().map(|point| point.state.as_str())).collect();
        paper::style(axes.chain(metrics).chain([states, vec!["attempts"]]))
    }
}

/// What the page may load and run.
fn policy() -> String {
    let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{
        AttemptView, Axis, ClaimView, Commands, Failed, FigureView, Kind, Label, Metric, Point, Section, StateCount,
    };

    /// A page in which every text of somebody else's is this one.
    fn filled(text: &str) -> Page {
        let owned = || text.to_owned();
        let attempt = AttemptView {
            id: owned(),
            key: owned(),
            round: 1,
            status: "failed",
            started: owned(),
            took: owned(),
            notes: vec![owned()],
            why: owned(),
        };
        let section = Section {
            id: "x".to_owned(),
            name: owned(),
            experiment: owned(),
            has_kick_the_tires: true,
            requires: vec![owned()],
            origin: owned(),
            nature: owned(),
            states: vec![StateCount { state: "done", count: 1, width: 1000.0, left: 0.0 }],
            planned: 1,
            rows: 1,
            time: owned(),
            failed: vec![Failed { key: owned(), cell: owned(), state: "failed", why: owned() }],
            failed_more: 1,
            claims: vec![ClaimView {
                id: owned(),
                says: owned(),
                source: owned(),
                verdict: owned(),
                nature: owned(),
                found: vec![owned()],
                authors: Some(owned()),
                comparison: Some("differs"),
            }],
            figures: vec![FigureView {
                id: "f".to_owned(),
                title: owned(),
                svg: "<svg></svg>".to_owned(),
                svg_authors: Some("<svg></svg>".to_owned()),
                rows_authors: Some(vec![vec![owned()]]),
                paper: Some(owned()),
                file: owned(),
                data: Some(owned()),
                heads: vec![owned()],
                rows: vec![vec![owned()]],
                rows_more: 1,
            }],
            axes: vec![Axis { name: owned(), values: vec![owned()] }],
            metrics: vec![Metric { name: owned() }],
            points: vec![Point {
                at: vec![0],
                values: vec![owned()],
                state: owned(),
                numbers: vec![Some(1.0)],
                texts: vec![owned()],
                command: Some(owned()),
                again: Some(owned()),
                attempts: vec![attempt],
            }],
            points_more: 1,
            kinds: vec![Kind {
                values: vec![owned()],
                attempts: 1,
                mean_s: owned(),
                longest_s: owned(),
                expected_s: owned(),
                estimated_s: owned(),
                bytes: 1,
            }],
            kind_heads: vec![owned()],
            expected: true,
            estimated: true,
            gantt: vec![(owned(), "<svg></svg>".to_owned())],
        };
        Page {
            title: owned(),
            verdict: owned(),
            labels: vec![Label { kind: "simulated", text: owned() }],
            generator: owned(),
            records: owned(),
            sections: vec![section],
            environment: vec![owned()],
            environment_authors: vec![owned()],
            against: Some(owned()),
            commands: Commands { start: vec![(owned(), owned())], list: vec![(owned(), owned())] },
            refresh_s: Some(5),
        }
    }

    #[test]
    fn no_text_of_somebody_elses_becomes_markup_wherever_it_stands() {
        let tags = |html: &str| html.matches('<').count();
        let harmless = filled("word").render().unwrap();
        assert!(!harmless.contains("<wbr>"));
        for hostile in [
            "<script>alert(1)</script>",
            "\"><img src=x onerror=alert(1)>",
            "' onmouseover='alert(1)",
            "</title></style></script><b>",
            "--><b>",
            "{{ page.title }}{% raw %}",
            "javascript:alert(1)//<",
        ] {
            let html = filled(hostile).render().unwrap().replace("<wbr>", "");
            assert_eq!(tags(&html), tags(&harmless), "{hostile}");
            let quotes = |html: &str| html.matches(['"', '\'']).count();
            assert_eq!(quotes(&html), quotes(&harmless), "{hostile}");
            assert!(!html.contains(hostile) || !hostile.contains(['<', '"', '\'']), "{hostile}");
        }
    }

    #[test]
    fn a_page_says_why_there_are_no_times_of_the_authors() {
        let sentence = |against: Option<&str>| {
            let mut page = filled("word");
            page.against = against.map(str::to_owned);
            (page.sections[0].expected, page.sections[0].estimated) = (false, false);
            let html = page.render().unwrap();
            let (_, rest) = html.split_once("No expected times: ").unwrap();
            rest.split_once("</p>").unwrap().0.to_owned()
        };
        assert_eq!(
            sentence(Some("other.tar.zst")),
            "other.tar.zst has no results of this experiment, and only cells on AWS are estimated."
        );
        assert!(sentence(None).contains("without <code>--against</code> there are no times of the authors"));
    }

    #[test]
    fn the_policy_names_the_style_and_the_script_that_stand_in_the_page() {
        let html = filled("word").render().unwrap();
        for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
            let (_, rest) = html.split_once(open).unwrap();
            let (inside, _) = rest.split_once(close).unwrap();
            let digest = STANDARD.encode(Sha256::digest(inside));
            let policy = html.replace("&#x27;", "'").replace("&#x2f;", "/");
            assert!(policy.contains(&format!("'sha256-{digest}'")), "{open}");
        }
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}
