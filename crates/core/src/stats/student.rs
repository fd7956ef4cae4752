//! Student's t distribution.

use std::cell::Cell;

thread_local! {
    /// The quantile that was computed last: many means of as many rounds have the same.
    static LAST: Cell<(f64, f64, f64)> = const { Cell::new((f64::NAN, f64::NAN, f64::NAN)) };
}

/// The `p`-quantile of Student's t with `df` degrees of freedom, for 0 < p < 1; infinite `df` gives the normal one. NaN
/// outside. The same bits on every machine.
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    if p < 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    let (last_p, last_df, last) = LAST.get();
    if (last_p, last_df) == (p, df) {
        return last;
    }
    let quantile = bisected(1.0 - p, df);
    LAST.set((p, df, quantile));
    quantile
}

/// The quantile above which lies the part `tail`.
fn bisected(tail: f64, df: f64) -> f64 {
    let above =
        |t: f64| if df.is_finite() { upper_tail(t, df) } else { libm::erfc(t / std::f64::consts::SQRT_2) / 2.0 };
    // Bisection: nothing can go wrong with it, and 53 halvings take microseconds.
    let (mut low, mut high) = (0.0, 1.0);
    while above(high) > tail && high < 1e300 {
        high *= 2.0;
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if above(middle) > tail { low = middle } else { high = middle }
    }
}

/// The probability that t exceeds `t` >= 0: half the regularised incomplete beta function I_x(df/2, 1/2) at
/// x = df/(df + t^2) (NIST Digital Library of Mathematical Functions, 8.17; Abramowitz and Stegun 26.7.1).
fn upper_tail(t: f64, df: f64) -> f64 {
    let x = df / (df + t * t);
    // 1 - x without cancellation.
    let y = t * t / (df + t * t);
    incomplete_beta(x, y, df / 2.0, 0.5) / 2.0
}

/// I_x(a, b) with `y` = 1 - x.
fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log(y) - ln_beta);
    // The fraction converges fast on one side of the mean; symmetry (DLMF 8.17.4) serves the other.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(x, a, b) / a
    } else {
        1.0 - front * continued_fraction(y, b, a) / b
    }
}

/// The continued fraction of DLMF 8.17.22, evaluated by Lentz's method.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..1000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for step in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + step * d);
            c = away_from_zero(1.0 + step / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::t_quantile;

    #[test]
    fn quantiles_agree_with_the_closed_forms_and_the_tables() {
        // One degree: tan(pi (p - 1/2)). Two: (2p - 1) / sqrt(2 p (1 - p)).
        for p in [0.6, 0.9, 0.975, 0.999] {
            let one = libm::tan(std::f64::consts::PI * (p - 0.5));
            assert!((t_quantile(p, 1.0) / one - 1.0).abs() < 1e-12, "{p}");
            let two = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            assert!((t_quantile(p, 2.0) / two - 1.0).abs() < 1e-12, "{p}");
        }
        // Abramowitz and Stegun, table 26.10, and the normal quantile.
        for (df, quantile) in [(3.0, 3.182), (9.0, 2.262), (19.0, 2.093), (30.0, 2.042), (120.0, 1.980)] {
            assert!((t_quantile(0.975, df) - quantile).abs() < 5e-4, "{df}");
        }
        assert!((t_quantile(0.975, f64::INFINITY) - 1.959_963_984_540_054).abs() < 1e-13);
        assert!((t_quantile(0.975, 1e7) - 1.959_963_984_540_054).abs() < 1e-6);
        assert_eq!(t_quantile(0.025, 9.0), -t_quantile(0.975, 9.0));
        assert_eq!(t_quantile(0.5, 9.0), 0.0);
        assert!(t_quantile(1.0, 9.0).is_nan() && t_quantile(0.9, 0.0).is_nan());
    }

    #[test]
    fn the_bits_are_the_same_everywhere() {
        assert_eq!(
            [9.0, 20.0, 29.0].map(|df| t_quantile(0.975, df).to_bits()),
            [4612276343877733156, 4611879590901924918, 4611787866527115372]
        );
    }
}
