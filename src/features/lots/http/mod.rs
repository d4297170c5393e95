//! Routes of lots.

mod acts;
mod read;
mod write;

use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub use acts::perform;
pub use read::*;

/// A lot's id in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LotPath {
    /// The lot.
    pub lot: String,
}

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(write::register_lot)
        .service(read::list_lots)
        .service(read::get_lot)
        .service(write::edit_lot)
        .service(read::list_actions)
        .service(read::get_timeline)
        .service(read::list_reviews)
        .service(acts::submit_lot)
        .service(acts::accept_lot)
        .service(acts::return_lot)
        .service(acts::publish_lot)
        .service(acts::clarify_lot)
        .service(acts::extend_lot)
        .service(acts::amend_lot)
        .service(acts::hold_lot)
        .service(acts::release_lot)
        .service(acts::terminate_lot)
        .service(acts::retender_lot);
}
