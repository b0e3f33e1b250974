//! Which module may import which: the order that `core/src/lib.rs` documents, and no circles between files.
//!
//! Imports are the paths of `use` and of other code that begin with `crate`, `super`, `self` or a module beside them,
//! followed through re-exports to the file that defines the item. Code under `cfg(test)` is free.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use syn::visit::{self, Visit};

mod allowed;

/// Path of a module or an item from its crate's root.
type ItemPath = Vec<String>;

#[test]
fn modules_keep_the_documented_order_and_no_files_import_each_other() {
    let core = Package::read(&crate::root().join("core/src")).unwrap();
    let app = Package::read(&crate::root().join("app/src")).unwrap();
    let library = std::fs::read_to_string(crate::root().join("core/src/lib.rs")).unwrap();
    let order = Order::parse(&library).unwrap();
    let mut wrong = order.violations(&core, allowed::AGAINST_THE_ORDER);
    wrong.extend(circles(order.kept(core.needs()), "core/src", allowed::CIRCLES_OF_CORE));
    wrong.extend(circles(app.needs(), "app/src", allowed::CIRCLES_OF_APP));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// One import: from which module's file, along which path, and whether it only re-exports.
struct Import {
    from: ItemPath,
    path: ItemPath,
    reexport: bool,
}

/// What the source of one crate says about its modules.
#[derive(Default)]
struct Package {
    /// File of each module, as a path below `src`.
    files: HashMap<ItemPath, String>,
    /// Names that a module defines itself.
    defined: HashMap<ItemPath, BTreeSet<String>>,
    /// Names that a module has from elsewhere, and where from.
    aliases: HashMap<ItemPath, HashMap<String, ItemPath>>,
    /// Modules of which a module has every name.
    globs: HashMap<ItemPath, Vec<ItemPath>>,
    imports: Vec<Import>,
}

impl Package {
    /// Reads all files below `source` but `main.rs`, a crate of its own.
    fn read(source: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        rust_files(source, &mut paths)?;
        let mut files = Vec::new();
        for path in paths {
            let below = path.strip_prefix(source).expect("found below it").to_owned();
            if below.as_os_str() != "main.rs" {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                files.push((below.display().to_string(), text));
            }
        }
        Self::parse(&files)
    }

    fn parse(files: &[(String, String)]) -> Result<Self> {
        let mut package = Self::default();
        let mut parsed = Vec::new();
        for (name, text) in files {
            let syntax = syn::parse_file(text).with_context(|| format!("cannot parse {name}"))?;
            let module = module_of(name);
            package.declare(&module, name, &syntax.items);
            parsed.push((module, syntax));
        }
        // All modules must be known before the first segment of a path can be told apart from another crate.
        for (module, syntax) in &parsed {
            Reader { package: &mut package, module: module.clone() }.visit_file(syntax);
        }
        Ok(package)
    }

    fn declare(&mut self, module: &ItemPath, file: &str, items: &[syn::Item]) {
        self.files.insert(module.clone(), file.to_owned());
        for item in items {
            let name = match item {
                syn::Item::Const(item) => &item.ident,
                syn::Item::Enum(item) => &item.ident,
                syn::Item::Fn(item) => &item.sig.ident,
                syn::Item::Static(item) => &item.ident,
                syn::Item::Struct(item) => &item.ident,
                syn::Item::Trait(item) => &item.ident,
                syn::Item::Type(item) => &item.ident,
                syn::Item::Union(item) => &item.ident,
                syn::Item::Mod(item) if !is_test(&item.attrs) => {
                    if let Some((_, items)) = &item.content {
                        self.declare(&joined(module, &item.ident.to_string()), file, items);
                    }
                    continue;
                }
                _ => continue,
            };
            self.defined.entry(module.clone()).or_default().insert(name.to_string());
        }
    }

    /// The module that defines what a path means; the last module on it if that cannot be told.
    fn resolve(&self, path: &[String], depth: usize) -> ItemPath {
        let modules = (0..=path.len()).take_while(|&n| self.files.contains_key(&path[..n])).count() - 1;
        let (module, rest) = path.split_at(modules);
        let Some(name) = rest.first().filter(|_| depth < 16) else { return module.to_vec() };
        if self.defined.get(module).is_some_and(|names| names.contains(name)) {
            return module.to_vec();
        }
        if let Some(target) = self.aliases.get(module).and_then(|names| names.get(name)) {
            return self.resolve(&[target, &rest[1..]].concat(), depth + 1);
        }
        for glob in self.globs.get(module).into_iter().flatten() {
            let found = self.resolve(&joined(glob, name), depth + 1);
            if self.defined.get(&found).is_some_and(|names| names.contains(name)) {
                return found;
            }
        }
        module.to_vec()
    }

    /// Which files each file needs. A re-export needs nothing itself.
    fn needs(&self) -> Needs {
        let mut needs = Needs::new();
        for import in self.imports.iter().filter(|import| !import.reexport) {
            let (from, to) = (&self.files[&import.from], &self.files[&self.resolve(&import.path, 0)]);
            if from != to {
                needs.entry(from.clone()).or_default().insert(to.clone());
            }
        }
        needs
    }
}

/// Files by the file that needs them.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// Collects the imports of one file.
struct Reader<'a> {
    package: &'a mut Package,
    module: ItemPath,
}

impl Reader<'_> {
    /// The path from the crate's root; none for other crates.
    fn absolute(&self, segments: &[String]) -> Option<ItemPath> {
        let mut base = self.module.clone();
        let mut rest = segments;
        match rest.first()?.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
                return Some([&base, rest].concat());
            }
            first if self.package.files.contains_key(&joined(&base, first)) => {
                return Some([&base, rest].concat());
            }
            _ => return None,
        }
        Some([&base, &rest[1..]].concat())
    }

    fn import(&mut self, segments: &[String], reexport: bool) {
        if let Some(path) = self.absolute(segments) {
            self.package.imports.push(Import { from: self.module.clone(), path, reexport });
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String], reexport: bool) {
        let named = |segments: ItemPath, name: String, reader: &mut Self| {
            reader.import(&segments, reexport);
            if let Some(path) = reader.absolute(&segments) {
                reader.package.aliases.entry(reader.module.clone()).or_default().insert(name, path);
            }
        };
        match tree {
            syn::UseTree::Path(path) => {
                self.tree(&path.tree, &joined(before, &path.ident.to_string()), reexport);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(item, before, reexport));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                named(before.to_vec(), before.last().cloned().unwrap_or_default(), self);
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                named(joined(before, &name), name, self);
            }
            syn::UseTree::Rename(rename) => {
                named(joined(before, &rename.ident.to_string()), rename.rename.to_string(), self);
            }
            syn::UseTree::Glob(_) => {
                self.import(before, reexport);
                if let Some(path) = self.absolute(before) {
                    self.package.globs.entry(self.module.clone()).or_default().push(path);
                }
            }
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if !is_test(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments: ItemPath = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.import(&segments, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &syn::Macro) {
        // Tokens stand apart: `crate :: error :: Error`.
        let text = item.tokens.to_string();
        let tokens: Vec<&str> = text.split_whitespace().collect();
        for at in 0..tokens.len() {
            if matches!(tokens[at], "crate" | "super") && (at == 0 || tokens[at - 1] != "::") {
                let pairs = tokens[at + 1..].chunks_exact(2).take_while(|pair| pair[0] == "::");
                let rest = pairs.map(|pair| pair[1].to_owned());
                self.import(&[tokens[at].to_owned()].into_iter().chain(rest).collect::<ItemPath>(), false);
            }
        }
        visit::visit_macro(self, item);
    }
}

/// The order of the top modules: how far right each stands. Modules separated by a comma stand level.
struct Order(BTreeMap<String, usize>);

impl Order {
    /// From the text block of the crate's documentation that has `<` between modules.
    fn parse(library: &str) -> Result<Self> {
        let documentation: Vec<&str> =
            library.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let documentation = documentation.join("\n");
        let Some(order) = documentation.split("```").skip(1).step_by(2).find(|block| block.contains('<'))
        else {
            bail!(
                "the documentation of core/src/lib.rs has no order of modules (a text block `a, b < c < d`)"
            );
        };
        let order = order.strip_prefix("text").unwrap_or(order);
        let mut places = BTreeMap::new();
        for (place, level) in order.split('<').enumerate() {
            for name in level.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                places.insert(name.to_owned(), place);
            }
        }
        Ok(Self(places))
    }

    /// Imports from the left to the right that are not allowed, and allowed ones that do not exist.
    fn violations(&self, package: &Package, allowed: &[(&str, &str)]) -> Vec<String> {
        let modules: BTreeSet<&String> = package.files.keys().filter_map(|path| path.first()).collect();
        let mut wrong: Vec<String> = Vec::new();
        for module in modules.iter().filter(|module| !self.0.contains_key(**module)) {
            wrong.push(format!("core/src/lib.rs: the documented order lacks {module}; give it a place"));
        }
        for name in self.0.keys().filter(|name| !modules.contains(name)) {
            wrong.push(format!(
                "core/src/lib.rs: the documented order has {name}, which is no module; remove it"
            ));
        }
        let mut found: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for import in &package.imports {
            let target = match import.path.first() {
                Some(first) if modules.contains(first) => first.clone(),
                // A name of the crate's root.
                _ => package.resolve(&import.path, 0).first().cloned().unwrap_or_default(),
            };
            let (Some(from), Some((to, place))) = (import.from.first(), self.0.get_key_value(&target)) else {
                continue;
            };
            if self.0.get(from).is_some_and(|own| own < place) {
                found.entry((from, to)).or_default().insert(&package.files[&import.from]);
            }
        }
        for ((from, to), files) in &found {
            if !allowed.contains(&(from, to)) {
                let files: Vec<&str> = files.iter().copied().collect();
                wrong.push(format!(
                    "core/src/{}: {from} imports {to}, which stands to its right in the order of core/src/lib.rs",
                    files.join(", core/src/")
                ));
            }
        }
        for (from, to) in allowed.iter().filter(|pair| !found.contains_key(*pair)) {
            wrong.push(stale(&format!("(\"{from}\", \"{to}\")")));
        }
        wrong
    }

    /// Without imports against the order, which are told as such, not as circles.
    fn kept(&self, mut needs: Needs) -> Needs {
        let place = |file: &str| module_of(file).first().and_then(|module| self.0.get(module)).copied();
        for (from, all) in &mut needs {
            all.retain(|to| place(from) >= place(to));
        }
        needs
    }
}

/// Circles of imports between files that remain without the allowed imports, and allowed ones that close no circle.
fn circles(mut needs: Needs, folder: &str, allowed: &[(&str, &str)]) -> Vec<String> {
    let cut = |needs: &mut Needs, (from, to): (&str, &str)| {
        needs.get_mut(from).is_some_and(|targets| targets.remove(to))
    };
    let cut_before: Vec<bool> = allowed.iter().map(|&edge| cut(&mut needs, edge)).collect();
    let mut wrong = Vec::new();
    for (&(from, to), existed) in allowed.iter().zip(cut_before) {
        if !existed || way(&needs, to, from).is_none() {
            wrong.push(stale(&format!("(\"{from}\", \"{to}\")")));
        }
    }
    let mut edges: Vec<(String, String)> =
        needs.iter().flat_map(|(from, all)| all.iter().map(|to| (from.clone(), to.clone()))).collect();
    // Of a circle, the import of a module by one of its parts is most often the one to go.
    edges.sort_by_key(|(from, to)| !is_part(from, to));
    for (from, to) in &edges {
        if let Some(files) = way(&needs, to, from) {
            wrong.push(format!("{folder}: circle of imports: {from} -> {}", files.join(" -> ")));
            // Each circle is told once.
            cut(&mut needs, (from, to));
        }
    }
    wrong
}

/// Whether a file belongs to the module of another, which is a `mod.rs`.
fn is_part(file: &str, module: &str) -> bool {
    module.strip_suffix("mod.rs").is_some_and(|folder| file.starts_with(folder))
}

fn stale(entry: &str) -> String {
    format!("xtask/src/modules/allowed.rs: {entry} is needed no longer; remove it")
}

/// The shortest way from a file to another that it needs, both included.
fn way(needs: &Needs, from: &str, to: &str) -> Option<Vec<String>> {
    let mut reached = vec![(from, None)];
    let mut known = BTreeSet::from([from]);
    let mut next = 0;
    while let Some(&(at, _)) = reached.get(next) {
        if at == to {
            let steps = std::iter::successors(Some(next), |&step| reached[step].1);
            let mut files: Vec<String> = steps.map(|step| reached[step].0.to_owned()).collect();
            files.reverse();
            return Some(files);
        }
        for after in needs.get(at).into_iter().flatten() {
            if known.insert(after) {
                reached.push((after, Some(next)));
            }
        }
        next += 1;
    }
    None
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The module of a file below `src`.
fn module_of(file: &str) -> ItemPath {
    let mut path: ItemPath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib")) {
        path.pop();
    }
    path
}

fn joined(path: &[String], name: &str) -> ItemPath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|argument| argument.is_ident("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &str)]) -> Package {
        let files: Vec<_> = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        Package::parse(&files).unwrap()
    }

    const ORDER: &str = "//! About.\n//!\n//! ```text\n//! low, base < middle\n//!     < high\n//! ```\n";

    #[test]
    fn an_import_from_the_right_is_found_however_it_is_written() {
        let order = Order::parse(ORDER).unwrap();
        for import in [
            "use crate::high::Thing;",
            "use crate::{base::Other, high::{self as above}};",
            "fn f() { crate::high::g() }",
            "fn f(x: &super::high::Thing) {}",
            "fn f() { println!(\"{}\", crate::high::g()) }",
            "use crate::Thing;",
        ] {
            let found = package(&[
                ("lib.rs", "mod low; mod base; mod middle; mod high; pub use high::Thing;"),
                ("low.rs", import),
                ("base.rs", "pub struct Other;"),
                ("middle/mod.rs", "use crate::low::X; use super::base::Other;"),
                ("high.rs", "pub struct Thing; pub fn g() {}"),
            ]);
            let wrong = order.violations(&found, &[]);
            let expected = "core/src/low.rs: low imports high, which stands to its right in the order of core/src/lib.rs";
            assert_eq!(wrong, [expected], "{import}");
            assert!(order.violations(&found, &[("low", "high")]).is_empty());
            assert_eq!(
                order.violations(&found, &[("low", "high"), ("base", "high")]).len(),
                1,
                "stale entries"
            );
        }
    }

    #[test]
    fn tests_and_the_level_of_a_comma_are_free() {
        let order = Order::parse(ORDER).unwrap();
        let found = package(&[
            ("lib.rs", ""),
            ("low.rs", "use crate::base::X; #[cfg(test)] mod tests { use crate::high::Y; }"),
            ("base.rs", ""),
            ("middle.rs", ""),
            ("high.rs", ""),
        ]);
        assert_eq!(order.violations(&found, &[]), Vec::<String>::new());
    }

    #[test]
    fn every_module_has_a_place() {
        let found =
            package(&[("lib.rs", ""), ("low.rs", ""), ("base.rs", ""), ("new.rs", ""), ("high.rs", "")]);
        let wrong = Order::parse(ORDER).unwrap().violations(&found, &[]);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("lacks new") && wrong[1].contains("has middle"), "{wrong:?}");
        assert!(Order::parse("//! No order.\n").is_err());
    }

    #[test]
    fn circles_are_found_and_allowed_one_import_at_a_time() {
        let found = package(&[
            ("lib.rs", "mod a; mod b;"),
            // Parts of a module may use each other through it; it only re-exports.
            ("a/mod.rs", "mod one; mod two; pub use one::One; pub use two::*;"),
            ("a/one.rs", "use super::Two; pub struct One;"),
            ("a/two.rs", "use crate::b::B; pub struct Two;"),
            ("b.rs", "use crate::a::One; pub struct B;"),
        ]);
        let wrong = circles(found.needs(), "src", &[]);
        assert_eq!(wrong, ["src: circle of imports: a/one.rs -> a/two.rs -> b.rs -> a/one.rs"]);
        assert_eq!(circles(found.needs(), "src", &[("b.rs", "a/one.rs")]), Vec::<String>::new());
        let stale = circles(found.needs(), "src", &[("b.rs", "a/one.rs"), ("a/two.rs", "b.rs")]);
        assert_eq!(stale.len(), 2, "one of both is enough: {stale:?}");
        let stale = circles(found.needs(), "src", &[("b.rs", "a/one.rs"), ("b.rs", "a/two.rs")]);
        assert!(stale.len() == 1 && stale[0].contains("needed no longer"), "{stale:?}");
    }
}
