//! What can be done from the menu or the keyboard: each command's text, tooltip and shortcut.
//!
//! Carried out at one place, once per frame: `ui::App::carry_out`.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

/// From where the surface is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraPreset {
    /// The view that a new surface has.
    Standard,
    /// From above, x to the right.
    Top,
    /// Along y: x to the right.
    Front,
    /// Along x: y to the right.
    Side,
}

/// Something the user can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Choose checkpoint files.
    OpenCheckpoint,
    /// Choose record files.
    OpenRecord,
    /// Choose a folder with checkpoints and records.
    OpenFolder,
    /// Open the checkpoint that comes with the program.
    OpenExample,
    /// Write a figure or data of what is shown.
    Export,
    /// Leave.
    Quit,
    /// Light colours.
    ThemeLight,
    /// Dark colours.
    ThemeDark,
    /// Colours as the desktop has them.
    ThemeSystem,
    /// Tabs and panels as in the beginning.
    ResetLayout,
    /// Turn the surface.
    Camera(CameraPreset),
    /// The command that computes what is shown.
    CopyCommandLine,
    /// Keys and mouse.
    Shortcuts,
    /// Version and licence.
    About,
    /// Run the form's job.
    Run,
}

impl Command {
    /// All that have a shortcut, and those that the shortcut list names.
    pub const ALL: [Self; 18] = [
        Self::OpenCheckpoint,
        Self::OpenRecord,
        Self::OpenFolder,
        Self::OpenExample,
        Self::Export,
        Self::Quit,
        Self::Run,
        Self::ThemeLight,
        Self::ThemeDark,
        Self::ThemeSystem,
        Self::ResetLayout,
        Self::Camera(CameraPreset::Standard),
        Self::Camera(CameraPreset::Top),
        Self::Camera(CameraPreset::Front),
        Self::Camera(CameraPreset::Side),
        Self::CopyCommandLine,
        Self::Shortcuts,
        Self::About,
    ];

    /// Text in the menu, and what it does in a sentence.
    pub fn text_and_tooltip(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenCheckpoint => {
                ("Open checkpoint…", "Open a trained network: .pth.tar, .pth, .pt or .safetensors")
            }
            Self::OpenRecord => ("Open record…", "Open results that Basin has written: .json"),
            Self::OpenFolder => ("Open folder…", "Open every checkpoint and record in a folder"),
            Self::OpenExample => {
                ("Open the bundled example", "A small adversarially trained ResNet on CIFAR-10")
            }
            Self::Export => ("Export figure…", "Write what is shown as PNG, SVG, PDF or CSV"),
            Self::Quit => ("Quit", "Leave; asks first if a job runs"),
            Self::ThemeLight => ("Light", "Dark text on light panels"),
            Self::ThemeDark => ("Dark", "Light text on dark panels"),
            Self::ThemeSystem => ("As the system", "Follow the desktop's setting"),
            Self::ResetLayout => ("Reset layout", "Put tabs and panels where they were in the beginning"),
            Self::Camera(CameraPreset::Standard) => ("Standard view", "From the front right, above"),
            Self::Camera(CameraPreset::Top) => ("From above", "x to the right, y upwards"),
            Self::Camera(CameraPreset::Front) => ("Along y", "x to the right, height upwards"),
            Self::Camera(CameraPreset::Side) => ("Along x", "y to the right, height upwards"),
            Self::CopyCommandLine => {
                ("Copy command line", "The `basin` command that computes what is shown, for a terminal")
            }
            Self::Shortcuts => ("Keys and mouse", "What keys and mouse do"),
            Self::About => ("About Basin", "Version and licence"),
            Self::Run => ("Run", "Start the job that the form describes"),
        }
    }

    /// Text in the menu.
    pub fn text(self) -> &'static str {
        self.text_and_tooltip().0
    }

    /// What it does, in a sentence.
    pub fn tooltip(self) -> &'static str {
        self.text_and_tooltip().1
    }

    /// Its keys.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        let command = |key| Some(KeyboardShortcut::new(Modifiers::COMMAND, key));
        let command_shift = |key| Some(KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, key));
        match self {
            Self::OpenCheckpoint => command(Key::O),
            Self::OpenRecord => command_shift(Key::O),
            Self::Export => command(Key::E),
            Self::Quit => command(Key::Q),
            Self::Run => command(Key::Enter),
            Self::CopyCommandLine => command_shift(Key::C),
            Self::Camera(CameraPreset::Standard) => command(Key::Num1),
            Self::Camera(CameraPreset::Top) => command(Key::Num2),
            Self::Camera(CameraPreset::Front) => command(Key::Num3),
            Self::Camera(CameraPreset::Side) => command(Key::Num4),
            Self::Shortcuts => Some(KeyboardShortcut::new(Modifiers::NONE, Key::F1)),
            _ => None,
        }
    }
}
