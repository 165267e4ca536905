//! `fs bench-serve`: put load on a feature server, ours or Feast's, and say what it took to answer.

mod entities;

use fs_core::{Code, FeatureRef};
use fs_load::{GrpcTarget, HttpTarget, Outcome, Question, Selection, Wire};

use crate::args::{BenchServeArgs, GrpcWire};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn run(args: BenchServeArgs, output: Output) -> Result<(), Failure> {
    // The load has threads of its own, and takes as long as it was told to.
    let outcome = tokio::task::spawn_blocking(move || bench(&args)).await;
    let outcome = outcome.map_err(|error| {
        let message = format!("the load generator died: {error}");
        Failure::new(Code::Internal, message)
    })??;
    output.answer(&outcome, || outcome.to_string());
    Ok(())
}

fn bench(args: &BenchServeArgs) -> Result<Outcome, Failure> {
    let question = Question {
        selection: selection(args),
        entities: entities::read(args)?,
        entities_per_request: args.load.entities_per_request,
        distinct: args.load.distinct,
        seed: args.load.seed,
    };
    let wire = match args.wire {
        GrpcWire::Native => Wire::Native,
        GrpcWire::Feast => Wire::Feast,
    };
    let outcome = match (&args.grpc, &args.http) {
        (Some(address), _) => args.load.run(&GrpcTarget::new(address, wire, &question)?),
        (None, Some(address)) => args.load.run(&HttpTarget::new(address, &question)?),
        (None, None) => {
            let message = "name a server with --grpc HOST:PORT or --http HOST:PORT";
            return Err(Failure::input(message));
        }
    };
    Ok(outcome?)
}

fn selection(args: &BenchServeArgs) -> Selection {
    match &args.service {
        Some(service) => Selection::Service(service.to_string()),
        None => Selection::Features(args.features.iter().map(FeatureRef::to_string).collect()),
    }
}
