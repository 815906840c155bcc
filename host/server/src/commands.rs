//! The command line: one file a command.

mod build;
mod change;
mod check;
mod demo;
mod diff;
mod examine;
mod history;
mod log;
mod mirror;
mod models;
mod new;
mod output;
mod pack;
mod pause;
mod policy;
mod predict;
mod progress;
mod promote;
mod reach;
mod read;
mod resume;
mod retire;
mod rollback;
mod samples;
mod schema;
mod serve;
mod signals;
mod source;
mod stage;
mod status;
mod table;
mod test;
mod token;
mod toolchain;
mod top;
mod write;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
pub(crate) use output::{Unread, plain};

/// The hidden command under which this binary compiles one component and ends.
pub(crate) const COMPILE_CHILD: &str = "compile-child";

/// Hosts models that are WebAssembly components: drop them into a folder, and a rendezvous picks
/// one official answer for each request before its deadline.
#[derive(Debug, Parser)]
#[command(name = "understudy", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a folder of models over the Open Inference Protocol.
    Serve(serve::Serve),
    /// Play a year of real flights through the models of examples/flights.
    Demo(demo::Demo),
    /// Write a new model that builds, in one of nine languages.
    New(new::New),
    /// Build the component of a model from the folder of its project, and check it.
    Build(build::Build),
    /// Run a model on its samples, in the same sandbox as a host has.
    Test(test::Test),
    /// Show which tools the languages of models need, or install them.
    Toolchain(toolchain::ToolchainCommand),
    /// Say what a component imports, describes and costs, and whether it would load here; or check
    /// understudy.toml and its Kafka cluster.
    Check(check::Check),
    /// Make a component of the file of a trained model.
    Pack(pack::Pack),
    /// Run one model on one request, without a host.
    Predict(predict::Predict),
    /// Show the endpoints and models of a running host, their states and the reasons.
    Status(status::Status),
    /// Watch a running host on the terminal: who answers, how fast, and what is wrong.
    Top(top::Top),
    /// Show what each model of an endpoint is, does, and when that was changed last.
    Models(models::Models),
    /// Show what happened to an endpoint, and who changed what, and why.
    History(history::History),
    /// Put a component into the folder of an endpoint: it scores everything and answers nothing.
    Stage(stage::Stage),
    /// Make a model champion: it takes the former champion's place in the policy.
    Promote(promote::Promote),
    /// Undo the last change of an endpoint, or give a model its former component back.
    Rollback(rollback::Rollback),
    /// Take a model out of the folder; its component is kept.
    Retire(retire::Retire),
    /// Leave a model unasked, or turn callers of an endpoint away.
    Pause(pause::Pause),
    /// End a pause.
    Resume(resume::Resume),
    /// Show, replace or compare who answers at an endpoint.
    Policy(policy::Policy),
    /// Read a topic of an endpoint: requests, scores, answers or events.
    Read(read::Read),
    /// Append requests, one JSON document a line, to the stream of an endpoint of a running host.
    Write(write::Write),
    Mirror(mirror::Mirror),
    /// Inspect the files of the embedded stream.
    Log(log::Log),
    /// Make tokens for callers.
    Token(token::Token),
    /// Print the JSON Schema of a configuration file.
    Schema(schema::Schema),
    #[command(name = COMPILE_CHILD, hide = true)]
    CompileChild,
}

/// Runs what the command line says.
pub(crate) fn run() -> Result<ExitCode> {
    let line = CommandLine::parse();
    match line.command {
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Test(test) => test.run(),
        Command::Toolchain(toolchain) => toolchain.run(),
        Command::Check(check) => check.run(),
        Command::Pack(pack) => pack.run(),
        Command::Predict(predict) => predict.run(),
        Command::Status(status) => status.run(),
        Command::Top(top) => top.run(),
        Command::Models(models) => models.run(),
        Command::History(history) => history.run(),
        Command::Stage(stage) => stage.run(),
        Command::Promote(promote) => promote.run(),
        Command::Rollback(rollback) => rollback.run(),
        Command::Retire(retire) => retire.run(),
        Command::Pause(pause) => pause.run(),
        Command::Resume(resume) => resume.run(),
        Command::Policy(policy) => policy.run(),
        Command::Read(read) => read.run(),
        Command::Write(write) => write.run(),
        Command::Mirror(mirror) => mirror.run(),
        Command::Log(log) => log.run(),
        Command::Token(token) => token.run(),
        Command::Schema(schema) => schema.run(),
        Command::CompileChild => Ok(sandbox::compile_child()),
    }
}
