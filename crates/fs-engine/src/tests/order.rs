//! Rows come in the order of the source, every time.

use fs_core::FileFormat;

use super::fixture::*;

#[tokio::test]
async fn files_come_sorted_by_path_and_rows_as_they_lie_in_the_file() {
    let mut repo = Repo::new();
    for (file, first) in [("w/b.parquet", 3), ("w/a.parquet", 1), ("w/c/d.parquet", 5)] {
        repo.parquet(
            file,
            &[
                ("origin", strings(&["JFK", "JFK"])),
                ("t", times(&[9, 7])),
                ("id", ints(&[first, first + 1])),
            ],
        );
    }
    repo.source("weather", files(FileFormat::Parquet, "w"));
    let view = view("weather", &[("id", "int32")]);
    for _ in 0..3 {
        let found = repo.rows(&view).await.unwrap();
        let ids: Vec<&str> = found
            .lines()
            .skip(3)
            .filter_map(|line| line.trim_matches('|').split('|').nth(3))
            .map(str::trim)
            .collect();
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
    }
}

#[tokio::test]
async fn the_branches_of_a_union_come_one_after_the_other() {
    let mut repo = Repo::new();
    let rows = 20_000;
    for (file, first) in [("a.parquet", 0), ("b.parquet", rows)] {
        let ids: Vec<i32> = (first..first + rows).collect();
        let count = ids.len();
        repo.parquet(
            file,
            &[
                ("origin", strings(&vec!["JFK"; count])),
                ("t", times(&vec![5; count])),
                ("id", ints(&ids)),
            ],
        );
    }
    repo.source("a", files(FileFormat::Parquet, "a.parquet"));
    repo.source("b", files(FileFormat::Parquet, "b.parquet"));
    let mut view = view("a", &[("id", "int32")]);
    view.query = Some("SELECT * FROM a UNION ALL SELECT * FROM b".to_owned());
    let found = repo.rows(&view).await.unwrap();
    let ids: Vec<i32> = found
        .lines()
        .skip(3)
        .filter_map(|line| line.trim_matches('|').split('|').nth(3))
        .map(|id| id.trim().parse().unwrap())
        .collect();
    assert!(ids.iter().copied().eq(0..2 * rows));
}

#[tokio::test]
async fn the_order_by_of_a_query_is_kept() {
    let mut repo = Repo::new();
    repo.parquet(
        "a.parquet",
        &[
            ("origin", strings(&["JFK", "LGA", "EWR"])),
            ("t", times(&[5, 5, 5])),
            ("id", ints(&[2, 3, 1])),
        ],
    );
    repo.source("a", files(FileFormat::Parquet, "a.parquet"));
    let mut view = view("a", &[("id", "int32")]);
    view.query = Some("SELECT * FROM a ORDER BY id".to_owned());
    let found = repo.rows(&view).await.unwrap();
    let time = "1970-01-01T00:00:00.000005Z";
    assert_rows(
        &found,
        &[
            &format!("EWR {time}  1"),
            &format!("JFK {time}  2"),
            &format!("LGA {time}  3"),
        ],
    );
}
