//! The pages about falling back and about flow: their files are read, and show the defaults.

use std::path::Path;

use catalog::EndpointConfig;

/// The files of a page.
fn files(page: &'static str) -> Vec<EndpointConfig> {
    let block = |rest: &'static str| rest.split_once("```").map(|(block, _)| block);
    let blocks = page.split("```toml\n").skip(1).filter_map(block);
    let read = |text| match EndpointConfig::parse(Path::new("page"), text) {
        Ok(config) => config,
        Err(problem) => panic!("{problem} in\n{text}"),
    };
    blocks.map(read).collect()
}

#[test]
fn the_page_about_falling_back_shows_the_defaults() {
    let files = files(include_str!("../../../docs/fallback.md"));
    let [config] = &files[..] else { panic!("{} files", files.len()) };
    assert_eq!(*config, EndpointConfig::default());
}

#[test]
fn the_page_about_flow_shows_a_file_that_is_understood() {
    let files = files(include_str!("../../../docs/flow.md"));
    let [config] = &files[..] else { panic!("{} files", files.len()) };
    assert_eq!(config.flow.source.as_deref(), Some("orders"));
    assert!(config.flow.may_return_to("replies-7"));
}
