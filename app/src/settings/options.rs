//! Options of the command line from the settings of a measure.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use basin_core::settings::{Format, Kind, Setting};
use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::Settings as _;
use super::{Given, Measure, may_stand_beside_name};

/// Which measure options are for.
pub trait Of {
    /// The measure.
    const MEASURE: Measure;
    /// Example of a name of the paper in place of its settings, and what is to be said of them; none: it takes none.
    const PRESET: Option<(&str, &str)>;
}

const PRESET: &str = "preset";

/// Options of a measure, as they are given.
#[derive(Debug)]
pub struct Options<M> {
    /// By the place of their setting.
    pub given: Given,
    /// A name of the paper in place of settings.
    pub preset: Option<String>,
    measure: PhantomData<M>,
}

macro_rules! measures {
    ($($name:ident $preset:expr),*) => { $(
        #[doc = concat!("Options of [`Measure::", stringify!($name), "`].")]
        #[derive(Debug)]
        pub struct $name;
        impl Of for $name {
            const MEASURE: Measure = Measure::$name;
            const PRESET: Option<(&str, &str)> = $preset;
        }
    )* };
}
measures!(
    Landscape None,
    Flatness Some((
        "weight_l2_random_nonorm2_e05_at50_test",
        ". Of the worst case on the clean loss, the weights that count are chosen exactly; with --bookkeeping paper as the original program did"
    )),
    Evaluate None,
    Attack Some(("input_linf_aa_standard_e00314", "")),
    Benchmark None
);

/// Whether a setting has an option of its own. What an evaluation looks at, and further attacks, are `--attack`.
fn is_option(setting: &Setting) -> bool {
    setting.flag.is_some() && setting.path != "attack" && setting.format != Format::Attacks
}

/// A command with the options of a measure.
pub fn augmented(command: Command, measure: Measure, preset: Option<(&str, &str)>) -> Command {
    let settings = || measure.settings().iter().filter(|setting| is_option(setting));
    let command = match preset {
        None => command,
        Some((example, more)) => {
            let replaced = settings().filter(|setting| !may_stand_beside_name(setting));
            let mut replaced: Vec<&str> = replaced.map(|setting| &*setting.path).collect();
            replaced.extend((measure == Measure::Flatness).then_some("attack"));
            let help = format!(
                "A name of the paper, such as {example}: it stands for all settings and images (--examples may replace the images){more}."
            );
            let preset = Arg::new(PRESET).long(PRESET).value_name("NAME").help(help);
            command.arg(preset.help_heading(measure.title()).conflicts_with_all(replaced))
        }
    };
    settings().fold(command, |command, setting| command.arg(argument(measure, setting)))
}

/// The settings that options give.
pub fn given(matches: &ArgMatches, measure: Measure) -> Given {
    let mut given = BTreeMap::new();
    for setting in measure.settings().iter().filter(|setting| is_option(setting)) {
        let path = setting.path.clone();
        if setting.kind == Kind::Switch {
            if matches.get_flag(&path) {
                given.insert(path, "true".to_owned());
            }
        } else if let Some(texts) = matches.get_many::<String>(&path) {
            let texts: Vec<&str> = texts.map(String::as_str).collect();
            given.insert(path, texts.join(","));
        }
    }
    given
}

impl<M: Of> Args for Options<M> {
    fn augment_args(command: Command) -> Command {
        augmented(command, M::MEASURE, M::PRESET)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<M: Of> FromArgMatches for Options<M> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let preset = M::PRESET.and_then(|_| matches.get_one::<String>(PRESET).cloned());
        Ok(Self { given: given(matches, M::MEASURE), preset, measure: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The option of a setting.
fn argument(measure: Measure, setting: &'static Setting) -> Arg {
    let flag = setting.flag.as_deref().unwrap_or_default();
    let heading = if setting.group.is_empty() { measure.title() } else { &*setting.group };
    let argument = Arg::new(&*setting.path).long(flag).help_heading(heading).help(help(setting));
    let argument = match &setting.kind {
        Kind::Choice(choices) => {
            let values = choices.iter().map(|choice| format!("- {}: {}", choice.name, choice.help));
            let values = values.collect::<Vec<_>>().join("\n");
            argument.long_help(format!("{}\n\n{values}", help(setting)))
        }
        _ => argument,
    };
    // The list of attacks has had two names.
    let argument =
        if setting.path == "attack.version" { argument.visible_alias("attacks") } else { argument };
    if setting.kind == Kind::Switch {
        return argument.action(ArgAction::SetTrue);
    }
    let read = move |text: &str| setting.read(text).map(|_| text.to_owned());
    // Numbers below 0 are refused by what they mean, and not as options that there are not.
    argument
        .action(if matches!(setting.kind, Kind::List(_)) { ArgAction::Append } else { ArgAction::Set })
        .value_name(value_name(setting))
        .allow_hyphen_values(matches!(setting.kind, Kind::Number | Kind::List(_)) || flag == "weight-box")
        .allow_negative_numbers(true)
        .value_parser(ValueParser::new(read))
        .conflicts_with_all((setting.path == "adversarial").then_some("attack"))
}

/// What a setting is, with what is usual.
fn help(setting: &Setting) -> String {
    let mut help = setting.help.replace('\n', " ");
    if help.ends_with('.') {
        help.pop();
    }
    let usual = match (&setting.usual, &setting.default) {
        _ if setting.kind == Kind::Switch => None,
        (Some(usual), _) => Some(usual.clone()),
        (None, Some(default)) if default.is_null() => Some(setting.nothing().to_owned()),
        (None, default) => default.as_ref().map(|default| setting.show(default)),
    };
    match usual {
        Some(usual) => format!("{help} [default: {usual}]"),
        None => help,
    }
}

/// What stands for the value in the help.
fn value_name(setting: &Setting) -> String {
    match &setting.kind {
        Kind::Integer => "N".to_owned(),
        Kind::Number => "X".to_owned(),
        Kind::Choice(choices) if choices.len() <= 4 => {
            choices.iter().map(|choice| &*choice.name).collect::<Vec<_>>().join("|")
        }
        Kind::List(item) if **item == Kind::Number => "X,…".to_owned(),
        Kind::List(_) => "NAME,…".to_owned(),
        _ => match setting.flag.as_deref() {
            Some("data") => "NAME|DIR".to_owned(),
            Some("examples" | "search-examples" | "statistics-examples") => "SPLIT:A..B".to_owned(),
            Some("trajectory") => "FOLDER".to_owned(),
            Some("range" | "second-range") => "X|FROM..TO".to_owned(),
            Some("adversarial") => "RECORD.json|FILE".to_owned(),
            Some("weight-box") => "MIN..MAX".to_owned(),
            Some("levels") => "on|off|SHORT,CLEAN".to_owned(),
            Some("version") => "VERSION|LIST".to_owned(),
            Some(flag) => flag.to_uppercase().replace('-', "_"),
            None => String::new(),
        },
    }
}
