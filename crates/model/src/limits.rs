//! Named bounds on what a user may store. Going over one is an error that names the bound.

/// Longest key of a secret, in bytes.
pub const KEY_MAX: usize = 256;
/// Longest name of a field, workspace, group, provider, agent or capability, in bytes.
pub const NAME_MAX: usize = 64;
/// Longest tag, in bytes after normalisation.
pub const TAG_MAX: usize = 64;
/// Longest value of a field, in bytes.
pub const VALUE_MAX: usize = 1024 * 1024;
/// Longest note or URL of a secret, in bytes after normalisation.
pub const NOTE_MAX: usize = 16 * 1024;
/// Most fields that one secret has.
pub const FIELDS_MAX: usize = 100;
/// Most tags that one secret has.
pub const TAGS_MAX: usize = 10;
/// Versions that a secret keeps; the oldest is dropped beyond it.
pub const VERSIONS_KEPT: usize = 20;
/// Most workspaces in one vault.
pub const WORKSPACES_MAX: usize = 1000;
/// Most slots that open one vault.
pub const SLOTS_MAX: usize = 32;
/// Longest sealed document (policy and the like), in bytes.
pub const DOCUMENT_MAX: usize = 4 * 1024 * 1024;
/// Longest reference to a secret, in bytes.
pub const REFERENCE_MAX: usize = 2048;
