//! Training sets with hardly any memory, in any partitions and batches: the same bytes, by way of the
//! disk where it must be.

use std::ops::Range;

use datafusion::execution::session_state::SessionStateBuilder;
use fs_offline::TableSchema;
use proptest::prelude::*;

use super::properties::{expected, range, rule, window_rows};
use super::*;
use crate::fixture::SHOP;

/// The views of a service: the first by two names, one like it, and one of two keys.
const OTHER: &str = "other_activity";
const TWO: &str = "activity_in_shop";

/// Statistics of files are in milliseconds: windows that are to be files of their own are that wide.
const MILLI: i64 = 1_000;

/// A row of a spine: two users, a shop and the time.
#[derive(Debug, Clone)]
struct Visit {
    user: Option<i64>,
    other: Option<i64>,
    shop: Option<i64>,
    at: i64,
}

fn visits_of(count: Range<usize>) -> impl Strategy<Value = Vec<Visit>> {
    let user = || prop::option::weighted(0.9, 0_i64..5);
    let shop = prop::option::weighted(0.9, 0_i64..3);
    // Every row of a history lies on a millisecond: these are at it, or a microsecond beside it.
    let visit = (user(), user(), shop, 0_i64..170, -1_i64..=1);
    let visit = visit.prop_map(|(user, other, shop, at, beside)| Visit {
        user,
        other,
        shop,
        at: at * MILLI + beside,
    });
    prop::collection::vec(visit, count)
}

/// A thousand times as long.
fn long_rule() -> impl Strategy<Value = Rule> {
    let long = |span: i64| Span::from_micros(span * MILLI);
    rule().prop_map(move |rule| Rule {
        ttl: rule
            .ttl
            .and_then(|ttl| long(ttl.as_micros()).and_then(Ttl::new)),
        delay: long(rule.delay.as_micros()).unwrap(),
        ..rule
    })
}

/// A thousand times as far apart.
fn long_window(window: i64) -> impl Strategy<Value = Vec<Row>> {
    window_rows(window).prop_map(|mut rows| {
        for row in &mut rows {
            row.event *= MILLI;
            row.created = row.created.map(|created| created * MILLI);
        }
        rows
    })
}

/// Three tables of a file for each window.
async fn shop(rules: [Rule; 3], windows: &[Vec<Row>]) -> Shop {
    let mut shop = Shop::new(rules[0]);
    shop.add_view(OTHER, rules[1]);
    shop.add_view_of_two(TWO, rules[2]);
    for (window, rows) in (0..).zip(windows) {
        for view in [VIEW, OTHER, TWO] {
            let range = range(window);
            let range = range.start * MILLI..range.end * MILLI;
            shop.replace_in(view, range, rows).await;
        }
    }
    shop
}

/// The catalog with a service of all of them.
fn catalog(shop: &Shop) -> Catalog {
    let mut catalog = shop.with_service(&[("buyer", "user"), ("seller", "other")]);
    let service = catalog.feature_services.get_mut("model").unwrap();
    for view in [OTHER, TWO] {
        let mut entry = service.features[0].clone();
        (entry.view, entry.alias) = (view.parse().unwrap(), None);
        entry.join_keys.clear();
        service.features.push(entry);
    }
    catalog
}

/// How a training set is made.
#[derive(Debug, Clone, Copy)]
struct Conditions {
    memory: Option<usize>,
    partitions: usize,
    batch_rows: usize,
}

const ENOUGH: Conditions = Conditions {
    memory: None,
    partitions: 2,
    batch_rows: 8192,
};

fn little() -> impl Strategy<Value = Conditions> {
    let memory = prop::sample::select(vec![Some(10_000), Some(30_000), Some(100_000), None]);
    let batch_rows = prop::sample::select(vec![1, 2, 4, 8, 8192]);
    (memory, 1_usize..5, batch_rows).prop_map(|(memory, partitions, batch_rows)| Conditions {
        memory,
        partitions,
        batch_rows,
    })
}

async fn set(shop: &Shop, visits: &[Visit], conditions: Conditions) -> TrainingSet {
    let service = FeatureRequest::Service("model".parse().unwrap());
    let query = TrainingQuery::new(service, Naming::Full);
    let (mut sets, catalog) = (shop.sets_within(conditions.memory), catalog(shop));
    let config = sets.session.config().clone();
    let config = config
        .with_target_partitions(conditions.partitions)
        .with_batch_size(conditions.batch_rows);
    let session = SessionStateBuilder::new_from_existing(SessionState::clone(&sets.session));
    sets.session = Arc::new(session.with_config(config).build());
    let set = sets.get(&catalog, 1, &query, rows_of(visits), None);
    set.await.unwrap()
}

/// The bytes of the file that a training set is written to.
async fn bytes(set: TrainingSet) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    set.write(&path).await.unwrap();
    std::fs::read(path).unwrap()
}

fn rows_of(visits: &[Visit]) -> Spine {
    let users: Vec<Option<i64>> = visits.iter().map(|visit| visit.user).collect();
    let others: Vec<Option<i64>> = visits.iter().map(|visit| visit.other).collect();
    let shops: Vec<Option<i64>> = visits.iter().map(|visit| visit.shop).collect();
    let at: Vec<i64> = visits.iter().map(|visit| visit.at).collect();
    spine(vec![
        ("user", ints(&users)),
        ("other", ints(&others)),
        (SHOP, ints(&shops)),
        (EVENT_TIMESTAMP, times(&at)),
    ])
}

/// What each of the four joins finds, by the naive reference.
fn all_expected(rules: [Rule; 3], visits: &[Visit], windows: &[Vec<Row>]) -> Vec<Vec<Option<i64>>> {
    let by = |key: fn(&Visit) -> Option<i64>| -> Vec<(Option<i64>, i64)> {
        visits.iter().map(|visit| (key(visit), visit.at)).collect()
    };
    // A row of a user is of one shop only: another shop has none of that user.
    let in_shop = |visit: &Visit| {
        let user = visit.user?;
        (visit.shop == Some(user % 3)).then_some(user)
    };
    vec![
        expected(rules[0], &by(|visit| visit.user), windows),
        expected(rules[0], &by(|visit| visit.other), windows),
        expected(rules[1], &by(|visit| visit.user), windows),
        expected(rules[2], &by(in_shop), windows),
    ]
}

fn found(batch: &RecordBatch) -> Vec<Vec<Option<i64>>> {
    let column = |label: &str| {
        let column = batch.column_by_name(&format!("{label}__clicks")).unwrap();
        column.as_primitive::<Int64Type>().iter().collect()
    };
    ["buyer", "seller", OTHER, TWO].map(column).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_training_set_of_many_views_is_the_same_to_the_byte_whatever_memory_partitions_and_batches(
        rules in (long_rule(), long_rule(), long_rule()),
        visits in visits_of(0..60),
        windows in (long_window(0), long_window(1), long_window(2)),
        little in little(),
    ) {
        let rules = [rules.0, rules.1, rules.2];
        let windows = [windows.0, windows.1, windows.2];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = shop(rules, &windows).await;
            let unlimited = set(&shop, &visits, ENOUGH).await;
            let schema = Arc::clone(unlimited.schema());
            let batches = unlimited.collect().await.unwrap();
            let rows = concat_batches(&schema, &batches).unwrap();
            prop_assert_eq!(found(&rows), all_expected(rules, &visits, &windows));
            let enough = bytes(set(&shop, &visits, ENOUGH).await).await;
            let little = bytes(set(&shop, &visits, little).await).await;
            prop_assert!(little == enough, "{} and {} bytes", little.len(), enough.len());
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
async fn a_training_set_that_does_not_fit_goes_to_disk_and_keeps_its_bytes() {
    let visits: Vec<Visit> = (0..20_000)
        .map(|n| Visit {
            user: (n % 11 > 0).then_some(7 * n % 5_000),
            other: Some(n % 6_000),
            shop: Some(n % 3),
            at: 37 * n % 150 * MILLI,
        })
        .collect();
    let window = |window: i64| -> Vec<Row> {
        let rows = 0..5_000;
        rows.map(|n| row(n, (50 * window + n % 50) * MILLI, n))
            .collect()
    };
    let windows: Vec<Vec<Row>> = (0..3).map(window).collect();
    let shop = shop([Rule::default(); 3], &windows).await;
    for view in [VIEW, OTHER, TWO] {
        let schema = TableSchema::of(&shop.catalog, &shop.catalog.feature_views[view]);
        let table = shop.offline().table(&schema, None).await.unwrap();
        assert_eq!(table.files().len(), windows.len(), "files of {view}");
    }
    let run = async |memory| {
        let conditions = Conditions { memory, ..ENOUGH };
        let set = set(&shop, &visits, conditions).await;
        let plan = set.plan().unwrap().clone();
        (bytes(set).await, plan.to_string())
    };
    let (enough, plan) = run(None).await;
    let spilled = |plan: &str| ["joined_on_disk", "windows"].map(|name| counted(plan, name));
    assert_eq!(spilled(&plan), [0, 0], "{plan}");

    let (little, plan) = run(Some(150_000)).await;
    let [on_disk, windows] = spilled(&plan);
    assert!(on_disk > 0 && windows > 0, "{plan}");
    assert!(
        little == enough,
        "{} and {} bytes",
        little.len(),
        enough.len()
    );
}
