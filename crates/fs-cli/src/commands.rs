//! The commands, one file each.

mod apply;
mod bench_serve;
mod catalogue;
mod confirm;
mod datasets;
mod demo;
mod freshness;
mod health;
mod historical;
mod init;
mod jobs;
mod materialize;
mod online;
mod optimize;
mod plan;
mod push;
mod quarantine;
mod registry;
mod scheduler;
mod schema;
mod serve;
mod teardown;
mod vacuum;
mod validate;
mod views;

use fs_core::Kind;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let repo = cli.repo.as_path();
    match cli.command {
        Command::Init(args) => init::run(&args, output),
        Command::Validate => validate::run(repo, output).await,
        Command::Plan => plan::run(repo, output).await,
        Command::Apply(args) => apply::run(repo, &args, output).await,
        Command::Materialize(args) => materialize::run(repo, &args, output).await,
        Command::MaterializeIncremental(args) => {
            materialize::run_incremental(repo, &args, output).await
        }
        Command::Push(args) => push::run(repo, &args, output).await,
        Command::Scheduler(args) => scheduler::run(repo, &args, output).await,
        Command::Serve(args) => serve::run(repo, &args, output).await,
        Command::GetOnlineFeatures(args) => online::run(repo, &args, output).await,
        Command::GetHistoricalFeatures(args) => historical::run(repo, &args, output).await,
        Command::Entities(command) => catalogue::run(repo, Kind::Entity, &command, output).await,
        Command::Sources(command) => catalogue::run(repo, Kind::Source, &command, output).await,
        Command::FeatureViews(command) => {
            catalogue::run(repo, Kind::FeatureView, &command, output).await
        }
        Command::FeatureServices(command) => {
            catalogue::run(repo, Kind::FeatureService, &command, output).await
        }
        Command::Registry(command) => registry::run(repo, &command, output).await,
        Command::Datasets(command) => datasets::run(repo, &command, output).await,
        Command::Jobs(command) => jobs::run(repo, &command, output).await,
        Command::Quarantine(command) => quarantine::run(repo, &command, output).await,
        Command::Optimize(args) => optimize::run(repo, &args, output).await,
        Command::Vacuum(args) => vacuum::run(repo, &args, output).await,
        Command::Teardown(args) => teardown::run(repo, &args, output).await,
        Command::Schema => {
            schema::run();
            Ok(())
        }
        Command::Health(args) => health::run(&args, output).await,
        Command::BenchServe(args) => bench_serve::run(*args, output).await,
        Command::Demo(args) => demo::run(repo, &args, output).await,
    }
}
