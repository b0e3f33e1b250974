//! Entries below a figure, in as many columns as have room, filled from above.

/// The columns and rows of entries of different widths and heights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<f64>,
    rows: Vec<f64>,
    gap: f64,
    count: usize,
}

impl Table {
    /// Entries of these widths and heights, with `gap` between columns, within `room`.
    pub fn new(entries: &[[f64; 2]], gap: f64, room: f64) -> Self {
        let with_rows = |rows: usize| {
            let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
            let columns = entries.chunks(rows).map(|of| largest(&mut of.iter().map(|[width, _]| *width)));
            let rows = (0..rows)
                .map(|row| largest(&mut entries.iter().skip(row).step_by(rows).map(|[_, height]| *height)));
            Self { columns: columns.collect(), rows: rows.collect(), gap, count: entries.len() }
        };
        let all = (1..=entries.len()).map(with_rows);
        all.into_iter().find(|table| table.width() <= room || table.columns.len() == 1).unwrap_or_default()
    }

    /// Of all columns.
    pub fn width(&self) -> f64 {
        self.columns.iter().sum::<f64>() + self.gap * (self.columns.len().max(1) - 1) as f64
    }

    /// Of all rows.
    pub fn height(&self) -> f64 {
        self.rows.iter().sum()
    }

    /// The upper left corner of each entry, in the middle of a figure of this width as far as `centre` allows.
    pub fn places(&self, centre: f64, top: f64, width: f64) -> Vec<[f64; 2]> {
        let left = (centre - self.width() / 2.0).min(width - self.width() - 2.0).max(2.0);
        let rows = self.rows.len().max(1);
        let x =
            |column: usize| left + self.columns[..column].iter().map(|width| width + self.gap).sum::<f64>();
        let y = |row: usize| top + self.rows[..row].iter().sum::<f64>();
        (0..self.count).map(|i| [x(i / rows), y(i % rows)]).collect()
    }
}
