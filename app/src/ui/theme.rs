//! Colours, spacing and type sizes of the window: the only place that names them.

use eframe::egui::style::{ScrollStyle, Selection, WidgetVisuals};
use eframe::egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Frame, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Vec2, Visuals, vec2,
};

/// Width of the label column of a form.
pub const LABEL_WIDTH: f32 = 118.0;
/// Height of a row of a form.
pub const ROW_HEIGHT: f32 = 24.0;
/// Space between groups.
pub const GAP: f32 = 12.0;

/// The colours of one theme.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    /// Panels at the sides, menu and status.
    pub side: Color32,
    /// The middle, where results are.
    pub canvas: Color32,
    /// Text fields.
    pub field: Color32,
    /// Buttons.
    pub button: Color32,
    /// Buttons under the pointer.
    pub button_hovered: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text of lesser weight.
    pub weak: Color32,
    /// What can be acted on, what is selected.
    pub accent: Color32,
    /// Background of what is selected.
    pub selected: Color32,
    /// Text on the accent colour.
    pub on_accent: Color32,
    /// Something went well.
    pub good: Color32,
    /// Something to know.
    pub warning: Color32,
    /// Something went wrong.
    pub error: Color32,
}

const LIGHT: Palette = Palette {
    side: rgb(0xF4F5F7),
    canvas: rgb(0xFFFFFF),
    field: rgb(0xFFFFFF),
    button: rgb(0xE4E7EC),
    button_hovered: rgb(0xD8DDE5),
    line: rgb(0xD8DCE3),
    text: rgb(0x1D2433),
    weak: rgb(0x5D6779),
    accent: rgb(0x1C64B4),
    selected: rgb(0xD5E5F8),
    on_accent: rgb(0xFFFFFF),
    good: rgb(0x1A7F4B),
    warning: rgb(0x9A5B00),
    error: rgb(0xB42318),
};

const DARK: Palette = Palette {
    side: rgb(0x1E2127),
    canvas: rgb(0x16181D),
    field: rgb(0x121418),
    button: rgb(0x31363F),
    button_hovered: rgb(0x3C424D),
    line: rgb(0x343A44),
    text: rgb(0xE3E6EB),
    weak: rgb(0x98A1B0),
    accent: rgb(0x62A8EA),
    selected: rgb(0x24425F),
    on_accent: rgb(0x0E1621),
    good: rgb(0x5BC48C),
    warning: rgb(0xE5AE4F),
    error: rgb(0xF2887C),
};

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The colours of a theme.
pub fn palette(dark: bool) -> &'static Palette {
    if dark { &DARK } else { &LIGHT }
}

/// Sets both themes and the fonts; called once.
pub fn install(ctx: &Context) {
    ctx.set_fonts(crate::plot::screen::fonts());
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| apply(style, palette(theme == Theme::Dark)));
    }
}

fn apply(style: &mut Style, p: &Palette) {
    let font = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(11.0)),
        (TextStyle::Body, font(13.0)),
        (TextStyle::Button, font(13.0)),
        (TextStyle::Heading, font(16.0)),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = vec2(8.0, 6.0);
    style.spacing.button_padding = vec2(8.0, 3.0);
    style.spacing.interact_size = vec2(36.0, ROW_HEIGHT);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.combo_width = 80.0;
    style.spacing.icon_width = 15.0;
    style.spacing.scroll =
        ScrollStyle { bar_width: 8.0, floating_allocated_width: 10.0, ..ScrollStyle::floating() };
    style.visuals = visuals(style.visuals.dark_mode, p);
}

fn visuals(dark: bool, p: &Palette) -> Visuals {
    let mut v = if dark { Visuals::dark() } else { Visuals::light() };
    let round = CornerRadius::same(4);
    let look = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        fg_stroke: Stroke::new(1.0, text),
        corner_radius: round,
        expansion: 0.0,
    };
    v.widgets.noninteractive = look(p.side, p.line, p.text);
    v.widgets.inactive = look(p.button, p.line, p.text);
    v.widgets.hovered = look(p.button_hovered, p.weak.gamma_multiply(0.6), p.text);
    v.widgets.active = look(p.selected, p.accent, p.text);
    v.widgets.open = look(p.button, p.line, p.text);
    v.selection = Selection { bg_fill: p.selected, stroke: Stroke::new(1.0, p.accent) };
    v.weak_text_color = Some(p.weak);
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.warning;
    v.error_fg_color = p.error;
    v.panel_fill = p.side;
    v.window_fill = p.side;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.extreme_bg_color = p.field;
    v.text_edit_bg_color = Some(p.field);
    v.code_bg_color = p.button;
    v.faint_bg_color = p.text.gamma_multiply(0.035);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    v.window_shadow = Shadow {
        offset: [0, 8],
        blur: 28,
        spread: 0,
        color: Color32::from_black_alpha(if dark { 120 } else { 40 }),
    };
    v.popup_shadow = Shadow {
        offset: [0, 4],
        blur: 12,
        spread: 0,
        color: Color32::from_black_alpha(if dark { 110 } else { 30 }),
    };
    v.indent_has_left_vline = false;
    v
}

/// Frame of a side panel.
pub fn panel_frame(dark: bool) -> Frame {
    Frame::new().fill(palette(dark).side).inner_margin(Margin::symmetric(12, 10))
}

/// Frame of the middle.
pub fn canvas_frame(dark: bool) -> Frame {
    Frame::new().fill(palette(dark).canvas)
}

/// What the panels need; a smaller window scrolls.
pub const LEAST_ROOM: Vec2 = vec2(900.0, 540.0);
/// Smallest window.
pub const MIN_WINDOW: Vec2 = vec2(480.0, 320.0);
/// Size of a first window.
pub const FIRST_WINDOW: Vec2 = vec2(1280.0, 800.0);
