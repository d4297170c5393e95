//! The tests of the whole platform: over HTTP, on both databases, told as stories.

mod accounts;
mod architecture;
mod bad_envelopes;
mod bad_payloads;
mod bad_requests;
mod deadline;
mod derived;
mod inspection;
mod ledger;
mod lifecycle;
mod mandates;
mod opening;
mod permissions;
mod reports;
mod rules_asset;
mod rules_construction;
mod rules_land;
mod secrecy;
mod support;
mod tokens;
mod traces;
mod twins;
mod two_servers;
mod uploads;
mod watching;
