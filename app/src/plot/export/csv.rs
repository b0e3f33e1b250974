//! The numbers behind a figure, in full precision: one table, with units and provenance as comment lines.

use std::fmt::Write as _;

use crate::plot::{Item, Plot, Unit, text};

/// The plotted data as CSV. Numbers are written so that reading them gives the very same float64.
pub fn csv(plot: &Plot) -> String {
    let mut out = head(plot);
    let _ = writeln!(out, "# x: {}", text::plain(&plot.x.label));
    let unit = plot.field().map_or(plot.y.unit, |field| field.unit);
    if unit == Unit::Percent {
        out.push_str("# shares are from 0 to 1 here, percent in the figure\n");
    }
    let _ = writeln!(out, "# y: {}", text::plain(&plot.y.label));
    for (axis, letter) in [(&plot.x, "x"), (&plot.y, "y")] {
        for tick in axis.ticks.iter().filter(|_| axis.unit == Unit::Names) {
            let _ = writeln!(out, "# {letter} {}: {}", tick.value, text::plain(&tick.label));
        }
    }
    if let Some(field) = plot.field() {
        let _ = writeln!(out, "x,y,{}", column(&field.name));
        for (i, value) in field.values.iter().enumerate() {
            let (x, y) = (field.x[i % field.x.len()], field.y[i / field.x.len()]);
            let _ = writeln!(out, "{x:?},{y:?},{}", cell(*value));
        }
        return out;
    }
    curves(&mut out, plot);
    scatter(&mut out, plot);
    histograms(&mut out, plot);
    out
}

/// Title, provenance and notes of a figure, as comment lines.
pub fn head(plot: &Plot) -> String {
    let mut out = String::new();
    for line in plot.title.iter().chain(&plot.provenance).chain(&plot.notes) {
        let _ = writeln!(out, "# {}", text::plain(line));
    }
    out
}

/// All curves in one table over the union of their abscissas.
fn curves(out: &mut String, plot: &Plot) {
    let series: Vec<_> = plot
        .items
        .iter()
        .enumerate()
        .filter_map(|(i, item)| match item {
            // Without a line it is a shaded area between two curves, which stand for themselves.
            Item::Series(series) if series.y.iter().any(Option::is_some) => {
                Some((series, name(&plot.items, i).unwrap_or(&plot.y.label)))
            }
            _ => None,
        })
        .collect();
    if series.is_empty() {
        return;
    }
    let mut x: Vec<f64> = series.iter().flat_map(|(s, _)| s.x.iter().copied()).collect();
    x.sort_by(f64::total_cmp);
    x.dedup();
    out.push('x');
    for (_, name) in &series {
        let _ = write!(out, ",{}", column(name));
    }
    out.push('\n');
    for x in x {
        let _ = write!(out, "{x:?}");
        for (s, _) in &series {
            let value = s.x.iter().position(|v| *v == x).and_then(|i| s.y.get(i).copied().flatten());
            let _ = write!(out, ",{}", cell(value));
        }
        out.push('\n');
    }
}

/// The entry of a line in the legend; one without is explained by the symbols that are drawn on it, which follow it.
fn name(items: &[Item], line: usize) -> Option<&str> {
    let symbols = items.get(line + 1).filter(|item| matches!(item, Item::Scatter(_)));
    items[line].name().or_else(|| symbols?.name())
}

fn scatter(out: &mut String, plot: &Plot) {
    let groups: Vec<_> = plot
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Scatter(scatter) => Some(scatter),
            _ => None,
        })
        .collect();
    if groups.is_empty() {
        return;
    }
    out.push_str("group,name,x,x_low,x_high,y,y_low,y_high\n");
    for group in groups {
        for p in &group.points {
            let ends =
                |interval: Option<(f64, f64)>| [interval.map(|i| i.0), interval.map(|i| i.1)].map(cell);
            let ([x_low, x_high], [y_low, y_high]) = (ends(p.x_interval), ends(p.y_interval));
            let group = column(group.name.as_deref().unwrap_or(""));
            let name = column(&p.name);
            let _ = writeln!(out, "{group},{name},{:?},{x_low},{x_high},{:?},{y_low},{y_high}", p.x, p.y);
        }
    }
}

fn histograms(out: &mut String, plot: &Plot) {
    let histograms: Vec<_> = plot
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Histogram(histogram) => Some(histogram),
            _ => None,
        })
        .collect();
    let Some(first) = histograms.first() else { return };
    out.push_str("from,to");
    for h in &histograms {
        let _ = write!(out, ",{}", column(h.name.as_deref().unwrap_or(&plot.y.label)));
    }
    out.push('\n');
    for i in 0..first.values.len() {
        let _ = write!(out, "{:?},{:?}", first.edges[i], first.edges[i + 1]);
        for h in &histograms {
            let _ = write!(out, ",{}", cell(h.values.get(i).copied()));
        }
        out.push('\n');
    }
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{v:?}"))
}

/// A label as one cell, quoted where it could be taken for several or for a comment; a label has no line ends.
pub fn column(label: &str) -> String {
    let text = text::plain(label);
    if text.contains([',', '"', ';']) || text.starts_with('#') || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
