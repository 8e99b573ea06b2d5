//! Labels of values that no vault holds.

use subrosa_model::{FieldName, KeyName, Label, SecretId, WorkspaceId};

/// The label of the first version of a secret of this name; its id is made of the name's first 16
/// bytes.
///
/// # Panics
/// When the name is not one that a secret may have.
#[must_use]
pub fn label(name: &str) -> Label {
    let mut id = [0; 16];
    for (place, byte) in id.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    Label {
        workspace: WorkspaceId::from_bytes([1; 16]),
        secret: SecretId::from_bytes(id),
        key: KeyName::new(name).expect("a name"),
        field: FieldName::default_field(),
        version: 1,
        pin: None,
    }
}
