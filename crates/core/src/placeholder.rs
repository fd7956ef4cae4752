//! Placeholders: `{threads}` in an argument stands for the cell's value of that axis.
//!
//! There is no shell: a placeholder is replaced within one argument, and what replaces it is never split.

use crate::Problem;

use crate::axes::AxisSet;
use crate::value::Value;

/// What placeholders may name besides axes.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Ports and addresses: names of services.
    pub services: Vec<String>,
    /// Names of what is prepared.
    pub prepared: Vec<String>,
    /// Names of `[site]`.
    pub site: Vec<String>,
    /// Whether the text belongs to a prepare, which knows nothing of a run.
    pub preparing: bool,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Text as it is.
    Literal(String),
    /// The value of an axis, by position.
    Axis(usize),
    /// The arguments of an axis's value; the whole argument.
    AxisArgs(usize),
    /// The number of the round.
    Round,
    /// The seed of the pair and round.
    Seed,
    /// The folder whose files are kept.
    Out,
    /// The folder that is removed.
    Scratch,
    /// The folder of something prepared; of one's own where it has no name.
    Prepared(Option<String>),
    /// A port of this machine.
    Port(String),
    /// The address of a service's host.
    Addr(String),
    /// A value of `[site]`.
    Site(String),
    /// The folder of the experiment's file.
    Experiment,
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    segments: Vec<Segment>,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// An unknown placeholder, or a brace without its other one, with its place in `text`.
    pub fn parse(text: &str, axes: &AxisSet, names: &Names) -> Result<Self, Problem> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            match next {
                '{' if text[at..].starts_with("{{") => {
                    literal.push('{');
                    at += 2;
                }
                '}' if text[at..].starts_with("}}") => {
                    literal.push('}');
                    at += 2;
                }
                '{' => {
                    let Some(length) = text[at..].find('}') else {
                        let problem = Problem::new("a placeholder does not end").at(at..text.len());
                        return Err(problem.label("no closing }").help("write `{{` for a brace"));
                    };
                    if !literal.is_empty() {
                        segments.push(Segment::Literal(std::mem::take(&mut literal)));
                    }
                    let place = at..at + length + 1;
                    let segment = segment(&text[at + 1..at + length], axes, names)
                        .map_err(|problem| problem.at(place.clone()))?;
                    if matches!(segment, Segment::AxisArgs(_)) && place != (0..text.len()) {
                        let problem = Problem::new("`{axis:args}` stands for several arguments").at(place);
                        return Err(problem.label("must be the whole argument"));
                    }
                    segments.push(segment);
                    at += length + 1;
                }
                '}' => {
                    let problem = Problem::new("a `}` without its `{`").at(at..at + 1);
                    return Err(problem.label("not expected").help("write `}}` for a brace"));
                }
                _ => {
                    literal.push(next);
                    at += next.len_utf8();
                }
            }
        }
        if !literal.is_empty() || segments.is_empty() {
            segments.push(Segment::Literal(literal));
        }
        Ok(Self { segments })
    }

    /// Its parts, in order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The axis whose arguments it stands for, if it is such a one.
    #[must_use]
    pub fn args_of(&self) -> Option<usize> {
        if let [Segment::AxisArgs(axis)] = self.segments[..] { Some(axis) } else { None }
    }

    /// The text for a point, where `rest` says what everything but values of axes stands for.
    ///
    /// # Errors
    /// Whatever `rest` fails with.
    pub fn render<E>(&self, point: &[Value], rest: &dyn Fn(&Segment) -> Result<String, E>) -> Result<String, E> {
        let mut text = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Axis(axis) => text.push_str(&point.get(*axis).map(ToString::to_string).unwrap_or_default()),
                other => text.push_str(&rest(other)?),
            }
        }
        Ok(text)
    }

    /// The text for a point, with everything but values of axes as it was written: what a key holds.
    #[must_use]
    pub fn symbolic(&self, point: &[Value]) -> String {
        let written = |segment: &Segment| Ok::<_, std::convert::Infallible>(written(segment));
        match self.render(point, &written) {
            Ok(text) => text,
            Err(never) => match never {},
        }
    }
}

/// A placeholder as it is written.
fn written(segment: &Segment) -> String {
    match segment {
        Segment::Literal(text) => text.clone(),
        // Values and arguments of axes are resolved before.
        Segment::Axis(_) | Segment::AxisArgs(_) => String::new(),
        Segment::Round => "{round}".to_owned(),
        Segment::Seed => "{seed}".to_owned(),
        Segment::Out => "{out}".to_owned(),
        Segment::Scratch => "{scratch}".to_owned(),
        Segment::Prepared(None) => "{prepared}".to_owned(),
        Segment::Prepared(Some(name)) => format!("{{prepared:{name}}}"),
        Segment::Port(name) => format!("{{port:{name}}}"),
        Segment::Addr(name) => format!("{{addr:{name}}}"),
        Segment::Site(name) => format!("{{site.{name}}}"),
        Segment::Experiment => "{experiment}".to_owned(),
    }
}

fn segment(name: &str, axes: &AxisSet, names: &Names) -> Result<Segment, Problem> {
    let of = |what: &str, name: &str, known: &[String]| -> Result<(), Problem> {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        if known.contains(&name) {
            return Ok(());
        }
        Err(Problem::new(format!("unknown {what} `{name}`")).unknown(name, "known", &known))
    };
    if let Some(axis) = axes.position(name) {
        return Ok(Segment::Axis(axis));
    }
    if let Some((before, after)) = name.split_once(':') {
        return match before {
            "port" => of("service", after, &names.services).map(|()| Segment::Port(after.to_owned())),
            "addr" => of("service", after, &names.services).map(|()| Segment::Addr(after.to_owned())),
            "prepared" => of("prepare", after, &names.prepared).map(|()| Segment::Prepared(Some(after.to_owned()))),
            _ if after == "args" => match axes.position(before) {
                Some(axis) if axes.axes[axis].args.is_some() => Ok(Segment::AxisArgs(axis)),
                Some(_) => {
                    let help = format!("write `{before} = {{ values = [...], args = {{ VALUE = [...] }} }}`");
                    Err(Problem::new(format!("axis `{before}` has no `args`")).label("nothing to stand for").help(help))
                }
                None => Err(Problem::new(format!("unknown axis `{before}`")).unknown(before, "axes", &axes.names())),
            },
            _ => Err(unknown(name, axes, names)),
        };
    }
    if let Some(site) = name.strip_prefix("site.") {
        return of("name of [site]", site, &names.site).map(|()| Segment::Site(site.to_owned()));
    }
    let fixed = match name {
        "round" => Segment::Round,
        "seed" => Segment::Seed,
        "out" => Segment::Out,
        "scratch" => Segment::Scratch,
        "prepared" if names.preparing => Segment::Prepared(None),
        "experiment" => Segment::Experiment,
        _ => return Err(unknown(name, axes, names)),
    };
    let of_a_run = matches!(fixed, Segment::Round | Segment::Seed | Segment::Out | Segment::Scratch);
    if names.preparing && of_a_run {
        return Err(Problem::new(format!("a prepare has no `{{{name}}}`")).label("belongs to a run"));
    }
    Ok(fixed)
}

fn unknown(name: &str, axes: &AxisSet, names: &Names) -> Problem {
    let mut known: Vec<String> = axes.names().into_iter().map(str::to_owned).collect();
    known.extend(["round", "seed", "out", "scratch", "experiment"].map(str::to_owned));
    known.extend(axes.axes.iter().filter(|axis| axis.args.is_some()).map(|axis| format!("{}:args", axis.name)));
    known.extend(["port", "addr"].iter().flat_map(|of| names.services.iter().map(move |name| format!("{of}:{name}"))));
    known.extend(names.prepared.iter().map(|name| format!("prepared:{name}")));
    known.extend(names.site.iter().map(|name| format!("site.{name}")));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let problem = Problem::new(format!("unknown placeholder `{{{name}}}`")).unknown(name, "known", &known);
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)) {
        return problem;
    }
    let known = problem.help.clone().unwrap_or_default();
    problem.label("not a placeholder").help(format!("write `{{{{` and `}}}}` for braces of the text itself; {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::Axis;
    use crate::value::Kind;

    fn axes() -> AxisSet {
        let axis = |name: &str, kind, values: Vec<Value>, args| Axis {
            name: name.to_owned(),
            kind,
            values,
            default: None,
            labels: Default::default(),
            args,
            place: 0..0,
        };
        let engine = Value::Text("lmdb".to_owned());
        let args = [("lmdb".to_owned(), vec![("-x".to_owned(), 0..0)])].into();
        AxisSet {
            axes: vec![
                axis("engine", Kind::Text, vec![engine], Some(args)),
                axis("rate", Kind::Real, vec![Value::Real(0.5)], None),
            ],
        }
    }

    #[test]
    fn values_are_put_in_and_braces_are_kept() {
        let names = Names { services: vec!["db".to_owned()], ..Names::default() };
        let point = [Value::Text("lmdb".to_owned()), Value::Real(0.5)];
        let parse = |text: &str| Template::parse(text, &axes(), &names).unwrap();
        assert_eq!(parse("{engine}-{rate}{{x}}:{port:db}/{out}").symbolic(&point), "lmdb-0.5{x}:{port:db}/{out}");
        assert_eq!(parse("").symbolic(&point), "");
        assert_eq!(parse("{engine:args}").args_of(), Some(0));
    }

    #[test]
    fn an_unknown_placeholder_is_told_how_a_brace_is_written_and_what_there_is() {
        let names = Names { services: vec!["db".to_owned()], ..Names::default() };
        let problem = Template::parse("echo '{\"v\": 1}'", &axes(), &names).unwrap_err();
        assert_eq!(problem.span, Some(6..14));
        let help = problem.help.unwrap();
        assert!(help.starts_with("write `{{` and `}}` for braces of the text itself; known: engine, rate, "), "{help}");
        assert!(help.contains("port:db, addr:db"), "{help}");
    }

    #[test]
    fn bad_placeholders_are_told_with_their_place() {
        let shown = |text: &str| {
            let problem = Template::parse(text, &axes(), &Names::default()).unwrap_err();
            let at = problem.span.clone().map(|span| text[span].to_owned()).unwrap_or_default();
            format!("{} [{at}] {}", problem.message, problem.label.unwrap_or_default())
        };
        insta::assert_snapshot!(
            ["-t{rat}", "{engin:args}", "{rate:args}", "x{engine:args}", "{port:db}", "{out", "out}", "{prepared}"].map(shown).join("\n"),
            @r"
        unknown placeholder `{rat}` [{rat}] did you mean `rate`?
        unknown axis `engin` [{engin:args}] did you mean `engine`?
        axis `rate` has no `args` [{rate:args}] nothing to stand for
        `{axis:args}` stands for several arguments [{engine:args}] must be the whole argument
        unknown service `db` [{port:db}] unknown
        a placeholder does not end [{out] no closing }
        a `}` without its `{` [}] not expected
        unknown placeholder `{prepared}` [{prepared}] unknown
        "
        );
    }
}
