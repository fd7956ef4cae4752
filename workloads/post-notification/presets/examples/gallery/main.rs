//! Draws every figure from made-up tables, to judge their looks by: `cargo run -p matrix-presets --example gallery [DIR]`.

mod synthetic;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use matrix_presets::{Figure, FigureError};
use synthetic::{Tables, cases};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("matrix-gallery"), PathBuf::from);
    for (name, tables) in cases()? {
        let begun = Instant::now();
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        for figure in Figure::ALL {
            match tables.draw(figure, &Tables::default()) {
                Ok(drawing) => {
                    let png = drawing.to_png()?;
                    println!("{name}/{figure}: SVG {} kB, PNG {} kB", drawing.svg.len() / 1000, png.len() / 1000);
                    std::fs::write(folder.join(format!("{figure}.svg")), &drawing.svg)?;
                    std::fs::write(folder.join(format!("{figure}.png")), png)?;
                }
                Err(error @ FigureError::NoData { .. }) => println!("{name}/{figure}: {error}"),
                Err(error) => return Err(error.into()),
            }
        }
        println!("{name}: {:.0?}", begun.elapsed());
    }
    println!("made-up numbers, in {}", folder.display());
    Ok(())
}
