//! All routes, in the order of the documentation.

use utoipa_actix_web::service_config::ServiceConfig;

use super::{health, problem};
use crate::features::{self, accounts};

/// Registers every operation; the API description is collected from these calls.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(health::get_live)
        .service(health::get_ready)
        .service(health::get_time)
        .service(health::get_jwks)
        .service(health::get_platform_key)
        .service(problem::get_problem);
    features::public_log::http::routes(config);
    accounts(config);
    features::projects::http::routes(config);
    features::lots::http::routes(config);
    features::notices::http::routes(config);
    features::documents::http::routes(config);
    features::questions::http::routes(config);
    features::calendar::http::routes(config);
    features::key_sets::http::routes(config);
    features::custodians::http::routes(config);
    features::ceremonies::http::routes(config);
    features::partials::http::routes(config);
    features::uploads::http::routes(config);
    features::restoration::http::routes(config);
    features::bids::http::routes(config);
    features::inspection::http::routes(config);
    features::mandates::http::routes(config);
    features::break_glass::http::routes(config);
    features::erasure::http::routes(config);
    features::opening::http::routes(config);
    features::evaluation::http::routes(config);
    features::mails::http::routes(config);
}

fn accounts(config: &mut ServiceConfig<'_>) {
    use accounts::http;
    config
        .service(http::register_organisation)
        .service(http::list_organisations)
        .service(http::get_organisation)
        .service(http::confirm_organisation)
        .service(http::refuse_organisation)
        .service(http::create_user)
        .service(http::list_users)
        .service(http::get_me)
        .service(http::set_roles)
        .service(http::disable_user)
        .service(http::enable_user)
        .service(http::reset_password)
        .service(http::use_password_reset)
        .service(http::create_session)
        .service(http::refresh_session)
        .service(http::delete_session)
        .service(http::register_signing_key)
        .service(http::list_signing_keys)
        .service(http::revoke_signing_key)
        .service(http::create_token)
        .service(http::register_service_client)
        .service(http::list_service_clients)
        .service(http::revoke_service_client);
}
