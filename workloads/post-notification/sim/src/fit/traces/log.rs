//! The lag of a write by itself, from lags that contain the wait for earlier writes.

/// Most rows whose waits are worked out.
const ROWS: usize = 300;

/// Where writes become visible in the order of their commits, a write's lag as seen is L'(i) = max over j <= i of
/// w(j) + L(j) - w(i), with commits w and the writes' own lags L. For independent L of distribution F, and commits that are
/// known, P(L'(i) <= x) = F(x) R(i, x) with R(i, x) = product over j < i of F(x + w(i) - w(j)). With G the distribution of
/// the lags as seen, over all rows, G = F mean(R). R at x needs F beyond x only, so that F follows from the longest lag
/// down. Where G is 0, nothing is known of F.
///
/// `seen` is G: points in ascending order with their probabilities. `commits` has the commits of each cell, ascending.
/// The answer has the same form as `seen`.
pub(super) fn own_lags(seen: &[(f64, f64)], commits: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let points: Vec<f64> = seen.iter().map(|point| point.0).collect();
    let mut below: Vec<f64> = seen
        .iter()
        .scan(0.0, |sum, point| {
            *sum += point.1;
            Some(*sum)
        })
        .collect();
    let gaps = gaps(commits, points.last().copied().unwrap_or(0.0));
    let mut next = 1.0;
    for k in (0..points.len()).rev() {
        let waits: f64 = gaps.iter().map(|gaps| wait(&points, &below, k, next, gaps)).sum();
        let mean = waits / gaps.len().max(1) as f64;
        next = if mean > 0.0 { (below[k] / mean).min(next) } else { next };
        below[k] = next;
    }
    let mut before = 0.0;
    let masses = points.into_iter().zip(below);
    masses
        .map(|(point, below)| (point, below - std::mem::replace(&mut before, below)))
        .filter(|(_, mass)| *mass > 1e-12)
        .collect()
}

/// Of some rows, how long before them the earlier writes were committed: as far back as a wait could reach.
fn gaps(commits: &[Vec<f64>], reach: f64) -> Vec<Vec<f64>> {
    let rows: usize = commits.iter().map(Vec::len).sum();
    let every = rows.div_ceil(ROWS).max(1);
    let all = commits.iter().flat_map(|cell| (0..cell.len()).map(move |i| (cell, i)));
    all.step_by(every)
        .map(|(cell, i)| cell[..i].iter().rev().map(|before| cell[i] - before).take_while(|gap| *gap < reach).collect())
        .collect()
}

/// R(i, x) at point `k`: that nobody before makes a write wait longer. What is not solved yet, between the point and
/// the next one, is taken to be `next`.
fn wait(points: &[f64], below: &[f64], k: usize, next: f64, gaps: &[f64]) -> f64 {
    gaps.iter()
        .map(|gap| match points.partition_point(|point| *point <= points[k] + gap) {
            n if n > k + 1 => below[n - 1],
            _ => next,
        })
        .product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writes_wait_for_each_other_is_taken_out() {
        // A write every 10 ms, each with a lag of its own between 0 and 100 ms: as seen, most lags are near 100.
        let own: Vec<f64> = (0..2000_u32)
            .map(|n| f64::from(n.wrapping_mul(2_654_435_761) >> 12) / f64::from(1 << 20) * 100.0)
            .collect();
        let commits: Vec<f64> = (0..2000).map(|n| f64::from(n) * 10.0).collect();
        let mut latest = 0.0_f64;
        let mut seen: Vec<f64> = own
            .iter()
            .zip(&commits)
            .map(|(lag, at)| {
                latest = latest.max(at + lag);
                latest - at
            })
            .collect();
        seen.sort_by(f64::total_cmp);
        let below = |points: &[(f64, f64)], time: f64| -> f64 {
            points.iter().filter(|point| point.0 <= time).map(|point| point.1).sum()
        };
        let seen: Vec<(f64, f64)> = seen.into_iter().map(|time| (time, 1.0 / 2000.0)).collect();
        let found = own_lags(&seen, &[commits]);
        assert!(below(&seen, 75.0) < 0.6, "{}", below(&seen, 75.0));
        for time in [75.0, 85.0, 95.0] {
            assert!((below(&found, time) - time / 100.0).abs() < 0.1, "{time}: {}", below(&found, time));
        }
    }

    #[test]
    fn writes_far_apart_do_not_wait() {
        let seen = [(10.0, 0.5), (20.0, 0.5)];
        let found = own_lags(&seen, &[(0..50).map(|n| f64::from(n) * 100.0).collect()]);
        assert_eq!(found.len(), 2);
        assert!((found[0].1 - 0.5).abs() < 1e-6, "{found:?}");
    }
}
