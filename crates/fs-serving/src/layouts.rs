//! The decoder of a lookup, and how it learns layouts that were added since.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use fs_online::{OnlineStore, RowDecoder};

use crate::Error;
use crate::plan::{Lookup, Plan};

/// The newest decoder that somebody made for a lookup.
///
/// Rows name their layout by number. A row with a number that the decoder does not know was written
/// after the decoder was made: the layouts are then read from the store once and the decoder is
/// made anew. Layouts never change under their number, so an old decoder is never wrong.
#[derive(Debug, Default)]
pub(crate) struct DecoderSlot(ArcSwapOption<RowDecoder>);

impl Lookup {
    /// The decoder as it is now: at first one that knows no layout.
    pub(crate) fn current_decoder(&self) -> Arc<RowDecoder> {
        if let Some(windows) = &self.windows {
            return windows.decoder();
        }
        let current = self.decoder.0.load_full();
        current.unwrap_or_else(|| Arc::new(self.decoder_for(&[])))
    }
}

/// Reads the layouts of one lookup's view again.
pub(crate) async fn refresh(
    store: &dyn OnlineStore,
    plan: &Plan,
    lookup: usize,
) -> Result<(), Error> {
    let lookup = &plan.lookups[lookup];
    let view = &plan.stored[lookup.stored].id;
    let layouts = store.layouts(view).await.map_err(Error::Store)?;
    let decoder = lookup.decoder_for(&layouts);
    lookup.decoder.0.store(Some(Arc::new(decoder)));
    Ok(())
}
