//! The settings of a job as its types declare them: one list for flags, forms, job files and errors.
//!
//! Names, defaults and ranges are those of serde and of the attributes, helps are the doc comments. What a field says
//! besides is in `#[schemars(extend(…))]`:
//!
//! | key | meaning |
//! | --- | --- |
//! | `x-label` | name for people; else the name of the field |
//! | `x-flag` | long option of the command line, without dashes |
//! | `x-group` | heading of the settings inside, or of this one |
//! | `x-unit` | what a number is in |
//! | `x-hint` | what an empty text stands for |
//! | `x-usual` | the default in words, where it depends on other settings |
//! | `x-advanced` | rarely changed, with all that is inside |
//! | `x-segmented` | a choice that decides about the others |
//! | `x-format` | how it is written, see [`Format`] |
//! | `x-wanted` | what belongs there, in place of the usual words |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// A setting of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Where it is in the job, e.g. `attack.epsilon`.
    pub path: String,
    /// Long option of the command line, without dashes.
    pub flag: Option<String>,
    /// Name for people.
    pub label: String,
    /// What it is, in sentences.
    pub help: String,
    /// Heading of the settings that it belongs to; empty: those of the job itself.
    pub group: String,
    /// What a number is in.
    pub unit: Option<String>,
    /// What an empty text stands for.
    pub hint: Option<String>,
    /// Rarely changed.
    pub advanced: bool,
    /// A choice that decides about the others.
    pub segmented: bool,
    /// May be null.
    pub optional: bool,
    /// Value of a job that does not give it; none: it has to be given.
    pub default: Option<Value>,
    /// Its default in words, where it depends on other settings.
    pub usual: Option<String>,
    /// Least number.
    pub minimum: Option<f64>,
    /// What belongs there, if the kind does not say enough.
    pub wanted: Option<String>,
    /// What values it has.
    pub kind: Kind,
    /// How it is written.
    pub format: Format,
}

/// What values a setting has.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number of at least 0.
    Integer,
    /// A number.
    Number,
    /// A text; with names that are often meant.
    Text(Vec<Choice>),
    /// One of these names.
    Choice(Vec<Choice>),
    /// Several of the same kind.
    List(Box<Kind>),
    /// Settings of their own, or null.
    Group,
}

/// A value by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// In JSON and options.
    pub name: String,
    /// For people.
    pub label: String,
    /// What it means.
    pub help: String,
}

/// How a setting is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As its kind.
    #[default]
    Plain,
    /// A direction; a number alone is the seed of a random one.
    Direction,
    /// Levels of a multilevel estimate: `on`, `off`, or two numbers of draws.
    Levels,
    /// Attacks that differ from the first, separated by semicolons: `objective=dlr; restarts=5`.
    Attacks,
}

/// The schema of a type, with everything inside in place. It is made once: forms ask for it in every frame.
pub fn schema_of<T: JsonSchema>() -> Arc<Value> {
    static MADE: Mutex<BTreeMap<String, Arc<Value>>> = Mutex::new(BTreeMap::new());
    let make = || {
        let settings = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
        Arc::new(settings.into_generator().into_root_schema_for::<T>().to_value())
    };
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(T::schema_id().into_owned()).or_insert_with(make).clone()
}

/// The JSON schema (2020-12) of a type as a document of its own, for other programs: with a title, and definitions of what
/// it is made of. Keys that begin with `x-` are notes of Basin.
pub fn document_of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    schema
}

/// The settings of a job type, in the order of its fields. Of a choice with settings of its own those that `job` has,
/// and of groups that may be missing all.
pub fn settings_of<T: JsonSchema>(job: &Value) -> Vec<Setting> {
    let schema = schema_of::<T>();
    let mut walk = Walk { found: Vec::new() };
    walk.fields(&schema, Some(job), &Inherited::default());
    walk.found
}

/// What a setting has from where it is.
#[derive(Debug, Clone, Default)]
struct Inherited {
    path: String,
    group: String,
    default: Option<Value>,
    advanced: bool,
    /// Has to be given.
    required: bool,
}

struct Walk {
    found: Vec<Setting>,
}

impl Walk {
    /// The properties of an object.
    fn fields(&mut self, schema: &Value, value: Option<&Value>, inherited: &Inherited) {
        let Some(properties) = schema["properties"].as_object() else { return };
        for (name, field) in properties {
            if field.get("const").is_some() {
                continue;
            }
            let path =
                if inherited.path.is_empty() { name.clone() } else { format!("{}.{name}", inherited.path) };
            let default = inherited.default.as_ref().and_then(|default| default.get(name));
            let default = default.or_else(|| field.get("default")).cloned();
            let group = text(field, "x-group").unwrap_or_else(|| inherited.group.clone());
            let advanced = field["x-advanced"].as_bool().unwrap_or(inherited.advanced);
            let required =
                schema["required"].as_array().is_some_and(|names| names.contains(&name.as_str().into()));
            let inside = Inherited { path, group, default, advanced, required };
            self.field(name, field, value.and_then(|value| value.get(name)), &inside);
        }
    }

    fn field(&mut self, name: &str, field: &Value, value: Option<&Value>, at: &Inherited) {
        let (inner, optional) = without_null(field);
        let setting = |kind: Kind| Setting {
            path: at.path.clone(),
            flag: text(field, "x-flag"),
            label: text(field, "x-label").unwrap_or_else(|| label_of(name)),
            help: description(field),
            group: at.group.clone(),
            unit: text(field, "x-unit"),
            hint: text(field, "x-hint"),
            advanced: at.advanced,
            segmented: field["x-segmented"] == true,
            optional,
            default: at.default.clone().or_else(|| match kind {
                _ if optional => Some(Value::Null),
                _ if at.required => None,
                // What is left out while it is the default has none in the schema.
                Kind::Switch => Some(false.into()),
                Kind::List(_) => Some(Value::Array(Vec::new())),
                _ => None,
            }),
            usual: text(field, "x-usual"),
            minimum: inner["minimum"].as_f64().or(field["minimum"].as_f64()),
            wanted: text(field, "x-wanted"),
            kind,
            format: match field["x-format"].as_str() {
                Some("direction") => Format::Direction,
                Some("levels") => Format::Levels,
                Some("attacks") => Format::Attacks,
                _ => Format::Plain,
            },
        };
        if field.get("x-format").is_some() {
            self.found.push(setting(kind_of(inner).unwrap_or_else(|| Kind::Text(suggestions(field)))));
        } else if let Some(kind) = kind_of(inner) {
            self.found.push(setting(kind));
        } else if let Some(variants) = inner["oneOf"].as_array() {
            self.variants(variants, value, at, setting);
        } else {
            if optional {
                self.found.push(setting(Kind::Group));
            }
            let inside = Inherited { default: at.default.clone().filter(|d| !d.is_null()), ..at.clone() };
            self.fields(inner, value.filter(|value| !value.is_null()), &inside);
        }
    }

    /// A choice of which some values have settings of their own: with `kind`, or each in an object with its name.
    fn variants(
        &mut self,
        variants: &[Value],
        value: Option<&Value>,
        at: &Inherited,
        setting: impl Fn(Kind) -> Setting,
    ) {
        let tagged = variants.iter().any(|variant| variant["properties"]["kind"].get("const").is_some());
        let name = |variant: &Value| {
            let tag = if tagged { &variant["properties"]["kind"]["const"] } else { &variant["const"] };
            let only = || variant["properties"].as_object().and_then(|p| p.keys().next().cloned());
            tag.as_str().map(str::to_owned).or_else(only).unwrap_or_default()
        };
        let choice = |variant: &Value| Choice {
            label: text(variant, "title").unwrap_or_else(|| name(variant).replace(['-', '_'], " ")),
            name: name(variant),
            help: description(variant),
        };
        let mut setting = setting(Kind::Choice(variants.iter().map(choice).collect()));
        if tagged {
            setting.path += ".kind";
            setting.default = setting.default.map(|default| default["kind"].clone());
        }
        self.found.push(setting);
        let chosen = match value {
            Some(Value::Object(object)) if tagged => object.get("kind").and_then(Value::as_str),
            Some(Value::Object(object)) => object.keys().next().map(String::as_str),
            _ => None,
        };
        let Some(variant) = variants.iter().find(|variant| chosen == Some(&*name(variant))) else { return };
        // The defaults of the whole are another choice's, where this one is not the default.
        let usual = at.default.as_ref().filter(|default| match (default, value) {
            (default, Some(value)) if tagged => default.get("kind") == value.get("kind"),
            _ => true,
        });
        let inside = Inherited { default: usual.cloned(), ..at.clone() };
        self.fields(variant, value, &inside);
    }
}

/// The kind of a value without settings inside.
fn kind_of(schema: &Value) -> Option<Kind> {
    if let Some(variants) = schema["oneOf"].as_array() {
        let choices = variants.iter().map(|variant| {
            let name = variant["const"].as_str()?.to_owned();
            let label = text(variant, "title").unwrap_or_else(|| name.replace(['-', '_'], " "));
            Some(Choice { label, help: description(variant), name })
        });
        return choices.collect::<Option<_>>().map(Kind::Choice);
    }
    let kind = match &schema["type"] {
        Value::Array(types) => types.iter().find(|kind| *kind != "null")?.as_str()?,
        kind => kind.as_str()?,
    };
    match kind {
        "boolean" => Some(Kind::Switch),
        "integer" => Some(Kind::Integer),
        "number" => Some(Kind::Number),
        "string" => Some(Kind::Text(suggestions(schema))),
        "array" => {
            let item = schema.get("items").or_else(|| schema["prefixItems"].get(0))?;
            kind_of(item).map(|kind| Kind::List(Box::new(kind)))
        }
        _ => None,
    }
}

/// A schema without null, and whether null was possible.
fn without_null(schema: &Value) -> (&Value, bool) {
    if let Some(either) = schema["anyOf"].as_array()
        && let [inner, null] = either.as_slice()
        && null["type"] == "null"
    {
        return (inner, true);
    }
    let optional = schema["type"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "null"));
    (schema, optional)
}

fn suggestions(schema: &Value) -> Vec<Choice> {
    let pairs = schema["x-suggestions"].as_array().into_iter().flatten();
    pairs
        .filter_map(|pair| {
            let name = pair[0].as_str()?.to_owned();
            Some(Choice { label: name.clone(), name, help: pair[1].as_str()?.to_owned() })
        })
        .collect()
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema[key].as_str().map(str::to_owned)
}

/// A doc comment in one line per paragraph, without its marks of code and links.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n").replace(['`'], "")
}

/// `step_size` as `Step size`.
fn label_of(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect::<String>().replace('_', " ")
}

/// Gives a type that is written as text its schema, with other JSON types that are read, and names that are often meant.
macro_rules! written_as_text {
    ($type:ty, $name:literal $(or $other:literal)* $(, $value:literal => $help:literal)* $(,)?) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": ["string" $(, $other)*], "x-suggestions": [$([$value, $help]),*] })
            }
        }
    };
}
pub(crate) use written_as_text;
