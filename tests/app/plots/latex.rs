//! Labels as LaTeX source: as in the other formats, and compiling whatever is in them.

use basin::plot::export::{self, FigureStyle, FileKind};
use basin::plot::landscape::{self, Named, Options};
use basin::plot::text::{latex, literal, plain, unknown_to_latex};
use basin_core::record::Record;

use super::sample;

/// What people write, and what LaTeX gets.
const WRITTEN: [(&str, &str); 26] = [
    ("AT ε=8/255 ≤ ∞", "AT $\\varepsilon$=8/255 $\\le$ $\\infty$"),
    ("$100%$ robust", "$100\\%$ robust"),
    ("$a&b#c$ & #1", "$a\\&b\\#c$ \\& \\#1"),
    ("50% of $\\xi_1$ & a_b −1", "50\\% of $\\xi_{1}$ \\& a\\_b $-$1"),
    ("$2\\times10^{-5}$", "$2\\times10^{-5}$"),
    ("$\\alpha x$ and $\\alpha2$", "$\\alpha x$ and $\\alpha2$"),
    ("$x_1^2$", "$x_{1}^{2}$"),
    ("$x_1^2_3$", "$x_{1}^{2}{}_{3}$"),
    ("$x''^2$", "$x{'}{'}^{2}$"),
    ("$x^$ and $_$", "$x$ and "),
    ("${a$ and $b}$ and $}{$", "$a$ and $b$ and "),
    ("$\\mathcal{L}_{adv}$", "$\\mathcal{L}_{adv}$"),
    ("$L_\\mathrm{adv}$", "$L_{\\mathrm{adv}}$"),
    ("$\\foo{x}$", "$\\mathrm{foo}x$"),
    ("$a\\,b\\%\\{\\}\\_$", "$a\\ b\\%\\{\\}\\_$"),
    ("$\\$5~x\\backslash$", "$\\$5\\sim x\\mathrm{backslash}$"),
    (
        "a~b^c\\d{e}`f`",
        "a\\textasciitilde{}b\\textasciicircum{}c\\textbackslash{}d\\{e\\}\\textasciigrave{}f\\textasciigrave{}",
    ),
    ("at--es,,b<<c>>''", "at-{}-es,{},b<{}<c>{}>'{}'"),
    ("100$ or $5", "100$ or $5"),
    ("100 \\$", "100 \\$"),
    ("Größe “naïve”…", "Größe “naïve”\\dots{}"),
    ("10⁻² m²", "10$^{-}$$^{2}$ m$^{2}$"),
    ("$ε≤é$", "$\\varepsilon\\le\\mbox{é}$"),
    ("a\nb\tc\u{7}d", "a b c d"),
    ("a − b – c — d", "a $-$ b -- c --- d"),
    ("$a^b_c$%", "$a^{b}_{c}$\\%"),
];

#[test]
fn every_label_is_sound_latex() {
    for (label, source) in WRITTEN {
        if label == "100$ or $5" {
            // Between two dollar signs is mathematics, here as in LaTeX.
            assert_eq!(latex(label), "100$or$5");
            assert_eq!(latex(&literal(label)), "100\\$ or \\$5");
            continue;
        }
        assert_eq!(latex(label), source, "{label}");
        assert_eq!(unknown_to_latex(label).count(), 0, "{label}");
    }
    assert_eq!(unknown_to_latex("模型 a, $模$, Ħ").collect::<String>(), "模型模Ħ");
    assert_eq!(plain("$\\mathcal{L}_{\\mathrm{adv}}\\,x\\%$ \u{1b}[0m"), "Ladv x%  [0m");
}

/// A landscape with these words as title and name.
fn figure(label: &str) -> basin::plot::Plot {
    let record = sample("landscape-1d.json");
    let named = [Named { name: label, record: &record }, Named { name: "other", record: &record }];
    landscape::plot(&named, &Options { title: Some(label.to_owned()), ..Options::default() }).expect("curves")
}

#[test]
fn characters_that_latex_lacks_are_told_and_defined() {
    let plot = figure("对抗 AT");
    let tex = export::to_tex(&plot, &FigureStyle::default());
    assert!(tex.contains("\\DeclareUnicodeCharacter{5BF9}{?}"), "{tex}");
    let notes = export::notes(&plot, &FigureStyle::default(), FileKind::Tex);
    assert!(notes.len() == 1 && notes[0].starts_with("LaTeX has no 对 抗 in its usual fonts"), "{notes:?}");
    assert_eq!(export::notes(&figure("AT ε"), &FigureStyle::default(), FileKind::Tex), [""; 0]);
}

/// Where there is a pdflatex, everything above goes through it.
#[test]
fn pdflatex_compiles_every_label() {
    let Ok(found) = std::process::Command::new("pdflatex").arg("--version").output() else { return };
    assert!(found.status.success(), "{found:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let all: Vec<&str> = WRITTEN.iter().map(|(label, _)| *label).chain(["对抗 模型 Ħ"]).collect();
    let record = sample("landscape-1d.json");
    let named: Vec<Named<'_>> = all.iter().map(|name| Named { name, record: &record as &Record }).collect();
    let options = Options { title: Some(all[..6].join(" ")), ..Options::default() };
    let plot = landscape::plot(&named, &options).expect("curves");
    for (name, style) in [("serif", FigureStyle::default()), ("sans", export::Preset::Slide.style())] {
        let file = folder.path().join(format!("{name}.tex"));
        export::write(&plot, &style, &file).expect("written");
        let run = std::process::Command::new("pdflatex")
            .args(["-interaction=nonstopmode", "-halt-on-error", file.to_str().expect("UTF-8")])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&run.stdout);
        let wrong: Vec<&str> = said.lines().skip_while(|line| !line.starts_with('!')).take(8).collect();
        assert!(run.status.success(), "{name}: {}", wrong.join("\n"));
        if let Some(keep) = std::env::var_os("BASIN_PICTURES") {
            let to = std::path::Path::new(&keep).join(format!("latex-{name}.pdf"));
            std::fs::copy(file.with_extension("pdf"), to).expect("copied");
        }
    }
}
