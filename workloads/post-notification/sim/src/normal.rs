//! Quantiles of the standard normal distribution.

use std::sync::OnceLock;

use crate::table::INTERVALS;

/// The standard normal quantile at each point of a table. The outermost points stand for half a table step in 2: at
/// `1 / (4 * INTERVALS)`, about 3.49 standard deviations out, so that tables are bounded.
pub(crate) fn quantiles() -> &'static [f64; INTERVALS + 1] {
    static QUANTILES: OnceLock<[f64; INTERVALS + 1]> = OnceLock::new();
    QUANTILES.get_or_init(|| {
        let mut z = [0.0; INTERVALS + 1];
        for k in 0..INTERVALS / 2 {
            let p = if k == 0 { 0.25 } else { k as f64 } / INTERVALS as f64;
            let below = lower_quantile(p);
            z[k] = below;
            z[INTERVALS - k] = -below;
        }
        z
    })
}

/// The quantile at `p < 1/2`, by bisection on the complementary error function of the pinned `libm`: slow, simple, and
/// the same on every machine.
fn lower_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 0.0);
    for _ in 0..60 {
        let middle: f64 = (low + high) / 2.0;
        if 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_printed_quantiles() {
        let z = quantiles();
        // 1/4, 1/2, 3/4 and 31/32 of the standard normal distribution.
        for (k, expected) in [(256, -0.674_489_750_196), (512, 0.0), (768, 0.674_489_750_196), (992, 1.862_731_867_42)]
        {
            assert!((z[k] - expected).abs() < 1e-10, "{k}: {}", z[k]);
        }
        assert!(z.is_sorted());
    }
}
