//! Routes of documents.

use actix_web::body::SizedStream;
use actix_web::http::header::{self, ContentEncoding, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Document, DocumentRow, NewDocument};
use super::{ops, queries};
use crate::app::App;
use crate::features::lots::http::LotPath;
use crate::features::lots::queries as lots;
use crate::features::uploads;
use crate::features::uploads::content_digest::{self, CONTENT_DIGEST};
use crate::features::uploads::model::{Purpose, UploadRow};
use crate::features::uploads::storage;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, MaybeCaller, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::role::Actor;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(attach_document).service(list_documents).service(get_document_content);
}

/// A document's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DocumentPath {
    /// The document.
    pub document: String,
}

/// Attaches a complete upload to a lot as a document.
///
/// For the initiator: to a draft, to a registered lot before its notice, or after the notice when a clarification or an
/// amendment announces it. A document never changes; attach another instead.
#[utoipa::path(tag = "lots", operation_id = "attach_document", request_body = NewDocument, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = Document, description = "Attached."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot or upload of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The state forbids it, or the upload is not complete or used elsewhere."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid, or the upload is for something else.")))]
#[post("/v1/lots/{lot}/documents")]
pub async fn attach_document(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewDocument>,
) -> Result<HttpResponse, Error> {
    let (new, lot_id, org) = (body.value, path.into_inner().lot, caller.org_id.clone());
    ops::check(&new)?;
    let upload = storage::ready(&app, &org, new.upload_id.as_str()).await?;
    if upload.purpose != Purpose::Document.name() {
        return Err(refusals::upload_mismatch().into());
    }
    let digest = storage::digest(&app, &upload).await?;
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            ops::attach(tx, &org, &lot_id, &new, &upload, &digest)
        })
        .await?;
    let location = format!("/v1/documents/{}/content", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Lists the documents of a lot.
///
/// Public from the notice on; before it for the initiator, the centre and inspectors.
#[utoipa::path(tag = "public", operation_id = "list_documents", params(LotPath, PageQuery),
    responses((status = 200, body = Page<Document>, description = "A page.")))]
#[get("/v1/lots/{lot}/documents")]
pub async fn list_documents(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let (lot_id, size) = (path.into_inner().lot, query.size()?);
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "documents", text)).transpose()?.map(|(_, id)| id);
    let actor = caller.0.map_or(Actor::Nobody, |caller| caller.actor());
    let rows = app
        .reader
        .read(move |conn| {
            let lot = lots::lot(conn, &lot_id)?;
            if !ops::may_see(&lot, &actor) {
                return Err(refusals::not_found().into());
            }
            queries::of_lot(conn, &lot_id, after.as_deref(), size)
        })
        .await?;
    let next = cursor::next(&app.keys, "documents", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(ops::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// What a fetch needs to know before it begins.
struct Fetch {
    document: DocumentRow,
    upload: UploadRow,
    to_note: bool,
}

/// Fetches a document.
///
/// Signed in. That your organisation fetched documents of this lot is put on record, sealed until the opening, so that you
/// are told of clarifications and extensions; who fetched is shown to nobody before.
#[utoipa::path(tag = "lots", operation_id = "get_document_content", params(DocumentPath), security(("bearer" = [])),
    responses((status = 200, description = "The file, with `Content-Digest`.", body = Vec<u8>, content_type = "*/*")))]
#[get("/v1/documents/{document}/content")]
pub async fn get_document_content(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<DocumentPath>,
) -> Result<HttpResponse, Error> {
    let (id, actor) = (path.into_inner().document, caller.actor());
    let fetch = app.reader.read(move |conn| look(conn, &id, &actor)).await?;
    if fetch.to_note {
        let (org, document) = (caller.org_id.clone(), fetch.document.clone());
        app.ledger
            .commit_beside(caller.context(caller.meta.started_at), move |tx| ops::note_fetch(tx, &org, &document))
            .await?;
    }
    let document = ops::view(&fetch.document)?;
    let stream = SizedStream::new(document.size_bytes, storage::stream(app, fetch.upload));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type(&document.media_type)))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&document.name)))
        .insert_header((header::ETAG, format!("\"{}\"", document.sha256)))
        .insert_header((CONTENT_DIGEST, content_digest::format(&document.sha256)))
        // The digest is that of the bytes on the wire: they must not be compressed on the way.
        .insert_header((header::CONTENT_ENCODING, ContentEncoding::Identity.as_str()))
        .body(stream))
}

fn look(conn: &mut crate::db::Conn, id: &str, actor: &Actor) -> Result<Fetch, Error> {
    let document = queries::document(conn, id)?.ok_or_else(refusals::not_found)?;
    let lot = lots::lot(conn, &document.lot_id)?;
    if !ops::may_see(&lot, actor) {
        return Err(refusals::not_found().into());
    }
    let to_note = match actor.org_id() {
        Some(org) if ops::is_counted(&lot, actor) => !queries::has_fetched(conn, &document.lot_id, org.as_str())?,
        _ => false,
    };
    let upload = uploads::queries::attached(conn, &document.upload_id)?;
    let upload = upload.ok_or_else(|| Error::damaged(format!("document {id} has lost its upload")))?;
    Ok(Fetch { document, upload, to_note })
}

fn media_type(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Always an attachment, never shown in the page's own name; a plain name for old clients, the true one for the others
/// (RFC 6266 sections 4.3 and 5).
fn disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " -_.()".contains(c) { c } else { '_' };
    let fallback: String = name.chars().map(plain).collect();
    let encoded: String = name.bytes().map(percent).collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

/// RFC 8187 section 3.2.1: `attr-char` stands for itself.
fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_reaches_old_and_new_clients() {
        let header = disposition("招标 1.pdf");
        assert_eq!(header, "attachment; filename=\"__ 1.pdf\"; filename*=UTF-8''%E6%8B%9B%E6%A0%87%201.pdf");
    }

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let header = disposition("a\"; filename=\"b.html\r\nX: y%;'");
        let (_, rest) = header.split_once("filename=\"").expect("a fallback");
        let (fallback, encoded) = rest.split_once("\"; filename*=UTF-8''").expect("both names");
        assert!(fallback.chars().all(|c| c.is_ascii_alphanumeric() || " -_.()".contains(c)), "{fallback}");
        assert!(
            encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%!#$&+-.^_`|~".contains(&byte)),
            "{encoded}"
        );
        assert!(HeaderValue::from_str(&header).is_ok());
    }
}
