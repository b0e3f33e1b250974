//! The drawing of a network: its blocks from the image to the classes, equal ones as one.

use std::ops::Range;

use basin_core::model::{Block, runs};
use eframe::egui::{
    Align2, RichText, Role as WidgetRole, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::block::{self, Columns, Part};
use super::kinds::{kind_words, names, output_words};
use super::state::{Expandable, ModelState};
use crate::ui::widgets::{count, palette};

/// Widest drawing.
const MOST: f32 = 760.0;
/// So many layers are shown at the pointer.
const SHOWN_LAYERS: usize = 40;

/// Draws the blocks; a click shows what is in one.
pub(super) fn ui(ui: &mut Ui, blocks: &[Block], state: &mut ModelState) {
    let all: usize = blocks.iter().map(|block| block.parameters).sum();
    let words = format!(
        "{}, {}. Click a block to show its layers.",
        count(blocks.len(), "block"),
        count(all, "parameter")
    );
    ui.label(RichText::new(words).color(palette(ui).weak));
    let names = |range: &Range<usize>| names(&blocks[range.clone()]);
    let runs: Vec<Range<usize>> = ranges(blocks);
    let longest = runs.iter().map(names).max_by_key(String::len).unwrap_or_default();
    let columns = Columns::new(ui, &longest);
    ScrollArea::horizontal().id_salt("architecture").show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let width = ui.available_width().min(MOST).max(columns.least);
        if !columns.is_narrow {
            heads_ui(ui, &columns, width);
        }
        let mut is_first = true;
        for run in runs {
            let key = if run.len() > 1 { Expandable::Run(run.start) } else { Expandable::Block(run.start) };
            let is_heading = run.len() > 1 && state.expanded.contains(&key);
            let part = Part { blocks: &blocks[run.clone()], is_first, is_heading, indent: 0.0, all };
            part_ui(ui, &part, key, &columns, width, state);
            is_first = false;
            if run.len() > 1 && state.expanded.contains(&key) {
                for index in run {
                    let own = &blocks[index..=index];
                    let part = Part { blocks: own, is_first, is_heading: false, indent: block::INDENT, all };
                    part_ui(ui, &part, Expandable::Block(index), &columns, width, state);
                }
            }
        }
    });
}

/// Blocks that are drawn as one.
fn ranges(blocks: &[Block]) -> Vec<Range<usize>> {
    let mut end = 0;
    let next = |length: usize| {
        end += length;
        end - length..end
    };
    runs(blocks).into_iter().map(next).collect()
}

fn heads_ui(ui: &mut Ui, columns: &Columns, width: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
    let font = TextStyle::Small.resolve(ui.style());
    let heads = [
        ("Output (W × H × C)", "Width, height and channels of the block's output"),
        ("Parameters", "Number of trainable parameters; the bar is the share of all"),
        ("Stride", "By how much the output is smaller than the input"),
        (
            "Receptive field",
            "Side in pixels of the square of the image that one element of the output depends on, padding included",
        ),
    ];
    for ((head, tooltip), right) in heads.into_iter().zip(columns.rights(rect.right())) {
        let place = ui.painter().text(
            pos2(right, rect.center().y),
            Align2::RIGHT_CENTER,
            head,
            font.clone(),
            palette(ui).weak,
        );
        ui.interact(place, ui.scope_id().with(head), Sense::hover()).on_hover_text(tooltip);
    }
}

fn part_ui(ui: &mut Ui, part: &Part, key: Expandable, columns: &Columns, width: f32, state: &mut ModelState) {
    let is_open = state.expanded.contains(&key);
    let layers = (is_open && matches!(key, Expandable::Block(_))).then(|| block::layers(ui, part, width));
    let (rect, _) =
        ui.allocate_exact_size(vec2(width, part.height(columns, layers.as_deref())), Sense::hover());
    let card = part.card(rect);
    let response = ui.interact(card, ui.scope_id().with(key), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetRole::Button, true, is_open, spoken(part)));
    if response.clicked() {
        state.toggle(key);
    }
    if ui.is_rect_visible(rect) {
        block::paint(ui, part, rect, &response, is_open, columns, layers);
    }
    response.on_hover_ui(|ui| tooltip_ui(ui, part));
}

/// What a screen reader says of it.
fn spoken(part: &Part) -> String {
    let last = part.last();
    let several = if part.blocks.len() > 1 { format!(" ×{}", part.blocks.len()) } else { String::new() };
    let field = last.receptive_field;
    format!(
        "{}{several} {}: output {}, {}, stride {}, receptive field {field} × {field}",
        kind_words(last.kind),
        names(part.blocks),
        output_words(last),
        count(part.parameters(), "parameter"),
        part.stride()
    )
}

fn tooltip_ui(ui: &mut Ui, part: &Part) {
    ui.set_max_width(560.0);
    let [first, rest @ ..] = part.blocks else { return };
    let title = match rest {
        [] => format!("{} {}", kind_words(first.kind), first.name),
        _ => format!("{} blocks like {}", part.blocks.len(), first.name),
    };
    ui.label(RichText::new(title.trim()).strong());
    ui.spacing_mut().item_spacing.y = 1.0;
    for line in first.layers.iter().take(SHOWN_LAYERS) {
        ui.label(RichText::new(line).monospace().size(11.0));
    }
    if first.layers.len() > SHOWN_LAYERS {
        ui.label(format!("and {} more", first.layers.len() - SHOWN_LAYERS));
    }
}
