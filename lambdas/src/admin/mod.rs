//! What is done to storages before and after a run: build, clean, count, and look.

mod contents;

pub use contents::{Admin, Contents};

/// Calls the same on whichever storage one of them is.
macro_rules! each {
    ($any:ident { $($variant:ident)* }: $storage:expr, $end:ident => $call:expr) => {
        match $storage { $($any::$variant($end) => $call,)* }
    };
}
pub(crate) use each;

/// Has whichever storage one of them is built, removed, cleaned and looked at.
macro_rules! admin_of_each {
    ($any:ident $variants:tt) => {
        impl $crate::Admin for $any {
            async fn build(&self) -> Result<(), matrix_app::StorageError> {
                $crate::admin::each!($any $variants: self, end => end.build().await)
            }
            async fn remove(&self) -> Result<(), matrix_app::StorageError> {
                $crate::admin::each!($any $variants: self, end => end.remove().await)
            }
            async fn clean(&self) -> Result<(), matrix_app::StorageError> {
                $crate::admin::each!($any $variants: self, end => end.clean().await)
            }
            async fn contents(&self) -> Result<$crate::Contents, matrix_app::StorageError> {
                $crate::admin::each!($any $variants: self, end => end.contents().await)
            }
            async fn is_empty(&self) -> Result<bool, matrix_app::StorageError> {
                $crate::admin::each!($any $variants: self, end => end.is_empty().await)
            }
        }
    };
}
pub(crate) use admin_of_each;
