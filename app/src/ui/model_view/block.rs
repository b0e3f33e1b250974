//! One block of the drawing: a card on the line from the image to the classes, with its shortcut and its numbers.

use std::sync::Arc;

use basin_core::model::{Block, BlockKind, Bypass};
use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Painter, Pos2, Rect, Response, Shape, Stroke, StrokeKind,
    TextStyle, Ui, pos2, vec2,
};

use super::kinds::{kind_words, names, output_words};
use crate::plot::color::series_color;
use crate::ui::theme::Palette;
use crate::ui::widgets::{count, count_words, palette};

/// How far blocks of a run are to the right of it.
pub(super) const INDENT: f32 = 22.0;
/// Place of shortcuts at the left of cards.
const RAIL: f32 = 22.0;
/// Height of the names in a card.
const CARD: f32 = 42.0;
/// Height of a line of numbers below the names, where there is no room beside them, and their least width.
const NUMBERS: f32 = 16.0;
const NARROW: f32 = 150.0;
/// Height of the line to a card, and of what is behind a card with a shortcut.
const ABOVE: f32 = 11.0;
const BELOW: f32 = 14.0;
/// From the left edge of a card to the line through it, and to its words.
const LINE: f32 = 16.0;
const WORDS: f32 = 32.0;
/// Radius of the sign where branches meet.
const SIGN: f32 = 6.0;
/// Widths of the columns of numbers.
const WIDTHS: [f32; 4] = [112.0, 90.0, 46.0, 94.0];
/// Space at the right of the last column.
const END: f32 = 12.0;

/// What is drawn as one card.
pub(super) struct Part<'a> {
    /// One block, or a run of equal ones.
    pub blocks: &'a [Block],
    /// Nothing is before it.
    pub is_first: bool,
    /// Its blocks are drawn below it.
    pub is_heading: bool,
    /// How far it is to the right.
    pub indent: f32,
    /// Parameters of the whole network.
    pub all: usize,
}

impl Part<'_> {
    /// The last of its blocks.
    pub fn last(&self) -> &Block {
        &self.blocks[self.blocks.len() - 1]
    }

    /// Parameters of all of its blocks.
    pub fn parameters(&self) -> usize {
        self.blocks.iter().map(|block| block.parameters).sum()
    }

    /// Stride of all of its blocks together.
    pub fn stride(&self) -> usize {
        self.blocks.iter().map(|block| block.stride).product()
    }

    fn has_branches(&self) -> bool {
        !self.is_heading && matches!(self.last().kind, BlockKind::Residual | BlockKind::Dense)
    }

    /// Height with the lines above and below the card.
    pub fn height(&self, columns: &Columns, layers: Option<&Galley>) -> f32 {
        let below = if self.has_branches() { BELOW } else { 0.0 };
        ABOVE + columns.card() + layers.map_or(0.0, |layers| layers.size().y + 10.0) + below
    }

    /// The card, of the place for all of it.
    pub fn card(&self, rect: Rect) -> Rect {
        let below = if self.has_branches() { BELOW } else { 0.0 };
        let left = rect.left() + RAIL + self.indent;
        Rect::from_min_max(pos2(left, rect.top() + ABOVE), pos2(rect.right() - 4.0, rect.bottom() - below))
    }
}

/// Where numbers stand: in columns, or below the names.
pub(super) struct Columns {
    /// Least width of the drawing: nothing is cut.
    pub least: f32,
    /// There is no room for columns.
    pub is_narrow: bool,
}

impl Columns {
    /// Columns beside names as long as this one.
    pub fn new(ui: &Ui, longest: &str) -> Self {
        let font = small(ui);
        let name = ui.painter().layout_no_wrap(longest.to_owned(), font, Color32::WHITE).size().x;
        let words = |least: f32| (name + 8.0).max(least) + RAIL + INDENT + WORDS;
        let wide = words(NARROW) + WIDTHS.iter().sum::<f32>() + END;
        let is_narrow = ui.available_width() < wide;
        Self { least: if is_narrow { words(NARROW) } else { wide }, is_narrow }
    }

    /// Height of a card without layers.
    fn card(&self) -> f32 {
        if self.is_narrow { CARD + 3.0 * NUMBERS + 4.0 } else { CARD }
    }

    /// Right edges of the columns of a drawing that ends at `right`.
    pub fn rights(&self, right: f32) -> [f32; 4] {
        let mut edge = right - END;
        let mut edges = [0.0; 4];
        for (place, width) in edges.iter_mut().zip(WIDTHS).rev() {
            *place = edge;
            edge -= width;
        }
        edges
    }
}

fn small(ui: &Ui) -> FontId {
    FontId::monospace(TextStyle::Small.resolve(ui.style()).size)
}

/// The layers of a block, as they stand in its card.
pub(super) fn layers(ui: &Ui, part: &Part, width: f32) -> Arc<Galley> {
    let text = part.last().layers.join("\n");
    let room = width - RAIL - part.indent - WORDS - END;
    ui.painter().layout(text, small(ui), palette(ui).text, room)
}

/// The colour of a kind, legible on the ground of the theme.
fn kind_color(kind: BlockKind, p: &Palette) -> Color32 {
    let index = match kind {
        BlockKind::Preprocessing | BlockKind::Normalization => return p.weak,
        BlockKind::Convolution => 0,
        BlockKind::Residual => 2,
        BlockKind::Dense => 4,
        BlockKind::Pooling => 3,
        BlockKind::Linear => 1,
    };
    let color = series_color(index);
    Color32::from_rgb(color.r, color.g, color.b)
}

/// Paints a card with the lines around it.
pub(super) fn paint(
    ui: &Ui,
    part: &Part,
    rect: Rect,
    response: &Response,
    is_open: bool,
    columns: &Columns,
    layers: Option<Arc<Galley>>,
) {
    let (p, painter) = (palette(ui), ui.painter());
    let card = part.card(rect);
    let line = Stroke::new(1.5, p.weak.gamma_multiply(0.8));
    let round = CornerRadius::same(5);
    let edge = if response.has_focus() || response.hovered() { p.accent } else { p.line };
    if part.blocks.len() > 1 && !part.is_heading {
        // Further cards behind it.
        painter.rect(
            card.translate(vec2(4.0, 4.0)),
            round,
            p.side,
            Stroke::new(1.0, p.line),
            StrokeKind::Inside,
        );
    }
    lines(painter, part, rect, card, line, p);
    let fill = if response.hovered() { p.button } else { p.side };
    painter.rect(card, round, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    let kind = part.last().kind;
    let bar = Rect::from_min_size(card.min, vec2(4.0, card.height()));
    let left = CornerRadius { nw: 5, sw: 5, ne: 0, se: 0 };
    painter.rect_filled(bar, left, kind_color(kind, p));
    triangle(painter, pos2(card.left() + LINE, card.top() + 0.5 * CARD), is_open, p.weak);
    words(ui, part, card);
    if columns.is_narrow {
        numbers_below(ui, part, card);
    } else {
        numbers(ui, part, card, columns);
    }
    if let Some(layers) = layers {
        painter.galley(pos2(card.left() + WORDS, card.top() + columns.card() + 2.0), layers, p.text);
    }
}

fn words(ui: &Ui, part: &Part, card: Rect) {
    let (p, painter, x) = (palette(ui), ui.painter(), card.left() + WORDS);
    let last = part.last();
    let font = TextStyle::Body.resolve(ui.style());
    let name = names(part.blocks);
    let middle = if name.is_empty() { 0.5 } else { 0.32 };
    let at = pos2(x, card.top() + middle * CARD);
    let title = painter.text(at, Align2::LEFT_CENTER, kind_words(last.kind), font.clone(), p.text);
    if part.blocks.len() > 1 {
        let times = format!("×{}", part.blocks.len());
        painter.text(pos2(title.right() + 6.0, at.y), Align2::LEFT_CENTER, times, font, p.accent);
    }
    painter.text(pos2(x, card.top() + 0.7 * CARD), Align2::LEFT_CENTER, name, small(ui), p.weak);
}

fn numbers(ui: &Ui, part: &Part, card: Rect, columns: &Columns) {
    let (p, painter) = (palette(ui), ui.painter());
    let (last, parameters, stride) = (part.last(), part.parameters(), part.stride());
    let field = last.receptive_field;
    let cells = [
        (output_words(last), true),
        (count_words(parameters), parameters > 0),
        (stride.to_string(), stride > 1),
        (format!("{field} × {field}"), true),
    ];
    let edges = columns.rights(card.right() + 4.0);
    let y = card.top() + 0.5 * CARD;
    for ((text, is_strong), right) in cells.into_iter().zip(edges) {
        let color = if is_strong { p.text } else { p.weak };
        painter.text(pos2(right, y), Align2::RIGHT_CENTER, text, TextStyle::Body.resolve(ui.style()), color);
    }
    if parameters > 0 {
        let room = WIDTHS[1] - 30.0;
        let share = parameters as f32 / part.all.max(1) as f32;
        let place = Rect::from_min_max(pos2(edges[1] - room, y + 11.0), pos2(edges[1], y + 13.0));
        painter.rect_filled(place, 1.0, p.line);
        let filled = Rect::from_min_max(pos2(place.right() - share * room, place.top()), place.max);
        painter.rect_filled(filled, 1.0, p.accent);
    }
}

/// The numbers in lines below the names.
fn numbers_below(ui: &Ui, part: &Part, card: Rect) {
    let last = part.last();
    let field = last.receptive_field;
    let output = match last.kind {
        BlockKind::Linear => count(last.output[0], "output"),
        _ => format!("{}, stride {}", output_words(last), part.stride()),
    };
    let lines = [output, count(part.parameters(), "parameter"), format!("receptive field {field} × {field}")];
    for (at, line) in lines.into_iter().enumerate() {
        let place = pos2(card.left() + WORDS, card.top() + CARD + NUMBERS * (at as f32 + 0.4));
        let font = TextStyle::Body.resolve(ui.style());
        ui.painter().text(place, Align2::LEFT_CENTER, line, font, palette(ui).text);
    }
}

/// The line into the card, the shortcut around it, and the sign where both meet.
fn lines(painter: &Painter, part: &Part, rect: Rect, card: Rect, line: Stroke, p: &Palette) {
    let x = card.left() + LINE;
    if !part.is_first {
        painter.line_segment([pos2(x, rect.top()), pos2(x, card.top() - 1.0)], line);
        let tip = pos2(x, card.top());
        let head = vec![tip, tip + vec2(-3.5, -5.0), tip + vec2(3.5, -5.0)];
        painter.add(Shape::convex_polygon(head, line.color, Stroke::NONE));
    }
    if !part.has_branches() {
        return;
    }
    let meet = pos2(x, card.bottom() + 0.5 * BELOW);
    painter.line_segment([pos2(x, card.bottom()), pos2(x, rect.bottom())], line);
    let (rail, above) = (card.left() - 9.0, rect.top() + 3.0);
    let around = vec![pos2(x, above), pos2(rail, above), pos2(rail, meet.y), meet];
    painter.add(Shape::line(around, line));
    if part.last().bypass == Some(Bypass::Layers) {
        // The shortcut has layers of its own.
        let place = Rect::from_center_size(pos2(rail, card.center().y), vec2(9.0, 14.0));
        painter.rect(place, 2.0, p.side, line, StrokeKind::Inside);
    }
    painter.circle(meet, SIGN, p.canvas, line);
    sign(painter, meet, part.last().kind, line);
}

/// A plus for a sum; two bars for a concatenation.
fn sign(painter: &Painter, at: Pos2, kind: BlockKind, line: Stroke) {
    let arm = 0.6 * SIGN;
    let strokes = match kind {
        BlockKind::Dense => [[vec2(-1.5, -arm), vec2(-1.5, arm)], [vec2(1.5, -arm), vec2(1.5, arm)]],
        _ => [[vec2(-arm, 0.0), vec2(arm, 0.0)], [vec2(0.0, -arm), vec2(0.0, arm)]],
    };
    for [from, to] in strokes {
        painter.line_segment([at + from, at + to], line);
    }
}

/// Points down where a card is open, else to the right.
fn triangle(painter: &Painter, at: Pos2, is_open: bool, color: Color32) {
    let corners = match is_open {
        true => [vec2(-4.0, -2.5), vec2(4.0, -2.5), vec2(0.0, 3.5)],
        false => [vec2(-2.5, -4.0), vec2(3.5, 0.0), vec2(-2.5, 4.0)],
    };
    let corners = corners.map(|corner| at + corner).to_vec();
    painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
}
