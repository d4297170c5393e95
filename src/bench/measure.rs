//! What a run measures, and the median over several runs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// One figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// How much.
    pub value: f64,
    /// Of what: `1/s`, `ms`, `us`, `s`, `MB/s`, `MB`, `B`, `x`.
    pub unit: &'static str,
}

/// Figures of one run, by name: `submission.sqlite.per_second`.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<(String, Figure)>);

impl Figures {
    /// Adds one, and says so at once: a long run that ends early has not been for nothing.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        eprintln!("  {name:<58} {:>12} {unit}", shown(value));
        self.0.push((name, Figure { value, unit }));
    }

    /// Adds the throughput and the latencies of a volley.
    pub fn add_volley(&mut self, name: &str, volley: &mut Volley) {
        self.add(format!("{name}.per_second"), volley.per_second(), "1/s");
        self.add(format!("{name}.p50"), volley.percentile(50), "ms");
        self.add(format!("{name}.p99"), volley.percentile(99), "ms");
    }
}

/// How long requests took that were sent by several connections at once.
#[derive(Clone, Debug, Default)]
pub struct Volley {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// Of each request, from its first byte out to the last of its answer in.
    pub each: Vec<Duration>,
}

impl Volley {
    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        rate(self.each.len(), self.wall)
    }

    /// The duration within which `percent` of the requests were answered, in milliseconds.
    pub fn percentile(&mut self, percent: usize) -> f64 {
        self.each.sort_unstable();
        let at = (self.each.len() * percent).div_ceil(100).saturating_sub(1);
        self.each.get(at).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
    }
}

/// How many a second.
pub fn rate(count: usize, wall: Duration) -> f64 {
    count as f64 / wall.as_secs_f64().max(1e-9)
}

/// The median of each figure over several runs, with the extremes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Median {
    /// Name.
    pub name: String,
    /// The median.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Unit.
    pub unit: &'static str,
    /// Of how many runs.
    pub runs: usize,
}

impl fmt::Display for Median {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<58} {:>12} {:<5} ({} to {}, {} runs)",
            self.name,
            shown(self.median),
            self.unit,
            shown(self.least),
            shown(self.most),
            self.runs
        )
    }
}

/// As many digits as mean something.
fn shown(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The medians of `runs`, in the order in which figures first appeared.
pub fn medians(runs: &[Figures]) -> Vec<Median> {
    let mut order: Vec<&str> = Vec::new();
    let mut values: BTreeMap<&str, (Vec<f64>, &'static str)> = BTreeMap::new();
    for (name, figure) in runs.iter().flat_map(|run| &run.0) {
        if !values.contains_key(name.as_str()) {
            order.push(name);
        }
        values.entry(name).or_insert_with(|| (Vec::new(), figure.unit)).0.push(figure.value);
    }
    let median_of = |name: &str| {
        let (found, unit) = values.get_mut(name)?;
        found.sort_by(f64::total_cmp);
        let (least, most) = (*found.first()?, *found.last()?);
        let middle = found.len() / 2;
        let median = if found.len() % 2 == 1 { found[middle] } else { (found[middle - 1] + found[middle]) / 2.0 };
        Some(Median { name: name.to_owned(), median, least, most, unit, runs: found.len() })
    };
    order.into_iter().filter_map(median_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_runs_is_the_middle_one_and_figures_keep_their_order() {
        let run = |a: f64, b: f64| {
            let mut figures = Figures::default();
            figures.add("b", b, "ms");
            figures.add("a", a, "1/s");
            figures
        };
        let found = medians(&[run(1.0, 10.0), run(3.0, 30.0), run(2.0, 90.0)]);
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!((found[0].median, found[0].least, found[0].most), (30.0, 10.0, 90.0));
        assert_eq!(medians(&[run(1.0, 10.0), run(2.0, 20.0)])[1].median, 1.5);
        assert_eq!(medians(&[]), []);
    }

    #[test]
    fn a_percentile_is_a_duration_that_so_many_did_not_exceed() {
        let each = (1..=100).rev().map(Duration::from_millis).collect();
        let mut volley = Volley { wall: Duration::from_secs(2), each };
        assert_eq!(volley.percentile(99), 99.0);
        assert_eq!(volley.percentile(50), 50.0);
        assert_eq!(volley.per_second(), 50.0);
        assert_eq!(Volley::default().percentile(99), 0.0);
    }
}
