mod races;

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use fs_core::{Code, Coded};
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use tempfile::TempDir;

use super::*;
use crate::fixture::{at, flights, flights_with_ttl, service_of};

/// One registry in a folder and one in memory; the folder lives as long as the first part.
fn both() -> (TempDir, [Registry; 2]) {
    let folder = TempDir::new().unwrap();
    let on_disk = in_folder(folder.path());
    let in_memory = open(&Location::parse(FilePath::new("/"), "memory:///r").unwrap()).unwrap();
    (folder, [on_disk, in_memory])
}

fn open(location: &Location) -> Result<Registry, Error> {
    Registry::open(location, "flights".parse().unwrap(), [])
}

/// The registry below a folder that is not there yet.
fn in_folder(folder: &FilePath) -> Registry {
    open(&Location::folder(&folder.join("not/yet")).unwrap()).unwrap()
}

fn versions_in(folder: &FilePath) -> PathBuf {
    folder.join("not/yet/flights/versions")
}

async fn apply(registry: &Registry, catalog: &Catalog, force: Force) -> Result<Applied, Error> {
    let plan = registry.plan(catalog).await?;
    registry.apply(&plan, force, at(0), None).await
}

/// Applies `n` versions that differ in a TTL.
async fn apply_many(registry: &Registry, n: u64) {
    for version in 1..=n {
        let catalog = flights_with_ttl(&format!("{version}h"));
        let applied = apply(registry, &catalog, Force::No).await.unwrap();
        assert_eq!(applied, Applied::Recorded { version });
    }
}

#[tokio::test]
async fn an_empty_registry_has_no_version() {
    let (_folder, registries) = both();
    for registry in registries {
        assert_eq!(registry.current().await.unwrap(), None);
        assert!(registry.history(None, 10).await.unwrap().is_empty());
        let error = registry.version(1).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        assert_eq!(
            error.to_string(),
            "project `flights` has no version 1: nothing was applied yet"
        );
    }
}

#[tokio::test]
async fn an_apply_records_the_next_version_and_the_same_again_is_nothing_to_do() {
    let (_folder, registries) = both();
    for registry in registries {
        let plan = registry.plan(&flights()).await.unwrap();
        let applied = registry
            .apply(&plan, Force::No, at(5), Some("first"))
            .await
            .unwrap();
        assert_eq!(applied, Applied::Recorded { version: 1 });
        let current = registry.current().await.unwrap().unwrap();
        assert_eq!(current.number, 1);
        assert_eq!(current.applied_at, at(5));
        assert_eq!(current.note.as_deref(), Some("first"));
        assert_eq!(*current.catalog, flights());
        let again = apply(&registry, &flights(), Force::No).await.unwrap();
        assert_eq!(again, Applied::NothingToDo);
        assert_eq!(registry.current().await.unwrap(), Some(current));
    }
}

#[tokio::test]
async fn an_unknown_version_is_told_with_those_that_exist() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 3).await;
        assert_eq!(registry.version(2).await.unwrap().number, 2);
        let error = registry.version(9).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "project `flights` has no version 9: there are 1 to 3"
        );
    }
}

#[tokio::test]
async fn a_plan_that_hurts_is_refused_unless_it_is_forced() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 1).await;
        let mut without = flights_with_ttl("1h");
        service_of(&mut without, "delay_model").features.truncate(1);
        let error = apply(&registry, &without, Force::No).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        insta::allow_duplicates! { insta::assert_snapshot!(error, @r"
        nothing was applied:
        Services whose callers would lose features:
          delay_model
            origin_weather:temp: no longer in the service
            dest_weather:temp: no longer in the service
            dest_weather:wind_speed: no longer in the service
        Force the apply (`--force`) to change it all the same.
        "); }
        assert_eq!(registry.current().await.unwrap().unwrap().number, 1);
        let forced = apply(&registry, &without, Force::Yes).await.unwrap();
        assert_eq!(forced, Applied::Recorded { version: 2 });
    }
}

#[tokio::test]
async fn a_plan_is_good_for_the_version_it_was_made_on_only() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 2).await;
        let stale = registry.plan(&flights_with_ttl("3h")).await.unwrap();
        let nothing = registry.plan(&flights_with_ttl("2h")).await.unwrap();
        let there_and_back = ["9h", "2h"];
        for ttl in there_and_back {
            apply(&registry, &flights_with_ttl(ttl), Force::No)
                .await
                .unwrap();
        }
        for plan in [stale, nothing] {
            let error = registry
                .apply(&plan, Force::Yes, at(0), None)
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::Conflict);
            assert_eq!(
                error.to_string(),
                "this plan was made on version 2, but there is version 4 (applied at \
                 2013-04-01T00:00:00Z) now: nothing was applied; run `fs plan` again"
            );
        }
        assert_eq!(registry.current().await.unwrap().unwrap().number, 4);
    }
}

#[tokio::test]
async fn a_rollback_is_a_new_version_that_equals_the_old_one() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 3).await;
        let applied = registry.rollback(1, Force::No, at(9)).await.unwrap();
        assert_eq!(applied, Applied::Recorded { version: 4 });
        let current = registry.current().await.unwrap().unwrap();
        assert_eq!(current.catalog, registry.version(1).await.unwrap().catalog);
        assert_eq!(current.note.as_deref(), Some("roll back to version 1"));
        let again = registry.rollback(1, Force::No, at(9)).await.unwrap();
        assert_eq!(again, Applied::NothingToDo);
        let error = registry.rollback(7, Force::No, at(9)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
}

#[tokio::test]
async fn a_rollback_that_hurts_needs_force_like_any_change() {
    let (_folder, registries) = both();
    for registry in registries {
        let mut small = flights();
        small.feature_services.clear();
        apply(&registry, &small, Force::No).await.unwrap();
        apply(&registry, &flights(), Force::No).await.unwrap();
        let error = registry.rollback(1, Force::No, at(0)).await.unwrap_err();
        assert!(matches!(error, Error::WouldHurt { .. }), "{error}");
        let forced = registry.rollback(1, Force::Yes, at(0)).await.unwrap();
        assert_eq!(forced, Applied::Recorded { version: 3 });
    }
}

#[tokio::test]
async fn history_comes_page_by_page_newest_first() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 5).await;
        let page = async |before, limit| {
            let page = registry.history(before, limit).await.unwrap();
            page.iter().map(|entry| entry.number).collect::<Vec<u64>>()
        };
        assert_eq!(page(None, 2).await, [5, 4]);
        assert_eq!(page(Some(4), 2).await, [3, 2]);
        assert_eq!(page(Some(2), 2).await, [1]);
        assert_eq!(page(Some(1), 2).await, [0_u64; 0]);
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_read_does_not_hide_the_others() {
    let folder = TempDir::new().unwrap();
    let registry = in_folder(folder.path());
    apply_many(&registry, 3).await;
    let file = |n: u64| versions_in(folder.path()).join(format!("{n:020}.json"));
    std::fs::write(file(1), "{ \"format\": 2 }").unwrap();
    std::fs::write(file(2), "").unwrap();
    let history = registry.history(None, 10).await.unwrap();
    assert_eq!(history.len(), 3);
    assert!(history[0].version.is_ok());
    let Err(Error::Corrupt { object, .. }) = &history[1].version else {
        panic!("{:?}", history[1].version);
    };
    assert!(
        object.ends_with("flights/versions/00000000000000000002.json"),
        "{object}"
    );
    let newer = history[2].version.as_ref().unwrap_err();
    assert!(
        matches!(
            newer,
            Error::NewerFormat {
                version: 1,
                format: 2,
                newest: 1,
                ..
            }
        ),
        "{newer}"
    );
    assert_eq!(registry.current().await.unwrap().unwrap().number, 3);
}

#[tokio::test]
async fn a_registry_written_by_a_newer_fs_is_not_planned_on() {
    let folder = TempDir::new().unwrap();
    let registry = in_folder(folder.path());
    apply_many(&registry, 1).await;
    let newer = versions_in(folder.path()).join("00000000000000000002.json");
    std::fs::write(newer, "{ \"format\": 2 }").unwrap();
    let error = registry.plan(&flights()).await.unwrap_err();
    assert_eq!(error.code().exit_status(), 2);
    assert!(error.to_string().ends_with("upgrade fs"), "{error}");
}

#[tokio::test]
async fn a_writer_that_died_half_way_and_foreign_files_and_holes_change_nothing() {
    let folder = TempDir::new().unwrap();
    let registry = in_folder(folder.path());
    apply_many(&registry, 3).await;
    let versions = versions_in(folder.path());
    let staged = versions.join("00000000000000000004.json#1");
    std::fs::write(&staged, "{ \"form").unwrap();
    std::fs::write(versions.join("README.md"), "not ours").unwrap();
    std::fs::create_dir(versions.join("00000000000000000009.json")).unwrap();
    std::fs::remove_file(versions.join("00000000000000000002.json")).unwrap();
    assert_eq!(registry.current().await.unwrap().unwrap().number, 3);
    let applied = apply(&registry, &flights_with_ttl("9h"), Force::No)
        .await
        .unwrap();
    assert_eq!(applied, Applied::Recorded { version: 4 });
    let error = registry.version(2).await.unwrap_err().to_string();
    assert!(error.ends_with("there are 1 and 3 to 4"), "{error}");
}

#[tokio::test]
async fn a_poll_finds_the_newest_version_after_the_one_it_knows() {
    let (_folder, registries) = both();
    for registry in registries {
        assert_eq!(registry.newer_than(0).await.unwrap(), None);
        apply_many(&registry, 4).await;
        for known in 0..4 {
            let newer = registry.newer_than(known).await.unwrap().unwrap();
            assert_eq!(newer.number, 4);
        }
        assert_eq!(registry.newer_than(4).await.unwrap(), None);
    }
}

#[tokio::test]
async fn projects_in_one_location_do_not_see_each_other() {
    let folder = TempDir::new().unwrap();
    let location = Location::folder(folder.path()).unwrap();
    let flights_registry = open(&location).unwrap();
    apply_many(&flights_registry, 2).await;
    let trains = Registry::open(&location, "flights_2".parse().unwrap(), []).unwrap();
    assert_eq!(trains.current().await.unwrap(), None);
    let error = trains.plan(&flights()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let plan = flights_registry.plan(&flights()).await.unwrap();
    let error = trains
        .apply(&plan, Force::Yes, at(0), None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherProject { .. }), "{error}");
}

#[tokio::test]
async fn a_large_version_survives_as_well() {
    let (_folder, registries) = both();
    let mut large = flights();
    let template = large.feature_views["origin_weather"].clone();
    for n in 0..500 {
        let mut view = template.clone();
        view.name = format!("weather_{n}").parse().unwrap();
        large.feature_views.insert(view.name.clone(), view);
    }
    for registry in registries {
        apply(&registry, &large, Force::No).await.unwrap();
        let current = registry.current().await.unwrap().unwrap();
        assert_eq!(*current.catalog, large);
    }
}

#[tokio::test]
async fn teardown_removes_every_version() {
    let (_folder, registries) = both();
    for registry in registries {
        apply_many(&registry, 3).await;
        let plan = registry.plan(&flights()).await.unwrap();
        assert_eq!(registry.tear_down().await.unwrap(), 3);
        assert_eq!(registry.current().await.unwrap(), None);
        let error = registry
            .apply(&plan, Force::No, at(0), None)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Conflict { winner: None, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_location_that_cannot_be_a_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&Location::folder(&file).unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn a_location_with_dots_and_odd_letters_is_opened() {
    let folder = TempDir::new().unwrap();
    let odd = Location::parse(folder.path(), "a b/ü%20#?/../c").unwrap();
    open(&odd).unwrap();
    assert!(folder.path().join("a b/c").is_dir());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_after_the_deadline() {
    let hour = Duration::from_hours(1);
    let never = ThrottleConfig {
        wait_get_per_call: hour,
        wait_put_per_call: hour,
        wait_list_per_call: hour,
        ..ThrottleConfig::default()
    };
    let store = Arc::new(ThrottledStore::new(InMemory::new(), never));
    let location = Location::parse(FilePath::new("/"), "s3://bucket/registry").unwrap();
    let mut registry = Registry::over(
        store,
        &Path::default(),
        &location,
        "flights".parse().unwrap(),
    );
    registry.objects = registry.objects.with_deadline(Duration::from_millis(1));
    let error = registry.version(1).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(
        error.to_string().contains("s3://bucket/registry"),
        "{error}"
    );
    let error = registry.current().await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}
