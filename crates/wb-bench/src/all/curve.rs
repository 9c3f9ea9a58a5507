//! Growth curves as pictures: hand-written SVG with logarithmic axes.

use std::fmt::Write as _;

use super::figure::Figure;
use super::figures::{CROWD_NEWS, IMPORT, ONE, START, T1, T1_MEMORY, T2, TRUST};
use super::sheet::{Row, Sheet};
use crate::number::grouped;
use crate::spread::Spread;

/// Size of a picture, and of the room for its words, in points.
/// Wide enough for half of the last number below the curve.
const WIDTH: f64 = 652.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 36.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 46.0;

/// One picture.
struct Picture {
    file: &'static str,
    title: &'static str,
    across: &'static str,
    /// Ours, with its colour; the limit of the first is drawn as well.
    lines: &'static [(Figure, &'static str)],
}

const RATES: Picture = Picture {
    file: "curve-bootstrap.svg",
    title: "Records a second into an empty node",
    across: "records",
    lines: &[(T1, "#1b6e3c"), (IMPORT, "#7a4bb5")],
};
const CHANGES: Picture = Picture {
    file: "curve-changes.svg",
    title: "Milliseconds that do not have to grow",
    across: "records held",
    lines: &[(T2, "#1b6e3c"), (ONE, "#7a4bb5"), (START, "#b5541b")],
};
const MEMORY: Picture = Picture {
    file: "curve-memory.svg",
    title: "Peak memory of a node that takes N records, in MiB",
    across: "records",
    lines: &[(T1_MEMORY, "#1b6e3c")],
};
const INSTANCES: Picture = Picture {
    file: "curve-instances.svg",
    title: "Milliseconds with many instances",
    across: "instances",
    lines: &[(TRUST, "#1b6e3c"), (CROWD_NEWS, "#7a4bb5")],
};
const LIMIT_COLOUR: &str = "#8a8a8a";

/// Each picture with the name of its file.
pub fn curves(sheet: &Sheet) -> Vec<(&'static str, String)> {
    [RATES, CHANGES, MEMORY, INSTANCES]
        .iter()
        .filter_map(|picture| Some((picture.file, draw(picture, sheet)?)))
        .collect()
}

struct Curve {
    name: String,
    colour: &'static str,
    dashed: bool,
    points: Vec<(f64, Spread)>,
}

/// None where nothing was measured.
fn draw(picture: &Picture, sheet: &Sheet) -> Option<String> {
    let rows = sheet.rows();
    let mut curves = Vec::new();
    for (nth, (figure, colour)) in picture.lines.iter().enumerate() {
        let of = |value: fn(&Row) -> Option<Spread>| -> Vec<(f64, Spread)> {
            let own = rows.iter().filter(|row| row.figure.id == figure.id);
            own.filter_map(|row| Some((row.n? as f64, value(row)?)))
                .collect()
        };
        if nth == 0 && !figure.limit.is_empty() {
            curves.push(Curve {
                name: figure.limit.to_owned(),
                colour: LIMIT_COLOUR,
                dashed: true,
                points: of(Row::limit),
            });
        }
        curves.push(Curve {
            name: figure.what.to_owned(),
            colour,
            dashed: false,
            points: of(Row::ours),
        });
    }
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let across = Axis::of(points().map(|(n, _)| *n), LEFT, WIDTH - RIGHT)?;
    let up = Axis::of(
        points().flat_map(|(_, spread)| [spread.min, spread.max]),
        HEIGHT - BOTTOM,
        TOP,
    )?;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"14\" fill=\"#222222\">{0}</text>\n",
        picture.title
    );
    grid(&mut svg, &across, &up, picture.across);
    for (nth, curve) in curves.iter().enumerate() {
        line(&mut svg, curve, nth, &across, &up);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// From decade to decade.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let logs: Vec<f64> = values.filter(|v| *v > 0.0).map(f64::log10).collect();
        let low = logs.iter().copied().reduce(f64::min)?.floor();
        let high = logs.iter().copied().reduce(f64::max)?.ceil();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the logarithm of a measurement"
        )]
        let (low, high) = (low as i32, high as i32);
        Some(Self {
            low,
            high: high.max(low + 1),
            from,
            to,
        })
    }

    fn place(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let share = (value.max(f64::MIN_POSITIVE).log10() - low) / (high - low);
        self.from + share * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10_f64.powi(power))
    }
}

fn grid(svg: &mut String, across: &Axis, up: &Axis, what: &str) {
    for value in across.decades() {
        let x = across.place(value);
        let (bottom, below) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 16.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\" fill=\"#444444\">{}</text>",
            label(value)
        );
    }
    for value in up.decades() {
        let (y, right, beside) = (up.place(value), WIDTH - RIGHT, LEFT - 8.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{beside}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444444\">{}</text>",
            y + 4.0,
            label(value)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#444444\">{what}</text>",
        WIDTH - RIGHT,
        HEIGHT - 10.0
    );
}

fn line(svg: &mut String, curve: &Curve, nth: usize, across: &Axis, up: &Axis) {
    let colour = curve.colour;
    let dash = if curve.dashed {
        " stroke-dasharray=\"5 4\""
    } else {
        ""
    };
    let at = |(n, spread): &(f64, Spread)| {
        format!("{:.1},{:.1}", across.place(*n), up.place(spread.median))
    };
    let points: Vec<String> = curve.points.iter().map(at).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
        points.join(" ")
    );
    for (n, spread) in &curve.points {
        let (x, y) = (across.place(*n), up.place(spread.median));
        let (low, high) = (up.place(spread.min), up.place(spread.max));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{low:.1}\" x2=\"{x:.1}\" y2=\"{high:.1}\" stroke=\"{colour}\"/>\
             <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        );
    }
    // The names stand in two columns below the title.
    let column = if nth.is_multiple_of(2) { 0.0 } else { 280.0 };
    let (x, y) = (LEFT + column, if nth < 2 { 36.0 } else { 52.0 });
    let _ = writeln!(
        svg,
        "<line x1=\"{x}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\
         <text x=\"{}\" y=\"{y}\" font-size=\"11\" fill=\"#222222\">{}</text>",
        y - 4.0,
        x + 18.0,
        y - 4.0,
        x + 24.0,
        curve.name
    );
}

fn label(value: f64) -> String {
    if value < 1.0 {
        format!("{value}")
    } else {
        grouped(value)
    }
}

#[cfg(test)]
mod tests {
    use super::curves;
    use crate::all::figures::T1;
    use crate::all::sheet::Sheet;

    #[test]
    fn a_picture_has_a_point_for_each_number_and_is_left_out_without_any() {
        let mut sheet = Sheet::default();
        for n in [10_000, 100_000] {
            sheet.add(T1, Some(n), 20_000.0, Some(90_000.0));
        }
        let drawn = curves(&sheet);
        assert_eq!(drawn.len(), 1);
        let (name, svg) = &drawn[0];
        assert_eq!(*name, "curve-bootstrap.svg");
        // Two of ours and two of the limit.
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
