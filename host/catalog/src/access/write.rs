//! New tokens in files: the file keeps its comments, its order and its layout.

use std::fmt::Write;
use std::path::Path;

use super::{AccessConfig, TokenConfig};
use crate::problem::Problem;
use crate::units::date_of;

/// The table of a token, as it stands in a file.
pub fn token_table(token: &TokenConfig) -> String {
    let hex = |digest: &[u8; 32]| {
        digest.iter().fold(String::from("sha256:"), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let mut table = format!("[[token]]\nname = {:?}\n", token.name);
    let proofs = [("hash", &token.hash), ("certificate", &token.certificate)];
    for (key, digest) in proofs {
        if let Some(digest) = digest {
            table += &format!("{key} = {:?}\n", hex(digest));
        }
    }
    let scopes: Vec<_> = token.scopes.iter().map(|scope| format!("{:?}", scope.name())).collect();
    table += &format!("scopes = [{}]\n", scopes.join(", "));
    if let Some(tenant) = &token.tenant {
        table += &format!("tenant = {tenant:?}\n");
    }
    if let Some(expires) = token.expires {
        table += &format!("expires = {}\n", date_of(expires));
    }
    table
}

/// The text of a file of tokens with one more at its end. `file` is named in problems only.
///
/// # Errors
/// When the file is not one of tokens, or has one of that name.
pub fn add_token(file: &Path, text: &str, token: &TokenConfig) -> Result<String, Problem> {
    let mut longer = text.to_owned();
    if !longer.is_empty() {
        longer.truncate(longer.trim_end().len());
        longer += "\n\n";
    }
    longer += &token_table(token);
    AccessConfig::parse(file, text, &AccessConfig::default())?;
    AccessConfig::parse(file, &longer, &AccessConfig::default())?;
    Ok(longer)
}
