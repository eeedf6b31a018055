//! Draws the way of a span, from the head sampler to the exporter, with a lane for each kind of thread.
//! Started by `assets/draw.sh`.
//!
//! `flow FOLDER` writes `FOLDER/flow-light.svg` and `FOLDER/flow-dark.svg`, and `FOLDER/flow-rustdoc.svg`, which
//! stands inside of a page of rustdoc and takes its colours from there.

use std::fmt::Write as _;
use std::{env, fs};

const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, 'DejaVu Sans', sans-serif";
const CODE: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

struct Palette {
    name: &'static str,
    paper: &'static str,
    lane: &'static str,
    edge: &'static str,
    node: &'static str,
    ink: &'static str,
    faint: &'static str,
    blue: &'static str,
    green: &'static str,
    red: &'static str,
    violet: &'static str,
}

const PALETTES: [Palette; 3] = [
    Palette {
        name: "light",
        paper: "#ffffff",
        lane: "#f6f8fa",
        edge: "#d1d9e0",
        node: "#ffffff",
        ink: "#1f2328",
        faint: "#59636e",
        blue: "#0969da",
        green: "#1a7f37",
        red: "#d1242f",
        violet: "#8250df",
    },
    Palette {
        name: "dark",
        paper: "#0d1117",
        lane: "#161b22",
        edge: "#30363d",
        node: "#0d1117",
        ink: "#e6edf3",
        faint: "#9198a1",
        blue: "#4493f8",
        green: "#3fb950",
        red: "#f85149",
        violet: "#ab7df8",
    },
    Palette {
        name: "rustdoc",
        paper: "none",
        lane: "var(--code-block-background-color, #f5f5f5)",
        edge: "var(--border-color, #ddd)",
        node: "var(--main-background-color, #fff)",
        ink: "var(--main-color, #000)",
        faint: "var(--right-side-color, #666)",
        blue: "#3b82d6",
        green: "#2f9e52",
        red: "#dc4a4a",
        violet: "#9a6ce0",
    },
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args().nth(1).ok_or("name the folder for the pictures")?;
    for palette in &PALETTES {
        fs::write(format!("{folder}/flow-{}.svg", palette.name), picture(palette))?;
    }
    Ok(())
}

fn picture(palette: &Palette) -> String {
    let name = palette.name;
    let mut svg = String::new();
    _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 520\" style=\"width:100%;max-width:1000px\" role=\"img\" \
         aria-label=\"A span goes from the head sampler through the buffer of its local trace to the tail, all on the \
         application's threads, and a kept trace through a queue to an exporter on a thread of its own\">"
    );
    let Palette { paper, lane, edge, node, ink, faint, blue, green, red, violet, .. } = palette;
    // Every rule begins with the picture's name: inside of a page it must not reach the page.
    _ = write!(svg, "<style>");
    for (class, rule) in [
        ("text", format!("font-family:{FONTS};font-size:13px;fill:{ink}")),
        (".title", "font-size:16px;font-weight:600".to_owned()),
        (".small", format!("font-size:12px;fill:{faint}")),
        (".lane", format!("font-family:{CODE};font-size:12.5px;font-weight:600;fill:{faint}")),
        (".code", format!("font-family:{CODE};font-size:12px;fill:{faint}")),
        (".keep", format!("font-size:13px;font-weight:600;fill:{green}")),
        (".drop", format!("font-size:13px;font-weight:600;fill:{red}")),
        (".strip", format!("fill:{lane};stroke:{edge}")),
        (".node", format!("fill:{node};stroke:{edge};stroke-width:1.5")),
        (".head", format!("fill:{node};stroke:{violet};stroke-width:1.75")),
        (".tail", format!("fill:{node};stroke:{blue};stroke-width:1.75")),
        (".way", format!("fill:none;stroke:{faint};stroke-width:1.75")),
        (".kept", format!("fill:none;stroke:{green};stroke-width:2")),
        (".dropped", format!("fill:none;stroke:{red};stroke-width:1.75")),
        (".timed", format!("fill:none;stroke:{faint};stroke-width:1.5;stroke-dasharray:4 4")),
    ] {
        _ = write!(svg, ".tt-{name} {class}{{{rule}}}");
    }
    svg.push_str("</style>\n<defs>");
    for (mark, color) in [("way", faint), ("kept", green), ("dropped", red)] {
        _ = write!(
            svg,
            "<marker id=\"{name}-{mark}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8Z\" fill=\"{color}\"/></marker>"
        );
    }
    _ = writeln!(svg, "</defs>\n<g class=\"tt-{name}\">");
    _ = writeln!(svg, "<rect width=\"1000\" height=\"520\" rx=\"10\" fill=\"{paper}\"/>");
    let mut canvas = Canvas { svg, name };
    lanes(&mut canvas);
    application(&mut canvas, palette);
    keeper(&mut canvas);
    delivery(&mut canvas);
    canvas.svg.push_str("</g>\n</svg>\n");
    canvas.svg
}

struct Canvas {
    svg: String,
    name: &'static str,
}

impl Canvas {
    fn node(&mut self, class: &str, (x, y, width, height): (u32, u32, u32, u32)) {
        _ = writeln!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        );
    }

    fn words(&mut self, class: &str, anchor: &str, (x, y): (u32, u32), words: &str) {
        _ = writeln!(
            self.svg,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>"
        );
    }

    fn arrow(&mut self, class: &str, path: &str) {
        let mark = if class == "timed" { "way" } else { class };
        _ = writeln!(
            self.svg,
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#{}-{mark})\"/>",
            self.name
        );
    }
}

/// The top, the height, the name and the number of each kind of thread.
fn lanes(canvas: &mut Canvas) {
    for (top, height, name, number) in [
        (12, 264, "application threads", "where spans start, are written to and end"),
        (288, 62, "tailtrace", "one for each pipeline"),
        (362, 66, "tailtrace-export-0", "one for each exporter"),
        (440, 66, "tailtrace-export-1", ""),
    ] {
        canvas.node("strip", (12, top, 976, height));
        canvas.words("lane", "start", (28, top + 24), name);
        let beside = 28 + name.chars().count() as u32 * 8 + 14;
        if top == 12 {
            canvas.words("small", "start", (beside, top + 24), number);
        } else {
            canvas.words("small", "start", (28, top + 43), number);
        }
    }
}

fn application(canvas: &mut Canvas, palette: &Palette) {
    // The head.
    canvas.words("small", "start", (28, 62), "a local root starts");
    canvas.arrow("way", "M88 68V84");
    canvas.node("head", (28, 86, 130, 66));
    canvas.words("title", "middle", (93, 112), "head");
    canvas.words("code", "middle", (93, 134), "Sampler");
    canvas.arrow("dropped", "M93 152V196");
    canvas.words("drop", "start", (102, 178), "Drop");
    canvas.words("small", "middle", (93, 214), "counted, propagated,");
    canvas.words("small", "middle", (93, 230), "not recorded");

    // The buffer, with some spans in it.
    canvas.arrow("way", "M158 119H252");
    canvas.words("", "middle", (205, 110), "Record,");
    canvas.words("", "middle", (205, 138), "Sample");
    canvas.node("node", (254, 58, 220, 134));
    canvas.words("title", "middle", (364, 82), "buffer");
    canvas.words("small", "middle", (364, 100), "one for each local trace");
    for (x, y, width, color) in [
        (274, 112, 180, palette.blue),
        (280, 126, 62, palette.violet),
        (346, 126, 94, palette.blue),
        (352, 140, 60, palette.violet),
    ] {
        _ = writeln!(
            canvas.svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"9\" rx=\"3\" fill=\"{color}\" fill-opacity=\"0.8\"/>"
        );
    }
    canvas.words("small", "middle", (364, 176), "open spans: 3, 2, 1, 0");

    // The tail.
    canvas.arrow("way", "M474 119H558");
    canvas.words("", "middle", (515, 110), "complete");
    canvas.node("tail", (560, 86, 130, 66));
    canvas.words("title", "middle", (625, 112), "tail");
    canvas.words("code", "middle", (625, 134), "TailPolicy");
    canvas.words("small", "middle", (625, 76), "reads all spans in place");

    // Keep.
    canvas.arrow("kept", "M690 119H796");
    canvas.words("keep", "middle", (742, 110), "keep");
    canvas.node("node", (798, 86, 130, 66));
    canvas.words("title", "middle", (863, 112), "Trace");
    canvas.words("small", "middle", (863, 134), "one exact copy");

    // Drop.
    canvas.arrow("dropped", "M625 152V210");
    canvas.words("drop", "start", (634, 184), "drop");
    canvas.node("node", (540, 212, 170, 48));
    canvas.words("", "middle", (625, 232), "ring of recent drops");
    canvas.words("small", "middle", (625, 250), "bounded by bytes and age");
    canvas.arrow("way", "M540 236H364V194");
    canvas.words("small", "middle", (440, 228), "the buffer is used again");
    canvas.arrow("kept", "M710 236H830V154");
    canvas.words("code", "middle", (768, 228), "keep(id)");
}

fn keeper(canvas: &mut Canvas) {
    canvas.words(
        "",
        "start",
        (254, 314),
        "every 100 ms: asks the tail about traces whose linger is over,",
    );
    canvas.words("", "start", (254, 334), "ages the ring, reports loss");
    canvas.arrow("timed", "M528 300V192C528 168 588 184 594 154");
}

fn delivery(canvas: &mut Canvas) {
    // Every queue is filled by the thread that ended the trace's last span.
    canvas.arrow("kept", "M863 152V370");
    canvas.arrow("kept", "M928 119H952V473H930");
    for (top, destination) in [(362, "a backend"), (440, "a file")] {
        let middle = top + 33;
        for (left, title, class, note) in [
            (798, "queue", "small", "bounded"),
            (594, "batch", "small", "with retries"),
            (390, "export", "code", "Exporter"),
        ] {
            canvas.node("node", (left, top + 10, 130, 46));
            canvas.words("title", "middle", (left + 65, middle - 3), title);
            canvas.words(class, "middle", (left + 65, middle + 15), note);
        }
        canvas.arrow("kept", &format!("M798 {middle}H726"));
        canvas.arrow("kept", &format!("M594 {middle}H522"));
        canvas.arrow("kept", &format!("M390 {middle}H326"));
        canvas.words("", "end", (318, middle + 5), destination);
    }
}
