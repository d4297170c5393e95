//! The API description, generated from the handlers.

use std::sync::LazyLock;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt;

use super::problem::Problem;

/// What the description says besides the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sealbid",
        description = "Sealed-bid tenders for a public-resource trading centre. Bids stay encrypted until their scheduled opening; an audit trail records every state transition. Errors are `application/problem+json` with a stable `code`; every answer carries `Request-Id`. Acts take an `Idempotency-Key` and can be repeated safely.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Bearer),
    components(schemas(Problem)),
    tags(
        (name = "public", description = "For everybody, without an account."),
        (name = "accounts", description = "Organisations, users, sessions, signing keys."),
        (name = "lots", description = "Projects and lots: from registration to award."),
        (name = "bids", description = "Sealed bids: key sets, uploads, submission, receipts."),
        (name = "opening", description = "The opening session and its record; evaluation."),
        (name = "inspection", description = "The audit trail."),
        (name = "operation", description = "Health and mail."),
    )
)]
struct ApiDoc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        openapi.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The whole description, made once.
pub fn description() -> &'static utoipa::openapi::OpenApi {
    static DESCRIPTION: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(describe);
    &DESCRIPTION
}

fn describe() -> utoipa::openapi::OpenApi {
    let (_, mut api) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(ApiDoc::openapi())
        .configure(super::routes::routes)
        .split_for_parts();
    super::shared_answers::complete(&mut api);
    api
}
