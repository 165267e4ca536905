//! Which object stores Delta tables may live in.

use std::sync::Once;

static REGISTERED: Once = Once::new();

/// Makes `s3://`, `gs://` and `az://` tables openable. Called by every [`OfflineStore`]; calling
/// it again does nothing.
///
/// [`OfflineStore`]: crate::OfflineStore
pub fn register_handlers() {
    REGISTERED.call_once(|| {
        deltalake::aws::register_handlers(None);
        deltalake::gcp::register_handlers(None);
        deltalake::azure::register_handlers(None);
    });
}
