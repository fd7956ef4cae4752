//! Enumerations whose values have names.

/// Declares an enumeration whose values have names, with `ALL` values and `NAMES` in their order, a method that gives the
/// name, and `Display`, which shows it.
#[macro_export]
macro_rules! named {
    ($(#[$doc:meta])* $vis:vis enum $type:ident: $method:ident {
        $($(#[$of_value:meta])* $value:ident = $name:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $type { $($(#[$of_value])* $value),+ }

        impl $type {
            /// Every value.
            $vis const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// Every name, in the order of the values.
            $vis const NAMES: [&'static str; Self::ALL.len()] = [$($name),+];

            /// The name.
            #[must_use]
            $vis fn $method(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.$method())
            }
        }
    };
}
