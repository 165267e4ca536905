//! `fs health`: ask a server whether it is healthy.

use fs_core::Code;
use serde_json::json;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::args::HealthArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::Remote;

pub(super) async fn run(args: &HealthArgs, output: Output) -> Result<(), Failure> {
    let remote = Remote::connect(&args.server).await?;
    let mut client = HealthClient::new(remote.channel());
    let answer = client
        .check(HealthCheckRequest {
            service: String::new(),
        })
        .await
        .map_err(|status| remote.refused(&status))?;
    let status = answer.into_inner().status();
    if status != ServingStatus::Serving {
        let message = format!("the server at {} is up but not serving", args.server);
        return Err(Failure::new(Code::Unavailable, message));
    }
    output.answer(
        &json!({ "server": args.server, "status": "SERVING" }),
        || format!("{} is serving", args.server),
    );
    Ok(())
}
