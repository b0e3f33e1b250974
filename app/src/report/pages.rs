//! A report as PDF: pages laid out like figures, one drawing each.

use anyhow::Result;

use super::{Block, Document, Table};
use crate::plot::Color;
use crate::plot::export::{
    Anchor, FigureStyle, FontFamily, Rect, Scene, Stroke, pdf_of_pages, text_width, wrapped,
};
use crate::plot::text::literal;

/// A4 in points, and its margin.
const PAGE: [f64; 2] = [595.28, 841.89];
const MARGIN: f64 = 56.0;
/// Width of the text.
const WIDTH: f64 = PAGE[0] - 2.0 * MARGIN;
/// Sizes of type, and the distance of lines relative to it.
const TITLE: f64 = 20.0;
const HEADING: f64 = 13.0;
const BODY: f64 = 10.0;
const SMALL: f64 = 8.0;
const LINE: f64 = 1.32;
/// Least distance of the columns of a table.
const GAP: f64 = 6.0;
/// A column at least so wide may have its words in several lines.
const WORDS: f64 = 120.0;
const GREY: Color = Color::rgb(100, 100, 100);
const WARNING: Color = Color::rgb(213, 94, 0);

/// The document as a PDF file.
///
/// # Errors
/// A page cannot be converted: a bug, not something a user can cause.
pub fn pdf(document: &Document, style: &FigureStyle) -> Result<Vec<u8>> {
    pdf_of_pages(&pages(document, style))
}

/// The document on pages.
pub fn pages(document: &Document, style: &FigureStyle) -> Vec<Scene> {
    let mut paper = Paper { pages: Vec::new(), top: 0.0, title: document.title.clone() };
    paper.turn();
    paper.words(&document.title, TITLE, true, Color::BLACK, 0.0);
    paper.skip(2.0);
    document.about.iter().for_each(|line| paper.words(line, BODY, false, GREY, 0.0));
    let mut blocks = document.blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        match block {
            Block::Heading(words) => {
                // Not alone at the foot of a page.
                let next = blocks.peek().map_or(0.0, |next| paper.height(next, style).min(600.0));
                paper.skip(14.0);
                paper.need(HEADING * LINE + 8.0 + next);
                paper.words(words, HEADING, true, Color::BLACK, 0.0);
                paper.rule(2.0, 0.5);
                paper.skip(5.0);
            }
            Block::Text(words) => {
                // What leads to a list is not alone at the foot of a page.
                if let Some(Block::List(_)) = blocks.peek() {
                    paper.need(5.0 * LINE * BODY);
                }
                paper.words(words, BODY, false, Color::BLACK, 0.0);
                paper.skip(5.0);
            }
            Block::List(sentences) => {
                for words in sentences {
                    paper.bullet();
                    paper.words(words, BODY, false, Color::BLACK, 12.0);
                    paper.skip(2.0);
                }
                paper.skip(3.0);
            }
            Block::Warning(words) => {
                paper.words(&format!("Note: {words}"), BODY, false, WARNING, 0.0);
                paper.skip(4.0);
            }
            Block::Command(words) => {
                paper.skip(1.0);
                paper.command(words);
                paper.skip(7.0);
            }
            Block::Table(table) => paper.table(table),
            Block::Figure(figure) => {
                if let Some(scene) = figure.scene(style) {
                    paper.figure(scene, &figure.caption);
                }
            }
        }
    }
    paper.numbered()
}

/// Pages so far, and where on the last one the next words begin.
struct Paper {
    pages: Vec<Scene>,
    top: f64,
    title: String,
}

impl Paper {
    /// Begins a page.
    fn turn(&mut self) {
        let frame = Rect { left: 0.0, top: 0.0, width: PAGE[0], height: PAGE[1] };
        self.pages.push(Scene {
            width: PAGE[0],
            height: PAGE[1],
            family: FontFamily::Serif,
            frame,
            shapes: Vec::new(),
            title: self.title.clone(),
            description: Vec::new(),
            label_pt: BODY,
            shortened: Vec::new(),
        });
        self.top = MARGIN;
    }

    fn page(&mut self) -> &mut Scene {
        self.pages.last_mut().expect("there is a page")
    }

    /// Turns the page if so much does not fit on it.
    fn need(&mut self, height: f64) {
        if self.top + height > PAGE[1] - MARGIN && self.top > MARGIN {
            self.turn();
        }
    }

    fn skip(&mut self, height: f64) {
        if self.top > MARGIN {
            self.top += height;
        }
    }

    /// Words in as many lines as they need.
    fn words(&mut self, words: &str, size: f64, bold: bool, color: Color, indent: f64) {
        for line in wrapped(&literal(words), FontFamily::Serif, bold, size, WIDTH - indent) {
            self.need(LINE * size);
            let at = [MARGIN + indent, self.top + size];
            let text = self.page().text(at, Anchor::Start, &line, size);
            (text.bold, text.color) = (bold, color);
            self.top += LINE * size;
        }
    }

    /// A line to be typed: sans serif, in which two hyphens stay two.
    fn command(&mut self, words: &str) {
        for line in wrapped(&literal(words), FontFamily::Sans, false, SMALL, WIDTH - 12.0) {
            self.need(LINE * SMALL);
            let at = [MARGIN + 12.0, self.top + SMALL];
            self.page().text(at, Anchor::Start, &line, SMALL).family = Some(FontFamily::Sans);
            self.top += LINE * SMALL;
        }
    }

    /// The dot before the next words.
    fn bullet(&mut self) {
        self.need(LINE * BODY);
        let at = [MARGIN + 2.0, self.top + BODY];
        self.page().text(at, Anchor::Start, "•", BODY);
    }

    /// A line across the page.
    fn rule(&mut self, above: f64, width: f64) {
        self.top += above;
        let top = self.top;
        self.page().line([MARGIN, top], [PAGE[0] - MARGIN, top], Stroke::solid(Color::BLACK, width));
        self.top += above;
    }

    /// About how high a block is.
    fn height(&self, block: &Block, style: &FigureStyle) -> f64 {
        match block {
            Block::Figure(figure) => figure.scene(style).map_or(0.0, |scene| scene.height + 30.0),
            Block::Table(_) => 6.0 * LINE * SMALL,
            _ => 3.0 * LINE * BODY,
        }
    }

    /// A drawing in the middle, made smaller if it is larger than a page, and its caption.
    fn figure(&mut self, scene: Scene, caption: &str) {
        let lines = wrapped(&literal(caption), FontFamily::Serif, false, SMALL + 1.0, WIDTH).len() as f64;
        let below = LINE * (SMALL + 1.0) * lines + 16.0;
        let room = PAGE[1] - 2.0 * MARGIN - below;
        let factor = (WIDTH / scene.width).min(room / scene.height).min(1.0);
        let [width, height] = [factor * scene.width, factor * scene.height];
        self.need(height + below);
        let at = [MARGIN + (WIDTH - width) / 2.0, self.top];
        self.page().append(scene, at, factor);
        self.top += height + 5.0;
        self.words(caption, SMALL + 1.0, false, Color::rgb(60, 60, 60), 0.0);
        self.skip(11.0);
    }

    /// A table between rules; its header stands on every page again.
    fn table(&mut self, table: &Table) {
        let columns = table.header.len();
        let (size, widths) = fitted(table);
        let total: f64 = widths.iter().sum();
        // What is left over goes between the columns.
        let gap = ((WIDTH - total) / columns.max(2) as f64).clamp(GAP, 14.0);
        let cell = |text: &str, column: usize| {
            wrapped(&literal(text), FontFamily::Serif, false, size, widths[column].max(size))
        };
        let header: Vec<Vec<String>> =
            table.header.iter().enumerate().map(|(i, text)| cell(text, i)).collect();
        self.need(4.0 * LINE * size);
        self.row(table, &header, size, &widths, gap, true);
        for cells in &table.rows {
            let lines: Vec<Vec<String>> = cells.iter().enumerate().map(|(i, text)| cell(text, i)).collect();
            let height = LINE * size * lines.iter().map(Vec::len).max().unwrap_or(1) as f64;
            if self.top + height > PAGE[1] - MARGIN {
                self.turn();
                self.row(table, &header, size, &widths, gap, true);
            }
            self.row(table, &lines, size, &widths, gap, false);
        }
        self.rule(1.5, 0.8);
        self.skip(8.0);
    }

    /// A row of cells in lines; the header is between rules, on the lowest of its lines.
    fn row(
        &mut self,
        table: &Table,
        cells: &[Vec<String>],
        size: f64,
        widths: &[f64],
        gap: f64,
        is_header: bool,
    ) {
        let most = cells.iter().map(Vec::len).max().unwrap_or(1);
        if is_header {
            self.rule(1.5, 0.8);
        }
        let mut left = MARGIN;
        for (column, lines) in cells.iter().enumerate() {
            let first = if is_header { most - lines.len() } else { 0 };
            for (i, line) in lines.iter().enumerate() {
                let baseline = self.top + size + LINE * size * (first + i) as f64;
                let (x, anchor) = if table.is_number(column) {
                    (left + widths[column], Anchor::End)
                } else {
                    (left, Anchor::Start)
                };
                self.page().text([x, baseline], anchor, line, size);
            }
            left += widths[column] + gap;
        }
        self.top += LINE * size * most as f64;
        if is_header {
            self.rule(1.5, 0.5);
        }
    }

    /// The pages with their numbers.
    fn numbered(mut self) -> Vec<Scene> {
        let count = self.pages.len();
        for (i, page) in self.pages.iter_mut().enumerate() {
            let at = [PAGE[0] / 2.0, PAGE[1] - MARGIN / 2.0];
            page.text(at, Anchor::Middle, &format!("{} / {count}", i + 1), SMALL).color = GREY;
        }
        self.pages
    }
}

/// The size of the type of a table, and the widths of its columns, so that it fits the page: first headers are broken,
/// then the type is made smaller, then words are broken, too.
fn fitted(table: &Table) -> (f64, Vec<f64>) {
    let width = |text: &str, size: f64| 1.04 * text_width(&literal(text), FontFamily::Serif, size);
    let longest_word =
        |text: &str, size: f64| text.split([' ', '_']).map(|word| width(word, size)).fold(0.0, f64::max);
    let natural = |size: f64| -> Vec<f64> {
        let column = |i: usize| {
            let cells = table.rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell, size));
            cells.fold(longest_word(&table.header[i], size), f64::max)
        };
        (0..table.header.len()).map(column).collect()
    };
    let room = WIDTH - GAP * (table.header.len().max(1) - 1) as f64;
    // The widest columns give what is missing.
    let capped = |size: f64| {
        let mut widths = natural(size);
        let mut cap = widths.iter().copied().fold(0.0, f64::max);
        while widths.iter().map(|width| width.min(cap)).sum::<f64>() > room && cap > 20.0 {
            cap -= 2.0;
        }
        widths.iter_mut().for_each(|width| *width = width.min(cap));
        (cap, widths)
    };
    let fits = |size: &f64| natural(*size).iter().sum::<f64>() <= room;
    let whole = [9.0, 8.0].into_iter().find(fits).map(|size| (size, natural(size)));
    // Rather a few words in several lines than all of them small.
    let broken = || Some(capped(8.0)).filter(|(cap, _)| *cap > WORDS).map(|(_, widths)| (8.0, widths));
    let small = || [7.0, 6.0].into_iter().find(fits).map(|size| (size, natural(size)));
    whole.or_else(broken).or_else(small).unwrap_or_else(|| (6.0, capped(6.0).1))
}
