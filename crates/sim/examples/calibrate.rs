//! Calibrates a model file from the command line: `calibrate evaluate|fit|hold-out FILE [REQUESTS]`.

use matrix_sim::{FitOptions, Model, evaluate, fit, hold_out};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[2])?;
    let model = Model::parse(&text)?;
    let requests_per_anchor = args.get(3).map_or(Ok(100_000), |n| n.parse())?;
    let options = FitOptions { requests_per_anchor, threads: 2, ..FitOptions::default() };
    let watch = |p: matrix_sim::fit::Progress<'_>| {
        eprintln!("{}: {:.2} of {:.2} ({})", p.anchor, p.simulated_ms, p.anchor.mean_ms, p.requests)
    };
    match args[1].as_str() {
        "evaluate" => print!("{}", evaluate(&model, &options, &watch)?),
        "fit" => {
            let report = fit(&model, &options, &watch)?;
            print!("{report}");
            std::fs::write(&args[2], report.write(&text)?)?;
        }
        _ => print!("{}", hold_out(&model, &options, &watch)?),
    }
    Ok(())
}
