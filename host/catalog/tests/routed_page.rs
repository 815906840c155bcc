//! The page about routed models: every file that it shows is one that the host reads.

use std::path::Path;

use catalog::{EndpointConfig, HostConfig};

const PAGE: &str = include_str!("../../../docs/routed-models.md");

#[test]
fn every_file_of_the_page_is_read_as_it_stands() {
    let mut names = Vec::new();
    for block in PAGE.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        let name = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        let problem = match name {
            "endpoint.toml" => EndpointConfig::parse(Path::new(name), text).err(),
            "understudy.toml" => HostConfig::parse(Path::new(name), text).err(),
            other => panic!("{other:?} says not which file it is"),
        };
        assert!(
            problem.is_none(),
            "{}\n{text}",
            problem.map(|it| it.to_string()).unwrap_or_default()
        );
        names.push(name);
    }
    assert_eq!(names, ["endpoint.toml", "understudy.toml"]);
}

#[test]
fn the_defaults_that_the_page_tells_are_the_defaults() {
    let config = HostConfig::default().routed;
    assert_eq!((config.memory_bytes, config.waiting, config.idle), (512 << 20, 1024, None));
    assert!(PAGE.contains("memory = \"512MiB\"") && PAGE.contains("waiting = 1024"));
}
