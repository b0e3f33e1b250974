//! Tables that are written from the declarations of the settings: between `<!-- options: COMMAND -->`,
//! `<!-- options: COMMAND: HEADING -->`, `<!-- values: MEASURE: SETTING -->` or `<!-- settings: train -->` and
//! `<!-- end -->`. Options without a heading are those of the command that are not shared by all measures.

use basin::cli;
use basin::settings::{Measure, Settings as _};
use basin_core::job::Train;
use basin_core::settings::{Kind, settings_of};
use clap::{Arg, Command};

use super::{pages, short};

const SHARED: [&str; 4] = ["Networks of a training", "Input attack", "Images", "Computing"];
const OUTPUT: [&str; 4] = ["out", "force", "json", "dry-run"];

/// The table of a command's options, with a heading where there are several.
fn table(of: &str) -> String {
    let (name, only) = of.split_once(": ").map_or((of, None), |(name, only)| (name, Some(only)));
    let mut command = cli::command();
    command.build();
    let command = name.split(' ').fold(&command, |command: &Command, word| {
        command.find_subcommand(word).unwrap_or_else(|| panic!("there is no command {name}"))
    });
    let measures = command.get_arguments().any(|argument| argument.get_long() == Some("device"));
    let heading = |argument: &Arg| argument.get_help_heading().unwrap_or("Options").to_owned();
    let wanted = |argument: &&Arg| {
        let (Some(long), heading) = (argument.get_long(), heading(argument)) else { return false };
        let of_all = SHARED.contains(&&*heading) || OUTPUT.contains(&long) || long == "assume";
        let shown = only.map_or(!(measures && of_all), |only| heading == only);
        shown && !["help", "version"].contains(&long) && !argument.is_hide_set()
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(wanted).collect();
    assert!(!arguments.is_empty(), "{of} has no options");
    let mut headings: Vec<String> = Vec::new();
    for argument in &arguments {
        let heading = heading(argument);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let mut text = String::new();
    for of in &headings {
        if headings.len() > 1 {
            text += &format!("\n**{of}**\n");
        }
        text += "\n| option | default | meaning |\n| --- | --- | --- |\n";
        for argument in arguments.iter().filter(|argument| heading(argument) == *of) {
            text += &row(argument);
        }
    }
    text + "\n"
}

fn row(argument: &Arg) -> String {
    let long = argument.get_long().unwrap_or_default();
    let value = match argument.get_action().takes_values() {
        true => argument.get_value_names().and_then(|names| names.first()).map(|name| format!(" {name}")),
        false => None,
    };
    let long_help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string);
    let long_help = long_help.unwrap_or_default();
    let (help, choices) = long_help.split_once("\n\n- ").unwrap_or((&long_help, ""));
    let (help, default) = match help.split_once(" [default: ") {
        Some((help, default)) => {
            // Sentences may follow.
            let (default, rest) = default.split_once(']').unwrap_or((default, ""));
            (help.to_owned() + rest, default.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        None => {
            let of_clap = argument.get_default_values().iter().map(|value| value.to_string_lossy());
            (help.to_owned(), of_clap.collect::<Vec<_>>().join(", "))
        }
    };
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut help = if help.ends_with(['.', ':']) { help } else { help + "." };
    let mut choice = |name: &str, about: &str| {
        help += &format!("<br>`{name}`: {}", about.split_whitespace().collect::<Vec<_>>().join(" "));
    };
    for line in choices.split("\n- ").filter(|line| !line.is_empty()) {
        let (name, about) = line.split_once(": ").unwrap_or((line, ""));
        choice(name, about);
    }
    for value in argument.get_possible_values().iter().filter(|_| argument.get_action().takes_values()) {
        choice(value.get_name(), &value.get_help().map(ToString::to_string).unwrap_or_default());
    }
    let cell = |text: &str| text.replace('|', "\\|").replace(" <br>", "<br>");
    format!("| `--{long}{}` | {} | {} |\n", cell(&value.unwrap_or_default()), cell(&default), cell(&help))
}

/// The names that are often meant by a setting.
fn values(of: &str) -> String {
    let (measure, path) = of.split_once(": ").expect("a measure and a setting");
    let measure = Measure::ALL.iter().find(|known| known.name() == measure).expect("a measure");
    let setting = measure.setting(path).unwrap_or_else(|| panic!("{of} is no setting"));
    let (Kind::Text(choices) | Kind::Choice(choices)) = &setting.kind else { panic!("{of} has no names") };
    let rows = choices.iter().map(|choice| format!("| `{}` | {} |\n", choice.name, choice.help));
    format!("\n| value | meaning |\n| --- | --- |\n{}\n", rows.collect::<String>())
}

/// Every setting of a training by its path, as in the job file.
fn settings(_: &str) -> String {
    let usual = serde_json::json!(Train::default());
    let settings = settings_of::<Train>(&usual).into_iter().filter(|setting| setting.kind != Kind::Group);
    let rows = settings.map(|setting| {
        let default = setting.default.as_ref().filter(|default| !default.is_null() && **default != "");
        let default = default.map_or_else(|| "none".to_owned(), |default| setting.show(default));
        let help = setting.help.split_whitespace().collect::<Vec<_>>().join(" ");
        let choices = match &setting.kind {
            Kind::Choice(choices) => choices.as_slice(),
            _ => &[],
        };
        let choices = choices.iter().map(|choice| {
            let about = choice.help.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("<br>`{}`: {about}", choice.name)
        });
        format!(
            "| `{}` | {} | {} |\n",
            setting.path,
            default,
            (help + &choices.collect::<String>()).replace('|', "\\|")
        )
    });
    format!("\n| setting | default | meaning |\n| --- | --- | --- |\n{}\n", rows.collect::<String>())
}

#[test]
fn tables_of_options_are_those_of_the_command_line() {
    type Make = fn(&str) -> String;
    const MARKS: [(&str, Make); 3] =
        [("<!-- options: ", table), ("<!-- values: ", values), ("<!-- settings: ", settings)];
    let (mut old, mut found) = (Vec::new(), 0);
    for (path, text) in pages() {
        let mut new = text.clone();
        for (begin, make) in MARKS {
            let whole = std::mem::take(&mut new);
            let mut parts = whole.split(begin);
            new += parts.next().unwrap_or_default();
            for part in parts {
                let (of, rest) = part.split_once(" -->").expect("a marker ends with -->");
                let (_, after) = rest.split_once("<!-- end -->").expect("a table ends with <!-- end -->");
                new += &format!("{begin}{of} -->\n{}<!-- end -->{after}", make(of));
                found += 1;
            }
        }
        if new != text {
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, new).unwrap();
            } else {
                old.push(short(&path));
            }
        }
    }
    assert!(
        old.is_empty(),
        "options have changed: UPDATE_DOCS=1 cargo test writes the tables of {old:?} anew"
    );
    assert!(found > 5, "only {found} tables");
}
