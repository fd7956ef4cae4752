//! From matrices to points: every combination of axis values that the experiment names, each once, in order.

use super::matrix::Matrix;
use super::selector::Selector;
use crate::point::{Axes, Combination};
use crate::problem::Problem;

/// Most cells that an experiment may have.
pub(crate) const MAX_CELLS: u64 = 1_000_000;

/// The points of all matrices in ascending order, each once. Problems: a matrix that names nothing, or too many cells.
///
/// Work and memory are linear in the number of points: the axes' values are in order, so that each matrix gives a
/// rising run, and the stable sort merges runs.
pub(crate) fn points(matrices: &[Matrix], rounds: u32, problems: &mut Vec<Problem>) -> Vec<Axes> {
    let mut total = 0u64;
    for matrix in matrices {
        let product = size(matrix).saturating_add(matrix.include.len() as u64);
        total = total.saturating_add(product.saturating_mul(u64::from(rounds)));
        if total > MAX_CELLS {
            problems.push(
                Problem::new(format!("the experiment has more than {MAX_CELLS} cells"))
                    .at(matrix.span.clone())
                    .label(format!("up to this matrix there are {total}"))
                    .help("use fewer values, fewer rounds, or several experiments"),
            );
            return Vec::new();
        }
    }
    let mut points = Vec::new();
    for matrix in matrices {
        let before = points.len();
        product(matrix, &mut points);
        points.extend_from_slice(&matrix.include);
        if points.len() == before {
            let problem = Problem::new(format!("matrix `{}` names no cell", matrix.name)).at(matrix.span.clone());
            problems.push(problem.label("its excludes remove every cell"));
        }
    }
    points.sort();
    points.dedup();
    points
}

/// Number of points of a matrix's cross-product.
fn size(matrix: &Matrix) -> u64 {
    let axes = [
        matrix.post_storage.len(),
        matrix.notification_storage.len(),
        matrix.regions.len(),
        matrix.delay_ms.len(),
        matrix.antipode.len(),
    ];
    axes.iter().fold(1, |product: u64, values| product.saturating_mul(*values as u64))
}

fn product(matrix: &Matrix, points: &mut Vec<Axes>) {
    for post_storage in &matrix.post_storage {
        for notification_storage in &matrix.notification_storage {
            for regions in &matrix.regions {
                for delay_ms in &matrix.delay_ms {
                    for antipode in &matrix.antipode {
                        let combination = Combination::new(*post_storage, *notification_storage, regions.clone());
                        let axes = Axes { combination, delay_ms: *delay_ms, antipode: *antipode };
                        if !matrix.exclude.iter().any(|exclude| exclude.matches(&axes)) {
                            points.push(axes);
                        }
                    }
                }
            }
        }
    }
}

/// Whether a selector matches any point of a matrix's cross-product. A cross-product has such a point exactly if each
/// axis has an accepted value.
pub(crate) fn meets(matrix: &Matrix, selector: &Selector) -> bool {
    fn common<T: PartialEq>(accepted: &Option<Vec<T>>, values: &[T]) -> bool {
        accepted.as_ref().is_none_or(|accepted| accepted.iter().any(|value| values.contains(value)))
    }
    common(&selector.post_storage, &matrix.post_storage)
        && common(&selector.notification_storage, &matrix.notification_storage)
        && common(&selector.regions, &matrix.regions)
        && common(&selector.delay_ms, &matrix.delay_ms)
        && common(&selector.antipode, &matrix.antipode)
}
