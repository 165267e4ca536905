//! A server that reads while a materialization writes, and a materialization that is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use fs_integration::{Client, Online, Repo, read_parquet};
use fs_testkit::process::FsProcess;
use serde_json::Value;

const SERVICE: &str = "delay_model_v1";
const ENTITY: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];

/// The features of one view come from one row: they are all there, or all missing.
fn whole(cells: &[&(Value, u8)]) -> bool {
    let missing = |status: u8| status == 3 || status == 4;
    cells.iter().all(|cell| missing(cell.1)) || cells.iter().all(|cell| !missing(cell.1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_reads_whole_rows_while_another_process_writes() -> Result<()> {
    let repo = Repo::flights("together", &Online::Embedded)?;
    repo.apply()?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let mut client = Client::connect(server.url()).await?;
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            let mut reads = 0_u64;
            // Once more after the writer has ended.
            loop {
                let over = done.load(Ordering::SeqCst);
                let answer = client.service(SERVICE, &[&ENTITY]).await?;
                let cell = |name: &str| &answer.features[name][0];
                ensure!(
                    whole(&[cell("last_arr_delay"), cell("last_dest")]),
                    "{answer:?}"
                );
                ensure!(
                    whole(&[cell("temp"), cell("wind_speed"), cell("precip")]),
                    "{answer:?}"
                );
                reads += 1;
                if over {
                    return Ok((reads, answer));
                }
            }
        }
    });
    for end in ["2013-01-08", "2013-01-15", "2013-01-22", "2013-02-01"] {
        repo.json(&["materialize-incremental", end])?;
    }
    done.store(true, Ordering::SeqCst);
    let (reads, last) = reader.await??;
    assert!(reads > 10, "only {reads} reads beside the writer");
    assert_eq!(last.features["year"][0], (Value::from(1999), 1));
    Ok(())
}

#[test]
fn a_materialization_killed_anywhere_and_run_again_equals_an_undisturbed_one() -> Result<()> {
    let undisturbed =
        Repo::flights("calm", &Online::Embedded)?.materialized("2013-01-01", "2013-01-15")?;
    let repo = Repo::flights("killed", &Online::Embedded)?;
    repo.apply()?;
    // Later and later, measured in views that have begun: the progress lines say so.
    for view in [
        "airport_congestion",
        "carrier_delays",
        "origin_last_heavy_delay",
        "origin_weather",
        "plane_last_arrival",
        "plane_recent",
        "route_last_arrival",
    ] {
        let mut command = repo.command(&["materialize", "2013-01-01", "2013-01-15"])?;
        let mut process = FsProcess::spawn(&mut command)?;
        process.wait_for_line(view)?;
        process.kill()?;
        process.wait(std::time::Duration::from_mins(1))?;
    }
    repo.json(&["materialize", "2013-01-01", "2013-01-15"])?;

    let training = |repo: &Repo| -> Result<_> {
        let out = repo.file("out.parquet");
        repo.json(&[
            "get-historical-features",
            "--service",
            SERVICE,
            "--spine",
            &repo.file("data/label_spine.parquet").display().to_string(),
            "--out",
            &out.display().to_string(),
        ])?;
        read_parquet(&out)
    };
    assert!(training(&repo)?.same_rows(&training(&undisturbed)?));

    let vector = |repo: &Repo| -> Result<Value> {
        repo.json(&[
            "get-online-features",
            "--service",
            SERVICE,
            "--now",
            "2013-01-15",
            "--entity",
            "tailnum=N14228,carrier=UA,origin=EWR,dest=IAH",
        ])
    };
    assert_eq!(vector(&repo)?, vector(&undisturbed)?);
    Ok(())
}
