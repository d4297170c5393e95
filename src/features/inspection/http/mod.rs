//! Routes of inspection.

pub mod at;
pub mod evidence;
pub mod reports;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::asked::Asked;
use super::export::{Export, Format, stream};
use super::leaves::Leaves;
use super::model::{self, EntryFilter, EntryView, OpenEntry};
use super::{ops, queries, reach};
use crate::app::App;
use crate::db::Conn;
use crate::features::erasure::queries as erasure;
use crate::features::mandates::model::{Matter, Scope};
use crate::features::public_log::disclosure;
use crate::http::cursor;
use crate::http::extract::{Caller, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::Page;
use crate::kernel::id::{LookId, MAX_ID_CHARS};
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::ledger::audit::Entry;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(search_entries)
        .service(get_entry)
        .service(reports::get_report)
        .service(at::get_lot_at)
        .service(evidence::get_evidence)
        .service(evidence::get_lot_evidence);
}

/// What to look for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryQuery {
    /// The number of the case file for which this look is made, 1 to 64 characters; on record with the look.
    #[param(required = true)]
    pub matter: Option<String>,
    /// Entries of this lot.
    pub lot: Option<String>,
    /// Entries of this project.
    pub project: Option<String>,
    /// Entries about this organisation.
    pub org: Option<String>,
    /// Entries by this user.
    pub actor: Option<String>,
    /// Entries of this kind, such as `lot.published`.
    pub kind: Option<String>,
    /// Recorded at this instant or later.
    pub from: Option<Timestamp>,
    /// Recorded before this instant.
    pub to: Option<Timestamp>,
    /// Looks of inspectors too; left out unless asked for.
    pub include_looks: Option<bool>,
    /// At most this many, 1 to 100; 50 unless said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

/// For what a look is made.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MatterQuery {
    /// The number of the case file for which this look is made, 1 to 64 characters; on record with the look.
    #[param(required = true)]
    pub matter: Option<String>,
}

/// An entry's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EntryPath {
    /// The entry.
    pub entry: String,
}

/// What is looked for goes on record: it must not be a way to fill the record.
fn check_lengths(texts: &[Option<&str>]) -> Result<(), Error> {
    if texts.iter().flatten().any(|text| text.len() > MAX_ID_CHARS) {
        return Err(refusals::body_invalid(&format!("ids and kinds have at most {MAX_ID_CHARS} characters")).into());
    }
    Ok(())
}

/// Puts the look on record and waits until that is durable: what cannot be recorded is not shown.
async fn look(
    app: &App,
    caller: &Caller,
    matter: &Matter,
    question: serde_json::Value,
) -> Result<(LookId, Entry), Error> {
    let matter = matter.clone();
    app.ledger.commit(caller.context(caller.meta.started_at), move |tx| ops::look(tx, &matter, &question)).await
}

/// Reads as far as the caller's mandates in a matter reach; 403 where there is none in force.
async fn read<T, F>(app: &App, caller: &Caller, matter: Matter, read: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&mut Conn, &Scope) -> Result<T, Error> + Send + 'static,
{
    reach::read(app, caller.id(), matter, read).await
}

/// Searches the record, newest first: a page of it as JSON, or all of it as a file.
///
/// For inspectors with a mandate in force. Every page is itself on record, with its matter number, before it is shown.
/// Entries of lots outside the mandate do not exist for the caller. Entries about sealed facts (bids, uploads, fetched
/// documents, refusals) appear once their lot is opened or has ended. Parts p and c are shown, the personal part never.
///
/// With `Accept: application/x-ndjson` or `Accept: text/csv` the answer is a file of everything that the search finds, as of
/// the instant of the look, without `limit` and `after`. NDJSON has one entry a line, and then
/// `{"end":{"rows":…,"look":…,"as_of":…}}`. CSV is for spreadsheets: UTF-8 with its mark, CR LF, names of columns in Chinese or English by
/// `Accept-Language`; a cell that begins with `=`, `+`, `-`, `@`, a tab, a line break or `'` has one `'` put before it, which a
/// program takes away again; its last row begins with `#end`. **A file without its last line is incomplete.** When it is
/// written, the number of rows and the SHA-256 of the file are on record.
#[utoipa::path(tag = "inspection", operation_id = "search_entries", params(EntryQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page, or a file of everything.", content((Page<EntryView> = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number, or a cursor that is not ours or belongs to another search."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/entries")]
pub async fn search_entries(
    app: web::Data<App>,
    req: HttpRequest,
    caller: Caller,
    query: web::Query<EntryQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let matter = Matter::read(query.matter.as_deref())?;
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let cut = query.limit.is_some() || query.after.is_some();
    let after = query.after.clone();
    let filter = filter(query)?;
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(format) = Format::wanted(accept) {
        if cut {
            return Err(refusals::body_invalid("an export is whole, without limit and after").into());
        }
        return export_entries(app, caller, matter, filter, format).await;
    }
    let list = filter.list();
    let after = after.as_deref().map(|text| cursor::open(&app.keys, &list, text)).transpose()?;
    let question = json!({ "filter": filter, "limit": size, "after": after.as_ref().map(|(at, id)| json!({ "at_ms": at, "entry_id": id })) });
    let (_, looked) = look(&app, &caller, &matter, question).await?;
    let (rows, leaves) = read(&app, &caller, matter, move |conn, scope| {
        let rows = queries::entries(conn, &filter, scope, looked.at, after, size)?;
        let leaves = Leaves::load(conn, rows.iter().map(|row| &row.entry_id))?;
        Ok((rows, leaves))
    })
    .await?;
    let next =
        cursor::next(&app.keys, &list, rows.len(), size, rows.last().map(|row| (row.at_ms, row.entry_id.clone())))?;
    let items = rows.iter().map(|row| model::view(row, leaves.of(&row.entry_id))).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().insert_header((header::VARY, "Accept")).json(Page { items, next }))
}

/// Everything that a search finds, as a file.
async fn export_entries(
    app: web::Data<App>,
    caller: Caller,
    matter: Matter,
    filter: EntryFilter,
    format: Format,
) -> Result<HttpResponse, Error> {
    let question = json!({ "format": format.name(), "filter": filter });
    let language = caller.meta.language;
    let asked = asked(app, &caller, matter, filter, question).await?;
    let file = format!("attachment; filename=\"{}\"", format.file_name(asked.entry.at));
    Ok(HttpResponse::Ok()
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::CONTENT_DISPOSITION, file))
        .content_type(format.content_type())
        .streaming(stream(Export { asked, format, language })))
}

/// What a query looks for.
fn filter(query: EntryQuery) -> Result<EntryFilter, Error> {
    let filter = EntryFilter {
        lot: query.lot,
        project: query.project,
        org: query.org,
        actor: query.actor,
        kind: query.kind,
        from: query.from,
        to: query.to,
        include_looks: query.include_looks.unwrap_or(false),
    };
    check_lengths(&[
        filter.lot.as_deref(),
        filter.project.as_deref(),
        filter.org.as_deref(),
        filter.actor.as_deref(),
        filter.kind.as_deref(),
    ])?;
    Ok(filter)
}

/// Puts the look on record, and begins a search that is taken away as a whole.
async fn asked(
    app: web::Data<App>,
    caller: &Caller,
    matter: Matter,
    filter: EntryFilter,
    question: serde_json::Value,
) -> Result<Asked, Error> {
    let (look, entry) = look(&app, caller, &matter, question.clone()).await?;
    let scope = read(&app, caller, matter.clone(), |_, scope| Ok(scope.clone())).await?;
    let (user, context) = (caller.id(), caller.context(caller.meta.started_at));
    Ok(Asked { app, user, context, matter, question, look, entry, filter, scope })
}

/// Shows an entry with what opens its commitment.
///
/// For inspectors. With the salts and the exact texts anybody can recompute the commitment without this platform, and with
/// `proof` that the public log has it. The look is on record, also when there is no such entry.
#[utoipa::path(tag = "inspection", operation_id = "get_entry", params(EntryPath, MatterQuery), security(("bearer" = [])),
    responses((status = 200, body = OpenEntry, description = "The entry."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None, sealed still, or outside the mandate."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/entries/{entry}")]
pub async fn get_entry(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<EntryPath>,
    query: web::Query<MatterQuery>,
) -> Result<HttpResponse, Error> {
    let matter = Matter::read(query.matter.as_deref())?;
    let id = path.into_inner().entry;
    check_lengths(&[Some(&id)])?;
    look(&app, &caller, &matter, json!({ "entry": id })).await?;
    let public_log = app.log.clone();
    let open = read(&app, &caller, matter, move |conn, scope| {
        let row = queries::entry(conn, &id, scope)?.ok_or_else(refusals::not_found)?;
        let erased = !erasure::has_personal(conn, &row.entry_id)?;
        let leaf = Leaves::load(conn, [&row.entry_id])?.of(&row.entry_id);
        let proof = disclosure::receipt(conn, &public_log, &row.entry_id)?;
        model::open(&row, erased, leaf, proof)
    })
    .await?;
    Ok(HttpResponse::Ok().json(open))
}
