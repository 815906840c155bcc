//! What `cargo metadata` says of packages, as a bill of materials.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{Kind, Package, Sbom};

#[derive(Debug, Deserialize)]
struct Said {
    packages: Vec<Described>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Described {
    id: String,
    name: String,
    version: String,
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
    root: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Needed>,
}

#[derive(Debug, Deserialize)]
struct Needed {
    pkg: String,
    dep_kinds: Vec<Needs>,
}

#[derive(Debug, Deserialize)]
struct Needs {
    kind: Option<String>,
}

impl Needed {
    fn is(&self, kind: Option<&str>) -> bool {
        self.dep_kinds.iter().any(|needs| needs.kind.as_deref() == kind)
    }
}

/// The packages that a crate is built from, told from what `cargo metadata` says.
///
/// Macros and what build scripts need ran during the build; what only tests need is left out.
pub(super) fn sbom(said: &str) -> Result<Sbom, String> {
    let said: Said = serde_json::from_str(said).map_err(|error| error.to_string())?;
    let root = said.resolve.root.ok_or("found a workspace, expected one package")?;
    let nodes: BTreeMap<&str, &Node> =
        said.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let described: BTreeMap<&str, &Described> =
        said.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let is_macro = |id: &str| {
        let targets = described.get(id).map_or(&[][..], |package| &package.targets);
        targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    };
    let inside = reach(&root, &nodes, |needed| needed.is(None) && !is_macro(&needed.pkg));
    let all = reach(&root, &nodes, |needed| needed.is(None) || needed.is(Some("build")));
    let places: BTreeMap<&str, usize> =
        all.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
    let package = |id: &String| {
        let described =
            described.get(id.as_str()).ok_or_else(|| format!("nothing is said of `{id}`"))?;
        let needed = nodes.get(id.as_str()).map_or(&[][..], |node| &node.deps).iter();
        let needed = needed.filter(|needed| needed.is(None) || needed.is(Some("build")));
        Ok::<_, String>(Package {
            kind: if inside.contains(id) { Kind::Runtime } else { Kind::Build },
            dependencies: needed
                .filter_map(|needed| places.get(needed.pkg.as_str()).copied())
                .collect(),
            root: *id == root,
            ..Package::new(&described.name, &described.version, source(described.source.as_deref()))
        })
    };
    Ok(Sbom { packages: all.iter().map(package).collect::<Result<_, _>>()? }.sorted())
}

/// Every package that can be reached from one over dependencies of some kind.
fn reach(
    root: &str,
    nodes: &BTreeMap<&str, &Node>,
    follows: impl Fn(&Needed) -> bool,
) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([root.to_owned()]);
    let mut waiting = vec![root.to_owned()];
    while let Some(id) = waiting.pop() {
        let needed = nodes.get(id.as_str()).map_or(&[][..], |node| &node.deps);
        for needed in needed.iter().filter(|needed| follows(needed)) {
            if reached.insert(needed.pkg.clone()) {
                waiting.push(needed.pkg.clone());
            }
        }
    }
    reached
}

fn source(source: Option<&str>) -> &'static str {
    match source {
        None => "local",
        Some(git) if git.starts_with("git+") => "git",
        Some(registry)
            if registry.contains("github.com/rust-lang/crates.io-index")
                || registry.contains("index.crates.io") =>
        {
            "crates.io"
        }
        Some(_) => "registry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{"packages": [
        {"id": "m", "name": "my-model", "version": "0.1.0", "source": null, "targets": [{"kind": ["cdylib"]}]},
        {"id": "h", "name": "half", "version": "2.7.1", "targets": [{"kind": ["lib"]}],
         "source": "registry+https://github.com/rust-lang/crates.io-index"},
        {"id": "d", "name": "derive", "version": "1.0.0", "source": "git+https://example.org/derive",
         "targets": [{"kind": ["proc-macro"]}]},
        {"id": "s", "name": "syn", "version": "2.0.0", "source": "sparse+https://example.org/index/",
         "targets": [{"kind": ["lib"]}]},
        {"id": "t", "name": "testing", "version": "1.0.0", "source": null, "targets": [{"kind": ["lib"]}]}
    ], "resolve": {"root": "m", "nodes": [
        {"id": "m", "deps": [
            {"pkg": "h", "dep_kinds": [{"kind": null}]},
            {"pkg": "d", "dep_kinds": [{"kind": null}]},
            {"pkg": "t", "dep_kinds": [{"kind": "dev"}]}]},
        {"id": "h", "deps": []},
        {"id": "d", "deps": [{"pkg": "s", "dep_kinds": [{"kind": null}]}]},
        {"id": "s", "deps": []},
        {"id": "t", "deps": []}
    ]}}"#;

    #[test]
    fn macros_ran_during_the_build_and_tests_have_no_part_in_it() {
        let packages = sbom(SAID).unwrap().packages;
        let shown: Vec<_> = packages
            .iter()
            .map(|package| {
                let Package { name, source, kind, dependencies, .. } = package;
                format!("{name} {source} {kind:?} {dependencies:?}")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "derive git Build [3]",
                "half crates.io Runtime []",
                "my-model local Runtime [0, 1]",
                "syn registry Build []"
            ]
        );
        assert!(packages[2].root);
    }

    #[test]
    fn a_workspace_is_refused() {
        let said = r#"{"packages": [], "resolve": {"root": null, "nodes": []}}"#;
        assert_eq!(sbom(said).unwrap_err(), "found a workspace, expected one package");
    }
}
