//! Imports that are not as they should be, and are to go: entries may only be removed.

/// Modules of basin_core that import one to their right.
pub const AGAINST_THE_ORDER: &[(&str, &str)] = &[];

/// Imports of a file of `core/src` by another that close a circle.
pub const CIRCLES_OF_CORE: &[(&str, &str)] = &[
    ("attack/autoattack/square/candidates.rs", "attack/autoattack/square/mod.rs"),
    ("attack/names/templates.rs", "attack/names/mod.rs"),
    ("record/training.rs", "record/mod.rs"),
    ("run/training/edited.rs", "run/training/mod.rs"),
    ("train/average.rs", "train/settings.rs"),
    ("train/preset/parse.rs", "train/preset/mod.rs"),
    ("train/preset/parse.rs", "train/preset/variant.rs"),
];

/// The same of `app/src`.
pub const CIRCLES_OF_APP: &[(&str, &str)] = &[
    ("gpu/axes.rs", "gpu/frame.rs"),
    ("gpu/axes.rs", "gpu/uniforms.rs"),
    ("gpu/axes.rs", "gpu/view.rs"),
    ("gpu/color_bar.rs", "gpu/view.rs"),
    ("jobs/worker.rs", "jobs/mod.rs"),
    ("plot/screen/items.rs", "plot/screen/mod.rs"),
    ("ui/actions.rs", "ui/answers.rs"),
    ("ui/actions.rs", "ui/dialogs.rs"),
    ("ui/actions.rs", "ui/mod.rs"),
    ("ui/actions.rs", "ui/tabs.rs"),
    ("ui/answers.rs", "ui/follow.rs"),
    ("ui/answers.rs", "ui/mod.rs"),
    ("ui/answers.rs", "ui/standing.rs"),
    ("ui/charts.rs", "ui/mod.rs"),
    ("ui/close.rs", "ui/mod.rs"),
    ("ui/compare_view.rs", "ui/mod.rs"),
    ("ui/estimates.rs", "ui/mod.rs"),
    ("ui/examples_view.rs", "ui/mod.rs"),
    ("ui/export_dialog.rs", "ui/mod.rs"),
    ("ui/follow.rs", "ui/mod.rs"),
    ("ui/history_view.rs", "ui/mod.rs"),
    ("ui/menu.rs", "ui/mod.rs"),
    ("ui/path_dialog.rs", "ui/mod.rs"),
    ("ui/scatter_view.rs", "ui/mod.rs"),
    ("ui/standing.rs", "ui/mod.rs"),
    ("ui/surface_view.rs", "ui/mod.rs"),
    ("ui/tabs.rs", "ui/mod.rs"),
];
