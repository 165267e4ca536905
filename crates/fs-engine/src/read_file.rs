//! One file as a stream: spines, mostly.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::execution::context::SessionContext;
use fs_core::SourceName;

use crate::files::Finder;
use crate::parquet_table::ParquetTable;
use crate::tables::Shared;
use crate::text_table::{SampleSize, TextFormat, TextTable};
use crate::view_plan::in_order;
use crate::{Error, FileRows};

/// What a file is called in errors that speak of sources.
const NAME: &str = "file";

pub(crate) async fn read(
    shared: &Shared,
    path: &Path,
    declared: &Schema,
) -> Result<FileRows, Error> {
    let path = shared.options.base_dir.join(path);
    if !tokio::fs::metadata(&path)
        .await
        .is_ok_and(|meta| meta.is_file())
    {
        return Err(Error::NoSuchFile { path });
    }
    let unknown = || Error::UnknownFormat { path: path.clone() };
    let name = SourceName::new(NAME).map_err(|_never| unknown())?;
    let text = path.to_str().ok_or_else(unknown)?;
    let finder = Finder {
        options: &shared.options,
        runtime: &shared.runtime,
        source: &name,
        path: text,
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("parquet" | "parq" | "pq") => {
            let files = finder.find(&[]).await?;
            let table = ParquetTable::open(&name, files, &shared.runtime).await?;
            let config = Shared::config().with_target_partitions(1);
            let context = SessionContext::new_with_config_rt(config, Arc::clone(&shared.runtime));
            let failed = |cause| Error::of_query(path.display().to_string(), cause);
            let frame = context.read_table(Arc::new(table)).map_err(failed)?;
            let stream = in_order(frame).await.map_err(failed)?;
            Ok(FileRows {
                schema: stream.schema(),
                stream,
            })
        }
        Some(ending @ ("csv" | "tsv")) => {
            let delimiter = if ending == "tsv" { b'\t' } else { b',' };
            let files = finder.find(&[]).await?;
            let format = TextFormat::Csv { delimiter };
            let table = TextTable::open(&name, &files, format, SampleSize::Whole)
                .await?
                .with_types(declared);
            Ok(FileRows {
                schema: table.sampled_schema(),
                stream: table.rows(),
            })
        }
        _ => Err(unknown()),
    }
}
