//! Who may use the host: from files to a guard and certificates, and again whenever they change.
//!
//! Files are read whole and compared byte by byte: nothing that changes escapes, and they are small.
//! What cannot be used changes nothing; the last good version stays, and the status says why.

mod refusals;

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use catalog::access::Scope as ConfigScope;
use catalog::{AccessConfig, HostConfig, Problem, TlsConfig, TokenConfig};
use front::{Caller, Guard, Key, Keyring, Pem, Proof, Scope, Scopes, TenantLimits, Tls};

use crate::address::{Addresses, Reachable};

pub(crate) use refusals::Refusals;

/// The largest file of tokens or certificates.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The files that say who may use the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessFiles {
    /// `understudy.toml`, where there is one.
    pub(crate) config: Option<PathBuf>,
    pub(crate) tokens: Option<PathBuf>,
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) admin_tls: Option<TlsConfig>,
}

/// What those files lead to.
pub(crate) struct Access {
    pub(crate) guard: Guard,
    pub(crate) tls: Option<Tls>,
    pub(crate) admin_tls: Option<Tls>,
    /// What is to be looked at again.
    pub(crate) sources: Vec<Source>,
}

/// Files that are used again when they change.
pub(crate) struct Source {
    files: Vec<PathBuf>,
    seen: Vec<Vec<u8>>,
    /// What was there at the last look and has not been used: it may be half of a version.
    coming: Option<Vec<Vec<u8>>>,
    take: Box<Take>,
    problem: Option<Problem>,
}

type Take = dyn FnMut(&[Vec<u8>]) -> Result<(), Problem> + Send;

impl AccessFiles {
    /// Reads them for the first time. Whoever is denied is counted by `refusals`.
    ///
    /// # Errors
    ///
    /// The first problem of any of them.
    pub(crate) fn open(&self, refusals: Arc<Refusals>) -> Result<Access> {
        let guard = Guard::new(move |caller, denied| refusals.note(caller, denied));
        let mut sources = vec![self.tokens_source(&guard)];
        let mut encryption = |config: &Option<TlsConfig>| -> Result<Option<Tls>> {
            let Some(config) = config else { return Ok(None) };
            let (tls, source) = tls_source(config).map_err(|problem| anyhow!("{problem}"))?;
            sources.push(source);
            Ok(Some(tls))
        };
        let tls = encryption(&self.tls)?;
        let admin_tls = match &self.admin_tls {
            None => tls.clone(),
            own => encryption(own)?,
        };
        for source in &mut sources {
            source.look();
            if let Some(problem) = &source.problem {
                bail!("{problem}");
            }
        }
        Ok(Access { guard, tls, admin_tls, sources })
    }

    /// What commands on this machine have to know to call the host.
    ///
    /// # Errors
    ///
    /// When a certificate has gone meanwhile.
    pub(crate) fn reachable(&self, addresses: Addresses) -> Result<Reachable> {
        let absolute = |tls: Option<&TlsConfig>| {
            tls.map(|tls| std::path::absolute(&tls.certificate)).transpose()
        };
        Ok(Reachable {
            addresses,
            certificate: absolute(self.tls.as_ref())?,
            admin_certificate: absolute(self.admin_tls.as_ref().or(self.tls.as_ref()))?,
        })
    }

    fn tokens_source(&self, guard: &Guard) -> Source {
        let (config, tokens) = (self.config.clone(), self.tokens.clone());
        let files: Vec<_> = config.iter().chain(&tokens).cloned().collect();
        let guard = guard.clone();
        Source::new(files, move |contents| {
            let mut contents = contents.iter();
            let mut access = AccessConfig::default();
            if let Some(file) = &config {
                let text = text_of(file, contents.next())?;
                access = HostConfig::parse(file, text)?.access();
            }
            if let Some(file) = &tokens {
                access = AccessConfig::parse(file, text_of(file, contents.next())?, &access)?;
            }
            // A file of tokens without one locks the host as well: somebody is about to add some.
            if tokens.is_some() || !access.tokens.is_empty() || guard.is_locked() {
                guard.lock(keyring(&access));
            }
            Ok(())
        })
    }
}

impl Access {
    /// Checks that strangers are not let in unless that is meant; each listener comes with the
    /// option that moves it.
    ///
    /// # Errors
    ///
    /// When they would be, with both ways out.
    pub(crate) fn check_reach(
        &self,
        open: bool,
        listeners: &[(&str, SocketAddr, Option<&Tls>)],
    ) -> Result<()> {
        for (option, address, tls) in listeners {
            let is_local = address.ip().to_canonical().is_loopback();
            match (is_local, self.guard.is_locked()) {
                (false, false) if !open => bail!(
                    "--{option} {address} would let in anybody who can reach it: name who may call \
                     (understudy token new NAME --scope infer), or say --open if that is meant"
                ),
                (false, true) if tls.is_none() => {
                    tracing::warn!(%address, "tokens cross the network unencrypted: see [tls]");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Source {
    /// Files that `take` is told of whenever they have changed.
    pub(crate) fn new(
        files: Vec<PathBuf>,
        take: impl FnMut(&[Vec<u8>]) -> Result<(), Problem> + Send + 'static,
    ) -> Self {
        Self { files, seen: Vec::new(), coming: None, take: Box::new(take), problem: None }
    }

    /// Uses the files, if they are not what they were; says whether anything is new.
    pub(crate) fn look(&mut self) -> bool {
        let contents = self.read();
        self.consider(contents)
    }

    /// As [`look`](Self::look), but a version is used only when it was the same at the look before:
    /// somebody may still be writing it, and half a file of tokens is a file of fewer tokens. `None`
    /// asks for another look soon.
    pub(crate) fn look_twice(&mut self) -> Option<bool> {
        let contents = self.read();
        if let Ok(contents) = &contents
            && *contents != self.seen
            && self.coming.as_ref() != Some(contents)
        {
            self.coming = Some(contents.clone());
            return None;
        }
        self.coming = None;
        Some(self.consider(contents))
    }

    fn read(&self) -> Result<Vec<Vec<u8>>, Problem> {
        self.files.iter().map(|file| read(file)).collect()
    }

    fn consider(&mut self, contents: Result<Vec<Vec<u8>>, Problem>) -> bool {
        let taken = match contents {
            Ok(contents) if contents == self.seen && !self.has_read_problem() => return false,
            Ok(contents) => {
                let taken = (self.take)(&contents);
                self.seen = contents;
                taken
            }
            Err(problem) => Err(problem),
        };
        let problem = taken.err();
        let is_new = problem.is_none() || problem != self.problem;
        self.problem = problem;
        is_new
    }

    /// What is wrong with the files as they are now.
    pub(crate) const fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// The files, for people.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }

    /// Whether the last look failed, so that what was seen before is taken again.
    const fn has_read_problem(&self) -> bool {
        self.problem.is_some()
    }
}

/// The guard's form of what the files say.
fn keyring(access: &AccessConfig) -> Keyring {
    let tenants = access.tokens.iter().filter_map(|token| token.tenant.as_deref());
    Keyring {
        keys: access.tokens.iter().filter_map(key).collect(),
        tenants: tenants.map(|tenant| (tenant.into(), limits(access.quota_of(tenant)))).collect(),
        others: limits(access.quota),
    }
}

fn key(token: &TokenConfig) -> Option<Key> {
    let scopes: Vec<_> = token.scopes.iter().map(|scope| scope_of(*scope)).collect();
    let caller = Caller {
        name: token.name.as_str().into(),
        tenant: token.tenant.as_deref().map(Into::into),
        scopes: Scopes::of(&scopes),
    };
    let proof = match (token.hash, token.certificate) {
        (Some(digest), _) => Proof::Token(digest),
        (None, Some(digest)) => Proof::Certificate(digest),
        (None, None) => return None,
    };
    Some(Key { caller, proof, expires: token.expires })
}

const fn scope_of(scope: ConfigScope) -> Scope {
    match scope {
        ConfigScope::Infer => Scope::Infer,
        ConfigScope::Observe => Scope::Observe,
        ConfigScope::Operate => Scope::Operate,
    }
}

fn limits(quota: catalog::Quota) -> TenantLimits {
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    TenantLimits {
        per_second: quota.requests_per_second.map(small),
        burst: quota.burst.map(small),
        concurrent: quota.concurrent,
    }
}

fn tls_source(config: &TlsConfig) -> Result<(Tls, Source), Problem> {
    let mut files = vec![config.certificate.clone(), config.key.clone()];
    files.extend(config.client_ca.clone());
    let contents = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let certificate = config.certificate.clone();
    let unfit = move |error: front::TlsError| Problem::new(&certificate, error.to_string());
    let tls = Tls::new(&pem_of(&contents)).map_err(&unfit)?;
    let mut source = Source::new(files, {
        let tls = tls.clone();
        move |contents| tls.replace(&pem_of(contents)).map_err(&unfit)
    });
    source.seen = contents;
    Ok((tls, source))
}

fn pem_of(contents: &[Vec<u8>]) -> Pem {
    let part = |index: usize| contents.get(index).cloned();
    Pem {
        certificate: part(0).unwrap_or_default(),
        key: part(1).unwrap_or_default(),
        client_ca: part(2),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    let mut contents = Vec::new();
    let read = File::open(file)
        .and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut contents));
    match read {
        Err(error) => Err(Problem::new(file, format!("no way to read it ({error})"))),
        Ok(length) if length as u64 > FILE_BYTES_MAX => {
            Err(Problem::new(file, format!("more than {FILE_BYTES_MAX} bytes")))
        }
        Ok(_) => Ok(contents),
    }
}

/// The text of a file that was read.
pub(crate) fn text_of<'c>(file: &Path, contents: Option<&'c Vec<u8>>) -> Result<&'c str, Problem> {
    let contents = contents.map_or(&[][..], Vec::as_slice);
    str::from_utf8(contents).map_err(|_| Problem::new(file, "bytes that are not UTF-8"))
}

#[cfg(test)]
mod tests;
