//! What the tests are told with: a whole platform of their own, the people on it, and the stories they play.

pub mod api;
pub mod breaking;
pub mod cast;
pub mod custody;
pub mod loglab;
pub mod logs;
pub mod looks;
pub mod normal;
pub mod own;
pub mod postgres;
pub mod program;
pub mod python;
pub mod served;
pub mod steps;
pub mod stored;
pub mod story;
pub mod tutorial;
pub mod world;

/// Tells a story on both databases: one test each, the same words.
#[macro_export]
macro_rules! on_both {
    ($(#[$doc:meta])* $name:ident, |$world:ident| $story:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            fn story($world: &$crate::support::world::World) $story

            #[test]
            fn on_sqlite() {
                story(&$crate::support::world::World::sqlite());
            }

            #[test]
            fn on_postgres() {
                if let Some(world) = $crate::support::world::World::postgres() {
                    story(&world);
                }
            }
        }
    };
}

/// As [`on_both`], on platforms whose keys lie in files, so that another server can load them.
#[macro_export]
macro_rules! on_both_with_keys {
    ($(#[$doc:meta])* $name:ident, |$world:ident| $story:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            fn story($world: &$crate::support::world::World) $story

            fn keys(config: &mut sealbid::config::Config) {
                sealbid::keys::Keys::create(&config.keys.dir).expect("a key directory");
            }

            #[test]
            fn on_sqlite() {
                story(&$crate::support::world::World::sqlite_with(keys));
            }

            #[test]
            fn on_postgres() {
                if let Some(world) = $crate::support::world::World::postgres_with(keys) {
                    story(&world);
                }
            }
        }
    };
}
