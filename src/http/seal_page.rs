//! The page on which a bid is sealed in a browser, and what it consists of.
//!
//! Promise: the files are those under `web/dist`, byte by byte, so that whoever reads the source can compute their digests and
//! compare. The page runs its one script and loads its one style, both named with their digests; it sends to its own server alone.
//! Deliberately not here: anything about bids. The page uses the same operations as every other client.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Deserialize;

use super::problem::Problem;
use crate::ledger::Error;
use crate::refusals;

/// What the page may do. No script or style but its own files; no frame around it; what it sends goes to its own server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const PAGE: File =
    File { name: "seal.html", media_type: "text/html; charset=utf-8", text: include_str!("../../web/dist/seal.html") };

/// What the page loads, and the licences of the libraries in it.
const FILES: &[File] = &[
    File {
        name: "seal.js",
        media_type: "text/javascript; charset=utf-8",
        text: include_str!("../../web/dist/seal.js"),
    },
    File { name: "seal.css", media_type: "text/css; charset=utf-8", text: include_str!("../../web/dist/seal.css") },
    File { name: "seal.svg", media_type: "image/svg+xml", text: include_str!("../../web/dist/seal.svg") },
    File {
        name: "LICENSES.txt",
        media_type: "text/plain; charset=utf-8",
        text: include_str!("../../web/dist/LICENSES.txt"),
    },
];

struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

impl File {
    /// Fetched whole each time. Over plain HTTP a browser takes headers that were cut off for the whole of them and keeps an empty
    /// script; with a version to ask for it would be told that nothing changed, and the page would not start again on that machine.
    fn answer(&self) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(self.media_type)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
            .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
            .body(self.text)
    }
}

/// A file's name in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FilePath {
    /// `seal.js`, `seal.css`, `seal.svg` or `LICENSES.txt`.
    pub file: String,
}

/// A page on which a bidder seals and submits a bid in a browser, in Chinese and English.
///
/// For people; `?lot=` names the lot. Price and files are encrypted before they leave the browser. The operator serves this code:
/// `web/dist/SHA256SUMS` of the source has the digests of what is served here, to compare.
#[utoipa::path(tag = "public", operation_id = "get_seal_page",
    responses((status = 200, body = String, content_type = "text/html", description = "The page.")))]
#[get("/seal")]
pub async fn get_seal_page() -> HttpResponse {
    PAGE.answer()
}

/// A file of the page on which bids are sealed.
#[utoipa::path(tag = "public", operation_id = "get_seal_file", params(FilePath),
    responses((status = 200, description = "The file.", content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"), (String = "text/plain"))),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such file.")))]
#[get("/seal/{file}")]
pub async fn get_seal_file(path: web::Path<FilePath>) -> Result<HttpResponse, Error> {
    let file = FILES.iter().find(|file| file.name == path.file).ok_or_else(refusals::not_found)?;
    Ok(file.answer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    #[test]
    fn the_page_has_nothing_of_its_own_that_runs_and_loads_nothing_from_elsewhere() {
        for forbidden in ["<style", " style=", " onclick", " onload", "javascript:", "http:", "https:", "//"] {
            assert!(!PAGE.text.contains(forbidden), "{forbidden}");
        }
        assert_eq!(PAGE.text.matches("<script").count(), 1);
        assert_eq!(PAGE.text.matches("integrity=\"sha384-").count(), 2, "of script and style");
    }

    #[test]
    fn the_published_digests_are_those_of_what_is_served() {
        let sums = include_str!("../../web/dist/SHA256SUMS");
        let served = FILES.iter().chain([&PAGE]).filter(|file| sums.contains(file.name));
        let mut lines: Vec<String> =
            served.map(|file| format!("{}  {}", sha256(file.text.as_bytes()), file.name)).collect();
        lines.sort();
        let mut published: Vec<&str> = sums.lines().collect();
        published.sort_unstable();
        assert_eq!(lines, published);
        assert_eq!(lines.len(), 3);
        let manual = include_str!("../../docs/sealing-in-a-browser.md");
        for line in published {
            assert!(manual.contains(line), "docs/sealing-in-a-browser.md lacks {line}");
        }
    }
}
