//! What holds for the README, CONTRIBUTING, COMPARE, SECURITY and the book: their links lead somewhere, their tables are
//! complete, and the README and the examples stay short.

mod warnings;

use std::fs;
use std::path::{Path, PathBuf};

/// Where pictures are found by a page that is not beside the sources, such as that of a package registry.
const PICTURES: &str = "https://raw.githubusercontent.com/tailtrace/tailtrace/HEAD/";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below `folder` that end in `.rs` and hold more than tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

/// The types in the files of `room` that implement `implemented` at the beginning of a line, which is outside of
/// unit tests. Pointers and closures are left out.
fn implementors(room: &str, implemented: &str) -> Vec<String> {
    let files = sources(&root().join("src").join(room));
    let pattern = format!("{implemented} for ");
    let mut found: Vec<String> = files
        .iter()
        .flat_map(|file| read(file).lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.starts_with("impl"))
        .filter_map(|line| line.split_once(&pattern).map(|(_, named)| named.to_owned()))
        .map(|named| named.split([' ', '<', ':']).next().unwrap_or_default().to_owned())
        .filter(|named| !["F", "Arc", "Box", "$pointer"].contains(&named.as_str()))
        .collect();
    found.sort();
    found.dedup();
    assert!(!found.is_empty(), "nothing in src/{room} implements {implemented}");
    found
}

/// What the chapter does not name, as code.
fn missing_from(chapter: &str, names: Vec<String>) -> Vec<String> {
    let text = read(format!("src/manual/{chapter}"));
    let is_named = |name: &String| {
        let code = format!("`{name}");
        text.match_indices(&code).any(|(at, _)| {
            text[at + code.len()..].starts_with(['`', ':', '(']) // `Name`, `Name::new(…)`, `Name(…)`
        })
    };
    names.into_iter().filter(|name| !is_named(name)).collect()
}

#[test]
fn every_policy_stands_in_the_chapter_on_tail_sampling() {
    let policies = implementors("tail", "TailPolicy");
    assert_eq!(missing_from("tail_sampling.md", policies), [""; 0]);
}

#[test]
fn every_sampler_stands_in_the_chapter_on_samplers() {
    let samplers = implementors("sampling", "Sampler");
    assert_eq!(missing_from("choosing_a_sampler.md", samplers), [""; 0]);
}

#[test]
fn every_exporter_stands_in_the_chapter_on_the_data_flow() {
    let exporters = implementors("export", "Exporter");
    assert_eq!(missing_from("data_flow.md", exporters), [""; 0]);
}

#[test]
fn every_propagator_stands_in_the_chapter_on_propagation() {
    let propagators = implementors("propagation", "Propagator");
    assert_eq!(missing_from("propagation.md", propagators), [""; 0]);
}

#[test]
fn every_feature_stands_in_the_chapter_on_features() {
    let manifest = read("Cargo.toml");
    let features = manifest.split("[features]\n").nth(1).expect("the manifest has features");
    let features = features.split("\n[").next().unwrap_or_default().lines();
    let names =
        features.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" ="));
    let names = names.map(|(name, _)| name.to_owned()).filter(|name| name != "default").collect();
    assert_eq!(missing_from("features.md", names), [""; 0]);
}

#[test]
fn every_reason_of_loss_stands_in_the_chapter_on_the_ledger() {
    let source = read("src/ledger/reason.rs");
    let body = source.split("pub enum Reason {").nth(1).expect("there is an enum of reasons");
    let body = body.split("\n}").next().unwrap_or_default();
    let variants = body.lines().filter_map(|line| line.trim().strip_suffix(','));
    let names = variants.filter(|name| name.chars().all(char::is_alphanumeric)).map(str::to_owned);
    assert_eq!(missing_from("loss_and_the_ledger.md", names.collect()), [""; 0]);
}

#[test]
fn every_alert_stands_in_the_chapter_on_running_it_and_leads_there() {
    let rules = read("examples/dashboards/alerts.yml");
    let named = |rule: &str| rule.lines().next().map(str::to_owned);
    let alerts: Vec<String> = rules.split("- alert: ").skip(1).filter_map(named).collect();
    assert!(!alerts.is_empty());
    assert_eq!(rules.matches("running.md#dashboards-and-alerts").count(), alerts.len());
    assert!(has_heading(Path::new("src/manual/running.md"), "dashboards-and-alerts"));
    assert_eq!(missing_from("running.md", alerts), [""; 0]);
}

#[test]
fn the_readme_has_fewer_than_200_lines() {
    let lines = read("README.md").lines().count();
    assert!(lines < 200, "the README has {lines} lines; move what it explains to the book");
}

#[test]
fn every_example_has_fewer_than_80_lines() {
    let folder = root().join("examples");
    let files = sources(&folder).into_iter().filter(|path| path.parent() == Some(&*folder));
    for file in files {
        let lines = read(&file).lines().count();
        let name = file.display();
        assert!(lines < 80, "{name} has {lines} lines; cut what does not show its subject");
    }
}

/// The text without its programs.
fn prose(text: &str) -> String {
    let mut is_program = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_program = !is_program;
        } else if !is_program {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The targets of links and of pictures.
fn targets(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let pictures = text.split("src=\"").chain(text.split("srcset=\"")).skip(1);
    let pictures =
        pictures.filter_map(|rest| rest.split('"').next()).filter(|path| path.ends_with(".svg"));
    links.chain(pictures).map(str::to_owned).collect()
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}

fn has_heading(file: &Path, wanted: &str) -> bool {
    let text = prose(&read(file));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).any(|found| found == wanted)
}

fn dead_links(page: &str) -> Vec<String> {
    let file = root().join(page);
    let folder = file.parent().unwrap_or(root());
    let leads_somewhere = |target: &String| {
        if let Some(picture) = target.strip_prefix(PICTURES) {
            return root().join(picture).exists();
        }
        if target.contains("://") {
            return true;
        }
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let linked = if path.is_empty() { file.clone() } else { folder.join(path) };
        linked.exists() && (heading.is_empty() || has_heading(&linked, heading))
    };
    targets(&prose(&read(page))).into_iter().filter(|target| !leads_somewhere(target)).collect()
}

#[test]
fn links_of_the_front_pages_lead_to_files_and_headings() {
    for page in ["README.md", "COMPARE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        assert_eq!(dead_links(page), [""; 0], "in {page}");
    }
}

#[test]
fn links_within_a_chapter_lead_to_its_headings() {
    for entry in fs::read_dir(root().join("src/manual")).expect("the book is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = prose(&read(&path));
            let dead = |target: &String| {
                target.strip_prefix('#').is_some_and(|heading| !has_heading(&path, heading))
            };
            let dead: Vec<String> = targets(&text).into_iter().filter(dead).collect();
            assert_eq!(dead, [""; 0], "in {}", path.display());
        }
    }
}
