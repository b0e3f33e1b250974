//! Ticks, numbers and the little mathematics of labels.

use basin::plot::ticks::{linear, logarithmic, readable, ticks};
use basin::plot::{Scale, Unit, text};

#[test]
fn ticks_are_round_and_as_short_as_can_be() {
    let say = |range, scale, unit| -> Vec<String> {
        ticks(range, scale, unit, 6)
            .into_iter()
            .map(|t| text::plain(&t.label))
            .filter(|l| !l.is_empty())
            .collect()
    };
    assert_eq!(say((-1.0, 1.0), Scale::Linear, Unit::One), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
    assert_eq!(
        say((0.0, 0.3), Scale::Linear, Unit::One),
        ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"]
    );
    assert_eq!(say((0.4, 1.0), Scale::Linear, Unit::Percent), ["40", "50", "60", "70", "80", "90", "100"]);
    assert_eq!(say((0.0, 3e6), Scale::Linear, Unit::One)[1], "5×10⁵");
    assert_eq!(
        say((0.008, 120.0), Scale::Log, Unit::One),
        ["10⁻²", "10⁻¹", "10⁰", "10¹", "10²"].map(|l| {
            // Few decades: plain numbers where they are short.
            match l {
                "10⁻²" => "0.01",
                "10⁻¹" => "0.1",
                "10⁰" => "1",
                "10¹" => "10",
                _ => "100",
            }
        })
    );
    assert_eq!(say((1e-6, 1.0), Scale::Log, Unit::One).first().map(String::as_str), Some("10⁻⁶"));
    assert_eq!(say((1.2, 14.0), Scale::Log, Unit::One), ["1.5", "2", "3", "4", "6", "8", "10"]);
    assert_eq!(linear(0.1, 0.7, 6), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], "without stray last bits");
    assert!(
        logarithmic(0.0, 1.0, 6).is_empty()
            && linear(1.0, 1.0, 6).is_empty()
            && linear(f64::NAN, 1.0, 6).is_empty()
    );
    assert_eq!(readable(-0.25), "−0.25");
    assert_eq!(readable(1.0e-7), "10⁻⁷");
    for n in 1..400 {
        let (low, high) = (-0.37 * f64::from(n), 1.1 * f64::from(n * n));
        let ticks = linear(low, high, 6);
        assert!((3..=7).contains(&ticks.len()), "{low}..{high}: {ticks:?}");
        assert!(ticks.iter().all(|t| (low..=high).contains(t)));
    }
}

#[test]
fn labels_know_a_little_mathematics() {
    assert_eq!(text::plain("$L_\\infty$, $\\epsilon=8/255$"), "L∞, ε=8/255");
    assert_eq!(text::plain("a_b^c 100$ \\$"), "a_b^c 100$ $", "outside of mathematics nothing is special");
    assert_eq!(text::plain("$10^{-2}$ and $x_1^2$"), "10⁻² and x₁²");
    let spans = text::spans("Loss $x$ at $\\xi$");
    assert_eq!(spans.iter().map(|s| s.italic).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(text::latex("50% of $\\xi_1$ & a_b −1"), "50\\% of $\\xi_{1}$ \\& a\\_b $-$1");
}
