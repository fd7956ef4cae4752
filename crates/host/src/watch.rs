//! Whether other work, a hypervisor or the clock disturbed a measurement.

use std::time::{Duration, Instant};

use matrix_driver::Cancel;

use super::proc::{self, Ticks};

/// Share of the processors' time that others may use.
const OTHERS: f64 = 0.05;

/// Share of the processors' time that a hypervisor may take.
const STOLEN: f64 = 0.01;

/// A clock below this share of its median is slow.
const SLOW: f64 = 0.9;

/// Time between two looks at the clock. Looking disturbs, too.
const CLOCK: Duration = Duration::from_secs(1);

/// Fewest looks at the clock of which anything follows.
const FEWEST_CLOCKS: usize = 5;

/// How long the host has to be idle before a cell begins.
const IDLE: Duration = Duration::from_secs(1);

/// Looks at the host while something is measured; `own` says how much processor time the measurement itself has used so
/// far, in ticks of 10 ms ([`ticks_of`](crate::ticks_of), [`ticks_of_trees`](crate::ticks_of_trees)).
#[derive(Debug)]
pub struct Watch<Own> {
    cpus: Vec<usize>,
    before: Option<Seen>,
    started: Instant,
    own: Own,
    clocks: Vec<u64>,
    clock_at: Instant,
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug)]
struct Seen {
    ticks: Ticks,
    own: u64,
    throttled: Option<u64>,
}

fn seen(cpus: &[usize], own: &impl Fn() -> Option<u64>) -> Option<Seen> {
    Some(Seen { ticks: proc::ticks(cpus)?, own: own()?, throttled: proc::throttled(cpus) })
}

impl<Own: Fn() -> Option<u64>> Watch<Own> {
    /// Begins to look.
    pub fn begin(own: Own) -> Self {
        let cpus = proc::allowed().unwrap_or_default();
        let now = Instant::now();
        Self { before: seen(&cpus, &own), cpus, started: now, own, clocks: Vec::new(), clock_at: now }
    }

    /// Looks at the clock, if it is time to.
    pub fn look(&mut self) {
        if self.clock_at.elapsed() >= CLOCK {
            self.clock_at = Instant::now();
            self.clocks.extend(proc::clock(&self.cpus));
        }
    }

    /// What disturbed the host, if anything did: `quiet`, `disturbed: ...` or why that is not known.
    #[must_use]
    pub fn verdict(self) -> String {
        let elapsed = self.started.elapsed();
        let (Some(before), Some(after)) = (self.before, seen(&self.cpus, &self.own)) else {
            return "not watched: /proc says nothing of the processors' time".to_owned();
        };
        judge(&before, &after, &self.clocks, elapsed)
    }
}

/// The share of the processors' time between two moments that went to others, and that was stolen.
fn shares(before: &Seen, after: &Seen) -> Option<(f64, f64)> {
    let (one, other) = (before.ticks, after.ticks);
    let all = other.all.saturating_sub(one.all) as f64;
    // The counters have steps of 10 ms: of less than that many steps, nothing follows.
    if all < 20.0 {
        return None;
    }
    let own = after.own.saturating_sub(before.own);
    let others = other.busy.saturating_sub(one.busy).saturating_sub(own) as f64 / all;
    Some((others, other.stolen.saturating_sub(one.stolen) as f64 / all))
}

fn judge(before: &Seen, after: &Seen, clocks: &[u64], elapsed: Duration) -> String {
    let Some((others, stolen)) = shares(before, after).filter(|_| elapsed >= Duration::from_millis(100)) else {
        return "not watched: too short".to_owned();
    };
    let mut why = Vec::new();
    if others > OTHERS {
        why.push(format!("{:.0} % of the processors' time went to others", others * 100.0));
    }
    if stolen > STOLEN {
        why.push(format!("{:.0} % of the processors' time was stolen", stolen * 100.0));
    }
    let throttled = before.throttled.zip(after.throttled).map(|(before, after)| after.saturating_sub(before));
    if throttled.is_some_and(|times| times > 0) {
        why.push("the processors were throttled".to_owned());
    }
    if let Some(share) = slow(clocks) {
        why.push(format!("the clock was slow in {:.0} % of {} looks", share * 100.0, clocks.len()));
    }
    if !why.is_empty() {
        return format!("disturbed: {}", why.join("; "));
    }
    let unknown = [(throttled.is_none(), "throttling"), (clocks.is_empty(), "clock")];
    let unknown: Vec<&str> = unknown.into_iter().filter_map(|(unknown, name)| unknown.then_some(name)).collect();
    if unknown.is_empty() { "quiet".to_owned() } else { format!("quiet; not watched: {}", unknown.join(", ")) }
}

/// The share of looks at which the clock was below 90 % of its median, if that was more than now and then.
fn slow(clocks: &[u64]) -> Option<f64> {
    let mut sorted = clocks.to_vec();
    sorted.sort_unstable();
    let median = *sorted.get(clocks.len() / 2).filter(|_| clocks.len() >= FEWEST_CLOCKS)? as f64;
    let slow = clocks.iter().filter(|clock| (**clock as f64) < SLOW * median).count() as f64 / clocks.len() as f64;
    (slow >= 0.1).then_some(slow)
}

/// Waits until nothing else works on the host: `waiting` is called once with what does. False if it was stopped or
/// `deadline` came first. A host that cannot be watched is not waited for.
pub fn wait_until_idle(
    own: impl Fn() -> Option<u64>,
    cancel: &Cancel,
    deadline: Option<Instant>,
    waiting: &dyn Fn(&str),
) -> bool {
    let cpus = proc::allowed().unwrap_or_default();
    let busy = || {
        let before = seen(&cpus, &own)?;
        let start = Instant::now();
        while start.elapsed() < IDLE && !cancel.is_cancelled() {
            std::thread::sleep(Duration::from_millis(50));
        }
        shares(&before, &seen(&cpus, &own)?)
    };
    let stop = || cancel.is_cancelled() || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    until_idle(busy, &stop, waiting)
}

fn until_idle(mut busy: impl FnMut() -> Option<(f64, f64)>, stop: &dyn Fn() -> bool, waiting: &dyn Fn(&str)) -> bool {
    let mut told = false;
    while !stop() {
        match busy() {
            Some((others, stolen)) if others > OTHERS || stolen > STOLEN => {
                if !std::mem::replace(&mut told, true) {
                    let share = (others + stolen) * 100.0;
                    waiting(&format!("waiting for an idle host: {share:.0} % of the processors' time goes to others"));
                }
            }
            _ => return !stop(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(busy: u64, stolen: u64, all: u64, own: u64, throttled: u64) -> Seen {
        Seen { ticks: Ticks { busy, stolen, all }, own, throttled: Some(throttled) }
    }

    #[test]
    fn work_of_others_stolen_time_throttling_and_a_slow_clock_disturb_and_own_work_does_not() {
        let (second, before) = (Duration::from_secs(1), at(1000, 0, 10_000, 500, 3));
        let fast = [2000; 10];
        let judged = |after: Seen, clocks: &[u64]| judge(&before, &after, clocks, second);
        assert_eq!(judged(at(1100, 0, 10_200, 600, 3), &fast), "quiet");
        assert_eq!(judged(at(1108, 0, 10_200, 600, 3), &fast), "quiet", "4 % went to others");
        assert!(judged(at(1150, 0, 10_200, 600, 3), &fast).starts_with("disturbed: 25 % of the processors' time went"));
        assert!(
            judged(at(1100, 3, 10_200, 600, 3), &fast).starts_with("disturbed: 2 % of the processors' time was st")
        );
        assert_eq!(judged(at(1100, 0, 10_200, 600, 4), &fast), "disturbed: the processors were throttled");
        let slow = [2000, 2000, 2000, 2000, 1700, 2000, 2000, 2000];
        assert_eq!(judged(at(1100, 0, 10_200, 600, 3), &slow), "disturbed: the clock was slow in 12 % of 8 looks");
        assert_eq!(judged(at(1100, 0, 10_200, 600, 3), &[]), "quiet; not watched: clock");
        let short = judge(&before, &at(1001, 0, 10_010, 500, 3), &fast, Duration::from_millis(50));
        assert_eq!(short, "not watched: too short");
    }

    #[test]
    fn a_busy_host_is_waited_for_and_told_once() {
        let told = std::cell::RefCell::new(Vec::new());
        let mut looks = [Some((0.5, 0.0)), Some((0.0, 0.02)), Some((0.01, 0.0)), Some((0.9, 0.0))].into_iter();
        let idle = until_idle(|| looks.next().unwrap(), &|| false, &|text| told.borrow_mut().push(text.to_owned()));
        assert!(idle && looks.len() == 1);
        assert_eq!(*told.borrow(), ["waiting for an idle host: 50 % of the processors' time goes to others"]);
        assert!(!until_idle(|| Some((0.5, 0.0)), &|| true, &|_| ()), "a stop ends the waiting");
        assert!(until_idle(|| None, &|| false, &|_| ()), "what cannot be watched is not waited for");
    }
}
