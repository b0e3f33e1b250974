//! `basin report`: one file with everything about a study.

use basin::plot::export::{Anchor, FontFamily, Preset, Scene, text_width};
use basin::report::{Block, Document, Table, pages};

use crate::support::program::Basin;

/// A study of eight models by their numbers, one with a name that is markup.
fn numbers() -> Basin {
    let basin = Basin::new();
    let model = |i: usize| {
        let (x, y) = (0.1 * (i + 1) as f64, 1.0 + 0.2 * i as f64 + 0.1 * (i * 5 % 3) as f64);
        let name = if i == 3 { "m & <b>3</b>".to_owned() } else { format!("m{i}") };
        let group = ["AT", "TRADES"][i / 4];
        format!(
            r#"{{"name": "{name}", "group": "{group}", "numbers": {{"average_flatness@0.5": {x}, "robust_loss": {y},
                "robust_gap": {}, "autoattack_error": {}}}}}"#,
            y - 0.9,
            0.5 + 0.01 * i as f64
        )
    };
    let models: Vec<String> = (0..8).map(model).collect();
    std::fs::create_dir(basin.path("s")).unwrap();
    basin.write("s/study.json", format!("{{\"format\": 1, \"models\": [{}]}}", models.join(",\n")));
    basin
}

#[test]
fn a_report_is_one_file_with_tables_figures_and_commands() {
    let basin = numbers();
    let told = basin.ok(&["report", "s", "--out", "r.html", "--title", "Small & flat"]).err;
    assert!(told.contains("written: r.html (3 figures)"), "{told}");
    let html = basin.read("r.html");
    for part in [
        "<h1>Small &amp; flat</h1>",
        "8 models of 0 trainings, with 0 records and 32 numbers from tables. Models by group: AT 4, TRADES 4.",
        "<td>m &amp; &lt;b&gt;3&lt;/b&gt;</td>",
        "basin plot s --y gap --out figure.pdf",
        "Over 8 models: Pearson ",
        "8 models are few",
        "not measured (worst flatness)",
        "there are no landscapes",
        "<h2>Provenance</h2>",
        "basin study measure s",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!((html.matches("<svg ").count(), html.matches("@font-face").count()), (3, 3));
    assert!(
        !html.contains("<b>3") && !html.contains("src=\"http") && !html.contains("href"),
        "nothing from outside"
    );
    // Every clip path has a name of its own.
    let mut names: Vec<&str> =
        html.split("<clipPath id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(count >= 3 && names.len() == count, "{names:?}");
    basin.ok(&["report", "s", "--out", "again.html", "--title", "Small & flat"]);
    assert_eq!(html, basin.read("again.html"));

    basin.ok(&["report", "s", "--out", "r.pdf"]);
    let pdf = std::fs::read(basin.path("r.pdf")).unwrap();
    let count = |needle: &[u8]| pdf.windows(needle.len()).filter(|window| *window == needle).count();
    assert!(pdf.starts_with(b"%PDF-") && count(b"/Type /Page\n") >= 3, "{} pages", count(b"/Type /Page\n"));
    assert!(count(b"/FontFile3") >= 3 && count(b"/Subtype /Image") == 0, "text as text");
}

#[test]
fn what_cannot_be_reported_is_told() {
    let basin = numbers();
    basin.refused(&["report", "s", "--out", "r.docx"], &["r.docx: has an ending", ".pdf or .html"]);
    basin.refused(&["report", "nowhere", "--out", "r.pdf"], &["nowhere: does not exist"]);
    basin.misused(&["report", "s"], &["--out"]);
    std::fs::create_dir(basin.path("empty")).unwrap();
    basin.write("empty/study.json", r#"{"format": 1}"#);
    basin.refused(&["report", "empty", "--out", "r.pdf"], &["empty is a study without models"]);
    assert!(!basin.path("r.pdf").exists());
}

/// Left and right end of every text of a page, with its baseline and words.
fn texts(page: &Scene) -> Vec<(f64, f64, f64, String)> {
    let of = |text: &basin::plot::export::Text| {
        let width = text_width(&text.label, text.family.unwrap_or(FontFamily::Serif), text.size);
        let left = match text.anchor {
            Anchor::Start => text.at[0],
            Anchor::Middle => text.at[0] - width / 2.0,
            Anchor::End => text.at[0] - width,
        };
        (left, left + width, text.at[1], text.label.clone())
    };
    page.texts().map(of).collect()
}

#[test]
fn words_and_tables_stay_on_their_pages() {
    let long = "resnet18_at_linf_gd_normalized_lr0007_mom0_i7_f100_ls01_".repeat(3);
    let table = |columns: usize, rows: usize| {
        let header = (0..columns).map(|i| format!("Robust error, AutoAttack {i} (%)")).collect();
        let row = |r: usize| {
            (0..columns).map(|c| if c == 0 { format!("{long}{r}") } else { format!("{r}.{c}") }).collect()
        };
        Block::Table(Table { header, rows: (0..rows).map(row).collect() })
    };
    let document = Document {
        title: long.clone(),
        about: vec!["2000-01-01".into()],
        blocks: vec![
            Block::Heading("Models".into()),
            table(9, 120),
            Block::Text(format!("ε = 8/255, λ and ξ: {}", "words and words ".repeat(200))),
            Block::List(vec![long.clone(), "short".into()]),
            Block::Warning(long.clone()),
            Block::Command(format!("basin plot {long} --out x.pdf")),
            table(2, 3),
        ],
    };
    let pages = pages(&document, &Preset::Neurips.style());
    assert!(pages.len() > 3, "{} pages", pages.len());
    for (number, page) in pages.iter().enumerate() {
        let all = texts(page);
        for (i, (left, right, y, words)) in all.iter().enumerate() {
            let inside = *left >= 50.0 && *right <= page.width - 50.0 && *y > 50.0 && *y < page.height - 20.0;
            assert!(inside, "page {}: {words:?} from {left} to {right} at {y}", number + 1);
            let touching =
                all[..i].iter().find(|(l, r, other, _)| (other - y).abs() < 5.0 && left < r && l < right);
            assert!(touching.is_none(), "page {}: {words:?} covers {touching:?}", number + 1);
        }
    }
    // The header stands on every page of its table.
    let headers = pages.iter().filter(|page| page.texts().any(|text| text.label == "Robust")).count();
    assert!(headers > 2, "{headers}");
}
