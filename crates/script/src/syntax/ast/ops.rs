//! Tools and comparisons, and how each is written.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// How each is written.
            pub const WORDS: &[&str] = &[$($word),*];

            /// How it is written.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// How two values are compared.
    Comparison {
        Is = "is",
        IsNot = "is not",
        Greater = ">",
        Less = "<",
        GreaterOrEqual = ">=",
        LessOrEqual = "<=",
        Contains = "contains",
    }
}

words! {
    /// A text tool.
    TextOp {
        Length = "length",
        Lower = "lower",
        Upper = "upper",
        Trim = "trim",
        Concat = "concat",
        Join = "join",
        Split = "split",
        Replace = "replace",
        Contains = "contains",
        StartsWith = "startswith",
        EndsWith = "endswith",
        Slice = "slice",
        Compare = "compare",
    }
}

words! {
    /// A calculation.
    MathOp {
        Add = "add",
        Sub = "sub",
        Mul = "mul",
        Div = "div",
        Mod = "mod",
        Abs = "abs",
        Round = "round",
        Floor = "floor",
        Ceil = "ceil",
        Min = "min",
        Max = "max",
        Pow = "pow",
        Compare = "compare",
    }
}

words! {
    /// A tool for true and false.
    BoolOp {
        All = "all",
        Any = "any",
    }
}

words! {
    /// A tool for lists.
    ListOp {
        Add = "add",
        Remove = "remove",
        Length = "length",
        Join = "join",
    }
}

words! {
    /// A tool for maps.
    MapOp {
        Set = "set",
        Get = "get",
        Has = "has",
        Merge = "merge",
    }
}
