//! Draws the comparison as an SVG that is readable on light and on dark pages.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::comparison::{self, WAYS, WORKS, Way};
use super::measure::Costs;

const SIZE: (u32, u32) = (860, 700);
/// Left of the bars, for the names of the workloads.
const NAMES: i32 = 230;
const LEAST: f64 = 0.25;
const MOST: f64 = 8.0;
const BLUE: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
const ORANGE: RGBColor = RGBColor(0xdb, 0x6d, 0x28);
const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const FAINT: RGBColor = RGBColor(0xd1, 0xd9, 0xe0);

/// What a dark page shows in place of paper, ink and faint lines.
const DARK: [(RGBColor, &str); 3] = [(PAPER, "#0d1117"), (INK, "#e6edf3"), (FAINT, "#30363d")];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The picture's text.
///
/// # Errors
/// When it cannot be drawn.
pub fn draw(costs: &Costs) -> Result<String, Box<dyn std::error::Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&PAPER)?;
        let (head, body) = root.split_vertically(56);
        text(&head, "CPU time of a span under each peer, as times ours", (16, 10), 19)?;
        let legend = "Right of the line tailtrace takes less, left of it the peer does. The caller's thread; on tokio all threads.";
        text(&head, legend, (16, 34), 13)?;
        for (way, area) in WAYS.iter().zip(body.split_evenly((2, 1))) {
            panel(&area, way, costs)?;
        }
        root.present()?;
    }
    Ok(with_dark(&svg))
}

/// One way of ours: two bars for each workload.
fn panel(area: &Area<'_>, way: &Way, costs: &Costs) -> Drawn {
    let rows = f64::from(u32::try_from(WORKS.len())?);
    text(area, way.title, (16, 8), 15)?;
    let colours = [BLUE, ORANGE];
    for ((_, says), (colour, x)) in way.peers.iter().zip(colours.into_iter().zip([NAMES, 540])) {
        area.draw(&Rectangle::new([(x, 29), (x + 11, 40)], colour.filled()))?;
        text(area, says, (x + 17, 28), 13)?;
    }
    let mut chart = ChartBuilder::on(area)
        .margin_top(48)
        .margin_right(24)
        .margin_left(NAMES)
        .x_label_area_size(22)
        .build_cartesian_2d((LEAST..MOST).log_scale().base(2.0), 0.0..rows)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(6)
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(FAINT)
        .label_style(("sans-serif", 12).into_font().color(&INK))
        .x_label_formatter(&|times| format!("{times} ×"))
        .draw()?;
    let (left, top) = area.get_base_pixel();
    for (index, work) in WORKS.iter().enumerate() {
        // From the top down.
        let middle = rows - 0.5 - f64::from(u32::try_from(index)?);
        let (_, y) = chart.plotting_area().map_coordinate(&(1.0, middle));
        text(area, work.says, (16, y - top - 7), 13)?;
        for ((peer, _), (colour, up)) in way.peers.iter().zip(colours.into_iter().zip([0.0, -0.36]))
        {
            let times = comparison::times(costs, work, way, peer).caller;
            let end = times.clamp(LEAST, MOST);
            let bar = [(1.0, middle + up), (end, middle + up + 0.34)];
            chart.draw_series([Rectangle::new(bar, colour.filled())])?;
            let (x, y) = chart.plotting_area().map_coordinate(&(end.max(1.0), middle + up + 0.17));
            text(area, &format!("{times:.2}"), (x - left + 5, y - top - 5), 11)?;
        }
    }
    chart.draw_series([PathElement::new([(1.0, 0.0), (1.0, rows)], INK.stroke_width(1))])?;
    Ok(())
}

fn text(area: &Area<'_>, says: &str, at: (i32, i32), size: i32) -> Drawn {
    area.draw(&Text::new(says.to_owned(), at, ("sans-serif", size).into_font().color(&INK)))?;
    Ok(())
}

/// The picture with other colours where the page is dark.
fn with_dark(svg: &str) -> String {
    let rules: String = DARK
        .iter()
        .map(|(RGBColor(red, green, blue), dark)| {
            let light = format!("#{red:02X}{green:02X}{blue:02X}");
            format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
        })
        .collect();
    let style = format!("<style>@media (prefers-color-scheme: dark){{{rules}}}</style>\n");
    // Behind the opening tag.
    match svg.find(">\n") {
        Some(end) => [&svg[..end + 2], &style, &svg[end + 2..]].concat(),
        None => svg.to_owned(),
    }
}
