//! Makes pictures of the traces that a `ConsoleExporter` has drawn in colour, and puts their text into
//! the book. Started by `assets/draw.sh`: the output of an example comes in by standard input.
//!
//! `waterfall FOLDER CHAPTER` writes `FOLDER/waterfall-light.svg`, `FOLDER/waterfall-dark.svg`, and the lines
//! between two comments of CHAPTER.

use std::fmt::Write as _;
use std::io::{Read as _, stdin};
use std::{env, fs};

/// The width of a character and the height of a line, in pixels.
const CELL: f64 = 8.4;
const LINE: f64 = 23.0;
const FONT_SIZE: f64 = 14.0;
/// From the edge of the picture to the text.
const MARGIN: f64 = 24.0;
/// The bar of a window above the text.
const TITLE: f64 = 38.0;
const FONTS: &str = "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/// What the picture says was typed.
const COMMAND: &str = "cargo run --example tracing_layer";

/// The comments between which the text version stands.
const BEGIN: &str = "<!-- The lines from here on are written by assets/draw.sh. -->\n";
const END: &str = "<!-- The lines up to here are written by assets/draw.sh. -->\n";

/// The colours of one picture, by the parameter of the terminal's escape sequence.
struct Palette {
    name: &'static str,
    paper: &'static str,
    title: &'static str,
    edge: &'static str,
    inks: [(&'static str, &'static str); 8],
    plain: &'static str,
}

const PALETTES: [Palette; 2] = [
    Palette {
        name: "light",
        paper: "#ffffff",
        title: "#f6f8fa",
        edge: "#d1d9e0",
        plain: "#1f2328",
        inks: [
            ("2", "#6e7781"),
            ("31", "#d1242f"),
            ("1;31", "#d1242f"),
            ("32", "#1a7f37"),
            ("33", "#9a6700"),
            ("34", "#4493f8"),
            ("35", "#a475f9"),
            ("36", "#2da4ae"),
        ],
    },
    Palette {
        name: "dark",
        paper: "#0d1117",
        title: "#161b22",
        edge: "#30363d",
        plain: "#e6edf3",
        inks: [
            ("2", "#848d97"),
            ("31", "#f85149"),
            ("1;31", "#ff7b72"),
            ("32", "#3fb950"),
            ("33", "#d29922"),
            ("34", "#388bfd"),
            ("35", "#a371f7"),
            ("36", "#39c5cf"),
        ],
    },
];

/// Some characters of one line that look alike.
struct Run {
    column: usize,
    ink: String,
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder for the pictures")?;
    let chapter = arguments.next().ok_or("name the chapter for the text")?;
    let mut output = String::new();
    stdin().read_to_string(&mut output)?;

    let lines = traces(&output);
    if lines.is_empty() {
        return Err("no trace was drawn; was CLICOLOR_FORCE set?".into());
    }
    for palette in &PALETTES {
        fs::write(format!("{folder}/waterfall-{}.svg", palette.name), picture(&lines, palette))?;
    }

    let book = fs::read_to_string(&chapter)?;
    let (before, rest) = book.split_once(BEGIN).ok_or("the chapter has no place for the text")?;
    let (_, after) = rest.split_once(END).ok_or("the place for the text has no end")?;
    let text: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    let text = format!("{before}{BEGIN}\n```text\n{}\n```\n\n{END}{after}", text.join("\n"));
    fs::write(&chapter, text)?;
    Ok(())
}

/// The lines of the drawn traces, with an empty line between two of them and without the program's own output.
fn traces(output: &str) -> Vec<Vec<Run>> {
    let mut lines: Vec<Vec<Run>> = Vec::new();
    let mut is_inside = false;
    for line in output.lines() {
        let runs = runs(line);
        let text = plain(&runs);
        if text.starts_with("── ") {
            if !lines.is_empty() {
                lines.push(Vec::new());
            }
            is_inside = true;
        } else if text.is_empty() {
            is_inside = false;
        }
        if is_inside {
            lines.push(runs);
        }
    }
    lines
}

fn plain(line: &[Run]) -> String {
    line.iter().map(|run| run.text.as_str()).collect::<String>().trim_end().to_owned()
}

/// Cuts a line where its look changes.
fn runs(line: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    let mut parts = line.split("\x1b[");
    let first = ("", parts.next().unwrap_or(""));
    let parts = parts.map(|part| part.split_once('m').unwrap_or(("", part)));
    for (ink, text) in std::iter::once(first).chain(parts) {
        if text.is_empty() {
            continue;
        }
        let ink = if ink == "0" { "" } else { ink };
        runs.push(Run { column, ink: ink.to_owned(), text: text.to_owned() });
        column += text.chars().count();
    }
    runs
}

fn picture(lines: &[Vec<Run>], palette: &Palette) -> String {
    let columns = lines.iter().map(|line| plain(line).chars().count()).max().unwrap_or(0);
    let width = columns as f64 * CELL + 2.0 * MARGIN;
    let height = lines.len() as f64 * LINE + TITLE + 2.0 * 18.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Two kept traces, drawn as waterfalls\">\n\
         <style>text{{font-family:{FONTS};font-size:{FONT_SIZE}px;white-space:pre}}</style>\n"
    );
    let Palette { paper, title, edge, .. } = palette;
    _ = writeln!(
        svg,
        "<rect x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"10\" fill=\"{paper}\" stroke=\"{edge}\"/>\n\
         <path d=\"M0.5 {TITLE}V10.5a10 10 0 0 1 10-10H{:.1}a10 10 0 0 1 10 10V{TITLE}Z\" fill=\"{title}\" stroke=\"{edge}\"/>",
        width - 1.0,
        height - 1.0,
        width - 10.5,
    );
    for (index, light) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"19\" r=\"5.5\" fill=\"{light}\"/>",
            22 + 19 * index
        );
    }
    let left = (width - COMMAND.chars().count() as f64 * CELL) / 2.0;
    text(&mut svg, left, 24.0, ink(palette, "2"), false, COMMAND);

    for (index, line) in lines.iter().enumerate() {
        let top = TITLE + 18.0 + index as f64 * LINE;
        for run in line {
            paint(&mut svg, run, top, palette);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn ink(palette: &Palette, code: &str) -> &'static str {
    let found = palette.inks.iter().find(|(known, _)| *known == code);
    found.map_or(palette.plain, |(_, color)| color)
}

/// Draws a run: blocks as one bar, branches as lines, and what is left as words.
fn paint(svg: &mut String, run: &Run, top: f64, palette: &Palette) {
    let color = ink(palette, &run.ink);
    let is_bold = run.ink.starts_with('1');
    let characters: Vec<char> = run.text.chars().collect();
    let mut from = 0;
    while from < characters.len() {
        let sort = sort_of(characters[from]);
        let length = characters[from..].iter().take_while(|next| sort_of(**next) == sort).count();
        let piece = &characters[from..from + length];
        let left = MARGIN + (run.column + from) as f64 * CELL;
        match sort {
            Sort::Blank => {}
            Sort::Bar => bar(svg, piece, left, top, color),
            Sort::Branch => branches(svg, piece, left, top, color),
            Sort::Word => {
                let words: String = piece.iter().collect();
                text(svg, left, top + 16.0, color, is_bold, &words);
            }
        }
        from += length;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Blank,
    Bar,
    Branch,
    Word,
}

fn sort_of(character: char) -> Sort {
    match character {
        ' ' => Sort::Blank,
        '▁'..='▟' => Sort::Bar,
        '─' | '│' | '├' | '└' => Sort::Branch,
        _ => Sort::Word,
    }
}

/// Words keep to their columns whatever the font: their length is given.
fn text(svg: &mut String, left: f64, baseline: f64, color: &str, is_bold: bool, words: &str) {
    let length = words.chars().count() as f64 * CELL;
    let weight = if is_bold { " font-weight=\"700\"" } else { "" };
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{baseline:.1}\" fill=\"{color}\"{weight} textLength=\"{length:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\">{words}</text>"
    );
}

/// Blocks that touch are one bar; its ends are exact to an eighth of a column.
fn bar(svg: &mut String, blocks: &[char], left: f64, top: f64, color: &str) {
    let (mut start, mut end) = (left, left + blocks.len() as f64 * CELL);
    match blocks[0] {
        '▐' => start += CELL / 2.0,
        '▕' => start += CELL * 7.0 / 8.0,
        _ => {}
    }
    let last = blocks[blocks.len() - 1];
    if ('▉'..='▏').contains(&last) {
        // From seven eighths down to one, as the characters are ordered.
        end -= CELL * f64::from(last as u32 - '█' as u32) / 8.0;
    }
    let width = (end - start).max(2.0);
    let round = (width / 2.0).min(3.0);
    _ = writeln!(
        svg,
        "<rect x=\"{start:.2}\" y=\"{:.1}\" width=\"{width:.2}\" height=\"13\" rx=\"{round:.1}\" fill=\"{color}\"/>",
        top + 5.0
    );
}

fn branches(svg: &mut String, piece: &[char], left: f64, top: f64, color: &str) {
    let middle = top + LINE / 2.0;
    let bottom = top + LINE;
    let mut path = String::new();
    for (index, character) in piece.iter().enumerate() {
        let start = left + index as f64 * CELL;
        let (center, end) = (start + CELL / 2.0, start + CELL);
        _ = match character {
            '─' => write!(path, "M{start:.1} {middle:.1}H{end:.1}"),
            '│' => write!(path, "M{center:.1} {top:.1}V{bottom:.1}"),
            '├' => {
                write!(path, "M{center:.1} {top:.1}V{bottom:.1}M{center:.1} {middle:.1}H{end:.1}")
            }
            _ => write!(path, "M{center:.1} {top:.1}V{middle:.1}H{end:.1}"),
        };
    }
    _ = writeln!(
        svg,
        "<path d=\"{path}\" stroke=\"{color}\" stroke-opacity=\"0.55\" fill=\"none\"/>"
    );
}
