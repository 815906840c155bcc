//! What a path, a method and a query of the admin listener ask for.

use hyper::Method;

use crate::openapi;
use crate::operate::{Look, Terms};
use crate::problem::Problem;
use crate::query::{Query, decode, invalid};
use crate::routes::check_method;

/// How many events a history has where nobody says.
const HISTORY_LIMIT: usize = 50;
/// How many events a history has at the most.
const HISTORY_LIMIT_MAX: usize = 10_000;
/// The longest reason of an operator.
const WHY_CHARACTERS_MAX: usize = 500;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Page(Page),
    Look(Look),
    Change { endpoint: String, verb: Verb, terms: Terms },
}

/// A page that is not about one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    OpenApi,
    Metrics,
    Status,
    /// When also what there are too many of for a glance is wanted.
    WholeStatus,
}

/// A change, as far as the path says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Stage(String),
    Promote(String),
    Rollback(Option<String>),
    Retire(String),
    Pause(Option<String>),
    Resume(Option<String>),
    /// The text is the body's.
    SetPolicy,
}

impl Verb {
    fn of_model(word: &str, model: String) -> Option<Self> {
        Some(match word {
            "promote" => Self::Promote(model),
            "rollback" => Self::Rollback(Some(model)),
            "retire" => Self::Retire(model),
            "pause" => Self::Pause(Some(model)),
            "resume" => Self::Resume(Some(model)),
            _ => return None,
        })
    }

    fn of_endpoint(word: &str) -> Option<Self> {
        Some(match word {
            "rollback" => Self::Rollback(None),
            "pause" => Self::Pause(None),
            "resume" => Self::Resume(None),
            _ => return None,
        })
    }
}

impl Target {
    /// The target of a request.
    pub(crate) fn parse(method: &Method, path: &str, query: &str) -> Result<Self, Problem> {
        let unknown = || Problem::UnknownAdminPath { path: path.to_owned() };
        let page = match path {
            openapi::PATH => Some(Page::OpenApi),
            "/metrics" => Some(Page::Metrics),
            "/status" if Query::parse(query)?.whole()? => Some(Page::WholeStatus),
            "/status" => Some(Page::Status),
            _ => None,
        };
        if let Some(page) = page {
            check_method(method, "GET, HEAD")?;
            return Ok(Self::Page(page));
        }
        let rest = path.strip_prefix("/admin/endpoints").ok_or_else(unknown)?;
        let mut segments = rest.trim_end_matches('/').split('/');
        if segments.next() != Some("") {
            return Err(unknown());
        }
        let segments = segments.map(decode).collect::<Result<Vec<_>, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Self::of_endpoint(method, &segments, &Query::parse(query)?).ok_or_else(unknown)?
    }

    /// Reads what stands behind `/admin/endpoints`; nothing where that is no path of ours.
    fn of_endpoint(
        method: &Method,
        segments: &[&str],
        query: &Query,
    ) -> Option<Result<Self, Problem>> {
        let get = |look: Look| {
            check_method(method, "GET, HEAD")?;
            query.allow(&["limit", "model"], matches!(look, Look::History { .. }))?;
            Ok(Self::Look(look))
        };
        let change = |allow: &'static str, endpoint: &str, verb: Verb| {
            check_method(method, allow)?;
            query.allow(&["dry_run", "force", "why"], true)?;
            let terms = query.terms()?;
            Ok(Self::Change { endpoint: endpoint.to_owned(), verb, terms })
        };
        let is_get = matches!(*method, Method::GET | Method::HEAD);
        Some(match *segments {
            [] => get(Look::Endpoints),
            [endpoint, "models"] => get(Look::Models { endpoint: endpoint.to_owned() }),
            [endpoint, "history"] => query.history(endpoint).and_then(get),
            [endpoint, "policy"] if is_get => get(Look::Policy { endpoint: endpoint.to_owned() }),
            [endpoint, "policy"] => change("GET, HEAD, PUT", endpoint, Verb::SetPolicy),
            [endpoint, "policy", "diff"] => {
                let diff = change("POST", endpoint, Verb::SetPolicy);
                diff.map(|diff| match diff {
                    Self::Change { endpoint, verb, terms } => {
                        Self::Change { endpoint, verb, terms: Terms { dry_run: true, ..terms } }
                    }
                    other => other,
                })
            }
            [endpoint, "models", model] => change("PUT", endpoint, Verb::Stage(model.to_owned())),
            [endpoint, "models", model, word] => {
                change("POST", endpoint, Verb::of_model(word, model.to_owned())?)
            }
            [endpoint, word] => change("POST", endpoint, Verb::of_endpoint(word)?),
            _ => return None,
        })
    }
}

impl Query {
    /// Whether all of a page is wanted.
    fn whole(&self) -> Result<bool, Problem> {
        self.allow(&["all"], true)?;
        self.flag("all")
    }

    fn terms(&self) -> Result<Terms, Problem> {
        let why = self.get("why").map(str::trim).filter(|why| !why.is_empty());
        if let Some(why) = why
            && (why.chars().count() > WHY_CHARACTERS_MAX || why.chars().any(char::is_control))
        {
            return Err(invalid("why", why, "one line of at most 500 characters"));
        }
        let why = why.map(str::to_owned);
        Ok(Terms { dry_run: self.flag("dry_run")?, force: self.flag("force")?, why, claimed: None })
    }

    fn history(&self, endpoint: &str) -> Result<Look, Problem> {
        let limit = match self.get("limit") {
            None => HISTORY_LIMIT,
            Some(text) => {
                let limit = text.parse().ok();
                let limit = limit.filter(|limit| (1..=HISTORY_LIMIT_MAX).contains(limit));
                limit.ok_or_else(|| invalid("limit", text, "a whole number from 1 to 10000"))?
            }
        };
        let model = self.get("model").map(str::to_owned);
        Ok(Look::History { endpoint: endpoint.to_owned(), model, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: Method, target: &str) -> Result<Target, String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Target::parse(&method, path, query).map_err(|problem| problem.to_string())
    }

    fn change(method: Method, target: &str, verb: Verb, terms: Terms) {
        let expected = Target::Change { endpoint: "acme/fraud".into(), verb, terms };
        assert_eq!(parse(method, &format!("/admin/endpoints/acme%2Ffraud/{target}")), Ok(expected));
    }

    #[test]
    fn a_change_is_a_method_a_path_and_its_terms() {
        let plain = Terms::default;
        let put = Method::PUT;
        let post = || Method::POST;
        change(put.clone(), "models/a%20b", Verb::Stage("a b".into()), plain());
        change(post(), "models/a/promote", Verb::Promote("a".into()), plain());
        change(post(), "models/a/rollback", Verb::Rollback(Some("a".into())), plain());
        change(post(), "rollback", Verb::Rollback(None), plain());
        change(post(), "pause", Verb::Pause(None), plain());
        change(post(), "models/a/resume", Verb::Resume(Some("a".into())), plain());
        let forced = Terms { force: true, why: Some("it is better".into()), ..plain() };
        change(put, "policy?force=true&why=it+is%20better&dry_run=false", Verb::SetPolicy, forced);
        change(post(), "policy/diff", Verb::SetPolicy, Terms { dry_run: true, ..plain() });
    }

    #[test]
    fn a_look_is_a_get() {
        let look = |path: &str| parse(Method::GET, path);
        let endpoint = || "e".to_owned();
        assert_eq!(look("/admin/endpoints"), Ok(Target::Look(Look::Endpoints)));
        let models = Look::Models { endpoint: endpoint() };
        assert_eq!(look("/admin/endpoints/e/models"), Ok(Target::Look(models)));
        let history = |model, limit| Look::History { endpoint: endpoint(), model, limit };
        let expected = history(Some("a".to_owned()), 3);
        assert_eq!(look("/admin/endpoints/e/history?model=a&limit=3"), Ok(Target::Look(expected)));
        let expected = history(None, HISTORY_LIMIT);
        assert_eq!(look("/admin/endpoints/e/history"), Ok(Target::Look(expected)));
        let policy = Look::Policy { endpoint: endpoint() };
        assert_eq!(look("/admin/endpoints/e/policy"), Ok(Target::Look(policy)));
        assert_eq!(look("/status"), Ok(Target::Page(Page::Status)));
        assert_eq!(look("/status?all=true"), Ok(Target::Page(Page::WholeStatus)));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let refused = |method: Method, path: &str, expected: &str| {
            let refused = parse(method, path).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        };
        let post = || Method::POST;
        for path in ["/admin", "/admin/endpointsx", "/admin/endpoints/e/models/a/b/c"] {
            refused(Method::GET, path, "is not a path of this listener");
        }
        refused(post(), "/admin/endpoints/e/models/a/demote", "is not a path of this listener");
        refused(post(), "/admin/endpoints/e/models", "found the method POST, expected GET, HEAD");
        refused(Method::GET, "/admin/endpoints/e/pause", "found the method GET, expected POST");
        let path = "/admin/endpoints/e/pause?dryrun=true";
        refused(post(), path, "query: found `dryrun`, expected dry_run, force or why");
        let path = "/admin/endpoints/e/pause?force=1";
        refused(post(), path, "query: force: found `1`, expected true or false");
        let path = "/admin/endpoints/e/history?limit=0";
        refused(Method::GET, path, "query: limit: found `0`, expected a whole number from 1 to");
        refused(Method::GET, "/status?all=1", "query: all: found `1`, expected true or false");
        let path = "/admin/endpoints?limit=1";
        refused(Method::GET, path, "query: found `limit`, expected nothing");
        refused(post(), "/admin/endpoints/e/pause?why=a%0Ab", "expected one line");
        refused(post(), "/admin/endpoints/e/pause?force=true&force=true", "a second one");
    }
}
