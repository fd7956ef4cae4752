//! What is derived from results of post-notification: the closing summary; the tables, figures, judged claims and README that
//! stand beside them in a bundle; and what the page and the artifact appendix say of them. Everything here is text or bytes:
//! who prints or writes them is the caller's choice.

pub mod appendix;
pub mod derive;
pub mod page;
pub mod pictures;
pub mod summary;
pub mod verify;

pub use pictures::picture;
