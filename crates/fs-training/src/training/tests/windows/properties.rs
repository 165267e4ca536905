//! Training sets with windows against plain arithmetic, on generated events in a real table.

use std::ops::Range;

use datafusion::execution::session_state::SessionStateBuilder;
use fs_core::{PointInTime, Window};
use fs_pit::windows::covers;
use proptest::prelude::*;

use super::super::properties::{range, rule, window_rows};
use super::*;

const FEATURES: [&str; 5] = [
    "clicks_lately:count_30us",
    "clicks_lately:clicks_sum_30us",
    "clicks_lately:clicks_sum_lifetime",
    "clicks_lately:score_max_75us",
    "activity:clicks",
];

/// The two views, without a TTL.
async fn shop(rule: Rule, commits: &[Vec<Row>]) -> Shop {
    let rule = Rule { ttl: None, ..rule };
    let mut shop = Shop::new(rule);
    let filter = Some("clicks % 2 = 0");
    shop.add_windowed(
        WINDOWS,
        rule,
        &[
            aggregation(None, Function::Count, None, &["30us"]),
            aggregation(Some("clicks"), Function::Sum, filter, &["30us", "lifetime"]),
            aggregation(Some("score"), Function::Max, None, &["75us"]),
        ],
    );
    for (window, rows) in (0..).zip(commits) {
        shop.replace_in(VIEW, range(window), rows).await;
        shop.replace_in(WINDOWS, range(window), rows).await;
    }
    shop
}

/// The events of each row of a spine in a window.
fn in_window<'a>(
    rule: Rule,
    spine: &[(Option<i64>, i64)],
    events: &[&'a Row],
    window: &str,
) -> Vec<Vec<&'a Row>> {
    let window: Window = window.parse().unwrap();
    let rows = spine.iter().map(|(user, at)| {
        let counts = |row: &&&'a Row| {
            Some(row.user) == *user && covers::counts(&rule, window, row.event, row.created, *at)
        };
        events.iter().filter(counts).copied().collect()
    });
    rows.collect()
}

fn expected(rule: Rule, spine: &[(Option<i64>, i64)], commits: &[Vec<Row>]) -> Vec<ArrayRef> {
    let events: Vec<&Row> = commits.iter().flatten().collect();
    let in_window = |window| in_window(rule, spine, &events, window);
    let counts = in_window("30us").into_iter();
    let counts: Vec<Option<i64>> = counts.map(|rows| i64::try_from(rows.len()).ok()).collect();
    let sums = |window| -> ArrayRef {
        let even = |row: &&Row| row.clicks.filter(|clicks| clicks % 2 == 0);
        let rows = in_window(window).into_iter();
        let sums = rows.map(|rows| rows.iter().filter_map(even).reduce(|a, b| a + b));
        ints(&sums.collect::<Vec<_>>())
    };
    let greatest = in_window("75us").into_iter().map(|rows| {
        let clicks = rows.iter().filter_map(|row| row.clicks).max();
        clicks.map(|clicks| f64::from(i32::try_from(clicks).unwrap()) / 2.0)
    });
    let greatest: Float64Array = greatest.collect();
    vec![
        ints(&counts),
        sums("30us"),
        sums("lifetime"),
        Arc::new(greatest),
    ]
}

/// A training set of the two views, however little memory there is.
async fn set(
    shop: &Shop,
    rows: Spine,
    memory: Option<usize>,
    partitions: usize,
    batch_rows: usize,
) -> RecordBatch {
    let query = TrainingQuery::new(of(&FEATURES), Naming::Short);
    let mut sets = shop.sets_within(memory);
    let config = sets.session.config().clone();
    let config = config
        .with_target_partitions(partitions)
        .with_batch_size(batch_rows);
    let session = SessionStateBuilder::new_from_existing(SessionState::clone(&sets.session));
    sets.session = Arc::new(session.with_config(config).build());
    let set = sets.get(&shop.catalog, 1, &query, rows, None).await;
    rows_of(set.unwrap()).await
}

fn spines() -> impl Strategy<Value = Vec<(Option<i64>, i64)>> {
    prop::collection::vec((prop::option::of(0_i64..5), 0_i64..170), 0..30)
}

fn spine_of(rows: &[(Option<i64>, i64)]) -> Spine {
    let users: Vec<Option<i64>> = rows.iter().map(|(user, _)| *user).collect();
    let at: Vec<i64> = rows.iter().map(|(_, at)| *at).collect();
    spine(vec![("user", ints(&users)), (EVENT_TIMESTAMP, times(&at))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn windows_of_a_training_set_equal_plain_arithmetic_and_the_future_changes_nothing(
        rule in rule(),
        rows in spines(),
        windows in (window_rows(0), window_rows(1), window_rows(2)),
        memory in prop::sample::select(vec![30_000, 60_000, 200_000]),
        partitions in 1_usize..4,
        batch_rows in prop::sample::select(vec![1, 3, 8192]),
    ) {
        let commits = [windows.0, windows.1, windows.2];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = shop(rule, &commits).await;
            let all = set(&shop, spine_of(&rows), None, 2, 8192).await;
            let found: Vec<ArrayRef> = all.columns()[2..6].to_vec();
            prop_assert_eq!(&found, &expected(rule, &rows, &commits));

            let little = set(&shop, spine_of(&rows), Some(memory), partitions, batch_rows).await;
            prop_assert_eq!(little.columns(), all.columns());

            let future: Vec<Row> = (0..5).map(|user| row(user, 200, -2)).collect();
            shop.replace_in(WINDOWS, 200..250, &future).await;
            let later = set(&shop, spine_of(&rows), None, 1, 8192).await;
            prop_assert_eq!(later.columns(), all.columns());
            Ok(())
        })?;
    }
}

/// The sum of a counter over all operators of a plan that was displayed.
fn counted(plan: &str, counter: &str) -> usize {
    let counter = format!("{counter}=");
    let values = plan.split(&counter).skip(1);
    let digits = values.map(|value| value.split(|c: char| !c.is_ascii_digit()).next());
    digits
        .map(|digits| digits.unwrap().parse::<usize>().unwrap())
        .sum()
}

#[tokio::test]
async fn windows_that_do_not_fit_into_memory_go_to_disk_and_keep_their_bytes() {
    let events = |window: Range<i64>| -> Vec<Row> {
        let rows = 0..4_000;
        let at = |n: i64| window.start + 37 * n % (window.end - window.start);
        rows.map(|n| row(n % 900, at(n), n)).collect()
    };
    let commits: Vec<Vec<Row>> = (0..3).map(|window| events(range(window))).collect();
    let known_at = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let shop = shop(known_at, &commits).await;
    let users: Vec<i64> = (0..20_000).map(|n| 7 * n % 1_000).collect();
    let at: Vec<i64> = (0..20_000).map(|n| 13 * n % 170).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    let run = async |memory| {
        let query = TrainingQuery::new(of(&FEATURES[..4]), Naming::Short);
        let (sets, rows) = (shop.sets_within(memory), visits(&users, &at));
        let set = sets
            .get(&shop.catalog, 1, &query, rows, None)
            .await
            .unwrap();
        let plan = set.plan().unwrap().clone();
        let report = set.views()[0].clone();
        set.write(&path).await.unwrap();
        (std::fs::read(&path).unwrap(), plan.to_string(), report)
    };
    let (enough, plan, in_memory) = run(None).await;
    assert_eq!(counted(&plan, "joined_on_disk"), 0, "{plan}");
    let (little, plan, on_disk) = run(Some(1_000_000)).await;
    assert!(counted(&plan, "joined_on_disk") > 0, "{plan}");
    assert!(little == enough, "the files differ");
    assert_eq!(on_disk.rows_matched, in_memory.rows_matched);
    assert!(in_memory.rows_matched > 0);
}
