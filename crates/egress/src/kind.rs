//! The kinds of sinks as types, so that a permit for one cannot be used for another.

use subrosa_model::SinkKind;

mod sealed {
    pub trait Sealed {}
}

/// A kind of sink. Closed: only the types of this module implement it.
pub trait Kind: sealed::Sealed + Send + 'static {
    /// The kind as a value.
    const SINK: SinkKind;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(());

        impl sealed::Sealed for $name {}
        impl Kind for $name {
            const SINK: SinkKind = SinkKind::$name;
        }
    )*};
}

kinds! {
    /// Variables of a child process.
    Environment,
    /// A file.
    File,
    /// An inherited descriptor of a child process.
    Descriptor,
    /// The standard input of a child process.
    Stdin,
    /// The user's terminal or standard output.
    Console,
    /// A header, query or path of a request to a pinned host.
    HttpInjection,
    /// A local process that is handed the value.
    Client,
    /// A signature leaves, the key stays.
    Signature,
    /// A client key held for the life of one connection.
    Connection,
    /// A filter that text is looked through with: [`Gate::search`](crate::Gate::search).
    Filter,
}
