//! Puts on record what signed-in callers were denied.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{StatusCode, header};

use super::extract::Meta;
use super::permissions;
use crate::app::App;
use crate::features::inspection::attempts::{self, Attempt};
use crate::kernel::role::Role;
use crate::ledger::{Context, Lane, Tx};

/// Puts the answer on record if it denies a signed-in caller something. Not waited for where secret ids are in play: what is
/// behind such a denial must not show in the time that it takes.
pub async fn note(
    app: &App,
    meta: &Meta,
    response: &ServiceResponse<BoxBody>,
    method: &str,
    pattern: Option<&str>,
    path: &str,
) {
    let Some(pattern) = pattern else { return };
    let sealed_route = permissions::is_sealed_route(method, path);
    let denies = match response.status() {
        StatusCode::FORBIDDEN => true,
        StatusCode::NOT_FOUND => sealed_route,
        _ => false,
    };
    if !denies {
        return;
    }
    let token = response.request().headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let Some(claims) = token.and_then(|token| app.tokens.check(token, meta.started_at).ok()) else { return };
    let roles: Vec<Role> = claims.roles.iter().filter_map(|name| Role::parse(name)).collect();
    let attempt = Attempt {
        operation: format!("{method} {pattern}"),
        status: response.status().as_u16(),
        sealed_route,
        by_staff: roles.iter().any(|role| *role != Role::Bidder),
        ids: ids(pattern, path),
    };
    let context = Context {
        actor_id: Some(claims.sub),
        org_id: Some(claims.org),
        role: roles.first().map_or("nobody", |role| role.name()),
        received_at: meta.started_at,
        request_id: meta.request_id.clone(),
        ip: meta.ip(),
        agent: meta.agent.clone(),
        lane: Lane::General,
        pass: None,
    };
    let secret = attempt.is_secret();
    let work = move |tx: &mut Tx<'_>| attempts::denied(tx, &attempt);
    let noted =
        if secret { app.ledger.commit_later(context, work) } else { app.ledger.commit_beside(context, work).await };
    if let Err(error) = noted {
        tracing::error!(request.id = %meta.request_id, ?error, "a denied attempt could not be put on record");
    }
}

/// The parts of a path that its pattern names.
fn ids(pattern: &str, path: &str) -> Vec<(String, String)> {
    let name = |part: &str| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned());
    pattern.split('/').zip(path.split('/')).filter_map(|(part, id)| Some((name(part)?, id.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_ids_in_a_path_have_the_names_of_its_pattern() {
        let found = super::ids("/v1/bids/{bid}/payloads/{part}", "/v1/bids/bid-1/payloads/price");
        assert_eq!(found, [("bid".to_owned(), "bid-1".to_owned()), ("part".to_owned(), "price".to_owned())]);
        assert!(super::ids("/v1/lots", "/v1/lots").is_empty());
    }
}
