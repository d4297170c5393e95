//! Leaving the server running, with three lines to paste.

use super::cast::PASSWORD;
use super::{During, Result, say};
use crate::stage::Platform;

/// Prints how to ask as a bidder, an official and an inspector, and serves until the user interrupts. The clock stands
/// still, so the tokens stay good.
pub fn stay(platform: &Platform) -> Result<()> {
    for (who, login, path) in [
        ("a bidder", "bidder1", "/v1/lots"),
        ("an official of the centre", "centre", "/v1/organisations"),
        ("an inspector", "inspector", "/v1/inspection/entries?matter=DEMO-1&limit=5"),
    ] {
        let client = platform.client();
        let session = client.sign_in(login, PASSWORD).during(format!("{login} signs in"))?;
        println!("# as {who}\ncurl -s -H 'Authorization: Bearer {}' '{}{path}'", session.access_token, platform.url());
    }
    say(format!(
        "The server stays at {} (API description at {}/docs/). Interrupt to stop it.",
        platform.url(),
        platform.url()
    ));
    Ok(platform.stay()?)
}
