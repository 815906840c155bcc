//! With what brokers are started.

/// The user with a password of SCRAM-SHA-256 and -512, and that password.
pub const SCRAM_USER: (&str, &str) = ("alice", "alice-secret");
/// The user with a password for PLAIN, and that password.
pub const PLAIN_USER: (&str, &str) = ("bob", "bob-secret");

/// With what brokers are started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether clients reach each broker through a [`Proxy`](crate::Proxy), and nowhere else. Brokers reach each other
    /// directly.
    pub proxied: bool,
    /// Whether there are listeners with TLS and SASL beside the open one.
    pub secured: bool,
    /// More of `server.properties`; a later one of the same name counts.
    pub properties: Vec<(String, String)>,
}

impl Options {
    /// The same with clients behind proxies.
    #[must_use]
    pub const fn proxied(mut self) -> Self {
        self.proxied = true;
        self
    }

    /// The same with listeners for TLS and SASL.
    #[must_use]
    pub const fn secured(mut self) -> Self {
        self.secured = true;
        self
    }

    /// The same with a property of the broker.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A way into a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Without anything, for clients; behind the proxy where there is one.
    Open,
    /// Without anything, past the proxy; brokers use it among themselves.
    Internal,
    /// TLS; a client may show a certificate.
    Tls,
    /// SASL (SCRAM or PLAIN) over TLS.
    SaslTls,
    /// SASL (SCRAM or PLAIN) without TLS.
    SaslPlaintext,
}

impl Listener {
    pub(crate) const ALL: [Self; 5] =
        [Self::Open, Self::Internal, Self::Tls, Self::SaslTls, Self::SaslPlaintext];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Internal => "INTERNAL",
            Self::Tls => "TLS",
            Self::SaslTls => "SASL_TLS",
            Self::SaslPlaintext => "SASL_OPEN",
        }
    }

    pub(crate) const fn protocol(self) -> &'static str {
        match self {
            Self::Open | Self::Internal => "PLAINTEXT",
            Self::Tls => "SSL",
            Self::SaslTls => "SASL_SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
        }
    }

    pub(crate) const fn is_secured(self) -> bool {
        !matches!(self, Self::Open | Self::Internal)
    }
}
