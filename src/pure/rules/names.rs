//! One way to write an enumeration that has a name on the wire and a title in two languages.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::kernel::text::Phrase;

/// A value that has a name for programs and a title for people.
pub trait Named: Copy + Eq + std::fmt::Debug + 'static {
    /// The snake_case name on the wire and in the database.
    fn name(self) -> &'static str;
    /// The title for people.
    fn title(self) -> Phrase;
    /// Every value.
    fn all() -> &'static [Self];
}

/// What the API description says of such an enumeration: its names, and what each means.
pub fn schema<T: Named>() -> RefOr<Schema> {
    let meanings: Vec<String> =
        T::all().iter().map(|value| format!("`{}`: {}", value.name(), value.title().en)).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(T::all().iter().map(|value| value.name())))
        .description(Some(meanings.join("; ")))
        .into()
}

macro_rules! named {
    ($(#[$outer:meta])* pub enum $type:ident { $($(#[$inner:meta])* $variant:ident = $name:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $type {
            $($(#[$inner])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The snake_case name on the wire and in the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The title for people.
            pub const fn title(self) -> crate::kernel::text::Phrase {
                match self { $(Self::$variant => crate::kernel::text::Phrase::new($zh, $en),)* }
            }

            /// The value of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        // By hand: what derives the schema does not see through to the names.
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::rules::names::schema::<Self>()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
        }

        impl $crate::rules::names::Named for $type {
            fn name(self) -> &'static str { self.name() }
            fn title(self) -> crate::kernel::text::Phrase { self.title() }
            fn all() -> &'static [Self] { Self::ALL }
        }
    };
}

pub(crate) use named;
